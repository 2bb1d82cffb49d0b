//! `outflow dev` in one terminal, everything else in another: each command on
//! real servers, and a worker that is killed and started again.

#[path = "second_terminal/oversight.rs"]
mod oversight;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The account number of the test; it must appear nowhere.
const NUMBER: &str = "33050161702700001234";

/// A process that does not outlive the test.
struct Process(Child);

impl Process {
    /// The binary with arguments and an environment.
    fn start(arguments: &[&str], environment: &[(String, String)]) -> Self {
        let mut command = command(arguments, environment);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts"))
    }

    fn signal(&self, name: &str) {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().expect("kill runs");
        assert!(sent.success(), "{name} {id}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(arguments: &[&str], environment: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outflow"));
    command.args(arguments).env_remove("RUST_LOG").envs(environment.iter().cloned());
    command
}

/// A terminal whose environment leads to the stage.
struct Terminal {
    environment: Vec<(String, String)>,
}

impl Terminal {
    /// Exit status and stdout.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = command(arguments, &self.environment).output().expect("the binary runs");
        let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!out.contains(NUMBER) && !said.contains(NUMBER), "{out}{said}");
        (output.status.code(), out.into_owned())
    }

    fn publish(&self, messages: &[Value]) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("messages.json");
        std::fs::write(&file, Value::from(messages).to_string()).expect("the folder can be written");
        let (code, out) = self.run(&["publish", &file.display().to_string()]);
        assert_eq!(code, Some(0), "{out}");
    }

    fn list(&self) -> Vec<Value> {
        let (code, out) = self.run(&["list", "--output", "json"]);
        assert_eq!(code, Some(0));
        serde_json::from_str(&out).expect("a list in JSON")
    }
}

impl Terminal {
    /// The withdrawal of a request, once it is decided.
    fn decided(&self, request: &str) -> Value {
        until("a request to be decided", || {
            let of_it = |it: &Value| it["request"]["id"] == request && it["state"] != "pending_approval";
            self.list().into_iter().find(of_it)
        })
    }
}

impl Terminal {
    /// Runs a command whose input is a text.
    fn enter(&self, arguments: &[&str], text: &str) -> (Option<i32>, String, String) {
        let mut command = command(arguments, &self.environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        stdin.write_all(text.as_bytes()).expect("it reads its input");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// R10: a code is shown on a stage of one's own, and becomes a token once.
    fn enters_a_code(&self) {
        let issue = ["code", "issue", "--account", "acct-1", "--amount", "12.34", "--route", "source"];
        let rest = ["--request-id", "coded", "--output", "json"];
        let (status, out) = self.run(&[&issue[..], &rest[..]].concat());
        assert_eq!(status, Some(0), "{out}");
        let issued: Value = serde_json::from_str(&out).expect("a code in JSON");
        let field = |name: &str| issued[name].as_str().expect("a text");
        let (id, code) = (field("code_id"), field("code"));
        let confirm = ["code", "confirm", id];
        let (status, out, said) = self.enter(&confirm, "none\n");
        assert!(status == Some(4) && out.is_empty() && said.contains("(wrong)"), "{out}{said}");
        let (status, out, _) = self.enter(&confirm, code);
        assert!(status == Some(0) && out.starts_with("v1.upstream."), "{out}");
        assert_eq!(self.enter(&confirm, code).0, Some(4), "it is used up");
        let unknown = ["code", "confirm", "00000000-0000-7000-8000-000000000000"];
        assert_eq!(self.enter(&unknown, code).0, Some(3));
    }

    /// R11, R8: details for money that goes back to its source are refused, and
    /// `show` says so.
    fn gives_details(&self, id: &str) {
        let account = serde_json::json!({
            "holder": "杭州龙井茶业有限公司", "number": NUMBER, "bank_name": "中国建设银行",
            "branch": "杭州西湖支行", "cnaps": "105331000042",
        });
        let details = ["details", id, "--by", "li.wei", "--file", "-"];
        let (status, out, said) = self.enter(&details, &account.to_string());
        assert!(status == Some(0) && !out.contains(NUMBER) && !said.contains(NUMBER), "{out}{said}");
        let workers = Process::start(&["run", "decisions"], &self.environment);
        until("the details to be refused", || {
            let (_, whole) = self.run(&["show", id, "--output", "json"]);
            let whole: Value = serde_json::from_str(&whole).expect("a withdrawal in JSON");
            (whole["refused_details"][0]["result"] == "payee_not_chosen").then_some(())
        });
        workers.signal("-TERM");
    }
}

impl Terminal {
    /// Exit status and what is told, as JSON.
    fn tell(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let (status, out) = self.run(&[arguments, &["--output", "json"]].concat());
        (status, serde_json::from_str(&out).unwrap_or_default())
    }

    /// S01: each decision is bound to the effect that was shown, and says what came of it.
    fn decides(&self) {
        let effect_of = |it: &Value| it["effect_digest"].as_str().map(str::to_owned);
        let asked = until("a request that waits for people", || {
            self.list()
                .into_iter()
                .find(|it| it["request"]["id"] == "large" && it["state"] == "pending_approval")
        });
        let id = asked["withdrawal_id"].as_str().expect("a number");
        let by = |word: &str, name: &str, more: &[&str]| {
            self.tell(&[&[word, id, "--by", name, "--reason", "looked at"], more].concat())
        };
        let (status, shown) = by("approve", "boss", &["--dry-run"]);
        assert_eq!((status, &shown["outcome"]), (Some(0), &Value::Null), "{shown}");
        let effect = effect_of(&shown).expect("an effect");
        assert_eq!(by("approve", "li.wei", &[]).0, Some(4), "who asked cannot approve");
        assert_eq!(by("approve", "boss", &["--effect", &"0".repeat(64)]).0, Some(4), "another effect");
        assert_eq!(self.tell(&["approve", id, "--by", "boss"]).0, Some(2), "a reason is needed");
        for (word, name, more, state) in [
            ("hold", "ops", vec![], "on_hold"),
            ("release", "ops", vec![], "pending_approval"),
            ("approve", "boss", vec!["--effect", effect.as_str()], "pending_approval"),
            ("approve", "chief", vec![], "approved"),
            ("hold", "ops", vec![], "on_hold"),
            ("release", "ops", vec![], "approved"),
            ("cancel", "li.wei", vec![], "canceled"),
        ] {
            let (status, told) = by(word, name, &more);
            assert_eq!((status, &told["outcome"]["state"]), (Some(0), &Value::from(state)), "{word}: {told}");
        }
        assert_eq!(by("deny", "boss", &[]).0, Some(4), "it is over");
        let nobody = ["deny", "00000000-0000-7000-8000-000000000000", "--by", "boss", "--reason", "none"];
        assert_eq!(self.tell(&nobody).0, Some(3));
    }
}

fn message(id: &str, kind: &str, data: &Value) -> Value {
    serde_json::json!({
        "specversion": "1.0", "id": id, "source": "/shop", "type": format!("outflow.{kind}.v1"),
        "time": "2026-09-23T09:30:00+08:00", "data": data,
    })
}

fn facts() -> Vec<Value> {
    let account = serde_json::json!({
        "account_id": "acct-1", "version": 1, "currency": "CNY", "kind": "enterprise",
        "real_name": "杭州龙井茶业有限公司", "real_name_verified": true, "partner_mode": "none",
    });
    let top_up = serde_json::json!({
        "account_id": "acct-1", "version": 2, "top_up_id": "T1", "channel": "bank_transfer", "amount": "500.00",
        "currency": "CNY", "arrived_at": "2026-09-01T09:30:00+08:00", "bonus": false,
        "bank_account": {
            "holder": "杭州龙井茶业有限公司", "number": NUMBER, "bank_name": "中国建设银行",
            "branch": "杭州西湖支行", "cnaps": "105331000042",
        },
    });
    vec![message("1", "account.upserted", &account), message("2", "top_up.credited", &top_up)]
}

/// A second account with enough for a withdrawal that people must approve.
fn large_facts() -> Vec<Value> {
    let of = |version: u64, mut fact: Value| {
        fact["data"]["account_id"] = "acct-2".into();
        fact["id"] = format!("large-{version}").into();
        fact
    };
    let mut facts = facts();
    let (account, mut top_up) = (facts.remove(0), facts.remove(0));
    top_up["data"]["amount"] = "9000.00".into();
    vec![of(1, account), of(2, top_up)]
}

/// A request that no rule approves by itself.
fn large_request() -> Value {
    let mut large = request("large");
    large["data"]["account_id"] = "acct-2".into();
    large["data"]["amount"] = "8000.00".into();
    large
}

fn request(id: &str) -> Value {
    let data = serde_json::json!({
        "account_id": "acct-1", "amount": "12.34", "currency": "CNY", "route": "source",
        "requester": "li.wei", "requested_at": "2026-09-23T09:30:00+08:00",
    });
    message(id, "withdrawal.requested", &data)
}

/// Looks until there is something, for a minute.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Reads the export lines that `outflow dev` prints.
fn exports(stage: &mut Process) -> Vec<(String, String)> {
    let out = stage.0.stdout.take().expect("stdout is piped");
    let mut environment = Vec::new();
    for line in BufReader::new(out).lines() {
        let line = line.expect("a line");
        let (name, value) =
            line.strip_prefix("export ").and_then(|it| it.split_once('=')).expect("an export line");
        environment.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        if name == "OUTFLOW_SIMULATOR_URL" {
            return environment;
        }
    }
    panic!("`outflow dev` ended before it said where everything is");
}

/// R1: `withdrawals` of 12.34 are held of 500.00, by bank transfer.
fn a_quote_says_what_is_left(terminal: &Terminal, withdrawals: usize) {
    let quote = |arguments: &[&str]| {
        let (code, out) = terminal.run(&[&["quote", "acct-1", "--output", "json"], arguments].concat());
        (code, serde_json::from_str::<Value>(&out).expect("a quote in JSON"))
    };
    let accepted = terminal.list().iter().filter(|it| it["state"] == "approved").count();
    assert!(accepted >= 1 && accepted <= withdrawals, "{accepted} of {withdrawals}");
    let text = |fen: usize| format!("{}.{:02}", fen / 100, fen % 100);
    let left = 50_000 - 1_234 * accepted;
    let (code, whole) = quote(&[]);
    assert_eq!((code, &whole["source"]["maximum"]), (Some(0), &Value::from(text(left))), "{whole}");
    assert_eq!((&whole["terms"]["cash"], &whole["bank_card"]["maximum"]), (&"500.00".into(), &"0.00".into()));
    assert_eq!(whole["excluded"][0]["bank_card"][0]["code"], "source_account_only");
    assert!(whole["valid_until"].is_null() && whole["request"].is_null(), "{whole}");

    let (code, whole) = quote(&["--amount", &text(left), "--transactions", "T1"]);
    assert_eq!((code, &whole["request"]["accepted"]), (Some(0), &Value::from(true)), "{whole}");
    assert_eq!(whole["request"]["plan"][0]["top_up_id"], "T1");
    let (code, whole) = quote(&["--amount", &text(left + 1), "--transactions", "T1,T9"]);
    assert_eq!(code, Some(4), "{whole}");
    let reasons = whole["request"]["reasons"].as_array().expect("reasons");
    let codes: Vec<&str> = reasons.iter().filter_map(|it| it["code"].as_str()).collect();
    assert_eq!(codes, ["exceeds_withdrawable", "transaction_unknown", "selection_too_small"]);

    let (code, page) = terminal.run(&["quote", "acct-1", "--amount", "1.00", "--route", "bank-card"]);
    assert_eq!(code, Some(4));
    for words in [
        "withdrawable to the source account",
        "less outstanding invoices",
        "R8 source_account_only",
        "would be refused",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(terminal.run(&["quote", "nobody"]).0, Some(3));
    assert_eq!(terminal.run(&["quote", "acct-1", "--amount", "1.005"]).0, Some(2));
}

/// A fact that contradicts what is known stops the account, and people let it go on.
fn a_stopped_account_is_mended(terminal: &Terminal) {
    let status = |arguments: &[&str]| {
        let (code, out) = terminal.run(&[&["facts"], arguments, &["--output", "json"]].concat());
        (code, serde_json::from_str::<Value>(&out).unwrap_or_default())
    };
    let bill = serde_json::json!({ "account_id": "acct-1", "version": 3, "bill_id": "b", "amount": "999.00", "currency": "CNY" });
    terminal.publish(&[message("3", "usage.billed", &bill)]);
    let standing = until("the account to be stopped", || {
        let (code, standing) = status(&["status", "acct-1"]);
        assert_eq!(code, Some(0));
        (!standing["stopped_because"].is_null()).then_some(standing)
    });
    assert_eq!(standing["blocked"], serde_json::json!({ "kind": "refused", "first": 3, "last": 3 }));
    assert_eq!(status(&["status"]).1[0]["account_id"], "acct-1");
    assert_eq!(status(&["status", "nobody"]).0, Some(3));
    let why = ["--reason", "billed twice by mistake", "--by", "ops.li"];
    assert_eq!(status(&[&["skip", "acct-1", "4"], &why[..]].concat()).0, Some(4));
    assert_eq!(status(&[&["end-stop", "acct-1"], &why[..]].concat()).0, Some(4));
    assert_eq!(status(&["skip", "acct-1", "3"]).0, Some(2), "a reason is needed");
    let (code, standing) = status(&[&["skip", "acct-1", "3"], &why[..]].concat());
    assert_eq!((code, &standing["fact_version"]), (Some(0), &Value::from(3)), "{standing}");
    assert!(standing["stopped_because"].is_null() && standing["blocked"].is_null(), "{standing}");
    assert_eq!(standing["interventions"][0]["actor"], "ops.li");
    assert_eq!(status(&["status"]).1, serde_json::json!([]));
}

#[test]
fn a_second_terminal_does_everything_and_a_killed_worker_loses_nothing() {
    let mut stage = Process::start(&["dev", "--no-install", "--workers", "none"], &[]);
    let environment = exports(&mut stage);
    let of = |name: &str| environment.iter().find(|it| it.0 == name).unwrap().1.clone();
    let terminal = Terminal { environment: environment.clone() };

    assert_eq!(terminal.run(&["migrate"]).0, Some(0));
    assert_eq!(terminal.run(&["topology", "diff"]).0, Some(0));
    assert_eq!(terminal.list().len(), 0);
    let killed = Process::start(&["run", "all"], &environment);
    terminal.publish(&[facts(), large_facts()].concat());
    // Facts and requests have queues of their own: the first requests may come too early.
    let mut count = 0;
    until("the facts to be known", || {
        count += 1;
        let id = format!("early-{count}");
        terminal.publish(&[request(&id)]);
        (terminal.decided(&id)["state"] != "rejected").then_some(())
    });

    // Killed while it works, whatever it is at: its successor finishes, once.
    terminal.publish(&[request("late")]);
    killed.signal("-KILL");
    drop(killed);
    let workers = Process::start(&["run", "all"], &environment);
    let late = terminal.decided("late");
    assert_eq!(late["state"], "approved");
    let id = late["withdrawal_id"].as_str().expect("a number").to_owned();
    terminal.publish(&[request("late")]);
    a_quote_says_what_is_left(&terminal, count + 1);
    a_stopped_account_is_mended(&terminal);
    terminal.publish(&[large_request()]);
    terminal.decides();
    terminal.oversees(&id);
    terminal.stops_a_channel(&of("OUTFLOW_DATABASE_URL"));
    workers.signal("-TERM");

    let (code, page) = terminal.run(&["show", &id]);
    assert_eq!(code, Some(0));
    for words in ["12.34 CNY", "****1234", "Journal", "remaining", "held"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    terminal.explains(&id);
    let (_, whole) = terminal.run(&["show", &id, "--output", "json"]);
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["legs"][0]["payee"]["last_four"], "1234");
    assert_eq!(terminal.run(&["show", "00000000-0000-7000-8000-000000000000"]).0, Some(3));
    assert_eq!(terminal.list().len(), count + 2);
    terminal.enters_a_code();
    terminal.gives_details(&id);
    let (code, said) = terminal.run(&["verify", "--book", &of("OUTFLOW_SIMULATOR_URL")]);
    assert_eq!(code, Some(0), "{said}");

    let folder = std::path::PathBuf::from(of("OUTFLOW_CONFIG"));
    assert!(folder.exists());
    stage.signal("-INT");
    assert!(stage.0.wait().unwrap().success());
    assert!(!folder.exists(), "everything is removed at the end");
}
