//! `gateway-simulator`: the simulator alone, for people who test payments.

use std::io::{Write as _, stdout};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};
use simulator::{
    Callbacks, Certificates, Channel, Limits, Notices, Options, Signing, SimClock, Simulator, Statements,
    Switches,
};

/// Alipay, `WeChat` Pay, `UnionPay` and a bank on one address, with their own book.
#[derive(Debug, Parser)]
#[command(name = "gateway-simulator", version)]
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
    /// `WeChat Pay`'s platform certificates: the merchant has only the public key.
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
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let (mut scenario, mut clock) = (None, SimClock::Real);
    if let Some(path) = &arguments.scenario {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        clock = simulator::clock_of(&text).with_context(|| path.display().to_string())?;
        scenario = Some(text);
    }
    let switches = arguments.switches();
    let running = Simulator::start(Options {
        listen: arguments.listen,
        keys_dir: arguments.keys.clone(),
        book_path: arguments.book.clone(),
        clock: arguments.clock.unwrap_or(clock),
        switches,
        callbacks: Callbacks { alipay: arguments.alipay_callback, bank: arguments.bank_callback },
        scenario,
    })
    .await
    .context("the simulator could not start")?;
    let (keys, book) = (arguments.keys.display(), arguments.book.display());
    // Whoever started it may close the pipe once it knows the address: no reason to end.
    let _ = writeln!(stdout(), "Listening on {}\nKeys in {keys}, book in {book}", running.base_url());
    tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")?;
    running.stop().await;
    Ok(())
}
