//! The checks, and the order in which all of them run.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::run::{self, Failures, cargo};
use crate::{chaos, servers};

/// One thing that has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Every file is formatted.
    Format,
    /// No lint complains.
    Lints,
    /// The domain needs nothing of ours.
    DomainAlone,
    /// Every test passes.
    Tests,
    /// The exporter of spans, which a usual build leaves out, passes its tests.
    Exporter,
    /// Every example in the documentation runs.
    Examples,
    /// The documentation builds and every link in it leads somewhere.
    Documentation,
    /// The product outlives a kill at every named step and a storm, and planted bugs are noticed.
    Chaos,
}

/// All of them. Those that fail soonest come first.
const ALL: [Check; 8] = [
    Check::Format,
    Check::DomainAlone,
    Check::Lints,
    Check::Tests,
    Check::Exporter,
    Check::Examples,
    Check::Documentation,
    Check::Chaos,
];

impl Check {
    /// What the summary calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Format => "formatting",
            Self::Lints => "lints",
            Self::DomainAlone => "domain on its own",
            Self::Tests => "tests",
            Self::Exporter => "exporter of spans",
            Self::Examples => "examples in the documentation",
            Self::Documentation => "documentation",
            Self::Chaos => "chaos",
        }
    }

    /// The subcommand of cargo without which it cannot run, and how to get that.
    const fn needs(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Format => Some(("fmt", "rustup component add rustfmt")),
            Self::Lints => Some(("clippy", "rustup component add clippy")),
            _ => None,
        }
    }

    /// Runs it. `more` goes to the test runner.
    async fn run(self, more: &[String]) -> Result<()> {
        let command = match self {
            Self::Format => cargo(&["fmt", "--all", "--check"]),
            Self::Lints => cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
            Self::DomainAlone => cargo(&["check", "--package", "domain"]),
            Self::Tests => return run_tests(more).await,
            Self::Chaos => return chaos::check().await,
            Self::Exporter => cargo(&["test", "--workspace", "--features", "outflow/otlp", "--lib", "otlp"]),
            Self::Examples => cargo(&["test", "--workspace", "--doc"]),
            Self::Documentation => {
                let mut command = cargo(&["doc", "--workspace", "--no-deps"]);
                command.env("RUSTDOCFLAGS", "-D warnings");
                command
            }
        };
        run::to_the_end(command).await
    }
}

/// Builds the tests first: servers that wait for a compiler only slow it down.
async fn run_tests(more: &[String]) -> Result<()> {
    if !run::has_subcommand("nextest").await {
        println!("cargo-nextest is not installed; cargo's own test runner does it, a little slower");
    }
    let build = [&["--no-run".to_owned()], more].concat();
    run::to_the_end(test_runner(&build).await).await?;
    servers::with_servers(test_runner(more).await).await
}

/// nextest where it is installed, and otherwise cargo's own runner.
async fn test_runner(more: &[String]) -> tokio::process::Command {
    let mut command = if run::has_subcommand("nextest").await {
        cargo(&["nextest", "run", "--workspace"])
    } else {
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests"])
    };
    command.args(more);
    command
}

/// Runs one check that was asked for by name: what it needs has to be there.
pub(crate) async fn run_one(check: Check, more: &[String]) -> Result<()> {
    if let Some(advice) = missing(check).await {
        bail!("{advice}");
    }
    check.run(more).await
}

/// What to do before `check` can run; `None` when it can.
async fn missing(check: Check) -> Option<String> {
    let (subcommand, remedy) = check.needs()?;
    (!run::has_subcommand(subcommand).await)
        .then(|| format!("`cargo {subcommand}` is not installed; get it with `{remedy}`"))
}

/// How a check went.
enum Verdict {
    Held,
    Failed,
    /// It could not run, and this is what to do about it.
    NotRun(String),
}

/// Runs every check and says how each one went.
///
/// A tool that a minimal Rust lacks is named in the summary and fails nothing:
/// a person who has only Rust can still run everything else.
pub(crate) async fn run_all(failures: Failures) -> Result<()> {
    let began = Instant::now();
    let mut verdicts = Vec::new();
    for check in ALL {
        let step_began = Instant::now();
        let verdict = match missing(check).await {
            Some(advice) => Verdict::NotRun(advice),
            None => verdict_of(check).await,
        };
        let is_failure = matches!(verdict, Verdict::Failed);
        verdicts.push((check, verdict, step_began.elapsed()));
        if is_failure && failures == Failures::Stop {
            break;
        }
    }
    summarize(&verdicts, began.elapsed())
}

async fn verdict_of(check: Check) -> Verdict {
    println!("\n── {} ──", check.name());
    match check.run(&[]).await {
        Ok(()) => Verdict::Held,
        Err(error) => {
            println!("{error:#}");
            Verdict::Failed
        }
    }
}

/// Prints one line per check.
fn summarize(verdicts: &[(Check, Verdict, Duration)], took: Duration) -> Result<()> {
    println!("\n── summary ──");
    for (check, verdict, took) in verdicts {
        let (mark, remark) = match verdict {
            Verdict::Held => ("✓", String::new()),
            Verdict::Failed => ("✗", String::new()),
            Verdict::NotRun(advice) => ("-", format!("  not run: {advice}")),
        };
        println!("{mark} {:<30} {:>6.1} s{remark}", check.name(), took.as_secs_f64());
    }
    for check in ALL.iter().skip(verdicts.len()) {
        println!("- {:<30}  not reached", check.name());
    }
    let failed = verdicts.iter().filter(|(_, verdict, _)| matches!(verdict, Verdict::Failed)).count();
    let seconds = took.as_secs_f64();
    match failed {
        0 => println!("every check that could run holds ({seconds:.0} s)"),
        _ => bail!("{failed} of {} checks failed ({seconds:.0} s)", ALL.len()),
    }
    Ok(())
}
