//! R6c and R18 at the dispatch: what may not go back to its source is not sent,
//! waits for another destination or is free again, and its neighbours are paid.

mod stage;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use chrono::{DateTime, NaiveTime, Utc};
use domain::{Calendar, ChannelControl, ChannelControls, Rail};
use gateways::{Gateways, Limits};
use serde_json::json;
use simulator::{Running, SimClock, Simulator, Trade};
use stage::{Credit, Stage, cny, request, rules, vault};
use store::verify::verify;
use uuid::Uuid;
use workers::{BankRules, Clock, PayoutPolicy, Till, approval, expiry, intake, payout};

/// A till, its books, and a world of gateways, on one manual clock.
struct Scene {
    stage: Stage,
    simulator: Running,
    till: Till,
    _folder: tempfile::TempDir,
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

impl Scene {
    async fn at(start: &str) -> Self {
        let stage = Stage::new().await;
        let millis = Arc::new(AtomicI64::new(moment(start).timestamp_millis()));
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        let options = simulator::Options {
            clock: SimClock::Manual(Arc::clone(&millis)),
            ..simulator::Options::on_loopback(keys.clone(), folder.path().join("book.jsonl"))
        };
        let simulator = Simulator::start(options).await.expect("a simulator");
        let gateways = Gateways::from_key_folder(&keys, simulator.base_url(), Limits::default());
        let till = Till {
            database: stage.database.clone(),
            vault: vault(),
            gateways: Arc::new(gateways.expect("four gateways")),
            rules: Arc::new(rules().policy),
            bank: BankRules::default(),
            controls: ChannelControls::all(ChannelControl::UNLIMITED),
            clock: Clock::Manual(millis),
        };
        Self { stage, simulator, till, _folder: folder }
    }

    /// An account with one top-up, which the channel knows as paid then.
    async fn account(&self, id: &str, credit: Credit<'_>) {
        self.stage.account(id, &[credit]).await;
        let trade: Trade = serde_json::from_value(json!({
            "channel": credit.channel,
            "trade_no": format!("trade-{}", credit.id),
            "out_trade_no": format!("out-{}", credit.id),
            "total_fen": cny(credit.amount).minor(),
            "paid_at": credit.arrived_at,
        }))
        .expect("a trade of the simulator");
        self.simulator.register(vec![trade]).expect("the trade is registered");
    }

    /// Requests for money of these accounts, accepted and approved now.
    async fn approved(&self, asks: &[(&str, &str)]) {
        let at = self.till.clock.now();
        let count: usize = self.stage.text("select count(*) from withdrawal").await.parse().expect("a count");
        let requests: Vec<_> = asks
            .iter()
            .zip(count..)
            .map(|((account, amount), place)| {
                request(&format!("r{place}"), amount, json!({ "account_id": account }))
            })
            .collect();
        let tally = intake::admit(&self.till.database, &rules(), &requests, at).await.expect("intake");
        assert_eq!(tally.accepted, asks.len());
        let policy = PayoutPolicy {
            auto_approve_up_to: cny("1000.00"),
            approvers: 1,
            calendar: Arc::new(Calendar::default()),
            bank_cut_offs: vec![NaiveTime::from_hms_opt(16, 30, 0).expect("a time of day")],
            ..PayoutPolicy::default()
        };
        let ids: Vec<Uuid> = sqlx::query_scalar("select id from withdrawal where state = 'pending_approval'")
            .fetch_all(self.till.database.pool())
            .await
            .expect("ids");
        approval::review(&self.till.database, &ids, &policy, at).await.expect("approval");
    }

    /// Dispatches everything that is scheduled on a rail, and answers how many calls were made.
    async fn dispatch(&self, rail: Rail) -> usize {
        let ids: Vec<Uuid> =
            sqlx::query_scalar("select id from leg where state = 'scheduled' and rail = $1 order by id")
                .bind(<&str>::from(rail))
                .fetch_all(self.till.database.pool())
                .await
                .expect("ids");
        payout::pass(&self.till, rail, &ids).await.expect("payout")
    }

    /// One line per leg: its account, state and last code.
    async fn legs(&self) -> String {
        self.stage
            .text("select string_agg(concat_ws(' ', account_id, state, code), ', ' order by account_id, id) from leg")
            .await
    }

    async fn books_are_clean(&self) {
        let found = verify(&self.till.database, None, 1, self.till.clock.now()).await.expect("an answer");
        // Nothing relays events here, so that they wait in the outbox for ever.
        let found: Vec<_> = found.into_iter().filter(|it| !it.subject.starts_with("outbox")).collect();
        assert_eq!(found, []);
    }
}

#[tokio::test]
async fn r6c_a_leg_approved_on_the_last_day_is_not_sent_after_midnight() {
    let scene = Scene::at("2026-03-10T23:59:59+08:00").await;
    // The window of the first closes with this day, that of the second a day later.
    let credit = |id, arrived_at| Credit { id, channel: "alipay", arrived_at, amount: "100.00" };
    scene.account("last", credit("t1", "2025-04-10T12:00:00+08:00")).await;
    scene.account("open", credit("t2", "2025-04-11T12:00:00+08:00")).await;
    scene.approved(&[("last", "40.00"), ("open", "40.00")]).await;

    scene.till.clock.advance_to(moment("2026-03-11T00:00:00+08:00"));
    assert_eq!(scene.dispatch(Rail::Alipay).await, 1, "one call, for the neighbour");
    assert_eq!(scene.legs().await, "last rerouting window_closed, open paid");
    let states = "select string_agg(account_id || ' ' || state, ', ' order by account_id) from withdrawal";
    assert_eq!(scene.stage.text(states).await, "last action_required, open completed");
    let free = "select string_agg(concat_ws(' ', id, remaining, held), ', ' order by id) from account";
    assert_eq!(scene.stage.text(free).await, "last 6000 4000, open 6000 0");
    let attempts = "select string_agg(account_id || ' ' || attempts, ', ' order by account_id) from leg";
    assert_eq!(scene.stage.text(attempts).await, "last 0, open 1");
    let note = "select note from transition where to_state = 'failed' and leg_id is not null";
    assert_eq!(
        scene.stage.text(note).await,
        "window_closed: R6c: it could go back to its source until 2026-03-10"
    );
    let told = scene.stage.events().await;
    assert!(
        told.iter().any(|(key, data)| key == "withdrawal.action_required" && data["account_id"] == "last")
    );
    assert_eq!(scene.simulator.book().movements.len(), 1);
    scene.books_are_clean().await;

    // Nobody says where it should go instead: it is free again, and takes the other route from now on.
    scene.till.clock.advance_to(moment("2026-03-25T00:00:00+08:00"));
    assert_eq!(expiry::pass(&scene.till.database, scene.till.clock.now()).await.unwrap(), 1);
    assert_eq!(scene.legs().await, "last released window_closed, open paid");
    assert_eq!(scene.stage.text(states).await, "last failed, open completed");
    assert_eq!(scene.stage.text(free).await, "last 10000 0, open 6000 0");
    scene.books_are_clean().await;
    let snapshot = workers::quote::read(&scene.till.database, "last").await.unwrap().unwrap();
    let quote = snapshot.quote(&scene.till.rules, scene.till.clock.now());
    assert_eq!((quote.source.maximum, quote.bank_card.maximum), (cny("0.00"), cny("100.00")));
}

#[tokio::test]
async fn r18_the_channels_own_limits_count_from_the_customers_payment() {
    let scene = Scene::at("2026-03-10T12:00:00+08:00").await;
    let arrived_at = "2026-02-01T12:00:00+08:00";
    for (id, channel) in [("a-old", "alipay"), ("a-new", "alipay"), ("w-old", "wechat"), ("w-new", "wechat")]
    {
        scene.account(id, Credit { id, channel, arrived_at, amount: "100.00" }).await;
    }
    // Within the window of R6 by the credit, but paid long before it.
    scene
        .stage
        .run("update top_up set channel_paid_at = '2025-03-10T11:59:59+08:00' where upstream_id in ('a-old', 'w-old')")
        .await;
    scene
        .stage
        .run("update top_up set channel_paid_at = '2025-03-10T12:00:00+08:00' where upstream_id in ('a-new', 'w-new')")
        .await;
    scene.approved(&["a-old", "a-new", "w-old", "w-new"].map(|id| (id, "10.00"))).await;
    assert_eq!(scene.dispatch(Rail::Alipay).await, 1);
    assert_eq!(scene.dispatch(Rail::WeChat).await, 1);
    let refused = scene
        .stage
        .text("select string_agg(concat_ws(' ', account_id, state, code, attempts), ', ' order by account_id) from leg where attempts = 0")
        .await;
    let expected = "a-old rerouting channel_window_closed 0, w-old rerouting channel_window_closed 0";
    assert_eq!(refused, expected);
    scene.books_are_clean().await;
}

#[tokio::test]
async fn r18_one_wechat_payment_is_refunded_fifty_times_and_not_once_more() {
    let scene = Scene::at("2026-03-10T12:00:00+08:00").await;
    let arrived_at = "2026-02-01T12:00:00+08:00";
    scene.account("a", Credit { id: "t", channel: "wechat", arrived_at, amount: "100.00" }).await;
    let sends = "select count(*) from attempt where kind = 'pay'";
    scene.approved(&[("a", "0.01"); 30]).await;
    assert_eq!(scene.dispatch(Rail::WeChat).await, 30);
    // The rest in one batch, of which a part is one too many.
    scene.approved(&[("a", "0.01"); 22]).await;
    let calls = "select count(*) from leg where attempts > 0";
    scene.dispatch(Rail::WeChat).await;
    assert_eq!(scene.stage.text(calls).await, "50");
    let refused = "select string_agg(distinct concat_ws(' ', state, attempts), ', ') || ' ' || count(*) from leg \
                   where code = 'refund_count_spent'";
    assert_eq!(scene.stage.text(refused).await, "rerouting 0 2");
    assert!(scene.stage.text(sends).await.parse::<u32>().expect("a count") >= 50);
    scene.books_are_clean().await;
}

#[tokio::test]
async fn a_leg_that_was_in_doubt_is_ended_by_its_channel_and_not_by_the_guard() {
    let scene = Scene::at("2026-03-10T23:00:00+08:00").await;
    let credit =
        Credit { id: "t", channel: "alipay", arrived_at: "2025-04-10T12:00:00+08:00", amount: "9.00" };
    scene.account("a", credit).await;
    scene.approved(&[("a", "9.00")]).await;
    // Sent within the window, lost, not found: the same number may go again.
    scene.stage.run("update leg set doubted_at = '2026-03-10T23:10:00+08:00'").await;
    scene.till.clock.advance_to(moment("2026-03-11T00:10:00+08:00"));
    assert_eq!(scene.dispatch(Rail::Alipay).await, 1, "the repeat is made");
    assert_eq!(scene.legs().await, "a paid");
}
