//! What stops a withdrawal that was accepted: R2 and R4, tested again at the
//! approval and at the dispatch.

use strum::{Display, EnumIter, EnumString, IntoStaticStr, VariantNames};

use crate::Money;

/// An account as it stands now, with the hold of the withdrawal already taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// R2: tied to a partner in advance-payment mode.
    pub advance_payment: bool,
    /// Its facts cannot be trusted; people look at it.
    pub stopped: bool,
    /// Free money over all top-ups, what is held not included.
    pub remaining: Money,
    /// R4: issued less returned less paid.
    pub outstanding_invoice: Money,
    /// R1: usage that is not billed yet.
    pub unbilled: Money,
}

/// Why an accepted withdrawal goes on hold instead of out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, EnumIter, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Obstacle {
    /// The facts of the account contradict each other or are incomplete.
    AccountStopped,
    /// R2: "Cash balance of a customer associated with a partner by advance
    /// payment mode cannot be withdrawn."
    PartnerAdvancePayment,
    /// R4: invoices and unbilled usage rose above what is left.
    OutstandingInvoice,
}

/// What stands against paying out money that is held, if anything.
///
/// R4: "An outstanding invoice amount cannot be included in a money
/// withdrawal." A hold that was covered when it was taken can be uncovered by a
/// later invoice; nothing is shrunk silently, it waits.
#[must_use]
pub fn obstacle(standing: &Standing) -> Option<Obstacle> {
    let owed = [standing.outstanding_invoice, standing.unbilled].into_iter().sum::<Money>();
    if standing.stopped {
        Some(Obstacle::AccountStopped)
    } else if standing.advance_payment {
        Some(Obstacle::PartnerAdvancePayment)
    } else if owed > standing.remaining {
        Some(Obstacle::OutstandingInvoice)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Obstacle, Standing, obstacle};
    use crate::Money;

    #[test]
    fn r2_r4_an_accepted_withdrawal_waits_behind_partners_and_invoices() {
        let free = Standing {
            advance_payment: false,
            stopped: false,
            remaining: Money::from_minor(100),
            outstanding_invoice: Money::from_minor(60),
            unbilled: Money::from_minor(40),
        };
        assert_eq!(obstacle(&free), None);
        let owed = Standing { unbilled: Money::from_minor(41), ..free };
        assert_eq!(obstacle(&owed), Some(Obstacle::OutstandingInvoice));
        let partner = Standing { advance_payment: true, ..owed };
        assert_eq!(obstacle(&partner), Some(Obstacle::PartnerAdvancePayment));
        let stopped = Standing { stopped: true, ..partner };
        assert_eq!(obstacle(&stopped), Some(Obstacle::AccountStopped));
    }
}
