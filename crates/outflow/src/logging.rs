//! Log lines: on stderr, human by default, JSON on request.

use std::ffi::OsStr;
use std::io::IsTerminal;

use anyhow::Result;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::cli::{Command, General, Log};
use crate::exit::{Exit, Failure};

/// What other crates repeat: the notice of the pool's guard at every use of a
/// connection, lapin's view of a broken connection, which `broker` reports, and the
/// exporter's of a collector that is away, which `otlp` reports once.
const QUIET: &str = "sqlx::postgres::notice=off,lapin=off,opentelemetry-otlp=off";

/// Starts logging. Without a filter, workers say what they do, and commands and
/// the demo only what somebody should know.
///
/// # Errors
/// When the filter cannot be read.
pub(crate) fn start(general: &General, command: &Command) -> Result<()> {
    let usual = match command {
        Command::Run(_) => "info",
        Command::Dev(_) => "warn,workers=info",
        _ => "warn",
    };
    let usual = format!("{usual},{QUIET}");
    let filter = general.log_level.as_deref().filter(|it| !it.is_empty()).unwrap_or(&usual);
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::new(Exit::Usage, "the log filter cannot be read", "try --log-level info").because(error)
    })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match general.log {
        Log::Json => lines.json().flatten_event(true).boxed(),
        Log::Human => lines.with_target(false).with_ansi(colour()).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(filter));
    #[cfg(feature = "otlp")]
    let subscriber = subscriber.with(crate::otlp::layer(&crate::otlp::COLLECTOR));
    subscriber.init();
    Ok(())
}

/// Whether stderr may be coloured: <https://no-color.org>.
pub(crate) fn colour() -> bool {
    coloured(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR").as_deref())
}

/// An empty `NO_COLOR` says nothing, as <https://no-color.org> has it.
fn coloured(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::coloured;

    #[test]
    fn no_color_is_respected_and_a_pipe_is_never_coloured() {
        for (is_terminal, no_color, expected) in [
            (true, None, true),
            (true, Some(""), true),
            (true, Some("1"), false),
            (true, Some("0"), false),
            (false, None, false),
        ] {
            assert_eq!(coloured(is_terminal, no_color.map(OsStr::new)), expected, "{no_color:?}");
        }
    }
}
