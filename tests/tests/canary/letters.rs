//! The messages of the walk, each with an account number of its own.

use broker::Outgoing;
use broker::topology::{DECISIONS, FACTS, REQUESTS};
use serde_json::{Value, json};

pub(super) const SOURCE: &str = "6222020200112233445";
pub(super) const STRAY: &str = "6222020200998877665";
pub(super) const SCRAP: &str = "6217003320001234567";
pub(super) const FIRST: &str = "6217000010098765432";
pub(super) const REFUSED: &str = "6228480402564890018";
pub(super) const SECOND: &str = "4563510201234";
pub(super) const CONFLICT: &str = "6225880137706868";
pub(super) const GROUPED: &str = "6226090211223344556";
pub(super) const FORBIDDEN: &str = "6230580000123456789";
pub(super) const ON_DISK: &str = "6214830112345678";

/// When everything is said: a working day, before the bank's cut-off.
pub(super) const SAID_AT: &str = "2026-03-10T12:00:00+08:00";

fn envelope(id: &str, kind: &str, data: &Value) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "/canary", "type": format!("outflow.{kind}.v1"),
            "time": SAID_AT, "data": data })
}

fn letter(queue: &str, message: &Value) -> Outgoing {
    let id = message["id"].as_str().expect("an id").to_owned();
    Outgoing::work(queue, id, message.to_string().into_bytes())
}

fn account(number: &str) -> Value {
    json!({ "holder": "张三", "number": number, "bank_name": "中国银行", "branch": "北京分行",
            "cnaps": "104100000004" })
}

fn top_up(version: u8, change: &Value) -> Value {
    let mut data = json!({
        "account_id": "acct-1", "version": version, "top_up_id": format!("t{version}"), "amount": "100.00",
        "currency": "CNY", "bonus": false,
    });
    for (field, value) in change.as_object().expect("an object of fields") {
        data[field] = value.clone();
    }
    data
}

/// A fact with a number in a field that facts do not have.
pub(super) fn stray_fact() -> String {
    let surprise = json!({ "channel": "bank_transfer", "arrived_at": SAID_AT, "surprise": STRAY });
    envelope("f-stray", "top_up.credited", &top_up(9, &surprise)).to_string()
}

/// Bank details that are no JSON: a comma too many.
pub(super) fn on_disk() -> String {
    account(ON_DISK).to_string().replace('}', ",}")
}

/// The account, a top-up by transfer, one that only a card can receive, and two
/// messages that nobody can use.
pub(super) fn facts() -> Vec<Outgoing> {
    let profile = json!({
        "account_id": "acct-1", "version": 1, "currency": "CNY", "kind": "person", "real_name": "张三",
        "real_name_verified": true, "partner_mode": "none",
    });
    let transfer = json!({ "channel": "bank_transfer", "arrived_at": "2026-03-01T12:00:00+08:00",
                           "bank_account": account(SOURCE) });
    let old = json!({ "channel": "alipay", "arrived_at": "2025-01-01T12:00:00+08:00", "payer_name": "张三",
                      "trade_no": "2025010122001442" });
    vec![
        letter(FACTS, &envelope("f1", "account.upserted", &profile)),
        letter(FACTS, &envelope("f2", "top_up.credited", &top_up(2, &transfer))),
        letter(FACTS, &envelope("f3", "top_up.credited", &top_up(3, &old))),
        Outgoing::work(FACTS, "f-stray", stray_fact().into_bytes()),
        Outgoing::work(FACTS, "f-scrap", format!("pay {} at once", grouped(SCRAP)).into_bytes()),
    ]
}

/// One back to the source, one to a card that lacks its branch, one that may not choose.
pub(super) fn requests() -> Vec<Outgoing> {
    let request = |id: &str, change: Value| {
        let mut data = json!({
            "account_id": "acct-1", "amount": "60.00", "currency": "CNY", "route": "source",
            "requester": "customer", "requested_at": SAID_AT,
        });
        for (field, value) in change.as_object().expect("an object of fields") {
            data[field] = value.clone();
        }
        letter(REQUESTS, &envelope(id, "withdrawal.requested", &data))
    };
    let mut incomplete = account(FIRST);
    incomplete.as_object_mut().expect("an object").remove("branch");
    vec![
        request("r-source", json!({})),
        request(
            "r-card",
            json!({ "route": "bank_card", "transactions": "auto", "bank_account": incomplete }),
        ),
        request("r-forbidden", json!({ "bank_account": account(FORBIDDEN) })),
    ]
}

/// Details for the one that waits: refused, malformed, accepted, in conflict.
pub(super) fn details(withdrawal: &str) -> Vec<Outgoing> {
    let details = |id: &str, account: Value| {
        let data = json!({ "withdrawal_id": withdrawal, "bank_account": account, "actor": "customer" });
        letter(DECISIONS, &envelope(id, "withdrawal.details", &data))
    };
    let mut stranger = account(REFUSED);
    stranger["holder"] = "李四".into();
    vec![
        details("d-refused", stranger),
        details("d-grouped", account(&grouped(GROUPED))),
        details("d-second", account(SECOND)),
        details("d-second", account(CONFLICT)),
    ]
}

/// `6222 0202 0011 2233 445`
fn grouped(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    digits.chunks(4).map(|it| it.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}
