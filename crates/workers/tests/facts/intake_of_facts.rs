//! Order, repeats, conflicts, malformed messages and poison.

use serde_json::{Value, json};

use crate::world::{Redelivered, World, billed, credited, fact, noon, upserted};

#[tokio::test]
async fn facts_apply_in_the_order_of_their_versions_in_whatever_order_they_arrive() {
    let world = World::new().await;
    for (account, order) in
        [("a1", [0, 1, 2, 3]), ("a2", [3, 2, 1, 0]), ("a3", [2, 0, 3, 1]), ("a4", [1, 3, 0, 2])]
    {
        let history = [
            upserted(account, 1),
            credited(account, 2, "new", "10.00", 9),
            billed(account, 3, "4.00"),
            credited(account, 4, "old", "10.00", 1),
        ];
        for place in order {
            world.deliver(&history[place..=place]).await;
        }
        // The bill came before the older top-up was known: version, not arrival, decides.
        assert_eq!(world.remaining(account).await, "old 1000, new 600", "{order:?}");
        let versions =
            world.text(&format!("select fact_version::text from account where id = '{account}'")).await;
        assert_eq!(versions, "4");
    }
    assert_eq!(world.texts("select event_id from fact where body is not null").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_repeat_changes_nothing_and_another_content_under_its_id_is_a_conflict() {
    let world = World::new().await;
    let credit = credited("a", 2, "t", "10.00", 1);
    world.deliver(&[upserted("a", 1), credit.clone()]).await;
    let mut later_sent = credit.clone();
    later_sent["time"] = "2026-09-01T13:00:00+08:00".into();
    let tally = world.deliver(&[credit.clone(), later_sent, credit.clone()]).await;
    assert_eq!((tally.repeated, tally.refused), (3, 0));

    let mut other_content = credit.clone();
    other_content["data"]["amount"] = "99.00".into();
    let other_event = credited("a", 2, "u", "5.00", 1);
    let (first, second) = (billed("a", 9, "1.00"), billed("a", 9, "2.00"));
    let tally = world.deliver(&[other_content, other_event, first, second]).await;
    assert_eq!((tally.refused, tally.waiting), (3, 1));
    assert_eq!(world.dead_letters().await, ["event_conflict", "version_conflict", "version_conflict"]);
    assert_eq!(world.remaining("a").await, "t 1000");
    assert_eq!(world.stopped("a").await, "-");
}

#[tokio::test]
async fn a_malformed_message_is_one_dead_letter_and_its_neighbours_are_unharmed() {
    let world = World::new().await;
    let change = |pointer: &str, value: Value| {
        let mut message = credited("a", 3, "u", "1.00", 1);
        match message.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => message["data"][pointer.rsplit('/').next().unwrap()] = value,
        }
        message.to_string().into_bytes()
    };
    let bad = [
        (b"not json".to_vec(), "not_json"),
        (Vec::new(), "not_json"),
        (change("/data/surprise", json!(1)), "unknown_field"),
        (change("/data/amount", json!(1.5)), "invalid_amount"),
        (change("/data/amount", json!("1.001")), "invalid_amount"),
        (change("/data/bonus", json!("yes")), "wrong_type"),
        (change("/data/top_up_id", json!("x".repeat(65))), "invalid_id"),
        (change("/data/payer_name", json!("a\u{0}b")), "control_character"),
        (change("/type", json!("outflow.unheard.of.v1")), "unknown_type"),
        (change("/data/payer_name", json!("x".repeat(70_000))), "body_too_large"),
    ];
    let mut bodies = vec![upserted("a", 1).to_string().into_bytes()];
    bodies.extend(bad.iter().map(|(body, _)| body.clone()));
    bodies.push(credited("a", 2, "t", "1.00", 1).to_string().into_bytes());
    let tally = world.deliver_bytes(&bodies, noon(), Redelivered::No).await;
    assert_eq!((tally.applied, tally.refused), (2, bad.len() as u64));
    let codes: Vec<&str> = bad.iter().map(|(_, code)| *code).collect();
    assert_eq!(world.dead_letters().await, codes);
    assert_eq!(world.texts("select problem->>'code' from parked_message order by id").await, codes);

    // After a crash between commit and acknowledgement everything comes again.
    world.deliver_bytes(&bodies, noon(), Redelivered::Yes).await;
    assert_eq!(world.dead_letters().await, codes);
    assert_eq!(world.remaining("a").await, "t 100");
}

#[tokio::test]
async fn a_batch_that_the_database_refuses_is_split_until_the_poison_is_alone() {
    let world = World::new().await;
    world.execute("alter table top_up add constraint planted check (upstream_id <> 'poison')").await;
    let mut batch: Vec<Value> = Vec::new();
    for place in 0..9 {
        let account = format!("a{place}");
        batch.push(upserted(&account, 1));
        batch.push(credited(&account, 2, if place == 5 { "poison" } else { "t" }, "1.00", 1));
    }
    let tally = world.deliver(&batch).await;
    assert_eq!((tally.applied, tally.refused), (17, 1));
    assert_eq!(world.dead_letters().await, ["cannot_be_stored"]);
    assert_eq!(world.stopped("a5").await, "fact_refused: version 2 cannot be stored");
    assert_eq!(world.text("select count(*)::text from top_up").await, "8");

    // The corrected fact has the same version and ends the stop.
    world.deliver(&[credited("a5", 2, "cure", "1.00", 1)]).await;
    assert_eq!((world.remaining("a5").await.as_str(), world.stopped("a5").await.as_str()), ("cure 100", "-"));
}

#[tokio::test]
async fn poison_that_waits_does_not_take_the_message_that_wakes_it_along() {
    let world = World::new().await;
    world.execute("alter table top_up add constraint planted check (upstream_id <> 'poison')").await;
    world.deliver(&[upserted("a", 1), credited("a", 3, "poison", "1.00", 1)]).await;
    let tally = world.deliver(&[credited("a", 2, "t", "1.00", 1)]).await;
    assert_eq!((tally.applied, tally.refused), (1, 0));
    assert_eq!(world.remaining("a").await, "t 100");
}

#[tokio::test]
async fn two_workers_that_share_the_first_facts_of_accounts_lose_none() {
    let world = World::new().await;
    let accounts: Vec<String> = (0..20).map(|place| format!("a{place:02}")).collect();
    let odd: Vec<Value> = accounts
        .iter()
        .flat_map(|it| [upserted(it, 1), credited(it, 3, "c", "1.00", 3), billed(it, 5, "0.50")])
        .collect();
    let even: Vec<Value> = accounts
        .iter()
        .rev()
        .flat_map(|it| [credited(it, 4, "d", "1.00", 4), credited(it, 2, "b", "1.00", 2)])
        .collect();
    let (odd, even) = (&odd, &even);
    tokio::join!(
        async {
            for part in odd.chunks(7) {
                world.deliver(part).await;
            }
        },
        async {
            for part in even.chunks(5) {
                world.deliver(part).await;
            }
        }
    );
    for account in &accounts {
        assert_eq!(world.remaining(account).await, "b 50, c 100, d 100", "{account}");
    }
    assert_eq!(world.text("select count(*)::text from fact where body is not null").await, "0");
}

#[tokio::test]
async fn a_bill_over_many_small_top_ups_reads_on_until_it_is_paid() {
    let world = World::new().await;
    let mut batch = vec![upserted("a", 1)];
    batch.extend(
        (0..300)
            .map(|day| credited("a", 2 + day, &format!("t{day:03}"), "1.00", i64::try_from(day).unwrap())),
    );
    world.deliver(&batch).await;
    world.deliver(&[billed("a", 302, "250.50")]).await;
    let grant =
        json!({ "allocation_id": "g", "member_account_id": "m", "amount": "40.25", "currency": "CNY" });
    world.deliver(&[fact("allocation.granted", "a", 303, grant)]).await;
    let query =
        "select string_agg(upstream_id || ' ' || remaining, ', ' order by arrived_at) from top_up where open";
    assert_eq!(
        world.text(query).await,
        "t250 50, t251 100, t252 100, t253 100, t254 100, t255 100, t256 100, t257 100, t258 100, t259 75"
    );
}
