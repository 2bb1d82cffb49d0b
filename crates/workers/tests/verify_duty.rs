//! The verify duty: broken books stop every send, until a person lets it go on.

mod stage;

use stage::{Credit, Stage, now};
use store::checks;
use store::stops::{self, ALL};
use workers::verify;

/// What the duty finds broken, by invariant.
async fn look(stage: &Stage) -> Vec<String> {
    let mut broken: Vec<String> = verify::pass(&stage.database, 2, now())
        .await
        .expect("a look")
        .into_iter()
        .map(|it| it.invariant)
        .collect();
    broken.dedup();
    broken
}

/// Why every send is stopped, if it is, and by whom.
async fn stopped(stage: &Stage) -> Option<(String, String)> {
    let mut connection = stage.database.pool().acquire().await.expect("a connection");
    let stops = stops::all(&mut connection).await.expect("stops");
    stops.into_iter().find(|it| it.name == ALL).map(|it| (it.thrown_by, it.reason))
}

/// A person lets sends go on.
async fn lift(stage: &Stage) {
    let mut tx = stage.database.begin().await.expect("a transaction");
    assert!(stops::lift(&mut tx, ALL, ("looked into it", "boss"), now()).await.expect("a lift"));
    tx.commit().await.expect("a commit");
}

#[tokio::test]
async fn clean_books_are_kept_as_clean_and_stop_nothing() {
    let stage = Stage::new().await;
    assert_eq!(look(&stage).await, Vec::<String>::new());
    let mut connection = stage.database.pool().acquire().await.expect("a connection");
    let kept = checks::all(&mut connection).await.expect("checks");
    assert_eq!(kept.len(), store::verify::INVARIANTS.len());
    assert!(kept.iter().all(|it| it.violations == 0 && it.checked_at == now() && it.broken_since.is_none()));
    assert_eq!(stopped(&stage).await, None);
}

#[tokio::test]
async fn s07_broken_money_stops_every_send_until_a_person_lifts_it() {
    let stage = Stage::new().await;
    let credit =
        |id| Credit { id, channel: "alipay", arrived_at: "2026-02-01T12:00:00+08:00", amount: "10.00" };
    stage.account("acct-1", &[credit("t1")]).await;
    stage.account("acct-2", &[credit("t2")]).await;
    stage.run("update account set remaining = remaining + 1 where id = 'acct-1'").await;

    assert_eq!(look(&stage).await, ["I02"]);
    let (by, reason) = stopped(&stage).await.expect("sends are stopped");
    assert!(by == "verify" && reason.starts_with("I02 is broken 1 times: "), "{by}: {reason}");
    let kept = "select concat_ws(' ', invariant, violations, broken_since is not null) from invariant_check where violations > 0";
    assert_eq!(stage.text(kept).await, "I02 1 t");

    lift(&stage).await;
    look(&stage).await;
    assert_eq!(stopped(&stage).await, None, "the person knew of this one");

    stage.run("update account set remaining = remaining + 1 where id = 'acct-2'").await;
    look(&stage).await;
    assert!(stopped(&stage).await.expect("stopped again").1.starts_with("I02 is broken 2 times"));

    lift(&stage).await;
    stage.run("update account set remaining = remaining - 1").await;
    assert_eq!(look(&stage).await, Vec::<String>::new());
    stage.run("update account set remaining = remaining + 1 where id = 'acct-1'").await;
    look(&stage).await;
    assert!(stopped(&stage).await.is_some(), "what was whole meanwhile is broken anew");
}

#[tokio::test]
async fn what_is_broken_but_moves_no_money_is_told_and_stops_nothing() {
    let stage = Stage::new().await;
    let stray = "insert into outbox (shard, key, exchange, routing_key, content_type, body, created_at, published_at) \
                 values (0, 'k', 'outflow.events', 'withdrawal.completed', '', \
                 convert_to('{\"id\": \"x:1\", \"type\": \"outflow.withdrawal.completed.v1\"}', 'UTF8'), \
                 '2026-03-01', '2026-03-01')";
    stage.run(stray).await;
    assert_eq!(look(&stage).await, ["I15"]);
    assert_eq!(stopped(&stage).await, None);
}
