//! `gateway-simulator`: the simulator alone, for people who test payments.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Parser;
use simulator::{Channel, Limits, Options, Signing, SimClock, Simulator, Switches};

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
    /// `real`, or the RFC 3339 moment at which a clock stands that
    /// `POST /_sim/clock` moves.
    #[arg(long, default_value = "real", value_parser = clock)]
    clock: SimClock,
    /// A channel (alipay, wechat, unionpay, bank) that pays repeated numbers
    /// again: the negative control of a test for double payments.
    #[arg(long, value_name = "CHANNEL", value_parser = channel)]
    no_dedup: Vec<Channel>,
    /// Enforce no rate or count limits.
    #[arg(long)]
    no_limits: bool,
    /// For benchmarks only: neither verify nor make signatures.
    #[arg(long)]
    no_signing: bool,
}

fn clock(text: &str) -> anyhow::Result<SimClock> {
    if text == "real" {
        return Ok(SimClock::Real);
    }
    let moment = chrono::DateTime::parse_from_rfc3339(text)
        .context("neither `real` nor a moment like 2026-09-29T16:50:00+08:00")?;
    Ok(SimClock::manual(moment.timestamp_millis()))
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
    let running = Simulator::start(Options {
        listen: arguments.listen,
        keys_dir: arguments.keys.clone(),
        book_path: arguments.book.clone(),
        clock: arguments.clock,
        switches: Switches {
            signing: if arguments.no_signing { Signing::Off } else { Signing::On },
            limits: if arguments.no_limits { Limits::Off } else { Limits::Real },
            no_dedup: arguments.no_dedup,
        },
    })
    .await
    .context("the simulator could not start")?;
    println!("Listening on {}", running.base_url());
    println!("Keys in {}, book in {}", arguments.keys.display(), arguments.book.display());
    tokio::signal::ctrl_c().await.context("waiting for Ctrl-C")?;
    running.stop().await;
    Ok(())
}
