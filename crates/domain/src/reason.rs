//! Every reason for which a request is refused, with a stable code.
//!
//! An upstream reads these as RFC 9457 problems. A refusal names all of them.

use std::collections::BTreeMap;

use crate::decision::Detail;
use crate::eligibility::Exclusion;
use crate::{Currency, Money, Terms};

/// What is wrong with the proof that the verification code was entered (R10).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, strum::Display, strum::IntoStaticStr, strum::EnumIter,
)]
#[strum(serialize_all = "snake_case")]
pub enum ProofFault {
    /// There is none.
    #[default]
    Missing,
    /// It has another form than a token's.
    Unreadable,
    /// It names a key that nobody holds here.
    UnknownKey,
    /// Its signature does not fit this account, amount, route and request.
    Mismatch,
    /// It was issued more than ten minutes before the request, or long after it.
    Expired,
}

/// Why a request is refused. The text form is the stable code.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr, strum::EnumIter, strum::VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// No fact has ever named the account.
    UnknownAccount,
    /// R16: the account holds another currency.
    CurrencyMismatch,
    /// R16: nothing, or less, was asked for.
    AmountNotPositive,
    /// R14: the account is not real-name verified.
    RealNameNotVerified,
    /// R2: tied to a partner in advance-payment mode.
    PartnerAdvancePayment,
    /// R15: the contract forbids refunds.
    RefundsForbidden,
    /// The account's facts contradict each other or are incomplete.
    AccountStopped,
    /// R15: too many withdrawals are open already.
    TooManyOpenWithdrawals {
        /// How many may be open.
        max: i32,
    },
    /// R10: the verification code was not entered.
    VerificationFailed {
        /// What is wrong with the proof.
        fault: ProofFault,
    },
    /// R1: more than cash less invoices, unbilled usage and holds.
    ExceedsWithdrawable {
        /// Every term.
        terms: Terms,
    },
    /// R6, R9: more than the eligible top-ups of the route hold.
    ExceedsRoute {
        /// What they hold.
        eligible: Money,
        /// What is excluded, by the code of the exclusion.
        excluded: BTreeMap<&'static str, Money>,
    },
    /// R9: the selected transactions hold less than the amount.
    SelectionTooSmall {
        /// What the eligible ones of them hold.
        eligible: Money,
    },
    /// R9: a selected transaction is none of the account's.
    TransactionUnknown {
        /// Its number.
        id: String,
        /// Its place in the request.
        place: usize,
    },
    /// R9: a selected transaction cannot leave by the route.
    TransactionIneligible {
        /// Its number.
        id: String,
        /// Its place in the request.
        place: usize,
        /// Why.
        because: Exclusion,
    },
    /// R12: one bank card cannot be in several names.
    SeveralHolders {
        /// The names.
        holders: Vec<String>,
    },
    /// R12: the bank card is in another name than it must be.
    HolderMismatch {
        /// The names in which it might be.
        holders: Vec<String>,
    },
    /// R8: money goes back to its source; a receiving account cannot be chosen.
    PayeeNotChosen,
    /// R11: bank details that came after the request lack what a bank needs.
    DetailsIncomplete {
        /// What is missing.
        missing: Vec<Detail>,
    },
}

impl Reason {
    /// The stable code, such as `exceeds_withdrawable`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// The code as a heading: the same words for every occurrence.
    #[must_use]
    pub fn title(&self) -> String {
        let words = self.code().replace('_', " ");
        let mut letters = words.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase());
        first.into_iter().chain(letters).collect()
    }

    /// The rule behind it.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::UnknownAccount | Self::AccountStopped | Self::ExceedsWithdrawable { .. } => "R1",
            Self::CurrencyMismatch | Self::AmountNotPositive => "R16",
            Self::RealNameNotVerified => "R14",
            Self::PartnerAdvancePayment => "R2",
            Self::RefundsForbidden | Self::TooManyOpenWithdrawals { .. } => "R15",
            Self::VerificationFailed { .. } => "R10",
            Self::ExceedsRoute { .. } => "R6",
            Self::SelectionTooSmall { .. } | Self::TransactionUnknown { .. } => "R9",
            Self::TransactionIneligible { because, .. } => because.rule(),
            Self::SeveralHolders { .. } | Self::HolderMismatch { .. } => "R12",
            Self::PayeeNotChosen => "R8",
            Self::DetailsIncomplete { .. } => "R11",
        }
    }

    /// The field of the request that it is about, as a JSON pointer into the data.
    #[must_use]
    pub fn pointer(&self) -> Option<String> {
        let field = match self {
            Self::UnknownAccount => "/account_id",
            Self::CurrencyMismatch => "/currency",
            Self::AmountNotPositive
            | Self::ExceedsWithdrawable { .. }
            | Self::ExceedsRoute { .. }
            | Self::SelectionTooSmall { .. } => "/amount",
            Self::VerificationFailed { .. } => "/verification",
            Self::TransactionUnknown { place, .. } | Self::TransactionIneligible { place, .. } => {
                return Some(format!("/transactions/{place}"));
            }
            Self::SeveralHolders { .. } => "/transactions",
            Self::HolderMismatch { .. } => "/bank_account/holder",
            Self::PayeeNotChosen | Self::DetailsIncomplete { .. } => "/bank_account",
            _ => return None,
        };
        Some(field.to_owned())
    }

    /// The reason in words, with amounts of `currency`, which is the request's.
    #[must_use]
    pub fn detail(&self, currency: Currency) -> String {
        let text = |amount: Money| format!("{} {currency}", amount.to_text(currency));
        match self {
            Self::UnknownAccount => "no such account is known".to_owned(),
            Self::CurrencyMismatch => format!("the account's money is not in {currency}"),
            Self::AmountNotPositive => "the amount must be more than zero".to_owned(),
            Self::RealNameNotVerified => "the account is not real-name verified".to_owned(),
            Self::PartnerAdvancePayment => {
                "the account is tied to a partner in advance-payment mode".to_owned()
            }
            Self::RefundsForbidden => "the account's contract forbids refunds".to_owned(),
            Self::AccountStopped => {
                "withdrawals of this account are stopped until its facts agree".to_owned()
            }
            Self::TooManyOpenWithdrawals { max } => {
                format!("{max} withdrawals may be open at once, and as many are")
            }
            Self::VerificationFailed { fault } => proof(*fault).to_owned(),
            Self::ExceedsWithdrawable { terms } => format!(
                "{} can be withdrawn: cash {} less outstanding invoices {}, unbilled usage {} and holds {}",
                text(terms.cap()),
                text(terms.cash),
                text(terms.outstanding_invoice),
                text(terms.unbilled),
                text(terms.held),
            ),
            Self::ExceedsRoute { eligible, excluded } => {
                let parts: Vec<_> =
                    excluded.iter().map(|(code, amount)| format!("{code} {}", text(*amount))).collect();
                let excluded = if parts.is_empty() {
                    String::new()
                } else {
                    format!("; excluded: {}", parts.join(", "))
                };
                format!("{} can leave by this route{excluded}", text(*eligible))
            }
            Self::SelectionTooSmall { eligible } => {
                format!(
                    "the selected transactions hold {} for this route; no others are added",
                    text(*eligible)
                )
            }
            Self::TransactionUnknown { id, .. } => format!("the account has no top-up {id}"),
            Self::TransactionIneligible { id, because, .. } => format!("{id}: {}", because.detail()),
            Self::SeveralHolders { holders } => {
                format!("one bank card cannot be in several names: {}", holders.join(", "))
            }
            Self::HolderMismatch { holders } => {
                format!("the bank card must be in the name of {}", holders.join(" or "))
            }
            Self::PayeeNotChosen => {
                "money on this route goes back to where it came from; leave the bank account out".to_owned()
            }
            Self::DetailsIncomplete { missing } => {
                let names: Vec<&str> = missing.iter().map(Into::into).collect();
                format!("a bank needs all five fields; missing: {}", names.join(", "))
            }
        }
    }
}

const fn proof(fault: ProofFault) -> &'static str {
    match fault {
        ProofFault::Missing => "the verification token is missing",
        ProofFault::Unreadable => "the verification token cannot be read",
        ProofFault::UnknownKey => "the verification token names an unknown key",
        ProofFault::Mismatch => {
            "the verification token was not issued for this account, amount, route and request"
        }
        ProofFault::Expired => "the verification token was not issued in the ten minutes before the request",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::{IntoEnumIterator, VariantNames};

    use super::Reason;
    use crate::Currency;

    #[test]
    fn r16_a_request_in_another_currency_is_told_that_the_account_has_none_of_it() {
        let told = Reason::CurrencyMismatch.detail(Currency::Cny);
        assert_eq!(told, "the account's money is not in CNY");
    }

    #[test]
    fn every_reason_has_its_own_code_and_says_something() {
        let codes: BTreeSet<_> = Reason::iter().map(|it| it.code()).collect();
        assert_eq!(codes.len(), Reason::VARIANTS.len());
        for reason in Reason::iter() {
            let code = reason.code();
            assert!(code.chars().all(|it| it.is_ascii_lowercase() || it == '_'), "{code}");
            assert!(reason.rule().starts_with('R') && !reason.detail(Currency::Cny).is_empty(), "{code}");
            assert!(reason.title().starts_with(|it: char| it.is_ascii_uppercase()), "{code}");
        }
    }
}
