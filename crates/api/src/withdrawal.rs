//! One withdrawal, leg by leg (R13).
//!
//! The answer is the `data` of the newest status event, so that whoever polls
//! and whoever listens read the same. Account numbers are their last four
//! characters.

use axum::extract::{self, Path};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use broker::contract::{Amount, EffectDigest, LegStatus, Problem, RequestRef, StatusChanged};
use store::legs::{self, Leg};
use store::withdrawals::{self, Withdrawal};
use uuid::Uuid;

use crate::State;
use crate::refusal::Refusal;

/// Shows a withdrawal. It may change at any moment, so nobody may keep it.
pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Refusal> {
    let not_found =
        || Refusal::new("no_such_withdrawal", StatusCode::NOT_FOUND, "there is no withdrawal of this number");
    let id: Uuid = id.parse().map_err(|_| not_found())?;
    // One moment for both reads: the legs belong to the state.
    let mut tx = state.database.snapshot().await?;
    let withdrawal = withdrawals::find(&mut tx, id).await?.ok_or_else(not_found)?;
    let legs = legs::of_withdrawal(&mut tx, id).await?;
    let status = status(&withdrawal, &legs).ok_or_else(|| {
        store::Error::Unreadable(format!("the withdrawal {id} holds texts that the contract does not know"))
    })?;
    let body = serde_json::to_string(&status).expect("a status of texts and numbers serialises");
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], body))
}

/// The rows in the words of the contract; `None` when they do not fit it.
fn status(withdrawal: &Withdrawal, legs: &[Leg]) -> Option<StatusChanged> {
    let digest = withdrawal.effect_digest.as_deref().map(hex::encode);
    let digest: Option<EffectDigest> = digest.map(|it| it.parse()).transpose().ok()?;
    let reasons: Vec<Problem> = serde_json::from_value(withdrawal.reasons.clone()).ok()?;
    Some(StatusChanged {
        withdrawal_id: withdrawal.id,
        request: RequestRef {
            source: withdrawal.source.parse().ok()?,
            id: withdrawal.request_id.parse().ok()?,
        },
        account_id: withdrawal.account_id.parse().ok()?,
        amount: Amount::new(withdrawal.amount, withdrawal.currency),
        currency: withdrawal.currency,
        route: withdrawal.route,
        state: withdrawal.state,
        previous_state: None,
        sequence: u64::try_from(withdrawal.sequence).ok()?,
        reasons,
        expected_by: withdrawal.deadline_at,
        provisional: withdrawal.deadline_provisional,
        effect_digest: digest,
        legs: legs.iter().map(|leg| leg_status(leg, withdrawal)).collect::<Option<_>>()?,
    })
}

fn leg_status(leg: &Leg, withdrawal: &Withdrawal) -> Option<LegStatus> {
    Some(LegStatus {
        leg_id: leg.id,
        payout_no: leg.payout_no.clone(),
        rail: leg.rail,
        amount: Amount::new(leg.amount, withdrawal.currency),
        state: leg.state,
        top_up_id: leg.top_up_upstream_id.parse().ok()?,
        payee_last_four: leg.payee_last_four.clone(),
        dispatch_at: leg.dispatch_at,
        deadline_at: leg.deadline_at,
    })
}
