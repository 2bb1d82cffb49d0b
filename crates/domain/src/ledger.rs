//! What account facts do to the money of an account.
//!
//! ```text
//! credited ─▶ remaining ─ billed  ─▶ consumed      oldest slices first (R9b)
//!                 ▲   └─ granted ─▶ allocated     newest slices first (R5)
//!                 └──── reclaimed ─────┘          back into the same slices
//! ```
//!
//! [`Book`] is what is known of one account, or the part of it that the facts at
//! hand can touch. [`Book::apply`] is the only rule that changes it: the whole
//! fact or nothing of it. Withdrawals move money too, under the same lock; they
//! are not facts and are decided elsewhere.

mod allocation;
mod book;
mod draw;
mod fact;
mod invoice;
mod refusal;

pub use allocation::{Allocation, Share};
pub use book::{Balance, Book, Flow, Move, Slice};
pub use fact::{AccountKind, Credit, Fact, InvoiceStep, Part, Profile, Sum};
pub use invoice::Invoice;
pub use refusal::Refusal;
