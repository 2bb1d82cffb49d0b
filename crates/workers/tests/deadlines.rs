//! R7b: the calendar of a year comes late. Deadlines that were counted without it
//! are counted again, told, and left alone afterwards.

mod stage;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::Calendar;
use serde_json::json;
use stage::{Credit, Stage, cny, request, rules};
use store::verify::verify;
use uuid::Uuid;
use workers::{PayoutPolicy, approval, deadlines, intake};

/// The dates in quotes that follow `name` in a calendar file, up to the bracket.
fn dates(text: &str, name: &str) -> Vec<NaiveDate> {
    let list = text.split(&format!("\n{name} = [")).nth(1).and_then(|it| it.split(']').next());
    let quoted = list.expect("a list of the calendar").split('"').skip(1).step_by(2);
    quoted.map(|it| it.parse().expect("a date of the calendar")).collect()
}

/// The official years of the product, up to `last`.
fn policy_until(last: i32) -> PayoutPolicy {
    let mut calendar = Calendar::default();
    for (year, text) in [
        (2025, include_str!("../../../config/calendar/cn-2025.toml")),
        (2026, include_str!("../../../config/calendar/cn-2026.toml")),
    ] {
        if year <= last {
            let (holidays, make_up) = (dates(text, "holidays"), dates(text, "make_up_days"));
            calendar.add_year(year, &holidays, &make_up).expect("an official calendar");
        }
    }
    PayoutPolicy {
        auto_approve_up_to: cny("1000.00"),
        approvers: 1,
        calendar: Arc::new(calendar),
        bank_cut_offs: vec![NaiveTime::from_hms_opt(16, 30, 0).expect("a time of day")],
        ..PayoutPolicy::default()
    }
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

/// An account whose money goes back by bank, and so many withdrawals of it,
/// approved at that moment by a calendar that ends with 2025.
async fn approved(stage: &Stage, account: &str, count: usize, at: &str) {
    let arrived_at = "2025-02-01T12:00:00+08:00";
    let credit = Credit { id: account, channel: "bank_transfer", arrived_at, amount: "1000.00" };
    stage.account(account, &[credit]).await;
    let asks: Vec<_> = (0..count)
        .map(|it| request(&format!("{account}-{it}"), "1.00", json!({ "account_id": account })))
        .collect();
    let at = moment(at);
    let tally = intake::admit(&stage.database, &rules(), &asks, at).await.expect("intake");
    assert_eq!(tally.accepted, count);
    let ids: Vec<Uuid> = sqlx::query_scalar("select id from withdrawal where account_id = $1")
        .bind(account)
        .fetch_all(stage.database.pool())
        .await
        .expect("ids");
    approval::review(&stage.database, &ids, &policy_until(2025), at).await.expect("approval");
}

/// How the legs of each account stand, in Shanghai's time.
async fn legs(stage: &Stage) -> String {
    stage
        .text(
            "select string_agg(line, ', ' order by line) from (
                 select concat_ws(' ', account_id, state, to_char(dispatch_at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI'),
                                  to_char(execute_on, 'MM-DD'), to_char(deadline_at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI'),
                                  deadline_provisional) as line
                   from leg group by line) as lines",
        )
        .await
}

#[tokio::test]
async fn r7b_deadlines_are_counted_again_and_told_when_the_missing_year_comes() {
    let stage = Stage::new().await;
    // The last one leaves at the cut-off after its approval, which a guess puts on New Year's Day.
    approved(&stage, "early", 250, "2025-12-29T10:00:00+08:00").await;
    approved(&stage, "late", 1, "2025-12-31T18:00:00+08:00").await;
    approved(&stage, "sure", 1, "2025-12-01T10:00:00+08:00").await;
    approved(&stage, "held", 1, "2025-12-30T10:00:00+08:00").await;
    stage.run("update leg set state = 'held' where account_id = 'held'").await;
    stage.run("update withdrawal set state = 'on_hold', held_from = 'approved', held_because = 'a person' where account_id = 'held'").await;
    stage
        .run("update transition set to_state = 'held' where leg_id = (select id from leg where account_id = 'held') and sequence = 2")
        .await;
    let guessed = "early scheduled 12-29 16:30 12-29 01-07 23:59 t, held held 12-30 16:30 12-30 01-08 23:59 t, \
                   late scheduled 01-01 16:30 01-01 01-09 23:59 t, sure scheduled 12-01 16:30 12-01 12-10 23:59 f";
    assert_eq!(legs(&stage).await, guessed);
    let events = stage.events().await.len();

    // A start without the year changes nothing and says nothing.
    let now = moment("2025-12-31T20:00:00+08:00");
    assert_eq!(deadlines::pass(&stage.database, &policy_until(2025), now).await.unwrap(), 0);
    assert_eq!((legs(&stage).await.as_str(), stage.events().await.len()), (guessed, events));

    // 2026 has three days off and a make-up Sunday at its beginning.
    assert_eq!(deadlines::pass(&stage.database, &policy_until(2026), now).await.unwrap(), 252);
    let counted = "early scheduled 12-29 16:30 12-29 01-08 23:59 f, held held 12-30 16:30 12-30 01-09 23:59 f, \
                   late scheduled 01-04 16:30 01-04 01-12 23:59 f, sure scheduled 12-01 16:30 12-01 12-10 23:59 f";
    assert_eq!(legs(&stage).await, counted);
    let told = stage.events().await.split_off(events);
    assert_eq!(told.len(), 252);
    let late = told.iter().find(|(_, data)| data["account_id"] == "late").expect("its event");
    assert_eq!(late.0, "withdrawal.approved");
    assert_eq!(late.1["previous_state"], "approved");
    assert_eq!((&late.1["sequence"], &late.1["provisional"]), (&json!(3), &json!(false)));
    assert_eq!(moment(late.1["expected_by"].as_str().unwrap()), moment("2026-01-12T23:59:59.999+08:00"));
    let held = "select concat_ws(' ', state, held_from, held_because, deadline_provisional) from withdrawal where account_id = 'held'";
    assert_eq!(stage.text(held).await, "on_hold approved a person f");
    let trace = "select string_agg(distinct concat_ws(' ', from_state, to_state, actor, note), ', ') from transition \
                 where event = 'recount' and withdrawal_id = (select id from withdrawal where account_id = 'late')";
    assert_eq!(stage.text(trace).await, "approved approved deadlines expected by 2026-01-12");

    assert_eq!(deadlines::pass(&stage.database, &policy_until(2026), now).await.unwrap(), 0);
    assert_eq!(stage.events().await.len(), events + 252);
}

#[tokio::test]
async fn r7b_what_was_sent_keeps_its_day_and_what_has_ended_keeps_its_peace() {
    let stage = Stage::new().await;
    approved(&stage, "sent", 1, "2025-12-31T18:00:00+08:00").await;
    stage.run("update leg set attempts = 1").await;
    approved(&stage, "over", 1, "2025-12-31T18:00:00+08:00").await;
    stage.run("update leg set state = 'released' where account_id = 'over'").await;
    stage.run("update withdrawal set state = 'failed' where account_id = 'over'").await;
    let now = moment("2025-12-31T20:00:00+08:00");
    assert_eq!(deadlines::pass(&stage.database, &policy_until(2026), now).await.unwrap(), 1);
    let kept =
        "over released 01-01 16:30 01-01 01-09 23:59 t, sent scheduled 01-01 16:30 01-01 01-12 23:59 f";
    assert_eq!(legs(&stage).await, kept);
}

#[tokio::test]
async fn a_recount_leaves_the_books_clean() {
    let stage = Stage::new().await;
    approved(&stage, "a", 3, "2025-12-29T10:00:00+08:00").await;
    let now = moment("2025-12-31T20:00:00+08:00");
    assert_eq!(deadlines::pass(&stage.database, &policy_until(2026), now).await.unwrap(), 3);
    let found = verify(&stage.database, None, 1, now).await.unwrap();
    // Nothing relays events here, so that they wait in the outbox for ever.
    let found: Vec<_> = found.into_iter().filter(|it| !it.subject.starts_with("outbox")).collect();
    assert_eq!(found, []);
}

/// The events about deadlines and waits: routing key, account or state, and when it is over.
async fn calls(stage: &Stage) -> Vec<String> {
    let told = stage.events().await.into_iter().filter(|(key, _)| !key.starts_with("withdrawal."));
    let line = |data: &serde_json::Value| {
        let over = data.get("deadline_at").or_else(|| data.get("expires_at")).and_then(|it| it.as_str());
        format!("{} {}", data["state"].as_str().expect("a state"), over.expect("a moment"))
    };
    told.filter(|(key, _)| key != "approval.required")
        .map(|(key, data)| format!("{key} {}", line(&data)))
        .collect()
}

#[tokio::test]
async fn r7_a_deadline_is_warned_of_once_and_its_breach_is_told_once() {
    use deadlines::{Raised, alert};
    let stage = Stage::new().await;
    // Seven working days after a Monday: the end of Wednesday the week after.
    approved(&stage, "late", 1, "2025-11-03T10:00:00+08:00").await;
    approved(&stage, "paid", 1, "2025-11-03T10:00:00+08:00").await;
    stage.run("update leg set state = 'paid', paid_at = deadline_at where account_id = 'paid'").await;
    let policy = policy_until(2025);
    let deadline = "2025-11-12T15:59:59.999Z";
    let both = ["warning", "breached"].map(|kind| format!("deadline.{kind} scheduled {deadline}"));
    let (none, warning) = (Raised::default(), Raised { warnings: 1, breaches: 0 });
    for (at, raised, told) in [
        ("2025-11-10T23:59:59+08:00", none, &[][..]),
        ("2025-11-11T00:00:00+08:00", warning, &both[..1]),
        ("2025-11-12T12:00:00+08:00", none, &both[..1]),
        ("2025-11-13T00:00:00+08:00", Raised { warnings: 0, breaches: 1 }, &both[..]),
        ("2025-11-14T00:00:00+08:00", none, &both[..]),
    ] {
        assert_eq!(alert(&stage.database, &policy, moment(at)).await.unwrap(), raised, "{at}");
        assert_eq!(calls(&stage).await, told, "{at}");
    }
    let rows = "select string_agg(kind || ' ' || rail, ', ' order by raised_at) from deadline_alert";
    assert_eq!(stage.text(rows).await, "warning bank, breach bank");
}

#[tokio::test]
async fn r7_two_watchers_tell_a_breach_once() {
    let stage = Stage::new().await;
    approved(&stage, "late", 250, "2025-11-03T10:00:00+08:00").await;
    let (policy, at) = (policy_until(2025), moment("2025-11-20T10:00:00+08:00"));
    let (one, other) = tokio::join!(
        deadlines::alert(&stage.database, &policy, at),
        deadlines::alert(&stage.database, &policy, at)
    );
    assert_eq!(one.unwrap().breaches + other.unwrap().breaches, 250);
    assert_eq!(calls(&stage).await.len(), 250);
}

#[tokio::test]
async fn a_wait_that_ends_soon_is_reminded_of_once() {
    let stage = Stage::new().await;
    let arrived_at = "2025-10-01T12:00:00+08:00";
    let credit = Credit { id: "a", channel: "bank_transfer", arrived_at, amount: "9000.00" };
    stage.account("a", &[credit]).await;
    let asks = [request("a-1", "8000.00", json!({ "account_id": "a" }))];
    let asked = moment("2025-11-03T10:00:00+08:00");
    intake::admit(&stage.database, &rules(), &asks, asked).await.expect("intake");
    let policy = policy_until(2025);
    let ending = ["wait.ending pending_approval 2025-11-17T02:00:00Z".to_owned()];
    for (at, reminded, told) in [
        ("2025-11-16T09:59:59+08:00", 0, &[][..]),
        ("2025-11-16T10:00:00+08:00", 1, &ending[..]),
        ("2025-11-17T09:00:00+08:00", 0, &ending[..]),
        ("2025-11-17T10:00:00+08:00", 0, &ending[..]),
    ] {
        assert_eq!(deadlines::remind(&stage.database, &policy, moment(at)).await.unwrap(), reminded, "{at}");
        assert_eq!(calls(&stage).await, told, "{at}");
    }
}
