//! Facts that contradict what is known: parked, the account stops, later facts wait.

use serde_json::{Value, json};

use crate::world::{World, billed, credited, fact, upserted};

#[tokio::test]
async fn a_refused_fact_stops_the_account_until_a_corrected_one_comes() {
    let world = World::new().await;
    let wrong = billed("a", 3, "10.01");
    let later = billed("a", 4, "1.00");
    world.deliver(&[upserted("a", 1), credited("a", 2, "t", "10.00", 1), wrong.clone(), later]).await;
    assert_eq!(world.dead_letters().await, ["not_enough_remaining"]);
    let stopped = world.stopped("a").await;
    assert!(stopped.starts_with("fact_refused: version 3 "), "{stopped}");
    assert!(stopped.contains("not_enough_remaining"), "{stopped}");
    assert_eq!(world.remaining("a").await, "t 1000");

    // The same message again is known; it is neither tried nor parked again.
    world.redeliver(&wrong).await;
    assert_eq!(world.deliver(&[wrong]).await.repeated, 1);
    assert_eq!(world.dead_letters().await.len(), 1);

    let tally = world.deliver(&[billed("a", 3, "9.00")]).await;
    assert_eq!(tally.applied, 2, "the corrected fact and the one that waited");
    assert_eq!((world.remaining("a").await.as_str(), world.stopped("a").await.as_str()), ("t 0", "-"));
}

#[tokio::test]
async fn a_correction_in_the_same_batch_counts() {
    let world = World::new().await;
    let tally = world
        .deliver(&[
            upserted("a", 1),
            credited("a", 2, "t", "10.00", 1),
            billed("a", 3, "11.00"),
            billed("a", 3, "4.00"),
            billed("a", 3, "5.00"),
        ])
        .await;
    assert_eq!((tally.applied, tally.refused), (3, 2));
    assert_eq!(world.dead_letters().await, ["not_enough_remaining", "version_conflict"]);
    assert_eq!((world.remaining("a").await.as_str(), world.stopped("a").await.as_str()), ("t 600", "-"));
}

#[tokio::test]
async fn every_refusal_has_its_code_and_moves_nothing() {
    let world = World::new().await;
    let cny = |amount: &str| json!({ "amount": amount, "currency": "CNY" });
    let with = |mut data: Value, name: &str, value: &str| {
        data[name] = value.into();
        data
    };
    let slices = json!({ "bill_id": "b", "amount": "1.00", "currency": "CNY",
                         "slices": [{ "top_up_id": "nobody", "amount": "1.00" }] });
    let dollars = json!({ "bill_id": "b", "amount": "1.00", "currency": "USD" });
    let grant =
        json!({ "allocation_id": "g", "member_account_id": "m", "amount": "2.00", "currency": "CNY" });
    for (place, (kind, data, code)) in [
        ("usage.billed", dollars, "currency_mismatch"),
        ("usage.billed", slices, "unknown_top_up"),
        ("top_up.bonus_changed", json!({ "top_up_id": "nobody", "bonus": true }), "unknown_top_up"),
        ("invoice.returned", with(cny("1.00"), "invoice_id", "none"), "unknown_invoice"),
        ("invoice.paid", with(cny("5.01"), "invoice_id", "i"), "invoice_exceeded"),
        ("invoice.issued", with(cny("5.00"), "invoice_id", "i"), "invoice_already_issued"),
        ("allocation.granted", grant.clone(), "allocation_already_granted"),
        ("allocation.reclaimed", with(cny("2.01"), "allocation_id", "g"), "allocation_exceeded"),
        ("allocation.reclaimed", with(cny("1.00"), "allocation_id", "h"), "allocation_invoiced"),
        ("allocation.reclaimed", with(cny("1.00"), "allocation_id", "x"), "unknown_allocation"),
    ]
    .into_iter()
    .enumerate()
    {
        let account = format!("a{place}");
        let mut other = grant.clone();
        other["allocation_id"] = "h".into();
        world
            .deliver(&[
                upserted(&account, 1),
                credited(&account, 2, "t", "10.00", 1),
                fact("invoice.issued", &account, 3, with(cny("5.00"), "invoice_id", "i")),
                fact("allocation.granted", &account, 4, grant.clone()),
                fact("allocation.granted", &account, 5, other),
                fact("allocation.invoiced", &account, 6, json!({ "allocation_id": "h", "invoiced": true })),
            ])
            .await;
        world.deliver(&[fact(kind, &account, 7, data)]).await;
        assert_eq!(world.dead_letters().await.last().map(String::as_str), Some(code), "{kind}");
        assert_eq!(world.remaining(&account).await, "t 600", "{kind}");
        assert!(world.stopped(&account).await.contains(code), "{kind}");
    }
}

#[tokio::test]
async fn the_first_fact_of_an_account_must_tell_who_it_is() {
    let world = World::new().await;
    let tally = world.deliver(&[credited("a", 1, "t", "1.00", 1), credited("a", 2, "u", "1.00", 1)]).await;
    assert_eq!((tally.refused, tally.waiting), (1, 1));
    assert_eq!(world.dead_letters().await, ["unknown_account"]);
    world.deliver(&[upserted("a", 1)]).await;
    assert_eq!(world.remaining("a").await, "u 100");
}

#[tokio::test]
async fn a_bill_is_refused_when_what_it_needs_is_held_for_a_withdrawal() {
    let world = World::new().await;
    world.deliver(&[upserted("a", 1), credited("a", 2, "t", "10.00", 1)]).await;
    world
        .execute(
            "update top_up set remaining = 300, held = 700;
             update account set remaining = 300, held = 700;",
        )
        .await;
    world.deliver(&[billed("a", 3, "3.01")]).await;
    assert_eq!(world.dead_letters().await, ["not_enough_remaining"]);
    world.deliver(&[billed("a", 3, "3.00")]).await;
    let buckets = "select remaining || ' ' || consumed || ' ' || held from top_up";
    assert_eq!(world.text(buckets).await, "0 300 700");
}
