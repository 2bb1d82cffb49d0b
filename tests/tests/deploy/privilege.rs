//! S05, S08: every worker does its work as its own role and its own user, with what
//! these may do and nothing else. `cargo xtask chaos` runs its fleet so too.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use broker::topology::REQUESTS;
use broker::{Connections, Outgoing, Published, Publisher, definitions, password_hash};
use devstack::{Options, Stack};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::roles;
use tests::program;

use crate::alerts::missing;
use crate::upstream;

const PASSWORD: &str = "Zr4-q7";

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The stage of `outflow dev`, on which every worker is somebody else.
struct Stage {
    stack: Stack,
    environment: Vec<(String, String)>,
    prefix: String,
    logs: PathBuf,
    _dev: Process,
}

impl Stage {
    async fn build(logs: &Path) -> Self {
        let stack = Stack::start(Options::default()).await.expect("servers");
        let mut dev = Command::new(program("outflow"));
        dev.args(["dev", "--no-install", "--workers", "none"]).envs(stack.environment());
        dev.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut dev = Process(dev.spawn().expect("it starts"));
        let environment = exports(&mut dev);
        let of = |name: &str| environment.iter().find(|it| it.0 == name).expect("an export").1.clone();
        let (database, amqp) = (of("OUTFLOW_DATABASE_URL"), of("OUTFLOW_AMQP_URL"));
        let prefix = database.rsplit('/').next().expect("a URL has a path").to_owned();
        let mut owner = PgConnection::connect(&database).await.expect("the database");
        let sql = AssertSqlSafe(roles::sql(&prefix));
        sqlx::raw_sql(sql).execute(&mut owner).await.expect("the roles");
        let vhost = amqp.rsplit('/').next().expect("a URL has a path");
        let users = definitions(vhost, &prefix, |_| Some(password_hash(PASSWORD, [1, 2, 3, 4])));
        stack.import_definitions(&users.to_string()).await.expect("the users");
        Self { stack, environment, prefix, logs: logs.to_path_buf(), _dev: dev }
    }

    fn of(&self, name: &str) -> &str {
        &self.environment.iter().find(|it| it.0 == name).expect("an export").1
    }

    /// What the API tells Prometheus, as soon as it listens.
    async fn metrics(&self) -> String {
        let url = format!("{}/metrics", self.of("OUTFLOW_API_URL"));
        let began = Instant::now();
        loop {
            match reqwest::get(&url).await {
                Ok(answer) if answer.status().is_success() => {
                    return answer.text().await.expect("metrics are text");
                }
                answer => assert!(began.elapsed() < Duration::from_secs(30), "no metrics: {answer:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The program as the role and the user of this name.
    fn outflow(&self, name: &str) -> Command {
        let role = format!("{}_{name}", self.prefix);
        let mut command = Command::new(program("outflow"));
        command.envs(self.environment.iter().cloned()).env_remove("RUST_LOG");
        command.env("OUTFLOW_DATABASE_URL", with_user(self.of("OUTFLOW_DATABASE_URL"), &role));
        command.env("OUTFLOW_AMQP_URL", self.amqp_url(name));
        command
    }

    /// The broker as the user of this name.
    fn amqp_url(&self, name: &str) -> String {
        with_user(self.of("OUTFLOW_AMQP_URL"), &format!("{}_{name}:{PASSWORD}", self.prefix))
    }

    fn start(&self, worker: &str) -> Process {
        let log = fs::File::create(self.logs.join(worker)).expect("the folder is ours");
        let mut command = self.outflow(worker);
        command.args(["run", worker]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Process(command.spawn().expect("it starts"))
    }

    /// A command of people's, and its answer as JSON.
    fn people(&self, arguments: &[&str]) -> Value {
        let output =
            self.outflow("operator").args(arguments).args(["--output", "json"]).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    fn publish(&self, messages: &[Value]) {
        let file = self.logs.join("messages.json");
        fs::write(&file, Value::from(messages).to_string()).expect("the folder is ours");
        self.people(&["publish", file.to_str().expect("its path is text")]);
    }

    /// The withdrawal of a request, once it is in one of these states.
    fn withdrawal(&self, request: &str, states: &[&str]) -> Value {
        until(&format!("{request} to be {states:?}"), &self.logs, || {
            let list = self.people(&["list"]);
            let mut all = list.as_array().expect("a list").iter();
            all.find(|it| it["request"]["id"] == request && states.iter().any(|state| it["state"] == *state))
                .cloned()
        })
    }
}

fn exports(dev: &mut Process) -> Vec<(String, String)> {
    let lines = BufReader::new(dev.0.stdout.take().expect("it is piped")).lines();
    let mut found = Vec::new();
    for line in lines {
        let line = line.expect("a line");
        let (name, value) =
            line.strip_prefix("export ").and_then(|it| it.split_once('=')).expect("an export");
        found.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        if name == "OUTFLOW_SIMULATOR_URL" {
            return found;
        }
    }
    panic!("`outflow dev` ended before it said where everything is");
}

/// `url` with another user.
fn with_user(url: &str, user: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let place = rest.split_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{user}@{place}")
}

fn until<T>(what: &str, logs: &Path, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        let said = || denials(logs).join("\n");
        assert!(began.elapsed() < Duration::from_mins(2), "waited in vain for {what}\n{}", said());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// What any worker was refused.
fn denials(logs: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(logs).expect("the folder is ours") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        let denied = text.lines().filter(|it| {
            ["permission denied", "ACCESS_REFUSED", "access to"].iter().any(|word| it.contains(word))
        });
        found.extend(denied.map(|line| format!("{}: {line}", path.display())));
    }
    found
}

fn message(id: &str, kind: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/shop", "type": format!("outflow.{kind}.v1"),
        "time": "2026-09-23T09:30:00+08:00", "data": data,
    })
}

/// One account with money that can go back at once, and one whose money goes back by bank.
fn facts(now: &str) -> Vec<Value> {
    let account = |id: &str| {
        json!({
            "account_id": id, "version": 1, "currency": "CNY", "kind": "person", "real_name": "张三",
            "real_name_verified": true, "partner_mode": "none",
        })
    };
    let top_up = |id: &str, more: Value| {
        let mut top_up = json!({
            "account_id": id, "version": 2, "top_up_id": format!("top-{id}"), "amount": "90000.00", "currency": "CNY",
            "arrived_at": now, "bonus": false,
        });
        top_up.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        top_up
    };
    let wallet = json!({ "channel": "alipay", "trade_no": "2026112322001400000000009990", "out_trade_no": "PAY-9990" });
    let bank = json!({ "channel": "bank_transfer", "bank_account": {
        "holder": "张三", "number": "6222021234567899990", "bank_name": "中国建设银行", "branch": "杭州西湖支行",
        "cnaps": "105331000042",
    } });
    vec![
        message("a1", "account.upserted", &account("wallet")),
        message("a2", "top_up.credited", &top_up("wallet", wallet)),
        message("b1", "account.upserted", &account("bank")),
        message("b2", "top_up.credited", &top_up("bank", bank)),
    ]
}

fn request(id: &str, account: &str, amount: &str) -> Value {
    let data = json!({
        "account_id": account, "amount": amount, "currency": "CNY", "route": "source",
        "requester": "li.wei", "requested_at": "2026-09-23T09:30:00+08:00",
    });
    message(id, "withdrawal.requested", &data)
}

#[tokio::test(flavor = "multi_thread")]
async fn s05_s08_every_worker_works_under_its_own_role_and_user() {
    let logs = tempfile::tempdir().expect("a folder of our own");
    let stage = Stage::build(logs.path()).await;
    let roles = roles::roles();
    let workers = roles.iter().map(|it| it.name).filter(|name| *name != roles::OPERATOR);
    let mut running: Vec<(&str, Process)> = workers.map(|name| (name, stage.start(name))).collect();

    let now = workers::Clock::System.now();
    let trade = json!({
        "channel": "alipay", "trade_no": "2026112322001400000000009990", "out_trade_no": "PAY-9990",
        "total_fen": 9_000_000, "paid_at": now.to_rfc3339(),
    });
    let told = reqwest::Client::new().post(format!("{}/_sim/trades", stage.of("OUTFLOW_SIMULATOR_URL")));
    assert!(told.body(trade.to_string()).send().await.expect("the simulator").status().is_success());
    stage.publish(&facts(&now.to_rfc3339()));
    until("the facts to be known", logs.path(), || {
        let known = ["wallet", "bank"].iter().filter(|it| {
            let quote =
                stage.outflow("operator").args(["quote", it, "--output", "json"]).output().expect("it runs");
            let quote: Value = serde_json::from_slice(&quote.stdout).unwrap_or_default();
            quote["source"]["maximum"] == "90000.00"
        });
        (known.count() == 2).then_some(())
    });

    // Durations are counted from a process's first scrape on.
    stage.metrics().await;
    // Money that leaves by itself, money for which people are asked, and money that waits for the bank.
    stage.publish(&[request("small", "wallet", "88.80"), request("large", "wallet", "8000.00")]);
    stage.publish(&[request("by-bank", "bank", "12.34"), request("held", "bank", "9000.00")]);
    stage.withdrawal("small", &["completed"]);
    let decide = |word: &str, id: &Value, by: &str| {
        let id = id["withdrawal_id"].as_str().expect("a number").to_owned();
        stage.people(&[word, &id, "--by", by, "--reason", "looked at"])
    };
    let large = stage.withdrawal("large", &["pending_approval"]);
    decide("approve", &large, "wang.fang");
    decide("approve", &large, "zhao.lei");
    stage.withdrawal("large", &["completed"]);
    stage.withdrawal("by-bank", &["approved", "processing", "completed"]);
    let held = stage.withdrawal("held", &["pending_approval"]);
    decide("hold", &held, "wang.fang");
    decide("release", &held, "wang.fang");
    decide("deny", &held, "wang.fang");
    stage.withdrawal("held", &["denied"]);

    // A message that nobody can use is parked, looked at and discarded.
    let amqp = stage.of("OUTFLOW_AMQP_URL");
    let connections = Connections::open(amqp, "test").await.expect("the broker");
    let bad = Outgoing::work(REQUESTS, "bad", b"{}".to_vec());
    assert_eq!(Publisher::new(&connections).publish(bad).await, Published::Confirmed);
    until("the message to be parked", logs.path(), || {
        (stage.people(&["parked", "list"]).as_array()?.len() == 1).then_some(())
    });
    match upstream::python() {
        Ok(python) => upstream::publishes(python, |user| stage.amqp_url(user)),
        Err(reason) => println!("the example in Python was not run: {reason}"),
    }
    let clean = stage.people(&["verify", "--book", stage.of("OUTFLOW_SIMULATOR_URL")]);
    assert_eq!(clean["violations"].as_array().map_or(0, Vec::len), 0, "{clean}");
    let invariants = clean["invariants"].as_array().expect("what was asked");
    assert!(invariants.len() > 15 && invariants.iter().all(|it| it["holds"] == true), "{clean}");

    // What the rules and panels ask for is what a process with its own rights tells.
    let exposed = stage.metrics().await;
    assert_eq!(missing(&exposed), Vec::<String>::new(), "{exposed}");

    for (name, process) in &mut running {
        let ended = process.0.try_wait().expect("its state");
        let log = fs::read_to_string(logs.path().join(&**name)).unwrap_or_default();
        assert!(ended.is_none(), "{name} ended: {log}");
    }
    assert_eq!(denials(logs.path()), Vec::<String>::new());
    // Each of them really is connected as itself.
    let mut owner = PgConnection::connect(stage.of("OUTFLOW_DATABASE_URL")).await.expect("the database");
    for (name, _) in &running {
        let count: i64 = sqlx::query_scalar("select count(*) from pg_stat_activity where usename = $1")
            .bind(format!("{}_{name}", stage.prefix))
            .fetch_one(&mut owner)
            .await
            .expect("the sessions");
        assert!(count > 0, "{name} is connected as somebody else");
    }
    drop(running);
    stage.stack.stop().await.expect("the servers stop");
}
