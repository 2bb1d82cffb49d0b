//! The API with everything behind it: `outflow dev`, and calls over real HTTP.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

#[path = "api/parked.rs"]
mod parked;
#[path = "api/refusals.rs"]
mod refusals;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// An account number that may appear in no answer.
const NUMBER: &str = "6222020200112233445";

/// `outflow dev`, which ends with the test.
struct World {
    dev: Child,
    said: BTreeMap<String, String>,
    client: Client,
}

impl Drop for World {
    fn drop(&mut self) {
        let id = self.dev.id().to_string();
        // It removes what it made only when it is asked to end.
        let _ = Command::new("kill").args(["-INT", &id]).status();
        let _ = self.dev.wait();
    }
}

impl World {
    fn start() -> Self {
        let mut dev = Command::new(env!("CARGO_BIN_EXE_outflow"))
            .args(["dev", "--no-install"])
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(dev.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut said = BTreeMap::new();
        for line in lines {
            let (name, value) = line.strip_prefix("export ").and_then(|it| it.split_once('=')).unwrap();
            said.insert(name.to_owned(), value.trim_matches('\'').to_owned());
            if name == "OUTFLOW_SIMULATOR_URL" {
                break;
            }
        }
        Self { dev, said, client: Client::new() }
    }

    /// Asks as one of the three people: OPERATOR, APPROVER or `SECOND_APPROVER`.
    async fn ask(&self, who: &str, (method, path): (Method, &str), body: &Value) -> (u16, Value) {
        self.ask_with(who, (method, path), body, None).await
    }

    async fn ask_with(
        &self,
        who: &str,
        (method, path): (Method, &str),
        body: &Value,
        key: Option<&str>,
    ) -> (u16, Value) {
        let url = format!("{}{path}", self.said["OUTFLOW_API_URL"]);
        let mut request = self.client.request(method, url);
        request = request.bearer_auth(&self.said[&format!("OUTFLOW_{who}_TOKEN")]);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert!(!text.contains(NUMBER), "{text}");
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {status} {text}")))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("OPERATOR", (Method::GET, path), &Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn create(&self, key: &str, body: &Value) -> (u16, Value) {
        self.ask_with("OPERATOR", (Method::POST, "/v1/withdrawals"), body, Some(key)).await
    }

    async fn until(&self, path: &str, good: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let (_, seen) = self.ask("OPERATOR", (Method::GET, path), &Value::Null).await;
            if good(&seen) {
                return seen;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "waited in vain at {path}: {seen}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn outflow(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outflow"));
        let output = command.args(arguments).envs(&self.said).env_remove("RUST_LOG").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!said.contains(NUMBER), "{said}");
        (output.status.code(), said)
    }

    fn publish(&self, messages: &[Value]) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("messages.json");
        std::fs::write(&file, Value::from(messages).to_string()).unwrap();
        assert_eq!(self.outflow(&["publish", &file.display().to_string()]).0, Some(0));
    }
}

fn message(id: &str, kind: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/shop", "type": format!("outflow.{kind}.v1"),
        "time": "2026-09-23T09:30:00+08:00", "data": data,
    })
}

/// An account with 20,000.00 by Alipay, of today.
fn facts() -> Vec<Value> {
    let now = chrono::DateTime::from_timestamp_millis(
        i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap(),
    );
    let account = json!({
        "account_id": "acct-1", "version": 1, "currency": "CNY", "kind": "person",
        "real_name": "李雷", "real_name_verified": true, "partner_mode": "none",
    });
    let top_up = json!({
        "account_id": "acct-1", "version": 2, "top_up_id": "T1", "channel": "alipay", "amount": "20000.00",
        "currency": "CNY", "arrived_at": now, "channel_paid_at": now, "bonus": false, "trade_no": "2026112322001400000",
        "out_trade_no": "T10000", "payer_name": "李雷",
    });
    vec![message("1", "account.upserted", &account), message("2", "top_up.credited", &top_up)]
}

fn ask(amount: &str) -> Value {
    json!({ "account_id": "acct-1", "amount": amount, "currency": "CNY", "route": "source" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_http_is_decided_like_one_from_the_queue_and_approved_by_two() {
    let world = World::start();
    world.publish(&facts());
    let quote = world.until("/v1/accounts/acct-1/quote", |it| it["source"]["maximum"] == "20000.00").await;
    assert_eq!(quote["terms"]["cap"], "20000.00");

    a_key_names_one_request(&world).await;
    a_key_in_progress_is_told_so(&world).await;
    let id = two_people_approve(&world).await;
    let legs = world.get(&format!("/v1/withdrawals/{id}/legs")).await;
    assert_eq!(legs["items"][0]["amount"], "8000.00", "{legs}");
    let no_review = json!({ "leg_id": legs["items"][0]["leg_id"], "outcome": "paid", "evidence": "line 7" });
    let resolve = format!("/v1/withdrawals/{id}/resolutions");
    let (status, refused) = world.ask("OPERATOR", (Method::POST, &resolve), &no_review).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not_in_review")), "{refused}");
    let past = world.get(&format!("/v1/withdrawals/{id}/history")).await;
    let actions: Vec<&str> =
        past["audit"].as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert!(actions.contains(&"request") && actions.contains(&"approve"), "{past}");
    channels_stop_and_go_on(&world).await;
    parked::a_message_is_edited_and_sent_again(&world).await;
    refusals::people_read_pages(&world).await;
    a_difference_is_resolved_once(&world).await;
    a_code_becomes_a_token(&world).await;
    let day = world.get("/v1/calendar/2026-09-23").await;
    assert_eq!((&day["bank_deadline"], &day["kind"]), (&json!("2026-10-10"), &json!("working_day")));
    let (status, audit) = world.ask("APPROVER", (Method::GET, "/v1/audit"), &Value::Null).await;
    assert_eq!((status, &audit["items"][0]["action"]), (200, &json!("confirm_code")), "{audit}");
    let (code, said) = world.outflow(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
    a_token_that_is_taken_back_ends_its_sessions(&world).await;
}

/// While one call decides a request, another one with its key is told to wait.
async fn a_key_in_progress_is_told_so(world: &World) {
    let database = store::Database::connect(&world.said["OUTFLOW_DATABASE_URL"], 1).await.unwrap();
    let mut tx = database.begin().await.unwrap();
    assert!(store::requests::try_lock(&mut tx, "/outflow/http/chen.jie", "busy").await.unwrap());
    let (status, busy) = world.create("busy", &ask("1.00")).await;
    assert_eq!((status, &busy["code"]), (409, &json!("in_progress")), "{busy}");
    tx.commit().await.unwrap();
    assert_eq!(world.create("busy", &ask("1.00")).await.0, 201);
    // Many at once under one key are one withdrawal, whoever comes first.
    let asked = ask("2.00");
    let many = (0..8).map(|_| world.create("rush", &asked));
    let mut ids: Vec<Value> = Vec::new();
    for (status, body) in futures::future::join_all(many).await {
        assert!(matches!(status, 200 | 201 | 409), "{status} {body}");
        if status != 409 {
            ids.push(body["withdrawal_id"].clone());
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

async fn a_token_that_is_taken_back_ends_its_sessions(world: &World) {
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = &world.said["OUTFLOW_API_URL"];
    let form = format!("token={}&next=%2F", world.said["OUTFLOW_APPROVER_TOKEN"]);
    let answer = client.post(format!("{url}/login")).body(form).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let status =
        || async { client.get(url).header("cookie", &cookie).send().await.unwrap().status().as_u16() };
    assert_eq!(status().await, 200);
    assert_eq!(world.outflow(&["operator", "revoke", "wang.fang", "--by", "test"]).0, Some(0));
    assert_eq!(status().await, 303, "the session ended with its token");
    let (status, _) = world.ask("APPROVER", (Method::GET, "/v1/audit"), &Value::Null).await;
    assert_eq!(status, 401);
    assert_eq!(world.outflow(&["operator", "revoke", "wang.fang", "--by", "test"]).0, Some(3));
    let (code, listed) = world.outflow(&["operator", "list", "--output", "json"]);
    assert!(code == Some(0) && listed.contains("zhao.lei") && !listed.contains("token"), "{listed}");
}

async fn a_key_names_one_request(world: &World) {
    let (status, small) = world.create("small", &ask("12.34")).await;
    assert_eq!((status, &small["amount"]), (201, &json!("12.34")), "{small}");
    assert_eq!(small["request"], json!({ "source": "/outflow/http/chen.jie", "id": "small" }));
    let (status, again) = world.create("small", &ask("12.34")).await;
    assert_eq!((status, &again["withdrawal_id"]), (200, &small["withdrawal_id"]), "{again}");
    let (status, other) = world.create("small", &ask("12.35")).await;
    assert_eq!((status, &other["code"]), (422, &json!("conflict")), "{other}");
    assert!(other["detail"].as_str().unwrap().contains("amount"), "{other}");
    let (_, audit) = world.ask("APPROVER", (Method::GET, "/v1/audit"), &Value::Null).await;
    let results: Vec<&Value> =
        audit["items"].as_array().unwrap().iter().map(|it| &it["detail"]["result"]).collect();
    assert_eq!(results[..3], ["conflict", "repeated", "decided"], "one row for each time it was asked");
    let (status, refused) = world.create("large", &ask("99999.00")).await;
    assert_eq!((status, &refused["code"]), (422, &json!("exceeds_withdrawable")), "{refused}");
    let kept = refused["withdrawal_id"].as_str().unwrap();
    let kept = world.get(&format!("/v1/withdrawals/{kept}")).await;
    assert_eq!((&kept["state"], &kept["reasons"]), (&json!("rejected"), &refused["reasons"]));
    for (body, pointer) in [
        (
            json!({ "account_id": "acct-1", "amount": 12.5, "currency": "CNY", "route": "source" }),
            "/data/amount",
        ),
        (json!({ "account_id": "acct-1", "amount": "1.00", "currency": "CNY" }), "/data/route"),
        (json!({ "requester": "wang.fang" }), "/data/requester"),
    ] {
        let (_, problem) = world.create("bad", &body).await;
        assert_eq!(problem["pointer"], pointer, "{problem}");
    }
}

async fn two_people_approve(world: &World) -> String {
    let (status, asked) = world.create("big", &ask("8000.00")).await;
    assert_eq!((status, &asked["state"]), (201, &json!("pending_approval")), "{asked}");
    let id = asked["withdrawal_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/withdrawals/{id}/decisions");
    let place = (Method::POST, path.as_str());
    let approve = json!({ "decision": "approve", "reason": "seen", "effect_digest": asked["effect_digest"] });
    for (who, body, status, code) in [
        ("OPERATOR", approve.clone(), 403, "role_too_low"),
        ("APPROVER", json!({ "decision": "approve", "reason": "seen" }), 422, "missing_field"),
        (
            "APPROVER",
            json!({ "decision": "approve", "reason": "seen", "effect_digest": "0".repeat(64) }),
            409,
            "effect_changed",
        ),
        (
            "APPROVER",
            json!({ "decision": "approve", "reason": "seen", "effect_digest": asked["effect_digest"], "actor": "li" }),
            403,
            "not_yours",
        ),
    ] {
        let (answered, problem) = world.ask(who, place.clone(), &body).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{problem}");
    }
    let (status, one) = world.ask("APPROVER", place.clone(), &approve).await;
    assert_eq!((status, &one["state"]), (200, &json!("pending_approval")), "{one}");
    // Under its key a refusal is repeated as it was, and never taken for success.
    for _ in 0..2 {
        let (status, again) = world.ask_with("APPROVER", place.clone(), &approve, Some("twice")).await;
        assert_eq!((status, &again["code"]), (409, &json!("already_approved")), "{again}");
    }
    let (status, two) = world.ask("SECOND_APPROVER", place, &approve).await;
    assert!(status == 200 && two["state"] != "pending_approval", "{two}");
    let (_, late) = world
        .ask("OPERATOR", (Method::POST, &format!("/v1/withdrawals/{id}/cancel")), &json!({ "reason": "x" }))
        .await;
    assert!(late["code"] == "too_late" || late["state"] == "canceled", "{late}");
    id
}

async fn channels_stop_and_go_on(world: &World) {
    let because = json!({ "reason": "the bank asked for it" });
    for (path, status) in [
        ("/v1/channels/bank/pause", 200),
        ("/v1/channels/bank/pause", 409),
        ("/v1/channels/cash/pause", 404),
        ("/v1/channels/bank/resume", 200),
        ("/v1/channels/bank/resume", 409),
    ] {
        let (answered, body) = world.ask("OPERATOR", (Method::POST, path), &because).await;
        assert_eq!(answered, status, "{path}: {body}");
    }
    let (status, body) = world.ask("OPERATOR", (Method::POST, "/v1/channels/all/pause"), &json!({})).await;
    assert_eq!(status, 422, "a reason is needed: {body}");
}

/// A file that cannot be read is a difference of its day, which a person resolves once.
async fn a_difference_is_resolved_once(world: &World) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bill.zip");
    std::fs::write(&file, b"no archive").unwrap();
    let file = file.display().to_string();
    let compared = world.outflow(&["reconcile", "--rail", "alipay", "--day", "2026-09-01", "--file", &file]);
    assert_ne!(compared.0, Some(0), "{}", compared.1);
    let open = world.get("/v1/reconciliation/differences").await;
    let found = open["items"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{open}");
    assert_eq!((&found[0]["channel"], &found[0]["day"]), (&json!("alipay"), &json!("2026-09-01")));
    assert_eq!(found[0]["kind"], "file_unreadable");
    let days = world.get("/v1/reconciliation/days").await;
    let day = days["items"].as_array().unwrap().iter().find(|it| it["day"] == "2026-09-01").unwrap();
    assert_eq!((&day["state"], &day["open_differences"]), (&json!("refused"), &json!(1)));

    let path = format!("/v1/reconciliation/differences/{}/resolve", found[0]["id"].as_str().unwrap());
    let resolve = (Method::POST, path.as_str());
    let (status, refused) = world.ask("OPERATOR", resolve.clone(), &json!({ "reason": "" })).await;
    assert_eq!((status, &refused["pointer"]), (422, &json!("/reason")), "{refused}");
    let reason = json!({ "reason": "the channel sends it again" });
    assert_eq!(world.ask("OPERATOR", resolve.clone(), &reason).await.0, 200);
    let (status, gone) = world.ask("OPERATOR", resolve, &reason).await;
    assert_eq!((status, &gone["code"]), (404, &json!("no_such_difference")));
    let open = world.get("/v1/reconciliation/differences").await;
    assert_eq!(open["items"], json!([]));
    let all = world.get("/v1/reconciliation/differences?resolved=true").await;
    assert_eq!(all["items"][0]["resolution"], "the channel sends it again");
}

async fn a_code_becomes_a_token(world: &World) {
    let wish = json!({
        "account_id": "acct-1", "amount": "5.00", "currency": "CNY", "route": "source", "request_id": "coded",
    });
    let (status, issued) = world.ask("OPERATOR", (Method::POST, "/v1/verification-codes"), &wish).await;
    assert_eq!(status, 201, "{issued}");
    let path = format!("/v1/verification-codes/{}/confirm", issued["code_id"].as_str().unwrap());
    let (status, wrong) = world.ask("OPERATOR", (Method::POST, &path), &json!({ "code": "none" })).await;
    assert_eq!((status, &wrong["code"]), (422, &json!("wrong")));
    let (status, token) =
        world.ask("OPERATOR", (Method::POST, &path), &json!({ "code": issued["code"] })).await;
    assert!(status == 200 && token["token"].as_str().unwrap().starts_with("v1.upstream."), "{token}");
}
