//! A statement moves legs as a query does, and shows what it cannot move.

use domain::{Money, Rail};
use workers::statement::{self, Claim, Line};

use crate::funding::decision;
use crate::returns::details;
use crate::stage::{cny, rules};
use crate::{SILENT, World, approved};

impl World {
    /// What is made of one line about this payout number.
    async fn line(&self, (rail, payout_no, amount): (Rail, &str, Money), claim: Claim) -> String {
        let line = Line {
            rail,
            payout_no: payout_no.to_owned(),
            amount,
            claim,
            reference: Some("R1".to_owned()),
            place: "a statement of 2026-03-10".to_owned(),
        };
        let mut tx = self.till.database.begin().await.expect("a transaction");
        let effects = statement::apply(&mut tx, &[line], &rules().policy, self.now()).await.expect("effects");
        tx.commit().await.expect("a commit");
        let [effect] = effects[..] else { panic!("one effect for one line") };
        effect.to_string()
    }

    /// The same about the newest leg of the only slice, in its amount.
    pub(crate) async fn says(&self, rail: Rail, claim: Claim) -> String {
        let number = self.stage.text("select payout_no from leg order by generation desc limit 1").await;
        self.line((rail, &number, cny("10.00")), claim).await
    }
}

#[tokio::test]
async fn a_statement_settles_what_was_paid_and_takes_back_what_returned() {
    let world = approved("bank_transfer", None, &[("0009", "paid")]).await;
    let number = world.number_of("t0009").await;
    assert_eq!(world.says(Rail::Bank, Claim::Paid).await, "contradicts", "it was never sent");
    world.run_to_the_end().await;
    assert_eq!(world.line((Rail::Alipay, &number, cny("10.00")), Claim::Paid).await, "not_ours");
    assert_eq!(world.line((Rail::Bank, "nobody", cny("10.00")), Claim::Paid).await, "not_ours");
    assert_eq!(world.line((Rail::Bank, &number, cny("10.01")), Claim::Paid).await, "amount_differs");
    assert_eq!(world.says(Rail::Bank, Claim::NotExecuted).await, "asked");
    assert_eq!(world.standing().await, "completed: 1 bank paid");
    assert_eq!(world.says(Rail::Bank, Claim::Paid).await, "settled");
    assert_eq!(world.says(Rail::Bank, Claim::Paid).await, "confirmed");
    assert_eq!(world.says(Rail::Bank, Claim::NotExecuted).await, "contradicts");
    assert_eq!(world.standing().await, "completed: 1 bank settled");
    world.books_agree().await;

    world.till.clock.advance_to(world.now() + chrono::TimeDelta::days(10));
    assert_eq!(world.says(Rail::Bank, Claim::Returned).await, "returned");
    assert_eq!(world.says(Rail::Bank, Claim::Returned).await, "confirmed");
    assert_eq!(world.says(Rail::Bank, Claim::Paid).await, "confirmed", "it was, before it came back");
    assert_eq!(world.standing().await, "action_required: 1 bank rerouting");
    assert_eq!(world.buckets().await, "0 1000 0");
    world.books_agree().await;
}

#[tokio::test]
async fn a_statement_ends_a_doubt_and_a_review_and_no_line_ends_neither() {
    let world = approved("unionpay_personal", Some("unionpay"), SILENT).await;
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, "action_required: 1 unionpay manual_review");
    assert_eq!(world.says(Rail::UnionPay, Claim::NotExecuted).await, "for_people");
    assert_eq!(world.says(Rail::UnionPay, Claim::Paid).await, "settled");
    assert_eq!(world.standing().await, "completed: 1 unionpay settled");
    let path = "select string_agg(to_state, ' ' order by sequence) from transition where leg_id is not null";
    let path = world.stage.text(path).await;
    assert!(path.ends_with("manual_review paid settled"), "{path}");
}

#[tokio::test]
async fn a_channel_that_paid_what_it_had_refused_pays_it_once() {
    // Nothing has taken the leg's place: the books follow the money.
    let world = approved("alipay", Some("alipay"), &[("0014", "rerouting")]).await;
    world.run_to_the_end().await;
    assert_eq!(world.says(Rail::Alipay, Claim::Paid).await, "settled");
    assert_eq!(world.standing().await, "completed: 1 alipay settled");
    assert_eq!(world.buckets().await, "0 0 1000");

    // Another leg has, and waits for its cut-off: it is not sent, whoever lets it go.
    let world = approved("alipay", Some("alipay"), &[("0014", "rerouting")]).await;
    world.run_to_the_end().await;
    let number = world.number_of("t0014").await;
    let id = world.the_one().await;
    assert_eq!(world.say(&[details(id, "张三", "0000")]).await, 1);
    assert_eq!(world.line((Rail::Alipay, &number, cny("10.00")), Claim::Paid).await, "contradicts");
    assert_eq!(world.say(&[decision(id, "approve", "boss")]).await, 1);
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, "on_hold: 1 alipay rerouting, 2 bank held");
    assert_eq!(world.stage.text("select held_because from withdrawal").await, "predecessor_paid");
    assert_eq!(world.line((Rail::Alipay, &number, cny("10.00")), Claim::Paid).await, "contradicts");
    let kept = "select string_agg(concat_ws(' ', state, claim, told_by, detail), ', ') from late_effect";
    assert_eq!(world.stage.text(kept).await, "rerouting paid statement a statement of 2026-03-10");
    assert!(world.simulator.book().movements.is_empty());
    assert_eq!(world.say(&[decision(id, "cancel", "customer")]).await, 1, "people can still give it back");
    assert_eq!(world.standing().await, "canceled: 1 alipay rerouting, 2 bank canceled");
    world.books_agree().await;
}

#[tokio::test]
async fn a_scheduled_successor_is_stopped_when_its_predecessor_was_paid_after_all() {
    let world = approved("wechat", Some("wechat"), &[("0014", "rerouting")]).await;
    world.run_to_the_end().await;
    let number = world.number_of("t0014").await;
    let id = world.the_one().await;
    assert_eq!(world.say(&[details(id, "张三", "0000"), decision(id, "approve", "boss")]).await, 2);
    assert_eq!(world.standing().await, "approved: 1 wechat rerouting, 2 bank scheduled");
    assert_eq!(world.line((Rail::WeChat, &number, cny("10.00")), Claim::Paid).await, "contradicts");
    assert_eq!(world.standing().await, "on_hold: 1 wechat rerouting, 2 bank held");
    world.books_agree().await;
}
