//! Histories of facts, requests, decisions and payments on one real PostgreSQL:
//! after each, every invariant of the books holds (R9b), no more was ever given than
//! could be withdrawn (R1), and the newest money left first (R9).

use std::cell::Cell;
use std::sync::Arc;

use chrono::NaiveTime;
use domain::{Calendar, ChannelControl, ChannelControls, Currency, Money, Policy, Rail};
use gateways::{Gateways, Limits};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use simulator::{Running, SimClock, Simulator};
use sqlx::Row;
use store::verify::{GatewayMovement, verify};
use uuid::Uuid;
use workers::intake::{self, Rules};
use workers::verification::Proofs;
use workers::{BankRules, Clock, PayoutPolicy, Till, approval, expiry, payout};

use crate::oracle::{Oracle, Wish};
use crate::world::{World, noon, upserted};

/// Histories in one run.
const HISTORIES: u32 = 30;

/// One step of a history.
#[derive(Debug, Clone)]
enum Step {
    /// A fact, which may be wrong.
    Fact(Wish),
    /// A request for so many fen.
    Ask(i64),
    /// What waits for an approval gets it, and the gateway is asked for the money.
    Pay,
    /// What waits for an approval has waited too long.
    Expire,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wish = (0_u8..16, 0_usize..50, 1_usize..60, 0_i64..6).prop_map(|(what, which, amount, day)| {
        Step::Fact(Wish { what, which, amount, day, even_if_wrong: true })
    });
    let step = prop_oneof![6 => wish, 4 => (1_i64..90).prop_map(Step::Ask), 1 => Just(Step::Pay), 1 => Just(Step::Expire)];
    prop::collection::vec(step, 1..45)
}

/// The world of facts with gateways beside it.
struct Market {
    world: World,
    simulator: Running,
    till: Till,
    _folder: tempfile::TempDir,
}

/// What was decided in a run.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    accepted: u32,
    rejected: u32,
    paid: u32,
    expired: u32,
}

impl Market {
    async fn new() -> Self {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let millis = Arc::new(std::sync::atomic::AtomicI64::new(noon().timestamp_millis()));
        let options = simulator::Options {
            clock: SimClock::Manual(Arc::clone(&millis)),
            ..simulator::Options::on_loopback(keys.clone(), folder.path().join("book.jsonl"))
        };
        let simulator = Simulator::start(options).await.unwrap();
        let gateways = Gateways::from_key_folder(&keys, simulator.base_url(), Limits::default()).unwrap();
        let till = Till {
            database: world.desk.database.clone(),
            vault: world.desk.vault.clone(),
            gateways: Arc::new(gateways),
            rules: Arc::new(Policy::default()),
            bank: BankRules::default(),
            controls: ChannelControls::all(ChannelControl::UNLIMITED),
            clock: Clock::Manual(millis),
        };
        Self { world, simulator, till, _folder: folder }
    }

    /// Delivers the fact that a wish stands for. One that is refused is corrected
    /// by a harmless one of the same version, so that the history goes on.
    async fn tell(&self, oracle: &mut Oracle, wish: &Wish, account: &str, version: u64) {
        let before = oracle.clone();
        let (mut message, _) = oracle.fact(wish, account, version);
        if message["type"] == "outflow.top_up.credited.v1" {
            // Every payment has a number of its own at the channel, and ends as payments do.
            let trade = format!("{account}-{version}-0000");
            message["data"]["trade_no"] = trade.clone().into();
            self.register(&trade, &message["data"]);
        }
        self.world.deliver(&[message]).await;
        let known = format!("select fact_version::text from account where id = '{account}'");
        if self.world.text(&known).await != version.to_string() {
            *oracle = before;
            self.world.deliver(&[upserted(account, version)]).await;
        }
        assert_eq!(self.world.text(&known).await, version.to_string());
    }

    fn register(&self, trade: &str, credit: &Value) {
        let fen = Money::parse(credit["amount"].as_str().unwrap(), Currency::Cny).unwrap().minor();
        let trade = json!({ "channel": "alipay", "trade_no": trade, "out_trade_no": format!("out-{trade}"),
                            "total_fen": fen, "paid_at": credit["arrived_at"] });
        self.simulator.register(vec![serde_json::from_value(trade).unwrap()]).unwrap();
    }

    /// Asks for money, and compares the answer with a slow reading of the rows.
    async fn ask(&self, account: &str, id: &str, fen: i64) -> bool {
        let expected = self.slow_plan(account, fen).await;
        let rules = Rules {
            policy: Policy { max_open_withdrawals: 1_000, ..Policy::default() },
            proofs: Proofs::Off,
            vault: self.world.desk.vault.clone(),
        };
        let message = json!({
            "specversion": "1.0", "id": id, "source": "/upstream", "type": "outflow.withdrawal.requested.v1",
            "time": noon(), "data": {
                "account_id": account, "amount": Money::from_minor(fen).to_text(Currency::Cny), "currency": "CNY",
                "route": "source", "requester": "customer", "requested_at": noon() }
        });
        let message = broker::contract::parse_request(message.to_string().as_bytes()).unwrap();
        let tally = intake::admit(&self.till.database, &rules, &[message], noon()).await.unwrap();
        let query = format!(
            "select string_agg(top_up_upstream_id || ' ' || leg.amount, ', ' order by position)
               from leg join withdrawal on withdrawal.id = leg.withdrawal_id where request_id = '{id}'"
        );
        let plan = self.world.text(&query).await;
        assert_eq!(plan, expected.unwrap_or_else(|| "-".to_owned()), "{fen} of {account}");
        tally.accepted == 1
    }

    /// R1 and R9 by the rows alone: sort everything, take from the top.
    async fn slow_plan(&self, account: &str, fen: i64) -> Option<String> {
        let pool = self.till.database.pool();
        let row = sqlx::query("select remaining - outstanding_invoice - unbilled from account where id = $1");
        let cap: i64 = row.bind(account).fetch_one(pool).await.unwrap().get(0);
        let rows = sqlx::query(
            "select upstream_id, remaining, arrived_at, sequence from top_up where account_id = $1 and not bonus",
        );
        let mut coins: Vec<(chrono::DateTime<chrono::Utc>, i64, String, i64)> = Vec::new();
        for row in rows.bind(account).fetch_all(pool).await.unwrap() {
            coins.push((row.get(2), row.get(3), row.get(0), row.get(1)));
        }
        coins.sort();
        let (mut missing, mut plan) = (fen, Vec::new());
        for (_, _, name, left) in coins.into_iter().rev() {
            let part = left.min(missing);
            if part > 0 {
                plan.push(format!("{name} {part}"));
                missing -= part;
            }
        }
        (fen <= cap && missing == 0).then(|| plan.join(", "))
    }

    async fn pay(&self) -> u32 {
        let waiting = "select id from withdrawal where state = 'pending_approval' order by id";
        let ids: Vec<Uuid> = sqlx::query_scalar(waiting).fetch_all(self.till.database.pool()).await.unwrap();
        approval::review(&self.till.database, &ids, &policy(), noon()).await.unwrap();
        let scheduled = "select id from leg where state = 'scheduled' order by id";
        let ids: Vec<Uuid> =
            sqlx::query_scalar(scheduled).fetch_all(self.till.database.pool()).await.unwrap();
        payout::pass(&self.till, Rail::Alipay, &ids).await.unwrap().try_into().unwrap()
    }

    async fn books_are_clean(&self) {
        let book = self.simulator.book();
        let movement = |it: &simulator::MovementLine| GatewayMovement {
            payout_no: it.number.clone(),
            amount: it.amount_fen,
            kind: "payout",
        };
        let movements: Vec<GatewayMovement> = book.movements.iter().map(movement).collect();
        let found = verify(&self.till.database, Some(&movements), 1, noon()).await.unwrap();
        // Nothing relays events here, so that they wait in the outbox for ever.
        let found: Vec<_> = found.into_iter().filter(|it| !it.subject.starts_with("outbox")).collect();
        assert_eq!(found, []);
    }
}

fn policy() -> PayoutPolicy {
    PayoutPolicy {
        auto_approve_up_to: Money::from_minor(1_000_000),
        approvers: 1,
        calendar: Arc::new(Calendar::default()),
        bank_cut_offs: vec![NaiveTime::from_hms_opt(16, 30, 0).unwrap()],
        ..PayoutPolicy::default()
    }
}

async fn live(market: &Market, account: &str, steps: &[Step], mut tally: Tally) -> Tally {
    market.world.deliver(&[upserted(account, 1)]).await;
    let (mut oracle, mut version) = (Oracle::default(), 1);
    for (step, place) in steps.iter().zip(0..) {
        match step {
            Step::Fact(wish) => {
                version += 1;
                market.tell(&mut oracle, wish, account, version).await;
            }
            Step::Ask(fen) => {
                let accepted = market.ask(account, &format!("{account}-{place}"), *fen).await;
                tally.accepted += u32::from(accepted);
                tally.rejected += u32::from(!accepted);
            }
            Step::Pay => tally.paid += market.pay().await,
            Step::Expire => {
                let later = noon() + chrono::TimeDelta::days(30);
                let ended = expiry::pass(&market.till.database, later).await.unwrap();
                tally.expired += u32::try_from(ended).unwrap();
            }
        }
    }
    market.books_are_clean().await;
    tally
}

#[test]
fn every_history_of_facts_and_requests_leaves_books_that_add_up() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let market = runtime.block_on(Market::new());
    let (count, tally) = (Cell::new(0), Cell::new(Tally::default()));
    let config =
        Config { cases: HISTORIES, failure_persistence: None, max_shrink_iters: 50, ..Config::default() };
    let result = TestRunner::new(config).run(&steps(), |steps| {
        count.set(count.get() + 1);
        let account = format!("h{}", count.get());
        tally.set(runtime.block_on(live(&market, &account, &steps, tally.get())));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let Tally { accepted, rejected, paid, expired } = tally.get();
    // A run in which something never happens proves nothing about it.
    assert!(accepted > 20 && rejected > 20 && paid > 5 && expired > 2, "{:?}", tally.get());
}
