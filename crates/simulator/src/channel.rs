//! The four channels by name.

use serde::{Deserialize, Serialize};

/// A payment channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Alipay Open Platform.
    Alipay,
    /// `WeChat Pay` API v3.
    Wechat,
    /// `UnionPay` ACP 5.1.0.
    Unionpay,
    /// ISO 20022 over HTTP.
    Bank,
}

impl Channel {
    /// Every channel, in the order in which reports list them.
    pub const ALL: [Self; 4] = [Self::Alipay, Self::Wechat, Self::Unionpay, Self::Bank];

    /// The lower-case name of the control interface.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alipay => "alipay",
            Self::Wechat => "wechat",
            Self::Unionpay => "unionpay",
            Self::Bank => "bank",
        }
    }
}
