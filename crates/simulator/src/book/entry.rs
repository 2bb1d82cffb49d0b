//! The lines of the book.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::behaviour::Aftermath;
use crate::channel::Channel;

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub(crate) enum Entry {
    /// A paid order of the past that may be refunded.
    Trade(Trade),
    /// An order to move money was taken on (or refused for good).
    Order(NewOrder),
    /// Money moved.
    Movement(Movement),
    /// An order that was taken on failed later, without money moving.
    Failed {
        /// Key of the order.
        key: String,
        /// The channel's code.
        code: String,
        /// Unix milliseconds.
        at_ms: i64,
    },
    /// A call was made whose fault depends on how often it was made.
    Attempt {
        /// Channel and number.
        key: String,
    },
    /// A pain.001 message was accepted.
    BankMessage(BankMessage),
    /// News of an order was told to its end: taken, or given up.
    Told {
        /// Number of the news among all of the book.
        sequence: u64,
    },
    /// A status query was counted against the channel's limit.
    Query {
        /// Key of the order.
        key: String,
    },
}

/// A paid order, as `POST /_sim/trades` registers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trade {
    /// The channel through which the money came.
    pub channel: Channel,
    /// The channel's number: Alipay `trade_no`, `WeChat` `transaction_id`,
    /// `UnionPay` `queryId`.
    pub trade_no: String,
    /// The merchant's number.
    pub out_trade_no: String,
    /// What was paid, in fen.
    pub total_fen: i64,
    /// When it was paid, RFC 3339. Without it: when it was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<String>,
    /// Who paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_name: Option<String>,
    /// Where the channel's notices about this trade go (Alipay sends refund
    /// notices to the address of the original payment).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
}

/// An order to move money out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewOrder {
    /// The channel's identity of the order; see [`super::Ledger::order`].
    pub(crate) key: String,
    pub(crate) channel: Channel,
    /// The merchant's payout number.
    pub(crate) number: String,
    /// The refunded trade; empty at the bank.
    pub(crate) trade_no: String,
    /// Whose account is credited: the trade number, or the bank account.
    pub(crate) payee: String,
    pub(crate) amount_fen: i64,
    /// The channel's own number of the order.
    pub(crate) reference: String,
    pub(crate) created_ms: i64,
    /// When the money is to move; `None` when it never will, or only by a turn.
    pub(crate) due_ms: Option<i64>,
    /// What happens by itself afterwards.
    #[serde(default, skip_serializing_if = "Aftermath::is_plain")]
    pub(crate) aftermath: Aftermath,
    /// The code with which the order was refused, and its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<(String, String)>,
    /// Where notices of this order go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notify_url: Option<String>,
    /// What the channel must echo.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) echo: BTreeMap<String, String>,
}

/// Whether money left or came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Payout,
    Return,
}

/// One movement of money.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Movement {
    pub(crate) key: String,
    pub(crate) channel: Channel,
    pub(crate) number: String,
    pub(crate) trade_no: String,
    pub(crate) amount_fen: i64,
    pub(crate) at_ms: i64,
    pub(crate) kind: Kind,
    /// Why it came back, in the bank's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// An accepted pain.001: its identity, its bytes' fingerprint, its orders.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BankMessage {
    pub(crate) msg_id: String,
    pub(crate) sha256: String,
    pub(crate) at_ms: i64,
    pub(crate) control_sum_fen: i64,
    /// Number of this message among all, for the numbers of its reports.
    pub(crate) sequence: u64,
    /// Payment information ids with the orders below each.
    pub(crate) batches: Vec<BankBatch>,
}

/// One `PmtInf` of an accepted message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BankBatch {
    pub(crate) pmt_inf_id: String,
    /// In the message's order.
    pub(crate) lines: Vec<BankLine>,
}

/// One transfer of an accepted message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BankLine {
    pub(crate) instr_id: String,
    pub(crate) end_to_end_id: String,
    /// The order that carries the state, unless the line was refused.
    pub(crate) order_key: Option<String>,
    /// Code and text of the refusal. It stays with this line even when the
    /// transfer is sent again in another file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<(String, String)>,
}
