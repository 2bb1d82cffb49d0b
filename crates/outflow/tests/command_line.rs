//! The command line without servers: usage, exit status, settings, calendar.

use std::path::PathBuf;

use assert_cmd::Command;

/// The binary in an empty folder, without anything of the environment.
fn outflow(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("outflow").expect("the binary is built");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OUTFLOW_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(arguments);
    command
}

/// Exit status, stdout and stderr.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A file of its own for a test.
fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("the test's folder can be written");
    path
}

#[test]
fn wrong_usage_is_2_and_says_what_is_possible() {
    for (arguments, words) in [
        (vec!["fly"], "unrecognized subcommand"),
        (vec!["run", "fax"], "possible values: facts"),
        (vec!["run", "intake", "--rail", "bank"], "--rail belongs to `run payout`"),
        (vec!["dev", "--workers", "fax"], "there is no worker \"fax\""),
        (vec!["list", "--state", "flying"], "must be one of received"),
        (vec!["show", "17"], "invalid value '17'"),
        (vec!["calendar", "check", "tomorrow"], "invalid value 'tomorrow'"),
        (vec!["list", "--config", "missing.toml"], "missing.toml cannot be read"),
        (vec!["list"], "no address of the database is set"),
        (vec!["list", "--log-level", "a=b=c"], "the log filter cannot be read"),
    ] {
        let (code, out, said) = run(&mut outflow(&arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words) && out.is_empty(), "{arguments:?}: {said}");
    }
}

#[test]
fn a_wrong_setting_is_shown_with_its_line_and_a_caret() {
    let config =
        file("wrong.toml", "[policy]\nauto_approve_up_to = \"5000.00\"\nbank_cutoffs = [\"16:30\"]\n");
    let (code, _, said) = run(outflow(&["list", "--config"]).arg(config));
    assert_eq!(code, Some(2), "{said}");
    for words in ["wrong.toml", "line 3, column 1", "^^^^", "unknown field `bank_cutoffs`", "next:"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn s06_default_passwords_are_refused_except_in_the_dev_profile() {
    let database = ("OUTFLOW_DATABASE_URL", "postgres://outflow:outflow@127.0.0.1:1/outflow");
    let (code, _, said) = run(outflow(&["migrate"]).env(database.0, database.1));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("default user or password") && !said.contains("outflow:outflow"), "{said}");
    let (code, _, said) =
        run(outflow(&["migrate"]).env(database.0, database.1).env("OUTFLOW_PROFILE", "dev"));
    assert_eq!(code, Some(5), "{said}");
}

#[test]
fn servers_that_do_not_answer_are_5() {
    for (arguments, name, url) in [
        (["list", "--output=json"], "OUTFLOW_DATABASE_URL", "postgres://outflow@127.0.0.1:1/outflow"),
        (["topology", "diff"], "OUTFLOW_AMQP_URL", "amqp://outflow:k4-Zq@127.0.0.1:1/"),
    ] {
        let (code, out, said) = run(outflow(&arguments).env(name, url));
        assert_eq!(code, Some(5), "{said}");
        assert!(out.is_empty() && said.contains("connecting to the"), "{said}");
        assert!(said.contains("refused"), "{said}");
        assert!(said.contains(" at 127.0.0.1:1") && said.contains(&format!("next: check {name}")), "{said}");
        assert!(!said.contains("k4-Zq"), "{said}");
    }
}

#[test]
fn an_address_that_is_none_is_2_and_names_its_variable() {
    for (arguments, name, url) in [
        (["list", "--output=json"], "OUTFLOW_DATABASE_URL", "k4-Zq"),
        (["list", "--output=json"], "OUTFLOW_DATABASE_URL", "mysql://outflow:k4-Zq@127.0.0.1:1/outflow"),
        (["topology", "diff"], "OUTFLOW_AMQP_URL", "127.0.0.1:5672/k4-Zq"),
    ] {
        let (code, out, said) = run(outflow(&arguments).env(name, url));
        assert_eq!(code, Some(2), "{said}");
        assert!(out.is_empty() && said.contains(&format!("next: correct {name}")), "{said}");
        assert!(!said.contains("k4-Zq"), "{said}");
    }
}

#[test]
fn a_message_that_breaks_the_contract_is_4_before_anything_is_asked_of_a_server() {
    let message = r#"{"specversion":"1.0","id":"1","source":"/s","type":"outflow.usage.unbilled.v1","time":"2026-09-23T09:30:00+08:00","data":{"account_id":"a","version":1,"amount":1.00,"currency":"CNY"}}"#;
    let (code, _, said) = run(outflow(&["publish", "-"]).write_stdin(message));
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("message 1: /data/amount amounts are decimal strings"), "{said}");
    let (code, _, said) = run(&mut outflow(&["publish", "missing.json"]));
    assert_eq!(code, Some(3), "{said}");
}

#[test]
fn the_calendar_counts_seven_working_days_across_holidays() {
    for (date, kind, deadline) in [
        ("2026-09-23", "Wednesday is a working day", "2026-10-10"),
        ("2026-02-14", "Saturday is a make-up working day", "2026-03-03"),
        ("2026-10-01", "Thursday is a holiday", "2026-10-15"),
        ("2026-11-28", "Saturday is off", "2026-12-08"),
    ] {
        let (code, out, said) = run(&mut outflow(&["calendar", "check", date]));
        assert_eq!(code, Some(0), "{said}");
        assert!(out.contains(kind) && out.contains(&format!("by the end of {deadline}\n")), "{out}");
    }
    let (_, out, _) = run(&mut outflow(&["calendar", "check", "2026-12-28", "--output", "json"]));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((answer["working_day"].as_bool(), answer["provisional"].as_bool()), (Some(true), Some(true)));
}

#[test]
fn a_calendar_of_the_settings_takes_the_place_of_the_built_in_one() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("calendars");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("cn-2026.toml"),
        "year = 2026\nholidays = [\"2026-09-24\"]\nmake_up_days = []\n",
    )
    .unwrap();
    let config = file("calendar.toml", "[calendar]\nfolder = \"calendars\"\n");
    let (code, out, said) = run(outflow(&["calendar", "check", "2026-09-23", "--config"]).arg(&config));
    assert_eq!(code, Some(0), "{said}");
    assert!(out.contains("by the end of 2026-10-05"), "{out}");
    std::fs::write(
        folder.join("cn-2027.toml"),
        "year = 2027\nholidays = [\"2026-01-01\"]\nmake_up_days = []\n",
    )
    .unwrap();
    let (code, _, said) = run(outflow(&["calendar", "check", "2026-09-23", "--config"]).arg(&config));
    std::fs::remove_file(folder.join("cn-2027.toml")).unwrap();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cn-2027.toml is not right") && said.contains("not a day of 2027"), "{said}");
}

#[test]
fn completions_are_printed_for_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, out, _) = run(&mut outflow(&["completions", shell]));
        assert!(code == Some(0) && out.contains("topology"), "{shell}");
    }
}

#[test]
fn config_show_says_where_each_value_comes_from_and_shows_no_secret() {
    let config = file("shown.toml", "profile = \"dev\"\n[database]\nurl = \"postgres://o:hush@db/o\"\n");
    let show = |more: &[&str]| {
        let mut command = outflow(&["config", "show", "--config"]);
        let command = command.arg(&config).args(more).env("OUTFLOW_DATABASE_CONNECTIONS", "3");
        run(command.env("OUTFLOW_VAULT_KEYS", "k1:hush"))
    };
    let (code, out, said) = show(&["--output", "json"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!out.contains("hush") && !said.contains("next:"), "{out}{said}");
    let rows: serde_json::Value = serde_json::from_str(&out).expect("settings in JSON");
    for (setting, value, from) in [
        ("profile", serde_json::json!("dev"), "file"),
        ("database.url", serde_json::json!("(secret)"), "file"),
        ("database.connections", serde_json::json!(3), "environment (OUTFLOW_DATABASE_CONNECTIONS)"),
        ("vault.keys", serde_json::json!("(secret)"), "environment (OUTFLOW_VAULT_KEYS)"),
        ("policy.approvers", serde_json::json!(2), "default"),
    ] {
        let row = rows.as_array().and_then(|rows| rows.iter().find(|row| row["setting"] == setting));
        let row = row.unwrap_or_else(|| panic!("{setting} in {out}"));
        assert_eq!((&row["value"], row["from"].as_str()), (&value, Some(from)), "{setting}");
    }
    let (_, out, said) = show(&[]);
    assert!(out.contains("environment (OUTFLOW_VAULT_KEYS)") && !out.contains("hush"), "{out}");
    assert!(said.contains("shown.toml") && said.contains("next: outflow config check"), "{said}");
}

#[test]
fn config_check_names_every_part_that_is_missing_and_needs_no_server() {
    let (code, out, said) = run(&mut outflow(&["config", "check"]));
    assert_eq!(code, Some(2), "{said}");
    for words in
        ["✗ address of the database: no address", "✗ keys of the vault: there is no", "✓ working-day"]
    {
        assert!(out.contains(words), "{words} in {out}");
    }
    assert!(said.contains("address of the broker, keys of the vault") && said.contains("next:"), "{said}");
    let key = "00".repeat(32);
    let (code, out, said) = run(outflow(&["config", "check"])
        .env("OUTFLOW_DATABASE_URL", "postgres://outflow@127.0.0.1:1/outflow")
        .env("OUTFLOW_AMQP_URL", "amqp://outflow:k4-Zq@127.0.0.1:1/")
        .env("OUTFLOW_VAULT_KEYS", format!("k1:{key}"))
        .env("OUTFLOW_VAULT_LOOKUP_KEY", &key)
        .env("OUTFLOW_VERIFICATION_KEYS", format!("up:{key}")));
    assert_eq!(code, Some(0), "{out}{said}");
    assert!(said.contains("hold together") && !out.contains("✗"), "{out}{said}");
}

/// One visit names everything that is wrong, each with how to mend it.
#[test]
fn doctor_names_all_that_is_wrong_without_any_server() {
    let doctor = |output: &str| {
        run(outflow(&["doctor", "--output", output])
            .env("OUTFLOW_DATABASE_URL", "postgres://outflow:outflow@127.0.0.1:1/outflow")
            .env("OUTFLOW_AMQP_URL", "amqp://guest:guest@127.0.0.1:1/")
            .env("OUTFLOW_GATEWAY_URL", "http://127.0.0.1:1"))
    };
    let (code, out, said) = doctor("json");
    assert_eq!(code, Some(1), "{said}");
    assert!(!out.contains("guest:guest") && !said.contains("guest:guest"), "{out}{said}");
    let findings: serde_json::Value = serde_json::from_str(&out).expect("findings in JSON");
    for (name, verdict, mend) in [
        ("passwords", "bad", "correct the settings"),
        ("keys of the vault", "bad", "correct the settings"),
        ("database", "bad", "start PostgreSQL"),
        ("broker", "bad", "start RabbitMQ"),
        ("gateway of all channels", "bad", "[gateways]"),
        ("profile", "good", ""),
    ] {
        let found = findings.as_array().and_then(|rows| rows.iter().find(|row| row["name"] == name));
        let found = found.unwrap_or_else(|| panic!("{name} in {out}"));
        assert_eq!(found["verdict"], verdict, "{found}");
        assert!(found["mend"].as_str().unwrap_or_default().contains(mend), "{found}");
    }
    let (_, out, said) = doctor("table");
    assert!(out.contains("✗ broker: ") && out.contains("\n    mend: start RabbitMQ"), "{out}");
    assert!(said.contains("are not as they must be") && said.contains("next: mend the first"), "{said}");

    let config = file("doctor-wrong.toml", "[policy]\napprovals = 1\n");
    let (code, out, _) = run(outflow(&["doctor", "--config"]).arg(config));
    assert!(code == Some(1) && out.contains("✗ settings: ") && out.contains("config/settings.md"), "{out}");
}

#[test]
fn a_screen_without_a_terminal_is_2_and_names_what_shows_the_same() {
    let (code, out, said) = run(&mut outflow(&["top"]));
    assert_eq!(code, Some(2), "{said}");
    assert!(out.is_empty() && said.contains("needs a terminal"), "{out}{said}");
    assert!(said.contains("next: outflow status shows the same once"), "{said}");
}
