//! What people approve: the computed effect of a withdrawal, as one digest.
//!
//! An approval is bound to it (R10, R11): whoever approved another payee, amount
//! or slice approved nothing. The text that is hashed is written out below, so
//! that anybody can recompute it.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use store::legs::Leg;
use store::withdrawals::Withdrawal;

/// SHA-256 of the canonical effect: account, amount, route, and every leg with
/// its slice, rail, amount and payee.
///
/// ```text
/// outflow effect 1
/// withdrawal <id> account <id> amount <minor units> <currency> route <route> payee <bank account id or source>
/// leg <position> generation <n> top-up <id> rail <rail> amount <minor units> payee <bank account id or source>
/// …
/// ```
///
/// Bank details are never edited: a change is a new row with a new id, and so
/// another digest. States, times and texts for people are left out, because
/// they change nothing about where the money goes.
///
/// # Panics
/// Never: a string takes all text.
#[must_use]
pub fn effect_digest(withdrawal: &Withdrawal, legs: &[Leg]) -> Vec<u8> {
    let payee = |id: Option<uuid::Uuid>| id.map_or_else(|| "source".to_owned(), |id| id.to_string());
    let mut text = format!(
        "outflow effect 1\nwithdrawal {} account {} amount {} {} route {} payee {}\n",
        withdrawal.id,
        withdrawal.account_id,
        withdrawal.amount.minor(),
        withdrawal.currency,
        withdrawal.route,
        payee(withdrawal.bank_account_id),
    );
    let mut ordered: Vec<&Leg> = legs.iter().collect();
    ordered.sort_by_key(|leg| (leg.position, leg.generation));
    for leg in ordered {
        writeln!(
            text,
            "leg {} generation {} top-up {} rail {} amount {} payee {}",
            leg.position,
            leg.generation,
            leg.top_up_id,
            leg.rail,
            leg.amount.minor(),
            payee(leg.bank_account_id),
        )
        .expect("a string takes all text");
    }
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}
