//! What a caller chooses before the simulator starts.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::clock::SimClock;
use crate::signature::Signing;

/// Everything that is chosen at the start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The key folder; filled when it has no `settings.json`.
    pub keys_dir: PathBuf,
    /// The book; created when missing, continued when present.
    pub book_path: PathBuf,
    /// Whose time it is.
    pub clock: SimClock,
    /// Deviations from the real gateways.
    pub switches: Switches,
    /// Where notices go whose address is not part of a request.
    pub callbacks: Callbacks,
    /// A scenario in TOML, loaded at the start.
    pub scenario: Option<String>,
}

/// Addresses of the merchant, for notices whose address is not in a request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callbacks {
    /// For Alipay trades that were registered without a `notify_url`.
    #[serde(default)]
    pub alipay: Option<String>,
    /// For camt.054.
    #[serde(default)]
    pub bank: Option<String>,
}

/// Whether notices are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notices {
    /// On each channel's schedule.
    #[default]
    On,
    /// Never, for benchmarks.
    Off,
}

/// Deviations from the real gateways. The default is none.
#[derive(Debug, Clone, Default)]
pub struct Switches {
    /// For benchmarks only.
    pub signing: Signing,
    /// Rate and count limits of the channels.
    pub limits: Limits,
    /// Whether notices are sent.
    pub notices: Notices,
    /// Since when a day's statement can be had.
    pub statements: Statements,
    /// Whether `WeChat Pay` hands out platform certificates.
    pub certificates: Certificates,
    /// Channels that pay again when a number is repeated: the negative control
    /// for tests that look for double payments.
    pub no_dedup: Vec<Channel>,
}

/// Since when a day's statement can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statements {
    /// At once, also for the running day: what tests want.
    #[default]
    AtOnce,
    /// From ten o'clock of the next day, as in production.
    NextDay,
}

/// Whether `WeChat Pay` hands out platform certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Certificates {
    /// As to merchants who verify by certificate, or change from it.
    #[default]
    HandedOut,
    /// Never, as to merchants who have only ever had the public key: 404.
    None,
}

/// Whether a channel recognises a repeated number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dedup {
    On,
    Off,
}

/// Whether the channels' own rate and count limits are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Limits {
    /// As documented by each channel, by the simulator's clock.
    #[default]
    Real,
    /// None, for benchmarks.
    Off,
}

impl Options {
    /// Options for a simulator on a free loopback port with everything else as
    /// in production.
    #[must_use]
    pub fn on_loopback(keys_dir: PathBuf, book_path: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            keys_dir,
            book_path,
            clock: SimClock::Real,
            switches: Switches::default(),
            callbacks: Callbacks::default(),
            scenario: None,
        }
    }
}

impl Switches {
    pub(crate) fn dedup(&self, channel: Channel) -> Dedup {
        if self.no_dedup.contains(&channel) { Dedup::Off } else { Dedup::On }
    }
}
