//! `outflow resolve`, as it is parsed.

use broker::contract::{Actor, Reason};
use clap::{Args, ValueEnum};
use uuid::Uuid;

/// `outflow resolve`
#[derive(Debug, Args)]
pub(crate) struct ResolveLeg {
    /// The leg's number, as `show` names it
    #[arg(value_parser = super::number)]
    pub(crate) leg: Uuid,
    /// What became of the payment
    #[arg(long = "as", value_enum, value_name = "OUTCOME")]
    pub(crate) outcome: Outcome,
    /// How you know: a line of a statement, the provider's written word
    #[arg(long, value_name = "TEXT")]
    pub(crate) evidence: Reason,
    /// Who you are
    #[arg(long, env = "OUTFLOW_ACTOR", value_name = "NAME")]
    pub(crate) by: Actor,
}

/// What became of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outcome {
    /// The money left
    Paid,
    /// It did not leave, and will not
    NotPaid,
}
