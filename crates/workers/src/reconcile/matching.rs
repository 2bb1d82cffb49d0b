//! Lines of a statement and what our books made of them, as differences.

use std::collections::HashMap;

use domain::{Money, Rail};
use gateways::{Movement, Statement};
use store::statement_days::MissingLeg;
use store::statement_differences::{Found, Kind};

use crate::statement::{Claim, Effect, Line};

/// What a batch of lines came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// Lines that settled a payment.
    pub(super) settled: usize,
    /// Lines that wait for a call to end.
    pub(super) under_way: usize,
    /// Payments that were taken back: told, and in order.
    pub(super) returned: Vec<Found>,
    /// What does not agree.
    pub(super) open: Vec<Found>,
}

/// The lines of a statement that say something final, in its order.
pub(super) fn lines(rail: Rail, place: &str, statement: &Statement) -> Vec<Line> {
    let line = |row: &gateways::Row| {
        let claim = match row.movement {
            Movement::Out => Claim::Paid,
            Movement::Back => Claim::Returned,
            Movement::Refused => Claim::NotExecuted,
            // Statements are not updated: the line says nothing about today.
            Movement::Unfinished => return None,
        };
        Some(Line {
            rail,
            payout_no: row.payout_no.clone(),
            amount: row.amount,
            claim,
            reference: Some(row.reference.clone()).filter(|it| !it.is_empty()),
            place: place.to_owned(),
        })
    };
    statement.rows.iter().filter_map(line).collect()
}

/// Payments that a statement has more than once.
pub(super) fn twice(statement: &Statement) -> Vec<Found> {
    let mut count: HashMap<(&str, bool), (usize, Money)> = HashMap::new();
    let moved = statement.rows.iter().filter(|it| matches!(it.movement, Movement::Out | Movement::Back));
    for row in moved {
        let seen = count.entry((&row.payout_no, row.movement == Movement::Out)).or_default();
        *seen = (seen.0 + 1, row.amount);
    }
    let mut found: Vec<Found> = count
        .into_iter()
        .filter(|(_, (times, _))| *times > 1)
        .map(|((payout_no, out), (times, amount))| Found {
            kind: Kind::ListedTwice,
            subject: payout_no.to_owned(),
            leg_id: None,
            ours: None,
            theirs: Some(amount),
            detail: format!("it {} {times} times by the statement", if out { "left" } else { "came back" }),
        })
        .collect();
    found.sort_by(|one, other| one.subject.cmp(&other.subject));
    found
}

/// What the effects of lines come to.
pub(super) fn judge(lines: &[Line], effects: &[Effect]) -> Judged {
    let mut judged = Judged::default();
    for (line, effect) in lines.iter().zip(effects) {
        let found = |kind, detail: String| Found {
            kind,
            subject: line.payout_no.clone(),
            leg_id: None,
            ours: None,
            theirs: Some(line.amount),
            detail,
        };
        let disputed = match line.claim {
            Claim::NotExecuted => Kind::PaidNotInStatement,
            Claim::Paid | Claim::Returned => Kind::InStatementNotPaid,
        };
        match effect {
            Effect::Settled => judged.settled += 1,
            Effect::Confirmed => {}
            Effect::UnderWay => judged.under_way += 1,
            Effect::Returned => {
                judged
                    .returned
                    .push(found(Kind::Returned, "the money came back; the books follow".to_owned()));
            }
            Effect::Asked => {
                let detail = "the statement has it refused; the channel is asked".to_owned();
                judged.open.push(found(disputed, detail));
            }
            Effect::ForPeople => {
                let detail = format!("it is in manual review, and the statement says {}", line.claim);
                judged.open.push(found(disputed, detail));
            }
            Effect::NotOurs => {
                judged.open.push(found(disputed, "the number is none of ours on this channel".to_owned()));
            }
            Effect::AmountDiffers { ours } => judged.open.push(Found {
                ours: Some(*ours),
                ..found(Kind::AmountDiffers, "the amounts are not the same; nothing was moved".to_owned())
            }),
            Effect::Contradicts { state } => {
                let detail = format!("the statement says {}, and our leg is {state}", line.claim);
                judged.open.push(found(disputed, detail));
            }
        }
    }
    judged
}

/// The line that says that a statement does not name a payment of ours.
pub(super) fn unnamed(rail: Rail, place: &str, leg: &MissingLeg) -> Line {
    Line {
        rail,
        payout_no: leg.payout_no.clone(),
        amount: leg.amount,
        claim: Claim::NotExecuted,
        reference: None,
        place: place.to_owned(),
    }
}

/// A payment of ours that the statement of its day does not name.
pub(super) fn not_named(leg: &MissingLeg) -> Found {
    Found {
        kind: Kind::PaidNotInStatement,
        subject: leg.payout_no.clone(),
        leg_id: Some(leg.leg_id),
        ours: Some(leg.amount),
        theirs: None,
        detail: "we have it paid, and the statement does not name it; the channel is asked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{LegState, Money, Rail};
    use gateways::{Movement, Row, Statement};

    use super::{judge, lines, twice};
    use crate::statement::Effect;

    fn row(payout_no: &str, movement: Movement) -> Row {
        Row {
            payout_no: payout_no.to_owned(),
            reference: "R".to_owned(),
            amount: Money::from_minor(1_000),
            movement,
            trade_no: String::new(),
            at: None,
        }
    }

    #[test]
    fn every_effect_of_every_line_is_settled_waited_for_or_a_difference() {
        let state = LegState::Released;
        for (movement, effect, expected) in [
            (Movement::Out, Effect::Settled, "settled"),
            (Movement::Out, Effect::Confirmed, ""),
            (Movement::Out, Effect::UnderWay, "under way"),
            (Movement::Back, Effect::Returned, "returned"),
            (Movement::Refused, Effect::Asked, "paid_not_in_statement"),
            (Movement::Refused, Effect::ForPeople, "paid_not_in_statement"),
            (Movement::Out, Effect::NotOurs, "in_statement_not_paid"),
            (Movement::Out, Effect::AmountDiffers { ours: Money::from_minor(999) }, "amount_differs"),
            (Movement::Out, Effect::Contradicts { state }, "in_statement_not_paid"),
            (Movement::Refused, Effect::Contradicts { state }, "paid_not_in_statement"),
        ] {
            let statement = Statement { rows: vec![row("WD1", movement)], balances: None };
            let judged = judge(&lines(Rail::Alipay, "here", &statement), &[effect]);
            let told = judged.returned.first().or(judged.open.first());
            let actual = match (judged.settled, judged.under_way, told) {
                (1, 0, None) => "settled".to_owned(),
                (0, 1, None) => "under way".to_owned(),
                (0, 0, Some(found)) => found.kind.to_string(),
                _ => String::new(),
            };
            assert_eq!(actual, expected, "{movement:?} {effect}");
        }
    }

    #[test]
    fn a_line_that_is_not_final_says_nothing_and_one_that_is_there_twice_is_told() {
        let rows = vec![
            row("WD1", Movement::Unfinished),
            row("WD2", Movement::Out),
            row("WD2", Movement::Back),
            row("WD3", Movement::Out),
            row("WD3", Movement::Out),
        ];
        let statement = Statement { rows, balances: None };
        assert_eq!(lines(Rail::WeChat, "here", &statement).len(), 4);
        let found: Vec<String> = twice(&statement).into_iter().map(|it| it.subject).collect();
        assert_eq!(found, ["WD3"], "out and back is no repeat");
    }
}
