//! S04: after a whole walk no bank account number is readable anywhere: in no
//! log line, no event, no dead letter, no row and no output of a command.
//!
//! Every way into the product carries a number of its own, so that a leak says
//! where it began. The numbers have 13 to 19 digits.

#[path = "canary/letters.rs"]
mod letters;
#[path = "canary/walk.rs"]
mod walk;

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use walk::Walk;

/// Every number that goes in, and the way that it takes.
const CANARIES: &[(&str, &str)] = &[
    ("source account of a top-up", letters::SOURCE),
    ("field that no fact has", letters::STRAY),
    ("text that is no JSON", letters::SCRAP),
    ("details of a request", letters::FIRST),
    ("details that are refused for their name", letters::REFUSED),
    ("details that complete the request", letters::SECOND),
    ("details under an id that is taken", letters::CONFLICT),
    ("details with a number in groups", letters::GROUPED),
    ("request that may choose no account", letters::FORBIDDEN),
    ("file of a command", letters::ON_DISK),
];

/// What was logged, in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Says which canaries `text` shows: as they are, in groups, or byte by byte.
fn seen(place: &str, text: &str) -> Vec<String> {
    let joined: String = text.chars().filter(|it| !matches!(it, ' ' | '-')).collect();
    let bytes = |number: &str| hex::encode(number);
    let shows = |number: &str| {
        text.contains(number) || joined.contains(number) || joined.to_lowercase().contains(&bytes(number))
    };
    let of = |way: &str| format!("{place} shows the number of the {way}");
    CANARIES.iter().filter(|(_, number)| shows(number)).map(|(way, _)| of(way)).collect()
}

#[test]
fn a_canary_is_seen_in_every_disguise() {
    for text in
        ["x6222020200112233445", "6222 0202 0011 2233 445", "\\x36323232303230323030313132323333343435"]
    {
        assert_eq!(seen("it", text).len(), 1, "{text}");
    }
    assert!(seen("it", "622202020011223344").is_empty());
    for (way, number) in CANARIES {
        assert!((13..=19).contains(&number.len()), "{way}");
        assert_eq!(seen("it", number).len(), 1, "{way} has a number of its own");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s04_no_account_number_is_readable_after_a_whole_walk() {
    let log = Log::default();
    // The simulator is the bank: it may know whom it pays.
    let filter = EnvFilter::new("debug,simulator=off");
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log.clone()).init();

    let walk = Walk::begin().await;
    walk.go().await;

    let mut leaks = Vec::new();
    for (name, text) in walk.messages().await {
        leaks.extend(seen(&name, &text));
    }
    for (table, row) in walk.rows().await {
        leaks.extend(seen(&format!("the table {table}"), &row));
    }
    for arguments in [
        vec!["list"],
        vec!["list", "--output", "json"],
        vec!["show", &walk.withdrawals().await[0]],
        vec!["show", &walk.withdrawals().await[1]],
        vec!["show", &walk.withdrawals().await[1], "--output", "json"],
        vec!["publish", &walk.file("stray.json", &letters::stray_fact())],
        vec!["publish", &walk.file("scrap.json", &letters::on_disk())],
        vec![
            "details",
            &walk.withdrawals().await[1],
            "--by",
            "x",
            "--file",
            &walk.file("d.json", &letters::on_disk()),
        ],
    ] {
        let said = command(&walk, &arguments);
        leaks.extend(seen(&format!("outflow {}", arguments[0]), &said));
    }
    let logged = log.text();
    assert!(logged.lines().count() > 100 && logged.contains("A bank file was sent"), "{logged}");
    leaks.extend(seen("the log", &logged));
    assert_eq!(leaks, Vec::<String>::new());
    walk.end().await;
}

/// Everything that a command says.
fn command(walk: &Walk, arguments: &[&str]) -> String {
    let output = Command::new(walk::program("outflow"))
        .args(arguments)
        .envs(walk.environment())
        .env("RUST_LOG", "debug")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(said.len() > 20, "{arguments:?} says nothing");
    said
}
