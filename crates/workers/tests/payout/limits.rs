//! How hard a channel is pushed: its circuit, its limits, the time between two
//! refunds of one payment, and the sends that one number has.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{ChannelControl, ChannelControls, CircuitRule, Rail, RetryBudget, SendPace};
use serde_json::json;
use store::stops::{self, Stop};
use tokio::sync::Barrier;
use uuid::Uuid;
use workers::{intake, payout, release};

use crate::funding::decision;
use crate::stage::{Credit, request, rules};
use crate::{World, approved_in};

/// A world in which every channel has these limits.
async fn limited(control: ChannelControl) -> World {
    let mut world = World::new().await;
    world.till.controls = ChannelControls::all(control);
    world
}

/// The endings of so many accounts, none of them magic.
fn endings(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|it| it.to_string()).collect()
}

/// So many more withdrawals of 10.00 by a channel, approved, each from a payment of its own.
async fn with(world: World, channel: &str, endings: &[String]) -> World {
    let ends: Vec<(&str, &str)> = endings.iter().map(|it| (it.as_str(), "")).collect();
    approved_in(world, channel, Some(channel), &ends).await
}

impl World {
    async fn legs_of(&self, rail: Rail) -> Vec<Uuid> {
        sqlx::query_scalar("select id from leg where rail = $1 order by account_id, id")
            .bind(<&str>::from(rail))
            .fetch_all(self.till.database.pool())
            .await
            .expect("legs")
    }

    /// The state of Alipay's circuit, and how often it was left in peace.
    async fn circuit(&self) -> String {
        self.stage.text("select concat_ws(' ', state, rests) from circuit where rail = 'alipay'").await
    }

    /// Moves the clock to the moment at which Alipay may be tried again.
    async fn until_the_try(&self) {
        let at: DateTime<Utc> = sqlx::query_scalar("select probe_at from circuit where rail = 'alipay'")
            .fetch_one(self.till.database.pool())
            .await
            .expect("a moment");
        self.till.clock.advance_to(at + TimeDelta::milliseconds(1));
    }

    /// Two workers are told of these legs at the same moment; how many calls both made.
    async fn send_by_two(self: &Arc<Self>, first: Vec<Uuid>, second: Vec<Uuid>) -> usize {
        let barrier = Arc::new(Barrier::new(2));
        let rivals = [first, second].map(|legs| {
            let (world, barrier) = (Arc::clone(self), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                world.send(&legs).await
            })
        });
        let mut calls = 0;
        for rival in rivals {
            calls += rival.await.expect("no worker fails");
        }
        calls
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s07_a_switch_stops_sends_while_one_payment_tries() {
    let circuit = CircuitRule { failures: Some(1), ..ChannelControl::UNLIMITED.circuit };
    let world = limited(ChannelControl { circuit, ..ChannelControl::UNLIMITED }).await;
    let world = Arc::new(with(world, "alipay", &endings(9_000, 4)).await);
    let outage = "name = \"x\"\n[[on]]\nchannel = \"alipay\"\nop = \"transfer\"\noutage = { for = \"1s\" }\n";
    world.simulator.load_scenario(outage).expect("a scenario");
    let legs = world.legs_of(Rail::Alipay).await;
    assert_eq!(world.send(&legs[..1]).await, 1);
    assert_eq!(world.circuit().await, "open 1");
    world.until_the_try().await;

    let slow = "name = \"x\"\n[[on]]\nchannel = \"alipay\"\nop = \"transfer\"\nsteps = [{ attempt = 1, reply = \"slow:1500ms\" }]\n";
    world.simulator.load_scenario(slow).expect("a scenario");
    let trying = tokio::spawn({
        let (world, legs) = (Arc::clone(&world), legs.clone());
        async move { world.send(&legs[1..]).await }
    });
    while world.circuit().await != "half_open 1" {
        assert!(!trying.is_finished(), "the try was over before anybody saw it");
        tokio::task::yield_now().await;
    }
    let stop = Stop {
        name: "alipay".to_owned(),
        reason: "a drill".to_owned(),
        thrown_by: "zhao.lei".to_owned(),
        thrown_at: world.now(),
    };
    let mut tx = world.till.database.begin().await.expect("a transaction");
    assert!(stops::throw(&mut tx, &stop).await.expect("the switch"));
    tx.commit().await.expect("a commit");
    assert_eq!(world.send(&legs[1..]).await, 0, "another worker sends nothing");
    assert_eq!(trying.await.expect("the try"), 1);
    assert_eq!(world.send(&legs[1..]).await, 0, "nor does anybody afterwards");

    let mut tx = world.till.database.begin().await.expect("a transaction");
    assert!(stops::lift(&mut tx, "alipay", ("over", "qian.hui"), world.now()).await.expect("the switch"));
    tx.commit().await.expect("a commit");
    world.till.clock.advance_to(world.now() + TimeDelta::minutes(15));
    world.run_to_the_end().await;
    assert_eq!(world.count("select count(*) from leg where state = 'paid'").await, 4);
    assert_eq!(world.simulator.book().movements.len(), 4);
    world.books_agree().await;
}

#[tokio::test]
async fn an_outage_rests_its_channel_alone_and_one_payment_ends_it() {
    let circuit =
        CircuitRule { failures: Some(3), rest: TimeDelta::seconds(20), ..ChannelControl::UNLIMITED.circuit };
    let world = limited(ChannelControl { circuit, ..ChannelControl::UNLIMITED }).await;
    let world = with(world, "alipay", &endings(9_000, 6)).await;
    let world = with(world, "wechat", &endings(9_100, 2)).await;
    let outage =
        "name = \"x\"\n[[on]]\nchannel = \"alipay\"\nop = \"transfer\"\noutage = { for = \"25s\" }\n";
    world.simulator.load_scenario(outage).expect("a scenario");
    let legs = world.legs_of(Rail::Alipay).await;
    assert_eq!(world.send(&legs[..3]).await, 3, "nobody knows yet");
    assert_eq!(world.circuit().await, "open 1");
    assert_ne!(world.stage.text("select cause from circuit where rail = 'alipay'").await, "");

    assert_eq!(world.send(&legs[3..]).await, 0, "nothing is sent meanwhile");
    let untouched = "select count(*) from leg where state = 'scheduled' and attempts = 0 and rail = 'alipay'";
    assert_eq!(world.count(untouched).await, 3, "and nothing fails");
    let others = world.legs_of(Rail::WeChat).await;
    assert_eq!(
        payout::pass(&world.till, Rail::WeChat, &others).await.expect("payout"),
        2,
        "other channels go on"
    );
    assert_eq!(release::pass(&world.till.database, &world.till.clock).await.expect("release"), 0);

    // The rest is 10 to 30 seconds: the first try may still meet the outage.
    let mut tries = 0;
    while world.circuit().await != "closed 0" {
        world.until_the_try().await;
        if tries == 0 {
            let stop = Stop {
                name: "alipay".to_owned(),
                reason: "a drill".to_owned(),
                thrown_by: "zhao.lei".to_owned(),
                thrown_at: world.now(),
            };
            let mut tx = world.till.database.begin().await.expect("a transaction");
            assert!(stops::throw(&mut tx, &stop).await.expect("the switch"));
            tx.commit().await.expect("a commit");
            assert_eq!(world.send(&legs[3..]).await, 0, "a stop holds, whatever may be tried");
            let mut tx = world.till.database.begin().await.expect("a transaction");
            assert!(
                stops::lift(&mut tx, "alipay", ("over", "qian.hui"), world.now()).await.expect("the switch")
            );
            tx.commit().await.expect("a commit");
        }
        let waiting =
            world.count("select count(*) from leg where state = 'scheduled' and rail = 'alipay'").await;
        assert_eq!(world.send(&legs[3..]).await, 1, "one of {waiting} tries");
        tries += 1;
        assert!(tries <= 4, "the outage is over after 25 seconds");
    }
    world.run_to_the_end().await;
    assert_eq!(world.count("select count(*) from leg where state = 'paid'").await, 8);
    assert_eq!(world.simulator.book().movements.len(), 8);
    world.books_agree().await;
}

#[tokio::test]
async fn an_outage_of_the_bank_is_over_with_the_first_file_that_arrives() {
    let circuit = CircuitRule { failures: Some(2), ..ChannelControl::UNLIMITED.circuit };
    let world = limited(ChannelControl { circuit, ..ChannelControl::UNLIMITED }).await;
    let mut world = approved_in(
        world,
        "bank_transfer",
        None,
        &endings(9_000, 8).iter().map(|it| (it.as_str(), "")).collect::<Vec<_>>(),
    )
    .await;
    world.till.bank.file_transfers = 2;
    world.till.clock.advance_to("2026-03-10T16:30:00+08:00".parse().expect("a moment"));
    release::pass(&world.till.database, &world.till.clock).await.expect("release");
    // The first transfer of a file is not the one with the first id.
    let youngest_first = "update leg set dispatch_at = dispatch_at - make_interval(secs => place) \
                          from (select id, row_number() over (order by id) as place from leg) as at \
                          where at.id = leg.id";
    sqlx::query(youngest_first).execute(world.till.database.pool()).await.expect("other moments");
    let outage = "name = \"x\"\n[[on]]\nchannel = \"bank\"\nop = \"transfer\"\noutage = { for = \"1s\" }\n";
    world.simulator.load_scenario(outage).expect("a scenario");
    let circuit =
        "select concat_ws(' ', state, rests, probe_leg_id is null) from circuit where rail = 'bank'";
    payout::pass(&world.till, Rail::Bank, &[]).await.expect("payout");
    assert_eq!(world.stage.text(circuit).await, "open 1 t");
    let sent = world.count("select count(*) from leg where attempts > 0").await;
    assert!(sent < 8, "the last files wait");

    // One more outage meets the first try.
    let probe = "select probe_at from circuit where rail = 'bank'";
    for (meets, after) in [(true, "open 2 t"), (false, "closed 0 t")] {
        let at: DateTime<Utc> =
            sqlx::query_scalar(probe).fetch_one(world.till.database.pool()).await.expect("a moment");
        world.till.clock.advance_to(at + TimeDelta::milliseconds(1));
        world.simulator.load_scenario(if meets { outage } else { "name = \"x\"\n" }).expect("a scenario");
        payout::pass(&world.till, Rail::Bank, &[]).await.expect("payout");
        assert_eq!(world.stage.text(circuit).await, after);
    }
    world.run_to_the_end().await;
    assert_eq!(world.count("select count(*) from leg where state = 'paid'").await, 8);
    assert_eq!(world.simulator.book().movements.len(), 8);
    world.books_agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_pace_of_a_channel() {
    let world =
        limited(ChannelControl { pace: Some(SendPace { per_second: 3 }), ..ChannelControl::UNLIMITED }).await;
    let world = Arc::new(with(world, "alipay", &endings(9_000, 10)).await);
    let legs = world.legs_of(Rail::Alipay).await;
    assert_eq!(world.send_by_two(legs.clone(), legs.clone()).await, 3);
    assert_eq!(world.send_by_two(legs.clone(), legs.clone()).await, 0, "not even when they are told again");
    world.till.clock.advance_to(world.now() + TimeDelta::milliseconds(1_001));
    assert_eq!(world.send_by_two(legs.clone(), legs).await, 3);
    world.run_to_the_end().await;
    assert_eq!(world.count("select count(*) from leg where state = 'paid' and attempts = 1").await, 10);
    let busiest = "select max(calls) from (select count(*) as calls from attempt group by date_trunc('second', started_at)) as second";
    assert_eq!(world.stage.text(busiest).await, "3");
    world.books_agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_calls_that_may_be_under_way() {
    let world = limited(ChannelControl { concurrency: Some(4), ..ChannelControl::UNLIMITED }).await;
    let world = Arc::new(with(world, "alipay", &endings(9_000, 10)).await);
    let slow = "name = \"x\"\n[[on]]\nchannel = \"alipay\"\nop = \"transfer\"\nsteps = [{ attempt = 1, reply = \"slow:700ms\" }]\n";
    world.simulator.load_scenario(slow).expect("a scenario");
    let legs = world.legs_of(Rail::Alipay).await;
    assert_eq!(world.send_by_two(legs.clone(), legs).await, 4);
    let later = "select count(*) from leg join withdrawal on withdrawal.id = withdrawal_id \
                 where leg.state = 'scheduled' and dispatch_at > approved_at and nudged_at is null";
    assert_eq!(world.count(later).await, 6, "the others are due in a while");
    world.run_to_the_end().await;
    assert_eq!(world.count("select count(*) from leg where state = 'paid' and attempts = 1").await, 10);
    world.books_agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refunds_of_one_payment_keep_their_distance() {
    let spacing = TimeDelta::seconds(3);
    let world = limited(ChannelControl { refund_spacing: spacing, ..ChannelControl::UNLIMITED }).await;
    let credit =
        Credit { id: "t9000", channel: "alipay", arrived_at: "2026-02-01T12:00:00+08:00", amount: "100.00" };
    world.stage.account("acct-1", &[credit]).await;
    world.register("alipay", &[credit]);
    let asked: Vec<_> = (0..3).map(|it| request(&format!("r{it}"), "10.00", json!({}))).collect();
    intake::admit(&world.till.database, &rules(), &asked, world.now()).await.expect("intake");
    world.approve_all().await;
    let world = Arc::new(world);
    let legs = world.legs_of(Rail::Alipay).await;
    assert_eq!(world.send_by_two(vec![legs[0]], vec![legs[1], legs[2]]).await, 1);
    world.till.clock.advance_to(world.now() + spacing - TimeDelta::milliseconds(1));
    assert_eq!(world.send(&legs).await, 0, "a moment too soon");
    world.till.clock.advance_to(world.now() + TimeDelta::milliseconds(1));
    assert_eq!(world.send(&legs).await, 1);
    world.run_to_the_end().await;
    assert_eq!(
        world.count("select count(*) from leg where state = 'paid' and attempts = 1").await,
        3,
        "the channel refused none"
    );
    world.books_agree().await;
}

#[tokio::test]
async fn a_number_that_is_refused_for_the_moment_goes_again_a_few_times_and_then_waits_for_people() {
    let retry = RetryBudget { sends: 3, ..ChannelControl::UNLIMITED.retry };
    let world = limited(ChannelControl { retry, ..ChannelControl::UNLIMITED }).await;
    let world = approved_in(world, "alipay", Some("alipay"), &[("0005", "")]).await;
    world.run_to_the_end().await;
    let standing = "select concat_ws(' ', leg.state, attempts, withdrawal.state, held_because) from leg join withdrawal on withdrawal.id = withdrawal_id";
    assert_eq!(world.stage.text(standing).await, "held 3 on_hold retries_spent");
    assert_eq!(world.say(&[decision(world.the_one().await, "release", "anna")]).await, 1);
    world.run_to_the_end().await;
    assert_eq!(
        world.stage.text(standing).await,
        "held 4 on_hold retries_spent",
        "one send for each word of a person"
    );
    assert_eq!(world.say(&[decision(world.the_one().await, "cancel", "customer")]).await, 1);
    assert_eq!(world.simulator.book().movements.len(), 0);
    world.books_agree().await;
}

#[tokio::test]
async fn a_leg_that_is_named_twice_at_once_is_sent_once_and_as_it_was_due() {
    let spacing = TimeDelta::seconds(3);
    let world = limited(ChannelControl { refund_spacing: spacing, ..ChannelControl::UNLIMITED }).await;
    let world = with(world, "alipay", &endings(9_000, 1)).await;
    let leg = world.legs_of(Rail::Alipay).await[0];
    assert_eq!(world.send(&[leg, leg]).await, 1);
    let early = "select count(*) from leg join attempt on leg_id = leg.id where started_at < dispatch_at";
    assert_eq!(world.count(early).await, 0, "its second name moved nothing");
    world.books_agree().await;
}
