//! The message contract, version 1: `CloudEvents` 1.0 as structured JSON.
//!
//! A body is read in three steps, and the first that fails says why as a
//! [`Problem`] with a JSON pointer: `strict` (size, depth, equal keys, control
//! characters), `typed` (fields and their grammar), and the checks between
//! fields. What comes out needs no further validation of its form.
//!
//! The JSON Schemas in `schemas/` are generated from these types.

mod account;
mod amount;
mod answer;
mod asyncapi;
mod attention;
mod bank_account;
mod details;
mod digest;
mod envelope;
mod explain;
mod fact;
mod fields;
mod ledger;
mod nudge;
mod problem;
mod request;
mod resolution;
mod schema;
mod status;
mod strict;
mod text;
mod trace;
mod typed;
mod word;

pub use account::{AccountKind, AccountUpserted, PartnerMode, TopUpBonusChanged, TopUpCredited};
pub use amount::Amount;
pub use answer::{CodeIssued, MessageRef, MessageRefused};
pub use asyncapi::asyncapi;
pub use attention::{ApprovalDemand, ApprovalRequired, DeadlineAlert, Lateness, WaitEnding};
pub use bank_account::{BankAccount, PartialBankAccount, parse_bank_account};
pub use details::{Instruction, WithdrawalDetails, parse_instruction};
pub use digest::{canonical_digest, differing_fields};
pub use envelope::{CONTENT_TYPE, Envelope, Stamp};
pub use explain::explanations;
pub use fact::{Fact, parse_fact};
pub use ledger::{
    AllocationGranted, AllocationInvoiced, AllocationReclaimed, Invoice, Slice, UsageBilled, UsageUnbilled,
};
pub use nudge::{NUDGE_ROWS, nudge, parse_nudge};
pub use problem::{Code, Problem};
pub use request::{Decision, Transactions, WithdrawalDecided, WithdrawalRequested, parse_request};
pub use resolution::{Fate, LegResolved};
pub use schema::schemas;
pub use status::{
    Event, LegStatus, OWN_SOURCE, RequestRef, RequestRepeated, StatusChanged, Verdict, parse_event,
};
pub use text::{
    AccountNumber, Actor, Attribute, Cnaps, EffectDigest, Identifier, MessageId, Name, NotAllowed, Reason,
    SealedCode, Source, SpecVersion, Token, TradeNo,
};
pub use trace::{NotATraceParent, TRACEPARENT, TraceParent};

/// The longest body that is read: 64 KiB.
pub const BODY_LIMIT_BYTES: usize = 64 * 1024;

/// The most levels of objects and lists in a body.
pub const DEPTH_LIMIT: usize = 32;
