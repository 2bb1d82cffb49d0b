//! A circuit per channel: one that keeps failing is left in peace for a while.
//!
//! ```text
//! closed ── failures in a row, or their share; wrong settings ─▶ open ── a rest ─▶ half open
//!    ▲                                                            ▲                 │ one call
//!    └───────────────────── it was answered ──────────────────────┼─────────────────┤
//!                                                                 └── it was not ───┘
//! ```
//!
//! While it is open nothing is sent; legs stay queued, none of them fails, and
//! what is in doubt is still asked about.

use chrono::{DateTime, TimeDelta, Utc};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// Whether a channel is used. The text form is the database's and the API's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CircuitState {
    /// It is.
    Closed,
    /// It rests.
    Open,
    /// One call finds out whether it is well again.
    HalfOpen,
}

/// When a channel is left in peace, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitRule {
    /// Failures in a row that open it; nothing: no row does.
    pub failures: Option<u32>,
    /// The share of failures that opens it; nothing: no share does.
    pub share: Option<FailureShare>,
    /// The mean rest before one call tries again. It doubles with each try that fails.
    pub rest: TimeDelta,
    /// The longest mean rest.
    pub rest_longest: TimeDelta,
}

/// A share of calls that fail, over a while that begins with a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureShare {
    /// Failures in a hundred calls.
    pub percent: u32,
    /// Calls of which fewer say nothing.
    pub calls: u32,
    /// How long the while is.
    pub within: TimeDelta,
}

/// What a call says about its channel, as against the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It answered, whatever it said about the payment.
    Answers,
    /// It did not, or it could not take a payment now. The text says how.
    Troubled(String),
    /// Our settings there are wrong: no call can succeed.
    Misconfigured(String),
    /// The call was never made.
    Unsent,
}

/// Whose word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum Caller {
    /// The one call that tries.
    Probe,
    /// Any other: after an opening they were under way before it.
    Other,
}

/// What may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Whatever is due.
    All,
    /// One payment, to try.
    Probe,
    /// Nothing.
    Nothing,
}

/// Calls since a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Since when.
    pub since: DateTime<Utc>,
    /// All of them.
    pub calls: u32,
    /// Those that failed.
    pub failures: u32,
}

/// A circuit as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    /// Whether the channel is used.
    pub state: CircuitState,
    /// Failures in a row.
    pub failures: u32,
    /// What was counted since the first failure of late.
    pub tally: Option<Tally>,
    /// What opened it.
    pub cause: Option<String>,
    /// Since when; nothing while it is closed.
    pub opened_at: Option<DateTime<Utc>>,
    /// Open: from when on one call may try. Half open: when that call is given up.
    pub probe_at: Option<DateTime<Utc>>,
    /// Rests in a row.
    pub rests: u32,
}

impl Circuit {
    /// One that nothing has happened to.
    pub const CLOSED: Self = Self {
        state: CircuitState::Closed,
        failures: 0,
        tally: None,
        cause: None,
        opened_at: None,
        probe_at: None,
        rests: 0,
    };

    /// What may be sent at this moment. A try that brought nothing until it was
    /// given up may be made again.
    #[must_use]
    pub fn admits(&self, at: DateTime<Utc>) -> Admission {
        match self.state {
            CircuitState::Closed => Admission::All,
            CircuitState::Open | CircuitState::HalfOpen if self.probe_at.is_none_or(|it| it <= at) => {
                Admission::Probe
            }
            CircuitState::Open | CircuitState::HalfOpen => Admission::Nothing,
        }
    }

    /// The circuit while one call tries, until `given_up_at`.
    #[must_use]
    pub fn probed(&self, given_up_at: DateTime<Utc>) -> Self {
        Self { state: CircuitState::HalfOpen, probe_at: Some(given_up_at), ..self.clone() }
    }

    /// The circuit after a call: the only place where an answer moves it. `rest` is
    /// for how long it is open if this call opens it, drawn by the caller.
    #[must_use]
    pub fn after(
        &self,
        (health, caller): (&Health, Caller),
        (rule, rest): (&CircuitRule, TimeDelta),
        at: DateTime<Utc>,
    ) -> Self {
        use Caller as C;
        use CircuitState as S;
        use Health as H;
        match (self.state, health, caller) {
            (S::Closed, H::Answers, _) => {
                Self { failures: 0, tally: self.counted(0, rule, at), ..self.clone() }
            }
            (S::Closed, H::Troubled(why), _) => {
                let failures = self.failures.saturating_add(1);
                let counted = Self { failures, tally: self.counted(1, rule, at), ..self.clone() };
                if counted.is_too_much(rule) { counted.opened(why, rest, at) } else { counted }
            }
            (S::Closed, H::Misconfigured(why), _)
            | (S::HalfOpen, H::Troubled(why) | H::Misconfigured(why), C::Probe) => self.opened(why, rest, at),
            (S::HalfOpen, H::Answers, C::Probe) => Self::CLOSED,
            // It found nothing out: another one may try at once.
            (S::HalfOpen, H::Unsent, C::Probe) => Self { state: S::Open, probe_at: Some(at), ..self.clone() },
            // Calls that were under way before it opened change nothing: the rest is kept.
            (S::Closed, H::Unsent, _) | (S::HalfOpen, _, C::Other) | (S::Open, ..) => self.clone(),
        }
    }

    /// The tally with one call more, or a new one where it is over.
    fn counted(&self, failures: u32, rule: &CircuitRule, at: DateTime<Utc>) -> Option<Tally> {
        let within = rule.share?.within;
        match self.tally.filter(|it| at - it.since < within) {
            Some(it) => Some(Tally {
                calls: it.calls.saturating_add(1),
                failures: it.failures.saturating_add(failures),
                ..it
            }),
            None => (failures > 0).then_some(Tally { since: at, calls: 1, failures }),
        }
    }

    fn is_too_much(&self, rule: &CircuitRule) -> bool {
        let in_a_row = rule.failures.is_some_and(|most| self.failures >= most);
        let by_share = rule.share.zip(self.tally).is_some_and(|(most, it)| {
            it.calls >= most.calls
                && u64::from(it.failures) * 100 >= u64::from(it.calls) * u64::from(most.percent)
        });
        in_a_row || by_share
    }

    fn opened(&self, why: &str, rest: TimeDelta, at: DateTime<Utc>) -> Self {
        Self {
            state: CircuitState::Open,
            failures: self.failures,
            tally: None,
            cause: Some(why.to_owned()),
            opened_at: self.opened_at.or(Some(at)),
            probe_at: Some(at + rest),
            rests: self.rests.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use strum::IntoEnumIterator;

    use super::{Admission, Caller, Circuit, CircuitRule, CircuitState, FailureShare, Health};

    const RULE: CircuitRule = CircuitRule {
        failures: Some(3),
        share: Some(FailureShare { percent: 50, calls: 6, within: TimeDelta::seconds(10) }),
        rest: TimeDelta::seconds(30),
        rest_longest: TimeDelta::seconds(300),
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn health(call: char) -> Health {
        match call {
            '.' => Health::Answers,
            'x' => Health::Troubled("timeout".to_owned()),
            '!' => Health::Misconfigured("invalid-app-id".to_owned()),
            '-' => Health::Unsent,
            other => panic!("no call {other:?} in the table"),
        }
    }

    fn next(circuit: &Circuit, (call, caller): (char, Caller), second: i64) -> Circuit {
        circuit.after((&health(call), caller), (&RULE, RULE.rest), at(second))
    }

    /// The circuit after a row of calls, one a second.
    fn after(calls: &str) -> Circuit {
        calls
            .chars()
            .zip(0..)
            .fold(Circuit::CLOSED, |circuit, (call, second)| next(&circuit, (call, Caller::Other), second))
    }

    #[test]
    fn every_state_meets_every_word_of_every_caller() {
        const MOVES: &str = "
            closed    . closed    x closed    ! open      - closed     by anybody
            open      . open      x open      ! open      - open       by anybody
            half_open . half_open x half_open ! half_open - half_open  by another
            half_open . closed    x open      ! open      - open       by the probe
        ";
        let mut actual = Vec::new();
        let open = after("!");
        for state in CircuitState::iter() {
            let circuit = match state {
                CircuitState::Closed => Circuit::CLOSED,
                CircuitState::Open => open.clone(),
                CircuitState::HalfOpen => open.probed(at(90)),
            };
            let moves = |caller| {
                let to = |call| format!("{call} {}", next(&circuit, (call, caller), 31).state);
                [state.to_string()]
                    .into_iter()
                    .chain(['.', 'x', '!', '-'].map(to))
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            let by: Vec<String> = Caller::iter().map(moves).collect();
            if by[0] == by[1] {
                actual.push(format!("{} by anybody", by[0]));
            } else {
                actual.push(format!("{} by another", by[1]));
                actual.push(format!("{} by the probe", by[0]));
            }
        }
        let expected = MOVES.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(actual, expected.filter(|line| !line.is_empty()).collect::<Vec<_>>());
    }

    #[test]
    fn failures_in_a_row_open_it_and_so_does_their_share() {
        use CircuitState::{Closed, Open};
        for (calls, state, failures) in [
            ("", Closed, 0),
            ("xx", Closed, 2),
            ("xxx", Open, 3),
            ("xx.xx", Closed, 2),
            ("xx.xxx", Open, 2),    // four of five say nothing yet, five of six do
            ("x.x..x", Open, 1),    // three of six are half of them
            ("x.x...x", Closed, 1), // three of seven are less
            ("x-x-x", Open, 3),     // what was not sent says nothing
            ("x.x......-.", Closed, 0),
            ("x.........x.x.x", Closed, 1), // another while, four of its calls
            ("!", Open, 0),
            (".!", Open, 0),
            ("xxx...", Open, 3),
        ] {
            let circuit = after(calls);
            assert_eq!(circuit.state, state, "{calls:?}");
            assert!(circuit.state == Open || circuit.failures == failures, "{calls:?}: {circuit:?}");
        }
    }

    #[test]
    fn what_is_well_is_not_written_again() {
        assert_eq!(after("....."), Circuit::CLOSED, "nothing to keep");
        let troubled = after("x.");
        assert!(troubled.tally.is_some(), "a while is counted");
        assert_eq!(next(&troubled, ('.', Caller::Other), 30), Circuit::CLOSED, "and forgotten after it");
    }

    #[test]
    fn one_call_after_the_rest_decides() {
        let open = after("!");
        assert_eq!(open.admits(at(29)), Admission::Nothing);
        assert_eq!(open.admits(at(30)), Admission::Probe);
        let half = open.probed(at(90));
        assert_eq!((half.state, half.admits(at(31))), (CircuitState::HalfOpen, Admission::Nothing));
        assert_eq!(half.admits(at(90)), Admission::Probe, "the call before was given up");

        assert_eq!(next(&half, ('.', Caller::Probe), 31), Circuit::CLOSED);
        let again = next(&half, ('x', Caller::Probe), 31);
        assert_eq!((again.opened_at, again.rests), (Some(at(0)), 2), "open since the first failure");
        assert_eq!((again.admits(at(60)), again.admits(at(61))), (Admission::Nothing, Admission::Probe));
        let unsent = next(&half, ('-', Caller::Probe), 31);
        assert_eq!((unsent.admits(at(31)), unsent.rests), (Admission::Probe, 1), "another one tries at once");
    }
}
