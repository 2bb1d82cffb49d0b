//! What `deploy/` names exists, and whoever reads it agrees with it: here systemd.
//!
//! A unit that starts a worker nobody has, or reads a variable nobody reads, is
//! found here and not on the day of an installation. Where systemd is not
//! installed its own two checks are left out, and say so.

#[path = "deploy/alerts.rs"]
mod alerts;
#[path = "deploy/containers.rs"]
mod containers;
#[path = "deploy/generated.rs"]
mod generated;
#[path = "deploy/privilege.rs"]
mod privilege;
#[path = "deploy/upstream.rs"]
mod upstream;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tests::{program, repository};

/// Where the units expect the program.
const INSTALLED: &str = "/usr/local/bin/outflow";

/// The most that `systemd-analyze security` may find exposed, in tenths: below 2.0 it says "OK".
const EXPOSURE: &str = "15";

/// A file of the repository.
fn read(file: &str) -> String {
    fs::read_to_string(repository().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn deployed(name: &str) -> String {
    read(&format!("deploy/systemd/{name}"))
}

/// The words of a text that begin with `prefix`, without it and up to the first
/// character that no name has.
fn names<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let named = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let ends = |rest: &'a str| rest.split(|it| !named(it)).next().expect("a split has a first part");
    text.split(prefix).skip(1).map(ends).filter(|it| !it.is_empty()).collect()
}

fn outflow(arguments: &[&str]) -> Output {
    Command::new(program("outflow")).args(arguments).output().expect("it starts")
}

/// Whether there is a worker of a name. A wrong one is refused before the settings
/// are read; a right one comes as far as the file that isn't there.
fn is_worker(name: &str) -> bool {
    let output = outflow(&["--config", "/nonexistent/outflow.toml", "run", name]);
    String::from_utf8_lossy(&output.stderr).contains("/nonexistent/outflow.toml")
}

/// Both units with a program that is there, the template as the worker `intake` too.
fn units(folder: &Path) {
    for (from, to) in [
        ("outflow@.service", "outflow@.service"),
        ("outflow@.service", "outflow@intake.service"),
        ("outflow.target", "outflow.target"),
    ] {
        let own = program("outflow");
        let text = deployed(from).replace(INSTALLED, own.to_str().expect("its path is text"));
        fs::write(folder.join(to), text).expect("the folder is ours");
    }
}

/// `systemd-analyze` on the units; `None`, and a reason, where it is not installed.
fn analyze(folder: &Path, arguments: &[&str], unit: &str) -> Option<Output> {
    let search = format!("{}:", folder.display());
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).arg(folder.join(unit)).env("SYSTEMD_UNIT_PATH", search);
    match command.output() {
        Ok(output) => Some(output),
        Err(error) => {
            println!("not asked of systemd: systemd-analyze: {error}");
            None
        }
    }
}

#[test]
fn every_worker_that_a_unit_starts_exists() {
    let named = deployed("outflow.target") + &deployed("README.md");
    let workers = names(&named, "outflow@");
    for worker in ["all", "api", "intake", "payout"] {
        assert!(workers.contains(&worker), "{worker} is not in {workers:?}");
    }
    for worker in workers {
        assert!(is_worker(worker), "there is no worker {worker}");
    }
    assert!(!is_worker("nonsense"), "this test notices nothing");
}

#[test]
fn a_unit_starts_the_program_with_options_that_it_has() {
    let unit = deployed("outflow@.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("it starts something");
    let words = start.strip_prefix(INSTALLED).expect("it starts the program");
    let words = words.replace("%i", "intake") + " --help";
    let output = outflow(&words.split_whitespace().collect::<Vec<_>>());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_variable_that_the_units_set_is_read() {
    let settings = fs::read_to_string(repository().join("config/outflow.toml")).expect("it is there");
    let help = String::from_utf8(outflow(&["run", "--help"]).stdout).expect("help is text");
    let known = names(&settings, "OUTFLOW_").into_iter().chain(names(&help, "OUTFLOW_")).collect::<Vec<_>>();
    let set = deployed("outflow@.service") + &deployed("README.md");
    let set = names(&set, "OUTFLOW_");
    assert!(set.len() >= 5, "{set:?}");
    for name in set {
        assert!(known.contains(&name), "nothing reads OUTFLOW_{name}");
    }
}

#[test]
fn systemd_takes_the_units_and_finds_little_exposed() {
    let folder = tempfile::tempdir().expect("a folder of our own");
    units(folder.path());
    for unit in ["outflow@intake.service", "outflow.target"] {
        let Some(output) = analyze(folder.path(), &["verify"], unit) else { return };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.trim().is_empty(), "{unit}: {said}");
    }
    let security = ["security", "--offline=true", "--threshold", EXPOSURE];
    let output = analyze(folder.path(), &security, "outflow@intake.service").expect("it was there above");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn systemd_refuses_a_unit_that_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder of our own");
    units(folder.path());
    let unit = folder.path().join("outflow@intake.service");
    let text = fs::read_to_string(&unit).expect("it was just written");
    fs::write(&unit, text.replace("NoNewPrivileges=yes", "NoNewPrivilege=yes")).expect("the folder is ours");
    let Some(output) = analyze(folder.path(), &["verify"], "outflow@intake.service") else { return };
    assert!(String::from_utf8_lossy(&output.stderr).contains("NoNewPrivilege"), "{output:?}");
    fs::write(&unit, "[Service]\nExecStart=/bin/true\n").expect("the folder is ours");
    let security = ["security", "--offline=true", "--threshold", EXPOSURE];
    let output = analyze(folder.path(), &security, "outflow@intake.service").expect("it was there above");
    assert!(!output.status.success(), "a bare unit passes for a hardened one");
}
