//! S01, S11: rules that demand people hold whatever comes at once, and a person's
//! stop ends only when a person ends it.

mod stage;

use broker::contract::{Envelope, Stamp, WithdrawalDecided};
use chrono::TimeDelta;
use domain::{ApprovalRules, Policy, Velocity};
use serde_json::{Value, json};
use stage::{Credit, Stage, cny, now, request, rules, vault};
use uuid::Uuid;
use workers::decisions::{Message, decide};
use workers::{Desk, PayoutPolicy, approval, intake};

const RECENT: Credit<'static> =
    Credit { id: "t1", channel: "alipay", arrived_at: "2026-02-01T12:00:00+08:00", amount: "1000.00" };

fn policy(approval: ApprovalRules) -> PayoutPolicy {
    PayoutPolicy { auto_approve_up_to: cny("1000.00"), approval, ..PayoutPolicy::default() }
}

/// An account with so many withdrawals of 1.00 that wait for an approval.
async fn asked(stage: &Stage, count: usize) -> Vec<Uuid> {
    stage.account("acct-1", &[RECENT]).await;
    let requests: Vec<_> = (0..count).map(|it| request(&format!("r{it}"), "1.00", json!({}))).collect();
    let tally = intake::admit(&stage.database, &rules(), &requests, now()).await.expect("intake");
    assert_eq!(tally.accepted, count);
    sqlx::query_scalar("select id from withdrawal order by id")
        .fetch_all(stage.database.pool())
        .await
        .expect("ids")
}

fn decision(event: &str, id: Uuid, (what, who): (&str, &str)) -> Message {
    let data: WithdrawalDecided = serde_json::from_value(json!({
        "withdrawal_id": id, "decision": what, "actor": who, "reason": "a test",
    }))
    .expect("a decision of the contract");
    let stamp = Stamp {
        source: "/people".parse().expect("a source"),
        id: event.parse().expect("an id"),
        time: now(),
    };
    Envelope::new(stamp, WithdrawalDecided::KIND, data.into())
}

#[tokio::test]
async fn s11_of_a_hundred_requests_looked_at_at_once_no_more_pass_than_may() {
    let stage = Stage::new().await;
    let ids = asked(&stage, 100).await;
    let day = Velocity { window: TimeDelta::hours(24), most: Some(3), sum: None, people: 2 };
    let policy = policy(ApprovalRules { account_velocity: vec![day], ..ApprovalRules::default() });
    let looks =
        ids.iter().map(|id| approval::review(&stage.database, std::slice::from_ref(id), &policy, now()));
    for tally in futures::future::join_all(looks).await {
        tally.expect("a look");
    }
    assert_eq!(stage.text("select count(*) from withdrawal where state = 'approved'").await, "3");
    let said =
        "select string_agg(distinct demands -> 0 ->> 'rule', ' ') from approval_demand where people = 2";
    assert_eq!(stage.text(said).await, "account_velocity");
    let told = stage.events().await.into_iter().filter(|(key, _)| key == "approval.required");
    assert_eq!(told.count(), 97, "whoever approves hears of each that waits");
}

#[tokio::test]
async fn a_persons_stop_ends_when_a_person_other_than_the_requester_ends_it() {
    let stage = Stage::new().await;
    let id = asked(&stage, 1).await[0];
    let policy = policy(ApprovalRules::default());
    let approval_wait = Policy::default().approval_wait;
    let desk = Desk { policy: policy.clone(), approval_wait, vault: vault() };
    let standing = "select state || coalesce(' ' || held_because, '') from withdrawal";
    for (event, wish, applied, after) in [
        ("e1", ("release", "anna"), 0, "pending_approval"),
        ("e2", ("hold", "anna"), 1, "on_hold anna: a test"),
        ("e3", ("hold", "bert"), 0, "on_hold anna: a test"),
        ("e4", ("approve", "bert"), 0, "on_hold anna: a test"),
        ("e5", ("release", "customer"), 0, "on_hold anna: a test"),
        ("e6", ("release", "bert"), 1, "pending_approval"),
    ] {
        let done = decide(&stage.database, &[decision(event, id, wish)], &desk, now()).await.expect("a desk");
        assert_eq!((done, stage.text(standing).await.as_str()), (applied, after), "{event} {wish:?}");
    }
    approval::review(&stage.database, &[id], &policy, now()).await.expect("a look");
    assert_eq!(stage.text(standing).await, "approved");
    for (event, wish, after) in [
        ("e7", ("hold", "anna"), "on_hold anna: a test"),
        ("e8", ("release", "anna"), "approved"),
        ("e9", ("cancel", "customer"), "canceled"),
    ] {
        let done = decide(&stage.database, &[decision(event, id, wish)], &desk, now()).await.expect("a desk");
        assert_eq!((done, stage.text(standing).await.as_str()), (1, after), "{event} {wish:?}");
    }
    let refused: Vec<Value> = stage
        .events()
        .await
        .into_iter()
        .filter(|(key, _)| key == "message.refused")
        .map(|(_, data)| data["reasons"][0]["code"].clone())
        .collect();
    assert_eq!(refused, ["not_on_hold", "nothing_to_hold", "too_late", "requester_cannot_approve"]);
}
