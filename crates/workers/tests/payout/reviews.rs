//! Manual reviews end by two people who find the same, and by nobody else's guess.

use broker::contract::{Envelope, LegResolved, Stamp};
use serde_json::json;
use store::verify::verify;
use uuid::Uuid;
use workers::decisions::Message;

use crate::{SILENT, World, approved};

/// What a person found out about the only leg, under an id of its own.
async fn found(world: &World, outcome: &str, actor: &str) -> Message {
    let leg = world.stage.text("select id from leg").await;
    resolution(world.the_one().await, &leg, (outcome, actor))
}

fn resolution(withdrawal: Uuid, leg: &str, (outcome, actor): (&str, &str)) -> Message {
    let data = json!({ "withdrawal_id": withdrawal, "leg_id": leg, "outcome": outcome, "actor": actor,
                       "evidence": "line 7 of the statement" });
    let data: LegResolved = serde_json::from_value(data).expect("a resolution");
    let id = Uuid::now_v7().to_string();
    let stamp = Stamp {
        source: "/people".parse().expect("a source"),
        id: id.parse().expect("an id"),
        time: crate::now(),
    };
    Envelope::new(stamp, LegResolved::KIND, data.into())
}

/// A leg that its gateway never answered about: UnionPay is asked six times.
async fn in_review() -> World {
    let world = approved("unionpay_personal", Some("unionpay"), SILENT).await;
    world.run_to_the_end().await;
    assert_eq!(world.standing().await, "action_required: 1 unionpay manual_review");
    assert_eq!(world.buckets().await, "0 1000 0", "nobody knows, so it stays held");
    world
}

#[tokio::test]
async fn two_people_who_find_the_same_end_a_review_and_one_alone_does_not() {
    let world = in_review().await;
    let id = world.the_one().await;
    let refused: [(Message, &str); 3] = [
        (found(&world, "paid", "customer").await, "requester_cannot_resolve"),
        (resolution(Uuid::now_v7(), &Uuid::now_v7().to_string(), ("paid", "ann")), "unknown_withdrawal"),
        (resolution(id, &Uuid::now_v7().to_string(), ("paid", "ann")), "unknown_leg"),
    ];
    for (message, code) in refused {
        assert_eq!(world.say(&[message]).await, 0);
        assert_eq!(world.refused_with().await, code);
    }
    let first = found(&world, "not_paid", "ann").await;
    assert_eq!(world.say(std::slice::from_ref(&first)).await, 1);
    assert_eq!(world.say(&[first]).await, 0, "a repeat is no second person");
    assert_eq!(world.say(&[found(&world, "not_paid", "ann").await]).await, 0);
    assert_eq!(world.refused_with().await, "already_proposed");
    assert_eq!(world.say(&[found(&world, "paid", "bob").await]).await, 0);
    assert_eq!(world.refused_with().await, "resolution_differs");
    assert_eq!(world.standing().await, "action_required: 1 unionpay manual_review");
    assert_eq!(world.buckets().await, "0 1000 0");

    assert_eq!(world.say(&[found(&world, "not_paid", "bob").await]).await, 1);
    assert_eq!(world.standing().await, "failed: 1 unionpay released");
    assert_eq!(world.buckets().await, "1000 0 0");
    let kept = "select string_agg(concat_ws(' ', actor, claim, result), ', ' order by id) from resolution \
                where result in ('proposed', 'applied')";
    assert_eq!(world.stage.text(kept).await, "ann not_paid proposed, bob not_paid applied");
    assert_eq!(world.say(&[found(&world, "not_paid", "eve").await]).await, 0);
    assert_eq!(world.refused_with().await, "not_in_review");
    world.books_agree().await;
}

#[tokio::test]
async fn a_review_that_finds_the_payment_pays_it_out_in_the_books() {
    let world = in_review().await;
    // Ann finds out more, and says so; then Bob finds what she found last.
    for (outcome, actor) in [("not_paid", "ann"), ("paid", "ann"), ("paid", "bob")] {
        assert_eq!(world.say(&[found(&world, outcome, actor).await]).await, 1, "{outcome} {actor}");
    }
    assert_eq!(world.standing().await, "completed: 1 unionpay paid");
    assert_eq!(world.buckets().await, "0 0 1000");
    let note = "select note from transition where to_state = 'paid'";
    let note = world.stage.text(note).await;
    assert!(note.starts_with("resolved: as ann says too; line 7"), "{note}");
    let found = verify(&world.till.database, None, 1, world.now()).await.expect("an answer");
    assert!(found.iter().all(|it| it.subject.starts_with("outbox")), "{found:?}");
}

#[tokio::test]
async fn both_words_in_one_batch_are_two_words() {
    let world = in_review().await;
    let both = [found(&world, "not_paid", "ann").await, found(&world, "not_paid", "bob").await];
    assert_eq!(world.say(&both).await, 2);
    assert_eq!(world.standing().await, "failed: 1 unionpay released");
    world.books_agree().await;
}
