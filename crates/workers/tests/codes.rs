//! R10 on a real PostgreSQL: codes are issued, guessed at, confirmed once, and
//! never readable at rest.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

mod stage;

use std::collections::BTreeMap;

use broker::contract::{CodeIssued, Event, parse_event};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Currency, ProofFault, Route};
use secrecy::{ExposeSecret, SecretBox};
use sqlx::Row;
use stage::{Credit, Stage, all_at_once, cny, now, request, rules, vault};
use store::{Vault, VaultKey, outbox};
use uuid::Uuid;
use workers::codes::{CodeError, CodeRefusal, Codes, Delivery, Issued, Purpose};
use workers::intake::{self, Rules};
use workers::verification::{Binding, Keyring, Proofs};

fn keyring() -> Keyring {
    Keyring::new(&[("own".to_owned(), vec![7; 32].into())])
}

fn delivery_vault() -> Vault {
    let key = |byte| SecretBox::new(Box::new([byte; 32]));
    Vault::new(&[VaultKey { id: "notifier".to_owned(), bytes: key(3) }], &key(4)).unwrap()
}

async fn stage_and_codes(delivery: Delivery) -> (Stage, Codes) {
    let stage = Stage::new().await;
    let credit =
        Credit { id: "t", channel: "alipay", arrived_at: "2026-02-01T12:00:00+08:00", amount: "100.00" };
    stage.account("acct-1", &[credit]).await;
    let codes = Codes {
        database: stage.database.clone(),
        vault: vault(),
        keyring: keyring(),
        key_id: "own".to_owned(),
        per_hour: 5,
        delivery,
    };
    (stage, codes)
}

fn purpose(request_id: &str) -> Purpose {
    Purpose {
        account_id: "acct-1".parse().unwrap(),
        amount: cny("88.80"),
        currency: Currency::Cny,
        route: Route::Source,
        request_id: request_id.parse().unwrap(),
    }
}

fn digits(issued: &Issued) -> &str {
    issued.code.as_ref().expect("the code is shown").expose_secret()
}

/// Another code than this one.
fn wrong(code: &str) -> String {
    let first = if code.starts_with('0') { "1" } else { "0" };
    format!("{first}{}", &code[1..])
}

/// The refusal, or the word for success.
fn word<T>(result: Result<T, CodeError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(CodeError::Refused(refusal)) => refusal.into(),
        Err(error) => panic!("{error}"),
    }
}

async fn guess(codes: &Codes, id: Uuid, entered: &str, at: DateTime<Utc>) -> &'static str {
    word(codes.confirm(id, entered, at).await)
}

#[tokio::test]
async fn r10_an_entered_code_becomes_a_token_that_serves_its_request_once() {
    let (stage, codes) = stage_and_codes(Delivery::Shown).await;
    let issued = codes.issue(&purpose("r1"), now()).await.unwrap();
    assert_eq!(digits(&issued).len(), 6);
    assert_eq!(issued.expires_at, now() + TimeDelta::minutes(10));
    assert!(!format!("{issued:?}").contains(digits(&issued)));

    let token = codes.confirm(issued.id, &format!(" {}\n", digits(&issued)), now()).await.unwrap();
    assert_eq!(guess(&codes, issued.id, digits(&issued), now()).await, "already_used");
    let binding = Binding {
        account_id: "acct-1",
        amount: cny("88.80"),
        currency: Currency::Cny,
        route: Route::Source,
        request_id: "r1",
    };
    let ring = keyring();
    assert_eq!(ring.check(Some(&token), &binding, now()), Ok(()));
    for other in [
        Binding { account_id: "acct-2", ..binding },
        Binding { amount: cny("88.81"), ..binding },
        Binding { route: Route::BankCard, ..binding },
        Binding { request_id: "r2", ..binding },
    ] {
        assert_eq!(ring.check(Some(&token), &other, now()), Err(ProofFault::Mismatch), "{other:?}");
    }

    // The intake takes the request with the token, and no other one.
    let rules = Rules { proofs: Proofs::Required(keyring()), ..rules() };
    let carrying = |id: &str| request(id, "88.80", serde_json::json!({ "verification": token }));
    let tally =
        intake::admit(&stage.database, &rules, &[carrying("r1"), carrying("r2")], now()).await.unwrap();
    assert_eq!((tally.accepted, tally.rejected), (1, 1));
}

#[tokio::test]
async fn r10_a_code_dies_with_its_time_its_guesses_or_its_successor() {
    let (_stage, codes) = stage_and_codes(Delivery::Shown).await;
    let late = now() + TimeDelta::minutes(10);
    let first = codes.issue(&purpose("r1"), now()).await.unwrap();
    let last_moment = late - TimeDelta::milliseconds(1);
    assert_eq!(guess(&codes, first.id, &wrong(digits(&first)), last_moment).await, "wrong");
    assert_eq!(guess(&codes, first.id, digits(&first), late).await, "expired");
    assert_eq!(guess(&codes, first.id, digits(&first), last_moment).await, "ok");

    let older = codes.issue(&purpose("r2"), now()).await.unwrap();
    let newer = codes.issue(&purpose("r2"), now()).await.unwrap();
    assert_eq!(guess(&codes, older.id, digits(&older), now()).await, "expired");
    for junk in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
        assert_eq!(guess(&codes, newer.id, junk, now()).await, "wrong", "{junk:?}");
    }
    assert_eq!(guess(&codes, newer.id, digits(&newer), now()).await, "attempts_exhausted");
    assert_eq!(guess(&codes, Uuid::now_v7(), "123456", now()).await, "unknown_code");
}

#[tokio::test]
async fn r10_a_hundred_guesses_at_once_are_a_hundred_guesses() {
    let (stage, codes) = stage_and_codes(Delivery::Shown).await;
    let issued = codes.issue(&purpose("r1"), now()).await.unwrap();
    let bad = wrong(digits(&issued));
    let words = all_at_once((0..100).map(|_| guess(&codes, issued.id, &bad, now()))).await;
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words {
        *counted.entry(word).or_default() += 1;
    }
    assert_eq!(counted, BTreeMap::from([("attempts_exhausted", 95), ("wrong", 5)]));
    assert_eq!(stage.text("select guesses from verification_code").await, "5");

    let issued = codes.issue(&purpose("r2"), now()).await.unwrap();
    let words = all_at_once((0..100).map(|_| guess(&codes, issued.id, digits(&issued), now()))).await;
    assert_eq!(words.iter().filter(|it| **it == "ok").count(), 1);
    assert_eq!(words.iter().filter(|it| **it == "already_used").count(), 99);
}

#[tokio::test]
async fn r10_an_account_is_issued_so_many_codes_an_hour_and_no_more() {
    let (_stage, codes) = stage_and_codes(Delivery::Shown).await;
    let ids: Vec<String> = (0..100).map(|it| format!("r{it}")).collect();
    let all = ids.iter().map(|id| async { word(codes.issue(&purpose(id), now()).await) });
    let words = all_at_once(all).await;
    assert_eq!(words.iter().filter(|it| **it == "ok").count(), 5);
    assert_eq!(words.iter().filter(|it| **it == "too_many_codes").count(), 95);
    let hour = now() + TimeDelta::hours(1);
    let almost = hour - TimeDelta::milliseconds(1);
    assert_eq!(word(codes.issue(&purpose("r"), almost).await), "too_many_codes");
    assert_eq!(word(codes.issue(&purpose("r"), hour).await), "ok");

    let nobody = Purpose { account_id: "nobody".parse().unwrap(), ..purpose("r") };
    let dollars = Purpose { currency: Currency::Usd, ..purpose("r") };
    let nothing = Purpose { amount: cny("0.00"), ..purpose("r") };
    for (purpose, expected) in [
        (nobody, CodeRefusal::UnknownAccount),
        (dollars, CodeRefusal::CurrencyMismatch),
        (nothing, CodeRefusal::AmountNotPositive),
    ] {
        assert_eq!(word(codes.issue(&purpose, hour).await), <&str>::from(expected));
        assert_eq!(expected.problem().rule.as_deref(), Some("R10"));
    }
    let keyless = Codes { key_id: "gone".to_owned(), ..codes };
    assert!(matches!(keyless.issue(&purpose("r"), hour).await, Err(CodeError::NoKey(_))));
}

#[tokio::test]
async fn r10_a_code_leaves_sealed_and_is_readable_nowhere() {
    let (stage, codes) = stage_and_codes(Delivery::Sealed(delivery_vault())).await;
    let issued = codes.issue(&purpose("r1"), now()).await.unwrap();
    assert!(issued.code.is_none(), "nobody here is shown the code");

    let row = sqlx::query("select id, routing_key, body from outbox")
        .fetch_one(stage.database.pool())
        .await
        .unwrap();
    assert_eq!(row.get::<&str, _>("routing_key"), CodeIssued::ROUTING_KEY);
    let Event::CodeIssued(event) = parse_event(row.get("body")).unwrap().data else {
        panic!("another event")
    };
    assert_eq!((event.code_id, event.expires_at), (issued.id, issued.expires_at));
    let sealed = hex::decode(event.sealed_code.as_str()).unwrap();
    let name = format!("verification_code:{}", issued.id);
    assert!(vault().open(&name, &sealed).is_err(), "the keys of account numbers do not open it");
    let code = String::from_utf8(delivery_vault().open(&name, &sealed).unwrap()).unwrap();
    assert!(code.len() == 6 && code.bytes().all(|it| it.is_ascii_digit()));
    let kept = stage.text("select row_to_json(verification_code)::text from verification_code").await;
    assert!(!kept.contains(&format!("\"{code}\"")), "{kept}");

    let mut tx = stage.database.begin().await.unwrap();
    outbox::published(&mut tx, &[row.get("id")], &[CodeIssued::ROUTING_KEY], now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stage.text("select length(body) from outbox").await, "0", "published, it is not kept");
    assert_eq!(guess(&codes, issued.id, &code, now()).await, "ok");
}
