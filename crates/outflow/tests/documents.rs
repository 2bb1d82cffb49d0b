//! Commands that need no server: what codes mean, whether messages fit, the contracts.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;

/// Exit status, stdout and stderr of the binary, without settings.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::cargo_bin("outflow").unwrap();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OUTFLOW_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    let output = command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn json(arguments: &[&str]) -> Value {
    let (status, out, said) = run(&[arguments, &["--output", "json"]].concat());
    assert_eq!(status, Some(0), "{arguments:?}: {said}");
    serde_json::from_str(&out).unwrap()
}

fn file(name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

const FACT: &str = r#"{"specversion":"1.0","id":"1","source":"/shop","type":"outflow.usage.unbilled.v1","time":"2026-09-23T09:30:00+08:00","data":{"account_id":"a","version":1,"amount":"1.00","currency":"CNY"}}"#;

#[test]
fn a_code_is_explained_with_its_rule_the_money_and_what_to_do() {
    for (code, word) in [
        ("exceeds_withdrawable", "rule R1"),
        ("exceeds-withdrawable", "rule R1"),
        ("https://outflow.example/problems/not-json", "Upstream:"),
        ("still_obstructed", "no person can overrule"),
        ("predecessor_paid", "must not be sent"),
        ("ACQ.SELLER_BALANCE_NOT_ENOUGH", "a code of alipay"),
        ("AC04", "a code of bank"),
    ] {
        let (status, out, said) = run(&["explain", code]);
        assert_eq!(status, Some(0), "{code}: {said}");
        assert!(out.contains(word) && out.contains("Is money at risk?"), "{code}: {out}");
        assert!(said.contains("next: "), "{code}: {said}");
    }
    let (status, out, said) = run(&["explain", "exceeds_withdrawal"]);
    assert_eq!((status, out.as_str()), (Some(3), ""));
    assert!(said.contains("perhaps exceeds_"), "{said}");
}

#[test]
fn a_number_that_is_none_is_told_from_where_to_take_one() {
    for arguments in [
        &["show", "req-0001"][..],
        &["watch", "req-0001"],
        &["parked", "show", "req-0001", "--by", "li.wei"],
        &["resolve", "req-0001", "--as", "paid", "--evidence", "a letter", "--by", "li.wei"],
    ] {
        let (status, out, said) = run(arguments);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(said.contains("'req-0001'") && said.contains("`outflow list`"), "{said}");
    }
}

#[test]
fn a_day_that_is_not_over_is_not_compared() {
    let (status, out, said) = run(&["reconcile", "--rail", "alipay", "--day", "2999-12-31"]);
    assert_eq!((status, out.as_str()), (Some(4), ""), "{said}");
    assert!(said.contains("2999-12-31 is not over in Shanghai"), "{said}");
}

#[test]
fn a_reader_that_has_enough_is_no_fault() {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("outflow"));
    command.args(["roles", "sql"]).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn every_code_is_listed_in_every_format() {
    let all = json(&["explain"]);
    let count = all.as_array().unwrap().len();
    assert!(count > 80, "{count}");
    for it in all.as_array().unwrap() {
        for field in ["code", "about", "happened", "money_at_risk", "what_to_do"] {
            assert!(it[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {it}");
        }
    }
    let (_, lines, _) = run(&["explain", "--output", "jsonl"]);
    assert_eq!(lines.lines().count(), count);
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()));
    let (_, rows, _) = run(&["explain", "--output", "csv"]);
    assert_eq!(rows.lines().next(), Some("about,code,happened,money_at_risk,rule,what_to_do"));
    assert_eq!(rows.matches("\r\n").count(), count + 1);
}

#[test]
fn a_message_file_is_checked_and_every_fault_is_named() {
    let good = file("lint-good.json", &format!("[{FACT},{FACT}]"));
    let (status, out, said) = run(&["lint", &good]);
    assert_eq!(status, Some(0), "{said}");
    assert!(out.contains("outflow.facts") && said.contains("next: outflow dry-run"), "{out}{said}");
    let bad = file("lint-bad.json", &format!("{FACT}\n{}\n{{}}", FACT.replace("\"1.00\"", "1.00")));
    let (status, out, said) = run(&["lint", &bad, "--output", "jsonl"]);
    assert_eq!(status, Some(4), "{said}");
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["problem"], Value::Null);
    assert_eq!((&rows[1]["id"], &rows[2]["id"]), (&Value::from("1"), &Value::Null));
    assert_eq!(rows[1]["type"], "outflow.usage.unbilled.v1");
    assert_eq!(rows[1]["problem"]["pointer"], "/data/amount", "{}", rows[1]);
    assert!(said.contains("2 of 3 messages") && said.contains("outflow explain"), "{said}");
    assert_eq!(run(&["lint", "nowhere.json"]).0, Some(3));
    assert_eq!(run(&["lint", &file("lint-empty.json", "[]")]).0, Some(4));
}

#[test]
fn the_contracts_are_printed_as_they_are_committed() {
    let committed = |path: &str| -> Value {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    assert_eq!(json(&["schema", "asyncapi"]), committed("broker/asyncapi.json"));
    assert_eq!(json(&["schema", "openapi"]), committed("api/openapi.json"));
    let kind = "outflow.withdrawal.requested.v1";
    assert_eq!(json(&["schema", "json", kind]), committed(&format!("broker/schemas/{kind}.json")));
    assert!(json(&["schema", "json"]).as_array().unwrap().len() > 15);
    let (status, _, said) = run(&["schema", "json", "outflow.nothing.v1"]);
    assert_eq!(status, Some(3));
    assert!(said.contains(kind), "{said}");
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let (status, page, _) = run(&["man"]);
    assert_eq!(status, Some(0));
    assert!(page.starts_with(".ie") || page.contains(".TH outflow"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    let (status, _, said) = run(&["man", "--folder", &folder.path().display().to_string()]);
    assert_eq!(status, Some(0), "{said}");
    for page in ["outflow.1", "outflow-approve.1", "outflow-dry-run.1", "outflow-schema-json.1"] {
        assert!(folder.path().join(page).is_file(), "{page} is missing");
    }
}
