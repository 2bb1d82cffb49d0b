//! Money as whole minor units, and the one grammar in which it is written.
//!
//! Inside the product an amount is an integer number of minor units (fen for
//! CNY), so that sums are exact and the database can index and check them. On
//! the wire it is a decimal string. This file is the only bridge between both.

use std::fmt;
use std::iter::Sum;

use rust_decimal::Decimal;
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

/// A currency whose amounts the product can hold. The text is its ISO 4217 code.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Currency {
    /// Renminbi, two decimals (fen). The only currency that the four channels pay.
    Cny,
    /// US dollar, two decimals.
    Usd,
    /// Hong Kong dollar, two decimals.
    Hkd,
    /// Euro, two decimals.
    Eur,
    /// Yen, no decimals.
    Jpy,
}

impl Currency {
    /// Decimals of one unit: 2 for CNY, 0 for JPY (R16).
    #[must_use]
    pub const fn exponent(self) -> u32 {
        match self {
            Self::Cny | Self::Usd | Self::Hkd | Self::Eur => 2,
            Self::Jpy => 0,
        }
    }
}

/// An amount in minor units of its account's currency (fen for CNY).
///
/// It may be negative while a difference is being formed; what is stored or
/// sent never is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Money(i64);

/// Why a text is not an amount (R16).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMoney {
    /// Signs, exponents, separators, spaces, leading zeros or no digit at all.
    #[error("must be digits with an optional decimal part, such as \"100.00\"")]
    Grammar,
    /// More decimals than the currency has. Nothing is rounded.
    #[error("has more than {0} decimals")]
    Scale(u32),
    /// More than thirteen digits before the point.
    #[error("has more than 13 digits before the decimal point")]
    TooLarge,
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of `minor` units.
    #[must_use]
    pub const fn from_minor(minor: i64) -> Self {
        Self(minor)
    }

    /// The number of minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// Reads a wire amount: `^(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?$` for CNY.
    ///
    /// # Errors
    /// [`NotMoney`] names what is wrong. Nothing is rounded (R16).
    ///
    /// # Panics
    /// Never: at most fifteen digits fit an `i64`.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, NotMoney> {
        let (whole, fraction) = match text.split_once('.') {
            Some((_, "")) => return Err(NotMoney::Grammar),
            Some((whole, fraction)) => (whole, fraction),
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !digits(whole) || !digits(fraction) {
            return Err(NotMoney::Grammar);
        }
        if whole.len() > 13 {
            return Err(NotMoney::TooLarge);
        }
        let exponent = currency.exponent() as usize;
        if fraction.len() > exponent {
            return Err(NotMoney::Scale(currency.exponent()));
        }
        let minor = format!("{whole}{fraction:0<exponent$}");
        Ok(Self(minor.parse().expect("at most 15 digits fit an i64")))
    }

    /// The wire text, always with all decimals of the currency: `100.00`.
    #[must_use]
    pub fn to_text(self, currency: Currency) -> String {
        Decimal::new(self.0, currency.exponent()).to_string()
    }

    /// The sum, or nothing when it leaves the range of an `i64`.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// What is left after `other` is taken away. May be negative.
    #[must_use]
    pub fn less(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// This amount, but not below nothing.
    #[must_use]
    pub fn at_least_zero(self) -> Self {
        self.max(Self::ZERO)
    }

    /// More than nothing.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Sum for Money {
    /// # Panics
    /// When the sum leaves the range of an `i64`, which stored amounts of at
    /// most thirteen digits before the point cannot reach by the millions.
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, amount| sum.plus(amount).expect("a sum of stored amounts fits an i64"))
    }
}

impl fmt::Display for Money {
    /// The bare number of minor units; for people use [`Money::to_text`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} minor units", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Currency, Money, NotMoney};

    #[test]
    fn r16_amounts_are_strict_decimal_strings() {
        use NotMoney::{Grammar, Scale, TooLarge};
        for (text, expected) in [
            ("0.01", Ok(1)),
            ("100", Ok(10_000)),
            ("100.5", Ok(10_050)),
            ("9999999999999.99", Ok(999_999_999_999_999)),
            ("0", Ok(0)),
            ("00.01", Err(Grammar)),
            ("01", Err(Grammar)),
            ("1_000", Err(Grammar)),
            ("1e3", Err(Grammar)),
            ("+1", Err(Grammar)),
            ("-1", Err(Grammar)),
            (" 1", Err(Grammar)),
            ("1.", Err(Grammar)),
            (".5", Err(Grammar)),
            ("", Err(Grammar)),
            ("１", Err(Grammar)),
            ("NaN", Err(Grammar)),
            ("1.001", Err(Scale(2))),
            ("10000000000000", Err(TooLarge)),
        ] {
            let actual = Money::parse(text, Currency::Cny).map(Money::minor);
            assert_eq!(actual, expected, "{text:?}");
        }
    }

    #[test]
    fn r16_a_currency_without_decimals_takes_none() {
        assert_eq!(Money::parse("7", Currency::Jpy), Ok(Money::from_minor(7)));
        assert_eq!(Money::parse("7.0", Currency::Jpy), Err(NotMoney::Scale(0)));
    }

    #[test]
    fn an_amount_reads_back_as_it_was_written() {
        for text in ["0.01", "0.10", "100.00", "9999999999999.99"] {
            let amount = Money::parse(text, Currency::Cny).expect("an amount of the table");
            assert_eq!(amount.to_text(Currency::Cny), text);
        }
    }
}
