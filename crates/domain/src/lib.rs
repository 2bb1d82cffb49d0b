//! The rules of withdrawing money, and nothing else.
//!
//! Everything here is a plain function of its arguments: no clock, no database,
//! no network, no randomness. A caller brings the facts (top-ups, invoices,
//! today's date) and gets a decision back. That is why the rules can be read
//! next to the source document, tested as tables, and replayed.

mod channel;
mod leg;
mod money;
mod withdrawal;

pub use channel::{Channel, Rail, Route};
pub use leg::{LegEvent, LegRefused, LegState};
pub use money::{Currency, Money, NotMoney};
pub use withdrawal::{WithdrawalEvent, WithdrawalRefused, WithdrawalState, state_of_legs};
