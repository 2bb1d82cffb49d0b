//! Nudges that were lost with their queue: the row is the truth, so they cost time alone.

use std::time::Duration;

use serde_json::json;
use workers::{approval, intake};

use crate::stage::{Credit, request, rules};
use crate::{World, policy};

/// A queue that is emptied takes with it what the approval was told.
#[tokio::test]
async fn a_withdrawal_that_the_approval_was_never_told_of_is_found_again() {
    let world = World::new().await;
    let credit =
        |id, amount| Credit { id, channel: "bank_transfer", arrived_at: "2026-02-01T12:00:00+08:00", amount };
    world.stage.account("acct-0000", &[credit("a", "10.00")]).await;
    world.stage.account("acct-0001", &[credit("b", "2000.00")]).await;
    let asks = [
        request("small", "10.00", json!({ "account_id": "acct-0000" })),
        request("large", "2000.00", json!({ "account_id": "acct-0001" })),
    ];
    intake::admit(&world.till.database, &rules(), &asks, world.now()).await.expect("intake");

    let look = async || {
        approval::review_waiting(&world.till.database, &policy(), world.now()).await.expect("the approval")
    };
    assert_eq!(look().await, approval::Tally::default(), "their nudges may still be under way");
    world.till.clock.advance(Duration::from_secs(31));
    let expected = approval::Tally { approved: 1, held: 0, waiting: 1 };
    assert_eq!(look().await, expected, "the small one goes, the large one waits for people");
    assert_eq!(look().await, approval::Tally { approved: 0, ..expected });
    let states = "select string_agg(request_id || ' ' || state, ', ' order by request_id) from withdrawal";
    assert_eq!(world.stage.text(states).await, "large pending_approval, small approved");
}
