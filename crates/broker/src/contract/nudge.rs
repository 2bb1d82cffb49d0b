//! Internal messages: an id and nothing else.
//!
//! The row is the truth and the message a nudge, so a lost or repeated one is
//! harmless, and no secret passes through these queues.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::problem::Problem;
use super::{strict, typed};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nudge {
    id: Uuid,
}

/// The body of a nudge about a row.
///
/// # Panics
/// Never: a UUID serialises.
#[must_use]
pub fn nudge(id: Uuid) -> Vec<u8> {
    serde_json::to_vec(&Nudge { id }).expect("a UUID serialises")
}

/// The id of the row that a nudge is about.
///
/// # Errors
/// A [`Problem`] that names the field and the rule.
pub fn parse_nudge(body: &[u8]) -> Result<Uuid, Problem> {
    typed::read::<Nudge>(&strict::read(body)?, "").map(|nudge| nudge.id)
}
