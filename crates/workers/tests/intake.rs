//! The intake on a real PostgreSQL: what is asked, what is held, what is told.

mod stage;

use serde_json::{Value, json};
use stage::{Credit, Stage, all_at_once, now, request, rules};
use workers::intake::{Tally, admit};

const ALIPAY: Credit<'_> =
    Credit { id: "t", channel: "alipay", arrived_at: "2026-02-01T12:00:00+08:00", amount: "100.00" };

/// A card that lacks nothing.
fn card() -> Value {
    json!({ "holder": "张三", "number": "6222020200112233445", "bank_name": "中国银行",
            "branch": "北京分行", "cnaps": "104100000004" })
}

fn accepted(count: usize) -> Tally {
    Tally { accepted: count, ..Tally::default() }
}

#[tokio::test]
async fn r9_an_accepted_request_holds_the_newest_money_and_says_so() {
    let stage = Stage::new().await;
    let credits = [
        Credit { id: "old", ..ALIPAY },
        Credit { id: "bonus", arrived_at: "2026-02-03T12:00:00+08:00", ..ALIPAY },
        Credit { id: "new", channel: "wechat", arrived_at: "2026-02-02T12:00:00+08:00", amount: "50.00" },
    ];
    stage.account("acct-1", &credits).await;
    let tally = admit(&stage.database, &rules(), &[request("r1", "70.00", json!({}))], now()).await.unwrap();
    assert_eq!(tally, accepted(1));

    let legs = stage
        .text(
            "select string_agg(concat_ws(' ', position, top_up_upstream_id, rail, amount, state), ', ' order by position) \
             from leg",
        )
        .await;
    assert_eq!(legs, "0 new wechat 5000 planned, 1 old alipay 2000 planned");
    let totals = stage.text("select concat_ws(' ', remaining, held, open_withdrawals) from account").await;
    assert_eq!(totals, "18000 7000 1");
    let withdrawal = stage
        .text("select concat_ws(' ', state, sequence, terms->>'cap', length(effect_digest)) from withdrawal")
        .await;
    assert_eq!(withdrawal, "pending_approval 1 250.00 32");
    let moves =
        stage.text("select string_agg(from_state || '>' || to_state, ' ' order by id) from transition").await;
    assert_eq!(moves, "new>pending_approval new>planned new>planned");
    let nudges = stage.text("select count(*) from outbox where routing_key = 'outflow.approvals'").await;
    assert_eq!(nudges, "1");
    stage.books_balance().await;

    let events = stage.events().await;
    assert_eq!(events.len(), 1);
    let (key, data) = &events[0];
    assert_eq!(key, "withdrawal.pending_approval");
    assert_eq!(data["request"], json!({ "source": "/upstream", "id": "r1" }));
    assert_eq!((&data["sequence"], &data["amount"]), (&json!(1), &json!("70.00")));
    assert_eq!(data["legs"][0]["top_up_id"], "new");
    let payout_no = data["legs"][0]["payout_no"].as_str().unwrap();
    assert!(
        payout_no.len() == 32 && payout_no.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_uppercase())
    );
}

#[tokio::test]
async fn a_refused_request_is_a_row_and_an_event_with_every_reason() {
    let stage = Stage::new().await;
    stage.account("acct-1", &[ALIPAY, Credit { id: "bonus", ..ALIPAY }]).await;
    stage.run("update account set advance_payment = true, real_name_verified = false, outstanding_invoice = 15000").await;
    let asks = [
        request("r1", "100.01", json!({})),
        request("r2", "1.00", json!({ "account_id": "nobody" })),
        request("r3", "1.00", json!({ "transactions": ["bonus", "else"] })),
    ];
    let tally = admit(&stage.database, &rules(), &asks, now()).await.unwrap();
    assert_eq!(tally, Tally { rejected: 3, ..Tally::default() });

    let mut told: Vec<(String, String)> = Vec::new();
    for (key, data) in stage.events().await {
        assert_eq!(key, "withdrawal.rejected");
        let reasons = data["reasons"].as_array().unwrap();
        let codes: Vec<&str> = reasons.iter().map(|it| it["code"].as_str().unwrap()).collect();
        told.push((data["request"]["id"].as_str().unwrap().to_owned(), codes.join(" ")));
    }
    told.sort();
    let obstacles = "real_name_not_verified partner_advance_payment";
    let expected = [
        ("r1", format!("{obstacles} exceeds_withdrawable exceeds_route")),
        ("r2", "unknown_account".to_owned()),
        ("r3", format!("{obstacles} transaction_ineligible transaction_unknown selection_too_small")),
    ];
    assert_eq!(told, expected.map(|(id, codes)| (id.to_owned(), codes)));
    assert_eq!(stage.text("select count(*) from withdrawal where state = 'rejected'").await, "3");
    assert_eq!(stage.text("select string_agg(held::text, ' ') from account").await, "0");
    assert_eq!(stage.text("select count(*) from leg").await, "0");
}

#[tokio::test]
async fn a_repeated_request_is_answered_and_changes_nothing() {
    let stage = Stage::new().await;
    stage.account("acct-1", &[ALIPAY]).await;
    let first = request("r1", "30.00", json!({}));
    let other = request("r1", "31.00", json!({ "requester": "else" }));
    let batch = [first.clone(), first.clone(), other.clone()];
    let tally = admit(&stage.database, &rules(), &batch, now()).await.unwrap();
    assert_eq!(tally, Tally { accepted: 1, repeated: 2, ..Tally::default() });
    let again = [other, request("r1", "30.0", json!({ "transactions": "auto" }))];
    let tally = admit(&stage.database, &rules(), &again, now()).await.unwrap();
    assert_eq!(tally, Tally { repeated: 2, ..Tally::default() });

    let events = stage.events().await;
    let answers: Vec<String> = events[1..]
        .iter()
        .map(|(key, data)| format!("{key} {} {}", data["verdict"], data["differing"]))
        .collect();
    let same = "request.repeated \"same\" []";
    let conflict = "request.repeated \"conflict\" [\"amount\",\"requester\"]";
    assert_eq!(answers, [same, conflict, conflict, same]);
    assert_eq!(stage.text("select count(*) from repeat_request").await, "4");
    assert_eq!(stage.text("select concat_ws(' ', count(*), sum(amount)) from withdrawal").await, "1 3000");
    stage.books_balance().await;
}

#[tokio::test]
async fn r11_missing_bank_details_are_waited_for_and_numbers_are_sealed() {
    let stage = Stage::new().await;
    let old = Credit { arrived_at: "2025-01-01T12:00:00+08:00", ..ALIPAY };
    stage.account("acct-1", &[old]).await;
    let mut incomplete = card();
    incomplete.as_object_mut().unwrap().remove("cnaps");
    let to_card = |card: Value| json!({ "route": "bank_card", "transactions": "auto", "bank_account": card });
    let asks = [request("r1", "10.00", to_card(incomplete)), request("r2", "10.00", to_card(card()))];
    let tally = admit(&stage.database, &rules(), &asks, now()).await.unwrap();
    assert_eq!(tally, accepted(2));
    let rows = stage
        .text(
            "select string_agg(concat_ws(' ', request_id, state, effect_digest is null, expires_at is null), ', ' \
             order by request_id) from withdrawal",
        )
        .await;
    assert_eq!(rows, "r1 awaiting_details t f, r2 pending_approval f f");
    let legs = stage.text("select string_agg(rail || ' ' || payee_last_four, ' ') from leg").await;
    assert_eq!(legs, "bank 3445 bank 3445");
    for sql in [
        "select count(*) from withdrawal where withdrawal::text like '%6222020200112233445%'",
        "select count(*) from bank_account where bank_account::text like '%6222020200112233445%'",
        "select count(*) from outbox where convert_from(body, 'UTF8') like '%6222020200112233445%'",
    ] {
        assert_eq!(stage.text(sql).await, "0", "{sql}");
    }
}

#[tokio::test]
async fn r8_a_bank_transfer_goes_back_to_the_account_it_came_from() {
    let stage = Stage::new().await;
    let transfer = Credit { channel: "bank_transfer", arrived_at: "2019-01-01T12:00:00+08:00", ..ALIPAY };
    stage.account("acct-1", &[transfer]).await;
    let tally = admit(&stage.database, &rules(), &[request("r1", "10.00", json!({}))], now()).await.unwrap();
    assert_eq!(tally, accepted(1));
    let same = stage
        .text("select concat_ws(' ', rail, leg.bank_account_id = top_up.bank_account_id, payee_last_four) from leg, top_up")
        .await;
    assert_eq!(same, "bank t 3445");
    let elsewhere = request("r2", "10.00", json!({ "bank_account": card() }));
    let tally = admit(&stage.database, &rules(), &[elsewhere], now()).await.unwrap();
    assert_eq!(tally.rejected, 1, "nobody chooses another account");
}

#[tokio::test]
async fn the_newest_slices_suffice_and_a_long_history_is_read_only_when_it_must_be() {
    let stage = Stage::new().await;
    let ids: Vec<String> =
        (0..200).map(|it| format!("{}{it}", if it < 30 { "t" } else { "bonus" })).collect();
    let credits: Vec<Credit<'_>> = ids.iter().map(|id| Credit { id, amount: "1.00", ..ALIPAY }).collect();
    stage.account("acct-1", &credits).await;
    let asks = [
        request("r1", "29.50", json!({})),
        request("r2", "0.50", json!({})),
        request("r3", "0.01", json!({})),
    ];
    let tally = admit(&stage.database, &rules(), &asks, now()).await.unwrap();
    assert_eq!(tally, Tally { accepted: 2, rejected: 1, ..Tally::default() });
    let legs = stage.text("select count(*) || ' ' || sum(amount) from leg").await;
    assert_eq!(legs, "31 3000", "170 bonus top-ups are skipped, the last slice is shared");
    stage.books_balance().await;
}

#[tokio::test]
async fn of_a_hundred_requests_for_everything_exactly_one_is_accepted() {
    let stage = Stage::new().await;
    stage.account("acct-1", &[ALIPAY, Credit { id: "u", ..ALIPAY }]).await;
    let everything: Vec<_> = (0..100).map(|it| request(&format!("r{it}"), "200.00", json!({}))).collect();

    // All at once, on connections of their own; then again in batches that overlap.
    let rules = rules();
    let one_by_one = everything.chunks(1).map(|it| admit(&stage.database, &rules, it, now()));
    let tallies: Vec<_> = all_at_once(one_by_one).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(tallies.iter().map(|it| it.accepted).sum::<usize>(), 1);
    assert_eq!(tallies.iter().map(|it| it.rejected).sum::<usize>(), 99);

    let in_batches = everything.chunks(10).map(|it| admit(&stage.database, &rules, it, now()));
    let tallies: Vec<_> = all_at_once(in_batches).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(tallies.iter().map(|it| it.repeated).sum::<usize>(), 100);
    assert_eq!(stage.text("select count(*) from withdrawal where state = 'pending_approval'").await, "1");
    assert_eq!(stage.text("select concat_ws(' ', remaining, held) from account").await, "0 20000");
    stage.books_balance().await;
}

#[tokio::test]
async fn r1_what_a_quote_offers_the_intake_accepts() {
    let stage = Stage::new().await;
    stage.account("acct-1", &[ALIPAY, Credit { id: "bonus", ..ALIPAY }]).await;
    stage.run("update account set outstanding_invoice = 12345").await;
    let policy = rules().policy;
    let offer = workers::quote::read(&stage.database, "acct-1").await.unwrap().unwrap().quote(&policy, now());
    assert_eq!((offer.terms.cap(), offer.source.maximum), (stage::cny("76.55"), stage::cny("76.55")));
    let asks = [request("more", "76.56", json!({})), request("all", "76.55", json!({}))];
    let tally = admit(&stage.database, &rules(), &asks, now()).await.unwrap();
    assert_eq!(tally, Tally { accepted: 1, rejected: 1, ..Tally::default() });
    assert!(workers::quote::read(&stage.database, "nobody").await.unwrap().is_none());
}
