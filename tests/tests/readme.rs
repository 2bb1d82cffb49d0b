//! README's commands exist, and its links lead somewhere.
//!
//! A command that was renamed breaks here and not at a newcomer's. The two
//! commands of the first screen are run whole elsewhere: one runs this test, the
//! other is the demo's own test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{program, repository};

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).expect("there is a README")
}

/// The lines of the blocks that are marked as shell.
fn commands(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

/// What a command of README comes down to: a program, and its words. A command
/// that is only built or tested by cargo itself has none.
fn meaning(command: &str) -> (PathBuf, Vec<String>) {
    let (program_name, rest) = [
        ("cargo run --release -p simulator -- ", "gateway-simulator"),
        ("cargo run --release -- ", "outflow"),
        ("cargo xtask chaos ", "chaos"),
        ("cargo xtask ", "xtask"),
    ]
    .iter()
    .find_map(|(start, name)| Some((*name, command.strip_prefix(start)?)))
    .unwrap_or_else(|| panic!("README says `{command}`, which this test cannot read"));
    (program(program_name), rest.split_whitespace().map(str::to_owned).collect())
}

/// Asks for the help of a command: the words up to the first that is an option,
/// a file or a value.
fn help(program: &Path, words: &[String]) -> (bool, String) {
    let plain = |word: &&String| word.chars().all(|it| it.is_ascii_lowercase() || it == '-');
    let subcommand = words.iter().take_while(|word| plain(word) && !word.starts_with('-'));
    let output = Command::new(program).args(subcommand).arg("--help").output().expect("it starts");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn every_command_of_the_readme_exists_with_its_options() {
    let commands = commands(&readme());
    assert!(commands.len() >= 8, "{commands:?}");
    for first in ["cargo run --release -- demo", "cargo xtask test"] {
        assert!(commands.iter().any(|it| it == first), "README does not begin with `{first}`");
    }
    for command in &commands {
        let (program, words) = meaning(command);
        if words.first().is_some_and(|word| word == "bench") {
            // Its options belong to the benchmark's own program.
            continue;
        }
        let (exists, help) = help(&program, &words);
        assert!(exists, "`{command}` does not exist");
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(option.as_str()), "`{command}`: there is no {option}");
        }
    }
    let files = commands.iter().flat_map(|it| it.split(' ')).filter(|it| it.contains('/'));
    for file in files {
        assert!(repository().join(file).is_file(), "README publishes {file}");
    }
    assert!(!help(&program("outflow"), &["nonsense".to_owned()]).0, "this test notices nothing");
}

#[test]
fn the_request_that_the_readme_publishes_fits_the_contract() {
    let body = fs::read(repository().join("tests/messages/withdraw.json")).expect("it is there");
    let request = broker::contract::parse_request(&body).expect("it fits");
    let text = fs::read(repository().join("crates/broker/schemas/examples/outflow.top_up.credited.v1.json"));
    let fact = broker::contract::parse_fact(&text.expect("it is there")).expect("it fits");
    assert_eq!(&request.data.account_id, fact.data.account_id(), "it draws on the top-up before it");
}

#[test]
fn every_file_that_the_readme_and_the_runbook_name_is_there() {
    let runbook = fs::read_dir(repository().join("deploy/runbook")).expect("there is a runbook");
    let mut pages: Vec<PathBuf> = runbook.map(|entry| entry.expect("an entry").path()).collect();
    pages.extend(["README.md", "deploy/systemd/README.md"].map(|it| repository().join(it)));
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page can be read");
        let folder = page.parent().expect("a page lies in a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let outside = target.starts_with("https://");
            assert!(outside || folder.join(target).exists(), "{}: {target}", page.display());
        }
    }
    let text = readme();
    let paths = text
        .split('`')
        .filter(|it| ["crates/", "config/", "deploy/", "tests/"].iter().any(|start| it.starts_with(start)));
    for path in paths.filter(|it| !it.contains(char::is_whitespace)) {
        assert!(repository().join(path).exists(), "README names {path}");
    }
}
