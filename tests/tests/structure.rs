//! The shape of the repository: which crate may know which, what lies where, and
//! what no file may hold.
//!
//! A picture of an architecture is true on the day it is drawn. These tests keep
//! it true: each rule is a small function from files to complaints, tried on a
//! planted offence before it is believed about the repository.

#[path = "structure/arrows.rs"]
mod arrows;
#[path = "structure/files.rs"]
mod files;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use arrows::{Arrows, arrows};
use files::{File, all_files, root};
use spdx::{Expression, ParseMode};

/// Who may use whom at run time.
///
/// `outflow` wires everything together, so it also opens what the workers are
/// handed: the database and its vault (`store`), the connections (`broker`), the
/// keys and addresses of the gateways (`gateways`) and the policy and the
/// calendar (`domain`).
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("store", &["domain"]),
    ("broker", &["domain"]),
    ("gateways", &["domain"]),
    ("workers", &["store", "broker", "gateways", "domain"]),
    ("api", &["store", "broker", "gateways", "domain"]),
    // Two sides of a wire that share a type share its mistakes.
    ("simulator", &[]),
    ("devstack", &[]),
    ("outflow", &["workers", "api", "simulator", "devstack", "store", "broker", "gateways", "domain"]),
    ("xtask", &["devstack"]),
    (
        "tests",
        &["workers", "api", "simulator", "devstack", "store", "broker", "gateways", "domain", "outflow"],
    ),
];

/// Who may use whom in its own tests, beyond the above.
const ALLOWED_IN_TESTS: &[(&str, &[&str])] = &[
    ("store", &["devstack"]),
    ("broker", &["devstack"]),
    ("gateways", &["simulator"]),
    ("workers", &["devstack", "simulator"]),
    ("api", &["devstack", "simulator"]),
];

/// What may be seen at the top. `target` is where cargo builds.
const TOP: &[&str] =
    &["Cargo.toml", "Cargo.lock", "README.md", "config", "crates", "deploy", "target", "tests"];

/// The packages that the product is built from, by decision.
const CARD: &[&str] = &[
    "tokio",
    "lapin",
    "serde",
    "serde_json",
    "sqlx",
    "rust_decimal",
    "chrono",
    "reqwest",
    "backoff",
    "tracing",
];

/// Names that say nothing about what a file is for.
const EMPTY_NAMES: &[&str] =
    &["utils", "util", "helpers", "common", "misc", "types", "models", "core", "manager"];

/// The longest a source file may be, in lines.
const LONGEST: usize = 400;

/// Cryptography comes from one library. `rsa` leaks timing (RUSTSEC-2023-0071).
const BANNED: &[&str] = &["rsa", "openssl", "openssl-sys", "native-tls", "ring"];

/// S16: licences that ask nothing of the product but to be named.
const LICENCES: &[&str] = &[
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Unicode-3.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "CDLA-Permissive-2.0",
];

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn every_arrow_between_crates_is_an_allowed_one() {
    let Arrows { run_time, in_tests } = arrows();
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    let there: BTreeSet<&str> = run_time.keys().map(String::as_str).collect();
    assert_eq!(there, known, "the crates of the workspace");
    let forbidden = [
        arrows::not_allowed(&run_time, &[ALLOWED]),
        arrows::not_allowed(&in_tests, &[ALLOWED, ALLOWED_IN_TESTS]),
    ];
    none(&forbidden.concat());
}

#[test]
fn an_arrow_that_nobody_allowed_is_noticed() {
    let planted = [("store".to_owned(), ["broker".to_owned(), "domain".to_owned()].into())].into();
    assert_eq!(arrows::not_allowed(&planted, &[ALLOWED]), ["store must not use broker"]);
}

#[test]
fn nothing_else_lies_at_the_top() {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| name.into_string().unwrap());
    let strange: Vec<String> =
        names.filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str())).collect();
    none(&strange);
}

#[test]
fn every_package_of_the_card_does_real_work() {
    let users = arrows::users_of(CARD);
    for package in CARD {
        let named = users.get(*package).into_iter().flatten().any(|folder| {
            let own = |file: &&File| file.path.starts_with(folder.join("src"));
            all_files().iter().filter(own).any(|file| file.names_crate(package))
        });
        assert!(named, "no crate that depends on {package} names it in its source");
    }
}

#[test]
fn a_crate_that_is_only_mentioned_in_a_comment_does_no_work() {
    let file = |text: &str| File::new("crates/x/src/a.rs", text);
    assert!(file("use tokio::time;").names_crate("tokio"));
    assert!(file("    let now = chrono::NaiveDate::MIN;").names_crate("chrono"));
    assert!(!file("// use tokio::time;").names_crate("tokio"));
    assert!(!file("use mytokio::time;").names_crate("tokio"));
}

#[test]
fn every_file_says_by_its_name_what_it_is_for() {
    let speaks = |file: &&File| {
        let parts = file.path.iter().map(|part| part.to_str().expect("a plain name"));
        parts.map(|part| part.split('.').next().unwrap_or(part)).all(|stem| !EMPTY_NAMES.contains(&stem))
    };
    let silent: Vec<String> = all_files().iter().filter(|file| !speaks(file)).map(File::shown).collect();
    none(&silent);
}

#[test]
fn every_source_file_opens_with_what_it_is_and_can_be_read_at_one_sitting() {
    none(&all_files().iter().flat_map(complaints_about_form).collect::<Vec<_>>());
    let long = "//! Long.\n".repeat(LONGEST + 1);
    assert_eq!(complaints_about_form(&File::new("a.rs", &long)), ["a.rs has 401 lines"]);
    let bare = File::new("a.rs", "fn main() {}");
    assert_eq!(complaints_about_form(&bare), ["a.rs does not open with `//!`"]);
}

fn complaints_about_form(file: &File) -> Vec<String> {
    let opening = match file.extension() {
        "rs" => "//!",
        "sql" => "--",
        _ => return Vec::new(),
    };
    let mut complaints = Vec::new();
    if !file.text.starts_with(opening) {
        complaints.push(format!("{} does not open with `{opening}`", file.shown()));
    }
    let lines = file.text.lines().count();
    if lines > LONGEST {
        complaints.push(format!("{} has {lines} lines", file.shown()));
    }
    complaints
}

#[test]
fn no_statement_and_no_rule_reads_a_clock_and_no_rule_counts_in_floats() {
    none(&all_files().iter().flat_map(complaints_about_time_and_money).collect::<Vec<_>>());
    let planted = File::new("crates/domain/src/a.rs", "//! A.\nlet x: f64 = 1.0; // f32 here is talk");
    assert_eq!(complaints_about_time_and_money(&planted), ["crates/domain/src/a.rs:2 holds `f64`"]);
    let planted = File::new("crates/store/sql/a.sql", "-- now() is banned\nselect now()");
    assert_eq!(complaints_about_time_and_money(&planted), ["crates/store/sql/a.sql:2 holds `now()`"]);
}

fn complaints_about_time_and_money(file: &File) -> Vec<String> {
    let words: &[&str] = match file.extension() {
        "sql" => &["now()", "current_timestamp", "clock_timestamp", "current_date", "double precision"],
        "rs" if file.path.starts_with("crates/domain/src") => {
            &["::now()", "SystemTime", "Instant", "f64", "f32", "async fn", "std::fs", "std::env"]
        }
        _ => return Vec::new(),
    };
    file.holds_in_code(words)
}

#[test]
fn no_file_holds_what_belongs_to_one_machine_or_to_tomorrow() {
    // Written in two halves: this file is looked at too.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/wo", "rk/"),
    ];
    let complaints: Vec<String> = all_files().iter().flat_map(|file| file.holds(&words)).collect();
    none(&complaints);
    assert_eq!(File::new("a.md", concat!("x\nTO", "DO")).holds(&words).len(), 1);
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let public = r#"source = "registry+https://github.com/rust-lang/crates.io-index""#;
    let sources = lock.lines().filter(|line| line.starts_with("source = "));
    let strange: Vec<String> = sources.filter(|line| *line != public).map(str::to_owned).collect();
    none(&strange);
}

/// One line for each package that is really built, with every feature of ours: the lock
/// file also names what other platforms would need.
fn built(format: &str) -> String {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--workspace", "--all-features", "--offline", "--prefix=none", "--format", format])
        .current_dir(root());
    let output = tree.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names of packages")
}

#[test]
fn what_is_built_holds_one_cryptographic_library() {
    let text = built("{p}");
    let built: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(built.contains("aws-lc-rs") && built.len() > 50, "{} packages", built.len());
    none(&BANNED.iter().filter(|name| built.contains(**name)).map(|it| (*it).to_owned()).collect::<Vec<_>>());
}

/// Whether a licence asks nothing of the product but to be named.
fn is_permissive(licence: &str) -> bool {
    let expression = Expression::parse_mode(licence, ParseMode::LAX);
    expression.is_ok_and(|it| {
        it.evaluate(|it| it.license.id().is_some_and(|licence| LICENCES.contains(&licence.name)))
    })
}

#[test]
fn s16_every_package_may_be_shipped_under_its_licence() {
    let text = built("{p}|{l}|");
    let told = text.lines().filter_map(|line| {
        let mut parts = line.split('|');
        Some((parts.next()?, parts.next()?.trim()))
    });
    // Ours have none: they are this product's.
    let others: BTreeSet<(&str, &str)> =
        told.filter(|(package, _)| !package.contains(&format!("({}", root().display()))).collect();
    assert!(others.len() > 50, "{} packages", others.len());
    let strange = others.iter().filter(|(_, licence)| !is_permissive(licence));
    none(&strange.map(|(package, licence)| format!("{package} is under {licence:?}")).collect::<Vec<_>>());
}

#[test]
fn a_licence_that_asks_for_more_is_noticed() {
    for (licence, fine) in [
        ("MIT/Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT OR LGPL-2.1-or-later", true),
        ("MIT AND GPL-3.0-only", false),
        ("AGPL-3.0-only", false),
        ("", false),
        ("whatever", false),
    ] {
        assert_eq!(is_permissive(licence), fine, "{licence:?}");
    }
}
