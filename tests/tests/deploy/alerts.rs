//! The alerts: each is tested by `promtool`, has its page in the runbook, and asks for
//! metrics that exist. Where promtool is not installed, its own checks say so.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use tests::repository;

use crate::read;

/// Where packages put the runbook.
const RUNBOOK: &str = "file:///usr/local/share/doc/outflow/runbook/";

fn yaml(file: &str) -> Value {
    serde_norway::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn alerts() -> Vec<Value> {
    let rules = yaml("deploy/prometheus/outflow.rules.yml");
    let groups = rules["groups"].as_array().expect("groups").clone();
    groups.iter().flat_map(|it| it["rules"].as_array().expect("rules").clone()).collect()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} of {value}"))
}

/// Runs promtool in the folder of the rules; `None`, and a reason, where it is not installed.
fn promtool(arguments: &[&str]) -> Option<(bool, String)> {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(repository().join("deploy/prometheus"));
    match command.output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
        }
        Err(error) => {
            println!("not asked of Prometheus: promtool: {error} (Debian's package prometheus)");
            None
        }
    }
}

#[test]
fn promtool_takes_the_rules_and_every_alert_fires_when_it_should() {
    for arguments in [["check", "rules", "outflow.rules.yml"], ["test", "rules", "outflow.tests.yml"]] {
        let Some((good, said)) = promtool(&arguments) else { return };
        assert!(good, "{said}");
    }
    // Without its threshold the outbox is late for ever: the tests notice.
    let folder = tempfile::tempdir().expect("a folder of our own");
    let rules = read("deploy/prometheus/outflow.rules.yml");
    let wrong = rules.replace("max(outflow_outbox_lag_seconds) > 60", "max(outflow_outbox_lag_seconds) >= 0");
    assert_ne!(rules, wrong);
    fs::write(folder.path().join("outflow.rules.yml"), wrong).expect("the folder is ours");
    let tests = folder.path().join("outflow.tests.yml");
    fs::write(&tests, read("deploy/prometheus/outflow.tests.yml")).expect("the folder is ours");
    let (good, _) = promtool(&["test", "rules", tests.to_str().expect("text")]).expect("it was there above");
    assert!(!good, "a wrong rule passes its tests");
}

#[test]
fn every_alert_says_what_happened_and_has_a_page_and_a_test() {
    let tests = read("deploy/prometheus/outflow.tests.yml");
    let alerts = alerts();
    for alert in &alerts {
        let name = text(alert, "/alert");
        assert!(["page", "ticket"].contains(&text(alert, "/labels/severity")), "{name}");
        for part in ["summary", "description"] {
            assert!(text(alert, &format!("/annotations/{part}")).ends_with('.'), "{name}: {part}");
        }
        let url = text(alert, "/annotations/runbook_url");
        let page = url.strip_prefix(RUNBOOK).unwrap_or_else(|| panic!("{name}: {url}"));
        assert!(repository().join("deploy/runbook").join(page).is_file(), "{name}: there is no page {page}");
        let fires = format!("alertname: {name}\n        exp_alerts:\n");
        assert!(tests.contains(&fires), "{name} has no test in which it fires");
    }
    // What must wake somebody, whatever else does.
    for pages_on in [
        "outflow_ledger_difference",
        "outflow_unknown_oldest_age_seconds",
        "outflow_deadline_headroom_seconds",
        "outflow_overdue_legs",
        "outflow_outbox_lag_seconds",
        "outflow_queue_consumers",
    ] {
        let pages = alerts.iter().filter(|it| text(it, "/labels/severity") == "page");
        assert!(pages.into_iter().any(|it| text(it, "/expr").contains(pages_on)), "{pages_on}");
    }
}

#[test]
fn every_page_of_the_runbook_is_listed_and_every_link_leads_somewhere() {
    let folder = repository().join("deploy/runbook");
    let list = read("deploy/runbook/README.md");
    for entry in fs::read_dir(&folder).expect("the runbook") {
        let name = entry.expect("an entry").file_name().into_string().expect("its name is text");
        assert!(name == "README.md" || list.contains(&format!("({name})")), "{name} is in no list");
        let page = read(&format!("deploy/runbook/{name}"));
        for target in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().expect("a split has a first part");
            assert!(target.starts_with("http") || folder.join(target).exists(), "{name} leads to {target}");
        }
    }
}

/// Every metric that a rule, a panel or a scaler asks for.
pub(crate) fn metrics() -> BTreeSet<String> {
    let dashboard = read("deploy/grafana/outflow.json");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|it| it["targets"].as_array()).flatten();
    let asked = targets.map(|it| text(it, "/expr").to_owned());
    let ruled = alerts().into_iter().map(|it| text(&it, "/expr").to_owned());
    let scaling = read("deploy/kubernetes/scaling.yaml");
    let scaled = scaling.lines().filter_map(|it| it.trim().strip_prefix("query: ")).map(str::to_owned);
    let expressions: Vec<String> = asked.chain(ruled).chain(scaled).collect();
    assert!(expressions.len() > 30, "{expressions:?}");
    let mut found = BTreeSet::new();
    for expression in expressions {
        for rest in expression.split("outflow_").skip(1) {
            let name: String = rest.chars().take_while(|it| it.is_ascii_lowercase() || *it == '_').collect();
            found.insert(format!("outflow_{name}"));
        }
    }
    found
}

/// Those of [`metrics`] that `exposed`, the text of `/metrics`, does not have.
pub(crate) fn missing(exposed: &str) -> Vec<String> {
    let has = |name: &str| {
        let parts = ["", "_bucket", "_count", "_sum"];
        let plain = parts.iter().find_map(|part| name.strip_suffix(part).filter(|_| !part.is_empty()));
        exposed.lines().any(|line| {
            line.starts_with(&format!("{name}{{"))
                || line.starts_with(&format!("{name} "))
                || plain.is_some_and(|it| line.starts_with(&format!("# TYPE {it} ")))
        })
    };
    metrics().into_iter().filter(|name| !has(name)).collect()
}
