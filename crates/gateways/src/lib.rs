//! Alipay, `WeChat Pay`, `UnionPay`, a bank: an order in, an outcome out.
//!
//! Each adapter speaks the real wire of its channel, so production differs from
//! a bench by address and keys alone. The payout worker sees one trait:
//!
//! ```text
//! Order ─▶ pay ──▶ Outcome   certain (paid, refused) or not (pending, unknown)
//!      └─▶ find ─▶ Finding   what the channel says about our own number
//! notice: what a channel sends us ─▶ Notice     statement: its day's book ─▶ Row
//! ```
//!
//! One rule stands over all others: only a documented code in an answer whose
//! signature holds may say that money did not move. Everything else is
//! [`Outcome::Unknown`], and [`Gateway::find`] decides.

mod alipay;
mod bank;
mod certificate;
mod doubt;
mod explain;
#[cfg(test)]
mod fixtures;
mod gateway;
mod gateways;
mod key_folder;
mod notice;
mod order;
mod outcome;
#[cfg(test)]
mod recorded;
mod rsa;
mod schedule;
mod settings;
mod statement;
mod trace;
mod unionpay;
mod wechat;
mod wire;

pub use alipay::Alipay;
pub use bank::{Bank, Receipt, TransferFile};
pub use explain::{ChannelCode, channel_codes, explanations};
pub use gateway::Gateway;
pub use gateways::Gateways;
pub use key_folder::SettingsError;
pub use notice::{Claim, Notice, NoticeRefused, Stated};
pub use order::{Incomplete, Order, Payee, SourceTrade};
pub use outcome::{Finding, Outcome, Refusal};
pub use rsa::{BadKey, Signing};
pub use schedule::{QuerySchedule, Resend, Traits};
pub use settings::{
    AlipaySettings, AlipayTrust, BankSettings, GatewaySettings, UnionPaySettings, UnionPaySigner, UnixClock,
    WeChatSettings, WeChatTrust, real_clock,
};
pub use statement::{
    Balances, Movement, Row, Statement, StatementError, read_alipay, read_bank, read_unionpay, read_wechat,
};
pub use trace::traced;
pub use unionpay::UnionPay;
pub use wechat::WeChat;
pub use wire::{Limits, NoClient};
