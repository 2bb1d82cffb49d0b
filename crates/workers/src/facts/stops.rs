//! Why facts stop the withdrawals of an account, and when that ends.
//!
//! Fail closed: while it is not known what an account has, it pays nothing out.

use domain::Money;
use domain::ledger::Refusal;
use store::facts::FactRow;

/// A fact contradicts what is known; ends when its version is applied.
pub(crate) const REFUSED: &str = "fact_refused";
/// Facts before a waiting one are missing; ends when the gap is filled.
pub(crate) const MISSING: &str = "facts_missing";
/// The totals are not the sums of the top-ups; ends by people only.
pub(crate) const TOTALS: &str = "control_total";

pub(super) fn refused(row: &FactRow, refusal: &Refusal) -> String {
    let FactRow { source, event_id, version, .. } = row;
    format!("{REFUSED}: version {version} (id {event_id} of {source}): {}: {refusal}", refusal.code())
}

pub(super) fn unstorable(version: u64) -> String {
    format!("{REFUSED}: version {version} cannot be stored")
}

pub(super) fn missing(versions: &str) -> String {
    format!("{MISSING}: {versions}")
}

pub(super) fn totals_differ(detail: &str) -> String {
    format!("{TOTALS}: {detail}")
}

/// The stop ends when the account's next fact is applied.
pub(super) fn ends_with_next_fact(because: &str) -> bool {
    because.starts_with(REFUSED) || because.starts_with(MISSING)
}

/// The same without its refusal: a stop of another kind stood in front of it.
pub(super) fn refused_before(version: i64) -> String {
    format!("{REFUSED}: version {version} was refused")
}

/// The stop says that this version was refused, or could not be stored.
pub(super) fn names_refused(because: &str, version: i64) -> bool {
    because.starts_with(&format!("{REFUSED}: version {version} "))
}

/// Only people end it.
pub(super) fn is_totals(because: &str) -> bool {
    because.starts_with(TOTALS)
}

/// Free and held by the account, and by its top-ups.
pub(super) fn differing((free, held): (Money, Money), (sum_free, sum_held): (Money, Money)) -> String {
    format!(
        "free {} and held {} of the account, {} and {} of its top-ups, in minor units",
        free.minor(),
        held.minor(),
        sum_free.minor(),
        sum_held.minor()
    )
}
