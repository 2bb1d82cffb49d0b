//! Our own balance is too low (`0005`): the same number goes again, later and
//! later, until somebody funds the account or takes the withdrawal back.

use broker::contract::{Envelope, Stamp, WithdrawalDecided};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;
use workers::decisions::{Message, decide};
use workers::{Desk, payout, release, settle};

use crate::{World, approved, policy, rules, vault};

/// People at their desk.
pub(crate) fn desk() -> Desk {
    Desk { policy: policy(), approval_wait: rules().policy.approval_wait, vault: vault() }
}

/// A decision of a person, under an id of its own.
pub(crate) fn decision(withdrawal: Uuid, word: &str, actor: &str) -> Message {
    let data = json!({ "withdrawal_id": withdrawal, "decision": word, "actor": actor, "reason": "because" });
    let data: WithdrawalDecided = serde_json::from_value(data).expect("a decision");
    let id = Uuid::now_v7().to_string();
    let stamp = Stamp {
        source: "/people".parse().expect("a source"),
        id: id.parse().expect("an id"),
        time: crate::now(),
    };
    Envelope::new(stamp, WithdrawalDecided::KIND, data.into())
}

impl World {
    /// Lets people say something, and answers how much of it took effect.
    pub(crate) async fn say(&self, messages: &[Message]) -> usize {
        decide(&self.till.database, messages, &desk(), self.now()).await.expect("it is taken in")
    }

    /// The only withdrawal.
    pub(crate) async fn the_one(&self) -> Uuid {
        self.stage.text("select id from withdrawal").await.parse().expect("one withdrawal")
    }
}

#[tokio::test]
async fn without_funds_the_same_number_goes_again_until_the_requester_takes_it_back() {
    for (channel, sim_channel) in
        [("alipay", Some("alipay")), ("wechat", Some("wechat")), ("bank_transfer", None)]
    {
        let world = approved(channel, sim_channel, &[("0005", "")]).await;
        let number = world.stage.text("select payout_no from leg").await;
        for _ in 0..4 {
            let due = world.stage.text("select dispatch_at from leg").await;
            let due: DateTime<Utc> = format!("{due}:00").parse().expect("a moment");
            world.till.clock.advance_to(due + TimeDelta::milliseconds(1));
            release::pass(&world.till.database, &world.till.clock).await.expect("release");
            for (rail, legs) in world.due().await {
                payout::pass(&world.till, rail, &legs).await.expect("payout");
            }
            settle::pass(&world.till).await.expect("settle");
        }
        let leg = world.stage.text("select concat_ws(' ', state, attempts, payout_no) from leg").await;
        assert_eq!(leg, format!("scheduled 4 {number}"), "{channel}");
        let numbers = "select count(distinct payout_no) from attempt";
        assert_eq!(world.stage.text(numbers).await, "1", "{channel}");
        world.books_agree().await;

        let id = world.the_one().await;
        assert_eq!(world.say(&[decision(id, "cancel", "customer")]).await, 1, "{channel}");
        let ends = "select concat_ws(' ', withdrawal.state, leg.state, remaining, held) from withdrawal, leg, top_up";
        assert_eq!(world.stage.text(ends).await, "canceled canceled 1000 0", "{channel}");
        assert!(world.simulator.book().movements.is_empty(), "{channel}");
        world.books_agree().await;
    }
}

#[tokio::test]
async fn unionpay_takes_no_such_refund_any_more() {
    // Code 64 is a refusal for good there: the money is back in its top-up.
    let world = approved("unionpay_personal", Some("unionpay"), &[("0005", "released")]).await;
    world.run_to_the_end().await;
    assert_eq!(world.stage.text("select state from leg").await, "released");
    world.books_agree().await;
}
