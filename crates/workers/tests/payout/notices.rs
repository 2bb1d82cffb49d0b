//! What settle makes of notices: they hasten a query, and the query decides.

use store::notices::{self, Claim, Received, Verdict};
use uuid::Uuid;
use workers::{payout, release, settle};

use crate::{World, approved};

impl World {
    /// Keeps a notice about the only leg, as its receiver would, and lets settle
    /// look at it. Answers how many queries were made.
    async fn told(&self, claim: Claim) -> usize {
        let payout_no = self.stage.text("select payout_no from leg").await;
        self.told_of(payout_no, claim).await
    }

    /// The same about the leg with this payout number.
    pub(crate) async fn told_of(&self, payout_no: String, claim: Claim) -> usize {
        let mut tx = self.till.database.begin().await.expect("a transaction");
        let leg = notices::addressees(&mut tx, &[&payout_no]).await.expect("legs").remove(0);
        let notice = Received {
            id: Uuid::now_v7(),
            rail: leg.rail,
            notice_id: Uuid::now_v7().to_string(),
            payout_no,
            leg_id: Some(leg.leg_id),
            amount: leg.amount,
            claim,
            verdict: Verdict::Accepted,
            happened_at: None,
        };
        assert_eq!(notices::put(&mut tx, &[notice], self.now()).await.expect("a row").len(), 1);
        tx.commit().await.expect("a commit");
        settle::pass(&self.till).await.expect("settle")
    }

    /// The state of the only leg, and what settle made of the newest notice.
    async fn ended(&self) -> (String, String) {
        let effect = "select effect from notice order by received_at desc, id desc limit 1";
        (self.stage.text("select state from leg").await, self.stage.text(effect).await)
    }

    /// Sends the only leg, once.
    async fn dispatch(&self) {
        release::pass(&self.till.database, &self.till.clock).await.expect("release");
        for (rail, legs) in self.due().await {
            payout::pass(&self.till, rail, &legs).await.expect("payout");
        }
    }
}

fn is(state: &str, effect: &str) -> (String, String) {
    (state.to_owned(), effect.to_owned())
}

#[tokio::test]
async fn a_notice_hastens_the_query_and_the_query_decides() {
    for (channel, sim_channel) in
        [("alipay", "alipay"), ("wechat", "wechat"), ("unionpay_personal", "unionpay")]
    {
        let world = approved(channel, Some(sim_channel), &[("0001", "paid")]).await;
        world.dispatch().await;
        // The gateway has paid by now, and the first query is not due yet.
        world.till.clock.advance_to(world.now() + chrono::TimeDelta::milliseconds(3_500));
        world.stage.run("update leg set check_at = check_at + interval '1 day'").await;
        assert_eq!(settle::pass(&world.till).await.expect("settle"), 0, "{channel}");
        assert_eq!(world.told(Claim::Refused).await, 1, "{channel}");
        assert_eq!(world.ended().await, is("paid", "hastened"), "{channel}: not what the notice claimed");
        assert_eq!(world.told(Claim::Paid).await, 0, "{channel}");
        assert_eq!(world.ended().await, is("paid", "confirmed"), "{channel}");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn a_payment_that_came_back_is_taken_back_when_its_gateway_says_so() {
    for (channel, sim_channel, claim, effect, queries) in [
        ("alipay", Some("alipay"), Claim::Returned, "hastened", 1),
        ("wechat", Some("wechat"), Claim::Refused, "hastened", 1),
        // No query of a bank tells of returns: its signed booking is the word.
        ("bank_transfer", None, Claim::Returned, "returned", 0),
    ] {
        let world = approved(channel, sim_channel, &[("0009", "paid")]).await;
        world.run_to_the_end().await;
        assert_eq!(world.stage.text("select state from leg").await, "paid", "{channel}");
        world.till.clock.advance_to(world.now() + chrono::TimeDelta::days(10));
        assert_eq!(world.told(claim).await, queries, "{channel}");
        assert_eq!(world.ended().await, is("rerouting", effect), "{channel}");
        assert_eq!(world.stage.text("select state from withdrawal").await, "action_required", "{channel}");
        let buckets = "select concat_ws(' ', remaining, held, paid_out) from top_up";
        assert_eq!(world.stage.text(buckets).await, "0 1000 0", "{channel}");
        assert_eq!(world.told(claim).await, 0, "{channel}");
        assert_eq!(world.ended().await, is("rerouting", "no_change"), "{channel}: once");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn notices_that_overtake_each_other_end_where_they_would_have_in_order() {
    for order in [[Claim::Paid, Claim::Returned], [Claim::Returned, Claim::Paid]] {
        for (channel, sim_channel) in
            [("alipay", Some("alipay")), ("wechat", Some("wechat")), ("bank_transfer", None)]
        {
            let world = approved(channel, sim_channel, &[("0009", "paid")]).await;
            world.run_to_the_end().await;
            world.till.clock.advance_to(world.now() + chrono::TimeDelta::days(10));
            for claim in order {
                world.told(claim).await;
            }
            world.run_to_the_end().await;
            assert_eq!(world.standing().await, format!("action_required: 1 {} rerouting", rail_of(channel)));
            world.books_agree().await;
        }
    }
}

/// The rail on which a channel's money goes back.
fn rail_of(channel: &str) -> &str {
    channel.split('_').next().expect("a word")
}

#[tokio::test]
async fn a_notice_that_contradicts_the_gateway_or_the_books_moves_nothing() {
    let world = approved("alipay", Some("alipay"), &[("0000", "paid")]).await;
    assert_eq!(world.told(Claim::Paid).await, 0);
    assert_eq!(world.ended().await, is("scheduled", "no_change"), "nothing was sent yet");
    world.run_to_the_end().await;
    assert_eq!(world.told(Claim::Returned).await, 1);
    assert_eq!(world.ended().await, is("paid", "hastened"), "the gateway was asked, and still has it paid");

    let world = approved("alipay", Some("alipay"), &[("0004", "released")]).await;
    world.run_to_the_end().await;
    assert_eq!(world.told(Claim::Paid).await, 0);
    assert_eq!(world.ended().await, is("released", "contradicts"));
    let kept = "select concat_ws(' ', state, claim, told_by) from late_effect";
    assert_eq!(world.stage.text(kept).await, "released paid notice", "it is there for people to see");

    let world = approved("alipay", Some("alipay"), &[("0002", "rerouting")]).await;
    world.run_to_the_end().await;
    assert_eq!(world.told(Claim::Paid).await, 1, "nothing was given back, so the gateway is asked first");
    assert_eq!(world.ended().await, is("rerouting", "hastened"), "and it has not paid");
    world.books_agree().await;
}
