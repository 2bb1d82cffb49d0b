//! The example for upstream developers, run as they would: a Python with `pika`, and a
//! user for each producer that can do nothing else.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use tests::repository;

/// The package and its version.
const PIKA: &str = "pika==1.3.2";

/// A Python that has pika, installed once below `target`; or why there is none.
pub(crate) fn python() -> Result<Command, String> {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("upstream");
    fs::create_dir_all(&all).expect("a folder below target");
    // Two runs at once: the second finds what the first has installed.
    let lock = File::create(all.join("lock")).expect("a lock");
    lock.lock().expect("a lock that somebody gives back");
    let (folder, stamp) = (all.join("python"), all.join("installed"));
    if !fs::read_to_string(&stamp).is_ok_and(|it| it == PIKA) {
        step(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        step(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--retries", "1", PIKA]))?;
        fs::write(stamp, PIKA).expect("a stamp");
    }
    Ok(Command::new(folder.join("bin/python")))
}

fn step(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it failed");
    if output.status.success() { Ok(()) } else { Err(format!("{name}: {last}")) }
}

/// Runs the example twice, with the users that upstreams have: the second time
/// everything is known already.
pub(crate) fn publishes(mut python: Command, url_of: impl Fn(&str) -> String) {
    python.arg(repository().join("deploy/examples/publish.py"));
    python.env("OUTFLOW_AMQP_URL", url_of("upstream_requests"));
    python.env("OUTFLOW_FACTS_URL", url_of("upstream_facts"));
    python.env("OUTFLOW_EVENTS_URL", url_of("upstream_events"));
    python.env("NO_PROXY", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1");
    for expected in [": approved\n", ": same\n"] {
        let output = python.output().expect("it starts");
        let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && out.contains(expected), "{expected}: {out}{said}");
    }
    // A producer of facts may publish nothing else.
    python.env("OUTFLOW_AMQP_URL", url_of("upstream_facts")).env("ACCOUNT", "another");
    let output = python.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("ACCESS_REFUSED"), "{said}");
}
