//! Payout and settle against the simulator: every accident on every rail ends
//! where it must, money moves once, and the books agree with the gateways'.

mod bank_files;
mod decision_races;
mod faults;
mod funding;
mod limits;
mod notices;
mod races;
mod returns;
mod reviews;
mod sealed;
mod settlement_days;
#[path = "../stage/mod.rs"]
mod stage;
mod statements;
mod traces;
mod untold;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, Utc};
use domain::{Calendar, ChannelControl, ChannelControls, Rail};
use gateways::{GatewaySettings, Gateways, Limits};
use serde_json::{Value, json};
use simulator::{Running, SimClock, Simulator, Trade};
use stage::{Credit, Stage, cny, now, request, rules, vault};
use store::Vault;
use store::verify::{GatewayMovement, verify};
use uuid::Uuid;
use workers::{BankRules, Clock, PayoutPolicy, Till, approval, intake, payout, release, settle};

/// A stage with a gateway world and a till, all on one manual clock.
struct World {
    stage: Stage,
    simulator: Running,
    till: Till,
    folder: tempfile::TempDir,
}

/// Long, so that a busy machine makes no doubt where the test wants none.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Short, so that a gateway that never answers costs the test little.
const SILENT_FOR: Duration = Duration::from_millis(300);

impl World {
    async fn new() -> Self {
        Self::waiting(ANSWERED_WITHIN).await
    }

    /// A world whose gateways are given so long to answer.
    async fn waiting(total: Duration) -> Self {
        Self::started(total, &[]).await
    }

    /// A world whose gateways pay a number as often as they are asked to, which we know.
    async fn without_dedup() -> Self {
        Self::started(ANSWERED_WITHIN, &[Rail::Alipay, Rail::WeChat, Rail::UnionPay, Rail::Bank]).await
    }

    async fn started(total: Duration, no_dedup: &[Rail]) -> Self {
        let stage = Stage::new().await;
        let millis = Arc::new(AtomicI64::new(now().timestamp_millis()));
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        let mut options = simulator::Options {
            clock: SimClock::Manual(Arc::clone(&millis)),
            ..simulator::Options::on_loopback(keys.clone(), folder.path().join("book.jsonl"))
        };
        if !no_dedup.is_empty() {
            options.switches.no_dedup = simulator::Channel::ALL.to_vec();
        }
        let simulator = Simulator::start(options).await.expect("a simulator");
        let limits = Limits { total, ..Limits::default() };
        let mut settings =
            GatewaySettings::from_key_folder(&keys, simulator.base_url(), limits).expect("four gateways");
        settings.no_dedup = no_dedup.to_vec();
        let gateways = Gateways::new(&settings).expect("four gateways");
        let till = Till {
            database: stage.database.clone(),
            vault: vault(),
            gateways: Arc::new(gateways),
            rules: Arc::new(rules().policy),
            bank: BankRules { file_transfers: 1, ..BankRules::default() },
            controls: ChannelControls::all(ChannelControl::UNLIMITED),
            clock: Clock::Manual(millis),
        };
        Self { stage, simulator, till, folder }
    }

    fn now(&self) -> DateTime<Utc> {
        self.till.clock.now()
    }

    /// The gateways' keys.
    fn keys(&self) -> std::path::PathBuf {
        self.folder.path().join("keys")
    }

    /// Registers the paid orders behind wallet top-ups with the simulator.
    fn register(&self, channel: &str, credits: &[Credit<'_>]) {
        let trade = |credit: &Credit<'_>| -> Trade {
            serde_json::from_value(json!({
                "channel": channel,
                "trade_no": format!("trade-{}", credit.id),
                "out_trade_no": format!("out-{}", credit.id),
                "total_fen": cny(credit.amount).minor(),
                "paid_at": "2026-02-01T11:59:00+08:00",
            }))
            .expect("a trade of the simulator")
        };
        self.simulator.register(credits.iter().map(trade).collect()).expect("the trades are registered");
    }

    /// Runs every duty, and the clock between them, until nothing is under way.
    async fn run_to_the_end(&self) {
        for _ in 0..400 {
            release::pass(&self.till.database, &self.till.clock).await.expect("release");
            for (rail, legs) in self.due().await {
                payout::pass(&self.till, rail, &legs).await.expect("payout");
            }
            while settle::pass(&self.till).await.expect("settle") > 0 {}
            let next = self
                .stage
                .text(
                    "select to_char(min(least(check_at, case when state = 'scheduled' then dispatch_at end)) at time zone 'utc', \
                     'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') from leg where state in ('scheduled', 'dispatching', 'submitted', 'unknown')",
                )
                .await;
            if next.is_empty() {
                return;
            }
            let next: DateTime<Utc> = next.parse().expect("a moment");
            self.till.clock.advance_to(next.max(self.now() + chrono::TimeDelta::milliseconds(1)));
        }
        panic!(
            "something is under way for ever: {}",
            self.stage
                .text("select string_agg(concat_ws(' ', payout_no, state, code, detail), '; ') from leg")
                .await
        );
    }

    async fn due(&self) -> Vec<(Rail, Vec<Uuid>)> {
        let mut due = Vec::new();
        for rail in ["alipay", "wechat", "unionpay", "bank"] {
            let rows: Vec<(Uuid,)> = sqlx::query_as(
                "select id from leg where state = 'scheduled' and rail = $1 and dispatch_at <= $2 order by id",
            )
            .bind(rail)
            .bind(self.now())
            .fetch_all(self.till.database.pool())
            .await
            .expect("rows");
            if !rows.is_empty() {
                due.push((rail.parse().expect("a rail"), rows.into_iter().map(|(id,)| id).collect()));
            }
        }
        due
    }

    async fn books_agree(&self) {
        let book = self.simulator.book();
        let kind = |kind: &str| if kind == "return" { "return" } else { "payout" };
        let movements: Vec<GatewayMovement> = book
            .movements
            .iter()
            .map(|it| GatewayMovement {
                payout_no: it.number.clone(),
                amount: it.amount_fen,
                kind: kind(&it.kind),
            })
            .collect();
        let found = verify(&self.till.database, Some(&movements), 1, self.now()).await.expect("an answer");
        // Nothing relays events here, so that they wait in the outbox for ever.
        let found: Vec<_> = found.into_iter().filter(|it| !it.subject.starts_with("outbox")).collect();
        assert_eq!(found, []);
        assert_eq!((book.paid_twice, book.over_refunded), (0, 0));
    }
}

fn policy() -> PayoutPolicy {
    PayoutPolicy {
        auto_approve_up_to: cny("1000.00"),
        approvers: 1,
        calendar: Arc::new(Calendar::default()),
        bank_cut_offs: vec![NaiveTime::from_hms_opt(16, 30, 0).expect("a time of day")],
        ..PayoutPolicy::default()
    }
}

/// The magic endings of accounts, and where a leg to one of them ends on every rail.
/// Those that each rail answers in its own way are with its walk; `0005` is in
/// [`funding`], `0009` in [`returns`] and [`notices`], `0013` below.
const ENDS: &[(&str, &str)] = &[
    ("0000", "paid"),
    ("0001", "paid"),
    ("0006", "paid"),
    ("0007", "paid"),
    ("0008", "paid"),
    ("0010", "paid"),
    ("0011", "paid"),
    ("0012", "paid"),
];

/// The one that never answers: nobody but people can end it.
const SILENT: &[(&str, &str)] = &[("0013", "manual_review")];

/// A world with one approved withdrawal per magic ending.
async fn approved(channel: &str, sim_channel: Option<&str>, ends: &[(&str, &str)]) -> World {
    let silent = ends == SILENT;
    let world = World::waiting(if silent { SILENT_FOR } else { ANSWERED_WITHIN }).await;
    approved_in(world, channel, sim_channel, ends).await
}

/// The same in a world that is there already.
async fn approved_in(world: World, channel: &str, sim_channel: Option<&str>, ends: &[(&str, &str)]) -> World {
    let amount = "10.00";
    let arrived_at = "2026-02-01T12:00:00+08:00";
    let ids: Vec<String> = ends.iter().map(|(ending, _)| format!("t{ending}")).collect();
    let credits: Vec<Credit<'_>> = ids.iter().map(|id| Credit { id, channel, arrived_at, amount }).collect();
    for (credit, (ending, _)) in credits.iter().zip(ends) {
        world.stage.account(&format!("acct-{ending}"), &[*credit]).await;
    }
    match sim_channel {
        Some(name) => world.register(name, &credits),
        None => world.end_bank_numbers_in_magic().await,
    }
    let requests: Vec<_> =
        ends.iter().map(|(ending, _)| request(&format!("r{ending}"), amount, change_for(ending))).collect();
    let tally = intake::admit(&world.till.database, &rules(), &requests, world.now()).await.expect("intake");
    assert_eq!(tally.accepted, ends.len(), "{:?}", world.stage.events().await);
    world.approve_all().await;
    world
}

/// Accepts one withdrawal per magic ending, approves it, and runs it to its end.
async fn walk(channel: &str, sim_channel: Option<&str>, ends: &[(&str, &str)]) {
    let world = approved(channel, sim_channel, ends).await;
    world.run_to_the_end().await;

    for (ending, expected) in ends {
        let actual: String = sqlx::query_scalar("select state from leg where account_id = $1")
            .bind(format!("acct-{ending}"))
            .fetch_one(world.till.database.pool())
            .await
            .expect("a leg");
        assert_eq!(&actual, expected, "{channel} {ending}: {}", world.story_of(ending).await);
    }
    world.books_agree().await;
}

fn change_for(ending: &str) -> Value {
    json!({ "account_id": format!("acct-{ending}") })
}

impl World {
    /// Replaces the last four digits of every source account by its owner's ending.
    async fn end_bank_numbers_in_magic(&self) {
        let rows: Vec<(Uuid, String)> = sqlx::query_as("select id, account_id from bank_account")
            .fetch_all(self.till.database.pool())
            .await
            .expect("bank accounts");
        let mut tx = self.till.database.begin().await.expect("a transaction");
        for (id, account) in rows {
            let number = format!("622202020011223{}", account.trim_start_matches("acct-"));
            sqlx::query("update bank_account set sealed_number = $2 where id = $1")
                .bind(id)
                .bind(vault().seal(&format!("bank_account:{id}"), number.as_bytes()))
                .execute(&mut *tx)
                .await
                .expect("a number");
        }
        tx.commit().await.expect("a commit");
    }

    /// Seals the source account of a top-up with another vault.
    async fn reseal(&self, top_up: &str, with: &Vault) {
        let id: Uuid = sqlx::query_scalar("select bank_account_id from top_up where upstream_id = $1")
            .bind(top_up)
            .fetch_one(self.till.database.pool())
            .await
            .expect("a bank account");
        let mut tx = self.till.database.begin().await.expect("a transaction");
        sqlx::query("update bank_account set sealed_number = $2 where id = $1")
            .bind(id)
            .bind(with.seal(&format!("bank_account:{id}"), b"6222020200112230000"))
            .execute(&mut *tx)
            .await
            .expect("a number");
        tx.commit().await.expect("a commit");
    }

    /// Lets every withdrawal go that is within the amount that needs no person.
    async fn approve_all(&self) {
        let ids: Vec<Uuid> = sqlx::query_scalar("select id from withdrawal")
            .fetch_all(self.till.database.pool())
            .await
            .expect("ids");
        approval::review(&self.till.database, &ids, &policy(), self.now()).await.expect("approval");
    }

    /// What happened to the leg of an account, for a failing test.
    async fn story_of(&self, ending: &str) -> String {
        sqlx::query_scalar(
            "select string_agg(concat_ws(' ', attempt.kind, outcome, attempt_outcome.code, attempt_outcome.detail), ' | ' order by started_at, attempt.number)
               from attempt left join attempt_outcome on attempt_id = attempt.id join leg on leg.id = leg_id where account_id = $1",
        )
        .bind(format!("acct-{ending}"))
        .fetch_one(self.till.database.pool())
        .await
        .expect("a story")
    }
}

#[tokio::test]
async fn every_accident_at_alipay_ends_where_it_must() {
    let own = [("0002", "rerouting"), ("0003", "rerouting"), ("0004", "released"), ("0014", "rerouting")];
    walk("alipay", Some("alipay"), &[ENDS, &own].concat()).await;
}

#[tokio::test]
async fn every_accident_at_wechat_ends_where_it_must() {
    let own = [("0002", "rerouting"), ("0003", "rerouting"), ("0004", "released"), ("0014", "rerouting")];
    walk("wechat", Some("wechat"), &[ENDS, &own].concat()).await;
}

#[tokio::test]
async fn every_accident_at_unionpay_ends_where_it_must() {
    let own = [("0002", "released"), ("0003", "released"), ("0004", "released"), ("0014", "rerouting")];
    // What a call in doubt did not bring is never sent again by itself there.
    let in_doubt = [("0006", "manual_review"), ("0008", "manual_review")];
    let ends = ENDS.iter().map(|it| *in_doubt.iter().find(|own| own.0 == it.0).unwrap_or(it));
    walk("unionpay_personal", Some("unionpay"), &ends.chain(own).collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn every_accident_at_the_bank_ends_where_it_must() {
    // A bank that takes no realtime payment takes an ordinary one.
    let own = [("0002", "rerouting"), ("0003", "rerouting"), ("0004", "released"), ("0014", "paid")];
    walk("bank_transfer", None, &[ENDS, &own].concat()).await;
}

#[tokio::test]
async fn a_gateway_that_never_answers_is_left_to_people_and_never_failed() {
    walk("alipay", Some("alipay"), SILENT).await;
    walk("bank_transfer", None, SILENT).await;
}
