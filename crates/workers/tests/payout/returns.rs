//! Slices that leave their route (R6c, R8, R18): another destination, another
//! approval, another number; or exactly back to their top-up.

use broker::contract::{Envelope, Stamp, WithdrawalDetails};
use chrono::TimeDelta;
use serde_json::json;
use store::notices::Claim;
use uuid::Uuid;
use workers::decisions::Message;
use workers::holds::{self, Guard};
use workers::{expiry, intake, payout, statement};

use crate::funding::decision;
use crate::stage::{Credit, request, rules, vault};
use crate::{Rail, World, approved, policy};

/// Bank details of a person, to an account with this ending.
pub(crate) fn details(withdrawal: Uuid, holder: &str, ending: &str) -> Message {
    let account = json!({ "holder": holder, "number": format!("621700001009876{ending}"),
                          "bank_name": "中国银行", "branch": "北京分行", "cnaps": "104100000004" });
    let data = json!({ "withdrawal_id": withdrawal, "bank_account": account, "actor": "customer" });
    let data: WithdrawalDetails = serde_json::from_value(data).expect("details");
    let id = Uuid::now_v7().to_string();
    let stamp = Stamp {
        source: "/people".parse().expect("a source"),
        id: id.parse().expect("an id"),
        time: crate::now(),
    };
    Envelope::new(stamp, WithdrawalDetails::KIND, data.into())
}

/// When the older of two legs is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Older {
    /// With the newer one; both run as far as they go.
    AtOnce,
    /// An hour later; the newer one was sent already.
    Later,
}

/// One withdrawal of 20.00 from two Alipay payments with these endings, newest last.
async fn two_legs(endings: [&str; 2], older: Older) -> World {
    let world = World::new().await;
    let ids = endings.map(|it| format!("t{it}"));
    let arrived_at = "2026-02-01T12:00:00+08:00";
    let credits: Vec<Credit<'_>> =
        ids.iter().map(|id| Credit { id, channel: "alipay", arrived_at, amount: "10.00" }).collect();
    world.stage.account("acct-1", &credits).await;
    world.register("alipay", &credits);
    let asked = [request("r", "20.00", json!({}))];
    let tally = intake::admit(&world.till.database, &rules(), &asked, world.now()).await;
    assert_eq!(tally.expect("intake").accepted, 1);
    world.approve_all().await;
    if older == Older::Later {
        world
            .stage
            .run("update leg set dispatch_at = dispatch_at + interval '1 hour' where position = 1")
            .await;
        for (rail, legs) in world.due().await {
            payout::pass(&world.till, rail, &legs).await.expect("payout");
        }
        return world;
    }
    world.run_to_the_end().await;
    world
}

impl World {
    /// The withdrawal's state, and each leg's generation, rail and state, oldest first.
    pub(crate) async fn standing(&self) -> String {
        self.stage
            .text(
                "select (select state from withdrawal) || ': ' || string_agg(concat_ws(' ', generation, rail, state), ', ' \
                 order by position desc, generation) from leg",
            )
            .await
    }

    /// Every bucket of every top-up, oldest first.
    pub(crate) async fn buckets(&self) -> String {
        self.stage
            .text("select string_agg(concat_ws(' ', remaining, held, paid_out), ', ' order by sequence) from top_up")
            .await
    }

    /// The payout number of the newest generation of the slice of a top-up.
    pub(crate) async fn number_of(&self, top_up: &str) -> String {
        sqlx::query_scalar(
            "select payout_no from leg where top_up_upstream_id = $1 order by generation desc limit 1",
        )
        .bind(top_up)
        .fetch_one(self.till.database.pool())
        .await
        .expect("a leg")
    }

    /// The codes of the last refusal.
    pub(crate) async fn refused_with(&self) -> String {
        let events = self.stage.events().await;
        let (key, data) = events.last().expect("an event");
        assert_eq!(key, "message.refused");
        let codes = data["reasons"].as_array().expect("reasons").iter();
        codes.map(|it| it["code"].as_str().expect("a code")).collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn r6c_a_refund_that_is_refused_as_too_old_goes_to_a_bank_card_after_another_approval() {
    for (channel, sim_channel) in
        [("alipay", "alipay"), ("wechat", "wechat"), ("unionpay_personal", "unionpay")]
    {
        let world = approved(channel, Some(sim_channel), &[("0014", "rerouting")]).await;
        world.run_to_the_end().await;
        assert_eq!(world.buckets().await, "0 1000 0", "{channel}: held until it has another way");
        let id = world.the_one().await;
        let first_effect = world.stage.text("select encode(effect_digest, 'hex') from withdrawal").await;
        assert_eq!(world.say(&[decision(id, "approve", "boss")]).await, 0, "nothing to approve yet");
        assert_eq!(world.refused_with().await, "too_late");

        assert_eq!(world.say(&[details(id, "李四", "0000")]).await, 0, "{channel}");
        assert_eq!(world.refused_with().await, "holder_mismatch", "R12");
        assert_eq!(world.say(&[details(id, " 张 三", "0001")]).await, 1, "{channel}");
        assert_eq!(world.say(&[details(id, "张三", "0000")]).await, 1, "they can still be changed");
        let planned = format!("action_required: 1 {sim_channel} rerouting, 2 bank planned");
        assert_eq!(world.standing().await, planned, "{channel}");
        let effect = world.stage.text("select encode(effect_digest, 'hex') from withdrawal").await;
        assert_ne!(effect, first_effect, "another destination is another effect");
        world.run_to_the_end().await;
        assert_eq!(world.standing().await, planned, "{channel}: nothing goes without an approval");

        assert_eq!(world.say(&[decision(id, "approve", "customer")]).await, 0);
        assert_eq!(world.refused_with().await, "requester_cannot_approve");
        assert_eq!(world.say(&[decision(id, "approve", "boss")]).await, 1, "{channel}");
        let times = "select concat_ws(' ', leg.state, dispatch_at at time zone 'Asia/Shanghai', leg.deadline_at at time zone 'Asia/Shanghai', \
                     withdrawal.deadline_at = leg.deadline_at) from leg, withdrawal where generation = 2";
        let expected = "scheduled 2026-03-10 16:30:00 2026-03-19 23:59:59.999 t";
        assert_eq!(world.stage.text(times).await, expected, "{channel}: R7, from this approval on");
        world.run_to_the_end().await;
        let paid = format!("completed: 1 {sim_channel} rerouting, 2 bank paid");
        assert_eq!(world.standing().await, paid, "{channel}");
        assert_eq!(world.buckets().await, "0 0 1000", "{channel}");
        let link = "select count(*) from leg join leg as before on before.id = leg.predecessor_id \
                    where leg.payout_no <> before.payout_no and leg.amount = before.amount";
        assert_eq!(world.stage.text(link).await, "1", "{channel}");
        assert_eq!(world.simulator.book().movements.len(), 1, "{channel}");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn a_slice_without_another_way_goes_exactly_back_and_the_others_stay_paid() {
    for (way, with_details, ends) in [
        ("deny", true, "partially_completed: 1 alipay paid, 1 alipay rerouting, 2 bank released"),
        ("deny", false, "partially_completed: 1 alipay paid, 1 alipay released"),
        ("cancel", true, "partially_completed: 1 alipay paid, 1 alipay rerouting, 2 bank canceled"),
        ("cancel", false, "partially_completed: 1 alipay paid, 1 alipay canceled"),
        ("wait", true, "partially_completed: 1 alipay paid, 1 alipay rerouting, 2 bank released"),
        ("wait", false, "partially_completed: 1 alipay paid, 1 alipay released"),
    ] {
        let world = two_legs(["0000", "0014"], Older::AtOnce).await;
        assert_eq!(world.standing().await, "action_required: 1 alipay paid, 1 alipay rerouting");
        assert_eq!(world.buckets().await, "0 0 1000, 0 1000 0");
        let id = world.the_one().await;
        if with_details {
            assert_eq!(world.say(&[details(id, "张三", "0000")]).await, 1);
        }
        if way == "wait" {
            world.till.clock.advance_to(world.now() + TimeDelta::days(15));
            assert_eq!(expiry::pass(&world.till.database, world.now()).await.expect("expiry"), 1);
            assert_eq!(expiry::pass(&world.till.database, world.now()).await.expect("expiry"), 0);
        } else {
            assert_eq!(world.say(&[decision(id, way, "boss")]).await, 1, "{way}");
        }
        assert_eq!(world.standing().await, ends, "{way}, details: {with_details}");
        assert_eq!(world.buckets().await, "0 0 1000, 1000 0 0", "{way}");
        assert_eq!(world.stage.text("select expires_at from withdrawal").await, "", "{way}");
        assert_eq!(world.say(&[decision(id, "approve", "boss")]).await, 0, "{way}: it is over");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn a_payment_that_comes_back_days_later_goes_another_way_as_new_movements() {
    let world = approved("bank_transfer", None, &[("0009", "paid")]).await;
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, "completed: 1 bank paid");
    let id = world.the_one().await;
    world.till.clock.advance_to(world.now() + TimeDelta::days(10));
    assert_eq!(world.told_of(world.number_of("t0009").await, Claim::Returned).await, 0);
    assert_eq!(world.standing().await, "action_required: 1 bank rerouting");
    assert_eq!(world.buckets().await, "0 1000 0");

    // The first account that the customer names bounces as well.
    assert_eq!(world.say(&[details(id, "张三", "0009")]).await, 1);
    world.approve_all().await;
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, "completed: 1 bank rerouting, 2 bank paid");
    world.till.clock.advance_to(world.now() + TimeDelta::days(10));
    world.told_of(world.number_of("t0009").await, Claim::Returned).await;
    assert_eq!(
        world.standing().await,
        "action_required: 1 bank rerouting, 2 bank rerouting",
        "not to the account that has just sent it back"
    );
    assert_eq!(world.say(&[details(id, "张三", "0000")]).await, 1);
    world.approve_all().await;
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, "completed: 1 bank rerouting, 2 bank rerouting, 3 bank paid");
    assert_eq!(world.buckets().await, "0 0 1000");
    let causes = "select string_agg(cause, ' ' order by id) from transfer where cause <> 'credited'";
    assert_eq!(world.stage.text(causes).await, "hold payout returned payout returned payout");
    world.books_agree().await;
}

#[tokio::test]
async fn details_that_were_given_once_serve_the_next_slice_and_await_their_own_approval() {
    let world = two_legs(["0009", "0014"], Older::AtOnce).await;
    let id = world.the_one().await;
    assert_eq!(world.say(&[details(id, "张三", "0000")]).await, 1);
    world.approve_all().await;
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, "completed: 1 alipay paid, 1 alipay rerouting, 2 bank paid");
    world.till.clock.advance_to(world.now() + TimeDelta::days(10));
    assert_eq!(world.told_of(world.number_of("t0009").await, Claim::Returned).await, 1, "Alipay is asked");
    let waits = "action_required: 1 alipay rerouting, 2 bank planned, 1 alipay rerouting, 2 bank paid";
    assert_eq!(world.standing().await, waits);
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, waits, "the approval of the other slice was not for this one");
    world.approve_all().await;
    world.run_to_the_end().await;
    assert_eq!(world.buckets().await, "0 0 1000, 0 0 1000");
    world.books_agree().await;
}

#[tokio::test]
async fn what_comes_back_on_any_channel_reaches_the_customer_in_the_end() {
    for (channel, sim_channel, rail) in [
        ("alipay", Some("alipay"), "alipay"),
        ("wechat", Some("wechat"), "wechat"),
        ("unionpay_personal", Some("unionpay"), "unionpay"),
        ("bank_transfer", None, "bank"),
    ] {
        let world = approved(channel, sim_channel, &[("0009", "paid")]).await;
        world.run_to_the_end().await;
        assert_eq!(world.standing().await, format!("completed: 1 {rail} paid"));
        world.till.clock.advance_to(world.now() + TimeDelta::days(10));
        if rail == "unionpay" {
            // Its queries and notices tell of no return; the file of the day does.
            let rail = Rail::UnionPay;
            assert_eq!(world.says(rail, statement::Claim::Returned).await, "returned");
        } else {
            world.told_of(world.number_of("t0009").await, Claim::Returned).await;
        }
        assert_eq!(world.standing().await, format!("action_required: 1 {rail} rerouting"), "{channel}");
        let promised = "select concat_ws(' ', withdrawal.deadline_at, leg.deadline_at) from withdrawal, leg";
        assert_eq!(world.stage.text(promised).await, "", "{channel}: nobody knows by when");
        let id = world.the_one().await;
        assert_eq!(world.say(&[details(id, "张三", "0000"), decision(id, "approve", "boss")]).await, 2);
        world.run_to_the_end().await;
        assert_eq!(world.standing().await, format!("completed: 1 {rail} rerouting, 2 bank paid"));
        assert_eq!(world.buckets().await, "0 0 1000", "{channel}");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn r17_a_held_leg_beside_a_rerouted_one_leaves_when_its_obstacle_is_gone() {
    let world = two_legs(["0000", "0014"], Older::Later).await;
    assert_eq!(world.standing().await, "action_required: 1 alipay scheduled, 1 alipay rerouting");
    world.stage.run("update account set advance_payment = true").await;
    world.till.clock.advance_to(world.now() + TimeDelta::hours(2));
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, "action_required: 1 alipay held, 1 alipay rerouting");
    let guard = Guard { policy: policy(), vault: vault() };
    assert_eq!(holds::pass(&world.till.database, &guard, world.now()).await.expect("holds"), 0);
    world.stage.run("update account set advance_payment = false").await;
    assert_eq!(holds::pass(&world.till.database, &guard, world.now()).await.expect("holds"), 1);
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, "action_required: 1 alipay paid, 1 alipay rerouting");
    world.books_agree().await;
}
