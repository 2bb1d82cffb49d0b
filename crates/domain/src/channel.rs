//! How money came in, and how it goes out.

use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// How a top-up arrived.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Channel {
    /// Online payment by Alipay.
    Alipay,
    /// Online payment by WeChat Pay.
    #[strum(serialize = "wechat")]
    WeChat,
    /// UnionPay e-banking of a person.
    #[strum(serialize = "unionpay_personal")]
    UnionPayPersonal,
    /// UnionPay e-banking of an enterprise.
    #[strum(serialize = "unionpay_enterprise")]
    UnionPayEnterprise,
    /// Bank transfer to a dedicated account or the general remittance account.
    BankTransfer,
}

/// The way in which a withdrawal leaves, chosen by the customer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Route {
    /// "Withdraw to Source Account": wallets, UnionPay and source bank accounts.
    Source,
    /// "Withdraw to Bank Card": a card named in the request.
    BankCard,
}

/// Who carries a payout. Each has one queue and one gateway adapter.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Rail {
    /// Alipay refund to the paying wallet, realtime.
    Alipay,
    /// WeChat Pay refund to the paying wallet, realtime.
    #[strum(serialize = "wechat")]
    WeChat,
    /// UnionPay refund to the paying account, realtime.
    #[strum(serialize = "unionpay")]
    UnionPay,
    /// Bank transfer, within seven working days (R7).
    Bank,
}

impl Channel {
    /// Who pays a top-up of this channel back by `route`.
    ///
    /// Source, R8: "Top-up amounts through bank transfer (using a dedicated bank
    /// transfer account or general remittance account) can be withdrawn to the
    /// source bank account within seven working days."
    #[must_use]
    pub const fn rail(self, route: Route) -> Rail {
        match (route, self) {
            (Route::BankCard, _) | (_, Self::BankTransfer) => Rail::Bank,
            (Route::Source, Self::Alipay) => Rail::Alipay,
            (Route::Source, Self::WeChat) => Rail::WeChat,
            (Route::Source, Self::UnionPayPersonal | Self::UnionPayEnterprise) => Rail::UnionPay,
        }
    }
}

impl Rail {
    /// Paid at once after approval (R7), as against the next bank cut-off.
    #[must_use]
    pub const fn is_realtime(self) -> bool {
        !matches!(self, Self::Bank)
    }
}
