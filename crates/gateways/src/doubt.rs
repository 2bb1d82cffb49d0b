//! Why an answer says nothing, and how provider words become safe to keep.

use crate::outcome::{Finding, Outcome};

/// No answer that could be trusted, or none at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// No connection: the request never left this machine.
    NotSent(String),
    /// Anything may have happened.
    Unknown {
        /// The channel's code, or ours in lower case.
        code: String,
        /// For people.
        detail: String,
    },
}

impl Doubt {
    /// A doubt under one of our own codes.
    pub(crate) fn new(code: &str, detail: impl AsRef<str>) -> Self {
        Self::Unknown { code: code.to_owned(), detail: plain(detail.as_ref()) }
    }

    /// The signature is missing or does not hold.
    pub(crate) fn signature(detail: &str) -> Self {
        Self::new("bad_signature", detail)
    }

    /// The body is not what the channel documents.
    pub(crate) fn unreadable(detail: impl AsRef<str>) -> Self {
        Self::new("unreadable", detail)
    }

    /// A verified answer that speaks of something else than was asked.
    pub(crate) fn mismatch(what: &str) -> Self {
        Self::new("mismatch", format!("the answer has another {what}"))
    }

    fn parts(self) -> (String, String) {
        match self {
            Self::NotSent(detail) => ("not_connected".to_owned(), plain(&detail)),
            Self::Unknown { code, detail } => (code, detail),
        }
    }
}

impl From<Doubt> for Outcome {
    /// A request that never left was surely not executed; all else is unknown.
    fn from(doubt: Doubt) -> Self {
        let sent = !matches!(doubt, Doubt::NotSent(_));
        let (code, detail) = doubt.parts();
        if sent { Self::Unknown { code, detail } } else { Self::RetryLater { code, detail } }
    }
}

impl From<Doubt> for Finding {
    fn from(doubt: Doubt) -> Self {
        let (code, detail) = doubt.parts();
        Self::Unknown { code, detail }
    }
}

/// What a documented code means, before it becomes an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The money may have moved.
    Unknown,
    /// Not executed; later perhaps.
    RetryLater,
    /// Not executed; every call will fail.
    Configuration,
    /// Not executed, never.
    Failed,
    /// Not executed, never; a bank card would do.
    Reroute,
}

impl Class {
    /// The outcome of a payment that was answered with `code`.
    pub(crate) fn outcome(self, code: &str, detail: &str) -> Outcome {
        let (code, detail) = (plain(code), plain(detail));
        match self {
            Self::Unknown => Outcome::Unknown { code, detail },
            Self::RetryLater => Outcome::RetryLater { code, detail },
            Self::Configuration => Outcome::Configuration { code, detail },
            Self::Failed => Outcome::Failed { code, detail },
            Self::Reroute => Outcome::Reroute { code, detail },
        }
    }
}

/// The class of `code` in a table, or nothing when it is not documented.
pub(crate) fn class_of(table: &[(&str, Class)], code: &str) -> Option<Class> {
    table.iter().find(|(known, _)| *known == code).map(|(_, class)| *class)
}

/// Characters of a provider's text that are kept.
const TEXT_MAX: usize = 200;

/// Digits in a row from which a number may be an account or a card.
const ACCOUNT_DIGITS_MIN: usize = 12;

/// A provider's text as it may be stored and logged: no control characters, no
/// account numbers, not long.
pub(crate) fn plain(text: &str) -> String {
    let mut kept = String::new();
    let mut digits = String::new();
    for character in text.chars().take(TEXT_MAX).chain(std::iter::once('\0')) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        if digits.len() >= ACCOUNT_DIGITS_MIN {
            kept.push_str("****");
            kept.push_str(&digits[digits.len() - 4..]);
        } else {
            kept.push_str(&digits);
        }
        digits.clear();
        if character.is_control() {
            kept.push(' ');
        } else {
            kept.push(character);
        }
    }
    kept.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Doubt, plain};
    use crate::outcome::{Finding, Outcome};

    #[test]
    fn kept_texts_have_no_account_numbers_and_no_control_characters() {
        for (text, expected) in [
            ("收款账号不存在", "收款账号不存在"),
            ("card 6217000000000000000 closed", "card ****0000 closed"),
            ("6217000000001234", "****1234"),
            ("code 4040007", "code 4040007"),
            ("a\r\nb\u{1b}[31m", "a  b [31m"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
        assert_eq!(plain(&"长".repeat(500)).chars().count(), 200);
    }

    #[test]
    fn only_a_request_that_never_left_is_less_than_unknown() {
        let unsent = Outcome::from(Doubt::NotSent("refused".to_owned()));
        assert!(matches!(unsent, Outcome::RetryLater { .. }), "{unsent:?}");
        let sent = Outcome::from(Doubt::new("timeout", ""));
        assert!(matches!(sent, Outcome::Unknown { .. }), "{sent:?}");
        let found = Finding::from(Doubt::NotSent("refused".to_owned()));
        assert!(matches!(found, Finding::Unknown { .. }), "{found:?}");
    }
}
