//! R1: what a quote offers, the intake accepts at the same moment; one minor unit
//! more is refused. Both read the same rows of a real PostgreSQL, each in its own way:
//! the quote the whole account, the intake the newest slices that it needs.

mod stage;

use std::cell::Cell;

use chrono::TimeDelta;
use domain::{Currency, Money, Quote, Route};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use stage::{Credit, Stage, now, request, rules};
use workers::intake;

/// Accounts that are tried in one run.
const ACCOUNTS: u32 = 150;

const CHANNELS: [&str; 5] = ["alipay", "wechat", "unionpay_personal", "unionpay_enterprise", "bank_transfer"];

/// A top-up: its channel, its age in days, its amount in fen, and whether it earned a bonus.
type Slice = (usize, i64, i64, bool);

fn slices() -> impl Strategy<Value = Vec<Slice>> {
    prop::collection::vec((0_usize..5, 0_i64..500, 1_i64..100_000, prop::bool::weighted(0.2)), 1..40)
}

fn text(amount: i64) -> String {
    Money::from_minor(amount).to_text(Currency::Cny)
}

/// An account with these top-ups and debts.
async fn open(stage: &Stage, account: &str, slices: &[Slice], (invoice, unbilled): (i64, i64)) {
    let named: Vec<(String, String, String, &str)> = slices
        .iter()
        .zip(0..)
        .map(|((channel, days, amount, bonus), place)| {
            let kind = if *bonus { "bonus" } else { "t" };
            let arrived_at = (now() - TimeDelta::days(*days)).to_rfc3339();
            (format!("{kind}{place}"), arrived_at, text(*amount), CHANNELS[*channel])
        })
        .collect();
    let credits: Vec<Credit<'_>> = named
        .iter()
        .map(|(id, arrived_at, amount, channel)| Credit { id, channel, arrived_at, amount })
        .collect();
    stage.account(account, &credits).await;
    let mut tx = stage.database.begin().await.expect("a transaction");
    sqlx::query("update account set outstanding_invoice = $2, unbilled = $3 where id = $1")
        .bind(account)
        .bind(invoice)
        .bind(unbilled)
        .execute(&mut *tx)
        .await
        .expect("the debts");
    tx.commit().await.expect("a commit");
}

/// What the quote offers: the route, its maximum, and in whose name the card is.
fn offers(quote: &Quote) -> Vec<(Route, i64, Option<String>)> {
    let mut offers = vec![(Route::Source, quote.source.maximum.minor(), None)];
    let cards = quote.bank_card.by_holder.iter();
    offers.extend(cards.map(|it| (Route::BankCard, it.maximum.minor(), Some(it.holder.clone()))));
    offers
}

fn ask(account: &str, id: &str, amount: i64, (route, holder): (Route, Option<&String>)) -> intake::Message {
    let mut change = json!({ "account_id": account, "route": route.to_string() });
    if let Some(holder) = holder {
        change["transactions"] = "auto".into();
        change["bank_account"] = json!({
            "holder": holder, "number": "6222020200112233445", "bank_name": "中国银行", "branch": "北京分行",
            "cnaps": "104100000004"
        });
    }
    request(id, &text(amount), change)
}

async fn state_of(stage: &Stage, id: &str) -> (String, Value) {
    sqlx::query_as("select state, reasons from withdrawal where request_id = $1")
        .bind(id)
        .fetch_one(stage.database.pool())
        .await
        .expect("a withdrawal")
}

#[test]
fn r1_every_offer_of_a_quote_is_accepted_and_one_minor_unit_more_is_refused() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let stage = runtime.block_on(Stage::new());
    let rules = rules();
    let (count, accepted, whole) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let config =
        Config { cases: ACCOUNTS, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let debts = (0_i64..60_000, 0_i64..60_000);
    let result = TestRunner::new(config).run(&(slices(), debts, 0_usize..3), |(slices, debts, pick)| {
        count.set(count.get() + 1);
        let account = format!("acct-{}", count.get());
        runtime.block_on(async {
            open(&stage, &account, &slices, debts).await;
            let snapshot =
                workers::quote::read(&stage.database, &account).await.unwrap().expect("it is known");
            let quote = snapshot.quote(&rules.policy, now());
            // The routes share one cap, so one offer of each account is taken at its word.
            let offers = offers(&quote);
            let (route, maximum, holder) = offers[pick % offers.len()].clone();
            let (more, all) = (format!("{account}-more"), format!("{account}-all"));
            let mut asks = vec![ask(&account, &more, maximum + 1, (route, holder.as_ref()))];
            if maximum > 0 {
                asks.push(ask(&account, &all, maximum, (route, holder.as_ref())));
            }
            intake::admit(&stage.database, &rules, &asks, now()).await.unwrap();
            let (found, reasons) = state_of(&stage, &more).await;
            prop_assert_eq!(&found, "rejected", "{} of {:?}", maximum + 1, quote);
            let told = reasons.as_array().map_or(0, Vec::len);
            prop_assert!(told > 0, "a refusal says why");
            if maximum > 0 {
                let (found, reasons) = state_of(&stage, &all).await;
                prop_assert_eq!(&found, "pending_approval", "{} of {:?}: {}", maximum, quote, reasons);
                accepted.set(accepted.get() + 1);
                let by_cap = quote.terms.cap().minor() == maximum;
                whole.set(whole.get() + u32::from(!by_cap));
            }
            Ok(())
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    runtime.block_on(stage.books_balance());
    // Offers that are never bound by the cap, or never by the route, prove half.
    let (accepted, by_route) = (accepted.get(), whole.get());
    assert!(
        accepted > ACCOUNTS / 3 && by_route > 5 && by_route < accepted,
        "{accepted}, {by_route} by route"
    );
}
