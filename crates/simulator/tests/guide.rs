//! What the simulator says about itself: its page, its help, and what the program
//! answers to whoever starts it with something wrong.

mod client;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use client::World;
use simulator::Keys;

const PAGE: &str = include_str!("../README.md");

fn started(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway-simulator"));
    command.args(arguments).env("RUST_BACKTRACE", "1").stdin(Stdio::null()).output().expect("it starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn the_page_tells_paths_and_a_scenario_that_are_there() {
    let world = World::start().await;
    let paths =
        PAGE.split('`').filter_map(|it| it.split_once(' ').filter(|(_, path)| path.starts_with("/_sim/")));
    let mut told = 0;
    for (method, path) in paths {
        let method = method.parse().expect("a method");
        let answer = world.http.request(method, world.url(path)).send().await.expect("an answer");
        assert!(![404, 405].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
        told += 1;
    }
    assert_eq!(told, 7);
    let scenario = PAGE.split("```toml\n").nth(1).and_then(|it| it.split("```").next()).expect("an example");
    let answer = world.http.post(world.url("/_sim/scenario")).body(scenario).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{}", answer.text().await.expect("a body"));
    let trade = PAGE.split("--data '").nth(1).and_then(|it| it.split('\'').next()).expect("a trade");
    let answer = world.http.post(world.url("/_sim/trades")).body(trade).send().await.expect("an answer");
    assert_eq!(answer.status(), 201, "{}", answer.text().await.expect("a body"));
}

#[test]
fn page_and_help_name_every_ending() {
    let help = started(&["--help"]);
    let help = String::from_utf8(help.stdout).expect("text");
    for ending in 0..=14 {
        assert!(PAGE.contains(&format!("| `{ending:04}`")), "the page lacks {ending:04}");
        assert!(help.contains(&format!("  {ending:04}  ")), "help lacks {ending:04}");
    }
    assert!(help.contains("Exit status:") && !help.contains("`WeChat"), "{help}");
}

#[test]
fn a_scenario_that_is_wrong_is_shown_with_a_caret_and_ends_with_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.toml");
    fs::write(&file, "name = \"x\"\n[[on]]\nchanel = \"bank\"\n").expect("it can be written");
    for (file, words) in [
        (file.as_path(), &["wrong.toml is not right", "line 3, column 1", "3 | chanel", "^^^^^^"][..]),
        (Path::new("nowhere.toml"), &["nowhere.toml cannot be read", "No such file"][..]),
    ] {
        let output = started(&["--scenario", file.to_str().expect("a plain name")]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert!(!text.contains("backtrace") && !text.contains("main.rs"), "{text}");
    }
}

#[test]
fn an_address_that_is_taken_is_named_and_nobody_else_reads_the_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    Keys::generate(&keys).expect("they can be made");
    for inner in [keys.clone(), keys.join("wechat")] {
        let mode = fs::metadata(&inner).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", inner.display());
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("it has one").to_string();
    let book = folder.path().join("book.jsonl");
    let [keys, book] = [&keys, &book].map(|path| path.to_str().expect("a plain name"));
    let output = started(&["--listen", &address, "--keys", keys, "--book", book]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.starts_with(&format!("error: the simulator could not start on {address}\n  because: ")),
        "{text}"
    );
    assert!(!text.contains("backtrace"), "{text}");
}
