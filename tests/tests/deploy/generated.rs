//! The files under `deploy/` that the program prints are the ones that it prints today.
//!
//! `UPDATE_DEPLOY=1 cargo nextest run --workspace --test deploy` writes them anew.

use std::fs;
use std::process::Command;

use serde_json::Value;
use store::roles;
use tests::{program, repository};

use crate::is_worker;

/// What the program prints, with these variables and no other of ours.
fn printed(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(program("outflow"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OUTFLOW_")) {
        command.env_remove(name);
    }
    let output = command.args(arguments).envs(variables.iter().copied()).output().expect("it starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

#[test]
fn the_committed_files_are_the_ones_that_the_program_prints() {
    for (file, arguments) in [
        ("deploy/postgresql/roles.sql", vec!["roles", "sql"]),
        ("deploy/rabbitmq/definitions.json", vec!["topology", "definitions"]),
    ] {
        let (path, text) = (repository().join(file), printed(&arguments, &[]));
        if std::env::var_os("UPDATE_DEPLOY").is_some() {
            fs::write(&path, &text).expect("the repository can be written");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "set UPDATE_DEPLOY=1 to write {file} anew");
    }
}

#[test]
fn s06_passwords_come_from_the_environment_and_only_their_hashes_are_printed() {
    let secret = "Zr4-q7-not-in-any-file";
    let text = printed(&["topology", "definitions"], &[("OUTFLOW_AMQP_PASSWORD_INTAKE", secret)]);
    let document: Value = serde_json::from_str(&text).expect("definitions are JSON");
    assert!(!text.contains(secret));
    for user in document["users"].as_array().expect("users") {
        let has = user["password_hash"] != "";
        assert_eq!(has, user["name"] == "outflow_intake", "{user}");
        assert_eq!(user["tags"], "", "nobody who runs administers the broker");
    }
}

#[test]
fn every_role_and_every_user_is_of_a_worker_or_of_people() {
    let people = [
        "operator",
        "topology",
        "upstream_facts",
        "upstream_requests",
        "upstream_decisions",
        "upstream_events",
    ];
    let roles = roles::roles();
    let names = roles.iter().map(|it| it.name).chain(broker::user_names());
    for name in names.filter(|name| !people.contains(name)) {
        assert!(is_worker(name), "there is no worker {name}");
    }
    let help = printed(&["run", "--help"], &[]);
    let listed = help.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split_once(':'));
    let workers: Vec<&str> = listed.map(|(name, _)| name).filter(|name| is_worker(name)).collect();
    assert!(workers.len() > 10, "{help}");
    for worker in workers.iter().filter(|it| **it != "all") {
        assert!(roles.iter().any(|it| it.name == *worker), "{worker} has no role: crates/store/src/roles.rs");
    }
}
