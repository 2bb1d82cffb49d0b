//! The adapters against the simulator: two sides that share no type.
//!
//! The last four digits of the payer's trade (wallets) or the payee's account
//! (bank) choose what the other side does.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{NaiveDate, TimeZone as _, Utc};
use domain::{Money, Rail};
use gateways::{
    AlipayTrust, Finding, GatewaySettings, Gateways, Limits, Movement, Order, Outcome, Payee, SourceTrade,
    WeChatTrust,
};
use serde_json::json;
use simulator::{Options, Running, SimClock, Simulator};
use tempfile::TempDir;

const RAILS: [Rail; 4] = [Rail::Alipay, Rail::WeChat, Rail::UnionPay, Rail::Bank];
const SAFE_TO_RESEND: [Rail; 3] = [Rail::Alipay, Rail::WeChat, Rail::Bank];

const LIMITS: Limits =
    Limits { connect: Duration::from_secs(2), total: Duration::from_secs(2), body_max: 1 << 20 };

/// A simulator with the throw-away keys, in a folder that goes with it.
struct Bench {
    simulator: Running,
    gateways: Gateways,
    folder: TempDir,
}

impl Bench {
    async fn start() -> Self {
        Self::start_at(SimClock::Real).await
    }

    async fn start_at(clock: SimClock) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let keys = folder.path().join("keys");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys"), &keys);
        let mut options = Options::on_loopback(keys.clone(), folder.path().join("book.jsonl"));
        options.clock = clock;
        let simulator = Simulator::start(options).await.expect("it starts on a free port");
        let gateways =
            Gateways::from_key_folder(&keys, simulator.base_url(), LIMITS).expect("the keys are usable");
        Self { simulator, gateways, folder }
    }

    /// Settings of the same keys, to be changed.
    fn settings(&self) -> GatewaySettings {
        let keys = self.folder.path().join("keys");
        GatewaySettings::from_key_folder(&keys, self.simulator.base_url(), LIMITS).expect("usable keys")
    }

    /// An order whose trade or account ends in `ending`, with its trade registered.
    async fn order(&self, rail: Rail, ending: &str) -> Order {
        let trade_no = format!("20261120100010033{ending}");
        if rail != Rail::Bank {
            let trade = json!({
                "channel": rail.to_string(),
                "trade_no": trade_no,
                "out_trade_no": format!("CZ{rail}{ending}"),
                "total_fen": 10_000,
            });
            let url = format!("{}/_sim/trades", self.simulator.base_url());
            let answer = reqwest::Client::new().post(url).body(trade.to_string()).send().await;
            assert_eq!(answer.expect("the simulator answers").status(), 201);
        }
        Order {
            payout_no: format!("WD{}{ending}", rail.to_string().to_uppercase()),
            amount: Money::from_minor(1_234),
            minted_at: Utc.with_ymd_and_hms(2026, 11, 23, 2, 0, 0).single().expect("a moment"),
            source: Some(SourceTrade { trade_no, out_trade_no: None, total: Money::from_minor(10_000) }),
            payee: Some(Payee {
                holder: "张三".to_owned(),
                number: format!("621700000000000{ending}").into(),
                bank_name: String::new(),
                branch: String::new(),
                cnaps: "105100000017".to_owned(),
            }),
            execute_on: NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day"),
            reason: "提现退款".to_owned(),
        }
    }

    async fn pay(&self, rail: Rail, order: &Order) -> Outcome {
        self.gateways.of(rail).pay(order).await
    }

    async fn find(&self, rail: Rail, order: &Order) -> Finding {
        self.gateways.of(rail).find(order).await
    }

    /// Movements of a number in the simulator's own book.
    fn movements(&self, order: &Order) -> usize {
        self.simulator.book().movements.iter().filter(|it| it.number == order.payout_no).count()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { _ = fs::copy(entry.path(), target) }
    }
}

fn is_taken(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Succeeded { .. } | Outcome::Pending { .. })
}

#[tokio::test]
async fn an_order_is_paid_and_found_and_its_repeat_moves_no_second_money() {
    let bench = Bench::start().await;
    for rail in RAILS {
        let order = bench.order(rail, "0000").await;
        let outcome = bench.pay(rail, &order).await;
        assert!(is_taken(&outcome), "{rail}: {outcome:?}");
        let finding = bench.find(rail, &order).await;
        assert!(matches!(finding, Finding::Paid { .. }), "{rail}: {finding:?}");
        let again = bench.pay(rail, &order).await;
        let expected =
            if rail == Rail::UnionPay { matches!(again, Outcome::Unknown { .. }) } else { is_taken(&again) };
        assert!(expected, "{rail}, again: {again:?}");
        let finding = bench.find(rail, &order).await;
        assert!(matches!(finding, Finding::Paid { .. }), "{rail}, again: {finding:?}");
        assert_eq!(bench.movements(&order), 1, "{rail}");
    }
}

#[tokio::test]
async fn every_refusal_is_understood() {
    let bench = Bench::start().await;
    for (ending, rail, expected) in [
        ("0002", Rail::Alipay, "Reroute"),
        ("0002", Rail::WeChat, "Reroute"),
        ("0002", Rail::Bank, "Reroute"),
        ("0003", Rail::Alipay, "Reroute"),
        ("0003", Rail::WeChat, "Reroute"),
        ("0003", Rail::Bank, "Reroute"),
        ("0004", Rail::Bank, "Failed"),
        ("0005", Rail::Alipay, "RetryLater"),
        ("0005", Rail::WeChat, "RetryLater"),
        ("0005", Rail::Bank, "RetryLater"),
        ("0014", Rail::Alipay, "Reroute"),
        ("0014", Rail::WeChat, "Reroute"),
    ] {
        let order = bench.order(rail, ending).await;
        let outcome = bench.pay(rail, &order).await;
        assert!(format!("{outcome:?}").starts_with(expected), "{rail} {ending}: {outcome:?}");
        assert_eq!(bench.movements(&order), 0, "{rail} {ending}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_unknown_until_the_query_finds_the_payment() {
    let bench = Bench::start().await;
    for ending in ["0007", "0012"] {
        for rail in RAILS {
            let order = bench.order(rail, ending).await;
            let outcome = bench.pay(rail, &order).await;
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{rail} {ending}: {outcome:?}");
            let finding = bench.find(rail, &order).await;
            assert!(matches!(finding, Finding::Paid { .. }), "{rail} {ending}: {finding:?}");
            assert_eq!(bench.movements(&order), 1, "{rail} {ending}");
        }
    }
}

#[tokio::test]
async fn a_request_that_was_lost_is_not_found_and_may_go_again() {
    let bench = Bench::start().await;
    for rail in RAILS {
        let order = bench.order(rail, "0006").await;
        let outcome = bench.pay(rail, &order).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{rail}: {outcome:?}");
        let finding = bench.find(rail, &order).await;
        assert!(matches!(finding, Finding::NotFound { .. }), "{rail}: {finding:?}");
        let again = bench.pay(rail, &order).await;
        assert!(is_taken(&again), "{rail}: {again:?}");
        assert_eq!(bench.movements(&order), 1, "{rail}");
    }
}

#[tokio::test]
async fn an_unavailable_gateway_is_a_doubt_that_a_repeat_ends() {
    let bench = Bench::start().await;
    for rail in SAFE_TO_RESEND {
        let order = bench.order(rail, "0008").await;
        for attempt in 1..=2 {
            let outcome = bench.pay(rail, &order).await;
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{rail} {attempt}: {outcome:?}");
        }
        let third = bench.pay(rail, &order).await;
        assert!(is_taken(&third), "{rail}: {third:?}");
        assert_eq!(bench.movements(&order), 1, "{rail}");
    }
}

#[tokio::test]
async fn a_changed_repeat_never_moves_money() {
    let bench = Bench::start().await;
    for rail in RAILS {
        let order = bench.order(rail, "0000").await;
        assert!(is_taken(&bench.pay(rail, &order).await), "{rail}");
        let changed = Order { amount: Money::from_minor(1_235), ..order.clone() };
        let outcome = bench.pay(rail, &changed).await;
        assert!(!is_taken(&outcome), "{rail}: {outcome:?}");
        let finding = bench.find(rail, &changed).await;
        assert!(
            !matches!(finding, Finding::NotFound { .. } | Finding::Refused { .. }),
            "{rail}: {finding:?}"
        );
        assert_eq!(bench.movements(&order), 1, "{rail}");
    }
}

#[tokio::test]
async fn certificate_modes_work_as_the_public_key_modes_do() {
    let mut bench = Bench::start().await;
    let mut settings = bench.settings();
    settings.alipay.trust =
        AlipayTrust::certificates(&bench.folder.path().join("keys")).expect("certificates");
    // None known: the first answer makes the adapter fetch them.
    settings.wechat.trust = WeChatTrust::Certificates(Vec::new());
    bench.gateways = Gateways::new(&settings).expect("usable settings");
    for rail in [Rail::Alipay, Rail::WeChat] {
        let order = bench.order(rail, "0000").await;
        let outcome = bench.pay(rail, &order).await;
        assert!(is_taken(&outcome), "{rail}: {outcome:?}");
        let finding = bench.find(rail, &order).await;
        assert!(matches!(finding, Finding::Paid { .. }), "{rail}: {finding:?}");
    }
}

#[tokio::test]
async fn a_key_that_the_gateway_does_not_know_moves_nothing() {
    let mut bench = Bench::start().await;
    let mut settings = bench.settings();
    let stranger = settings.bank.corporate_key.clone();
    settings.alipay.app_key = stranger.clone();
    settings.wechat.merchant_key = stranger.clone();
    settings.unionpay.merchant_key = stranger;
    settings.bank.corporate_key = settings.alipay.app_key.clone();
    bench.gateways = Gateways::new(&settings).expect("usable settings");
    for (rail, expected) in
        [(Rail::Alipay, "Configuration"), (Rail::WeChat, "Configuration"), (Rail::UnionPay, "Configuration")]
    {
        let order = bench.order(rail, "0000").await;
        let outcome = bench.pay(rail, &order).await;
        assert!(format!("{outcome:?}").starts_with(expected), "{rail}: {outcome:?}");
        assert_eq!(bench.movements(&order), 0, "{rail}");
    }
}

#[tokio::test]
async fn the_statement_of_the_day_before_has_every_payment() {
    // 2026-11-23 10:00 in Beijing.
    let bench = Bench::start_at(SimClock::manual(1_795_399_200_000)).await;
    let day = NaiveDate::from_ymd_opt(2026, 11, 23).expect("a day");
    let mut orders = Vec::new();
    for rail in RAILS {
        let order = bench.order(rail, "0000").await;
        assert!(is_taken(&bench.pay(rail, &order).await), "{rail}");
        orders.push((rail, order));
    }
    let url = format!("{}/_sim/clock", bench.simulator.base_url());
    let advance = json!({ "advance_ms": 86_400_000 + 7_200_000 }).to_string();
    let moved = reqwest::Client::new().post(url).body(advance).send().await;
    assert!(moved.expect("the simulator answers").status().is_success());
    for (rail, order) in orders {
        let statement = bench.gateways.statement(rail, day).await;
        let rows = statement.unwrap_or_else(|why| panic!("{rail}: {why}")).expect("a day with business").rows;
        let facts: Vec<_> =
            rows.iter().map(|row| (row.payout_no.as_str(), row.amount, row.movement)).collect();
        assert_eq!(facts, [(order.payout_no.as_str(), order.amount, Movement::Out)], "{rail}");
        let before = bench.gateways.statement(rail, day.pred_opt().expect("a day")).await;
        let quiet = before.unwrap_or_else(|why| panic!("{rail}, the day before: {why}"));
        assert!(quiet.is_none_or(|statement| statement.rows.is_empty()), "{rail}");
    }
}
