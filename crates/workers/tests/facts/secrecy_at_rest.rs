//! S04: a bank account number is readable nowhere in the database.

use serde_json::json;

use crate::world::{World, fact, upserted};

const CANARY: &str = "6222020200112233445";

#[tokio::test]
async fn a_bank_account_number_is_readable_nowhere() {
    let world = World::new().await;
    let transfer = |version: u64, extra: &str| {
        let mut message = fact(
            "top_up.credited",
            "a",
            version,
            json!({
                "top_up_id": format!("t{version}"), "channel": "bank_transfer", "amount": "1.00", "currency": "CNY",
                "arrived_at": "2026-08-01T10:00:00+08:00", "bonus": false,
                "bank_account": { "holder": "示例公司", "number": CANARY, "bank_name": "工商银行",
                                  "branch": "杭州分行", "cnaps": "102331000123" }
            }),
        );
        if !extra.is_empty() {
            message["data"][extra] = CANARY.into();
        }
        message
    };
    // Applied, waiting, malformed in two ways, refused.
    let mut twice = transfer(2, "");
    twice["data"]["version"] = 3.into();
    twice["id"] = "another".into();
    world
        .deliver(&[upserted("a", 1), transfer(2, ""), transfer(9, ""), transfer(4, "surprise"), twice])
        .await;
    assert_eq!(world.dead_letters().await, ["unknown_field", "top_up_already_credited"]);

    for table in world.texts("select tablename::text from pg_tables where schemaname = 'public'").await {
        for row in world.texts(&format!("select row_to_json(it)::text from {table} it")).await {
            assert!(!row.contains(CANARY), "{table}: {row}");
            let hex = hex::encode(CANARY);
            assert!(!row.contains(&hex), "{table}: {row}");
        }
    }
    assert_eq!(world.text("select last_four from bank_account").await, "3445");

    // Whoever has the keys can read it.
    let mut tx = world.desk.database.begin().await.unwrap();
    let id = world.text("select bank_account_id::text from top_up").await.parse().unwrap();
    let opened = store::bank_accounts::open(&mut tx, &world.desk.vault, &[id]).await.unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&opened.accounts[0].number), CANARY);
    assert!(!format!("{opened:?}").contains(CANARY));
    let found = store::bank_accounts::find_by_number(&mut tx, &world.desk.vault, &CANARY.to_owned().into())
        .await
        .unwrap();
    assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [id]);
}

#[tokio::test]
async fn a_sealed_number_that_is_moved_to_another_row_cannot_be_opened() {
    let world = World::new().await;
    let mut tx = world.desk.database.begin().await.unwrap();
    let account = |id: u128| store::bank_accounts::BankAccount {
        id: uuid::Uuid::from_u128(id),
        account_id: "a".to_owned(),
        holder: "张三".to_owned(),
        number: format!("622202020011223344{id}").into(),
        bank_name: "工商银行".to_owned(),
        branch: "杭州分行".to_owned(),
        cnaps: "102331000123".to_owned(),
        version: None,
    };
    let rows = [account(1), account(2)];
    store::bank_accounts::insert(&mut tx, &world.desk.vault, &rows, crate::world::noon()).await.unwrap();
    tx.commit().await.unwrap();
    world
        .execute(
            "update bank_account set sealed_number = (select sealed_number from bank_account order by id limit 1)",
        )
        .await;
    let mut tx = world.desk.database.begin().await.unwrap();
    for (row, opens) in [(&rows[0], true), (&rows[1], false)] {
        let opened = store::bank_accounts::open(&mut tx, &world.desk.vault, &[row.id]).await.unwrap();
        assert_eq!((opened.accounts.len(), opened.unreadable.len()), if opens { (1, 0) } else { (0, 1) });
    }
}
