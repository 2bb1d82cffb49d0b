//! What the payout worker hands to a channel: one attempt at moving money.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use domain::Money;
use secrecy::SecretString;

/// One payment in CNY under one number.
///
/// Every field is part of the identity that channels compare on a repeat, so an
/// order is built from stored facts and is the same at every attempt.
#[derive(Debug, Clone)]
pub struct Order {
    /// Our number at every channel: 8 to 32 characters `[0-9A-Za-z]`. One number
    /// is one movement of money, for ever.
    pub payout_no: String,
    /// How much, in fen. More than nothing.
    pub amount: Money,
    /// When the number was minted. `UnionPay` takes it as `txnTime` and the bank as
    /// the creation time of the file; both compare it on a repeat.
    pub minted_at: DateTime<Utc>,
    /// The paid order that a wallet refunds (R6). Only the bank does without.
    pub source: Option<SourceTrade>,
    /// The account that the bank credits. Only the bank needs it.
    pub payee: Option<Payee>,
    /// The day on which the bank is to execute, in Beijing.
    pub execute_on: NaiveDate,
    /// A few words for the payee. Cut to what the channel takes.
    pub reason: String,
}

/// The top-up as its channel knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTrade {
    /// The channel's number: Alipay `trade_no`, `WeChat` `transaction_id`,
    /// `UnionPay` `queryId` of the purchase.
    pub trade_no: String,
    /// The merchant's number of the top-up, where it is known.
    pub out_trade_no: Option<String>,
    /// The whole amount of the top-up, in fen. `WeChat` compares it.
    pub total: Money,
}

/// A bank account and who holds it.
#[derive(Clone)]
pub struct Payee {
    /// The registered name, which banks compare with the account.
    pub holder: String,
    /// The account or card number.
    pub number: SecretString,
    /// The bank's name. Not sent; the CNAPS code names the bank.
    pub bank_name: String,
    /// The branch's name. Not sent.
    pub branch: String,
    /// The 12-digit CNAPS code (联行号) of the branch.
    pub cnaps: String,
}

impl fmt::Debug for Payee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payee")
            .field("bank_name", &self.bank_name)
            .field("cnaps", &self.cnaps)
            .finish_non_exhaustive()
    }
}

/// Why an order cannot even be written down for a channel. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The number is not 8 to 32 characters `[0-9A-Za-z]`.
    #[error("payout number is not 8 to 32 characters [0-9A-Za-z]")]
    PayoutNo,
    /// The amount is not more than nothing.
    #[error("amount is not positive")]
    Amount,
    /// A wallet refund without the order that it refunds.
    #[error("source trade is missing")]
    Source,
    /// A bank transfer without an account.
    #[error("payee is missing")]
    Payee,
    /// The branch code is not 12 digits.
    #[error("CNAPS code is not 12 digits")]
    Cnaps,
    /// The account number is not 1 to 34 characters `[0-9A-Za-z]`.
    #[error("account number is not 1 to 34 characters [0-9A-Za-z]")]
    AccountNumber,
    /// The holder's name is not 1 to 140 characters, or has control characters.
    #[error("holder is not 1 to 140 printable characters")]
    Holder,
}

impl Order {
    /// The rules that hold for every channel.
    ///
    /// # Errors
    /// [`Incomplete`] names the first rule that is broken.
    pub(crate) fn check(&self) -> Result<(), Incomplete> {
        let alphanumeric = self.payout_no.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !alphanumeric || !(8..=32).contains(&self.payout_no.len()) {
            return Err(Incomplete::PayoutNo);
        }
        if self.amount.is_positive() { Ok(()) } else { Err(Incomplete::Amount) }
    }

    /// The order that is refunded, after [`Order::check`].
    ///
    /// # Errors
    /// [`Incomplete`], also when there is no source trade.
    pub(crate) fn refundable(&self) -> Result<&SourceTrade, Incomplete> {
        self.check()?;
        self.source.as_ref().ok_or(Incomplete::Source)
    }
}

/// The longest beginning of `text` that fits `bytes_max` bytes of UTF-8.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};
    use domain::Money;
    use secrecy::SecretString;

    use super::{Incomplete, Order, Payee, cut};

    fn order(payout_no: &str, fen: i64) -> Order {
        Order {
            payout_no: payout_no.to_owned(),
            amount: Money::from_minor(fen),
            minted_at: DateTime::UNIX_EPOCH,
            source: None,
            payee: None,
            execute_on: NaiveDate::MIN,
            reason: String::new(),
        }
    }

    #[test]
    fn numbers_that_some_channel_would_refuse_never_leave() {
        let longest = "a".repeat(32);
        let too_long = "a".repeat(33);
        for (payout_no, fen, expected) in [
            ("WD202611", 1, Ok(())),
            (longest.as_str(), 1, Ok(())),
            (too_long.as_str(), 1, Err(Incomplete::PayoutNo)),
            ("WD20261", 1, Err(Incomplete::PayoutNo)),
            ("WD20261123-1", 1, Err(Incomplete::PayoutNo)),
            ("WD20261123_1", 1, Err(Incomplete::PayoutNo)),
            ("WD20261123提", 1, Err(Incomplete::PayoutNo)),
            ("WD202611", 0, Err(Incomplete::Amount)),
            ("WD202611", -1, Err(Incomplete::Amount)),
        ] {
            assert_eq!(order(payout_no, fen).check(), expected, "{payout_no} {fen}");
        }
        assert_eq!(order("WD202611", 1).refundable(), Err(Incomplete::Source));
    }

    #[test]
    fn debug_output_has_neither_account_number_nor_name() {
        let payee = Payee {
            holder: "张三".to_owned(),
            number: SecretString::from("6217000000000000000"),
            bank_name: "CCB".to_owned(),
            branch: "Wuhan".to_owned(),
            cnaps: "105100000017".to_owned(),
        };
        let text = format!("{:?}", Order { payee: Some(payee), ..order("WD202611", 1) });
        assert!(!text.contains("6217000000000000000") && !text.contains("张三"), "{text}");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, bytes_max, expected) in
            [("提现", 6, "提现"), ("提现", 5, "提"), ("提现", 2, ""), ("ab", 9, "ab")]
        {
            assert_eq!(cut(text, bytes_max), expected, "{text} {bytes_max}");
        }
    }
}
