//! S04: payees whose sealed numbers cannot be opened, or were sealed by an older key.

use secrecy::SecretBox;
use serde_json::json;
use store::{Vault, VaultKey};
use workers::{Till, holds, intake};

use crate::stage::{Credit, request, rules, vault};
use crate::{World, policy};

/// A withdrawal to two bank accounts, the second of which cannot be opened.
#[tokio::test]
async fn s04_a_number_that_cannot_be_opened_stops_its_own_leg_and_no_other() {
    let world = World::new().await;
    let credit = |id| Credit {
        id,
        channel: "bank_transfer",
        arrived_at: "2026-02-01T12:00:00+08:00",
        amount: "10.00",
    };
    world.stage.account("acct-0000", &[credit("a"), credit("b")]).await;
    world.stage.account("acct-0001", &[credit("c")]).await;
    world.end_bank_numbers_in_magic().await;
    let lost = vault_of("lost", 9);
    world.reseal("b", &lost).await;
    let asks = [
        request("r1", "20.00", json!({ "account_id": "acct-0000" })),
        request("r2", "10.00", json!({ "account_id": "acct-0001" })),
    ];
    intake::admit(&world.till.database, &rules(), &asks, world.now()).await.expect("intake");
    world.approve_all().await;
    world.run_to_the_end().await;

    let legs =
        "select string_agg(top_up_upstream_id || ' ' || state, ', ' order by top_up_upstream_id) from leg";
    assert_eq!(world.stage.text(legs).await, "a paid, b held, c paid");
    let states = "select string_agg(request_id || ' ' || concat_ws(' ', state, held_because), ', ' order by request_id) from withdrawal";
    assert_eq!(world.stage.text(states).await, "r1 on_hold payee_unreadable, r2 completed");
    let note = world.stage.text("select note from transition where to_state = 'held'").await;
    assert!(note.starts_with("payee_unreadable: ") && note.ends_with("its key is not in the ring"), "{note}");
    let sends =
        "select string_agg(distinct top_up_upstream_id, ' ') from attempt join leg on leg.id = leg_id";
    assert_eq!(world.stage.text(sends).await, "a c", "nothing was sent for the one that is held");
    world.books_agree().await;

    // The key comes back into the ring, behind the one that seals now.
    let guard = |vault| holds::Guard { policy: policy(), vault };
    let same = guard(vault());
    assert_eq!(holds::pass(&world.till.database, &same, world.now()).await.expect("holds"), 0);
    let both = Vault::new(&[key("test", 1), key("lost", 9)], &secret(2)).expect("a ring with two keys");
    let freed = holds::pass(&world.till.database, &guard(both.clone()), world.now()).await.expect("holds");
    assert_eq!(freed, 1);
    let world = World { till: Till { vault: both, ..world.till.clone() }, ..world };
    world.run_to_the_end().await;
    assert_eq!(world.stage.text(legs).await, "a paid, b paid, c paid");
    world.books_agree().await;
}

fn secret(byte: u8) -> SecretBox<[u8; 32]> {
    SecretBox::new(Box::new([byte; 32]))
}

fn key(id: &str, byte: u8) -> VaultKey {
    VaultKey { id: id.to_owned(), bytes: secret(byte) }
}

/// A vault that seals with a key of its own and finds numbers as every other does.
fn vault_of(id: &str, byte: u8) -> Vault {
    Vault::new(&[key(id, byte)], &secret(2)).expect("a ring with a key")
}

#[tokio::test]
async fn s04_after_a_rotation_a_number_that_the_old_key_sealed_is_paid_to() {
    let world = World::new().await;
    let credit = Credit {
        id: "t",
        channel: "bank_transfer",
        arrived_at: "2026-02-01T12:00:00+08:00",
        amount: "10.00",
    };
    world.stage.account("acct-0000", &[credit]).await;
    world.end_bank_numbers_in_magic().await;
    let rotated = Vault::new(&[key("new", 8), key("test", 1)], &secret(2)).expect("a ring with two keys");
    let world = World { till: Till { vault: rotated, ..world.till.clone() }, ..world };
    let ask = request("r1", "10.00", json!({ "account_id": "acct-0000" }));
    intake::admit(&world.till.database, &rules(), &[ask], world.now()).await.expect("intake");
    world.approve_all().await;
    world.run_to_the_end().await;
    assert_eq!(world.stage.text("select state from leg").await, "paid");
    world.books_agree().await;
}
