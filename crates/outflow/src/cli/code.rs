//! `outflow code`, as it is parsed.

use broker::contract::{Identifier, MessageId};
use clap::{Args, Subcommand};
use domain::{Currency, Route};
use uuid::Uuid;

use super::word;

/// `outflow code`
#[derive(Debug, Subcommand)]
pub(crate) enum Code {
    /// Issues a code and hands it to whoever delivers it; with the profile `dev`, shows it
    Issue(IssueCode),
    /// Checks a code that stands on stdin, and prints the token for the request
    Confirm {
        /// The code's number
        #[arg(value_parser = super::number)]
        id: Uuid,
    },
}

/// `outflow code issue`
#[derive(Debug, Args)]
pub(crate) struct IssueCode {
    /// Whose money
    #[arg(long)]
    pub(crate) account: Identifier,
    /// How much will be asked for, such as 88.80
    #[arg(long)]
    pub(crate) amount: String,
    /// In which currency
    #[arg(long, default_value = "CNY", value_parser = word::<Currency>)]
    pub(crate) currency: Currency,
    /// By which route: source or bank-card
    #[arg(long, value_parser = word::<Route>)]
    pub(crate) route: Route,
    /// The id that the request will have
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: MessageId,
}
