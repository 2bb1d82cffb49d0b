//! S01, S11: rules that demand people hold whatever comes at once, and a person's
//! stop ends only when a person ends it.

mod stage;

use broker::contract::{Envelope, Stamp, WithdrawalDecided};
use chrono::TimeDelta;
use domain::{ApprovalRules, Policy, Velocity};
use serde_json::{Value, json};
use stage::{Credit, Stage, all_at_once, cny, now, request, rules, vault};
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

/// Looks at each withdrawal in a transaction of its own.
async fn review_each(stage: &Stage, ids: &[Uuid], policy: &PayoutPolicy) {
    let look = |id| approval::review(&stage.database, std::slice::from_ref(id), policy, now());
    for tally in all_at_once(ids.iter().map(look)).await {
        tally.expect("a look");
    }
}

#[tokio::test]
async fn s11_of_a_hundred_requests_looked_at_at_once_no_more_pass_than_may() {
    let stage = Stage::new().await;
    let ids = asked(&stage, 100).await;
    let day = Velocity { window: TimeDelta::hours(24), most: Some(3), sum: None, people: 2 };
    let policy = policy(ApprovalRules { account_velocity: vec![day], ..ApprovalRules::default() });
    review_each(&stage, &ids, &policy).await;
    assert_eq!(stage.text("select count(*) from withdrawal where state = 'approved'").await, "3");
    let said =
        "select string_agg(distinct demands -> 0 ->> 'rule', ' ') from approval_demand where people = 2";
    assert_eq!(stage.text(said).await, "account_velocity");
    let told = stage.events().await.into_iter().filter(|(key, _)| key == "approval.required");
    assert_eq!(told.count(), 97, "whoever approves hears of each that waits");
}

/// Past its window, so that only a bank card can receive it.
const OLD: Credit<'static> =
    Credit { id: "old", channel: "alipay", arrived_at: "2025-01-01T12:00:00+08:00", amount: "1000.00" };

/// Asks for 1.00 of an account to the card of this number.
async fn asked_to_card(stage: &Stage, id: &str, account: &str, number: &str) {
    let card = json!({ "holder": "张三", "number": number, "bank_name": "中国银行",
                       "branch": "北京分行", "cnaps": "104100000004" });
    let change =
        json!({ "account_id": account, "route": "bank_card", "transactions": "auto", "bank_account": card });
    let tally = intake::admit(&stage.database, &rules(), &[request(id, "1.00", change)], now()).await;
    assert_eq!(tally.expect("intake").accepted, 1, "{id}");
}

/// Looks at every withdrawal at once, and answers how each stands: `r1 approved, r2 …`, and which rules spoke.
async fn looked_at(stage: &Stage, policy: &PayoutPolicy) -> String {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from withdrawal").fetch_all(stage.database.pool()).await.expect("ids");
    review_each(stage, &ids, policy).await;
    stage
        .text(
            "select string_agg(concat_ws(' ', request_id, state, case when people > 0 then demands -> 0 ->> 'rule' end), ', ' \
             order by request_id) from withdrawal join approval_demand on withdrawal_id = withdrawal.id",
        )
        .await
}

#[tokio::test]
async fn s11_the_pace_of_a_payee_counts_whoever_gives() {
    let stage = Stage::new().await;
    for account in ["acct-1", "acct-2", "acct-3"] {
        stage.account(account, &[OLD]).await;
    }
    let busy = "6222020200112233445";
    for (id, account) in
        [("r1", "acct-1"), ("r2", "acct-2"), ("r3", "acct-3"), ("r4", "acct-1"), ("r5", "acct-2")]
    {
        asked_to_card(&stage, id, account, busy).await;
    }
    asked_to_card(&stage, "r6", "acct-3", "6217000010098765432").await;
    let day = Velocity { window: TimeDelta::hours(24), most: Some(3), sum: None, people: 1 };
    let policy = policy(ApprovalRules { payee_velocity: vec![day], ..ApprovalRules::default() });
    let standing = looked_at(&stage, &policy).await;
    assert_eq!(standing.matches("approved").count(), 4, "{standing}");
    assert_eq!(standing.matches("pending_approval payee_velocity").count(), 2, "{standing}");
    assert!(standing.contains("r6 approved"), "another card has a pace of its own: {standing}");
}

#[tokio::test]
async fn s11_the_first_payout_to_a_bank_card_waits_for_a_person() {
    let stage = Stage::new().await;
    for account in ["acct-1", "acct-2"] {
        stage.account(account, &[OLD]).await;
    }
    let (card, other) = ("6222020200112233445", "6217000010098765432");
    let policy = policy(ApprovalRules { first_bank_card: 1, ..ApprovalRules::default() });
    asked_to_card(&stage, "r1", "acct-1", card).await;
    assert_eq!(looked_at(&stage, &policy).await, "r1 pending_approval first_bank_card");

    let id: Uuid = stage.text("select id from withdrawal").await.parse().expect("an id");
    let approval_wait = Policy::default().approval_wait;
    let desk = Desk { policy: policy.clone(), approval_wait, vault: vault() };
    let said = decide(&stage.database, &[decision("e1", id, ("approve", "anna"))], &desk, now()).await;
    assert_eq!(said.expect("a desk"), 1);
    asked_to_card(&stage, "r2", "acct-1", card).await;
    let before = looked_at(&stage, &policy).await;
    assert_eq!(
        before, "r1 approved first_bank_card, r2 pending_approval first_bank_card",
        "approved is not paid"
    );

    stage.run("update leg set state = 'paid', paid_at = now() where state = 'scheduled'").await;
    for (id, account, number) in [("r3", "acct-1", card), ("r4", "acct-1", other), ("r5", "acct-2", card)] {
        asked_to_card(&stage, id, account, number).await;
    }
    let after = looked_at(&stage, &policy).await;
    let expected = "r3 approved, r4 pending_approval first_bank_card, r5 pending_approval first_bank_card";
    assert!(after.ends_with(expected), "{after}");
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
