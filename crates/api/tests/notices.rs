//! Notices over real HTTP: the simulator sends them, an own database keeps them.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod bench;

use std::path::PathBuf;
use std::sync::Arc;

use bench::relay::{self, Passed};
use bench::{Server, at, leg, server, server_with, withdrawal};
use domain::{LegState, Money, Rail, date_in_shanghai};
use futures::future::join_all;
use gateways::{GatewaySettings, Gateways, Limits, Order, Payee, SourceTrade};
use reqwest::{Method, StatusCode};
use serde_json::json;
use simulator::{Callbacks, Keys, Running, SimClock, Simulator, Trade};
use sqlx::Row;
use store::legs::Leg;
use store::withdrawals::Withdrawal;
use store::{legs, withdrawals};
use tempfile::TempDir;
use tokio::sync::mpsc;

const RAILS: [Rail; 4] = [Rail::Alipay, Rail::WeChat, Rail::UnionPay, Rail::Bank];

/// Four gateways that send their notices to an API through a relay.
struct World {
    server: Server,
    simulator: Running,
    gateways: Arc<Gateways>,
    passing: mpsc::UnboundedReceiver<Passed>,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let keys: PathBuf = folder.path().join("keys");
        Keys::generate(&keys).unwrap();
        let options = simulator::Options {
            clock: SimClock::manual(at().timestamp_millis()),
            ..simulator::Options::on_loopback(keys.clone(), folder.path().join("book.jsonl"))
        };
        let simulator = Simulator::start(options).await.unwrap();
        let mut settings =
            GatewaySettings::from_key_folder(&keys, simulator.base_url(), Limits::default()).unwrap();
        let verifying = Arc::new(Gateways::new(&settings).unwrap());
        let server = server_with(|_, state| state.taking_notices(verifying, Arc::new(at))).await;
        let (url, passing) = relay::open(server.base_url.clone()).await;
        let of = |rail: Rail| Some(format!("{url}/v1/notices/{rail}"));
        settings.wechat.notify_url = of(Rail::WeChat);
        settings.unionpay.notify_url = of(Rail::UnionPay);
        simulator.set_callbacks(Callbacks { alipay: of(Rail::Alipay), bank: of(Rail::Bank) });
        let gateways = Arc::new(Gateways::new(&settings).unwrap());
        Self { server, simulator, gateways, passing, _folder: folder }
    }

    /// A leg under way, as payout leaves it.
    async fn leg(&self, rail: Rail, payout_no: &str, amount: i64) -> Leg {
        let owner = Withdrawal { request_id: payout_no.to_owned(), ..withdrawal() };
        let leg = Leg {
            rail,
            amount: Money::from_minor(amount),
            payout_no: payout_no.to_owned(),
            state: LegState::Submitted,
            ..leg(&owner)
        };
        let mut tx = self.server.database.begin().await.unwrap();
        withdrawals::insert(&mut tx, &[owner], &[json!({})], at()).await.unwrap();
        legs::insert(&mut tx, std::slice::from_ref(&leg), at()).await.unwrap();
        tx.commit().await.unwrap();
        // As it is stored: a new row has no times of a dispatch.
        self.leg_now(&leg).await
    }

    /// Pays 12.34 at the gateway, whose behaviour `ending` chooses, and lets
    /// pending payments settle.
    async fn pay(&self, rail: Rail, payout_no: &str, ending: &str) {
        let trade_no = format!("20261120100010033{ending}");
        if rail != Rail::Bank {
            let trade = json!({
                "channel": rail.to_string(), "trade_no": trade_no, "out_trade_no": format!("CZ{ending}"),
                "total_fen": 10_000, "paid_at": "2026-09-01T10:00:00+08:00",
            });
            let trade: Trade = serde_json::from_value(trade).unwrap();
            self.simulator.register(vec![trade]).unwrap();
        }
        let order = Order {
            payout_no: payout_no.to_owned(),
            amount: Money::from_minor(1_234),
            minted_at: at(),
            source: Some(SourceTrade { trade_no, out_trade_no: None, total: Money::from_minor(10_000) }),
            payee: Some(Payee {
                holder: "张三".to_owned(),
                number: format!("621700000000000{ending}").into(),
                bank_name: String::new(),
                branch: String::new(),
                cnaps: "105100000017".to_owned(),
            }),
            execute_on: date_in_shanghai(at()),
            reason: "Balance withdrawal".to_owned(),
        };
        let outcome = self.gateways.of(rail).pay(&order).await;
        assert!(!format!("{outcome:?}").contains("code"), "{rail}: {outcome:?}");
        self.advance_minutes(20).await;
    }

    async fn advance_minutes(&self, minutes: i64) {
        let url = format!("{}/_sim/clock", self.simulator.base_url());
        let body = json!({ "advance_ms": minutes * 60_000 }).to_string();
        assert!(reqwest::Client::new().post(url).body(body).send().await.unwrap().status().is_success());
    }

    /// The next notice of `rail`; refused ones of other rails are sent again meanwhile.
    async fn passed(&mut self, rail: Rail) -> Passed {
        let patience = std::time::Duration::from_secs(20);
        let own = format!("/v1/notices/{rail}");
        loop {
            let passing = tokio::time::timeout(patience, self.passing.recv()).await;
            let passed = passing.expect("a notice passes").unwrap();
            if passed.path == own {
                return passed;
            }
        }
    }

    /// Pays on `rail` for a leg of 12.34 and gives the notice that passed.
    async fn told(&mut self, rail: Rail) -> (Leg, Passed) {
        let payout_no = format!("WD0000{}", <&str>::from(rail).to_uppercase());
        let leg = self.leg(rail, &payout_no, 1_234).await;
        self.pay(rail, &payout_no, "0001").await;
        (leg, self.passed(rail).await)
    }

    async fn send(&self, it: &Passed, body: impl Into<reqwest::Body>) -> (StatusCode, String) {
        relay::send(&self.server.base_url, &it.path, &it.headers, body).await
    }

    /// Every notice that is kept: rail, number, claim, verdict, whether it has a leg.
    async fn kept(&self) -> Vec<(String, String, String, String, bool)> {
        let sql = "select rail, payout_no, claim, verdict, leg_id is not null from notice order by id";
        let rows = sqlx::query(sql).fetch_all(self.server.database.pool()).await.unwrap();
        rows.iter().map(|it| (it.get(0), it.get(1), it.get(2), it.get(3), it.get(4))).collect()
    }

    async fn leg_now(&self, leg: &Leg) -> Leg {
        let mut connection = self.server.database.pool().acquire().await.unwrap();
        legs::of_withdrawal(&mut connection, leg.withdrawal_id).await.unwrap().remove(0)
    }
}

/// What a channel takes for "I have it".
fn acknowledgement(rail: Rail) -> (StatusCode, String) {
    match rail {
        Rail::Alipay => (StatusCode::OK, "success".to_owned()),
        Rail::UnionPay => (StatusCode::OK, "ok".to_owned()),
        Rail::WeChat | Rail::Bank => (StatusCode::NO_CONTENT, String::new()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_channel_is_understood_and_answered_in_its_own_words() {
    let mut world = World::new().await;
    for rail in RAILS {
        let (leg, passed) = world.told(rail).await;
        assert_eq!(passed.answered, acknowledgement(rail), "{rail}");
        let kept = world.kept().await.pop().unwrap();
        let expected =
            (rail.to_string(), leg.payout_no.clone(), "paid".to_owned(), "accepted".to_owned(), true);
        assert_eq!(kept, expected);
        assert_eq!(world.leg_now(&leg).await, leg, "a notice moves no leg by itself");
    }
    let (_, _, metrics) = world.server.get("/metrics").await;
    for rail in RAILS {
        let line = format!("outflow_notices_total{{rail=\"{rail}\",result=\"accepted\"}} 1");
        assert!(metrics.lines().any(|it| it == line), "{line} is missing in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_and_replays_are_acknowledged_and_change_nothing() {
    let mut world = World::new().await;
    for rail in RAILS {
        let (_, passed) = world.told(rail).await;
        let count = world.kept().await.len();
        let (one, other) =
            tokio::join!(world.send(&passed, passed.body.clone()), world.send(&passed, passed.body.clone()));
        assert_eq!((one, other), (acknowledgement(rail), acknowledgement(rail)), "{rail}");
        assert_eq!(world.kept().await.len(), count, "{rail}");
    }
    let (_, _, metrics) = world.server.get("/metrics").await;
    assert!(metrics.contains("{rail=\"alipay\",result=\"repeated\"} 2"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_that_overtake_each_other_are_kept_as_they_come() {
    let mut world = World::new().await;
    for rail in RAILS {
        let (older, first) = world.told(rail).await;
        let payout_no = format!("WD3333{}", <&str>::from(rail).to_uppercase());
        let newer = world.leg(rail, &payout_no, 1_234).await;
        world.pay(rail, &payout_no, "50001").await;
        let second = world.passed(rail).await;
        let mut tx = world.server.database.begin().await.unwrap();
        sqlx::query("delete from notice").execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        for passed in [&second, &first, &second] {
            assert_eq!(world.send(passed, passed.body.clone()).await, acknowledgement(rail), "{rail}");
        }
        let kept: Vec<_> = world.kept().await.into_iter().map(|(_, number, ..)| number).collect();
        assert_eq!(kept, [newer.payout_no.as_str(), older.payout_no.as_str()], "{rail}");
        assert_eq!((world.leg_now(&older).await, world.leg_now(&newer).await), (older, newer), "{rail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_notice_twenty_times_at_once_is_kept_once() {
    let mut world = World::new().await;
    let leg = world.leg(Rail::WeChat, "WD0000NEW", 1_234).await;
    let (_, passed) = world.told(Rail::WeChat).await;
    let mut tx = world.server.database.begin().await.unwrap();
    sqlx::query("delete from notice").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    let sends = (0..20).map(|_| world.send(&passed, passed.body.clone()));
    let answers = join_all(sends).await;
    assert!(answers.iter().all(|it| *it == acknowledgement(Rail::WeChat)), "{answers:?}");
    assert_eq!(world.kept().await.len(), 1);
    assert_eq!(world.leg_now(&leg).await, leg);
}

#[tokio::test(flavor = "multi_thread")]
async fn forgeries_are_refused_and_change_nothing() {
    let mut world = World::new().await;
    for rail in RAILS {
        let (leg, passed) = world.told(rail).await;
        let before = world.kept().await;
        let text = String::from_utf8(passed.body.to_vec()).unwrap();
        let changed = match rail {
            Rail::WeChat => text.replace("REFUND.SUCCESS", "REFUND.CLOSED"),
            Rail::Bank => text.replace("12.34", "12.35"),
            _ => text.replace("0000", "0001"),
        };
        assert_ne!(changed, text, "{rail}");
        for body in [changed, String::new(), "\u{fffd}{<".to_owned(), "x".repeat(api::BODY_MAX_BYTES + 1)] {
            let length = body.len();
            let (status, answer) = world.send(&passed, body).await;
            assert!(status.is_client_error(), "{rail} {length}: {status}");
            assert_ne!(answer, acknowledgement(rail).1, "{rail} {length}");
            match rail {
                Rail::Alipay | Rail::UnionPay => assert_eq!(answer, "fail"),
                Rail::WeChat => assert!(answer.contains("\"code\":\"FAIL\""), "{answer}"),
                Rail::Bank => assert!(answer.contains("\"status\""), "{answer}"),
            }
        }
        if matches!(rail, Rail::WeChat | Rail::Bank) {
            let unsigned = Passed { headers: reqwest::header::HeaderMap::new(), ..passed.clone() };
            assert_eq!(
                world.send(&unsigned, passed.body.clone()).await.0,
                StatusCode::UNAUTHORIZED,
                "{rail}"
            );
        }
        assert_eq!(world.kept().await, before, "{rail}");
        assert_eq!(world.leg_now(&leg).await, leg, "{rail}");
    }
    let (_, _, metrics) = world.server.get("/metrics").await;
    assert!(metrics.contains("result=\"forged\"") && metrics.contains("result=\"too_long\""), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_notice_of_another_amount_touches_no_leg() {
    let mut world = World::new().await;
    for rail in RAILS {
        let payout_no = format!("WD1111{}", <&str>::from(rail).to_uppercase());
        // Alipay's notice names the sum of a trade: less than the leg is impossible, more is not.
        let leg = world.leg(rail, &payout_no, 1_235).await;
        world.pay(rail, &payout_no, "0001").await;
        let passed = world.passed(rail).await;
        assert_eq!(passed.answered.0, StatusCode::CONFLICT, "{rail}: {:?}", passed.answered);
        let (_, number, _, verdict, has_leg) = world.kept().await.pop().unwrap();
        assert_eq!((number, verdict.as_str(), has_leg), (payout_no, "differs", false), "{rail}");
        assert_eq!(world.leg_now(&leg).await, leg, "{rail}");
        let again = world.send(&passed, passed.body.clone()).await;
        assert_eq!(again.0, StatusCode::CONFLICT, "{rail}: refused for ever");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_genuine_notice_of_a_number_that_nobody_here_minted_is_kept_and_forgotten() {
    let mut world = World::new().await;
    for rail in RAILS {
        let payout_no = format!("WD2222{}", <&str>::from(rail).to_uppercase());
        world.pay(rail, &payout_no, "0001").await;
        assert_eq!(world.passed(rail).await.answered, acknowledgement(rail), "{rail}");
        let (_, number, _, verdict, has_leg) = world.kept().await.pop().unwrap();
        assert_eq!((number, verdict.as_str(), has_leg), (payout_no, "not_ours", false), "{rail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_keys_takes_nothing_and_says_so() {
    let server = server().await;
    for (path, status) in [
        ("/v1/notices/alipay", StatusCode::SERVICE_UNAVAILABLE),
        ("/v1/notices/bank", StatusCode::SERVICE_UNAVAILABLE),
        ("/v1/notices/paypal", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(server.ask(Method::POST, path, b"a=b".to_vec()).await.0, status, "{path}");
    }
    assert_eq!(server.get("/v1/notices/alipay").await.0, StatusCode::METHOD_NOT_ALLOWED);
}
