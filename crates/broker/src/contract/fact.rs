//! Facts about accounts: what upstream knows and the ledger must know too.
//!
//! The facts of an account are numbered 1, 2, 3, … without gap, and apply in
//! this order whatever order they arrive in.

use serde::Serialize;
use serde_json::Value;

use super::account::{AccountUpserted, TopUpBonusChanged, TopUpCredited};
use super::envelope::{Envelope, Stamp};
use super::ledger::{
    AllocationGranted, AllocationInvoiced, AllocationReclaimed, Invoice, UsageBilled, UsageUnbilled,
};
use super::problem::{Code, Problem};
use super::text::Identifier;
use super::typed;

/// Rules between the fields of one message. Pointers begin at the message.
pub(super) trait Check {
    /// The first rule that is broken.
    fn check(&self) -> Result<(), Problem> {
        Ok(())
    }
}

/// One line per fact: the variant, its type on the wire, and its place in the table.
macro_rules! facts {
    ($($(#[$about:meta])* $name:ident($data:ident) = $kind:literal,)*) => {
        /// One fact about one account.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        #[expect(clippy::large_enum_variant, reason = "top-ups are the largest and the most frequent facts")]
        pub enum Fact {
            $($(#[$about])* $name($data),)*
        }

        impl Fact {
            /// The types on the wire, in the order of the contract.
            pub const TYPES: &[&str] = &[$($kind),*];

            /// Its type on the wire.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)* }
            }

            /// The account that it is about.
            #[must_use]
            pub const fn account_id(&self) -> &Identifier {
                match self { $(Self::$name(fact) => &fact.account_id,)* }
            }

            /// Its place among the facts of the account: 1, 2, 3, …
            #[must_use]
            pub const fn version(&self) -> u64 {
                match self { $(Self::$name(fact) => fact.version,)* }
            }

            /// The message that says so.
            #[must_use]
            pub fn into_message(self, stamp: Stamp) -> Envelope<Self> {
                Envelope::new(stamp, self.kind(), self)
            }

            /// Reads the data of a message of this type; nothing when no fact has it.
            fn read(kind: &str, data: &Value) -> Option<Result<Self, Problem>> {
                match kind {
                    $($kind => Some(typed::read::<$data>(data, "/data").and_then(|fact| {
                        fact.check()?;
                        Ok(Self::$name(fact))
                    })),)*
                    _ => None,
                }
            }
        }
    };
}

facts! {
    /// An account appeared or changed.
    AccountUpserted(AccountUpserted) = "outflow.account.upserted.v1",
    /// Money came in.
    TopUpCredited(TopUpCredited) = "outflow.top_up.credited.v1",
    /// A top-up earned a bonus, or lost the mark (R3).
    TopUpBonusChanged(TopUpBonusChanged) = "outflow.top_up.bonus_changed.v1",
    /// An invoice went out (R4).
    InvoiceIssued(Invoice) = "outflow.invoice.issued.v1",
    /// An invoice came back (R4).
    InvoiceReturned(Invoice) = "outflow.invoice.returned.v1",
    /// An invoice was settled (R4).
    InvoicePaid(Invoice) = "outflow.invoice.paid.v1",
    /// How much was used and isn't billed yet.
    UsageUnbilled(UsageUnbilled) = "outflow.usage.unbilled.v1",
    /// Usage was billed and consumes top-ups (R9b).
    UsageBilled(UsageBilled) = "outflow.usage.billed.v1",
    /// A master gave money to a member (R5).
    AllocationGranted(AllocationGranted) = "outflow.allocation.granted.v1",
    /// An allocation was invoiced, or isn't any more (R5).
    AllocationInvoiced(AllocationInvoiced) = "outflow.allocation.invoiced.v1",
    /// A master took an allocation back (R5).
    AllocationReclaimed(AllocationReclaimed) = "outflow.allocation.reclaimed.v1",
}

/// Reads a message of the queue of facts.
///
/// # Errors
/// A [`Problem`] that names the field and the rule.
pub fn parse_fact(body: &[u8]) -> Result<Envelope<Fact>, Problem> {
    let envelope = super::envelope::open(body)?;
    let kind = envelope.kind.clone();
    let unknown = || Problem::malformed(Code::UnknownType, "/type", "is not a fact of the contract");
    envelope.try_map(|data| Fact::read(&kind, &data).unwrap_or_else(|| Err(unknown())))
}
