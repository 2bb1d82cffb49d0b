//! R11 on a real PostgreSQL: bank details that come after the request, and what
//! they do to approvals.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

mod stage;

use std::sync::Arc;

use broker::contract::{Envelope, Instruction, Stamp, WithdrawalDecided, WithdrawalDetails};
use chrono::NaiveTime;
use domain::{Calendar, Policy};
use serde_json::{Value, json};
use stage::{Credit, Stage, all_at_once, cny, now, request, rules, vault};
use store::verify::verify;
use uuid::Uuid;
use workers::decisions::{Message, decide};
use workers::{Desk, PayoutPolicy, approval, intake};

/// Past its window, so that only a bank card can receive it.
const OLD: Credit<'_> =
    Credit { id: "t", channel: "alipay", arrived_at: "2025-01-01T12:00:00+08:00", amount: "100.00" };

/// The account number of the request, and the one of the details that follow.
const FIRST: &str = "6222020200112233445";
const SECOND: &str = "6217000010098765432";

fn card(number: &str) -> Value {
    json!({ "holder": "张三", "number": number, "bank_name": "中国银行",
            "branch": "北京分行", "cnaps": "104100000004" })
}

/// The same without one of its fields.
fn without(mut card: Value, field: &str) -> Value {
    card.as_object_mut().unwrap().remove(field);
    card
}

fn with(mut card: Value, field: &str, value: &str) -> Value {
    card[field] = value.into();
    card
}

fn desk() -> Desk {
    let policy = PayoutPolicy {
        auto_approve_up_to: cny("0.00"),
        approvers: 2,
        calendar: Arc::new(Calendar::default()),
        bank_cut_offs: vec![NaiveTime::from_hms_opt(16, 30, 0).unwrap()],
        ..PayoutPolicy::default()
    };
    Desk { policy, approval_wait: Policy::default().approval_wait, vault: vault() }
}

fn message(id: &str, kind: &str, data: Instruction) -> Message {
    let stamp = Stamp { source: "/people".parse().unwrap(), id: id.parse().unwrap(), time: now() };
    Envelope::new(stamp, kind, data)
}

fn details(id: &str, withdrawal: Uuid, account: &Value) -> Message {
    expecting(id, withdrawal, account, None)
}

fn expecting(id: &str, withdrawal: Uuid, account: &Value, version: Option<u32>) -> Message {
    let data = json!({ "withdrawal_id": withdrawal, "bank_account": account, "actor": "customer",
                       "expected_version": version });
    let data: WithdrawalDetails = serde_json::from_value(data).unwrap();
    message(id, WithdrawalDetails::KIND, data.into())
}

fn decision(id: &str, withdrawal: Uuid, word: &str, actor: &str) -> Message {
    bound(id, withdrawal, (word, actor), None)
}

fn bound(id: &str, withdrawal: Uuid, (word, actor): (&str, &str), effect: Option<&str>) -> Message {
    let data = json!({ "withdrawal_id": withdrawal, "decision": word, "actor": actor, "reason": "because",
                       "effect_digest": effect });
    let data: WithdrawalDecided = serde_json::from_value(data).unwrap();
    message(id, WithdrawalDecided::KIND, data.into())
}

/// A withdrawal of 60.00 to a bank card, asked for with these details.
async fn asked(stage: &Stage, account: &Value) -> Uuid {
    stage.account("acct-1", &[OLD]).await;
    let change = json!({ "route": "bank_card", "transactions": "auto", "bank_account": account });
    let tally = intake::admit(&stage.database, &rules(), &[request("r1", "60.00", change)], now()).await;
    assert_eq!(tally.unwrap().accepted, 1);
    the_one(stage).await
}

async fn the_one(stage: &Stage) -> Uuid {
    stage.text("select id from withdrawal").await.parse().unwrap()
}

impl Stage {
    async fn tell(&self, messages: &[Message]) -> usize {
        decide(&self.database, messages, &desk(), now()).await.expect("the messages are taken in")
    }

    /// Whom refusals went to and the codes of their reasons, oldest first.
    async fn refusals(&self) -> Vec<String> {
        let events = self.events().await;
        let of = |(key, data): &(String, Value)| {
            let reasons = data["reasons"].as_array().unwrap();
            let codes: Vec<&str> = reasons.iter().map(|it| it["code"].as_str().unwrap()).collect();
            (key == "message.refused")
                .then(|| format!("{} {}", data["message"]["id"].as_str().unwrap(), codes.join(" ")))
        };
        events.iter().filter_map(of).collect()
    }

    /// The states of the withdrawal, in their order.
    async fn path(&self) -> String {
        self.text("select string_agg(to_state, ' ' order by sequence) from transition where leg_id is null")
            .await
    }

    async fn leg(&self) -> String {
        self.text(
            "select concat_ws(' ', leg.state, payee_last_four, version, leg.bank_account_id = withdrawal.bank_account_id, \
             dispatch_at is null) from leg join bank_account on bank_account.id = leg.bank_account_id \
             join withdrawal on withdrawal.id = leg.withdrawal_id",
        )
        .await
    }

    async fn effect(&self) -> String {
        self.text("select encode(effect_digest, 'hex') from withdrawal").await
    }

    async fn every_invariant_holds(&self) {
        assert_eq!(verify(&self.database, None, 2, now()).await.unwrap(), []);
    }
}

#[tokio::test]
async fn r11_details_that_were_waited_for_bring_a_withdrawal_to_its_approval() {
    let stage = Stage::new().await;
    let id = asked(&stage, &without(card(FIRST), "cnaps")).await;
    assert_eq!(stage.path().await, "awaiting_details");
    let message = details("d1", id, &card(SECOND));
    assert_eq!(stage.tell(&[message.clone(), message.clone()]).await, 1);
    assert_eq!(stage.tell(&[message]).await, 0, "the same message changes nothing");

    assert_eq!(stage.path().await, "awaiting_details pending_approval");
    assert_eq!(stage.leg().await, "planned 5432 2 t t");
    let versions = stage
        .text("select string_agg(concat_ws(' ', version, last_four, cnaps, given_by), ', ' order by version) from bank_account")
        .await;
    assert_eq!(versions, "1 3445  customer, 2 5432 104100000004 customer", "nothing is overwritten");
    let waits = stage
        .text("select concat_ws(' ', expires_at - changed_at, length(effect_digest)) from withdrawal")
        .await;
    assert_eq!(waits, "14 days 32");
    let nudges = stage.text("select count(*) from outbox where routing_key = 'outflow.approvals'").await;
    assert_eq!(nudges, "1");
    let events = stage.events().await;
    let told = |data: &Value| format!("{} {}", data["previous_state"], data["legs"][0]["payee_last_four"]);
    assert_eq!(told(&events[1].1), "\"awaiting_details\" \"5432\"");
    assert_eq!(events.len(), 2, "nobody hears of a repeat");

    let other = details("d1", id, &card(FIRST));
    assert_eq!(stage.tell(&[other]).await, 0);
    assert_eq!(stage.refusals().await, ["d1 conflict"]);
    let said = &stage.events().await[2].1["reasons"][0]["detail"];
    assert!(said.as_str().unwrap().ends_with("data.bank_account.number"), "{said}");
    for number in [FIRST, SECOND] {
        for table in ["bank_account", "instruction", "outbox", "withdrawal"] {
            let sql = sqlx::AssertSqlSafe(format!(
                "select count(*) from {table} as it where it::text like '%{number}%' or it::text like '%{}%'",
                hex::encode(number)
            ));
            let found: i64 = sqlx::query_scalar(sql).fetch_one(stage.database.pool()).await.unwrap();
            assert_eq!(found, 0, "{table}");
        }
    }
    stage.books_balance().await;
    stage.every_invariant_holds().await;
}

#[tokio::test]
async fn r12_details_that_come_later_are_refused_with_every_reason_and_change_nothing() {
    let stage = Stage::new().await;
    let id = asked(&stage, &without(card(FIRST), "branch")).await;
    let nobody = Uuid::now_v7();
    let applied = stage
        .tell(&[
            details("d1", id, &with(card(SECOND), "holder", "李四")),
            details("d2", id, &without(with(card(SECOND), "holder", "张三丰"), "branch")),
            expecting("d3", id, &card(SECOND), Some(0)),
            expecting("d4", id, &card(SECOND), Some(2)),
            details("d5", nobody, &card(SECOND)),
        ])
        .await;
    assert_eq!(applied, 0);
    let expected = [
        "d1 holder_mismatch",
        "d2 details_incomplete holder_mismatch",
        "d3 details_changed",
        "d4 details_changed",
        "d5 unknown_withdrawal",
    ];
    assert_eq!(stage.refusals().await, expected);
    let (_, first) = &stage.events().await[1];
    assert_eq!(first["message"], json!({ "source": "/people", "id": "d1", "type": WithdrawalDetails::KIND }));
    assert_eq!((&first["state"], &first["withdrawal_id"]), (&json!("awaiting_details"), &json!(id)));
    assert_eq!(first["reasons"][0]["pointer"], "/data/bank_account/holder");
    assert_eq!(stage.path().await, "awaiting_details");
    assert_eq!(stage.text("select count(*) from bank_account").await, "1");
    let kept = stage.text("select string_agg(result, ', ' order by event_id) from instruction").await;
    assert_eq!(kept, expected.map(|it| it.split_once(' ').unwrap().1).join(", "));

    assert_eq!(stage.tell(&[expecting("d6", id, &with(card(SECOND), "holder", " 张 三"), Some(1))]).await, 1);
    assert_eq!(stage.path().await, "awaiting_details pending_approval");
    stage.every_invariant_holds().await;
}

#[tokio::test]
async fn s01_an_approval_of_the_details_before_counts_for_nothing() {
    let stage = Stage::new().await;
    let id = asked(&stage, &card(FIRST)).await;
    let before = stage.effect().await;
    assert_eq!(stage.tell(&[bound("a1", id, ("approve", "anna"), Some(&before))]).await, 1);
    assert_eq!(stage.tell(&[details("d1", id, &card(SECOND))]).await, 1);
    let after = stage.effect().await;
    assert_ne!(before, after);
    assert_eq!(stage.path().await, "pending_approval pending_approval");
    assert_eq!(
        stage.events().await[1].1["effect_digest"],
        after.as_str(),
        "approvers hear what they approve"
    );

    stage.tell(&[bound("a2", id, ("approve", "bert"), Some(&before))]).await;
    assert_eq!(stage.refusals().await, ["a2 effect_changed"]);
    // One of the two that are needed; Anna's first one was for the details before.
    assert_eq!(stage.tell(&[bound("a3", id, ("approve", "bert"), Some(&after))]).await, 1);
    assert_eq!(stage.path().await, "pending_approval pending_approval");
    assert_eq!(stage.tell(&[bound("a4", id, ("approve", "anna"), Some(&after))]).await, 1);
    assert_eq!(stage.path().await, "pending_approval pending_approval approved");
    stage.every_invariant_holds().await;

    // In one batch with the details, an approval before them is void as well.
    let batch = [
        details("d2", id, &card(FIRST)),
        decision("a5", id, "approve", "anna"),
        details("d3", id, &card(SECOND)),
        decision("a6", id, "approve", "bert"),
    ];
    assert_eq!(stage.tell(&batch).await, 4);
    assert!(stage.path().await.ends_with("approved pending_approval pending_approval"));
    stage.every_invariant_holds().await;
}

#[tokio::test]
async fn r11_a_change_voids_an_approval_until_the_first_leg_is_sent() {
    let stage = Stage::new().await;
    let id = asked(&stage, &card(FIRST)).await;
    let approvals =
        |round: &str| ["anna", "bert"].map(|who| decision(&format!("{who}-{round}"), id, "approve", who));
    assert_eq!(stage.tell(&approvals("1")).await, 2);
    assert_eq!(stage.leg().await, "scheduled 3445 1 t f");
    assert_eq!(stage.tell(&[details("d1", id, &card(SECOND))]).await, 1);
    assert_eq!(stage.path().await, "pending_approval approved pending_approval");
    assert_eq!(stage.leg().await, "planned 5432 2 t t");
    let times = stage
        .text("select concat_ws(' ', approved_at is null, deadline_at is null, expires_at - changed_at) from withdrawal")
        .await;
    assert_eq!(times, "t t 14 days");
    stage.books_balance().await;
    stage.every_invariant_holds().await;

    assert_eq!(stage.tell(&approvals("2")).await, 2);
    assert_eq!(stage.leg().await, "scheduled 5432 2 t f");
    // A send that was definitely refused and waits to be repeated under the same number.
    stage.run("update leg set attempts = 1").await;
    stage.tell(&[details("d2", id, &card(FIRST))]).await;
    stage.run("update leg set attempts = 0, state = 'dispatching'").await;
    stage.tell(&[details("d3", id, &card(FIRST))]).await;
    stage.run("update leg set state = 'paid'").await;
    stage.run("update withdrawal set state = 'completed'").await;
    stage.tell(&[details("d4", id, &card(FIRST))]).await;
    let expected = ["d2 already_dispatched", "d3 already_dispatched", "d4 too_late"];
    assert_eq!(stage.refusals().await, expected);
    assert_eq!(stage.leg().await, "paid 5432 2 t f");
}

#[tokio::test]
async fn r11_a_change_lifts_no_hold() {
    let stage = Stage::new().await;
    let id = asked(&stage, &card(FIRST)).await;
    stage.run("update account set advance_payment = true").await;
    approval::review(&stage.database, &[id], &desk().policy, now()).await.unwrap();
    let guard = workers::holds::Guard { policy: desk().policy, vault: vault() };
    assert_eq!(stage.tell(&[details("d1", id, &card(SECOND))]).await, 1);
    assert_eq!(stage.path().await, "pending_approval on_hold on_hold");
    assert_eq!(workers::holds::pass(&stage.database, &guard, now()).await.unwrap(), 0);

    stage.run("update account set advance_payment = false").await;
    assert_eq!(workers::holds::pass(&stage.database, &guard, now()).await.unwrap(), 1);
    assert_eq!(stage.path().await, "pending_approval on_hold on_hold pending_approval");
    assert_eq!(stage.leg().await, "planned 5432 2 t t");
    stage.every_invariant_holds().await;
}

#[tokio::test]
async fn r8_money_that_goes_back_to_its_source_has_no_details_to_choose() {
    let stage = Stage::new().await;
    let transfer = Credit { channel: "bank_transfer", ..OLD };
    stage.account("acct-1", &[transfer]).await;
    intake::admit(&stage.database, &rules(), &[request("r1", "60.00", json!({}))], now()).await.unwrap();
    let id = the_one(&stage).await;
    assert_eq!(stage.tell(&[details("d1", id, &card(SECOND))]).await, 0);
    assert_eq!(stage.refusals().await, ["d1 payee_not_chosen"]);
    stage.every_invariant_holds().await;
}

#[tokio::test]
async fn r8_a_transfer_from_an_unknown_account_waits_for_details() {
    let stage = Stage::new().await;
    stage.account("acct-1", &[Credit { channel: "bank_transfer", ..OLD }]).await;
    stage.run("update top_up set bank_account_id = null").await;
    stage.run("delete from bank_account").await;
    intake::admit(&stage.database, &rules(), &[request("r1", "60.00", json!({}))], now()).await.unwrap();
    let id = the_one(&stage).await;
    assert_eq!(stage.path().await, "awaiting_details");
    assert_eq!(stage.tell(&[expecting("d1", id, &card(SECOND), Some(0))]).await, 1);
    assert_eq!(stage.path().await, "awaiting_details pending_approval");
    assert_eq!(stage.leg().await, "planned 5432 1 t t");
    stage.every_invariant_holds().await;
}

#[tokio::test]
async fn a_decision_that_does_not_count_is_told_to_its_sender() {
    let stage = Stage::new().await;
    let id = asked(&stage, &card(FIRST)).await;
    let wrong = "0".repeat(64);
    let batch = [
        decision("a1", id, "approve", "customer"),
        bound("a2", id, ("approve", "anna"), Some(&wrong)),
        decision("a3", id, "approve", "anna"),
        decision("a4", id, "approve", "anna"),
        decision("a3", id, "deny", "anna"),
        decision("a5", Uuid::now_v7(), "deny", "anna"),
        decision("a6", id, "deny", "bert"),
        decision("a7", id, "cancel", "customer"),
    ];
    assert_eq!(stage.tell(&batch).await, 2);
    let expected = [
        "a1 requester_cannot_approve",
        "a2 effect_changed",
        "a4 already_approved",
        "a3 conflict",
        "a5 unknown_withdrawal",
        "a7 too_late",
    ];
    assert_eq!(stage.refusals().await, expected);
    assert_eq!(stage.tell(&batch).await, 0);
    // The one under a used id is another message each time that it comes.
    assert_eq!(stage.refusals().await.len(), expected.len() + 1);
    assert_eq!(stage.path().await, "pending_approval denied");
    stage.every_invariant_holds().await;
}

#[tokio::test]
async fn the_same_details_from_a_hundred_workers_at_once_are_one_version() {
    let stage = Stage::new().await;
    let id = asked(&stage, &card(FIRST)).await;
    let message = [details("d1", id, &card(SECOND))];
    let desk = desk();
    let all = (0..100).map(|_| decide(&stage.database, &message, &desk, now()));
    let applied = all_at_once(all).await;
    assert_eq!(applied.into_iter().map(|it| it.expect("no worker fails")).sum::<usize>(), 1);
    assert_eq!(stage.text("select count(*) from bank_account").await, "2");
    stage.every_invariant_holds().await;
}
