//! Bank runs: one file per cut-off, its exact bytes, and outcomes of each leg's own.

use chrono::{NaiveDate, TimeDelta};
use gateways::{Gateways, Limits, Order, Outcome, Receipt};
use store::bank_runs;
use uuid::Uuid;
use workers::{BankRules, payout, release, settle};

use crate::stage::{cny, vault};
use crate::{Rail, World, approved};

/// The files in the order in which they were made: number, transfers, sends, state.
const FILES: &str =
    "select string_agg(concat_ws(' ', number, transfers, sends, state), ', ' order by id) from bank_file";

/// The legs by the ending of their account.
const LEGS: &str =
    "select string_agg(right(account_id, 4) || ' ' || state, ', ' order by account_id) from leg";

/// A world with one approved withdrawal per ending, all for the same cut-off.
async fn due(endings: &[&str], rules: BankRules) -> World {
    let ends: Vec<(&str, &str)> = endings.iter().map(|ending| (*ending, "")).collect();
    let mut world = approved("bank_transfer", None, &ends).await;
    world.till.bank = rules;
    world.till.clock.advance_to("2026-03-10T16:30:00+08:00".parse().expect("a moment"));
    world
}

impl World {
    /// One pass of the bank's payout worker, for whatever is due.
    async fn bank_pass(&self) -> usize {
        release::pass(&self.till.database, &self.till.clock).await.expect("release");
        payout::pass(&self.till, Rail::Bank, &[]).await.expect("payout")
    }

    async fn messages_to_the_bank(&self) -> usize {
        let url = format!("{}/_sim/requests", self.simulator.base_url());
        let answer = reqwest::get(url).await.expect("an answer").text().await.expect("a text");
        answer.matches("/bank/pain001").count()
    }

    /// The number, the digest and the bytes of the only file.
    async fn kept(&self) -> (String, Vec<u8>, Vec<u8>) {
        let (id, msg_id, digest, sealed): (Uuid, String, Vec<u8>, Vec<u8>) =
            sqlx::query_as("select id, msg_id, digest, message from bank_file")
                .fetch_one(self.till.database.pool())
                .await
                .expect("a file");
        (msg_id, digest, vault().open(&format!("bank_file:{id}"), &sealed).expect("its bytes"))
    }
}

#[tokio::test]
async fn what_is_due_at_a_cut_off_goes_in_one_file_and_each_outcome_is_its_legs_own() {
    let world = due(&["0000", "0001", "0002", "0003", "0004", "1111"], BankRules::default()).await;
    assert_eq!(world.bank_pass().await, 6);
    assert_eq!(world.messages_to_the_bank().await, 1);
    assert_eq!(world.bank_pass().await, 0, "a run cannot happen twice");
    assert_eq!(world.stage.text(FILES).await, "1 6 1 answered");
    assert_eq!(
        world
            .stage
            .text("select concat_ws(' ', bank_day, cut_off, closed_at is not null) from bank_run")
            .await,
        "2026-03-10 16:30:00 t"
    );
    world.run_to_the_end().await;
    assert_eq!(world.messages_to_the_bank().await, 1);
    assert_eq!(
        world.stage.text(LEGS).await,
        "0000 paid, 0001 paid, 0002 rerouting, 0003 rerouting, 0004 released, 1111 paid"
    );
    let attempts = "select string_agg(distinct leg_id::text, ' ') from attempt where kind = 'pay'";
    assert_eq!(world.stage.text(attempts).await.split(' ').count(), 6, "an attempt row for each leg");
    world.books_agree().await;
}

#[tokio::test]
async fn a_file_that_was_lost_goes_again_with_the_same_bytes_under_the_same_number() {
    // 0006 loses the whole file before the bank has it, 0007 its answer.
    for (ending, sends) in [("0006", 2), ("0007", 1)] {
        let world = due(&["0000", ending, "1111"], BankRules::default()).await;
        assert_eq!(world.bank_pass().await, 3);
        let kept = world.kept().await;
        let states = "select string_agg(distinct state, ' ') from leg";
        assert_eq!(world.stage.text(states).await, "unknown", "{ending}: a timeout fails nothing");
        assert_eq!(world.bank_pass().await, 0, "{ending}: nothing is sent again by a timer");
        world.run_to_the_end().await;
        assert_eq!(world.stage.text(states).await, "paid", "{ending}");
        assert_eq!(world.messages_to_the_bank().await, sends, "{ending}");
        assert_eq!(world.stage.text("select count(*) from bank_file").await, "1", "{ending}");
        assert_eq!(world.kept().await, kept, "{ending}: the bytes are kept as they were");
        world.books_agree().await;

        // Under that number the bank would refuse any other bytes.
        let payout_no = world.stage.text("select min(payout_no) from leg").await;
        let order = Order {
            payout_no,
            amount: cny("10.00"),
            minted_at: world.now(),
            source: None,
            payee: None,
            execute_on: NaiveDate::MIN,
            reason: String::new(),
        };
        let bank = &world.till.gateways.bank;
        let (receipt, said) = bank.send(&kept.0, kept.2.clone(), std::slice::from_ref(&order)).await;
        assert_eq!(receipt, Receipt::Answered, "{ending}");
        assert!(matches!(said[0], Outcome::Succeeded { .. }), "{ending}: {said:?}");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn a_file_that_never_left_goes_again_on_its_day_and_is_void_on_the_next() {
    for (later, files) in
        [(TimeDelta::minutes(1), "1 2 2 answered"), (TimeDelta::days(1), "1 2 1 void, 1 2 1 answered")]
    {
        let mut world = due(&["0000", "1111"], BankRules::default()).await;
        let keys = world.keys();
        let nobody = Gateways::from_key_folder(&keys, "http://127.0.0.1:1", Limits::default()).expect("keys");
        let real = std::mem::replace(&mut world.till.gateways, std::sync::Arc::new(nobody));
        assert_eq!(world.bank_pass().await, 2);
        assert_eq!(world.stage.text(FILES).await, "1 2 1 unsent");
        assert_eq!(world.stage.text(LEGS).await, "0000 scheduled, 1111 scheduled");
        world.till.gateways = real;
        world.till.clock.advance_to(world.now() + later);
        assert_eq!(world.bank_pass().await, 2);
        assert_eq!(world.stage.text(FILES).await, files);
        world.run_to_the_end().await;
        assert_eq!(world.stage.text(LEGS).await, "0000 paid, 1111 paid");
        assert_eq!(world.messages_to_the_bank().await, 1);
        world.books_agree().await;
    }
}

#[tokio::test]
async fn more_transfers_than_a_file_takes_make_several_files_of_one_run() {
    let rules = BankRules { file_transfers: 2, ..BankRules::default() };
    let world = due(&["0000", "1111", "2222", "3333", "4444"], rules).await;
    let (one, other) = tokio::join!(world.bank_pass(), world.bank_pass());
    assert_eq!(one + other, 5, "two workers at once share the run");
    assert_eq!(world.stage.text(FILES).await, "1 2 1 answered, 2 2 1 answered, 3 1 1 answered");
    assert_eq!(world.stage.text("select count(*) from bank_run").await, "1");
    world.run_to_the_end().await;
    assert_eq!(world.messages_to_the_bank().await, 3);
    world.books_agree().await;
}

#[tokio::test]
async fn a_leg_that_is_put_off_by_the_bank_has_its_turn_in_a_later_run() {
    for (code, paid_on) in [("TM01", "2026-03-11"), ("AM04", "2026-03-11")] {
        let world = due(&["0000", "1111"], BankRules::default()).await;
        let rule = format!(
            "name = \"x\"\n[[on]]\nchannel = \"bank\"\npayee = \"*1111\"\nsteps = [{{ attempt = 1, reply = \"{code}\" }}]\n"
        );
        world.simulator.load_scenario(&rule).expect("a scenario");
        world.run_to_the_end().await;
        assert_eq!(world.stage.text(FILES).await, "1 2 1 answered, 1 1 1 answered", "{code}");
        assert_eq!(world.stage.text(LEGS).await, "0000 paid, 1111 paid", "{code}");
        let runs = "select string_agg(bank_day::text, ' ' order by bank_day) from bank_run";
        assert_eq!(world.stage.text(runs).await, format!("2026-03-10 {paid_on}"), "{code}");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn a_number_that_the_bank_calls_a_duplicate_is_asked_for_and_never_taken_anew() {
    let world = due(&["0000", "1111"], BankRules::default()).await;
    let rule = "name = \"x\"\n[[on]]\nchannel = \"bank\"\npayee = \"*1111\"\nsteps = [{ attempt = 1, commit = true, reply = \"AM05\" }]\n";
    world.simulator.load_scenario(rule).expect("a scenario");
    assert_eq!(world.bank_pass().await, 2);
    assert_eq!(world.stage.text(LEGS).await, "0000 unknown, 1111 unknown");
    world.run_to_the_end().await;
    assert_eq!(world.stage.text(LEGS).await, "0000 paid, 1111 paid");
    assert_eq!(world.messages_to_the_bank().await, 1);
    world.books_agree().await;
}

#[tokio::test]
async fn who_comes_after_the_run_waits_for_the_next_cut_off() {
    let world = due(&["0000", "1111"], BankRules::default()).await;
    world
        .stage
        .run("update leg set dispatch_at = dispatch_at + interval '1 minute' where account_id = 'acct-1111'")
        .await;
    assert_eq!(world.bank_pass().await, 1);
    world.till.clock.advance_to(world.now() + TimeDelta::minutes(5));
    assert_eq!(world.bank_pass().await, 0);
    let waits = "select to_char(dispatch_at at time zone 'Asia/Shanghai', 'MM-DD HH24:MI') || ' ' || execute_on from leg where account_id = 'acct-1111'";
    assert_eq!(world.stage.text(waits).await, "03-11 16:30 2026-03-11");
    world.run_to_the_end().await;
    assert_eq!(world.stage.text(FILES).await, "1 1 1 answered, 1 1 1 answered");
    world.books_agree().await;
}

#[tokio::test]
async fn a_run_beyond_the_largest_total_of_a_day_waits_for_people() {
    let rules = BankRules { daily_total: cny("25.00"), ..BankRules::default() };
    let world = due(&["0000", "1111", "2222"], rules).await;
    assert_eq!(world.bank_pass().await, 0);
    assert_eq!(world.bank_pass().await, 0);
    assert_eq!(world.messages_to_the_bank().await, 0);
    assert_eq!(world.stage.text(LEGS).await, "0000 scheduled, 1111 scheduled, 2222 scheduled");
    assert_eq!(world.stage.text("select waits_because from bank_run").await, "daily_total");

    let run = world.stage.text("select id from bank_run").await.parse().expect("a number");
    for expected in [true, false] {
        let mut tx = world.till.database.begin().await.expect("a transaction");
        let let_go = bank_runs::release(&mut tx, run, ("qian.hui", "year end"), world.now()).await;
        assert_eq!(let_go.expect("the row"), expected, "a person lets it go once");
        tx.commit().await.expect("a commit");
    }
    assert_eq!(world.bank_pass().await, 3);
    world.run_to_the_end().await;
    assert_eq!(world.stage.text(LEGS).await, "0000 paid, 1111 paid, 2222 paid");
    world.books_agree().await;
}

#[tokio::test]
async fn a_held_leg_keeps_its_file_from_going_again_and_the_others_go_with_another() {
    let world = due(&["0000", "0006", "1111"], BankRules::default()).await;
    assert_eq!(world.bank_pass().await, 3);
    // The bank does not know the file; meanwhile an account enters advance payment (R2).
    while world.stage.text("select string_agg(distinct state, ' ') from leg").await != "scheduled" {
        world.till.clock.advance_to(world.now() + TimeDelta::minutes(1));
        settle::pass(&world.till).await.expect("settle");
    }
    world.stage.run("update account set advance_payment = true where id = 'acct-1111'").await;
    assert_eq!(world.bank_pass().await, 2);
    assert_eq!(world.stage.text(FILES).await, "1 3 1 void, 2 2 1 answered");
    assert_eq!(world.stage.text(LEGS).await, "0000 paid, 0006 paid, 1111 held");
    world.books_agree().await;
}
