//! A channel's own book of one day, read into rows that carry our numbers.
//!
//! The parsers are strict: a row that cannot be read, a total that does not add up
//! or a balance that does not chain refuses the whole statement, because a
//! reconciliation over part of a day proves nothing.

mod alipay;
mod bank;
mod download;
mod unionpay;
mod wechat;

use std::io::Read;

use chrono::{DateTime, Utc};
use domain::{Currency, Money};

pub use alipay::read as read_alipay;
pub use bank::read as read_bank;
pub use unionpay::read as read_unionpay;
pub use wechat::read as read_wechat;

use crate::doubt::Doubt;

/// Bytes of an unpacked statement that are read.
pub(crate) const STATEMENT_MAX: u64 = 64 << 20;

/// One day of one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// The rows that carry a payout number, in the channel's order.
    pub rows: Vec<Row>,
    /// The account's balances; the bank alone has them.
    pub balances: Option<Balances>,
}

/// One movement of one payout number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Our number.
    pub payout_no: String,
    /// The channel's number of the movement.
    pub reference: String,
    /// Always positive.
    pub amount: Money,
    /// Which way it went.
    pub movement: Movement,
    /// The refunded trade; empty at the bank.
    pub trade_no: String,
    /// When, where the row says so with its year.
    pub at: Option<DateTime<Utc>>,
}

/// What a row says of its money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// It left.
    Out,
    /// It came back.
    Back,
    /// It had not left when the statement was made; statements are not updated.
    Unfinished,
    /// It did not leave.
    Refused,
}

/// Opening and closing balance of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balances {
    /// `OPBD`. The closing balance of the day before.
    pub opening: Money,
    /// `CLBD`.
    pub closing: Money,
}

/// Why there is no statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The channel is still making it: ask again in half an hour.
    #[error("the statement is not ready yet")]
    NotReady,
    /// The channel could not be asked, or its answer cannot be trusted.
    #[error("{code}: {detail}")]
    Channel {
        /// The channel's code, or one of ours in lower case.
        code: String,
        /// For people.
        detail: String,
    },
    /// The file is not what the channel documents.
    #[error("unreadable statement: {0}")]
    Unreadable(String),
}

impl StatementError {
    pub(crate) fn unreadable(what: impl Into<String>) -> Self {
        Self::Unreadable(what.into())
    }
}

impl From<Doubt> for StatementError {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::NotSent(detail) => Self::Channel { code: "not_connected".to_owned(), detail },
            Doubt::Unknown { code, detail } => Self::Channel { code, detail },
        }
    }
}

/// Reads to the end, but not for ever.
pub(crate) fn unpack(packed: impl Read) -> Result<Vec<u8>, StatementError> {
    let mut bytes = Vec::new();
    packed
        .take(STATEMENT_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| StatementError::unreadable("it does not unpack"))?;
    if bytes.len() as u64 > STATEMENT_MAX {
        return Err(StatementError::unreadable("it is longer than 64 MiB"));
    }
    Ok(bytes)
}

/// An exact positive amount in yuan.
pub(crate) fn yuan(text: &str) -> Result<Money, StatementError> {
    Money::parse(text, Currency::Cny).map_err(|why| StatementError::unreadable(format!("an amount {why}")))
}

/// The position of a named column.
pub(crate) fn column(header: &[&str], name: &str) -> Result<usize, StatementError> {
    let position = header.iter().position(|column| *column == name);
    position.ok_or_else(|| StatementError::unreadable(format!("there is no column {name}")))
}

/// The members of a ZIP whose name passes, unpacked.
pub(crate) fn members(zip: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<Vec<u8>>, StatementError> {
    let broken = |_| StatementError::unreadable("it is not a ZIP");
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).map_err(broken)?;
    let mut contents = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index(index).map_err(broken)?;
        if wanted(member.name_raw()) {
            contents.push(unpack(member)?);
        }
    }
    Ok(contents)
}
