//! What a signed refund costs on both sides of the wire, next to bare RSA.
//!
//! ```text
//! adapter: sign ─▶ HTTP ─▶ simulator: verify ▸ book ▸ sign ─▶ HTTP ─▶ adapter: verify
//! ```
//!
//! One signature and one verification with RSA-2048 is the floor of either side:
//! nothing can be cheaper. It is measured in the same run, in this process, so
//! that a busy machine slows both. The goal is an adapter that costs at most
//! twice its floor.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use clap::Args;
use domain::{Money, Rail, date_in_shanghai};
use futures::StreamExt;
use gateways::{Gateways, Limits, Order, Outcome, SourceTrade};
use serde_json::json;
use tempfile::TempDir;
use workers::Clock;

use crate::meter::cpu_ms;
use crate::programs::{Program, Running};

/// The wallets, whose calls are signed JSON and forms.
const CHANNELS: [Rail; 3] = [Rail::Alipay, Rail::WeChat, Rail::UnionPay];

/// Calls under way at a time: enough that neither side waits for the other.
const CONCURRENCY: usize = 16;

/// Refunds before the measurement, which open connections and fill caches.
const WARM_UP: usize = 200;

/// What may be chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Refunds of each channel.
    #[arg(long, default_value_t = 4_000)]
    calls: usize,
}

/// Measures every wallet channel, and prints what came of it.
///
/// # Errors
/// When the simulator does not start, or a refund is not taken.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let folder = TempDir::new()?;
    let arguments = ["--without", "limits", "--without", "notices"];
    let mut simulator = Program::simulator(folder.path(), &arguments).start()?;
    let base_url = simulator.line_after("Listening on ").await?;
    let keys = folder.path().join("gateway-keys");
    let gateways = Gateways::from_key_folder(&keys, &base_url, Limits::default())?;
    let floor = Floor::measure(&keys, options.calls)?;
    print!("{floor}");
    println!(
        "\n{:<10}{:>12}{:>14}{:>12}{:>14}{:>12}",
        "channel", "calls/s", "adapter µs", "× floor", "simulator µs", "× floor"
    );
    for rail in CHANNELS {
        refund(&gateways, &base_url, (rail, "W", WARM_UP)).await?;
        let cost = measure(&gateways, &base_url, (rail, options.calls), &simulator).await?;
        println!("{}", Line { rail, cost, floor: &floor });
    }
    println!("\ncalls/s are of one core of that side alone: 1 s / its processor time per call");
    simulator.stop().await
}

/// Processor time of one call, in µs.
struct Cost {
    adapter_us: u64,
    simulator_us: u64,
}

async fn measure(
    gateways: &Gateways,
    base_url: &str,
    (rail, calls): (Rail, usize),
    simulator: &Running,
) -> Result<Cost> {
    let pids = [std::process::id(), simulator.pid()];
    let orders = orders(base_url, (rail, "M", calls)).await?;
    let before = pids.map(|pid| cpu_ms(&[pid]));
    send(gateways, rail, &orders).await?;
    let after = pids.map(|pid| cpu_ms(&[pid]));
    let each = |side: usize| (after[side] - before[side]) * 1_000 / calls as u64;
    Ok(Cost { adapter_us: each(0), simulator_us: each(1) })
}

async fn refund(gateways: &Gateways, base_url: &str, what: (Rail, &str, usize)) -> Result<()> {
    let orders = orders(base_url, what).await?;
    send(gateways, what.0, &orders).await
}

/// Orders on trades of their own, which the simulator knows.
async fn orders(base_url: &str, (rail, series, count): (Rail, &str, usize)) -> Result<Vec<Order>> {
    let now = Clock::System.now().with_timezone(&Utc);
    let numbers: Vec<String> = (0..count).map(|it| format!("{series}{rail}{it:08}0000")).collect();
    let trades: Vec<_> = numbers
        .iter()
        .map(|it| json!({ "channel": rail.to_string(), "trade_no": it, "out_trade_no": it, "total_fen": 10_000 }))
        .collect();
    let body = serde_json::to_string(&trades)?;
    let answer = reqwest::Client::new().post(format!("{base_url}/_sim/trades")).body(body).send().await?;
    ensure!(answer.status().is_success(), "the simulator does not take the trades");
    let order = |number: &String| Order {
        payout_no: format!("WD{number}"),
        amount: Money::from_minor(1_234),
        minted_at: now,
        source: Some(SourceTrade {
            trade_no: number.clone(),
            out_trade_no: None,
            total: Money::from_minor(10_000),
        }),
        payee: None,
        execute_on: date_in_shanghai(now),
        reason: "Balance withdrawal".to_owned(),
    };
    Ok(numbers.iter().map(order).collect())
}

async fn send(gateways: &Gateways, rail: Rail, orders: &[Order]) -> Result<()> {
    let outcomes = futures::stream::iter(orders).map(|it| gateways.of(rail).pay(it));
    let mut outcomes = outcomes.buffer_unordered(CONCURRENCY);
    while let Some(outcome) = outcomes.next().await {
        let taken = matches!(outcome, Outcome::Succeeded { .. } | Outcome::Pending { .. });
        ensure!(taken, "{rail}: {outcome:?}");
    }
    Ok(())
}

/// Bare RSA-2048 with SHA-256 over a request's worth of bytes.
pub(crate) struct Floor {
    pub(crate) sign: Duration,
    pub(crate) verify: Duration,
}

impl Floor {
    /// Signs and verifies that often, with one of the simulator's keys.
    ///
    /// # Errors
    /// When there is no such key.
    pub(crate) fn measure(keys: &Path, rounds: usize) -> Result<Self> {
        let pem = fs::read_to_string(keys.join("alipay/app_private_pkcs8.pem"))?;
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let pair =
            KeyPair::from_pkcs8(&STANDARD.decode(body)?).ok().context("an RSA key of the simulator")?;
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())?;
        let (message, mut signature) = ([b'x'; 512], vec![0; pair.public_modulus_len()]);
        let random = SystemRandom::new();
        let began = Instant::now();
        for _ in 0..rounds {
            pair.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature)?;
        }
        let sign = began.elapsed() / u32::try_from(rounds)?;
        let began = Instant::now();
        for _ in 0..rounds {
            public.verify_sig(&message, &signature)?;
        }
        Ok(Self { sign, verify: began.elapsed() / u32::try_from(rounds)? })
    }

    fn each_us(&self) -> u64 {
        u64::try_from((self.sign + self.verify).as_micros()).unwrap_or(u64::MAX).max(1)
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sign, verify } = self;
        writeln!(
            f,
            "RSA-2048 alone: sign {} µs, verify {} µs, together {} µs",
            sign.as_micros(),
            verify.as_micros(),
            self.each_us()
        )
    }
}

/// A line of the table.
struct Line<'a> {
    rail: Rail,
    cost: Cost,
    floor: &'a Floor,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { adapter_us, simulator_us } = self.cost;
        // Hundredths of the floor, so that no float is needed.
        let times = |us: u64| {
            let hundredths = us * 100 / self.floor.each_us();
            format!("{}.{:02}", hundredths / 100, hundredths % 100)
        };
        write!(
            f,
            "{:<10}{:>12}{adapter_us:>14}{:>12}{simulator_us:>14}{:>12}",
            self.rail.to_string(),
            1_000_000 / adapter_us.max(1),
            times(adapter_us),
            times(simulator_us),
        )
    }
}
