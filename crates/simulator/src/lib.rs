//! The world outside: four payment gateways with their own book, faults on demand.
//!
//! Alipay Open Platform, `WeChat Pay` API v3, `UnionPay` ACP 5.1.0 and a bank that
//! speaks ISO 20022 share one base URL. Each verifies its callers' signatures
//! and signs its answers exactly as the real one does, so that an adapter or an
//! SDK that works here works there after a change of address and keys. It has no
//! type or code in common with the product's adapters: two sides of a wire that
//! share a type share its mistakes.
//!
//! ```text
//! server ─▶ alipay │ wechat │ unionpay │ bank ─▶ behaviour (magic accounts)
//!                                       │            │ what happens, what is said
//!                                       └──▶ book ◀──┘ trades, orders, movements
//! ```

mod alipay;
mod bank;
mod behaviour;
mod book;
mod channel;
mod clock;
mod control;
mod delivery;
#[cfg(test)]
mod fixtures;
mod json_text;
mod keys;
mod magic;
mod money;
mod nonce;
mod options;
mod postman;
mod requests;
mod scenario;
mod server;
mod signature;
mod statement;
mod unionpay;
mod wechat;
mod workdays;
mod world;
mod zip;

pub use book::{BookError, BookReport, ChannelTotals, MovementLine, Trade};
pub use channel::Channel;
pub use clock::{NotMovable, SimClock};
pub use keys::{AlipaySettings, BankSettings, Keys, KeysError, Settings, UnionPaySettings, WechatSettings};
pub use options::{Callbacks, Certificates, Limits, Notices, Options, Statements, Switches};
pub use scenario::{ScenarioError, clock_of};
pub use server::{Running, Simulator, StartError};
pub use signature::Signing;
