//! Real SDKs, unmodified, and the schemas of ISO 20022 against the built simulator.
//!
//! Each driver of `tests/conformance` is a program in the language of its SDK. What it
//! needs is installed in exact versions into a folder below `target`, once; where
//! a registry or a language is not to be had, the reason is printed and the test
//! passes. What the drivers expect is said in their own files.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use chrono::{NaiveDate, TimeZone as _, Utc};
use domain::Money;
use gateways::{Gateways, Limits, Order, Payee};
use tempfile::TempDir;
use tests::{program, repository};

/// Why a driver cannot run here.
type Skipped = String;

/// The simulator as its users start it.
struct Simulator {
    process: Child,
    url: String,
    folder: TempDir,
}

impl Simulator {
    fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let mut command = Command::new(program("gateway-simulator"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        command.arg("--keys").arg(folder.path().join("keys"));
        command.arg("--book").arg(folder.path().join("book.jsonl"));
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the simulator starts");
        let mut line = String::new();
        let out = process.stdout.take().expect("its output is piped");
        BufReader::new(out).read_line(&mut line).expect("it says where it listens");
        let url = line.trim().strip_prefix("Listening on ").expect("its address").to_owned();
        Self { process, url, folder }
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// Runs a driver to its end, which is where everything held.
    fn is_driven_by(&self, mut driver: Command) {
        driver.env("SIMULATOR_URL", &self.url).env("SIMULATOR_KEYS", self.keys());
        // Loopback is never reached through a proxy.
        driver.env("NO_PROXY", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1");
        let output = driver.output().expect("the driver starts");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, errors) = (said(&output.stdout), said(&output.stderr));
        println!("{out}");
        assert!(output.status.success(), "{out}\n{errors}");
        assert!(out.lines().filter(|line| line.starts_with("ok ")).count() >= 6, "{out}\n{errors}");
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn drivers() -> PathBuf {
    repository().join("tests/conformance")
}

/// A folder that `install` fills once for what `wanted` says; a change of it
/// installs anew.
fn installed(
    name: &str,
    wanted: &Path,
    install: impl FnOnce(&Path) -> Result<(), Skipped>,
) -> Result<PathBuf, Skipped> {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
    fs::create_dir_all(&all).expect("a folder below target");
    // Two runs at once: the second finds what the first has installed.
    let lock = File::create(all.join(format!("{name}.lock"))).expect("a lock");
    lock.lock().expect("a lock that somebody gives back");
    let wanted = fs::read(wanted).expect("a list of packages");
    let (folder, stamp) = (all.join(name), all.join(format!("{name}.installed")));
    if fs::read(&stamp).is_ok_and(|it| it == wanted) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an old folder goes");
    }
    install(&folder)?;
    fs::write(stamp, wanted).expect("a stamp");
    Ok(folder)
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

/// A Python with the packages of `requirements-<name>.txt`.
fn python(name: &str) -> Result<Command, Skipped> {
    let wanted = drivers().join(format!("requirements-{name}.txt"));
    let folder = installed(name, &wanted, |folder| {
        step(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin/pip"));
        step(pip.args(["install", "--quiet", "--no-deps", "--retries", "1", "-r"]).arg(&wanted))
    })?;
    Ok(Command::new(folder.join("bin/python")))
}

/// A Node that finds the packages of `package.json`.
fn node() -> Result<Command, Skipped> {
    let wanted = drivers().join("package.json");
    let folder = installed("npm", &wanted, |folder| {
        fs::create_dir_all(folder).expect("a folder below target");
        fs::copy(&wanted, folder.join("package.json")).expect("a copy");
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1"]);
        step(npm.current_dir(folder))
    })?;
    let mut node = Command::new("node");
    node.env("NODE_PATH", folder.join("node_modules"));
    Ok(node)
}

/// Runs a driver, or says why not.
fn run(driver: Result<Command, Skipped>, script: &str, simulator: impl FnOnce() -> Simulator) {
    match driver {
        Ok(mut command) => {
            command.arg(drivers().join(script));
            simulator().is_driven_by(command);
        }
        Err(reason) => println!("skipped: {script} cannot run here: {reason}"),
    }
}

#[test]
fn python_alipay_sdk_works_against_the_simulator() {
    run(python("alipay"), "alipay_sdk.py", || Simulator::start(&[]));
}

#[test]
fn wechatpayv3_works_against_the_simulator() {
    run(python("wechat"), "wechat_sdk.py", || Simulator::start(&[]));
}

#[test]
fn alipay_sdk_of_npm_works_against_the_simulator() {
    run(node(), "alipay_npm.cjs", || Simulator::start(&[]));
}

#[test]
fn wechatpay_axios_plugin_works_against_the_simulator() {
    run(node(), "wechat_axios.cjs", || Simulator::start(&[]));
}

#[test]
fn every_message_of_the_bank_is_valid_by_its_schema() {
    let files = TempDir::new().expect("a temporary folder");
    let driver = python("bank").map(|mut command| {
        command.env("ADAPTER_FILES", files.path());
        command
    });
    run(driver, "bank_messages.py", || {
        let simulator = Simulator::start(&["--clock", "2026-09-29T16:50:00+08:00"]);
        write_orders(&simulator, files.path());
        simulator
    });
}

/// Orders as the adapter writes them: paid at once, paid later, returned, refused,
/// and with texts that XML must not take literally.
fn write_orders(simulator: &Simulator, folder: &Path) {
    let gateways = Gateways::from_key_folder(&simulator.keys(), &simulator.url, Limits::default());
    let bank = gateways.expect("the simulator's keys are usable").bank;
    for (name, ending, holder, reason, fen) in [
        ("paid", "0000", "张三", "提现退款", 123_456),
        ("later", "0001", "杭州龙井茶业有限公司", "", 1),
        ("returned", "0009", "李四", "Balance withdrawal", 999_999_999_999),
        ("refused", "0002", "王五", "x", 100),
        ("awkward", "4711", "A & B <C> \"D\" 'E'", "</Ustrd>&#x1; ]]> \u{1F4B0} a very long text ", 1_000),
    ] {
        let order = Order {
            payout_no: format!("WD20260929{}", name.to_uppercase()),
            amount: Money::from_minor(fen),
            minted_at: Utc.with_ymd_and_hms(2026, 9, 29, 8, 49, 59).single().expect("a moment"),
            source: None,
            payee: Some(Payee {
                holder: holder.to_owned(),
                number: format!("621700000000000{ending}").into(),
                bank_name: "中国建设银行".to_owned(),
                branch: "杭州西湖支行".to_owned(),
                cnaps: "105331000042".to_owned(),
            }),
            execute_on: NaiveDate::from_ymd_opt(2026, 9, 29).expect("a day"),
            reason: reason.repeat(if name == "awkward" { 20 } else { 1 }),
        };
        let bytes = bank.message(&order).expect("a complete order");
        fs::write(folder.join(format!("{name}.xml")), bytes).expect("a file");
    }
}
