//! Facts that wait too long, chains that were cut, totals that differ.

use chrono::TimeDelta;
use serde_json::Value;
use workers::facts::{check_totals, report_gaps, resume};

use crate::world::{World, billed, credited, noon, upserted};

#[tokio::test]
async fn a_gap_is_reported_once_stops_the_account_and_loses_nothing() {
    let world = World::new().await;
    let patience = TimeDelta::minutes(15);
    world
        .deliver(&[upserted("a", 1), credited("a", 4, "d", "1.00", 4), credited("a", 5, "e", "1.00", 5)])
        .await;
    let just_before = noon() + patience;
    assert_eq!(report_gaps(&world.desk, just_before, patience).await.unwrap(), 0);
    let after = just_before + TimeDelta::milliseconds(1);
    assert_eq!(report_gaps(&world.desk, after, patience).await.unwrap(), 1);
    assert_eq!(report_gaps(&world.desk, after, patience).await.unwrap(), 0);
    assert_eq!(world.dead_letters().await, ["missing_versions"]);
    let detail = world.text("select problem->>'detail' from parked_message").await;
    assert_eq!(detail, "versions 2 to 3 of the account did not come; this message waits for them");
    assert_eq!(world.stopped("a").await, "facts_missing: versions 2 to 3");

    let tally = world.deliver(&[credited("a", 3, "c", "1.00", 3), credited("a", 2, "b", "1.00", 2)]).await;
    assert_eq!(tally.applied, 4);
    assert_eq!(world.remaining("a").await, "b 100, c 100, d 100, e 100");
    assert_eq!(world.stopped("a").await, "-");
}

#[tokio::test]
async fn the_gap_of_an_account_that_nobody_opened_is_reported_too() {
    let world = World::new().await;
    world.deliver(&[credited("a", 2, "t", "1.00", 1)]).await;
    let later = noon() + TimeDelta::hours(1);
    assert_eq!(report_gaps(&world.desk, later, TimeDelta::minutes(15)).await.unwrap(), 1);
    let detail = world.text("select problem->>'detail' from parked_message").await;
    assert_eq!(detail, "version 1 of the account did not come; this message waits for them");
}

#[tokio::test]
async fn a_long_chain_is_applied_in_several_transactions() {
    let world = World::new().await;
    let chain: Vec<Value> =
        (2..=1300).map(|version| credited("a", version, &format!("t{version}"), "1.00", 1)).collect();
    for part in chain.chunks(400) {
        world.deliver(part).await;
    }
    world.deliver(&[upserted("a", 1)]).await;
    let version = "select fact_version::text from account";
    assert_eq!(world.text(version).await, "501");
    assert_eq!(resume(&world.desk, noon()).await.unwrap(), 799);
    assert_eq!(world.text(version).await, "1300");
    assert_eq!(resume(&world.desk, noon()).await.unwrap(), 0);
}

#[tokio::test]
async fn totals_that_differ_stop_the_account_and_a_fact_does_not_release_it() {
    let world = World::new().await;
    world.deliver(&[upserted("a", 1), upserted("b", 1), credited("a", 2, "t", "1.00", 1)]).await;
    assert_eq!(check_totals(&world.desk, noon()).await.unwrap(), 0);
    world.execute("update account set remaining = remaining + 1 where id = 'a'").await;
    assert_eq!(check_totals(&world.desk, noon()).await.unwrap(), 1);
    let stopped = world.stopped("a").await;
    assert_eq!(
        stopped,
        "control_total: free 101 and held 0 of the account, 100 and 0 of its top-ups, in minor units"
    );
    world.deliver(&[billed("a", 3, "0.50")]).await;
    assert_eq!((world.stopped("a").await, world.stopped("b").await), (stopped, "-".to_owned()));
}
