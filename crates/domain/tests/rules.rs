//! `RULES.md` is complete and true: every rule names code that speaks of it and
//! tests that exist.

use std::fs;
use std::path::{Path, PathBuf};

/// Every rule of the product, in the order of the page.
const RULES: &str = "R1 R2 R3 R4 R5 R6 R6b R6c R7 R7b R8 R9 R9b R10 R11 R12 R13 R14 R15 R16 R17 R18";

/// Rules that the page admits to be unfinished.
const OPEN: &str = "";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

/// All the code of the workspace in one text.
fn code() -> String {
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        rust_files(&workspace().join(folder), &mut files);
    }
    files.iter().map(|it| fs::read_to_string(it).expect("a readable file")).collect()
}

/// The page, as pairs of a rule's id and its section.
fn sections() -> Vec<(String, String)> {
    let page = fs::read_to_string(workspace().join("crates/domain/RULES.md")).expect("the page of rules");
    let parts = page.split("\n## ").skip(1);
    parts.map(|it| (it.split_whitespace().next().expect("an id").to_owned(), it.to_owned())).collect()
}

/// What a line such as ``Code: `a`, `b` `` names.
fn named(section: &str, label: &str) -> Vec<String> {
    let line = section.lines().find_map(|line| line.strip_prefix(label));
    line.into_iter().flat_map(|it| it.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_rule_is_on_the_page_once_and_in_order() {
    let ids: Vec<String> = sections().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, RULES.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn every_rule_names_its_reading_its_code_and_its_tests() {
    let code = code();
    let mut open = Vec::new();
    for (id, section) in sections() {
        assert!(section.contains("\nReading: "), "{id} has no reading");
        if section.contains("\nOpen: ") {
            open.push(id);
            continue;
        }
        assert!(section.contains("\nDoubt: "), "{id} has no doubt");
        let (files, tests) = (named(&section, "Code: "), named(&section, "Tests: "));
        assert!(!files.is_empty() && !tests.is_empty(), "{id} needs code and tests");
        let mentions = files.iter().any(|file| {
            let text =
                fs::read_to_string(workspace().join(file)).unwrap_or_else(|_| panic!("{id}: no file {file}"));
            text.split(|it: char| !it.is_alphanumeric()).any(|word| word == id)
        });
        assert!(mentions, "no file of {id} speaks of it");
        for test in tests {
            assert!(
                code.contains(&format!("fn {test}()")) || code.contains(&format!("fn {test}(\n")),
                "{id}: no test {test}"
            );
        }
    }
    assert_eq!(open.join(" "), OPEN);
}
