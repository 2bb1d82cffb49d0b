//! `gateway-simulator`: the simulator alone, for people who test payments.

use std::io::{Write as _, stdout};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};
use simulator::{
    Callbacks, Certificates, Channel, Limits, Notices, Options, Signing, SimClock, Simulator, Statements,
    Switches,
};

/// What help says after the options.
const GUIDE: &str = "\
The last four digits of the payee's account (bank) or of the original payment's number choose what happens:
  0000  paid, as is every other ending         0008  unavailable twice, then paid
  0001  pending, then paid                     0009  paid, returned after three working days
  0002  no such account                        0010  three notices
  0003  the name is another                    0011  a notice before the reply
  0004  over a limit                           0012  a bad signature on the first answer
  0005  our balance is too low                 0013  never an answer
  0006  lost before the money moves            0014  too late for this way of paying
  0007  lost after the money moved

An original payment is refunded only once the simulator knows of it:
  curl http://127.0.0.1:9090/_sim/trades --data \\
    '{\"channel\": \"alipay\", \"trade_no\": \"20260007\", \"out_trade_no\": \"O1\", \"total_fen\": 50000}'

Control: GET and POST /_sim/trades, /_sim/clock, /_sim/scenario (also DELETE); POST /_sim/callbacks;
GET /_sim/book, /_sim/verdict, /_sim/requests. crates/simulator/README.md says what each takes, and has
the language of scenarios.

Exit status: 0 told to stop · 1 failed · 2 usage, or a scenario that is not right";

/// Alipay, WeChat Pay, UnionPay and a bank on one address, with their own book.
#[derive(Debug, Parser)]
#[command(name = "gateway-simulator", version, after_help = GUIDE)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:9090")]
    listen: SocketAddr,
    /// Key folder; filled with a throw-away set when it is empty.
    #[arg(long, default_value = "gateway-keys")]
    keys: PathBuf,
    /// The book, a file of JSON lines; continued when it exists.
    #[arg(long, default_value = "gateway-book.jsonl")]
    book: PathBuf,
    /// `real`, or a clock that stands until `POST /_sim/clock` moves it: `virtual` for
    /// one that begins now, or the RFC 3339 moment at which it begins. Without it, the
    /// scenario's clock, or else the real one.
    #[arg(long, value_parser = clock)]
    clock: Option<SimClock>,
    /// A channel (alipay, wechat, unionpay, bank) that pays repeated numbers
    /// again: the negative control of a test for double payments.
    #[arg(long, value_name = "CHANNEL", value_parser = channel)]
    no_dedup: Vec<Channel>,
    /// A part to leave out. `signing` is for benchmarks only: nothing is verified
    /// and every signature is the same text.
    #[arg(long, value_enum, value_name = "PART")]
    without: Vec<Part>,
    /// Since when a day's statement can be had.
    #[arg(long, value_enum, default_value_t)]
    statements: Availability,
    /// Where camt.054 notices go.
    #[arg(long, value_name = "URL")]
    bank_callback: Option<String>,
    /// Where notices about Alipay trades without a `notify_url` go.
    #[arg(long, value_name = "URL")]
    alipay_callback: Option<String>,
    /// A scenario file.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

/// What can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Rate and count limits.
    Limits,
    /// Notices.
    Notices,
    /// Signatures.
    Signing,
    /// WeChat Pay's platform certificates: the merchant has only the public key.
    Certificates,
}

/// Since when a day's statement can be had.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Availability {
    /// At once, also for the running day.
    #[default]
    AtOnce,
    /// From ten o'clock of the next day.
    NextDay,
}

impl Arguments {
    fn switches(&self) -> Switches {
        let without = |part| self.without.contains(&part);
        Switches {
            signing: if without(Part::Signing) { Signing::Off } else { Signing::On },
            limits: if without(Part::Limits) { Limits::Off } else { Limits::Real },
            notices: if without(Part::Notices) { Notices::Off } else { Notices::On },
            statements: match self.statements {
                Availability::AtOnce => Statements::AtOnce,
                Availability::NextDay => Statements::NextDay,
            },
            certificates: if without(Part::Certificates) {
                Certificates::None
            } else {
                Certificates::HandedOut
            },
            no_dedup: self.no_dedup.clone(),
        }
    }
}

fn clock(text: &str) -> anyhow::Result<SimClock> {
    match text {
        "real" => Ok(SimClock::Real),
        "virtual" => Ok(SimClock::manual(SimClock::Real.now_ms())),
        _ => {
            let moment = chrono::DateTime::parse_from_rfc3339(text)
                .context("neither `real`, `virtual` nor a moment like 2026-09-29T16:50:00+08:00")?;
            Ok(SimClock::manual(moment.timestamp_millis()))
        }
    }
}

fn channel(text: &str) -> anyhow::Result<Channel> {
    match Channel::ALL.into_iter().find(|channel| channel.name() == text) {
        Some(channel) => Ok(channel),
        None => bail!("no such channel"),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let scenario = match arguments.scenario.as_deref().map(scenario).transpose() {
        Ok(scenario) => scenario,
        Err(error) => return ended(&error, 2),
    };
    match serve(arguments, scenario).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ended(&error, 1),
    }
}

/// Tells people what went wrong, and with which exit status it ends.
fn ended(error: &anyhow::Error, status: u8) -> ExitCode {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {}", cause.to_string().trim_end().replace('\n', "\n  "));
    }
    ExitCode::from(status)
}

/// The text of a scenario that is right, and the clock that it asks for.
fn scenario(file: &Path) -> anyhow::Result<(String, SimClock)> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let clock = simulator::clock_of(&text)
        .with_context(|| format!("the scenario {} is not right", file.display()))?;
    Ok((text, clock))
}

async fn serve(arguments: Arguments, scenario: Option<(String, SimClock)>) -> anyhow::Result<()> {
    let (scenario, clock) = scenario.unzip();
    let switches = arguments.switches();
    let running = Simulator::start(Options {
        listen: arguments.listen,
        keys_dir: arguments.keys.clone(),
        book_path: arguments.book.clone(),
        clock: arguments.clock.or(clock).unwrap_or(SimClock::Real),
        switches,
        callbacks: Callbacks { alipay: arguments.alipay_callback, bank: arguments.bank_callback },
        scenario,
    })
    .await
    .with_context(|| format!("the simulator could not start on {}", arguments.listen))?;
    let (keys, book) = (arguments.keys.display(), arguments.book.display());
    // Whoever started it may close the pipe once it knows the address: no reason to end.
    let _ = writeln!(stdout(), "Listening on {}\nKeys in {keys}, book in {book}", running.base_url());
    tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")?;
    running.stop().await;
    Ok(())
}
