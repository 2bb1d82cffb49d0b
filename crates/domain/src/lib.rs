//! The rules of withdrawing money, and nothing else.
//!
//! Everything here is a plain function of its arguments: no clock, no database,
//! no network, no randomness. A caller brings the facts (top-ups, invoices,
//! today's date) and gets a decision back. That is why the rules can be read
//! next to the source document, tested as tables, and replayed.

mod allocation;
mod approval;
mod book;
mod calendar;
mod channel;
mod channel_control;
mod circuit;
mod decision;
mod details;
mod dispatch;
mod eligibility;
mod explanation;
pub mod ledger;
mod leg;
mod money;
mod names;
mod obstacle;
mod policy;
mod quote;
mod reason;
mod route;
mod withdrawal;

pub use allocation::{Draw, Part};
pub use approval::{
    AmountRule, ApprovalRule, ApprovalRules, Asked, Band, Demand, Pace, Velocity, demands, people_needed,
};
pub use book::{Age, Book, Reach};
pub use calendar::{
    BANK_DAYS, Calendar, Counted, CutOff, NotACalendar, date_in_shanghai, end_of_day, in_shanghai,
};
pub use channel::{Channel, Rail, Route};
pub use channel_control::{ChannelControl, ChannelControls, Pace as SendPace, RetryBudget};
pub use circuit::{Admission, Caller, Circuit, CircuitRule, CircuitState, FailureShare, Health, Tally};
pub use decision::{Accepted, Account, Card, Decision, Detail, Proof, Request, Selection, decide};
pub use details::judge_details;
pub use dispatch::{ChannelLimits, Payment, RouteClosed, route_closed};
pub use eligibility::{Exclusion, Slice};
pub use explanation::{About, Explanation, Row, explanations};
pub use leg::{LegEvent, LegRefused, LegState};
pub use money::{Currency, Money, NotMoney};
pub use names::{name_key, same_name};
pub use obstacle::{Obstacle, Standing, obstacle};
pub use policy::{Policy, VoluntaryBankCard};
pub use quote::{ExcludedSlice, HolderMaximum, Quote, RouteQuote, Terms, quote};
pub use reason::{ProofFault, Reason};
pub use route::{WindowMonths, Windows};
pub use withdrawal::{WithdrawalEvent, WithdrawalRefused, WithdrawalState, state_of_legs};
