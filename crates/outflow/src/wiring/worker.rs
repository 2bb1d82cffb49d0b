//! The workers by name: one list, from which come the words of the command line,
//! their help, and what `all` means. What each is made of is in [`super::Wiring`].

use anyhow::Result;
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use strum::IntoEnumIterator;

use crate::exit::{Exit, Failure};

/// A worker of the product, as it can run in a process of its own. What is said
/// about each is its help on the command line.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, ValueEnum, strum::Display, strum::EnumString, strum::EnumIter,
)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Worker {
    /// Applies account facts from upstream
    Facts,
    /// Takes up facts that waited for others, and reports those that wait too long
    Gaps,
    /// Decides about withdrawal requests
    Intake,
    /// Lets small withdrawals go and leaves the others to people
    Approval,
    /// Applies what people decided
    Decisions,
    /// Tells the payout queues which legs are due
    Release,
    /// Lets go what a guard had stopped
    Holds,
    /// Ends what has waited too long
    Expiry,
    /// Counts provisional deadlines again when a year's calendar has come
    Deadlines,
    /// Asks the gateways for the money; see --rail
    Payout,
    /// Asks what became of payments under way or in doubt
    Settle,
    /// Compares the channels' statements of days that are over with the books
    Reconcile,
    /// Asks every invariant of the books each minute, and stops all sends when one about money is broken
    Verify,
    /// Carries the outbox to RabbitMQ
    Relay,
    /// Takes dead letters out of their queue and into the books
    Parking,
    /// Serves the API, the console, probes, metrics and gateways' notices over HTTP
    Api,
}

impl Worker {
    /// All workers but the API, which takes a port of its own.
    pub(crate) fn all() -> Vec<Self> {
        Self::iter().filter(|it| *it != Self::Api).collect()
    }

    /// Reads a list such as `facts,intake,payout`; `all` and `none` are words for lists.
    ///
    /// # Errors
    /// When a word is no worker.
    pub(crate) fn list(words: &[String]) -> Result<Vec<Self>> {
        let mut workers = Vec::new();
        for word in words {
            match word.as_str() {
                "all" => workers.extend(Self::all()),
                "none" => {}
                word => workers.push(word.parse().map_err(|_| {
                    let known: Vec<String> = Self::iter().map(|it| it.to_string()).collect();
                    let hint = format!("workers are {}; or say all or none", known.join(", "));
                    Failure::new(Exit::Usage, format!("there is no worker {word:?}"), hint)
                })?),
            }
        }
        Ok(workers)
    }
}

/// What `outflow run` is told to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// One worker.
    One(Worker),
    /// [`Worker::all`] in one process.
    All,
}

impl Word {
    /// The workers that are meant.
    pub(crate) fn workers(self) -> Vec<Worker> {
        match self {
            Self::One(worker) => vec![worker],
            Self::All => Worker::all(),
        }
    }

    /// As it is typed.
    pub(crate) fn name(self) -> String {
        match self {
            Self::One(worker) => worker.to_string(),
            Self::All => "all".to_owned(),
        }
    }
}

/// Reads a [`Word`], and knows them all for the help and for completions.
pub(crate) fn words() -> impl TypedValueParser<Value = Word> {
    let all = PossibleValue::new("all").help("All of them but the API in one process");
    let workers = Worker::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    PossibleValuesParser::new(workers.chain([all])).map(|word| word.parse().map_or(Word::All, Word::One))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use strum::IntoEnumIterator;

    use super::Worker;

    #[test]
    fn lists_of_workers_are_words() {
        let list = |text: &str| {
            let words: Vec<String> = text.split(',').map(str::to_owned).collect();
            Worker::list(&words).map_err(|error| error.to_string())
        };
        assert_eq!(list("none"), Ok(vec![]));
        assert_eq!(list("facts,relay"), Ok(vec![Worker::Facts, Worker::Relay]));
        assert_eq!(list("payout,api"), Ok(vec![Worker::Payout, Worker::Api]));
        assert_eq!(list("all"), Ok(Worker::all()));
        assert_eq!(list("fax").unwrap_err(), "there is no worker \"fax\"");
    }

    #[test]
    fn a_worker_has_one_name_everywhere() {
        for worker in Worker::iter() {
            let typed = worker.to_possible_value().expect("no worker is hidden");
            assert_eq!(typed.get_name(), worker.to_string());
            assert_eq!(worker.to_string().parse(), Ok(worker));
        }
    }
}
