//! The console in a real browser: people approve, look into doubts, mend messages.
//!
//! `tests/console/console.cjs` plays them in Debian's Chromium. The browser and
//! what drives it are installed once, where that is possible; where it is not,
//! the reason is printed and the test passes. With `SCREENSHOTS` set to a folder,
//! pictures of the pages are left there.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tests::{program, repository};

/// Where Debian puts the browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Why the browser cannot run here.
type Skipped = String;

/// `outflow dev`, which ends with the test.
struct Stage {
    dev: Child,
    said: BTreeMap<String, String>,
}

impl Stage {
    fn start() -> Self {
        let mut command = Command::new(program("outflow"));
        command.args(["dev", "--no-install"]).env_remove("RUST_LOG");
        let dev = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut stage = Self { dev, said: BTreeMap::new() };
        let out = stage.dev.stdout.take().expect("its output is piped");
        for line in BufReader::new(out).lines() {
            let line = line.expect("a line");
            let (name, value) =
                line.strip_prefix("export ").and_then(|it| it.split_once('=')).expect("an export line");
            stage.said.insert(name.to_owned(), value.trim_matches('\'').to_owned());
            if name == "OUTFLOW_SIMULATOR_URL" {
                return stage;
            }
        }
        panic!("`outflow dev` ended before it said where everything is");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It removes what it made only when it is asked to end.
        let _ = Command::new("kill").args(["-INT", &self.dev.id().to_string()]).status();
        let _ = self.dev.wait();
    }
}

/// Runs a step of an installation; its last words are the reason where it fails.
fn step(command: &mut Command) -> Result<(), Skipped> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it failed");
    if output.status.success() { Ok(()) } else { Err(format!("{name}: {last}")) }
}

/// The folder with what drives the browser, and the browser itself.
fn installed() -> Result<PathBuf, Skipped> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    fs::create_dir_all(&folder).expect("a folder below target");
    let lock = File::create(folder.join("lock")).expect("a lock");
    lock.lock().expect("a lock that somebody gives back");
    let wanted = repository().join("tests/console/package.json");
    if fs::read(folder.join("package.json")).ok() != fs::read(&wanted).ok() {
        fs::copy(&wanted, folder.join("package.json")).expect("a copy");
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1"]);
        if let Err(reason) = step(npm.current_dir(&folder)) {
            fs::remove_file(folder.join("package.json")).expect("the copy goes");
            return Err(reason);
        }
    }
    if !Path::new(CHROMIUM).exists() {
        let packages = ["chromium", "fonts-wqy-zenhei"];
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--no-install-recommends"]).args(packages);
        step(apt.env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(folder.join("node_modules"))
}

#[test]
fn people_at_the_console_do_their_work_in_a_real_browser() {
    let modules = match installed() {
        Ok(modules) => modules,
        Err(reason) => {
            println!("skipped: there is no browser here: {reason}");
            return;
        }
    };
    let stage = Stage::start();
    let mut node = Command::new("node");
    node.arg(repository().join("tests/console/console.cjs")).env("NODE_PATH", modules).envs(&stage.said);
    node.env("OUTFLOW", program("outflow")).env("PUBLISH_RAW", program("publish-raw"));
    let output = node.env("NO_PROXY", "127.0.0.1").output().expect("node starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, errors) = (said(&output.stdout), said(&output.stderr));
    println!("{out}");
    assert!(output.status.success(), "{out}\n{errors}");
    assert!(out.lines().filter(|line| line.starts_with("ok ")).count() >= 25, "{out}\n{errors}");
}
