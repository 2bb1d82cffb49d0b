//! Status events: every move of a withdrawal, told to the world in its own transaction.
//!
//! All workers build their events here, from the rows alone, so that an event
//! never knows more or less than the database. Bank account numbers appear as
//! their last four characters only.

use broker::contract::{
    Amount, CONTENT_TYPE, Envelope, Instruction, LegStatus, MessageRef, MessageRefused, Problem, RequestRef,
    StatusChanged, TRACEPARENT,
};
use chrono::{DateTime, Utc};
use domain::{Currency, WithdrawalState};
use serde::Serialize;
use serde_json::{Value, json};
use store::legs::Leg;
use store::outbox::Outgoing;
use store::withdrawals::Withdrawal;
use uuid::Uuid;

/// The event that `withdrawal` came from `previous` into the state it has now.
///
/// Its id is `<withdrawal id>:<sequence>`, so a repeated delivery is told apart,
/// and its key is the withdrawal, so the events of one stay in order (R13).
///
/// # Panics
/// When a row holds texts that the contract would have refused on their way in.
#[must_use]
pub fn withdrawal_event(
    withdrawal: &Withdrawal,
    legs: &[Leg],
    previous: WithdrawalState,
    at: DateTime<Utc>,
) -> Outgoing {
    let status = StatusChanged {
        withdrawal_id: withdrawal.id,
        request: request_of(withdrawal),
        account_id: withdrawal.account_id.parse().expect("the contract admitted this account"),
        amount: Amount::new(withdrawal.amount, withdrawal.currency),
        currency: withdrawal.currency,
        route: withdrawal.route,
        state: withdrawal.state,
        previous_state: (previous != WithdrawalState::Received).then_some(previous),
        sequence: u64::try_from(withdrawal.sequence).expect("sequences count up from one"),
        reasons: reasons_of(withdrawal),
        expected_by: withdrawal.deadline_at,
        provisional: withdrawal.deadline_provisional,
        expires_at: withdrawal.expires_at.filter(|_| withdrawal.state.waits_for_people()),
        effect_digest: withdrawal
            .effect_digest
            .as_deref()
            .map(|digest| hex::encode(digest).parse().expect("SHA-256 has 64 digits")),
        legs: legs.iter().map(|leg| leg_status(leg, withdrawal.currency)).collect(),
    };
    let routing_key = status.routing_key();
    message(withdrawal, routing_key, status.into_message(at))
}

/// The request that a withdrawal answers.
///
/// # Panics
/// When a row holds texts that the contract would have refused on their way in.
#[must_use]
pub(crate) fn request_of(withdrawal: &Withdrawal) -> RequestRef {
    RequestRef {
        source: withdrawal.source.parse().expect("the contract admitted this source"),
        id: withdrawal.request_id.parse().expect("the contract admitted this id"),
    }
}

/// An event about `withdrawal` for the outbox. Trace context travels along.
pub(crate) fn message<T: Serialize>(
    withdrawal: &Withdrawal,
    routing_key: String,
    envelope: Envelope<T>,
) -> Outgoing {
    event(withdrawal.id.to_string(), routing_key, withdrawal.traceparent.as_deref(), envelope)
}

/// The event that a decision or bank details changed nothing, for their sender.
/// `state` is the one of the withdrawal, where there is one.
///
/// # Panics
/// Never: a type of the contract is a short text.
pub(crate) fn refused_event(
    message: &Envelope<Instruction>,
    state: Option<WithdrawalState>,
    reasons: Vec<Problem>,
    at: DateTime<Utc>,
) -> Outgoing {
    let withdrawal_id = message.data.withdrawal_id();
    let refused = MessageRefused {
        message: MessageRef {
            source: message.source.clone(),
            id: message.id.clone(),
            kind: message.kind.parse().expect("a type of the contract is a short text"),
        },
        withdrawal_id,
        state,
        reasons,
    };
    let envelope = refused.into_message(Uuid::now_v7(), at);
    let trace = message.traceparent.as_ref().map(broker::contract::Attribute::as_str);
    event(withdrawal_id.to_string(), MessageRefused::ROUTING_KEY.to_owned(), trace, envelope)
}

/// An event for the outbox. Events with the same `key` stay in order.
pub(crate) fn event<T: Serialize>(
    key: String,
    routing_key: String,
    traceparent: Option<&str>,
    envelope: Envelope<T>,
) -> Outgoing {
    let envelope = Envelope { traceparent: traceparent.and_then(|it| it.parse().ok()), ..envelope };
    Outgoing {
        key,
        exchange: broker::topology::EVENTS,
        routing_key,
        content_type: CONTENT_TYPE,
        headers: trace_header(traceparent),
        body: envelope.to_json(),
    }
}

/// The headers of a message of a trace, for those that read no bodies.
pub(crate) fn trace_header(traceparent: Option<&str>) -> Value {
    traceparent.map_or_else(|| json!({}), |it| json!({ TRACEPARENT: it }))
}

/// The reasons of a row. One that cannot be read is left out: it was written here.
fn reasons_of(withdrawal: &Withdrawal) -> Vec<Problem> {
    serde_json::from_value(withdrawal.reasons.clone()).unwrap_or_default()
}

fn leg_status(leg: &Leg, currency: Currency) -> LegStatus {
    LegStatus {
        leg_id: leg.id,
        payout_no: leg.payout_no.clone(),
        rail: leg.rail,
        amount: Amount::new(leg.amount, currency),
        state: leg.state,
        generation: u32::try_from(leg.generation).expect("generations count up from one"),
        replaces: leg.predecessor_id,
        code: leg.code.clone(),
        top_up_id: leg.top_up_upstream_id.parse().expect("the contract admitted this top-up"),
        payee_last_four: leg.payee_last_four.clone(),
        dispatch_at: leg.dispatch_at,
        deadline_at: leg.deadline_at,
    }
}
