//! What would become of a request if it came now. Reads, and writes nothing.
//!
//! It asks the functions that the intake decides by, on one snapshot: what is
//! foretold is what would happen at the same moment, before anything else does.

use chrono::{DateTime, Utc};
use domain::{Counted, Currency, Decision, Detail, Money, Rail, Reason};
use store::Database;
use uuid::Uuid;

use super::{Message, Rules, ask, repeats};
use crate::PayoutPolicy;
use crate::quote;

/// What would become of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreseen {
    /// It came before: it would be answered and change nothing.
    Repeat {
        /// The withdrawal that answers it.
        withdrawal_id: Uuid,
        /// The fields in which it differs; none when it says the same.
        differing: Vec<String>,
    },
    /// It would be refused, for all of these reasons.
    Refused {
        /// Every reason.
        reasons: Vec<Reason>,
        /// The currency of the amounts in them.
        currency: Currency,
    },
    /// It would be planned and its money held.
    Accepted {
        /// Newest slice first.
        legs: Vec<ForeseenLeg>,
        /// R11: what the receiving account would be waited for.
        missing: Vec<Detail>,
        /// The account's currency.
        currency: Currency,
    },
}

/// A leg as it would be planned, and its times if it were approved now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeseenLeg {
    /// The top-up, as the upstream names it.
    pub top_up: String,
    /// How much of it.
    pub amount: Money,
    /// The way that it would leave by.
    pub rail: Rail,
    /// When it would be sent.
    pub dispatch_at: DateTime<Utc>,
    /// R7: by when its money would have arrived, on the bank rail.
    pub deadline: Option<Counted>,
}

/// Foretells what would become of a request at the moment `at`.
///
/// # Errors
/// When the database is away.
///
/// # Panics
/// Never: one message is one ask, and a plan is made of slices in hand.
pub async fn rehearse(
    database: &Database,
    (rules, payouts): (&Rules, &PayoutPolicy),
    message: &Message,
    at: DateTime<Utc>,
) -> Result<Foreseen, store::Error> {
    let asks = ask::read(std::slice::from_ref(message), rules);
    let ask = asks.first().expect("one message is one ask");
    let mut tx = database.snapshot().await?;
    let (_, repeats) = repeats::tell_apart(&mut tx, &asks).await?;
    if let Some(known) = repeats.into_iter().next() {
        let (withdrawal_id, differing) = known.into_parts();
        return Ok(Foreseen::Repeat { withdrawal_id, differing });
    }
    drop(tx);
    let refused = |reasons| Foreseen::Refused { reasons, currency: ask.request.currency };
    let Some(snapshot) = quote::read(database, ask.account_id()).await? else {
        return Ok(refused(vec![Reason::UnknownAccount]));
    };
    let accepted = match snapshot.decide(&ask.request, &rules.policy, at) {
        Decision::Accept(accepted) => accepted,
        Decision::Reject(reasons) => return Ok(refused(reasons)),
        Decision::OlderSlices => unreachable!("a snapshot holds every slice"),
    };
    let leg = |part: &domain::Part| {
        let slice = snapshot.book.find(&part.slice).expect("a plan is made of slices in hand");
        let rail = slice.channel.rail(ask.request.route);
        let times = payouts.times_of(rail, at);
        ForeseenLeg {
            top_up: part.slice.clone(),
            amount: part.amount,
            rail,
            dispatch_at: times.dispatch_at,
            deadline: times.deadline,
        }
    };
    Ok(Foreseen::Accepted {
        legs: accepted.plan.iter().map(leg).collect(),
        missing: accepted.missing,
        currency: snapshot.account.currency,
    })
}
