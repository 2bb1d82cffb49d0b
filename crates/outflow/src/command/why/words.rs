//! Why things stand as they do, in plain words, for every state there is.

use domain::{CircuitState, LegState, Rail, WithdrawalState};
use store::circuits::CircuitRow;
use store::stops::{ALL, Stop};

/// Whether money can be lost or paid twice now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Risk {
    /// Nothing is in doubt.
    None,
    /// A call is under way or in doubt; a query will tell.
    InDoubt,
    /// Only people with evidence can tell.
    NeedsPeople,
}

/// Why a withdrawal is in a state.
pub(super) const fn of_withdrawal(state: WithdrawalState) -> &'static str {
    use WithdrawalState as S;
    match state {
        S::Received => "the request was read and is being decided",
        S::Rejected => "a rule refused it; no money was held",
        S::AwaitingDetails => "the money is held, and the bank details of the receiver are incomplete (R11)",
        S::PendingApproval => "the money is held, and people must agree before it leaves (S01)",
        S::Denied => "a person refused it; the money went back to its top-ups",
        S::Expired => "nobody decided, or no bank details came, in time; the money went back to its top-ups",
        S::Canceled => "it was taken back before anything was sent; the money went back to its top-ups",
        S::Approved => "it may be paid; no payment of it is under way",
        S::Processing => "a part of it is on its way",
        S::Completed => "all of it was paid",
        S::PartiallyCompleted => "a part was paid, and the rest went back to its top-ups",
        S::Failed => "nothing was paid; the money went back to its top-ups",
        S::OnHold => "it was stopped; nothing more is sent until the hold ends",
        S::ActionRequired => "a part of it cannot go on without people",
    }
}

/// Why a leg is in a state, and what happens next by itself or by people.
pub(super) const fn of_leg(state: LegState) -> (&'static str, &'static str) {
    use LegState as S;
    match state {
        S::Planned => ("held for it", "sent once the withdrawal is approved"),
        S::Scheduled => ("approved", "sent when its time comes"),
        S::Dispatching => (
            "the payment call is under way",
            "the gateway answers, or the leg becomes unknown and is asked about",
        ),
        S::Submitted => {
            ("the gateway has taken it on and is not done", "the gateway is asked again, or tells us")
        }
        S::Paid => {
            ("the gateway confirmed that the money left", "found in the channel's statement of that day")
        }
        S::Failed => ("definitely refused", "sent again, on another way, or given back"),
        S::Unknown => (
            "no answer that can be trusted: the money may or may not have left",
            "the gateway is asked by the same number; no other number is ever used before it is certain",
        ),
        S::Settled => {
            ("it stands in the channel's statement", "nothing; it is over unless the payee's bank returns it")
        }
        S::Rerouting => (
            "its way is closed for good, or the money came back",
            "bank details, then a new approval; or the slice is given back",
        ),
        S::Released => ("refused; the money went back to its top-up", "nothing; it is over"),
        S::Returned => ("paid, and then the money came back", "another way, or back to its top-up"),
        S::Held => ("stopped before it was sent", "sent once the hold ends"),
        S::Canceled => {
            ("taken back before it was sent; the money went back to its top-up", "nothing; it is over")
        }
        S::ManualReview => (
            "the gateway could not say what became of it",
            "two people with evidence: outflow resolve LEG --as paid|not-paid --evidence … --by …",
        ),
    }
}

/// What a leg puts at risk.
pub(super) const fn risk_of(state: LegState) -> Risk {
    match state {
        LegState::Dispatching | LegState::Unknown => Risk::InDoubt,
        LegState::ManualReview => Risk::NeedsPeople,
        _ => Risk::None,
    }
}

/// The risk in plain words.
pub(super) const fn of_risk(risk: Risk) -> &'static str {
    match risk {
        Risk::None => "no: nothing of it is in doubt",
        Risk::InDoubt => {
            "not lost, but in doubt: a call is under way or has no certain answer. It is never sent under another number, \
             and never booked as failed by a timer"
        }
        Risk::NeedsPeople => {
            "yes, until two people have looked: a payment could not be clarified with the gateway, and its money stays held"
        }
    }
}

/// What a withdrawal's last move says of itself; nothing where it only followed its legs.
pub(super) fn of_move(event: &str, actor: &str, note: Option<&str>) -> Option<String> {
    let note = note.map(|it| format!(", {it:?}")).unwrap_or_default();
    (event != "legs" || !note.is_empty()).then(|| format!("{event} by {actor}{note}"))
}

/// Why nothing is sent by a channel now; nothing where it is.
pub(super) fn of_bar(rail: Rail, stops: &[Stop], circuits: &[(Rail, CircuitRow)]) -> Option<String> {
    let thrown = |name: &str| stops.iter().find(|it| it.name == name);
    if let Some(it) = thrown(ALL).or_else(|| thrown(rail.into())) {
        return Some(format!(
            "{} stopped {}, {:?}; outflow channel resume {} --reason … --by …",
            it.thrown_by, it.name, it.reason, it.name
        ));
    }
    let (_, row) = circuits.iter().find(|(it, _)| *it == rail)?;
    let cause = row.circuit.cause.as_deref().unwrap_or("it kept failing");
    (row.circuit.state != CircuitState::Closed)
        .then(|| format!("its circuit is {} ({cause})", row.circuit.state))
}

/// What a gateway said about a leg.
pub(super) fn of_code(code: &str, detail: Option<&str>) -> String {
    [code, detail.unwrap_or_default()].join(" ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::{Circuit, CircuitState, LegState, Rail, WithdrawalState};
    use store::circuits::CircuitRow;
    use store::stops::Stop;
    use strum::IntoEnumIterator;

    use super::{Risk, of_bar, of_code, of_leg, of_move, of_risk, of_withdrawal, risk_of};

    #[test]
    fn every_state_has_words_of_its_own() {
        let mut seen: Vec<&str> = WithdrawalState::iter().map(of_withdrawal).collect();
        seen.extend(LegState::iter().map(|it| of_leg(it).0));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count, "two states are told alike");
        assert!(seen.iter().all(|it| !it.is_empty() && !it.ends_with('.')));
    }

    #[test]
    fn what_is_over_says_so_and_nothing_else_does() {
        for state in LegState::iter() {
            let over = matches!(state, LegState::Settled | LegState::Released | LegState::Canceled);
            assert_eq!(of_leg(state).1.starts_with("nothing;"), over, "{state}");
        }
    }

    #[test]
    fn money_is_at_risk_exactly_where_nobody_knows_whether_it_left() {
        for state in LegState::iter() {
            let risk = match state {
                LegState::Dispatching | LegState::Unknown => Risk::InDoubt,
                LegState::ManualReview => Risk::NeedsPeople,
                _ => Risk::None,
            };
            assert_eq!(risk_of(state), risk, "{state}");
        }
        assert!(of_risk(Risk::None).starts_with("no") && of_risk(Risk::NeedsPeople).starts_with("yes"));
    }

    #[test]
    fn a_switch_comes_before_a_circuit_and_a_channel_that_is_well_has_no_bar() {
        let stop = |name: &str| Stop {
            name: name.to_owned(),
            reason: "a drill".to_owned(),
            thrown_by: "zhao.lei".to_owned(),
            thrown_at: DateTime::UNIX_EPOCH,
        };
        let open =
            Circuit { state: CircuitState::Open, cause: Some("http_503".to_owned()), ..Circuit::CLOSED };
        let row = |circuit| CircuitRow { circuit, version: 1, probe_leg_id: None, paced_until: None };
        let circuits = [(Rail::Alipay, row(open)), (Rail::WeChat, row(Circuit::CLOSED))];
        let switch = |name: &str| {
            format!("zhao.lei stopped {name}, \"a drill\"; outflow channel resume {name} --reason … --by …")
        };
        for (rail, stops, bar) in [
            (Rail::Alipay, vec![], Some("its circuit is open (http_503)".to_owned())),
            (Rail::Alipay, vec![stop("alipay")], Some(switch("alipay"))),
            (Rail::WeChat, vec![stop("all")], Some(switch("all"))),
            (Rail::WeChat, vec![stop("alipay")], None),
            (Rail::Bank, vec![], None),
        ] {
            assert_eq!(of_bar(rail, &stops, &circuits), bar, "{rail}");
        }
    }

    #[test]
    fn a_move_without_anything_particular_and_a_code_without_words_leave_no_gap() {
        assert_eq!(of_move("legs", "payout", None), None);
        assert_eq!(of_move("legs", "settle", Some("late")).as_deref(), Some("legs by settle, \"late\""));
        assert_eq!(of_move("approve", "ann", None).as_deref(), Some("approve by ann"));
        assert_eq!(of_code("http_503", None), "http_503");
        assert_eq!(of_code("35", Some("too late")), "35 too late");
    }
}
