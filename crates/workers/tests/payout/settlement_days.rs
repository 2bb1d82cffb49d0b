//! Reconciliation against the channels' own statements, right ones and wrong ones.

use chrono::{NaiveDate, TimeDelta};
use gateways::{Balances, Statement};
use store::statement_days::DayState;
use store::statement_differences as differences;
use workers::reconcile::{self, Outcome, Read};
use workers::settle;

use crate::stage::cny;
use crate::{Rail, World, approved};

const CHANNELS: [(&str, Option<&str>, Rail); 4] = [
    ("alipay", Some("alipay"), Rail::Alipay),
    ("wechat", Some("wechat"), Rail::WeChat),
    ("unionpay_personal", Some("unionpay"), Rail::UnionPay),
    ("bank_transfer", None, Rail::Bank),
];

const STATES: &str = "select string_agg(state, ' ' order by account_id) from leg";

/// Every difference: kind, ours, theirs, and who resolved it.
const DIFFERENCES: &str = "select string_agg(concat_ws(' ', kind, ours, theirs, resolved_by), ', ' order by kind, subject) from statement_difference";

fn day() -> NaiveDate {
    "2026-03-10".parse().expect("a day")
}

/// A world with two payments of ten yuan on one channel, all paid on one day.
async fn paid(channel: &str, sim_channel: Option<&str>, scenario: &str) -> World {
    let world = approved(channel, sim_channel, &[("0000", ""), ("1111", "")]).await;
    if !scenario.is_empty() {
        world.simulator.load_scenario(scenario).expect("a scenario");
    }
    world.run_to_the_end().await;
    assert_eq!(world.stage.text(STATES).await, "paid paid", "{channel}");
    world
}

/// A rule by which the lines of payments to accounts with this ending deviate.
fn deviates(ending: &str, how: &str) -> String {
    format!("[[on]]\nchannel = \"*\"\npayee = \"*{ending}\"\nsteps = [{{ statement = \"{how}\" }}]\n")
}

impl World {
    async fn reconcile(&self, rail: Rail) -> Outcome {
        let read = reconcile::fetch(&self.till, rail, day()).await;
        self.compare(rail, day(), read.statement.expect("a statement")).await
    }

    async fn compare(&self, rail: Rail, day: NaiveDate, statement: Option<Statement>) -> Outcome {
        let read = Read { statement: Ok(statement), source: "a test".to_owned() };
        reconcile::reconcile(&self.till, (rail, day), &read).await.expect("an outcome")
    }

    async fn fetched(&self, rail: Rail) -> Statement {
        let statement = self.till.gateways.statement(rail, day()).await;
        statement.expect("an answer").expect("a statement")
    }

    /// A person resolves every open difference.
    async fn resolve(&self) {
        let mut tx = self.till.database.begin().await.expect("a transaction");
        for it in differences::list(&mut tx, None, differences::Which::Open, 10).await.expect("rows") {
            let done = differences::resolve(&mut tx, it.id, ("zhao.lei", "seen on paper"), self.now()).await;
            assert_eq!(done.expect("a row"), Some((it.rail, it.day)));
        }
        tx.commit().await.expect("a commit");
    }
}

#[tokio::test]
async fn what_the_statement_has_is_settled_and_its_day_closes() {
    for (channel, sim_channel, rail) in CHANNELS {
        let world = paid(channel, sim_channel, "").await;
        let first = world.reconcile(rail).await;
        let expected = Outcome { state: DayState::Closed, detail: None, lines: 2, settled: 2, returned: 0 };
        assert_eq!(first, expected, "{channel}");
        assert_eq!(world.stage.text(STATES).await, "settled settled", "{channel}");
        assert_eq!(world.reconcile(rail).await, Outcome { settled: 0, ..expected }, "{channel}: again");
        assert_eq!(world.stage.text(DIFFERENCES).await, "", "{channel}");
        let closed = "select concat_ws(' ', lines, total, closed_at is not null) from statement_day";
        assert_eq!(world.stage.text(closed).await, "2 2000 t", "{channel}");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn a_line_that_is_missing_too_much_or_wrong_is_a_difference_and_moves_nothing() {
    let ends = ["0000", "1111", "2222", "3333"].map(|ending| (ending, ""));
    let found = "amount_differs 1000 1001, in_statement_not_paid 1000, paid_not_in_statement 1000";
    for (channel, sim_channel, rail) in CHANNELS.into_iter().take(3) {
        let world = approved(channel, sim_channel, &ends).await;
        let rules = [("1111", "missing"), ("2222", "extra"), ("3333", "amount-off")];
        let rules: String = rules.iter().map(|(ending, how)| deviates(ending, how)).collect();
        world.simulator.load_scenario(&format!("name = \"x\"\n{rules}")).expect("a scenario");
        world.run_to_the_end().await;
        let outcome = world.reconcile(rail).await;
        assert_eq!(outcome.state, DayState::Differs, "{channel}: {outcome:?}");
        assert_eq!(world.stage.text(DIFFERENCES).await, found, "{channel}");
        // What the statement does not name is asked about, and its channel has it paid.
        settle::pass(&world.till).await.expect("settle");
        assert_eq!(world.stage.text(STATES).await, "settled paid settled paid", "{channel}");
        assert_eq!(world.reconcile(rail).await.state, DayState::Differs, "{channel}: again");
        assert_eq!(world.stage.text(DIFFERENCES).await, found, "{channel}: once");
        world.resolve().await;
        assert_eq!(world.reconcile(rail).await.state, DayState::Closed, "{channel}: by a person");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn a_bank_statement_that_does_not_add_up_refuses_its_day() {
    for how in ["missing", "extra", "amount-off"] {
        let scenario = format!("name = \"x\"\n{}", deviates("1111", how));
        let world = paid("bank_transfer", None, &scenario).await;
        let read = reconcile::fetch(&world.till, Rail::Bank, day()).await;
        let outcome =
            reconcile::reconcile(&world.till, (Rail::Bank, day()), &read).await.expect("an outcome");
        assert_eq!(outcome.state, DayState::Refused, "{how}: {outcome:?}");
        assert_eq!(world.stage.text(DIFFERENCES).await, "file_unreadable", "{how}");
        assert_eq!(world.stage.text(STATES).await, "paid paid", "{how}: nothing is settled by it");
    }
}

#[tokio::test]
async fn a_missing_file_refuses_the_day_until_it_comes() {
    let world = paid("alipay", Some("alipay"), "").await;
    let quiet = day().pred_opt().expect("a day");
    assert_eq!(
        world.compare(Rail::Alipay, quiet, None).await.state,
        DayState::Closed,
        "no business, no file"
    );
    let outcome = world.compare(Rail::Alipay, day(), None).await;
    assert_eq!(outcome.state, DayState::Refused, "{outcome:?}");
    assert_eq!(world.stage.text(DIFFERENCES).await, "file_missing");
    assert_eq!(world.reconcile(Rail::Alipay).await.state, DayState::Closed);
    assert_eq!(world.stage.text(DIFFERENCES).await, "file_missing reconciliation");
}

#[tokio::test]
async fn a_repeated_or_altered_file_refuses_the_day_until_a_person_accepts_it() {
    let world = paid("wechat", Some("wechat"), "").await;
    let statement = world.fetched(Rail::WeChat).await;
    assert_eq!(world.compare(Rail::WeChat, day(), Some(statement.clone())).await.state, DayState::Closed);
    let tomorrow = day().succ_opt().expect("a day");
    let repeated = world.compare(Rail::WeChat, tomorrow, Some(statement.clone())).await;
    assert_eq!(repeated.state, DayState::Refused, "{repeated:?}");
    assert_eq!(world.stage.text(DIFFERENCES).await, "file_repeated");
    world.resolve().await;

    let mut altered = statement;
    altered.rows[0].reference.push('9');
    let refused = world.compare(Rail::WeChat, day(), Some(altered.clone())).await;
    assert_eq!(refused.state, DayState::Refused, "{refused:?}");
    assert_eq!(world.stage.text(DIFFERENCES).await, "file_altered, file_repeated zhao.lei");
    world.resolve().await;
    assert_eq!(world.compare(Rail::WeChat, day(), Some(altered)).await.state, DayState::Closed);
}

#[tokio::test]
async fn the_balances_of_the_bank_chain_from_day_to_day() {
    let world = paid("bank_transfer", None, "").await;
    let balances = |opening: &str, closing: &str| {
        let balances = Balances { opening: cny(opening), closing: cny(closing) };
        Some(Statement { rows: vec![], balances: Some(balances) })
    };
    let before = day().pred_opt().expect("a day");
    assert_eq!(world.compare(Rail::Bank, before, balances("9.00", "9.00")).await.state, DayState::Closed);
    let fetched = world.fetched(Rail::Bank).await;
    let broken = world.compare(Rail::Bank, day(), Some(fetched.clone())).await;
    assert_eq!(broken.state, DayState::Refused, "{broken:?}");
    assert!(world.stage.text(DIFFERENCES).await.starts_with("balance_broken 900 "));
    assert_eq!(world.stage.text(STATES).await, "paid paid");
    world.resolve().await;
    assert_eq!(world.compare(Rail::Bank, day(), Some(fetched)).await.state, DayState::Closed);
    assert_eq!(world.stage.text(STATES).await, "settled settled");
}

#[tokio::test]
async fn money_that_came_back_by_the_statement_is_taken_back() {
    let world = approved("bank_transfer", None, &[("0009", "")]).await;
    world.run_to_the_end().await;
    assert_eq!(world.reconcile(Rail::Bank).await.settled, 1);
    // Three working days later the bank books the money back.
    world.till.clock.advance_to(world.now() + TimeDelta::days(3));
    let back: NaiveDate = "2026-03-13".parse().expect("a day");
    let read = reconcile::fetch(&world.till, Rail::Bank, back).await;
    let outcome = reconcile::reconcile(&world.till, (Rail::Bank, back), &read).await.expect("an outcome");
    assert_eq!((outcome.state, outcome.returned), (DayState::Closed, 1), "{outcome:?}");
    assert_eq!(world.stage.text(DIFFERENCES).await, "returned 1000 reconciliation");
    assert_eq!(world.stage.text("select state from withdrawal").await, "action_required");
    world.books_agree().await;
}

#[tokio::test]
async fn the_duty_looks_at_days_that_are_over_until_they_are_closed() {
    let world = paid("alipay", Some("alipay"), "").await;
    for (at, looked_at) in [
        ("2026-03-10T23:59:59+08:00", 0),
        ("2026-03-11T10:29:00+08:00", 0),
        ("2026-03-11T10:31:00+08:00", 1),
        ("2026-03-11T11:01:00+08:00", 0),
    ] {
        world.till.clock.advance_to(at.parse().expect("a moment"));
        assert_eq!(reconcile::pass(&world.till).await.expect("a pass"), looked_at, "{at}");
    }
    assert_eq!(world.stage.text(STATES).await, "settled settled");
    world.books_agree().await;
}
