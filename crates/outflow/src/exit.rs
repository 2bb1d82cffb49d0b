//! How a command ends: an exit status for scripts, and for people what was
//! tried, what went wrong and what to do next.

use std::fmt;
use std::process::ExitCode;

/// The kinds of ends that are not success. The numbers are a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something failed that fits no other kind, such as a broken invariant.
    Failed = 1,
    /// The command line or the settings are wrong.
    Usage = 2,
    /// There is no such thing.
    NotFound = 3,
    /// A rule of the product or of the contract says no.
    Refused = 4,
    /// The database, the broker or the simulator does not answer.
    Unreachable = 5,
    /// It may or may not have happened.
    Unknown = 6,
    /// Ctrl-C or SIGTERM came first: 128 and the signal's number.
    Interrupted = 130,
}

/// An end with its kind.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    what: String,
    next: String,
    cause: Option<anyhow::Error>,
}

impl Failure {
    /// An end of a kind: what was tried, and what to do next.
    pub(crate) fn new(exit: Exit, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { exit, what: what.into(), next: next.into(), cause: None }
    }

    /// The same with what was behind it.
    pub(crate) fn because(self, cause: impl Into<anyhow::Error>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as &(dyn std::error::Error + 'static))
    }
}

/// The kind of an error that carries none: what does not answer is unreachable.
fn kind(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.exit;
        }
        if matches!(cause.downcast_ref(), Some(store::Error::Unavailable(_))) {
            return Exit::Unreachable;
        }
        if matches!(cause.downcast_ref(), Some(broker::Error::Unavailable(_) | broker::Error::Silent(_))) {
            return Exit::Unreachable;
        }
    }
    Exit::Failed
}

/// Tells people on stderr, and answers with the exit status.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let exit = kind(error);
    eprintln!("error: {error}");
    let mut shown = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // Some errors repeat their cause in their own text.
        if !shown.contains(&text) {
            eprintln!("  because: {}", text.trim_end().replace('\n', "\n  "));
            shown = text;
        }
    }
    if let Some(next) = next(error, exit) {
        eprintln!("next: {next}");
    }
    ExitCode::from(exit as u8)
}

/// What to do about an error: what it says itself, or what its kind calls for.
fn next(error: &anyhow::Error, exit: Exit) -> Option<&str> {
    let told = error.chain().find_map(|it| it.downcast_ref::<Failure>()).map(|it| it.next.as_str());
    let lacking = || {
        error.chain().find_map(|it| match (it.downcast_ref::<store::Error>(), it.downcast_ref()) {
            (Some(it), _) if it.lacks_schema() => Some("outflow migrate"),
            (Some(it), _) if it.lacks_right() => Some(
                "outflow roles sql | psql DATABASE, as the owner of the tables, or ask as outflow_operator",
            ),
            (_, Some(it)) if broker::Error::lacks_topology(it) => Some("outflow topology apply"),
            _ => None,
        })
    };
    let unreachable = (exit == Exit::Unreachable).then_some(if error.chain().any(|it| it.downcast_ref::<broker::Error>().is_some()) {
        "check OUTFLOW_AMQP_URL or [broker] of the settings file, or start servers with `outflow dev`"
    } else {
        "check OUTFLOW_DATABASE_URL or [database] of the settings file, or start servers with `outflow dev`"
    });
    told.or_else(lacking).or(unreachable)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::{Exit, Failure, kind};

    #[test]
    fn the_kind_of_an_end_survives_the_contexts_around_it() {
        let failure = Failure::new(Exit::NotFound, "no such withdrawal", "list them");
        let error = Err::<(), _>(failure).context("showing").unwrap_err();
        assert_eq!(kind(&error), Exit::NotFound);
        assert_eq!(kind(&anyhow::anyhow!("anything")), Exit::Failed);
        let silent = broker::Error::Silent(std::time::Duration::from_secs(1));
        assert_eq!(kind(&anyhow::Error::from(silent)), Exit::Unreachable);
    }
}
