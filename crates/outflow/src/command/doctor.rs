//! `outflow doctor`: what is wrong with an installation, and how to mend it.
//!
//! It looks and changes nothing. Everything is looked at, whatever was found
//! before: one visit names all that is wrong.

mod flow;
mod installation;
mod servers;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::json;
use workers::Clock;

use crate::cli::General;
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// How a finding is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "snake_case")]
enum Verdict {
    /// As it must be.
    Good,
    /// Somebody should look, and nothing is broken.
    Doubtful,
    /// Something does not work, or money waits.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    name: String,
    verdict: Verdict,
    detail: String,
    /// How to mend it; empty where it is good.
    mend: String,
}

impl Finding {
    fn good(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Good, detail: detail.into(), mend: String::new() }
    }

    fn doubtful(name: impl Into<String>, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Doubtful, detail: detail.into(), mend: mend.into() }
    }

    fn bad(name: impl Into<String>, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: Verdict::Bad, detail: detail.into(), mend: mend.into() }
    }
}

/// Examines the installation that the settings describe.
///
/// # Errors
/// When the settings cannot be read, or something is bad.
pub(crate) async fn run(general: &General) -> Result<()> {
    let at = Clock::System.now();
    let findings = match Settings::gather(general.config.as_deref()) {
        Ok(settings) => examine(&settings, at).await,
        Err(error) => {
            let mend = "correct the settings; config/settings.md in the source explains every one";
            vec![Finding::bad("settings", format!("{error:#}"), mend)]
        }
    };
    if general.output.is_data() {
        let row = |it: &Finding| {
            json!({
                "name": it.name, "verdict": it.verdict.to_string(), "detail": it.detail,
                "mend": (!it.mend.is_empty()).then_some(&it.mend),
            })
        };
        output::data(general.output, &findings.iter().map(row).collect());
    } else {
        findings.iter().for_each(tell);
    }
    verdict(general, &findings)
}

async fn examine(settings: &Settings, at: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = installation::examine(settings, at);
    let servers = servers::examine(settings, at).await;
    findings.extend(servers.findings);
    if let Some(database) = &servers.database {
        // A broker that is away was told already; the books are looked at all the same.
        if let Ok(connections) = wiring::broker_later(settings, "outflow doctor") {
            findings.extend(flow::examine(database, &connections, at).await);
        }
    }
    findings
}

fn tell(it: &Finding) {
    let mark = match it.verdict {
        Verdict::Good => "✓",
        Verdict::Doubtful => "!",
        Verdict::Bad => "✗",
    };
    let mend = if it.mend.is_empty() { String::new() } else { format!("    mend: {}\n", it.mend) };
    output::page(&format!("{mark} {}: {}\n{mend}", it.name, it.detail));
}

fn verdict(general: &General, findings: &[Finding]) -> Result<()> {
    let count = |verdict| findings.iter().filter(|it| it.verdict == verdict).count();
    let (bad, doubtful) = (count(Verdict::Bad), count(Verdict::Doubtful));
    if bad > 0 {
        let what = format!("{bad} of {} things are not as they must be", findings.len());
        let next = "mend the first one above, then outflow doctor again";
        return Err(Failure::new(Exit::Failed, what, next).into());
    }
    let count = findings.len();
    output::talk(&format!("{count} things looked at, {doubtful} of them doubtful, none bad."));
    output::next(general, "outflow status");
    Ok(())
}
