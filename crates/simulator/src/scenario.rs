//! Scenarios: a world scripted in TOML, seeded, with a verdict from the book.
//!
//! ```toml
//! name = "response lost after the money moved"
//! seed = 7
//! clock = "2026-09-29T16:50:00+08:00"
//!
//! [[on]]
//! channel = "bank"
//! op = "transfer"
//! payee = "*0420"
//! steps = [
//!   { attempt = 1, commit = true, reply = "drop" },
//!   { attempt = 2, reply = "duplicate" },
//!   { after = "2 working days", notify = "settled", times = 2 },
//! ]
//!
//! [expect]
//! movements_per_payout_number = 1
//! final_state = "paid"
//! within = "7 working days"
//! ```
//!
//! A call that a rule matches is treated by the rule alone; all others by their
//! account's ending. A word that is not known is an error with line, column and
//! caret.

mod play;
mod verdict;
mod words;

use serde::Deserialize;

pub(crate) use play::Play;
pub(crate) use verdict::Verdict;
pub(crate) use words::Op;
use words::{Chance, ChannelWord, FinalState, Moment, NewsWord, Order, Pattern, ReplyWord, Sign, Sum, Wait};

use crate::behaviour::Deviation;
use crate::clock::{NotMovable, SimClock};

/// What is wrong with a scenario: the message shows the line and a caret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(String);

/// A whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    #[serde(default)]
    seed: u64,
    /// Where a manual clock is set to.
    #[serde(default)]
    pub(crate) clock: Option<Moment>,
    #[serde(default)]
    on: Vec<Rule>,
    #[serde(default)]
    expect: Expect,
}

/// Which calls are meant, and how they are treated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    channel: ChannelWord,
    #[serde(default)]
    op: Op,
    #[serde(default)]
    payee: Pattern,
    #[serde(default)]
    number: Pattern,
    /// The share of calls that are meant, drawn from the seed.
    #[serde(default)]
    chance: Chance,
    /// Calls per second that are let through.
    #[serde(default)]
    rate: Option<u32>,
    /// A time in which every call is answered with 503.
    #[serde(default)]
    outage: Option<Outage>,
    #[serde(default)]
    steps: Vec<Step>,
}

/// Counted from the moment at which the scenario was loaded.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outage {
    #[serde(default)]
    after: Wait,
    #[serde(rename = "for")]
    length: Wait,
}

/// One step: the treatment of an attempt, or what happens after a while.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Counted from one; without it the step holds for every other attempt.
    attempt: Option<u32>,
    /// Whether the money moves.
    commit: Option<bool>,
    reply: Option<ReplyWord>,
    /// Makes the step one that happens by itself after the order was taken on.
    after: Option<Wait>,
    notify: Option<NewsWord>,
    times: Option<u32>,
    delay: Option<Wait>,
    order: Option<Order>,
    sign: Option<Sign>,
    amount: Option<Sum>,
    /// The channel's code of a return or failure.
    reason: Option<String>,
    statement: Option<Deviation>,
}

/// What the book must say at the end.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    movements_per_payout_number: Option<usize>,
    final_state: Option<FinalState>,
    within: Option<Wait>,
}

/// The clock that a scenario asks for: one that stands at its `clock`, or the machine's.
///
/// # Errors
/// [`ScenarioError`] with line, column and caret.
pub fn clock_of(toml: &str) -> Result<SimClock, ScenarioError> {
    let scenario = Scenario::parse(toml)?;
    Ok(scenario.clock.map_or(SimClock::Real, |moment| SimClock::manual(moment.0)))
}

impl ScenarioError {
    /// The scenario wants a clock that cannot be set.
    pub(crate) fn clock(error: &NotMovable) -> Self {
        Self(format!("the scenario sets a clock: {error}"))
    }
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ScenarioError`] with line, column and caret.
    pub(crate) fn parse(text: &str) -> Result<Self, ScenarioError> {
        toml::from_str(text).map_err(|error| ScenarioError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Scenario, clock_of};
    use crate::clock::SimClock;

    const RULE: &str = "name = \"x\"\n[[on]]\nchannel = \"bank\"\n";

    #[test]
    fn the_example_of_the_documentation_is_read() {
        let text: Vec<&str> = include_str!("scenario.rs")
            .lines()
            .skip_while(|line| *line != "//! ```toml")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| line.trim_start_matches("//!").trim_start())
            .collect();
        let scenario = Scenario::parse(&text.join("\n")).expect("the example is valid");
        assert_eq!((scenario.on.len(), scenario.on[0].steps.len()), (1, 3));
    }

    #[test]
    fn a_scenario_with_a_clock_wants_one_that_stands() {
        let asked = |toml: &str| clock_of(toml).expect("a scenario");
        let clock = asked("name = \"x\"\nclock = \"2026-09-29T16:50:00+08:00\"");
        assert!(matches!(clock, SimClock::Manual(_)) && clock.now_ms() == 1_790_671_800_000);
        assert!(matches!(asked("name = \"x\""), SimClock::Real));
    }

    #[test]
    fn an_unknown_word_is_shown_with_line_column_and_caret() {
        for (line, wrong, column) in [
            ("steps = [{ attempt = 1, replay = \"drop\" }]", "replay", 25),
            ("steps = [{ reply = \"dorp\" }]", "dorp", 20),
            ("steps = [{ statement = \"lost\" }]", "lost", 24),
            ("steps = [{ after = \"2 fortnights\" }]", "fortnights", 20),
            ("op = \"steal\"", "steal", 6),
            ("chance = 1.5", "1.5", 10),
            ("payee = 3", "3", 9),
            ("outage = { after = \"1s\" }", "for", 10),
            ("teller = \"x\"", "teller", 1),
        ] {
            let error = Scenario::parse(&format!("{RULE}{line}\n")).expect_err(wrong).to_string();
            assert!(error.contains(&format!("line 4, column {column}\n")), "{error}");
            assert!(error.contains('^') && error.contains(line) && error.contains(wrong), "{error}");
        }
    }
}
