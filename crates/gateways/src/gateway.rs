//! A channel, as the payout worker sees it.

use futures::future::BoxFuture;

use crate::order::Order;
use crate::outcome::{Finding, Outcome};
use crate::schedule::Traits;

/// A channel that pays orders.
///
/// Both calls end within the total time limit of the channel's settings. Neither
/// returns an `Err`: an error here is a doubt about money, and the answer types
/// have a name for doubt.
pub trait Gateway: Send + Sync {
    /// Asks for the payment, once.
    ///
    /// Whether the call may be repeated for the same order is [`Traits::resend`].
    /// The order must be the same to the last character: channels refuse a known
    /// number with other contents.
    fn pay<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Outcome>;

    /// Asks what became of the order, by our own exact number.
    fn find<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Finding>;

    /// What the channel promises about repeats and queries.
    fn traits(&self) -> &Traits;
}
