//! Money given to enterprise members (R5).

use super::refusal::Refusal;
use crate::Money;

/// Money that a master gave to a member, with the slices it was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// Who got it.
    pub member_account_id: String,
    /// What was given.
    pub granted: Money,
    /// What came back.
    pub reclaimed: Money,
    /// An invoice binds it.
    pub invoiced: bool,
    /// What each slice still gives, in the order in which it was taken: newest first.
    pub shares: Vec<Share>,
}

/// What one slice gives to an allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The top-up.
    pub top_up_id: String,
    /// What the member has of it; nothing after a reclaim.
    pub amount: Money,
}

impl Allocation {
    /// What comes back into which slice when `amount` is reclaimed: what was
    /// taken last comes back first.
    ///
    /// R5: "a reclaim puts it back into the same slices". The order is our choice.
    /// It makes a partial reclaim an exact undo: afterwards every slice is as
    /// if so much less had been granted in the first place.
    pub(super) fn give_back(&self, amount: Money) -> Result<Vec<(usize, Money)>, Refusal> {
        if self.invoiced {
            return Err(Refusal::AllocationInvoiced);
        }
        let last_taken_first = self.shares.iter().enumerate().rev().map(|(place, it)| (place, it.amount));
        super::draw::draw(last_taken_first, amount).map_err(|left| Refusal::AllocationExceeded { left })
    }
}
