//! What every documented response code means.

use crate::doubt::{Class, class_of};

/// `respCode` of a refund and `origRespCode` of a query alike.
const CODES: &[(&str, Class)] = &[
    ("03", Class::Unknown),
    ("04", Class::Unknown),
    ("05", Class::Unknown),
    ("06", Class::Unknown),
    // The number is known already: the query tells how it went.
    ("12", Class::Unknown),
    ("02", Class::RetryLater),
    ("37", Class::RetryLater),
    ("39", Class::RetryLater),
    ("10", Class::Configuration),
    ("11", Class::Configuration),
    ("13", Class::Configuration),
    ("31", Class::Configuration),
    ("32", Class::Configuration),
    ("01", Class::Failed),
    ("14", Class::Failed),
    ("30", Class::Failed),
    ("33", Class::Failed),
    ("34", Class::Failed),
    ("35", Class::Failed),
    ("36", Class::Failed),
    ("38", Class::Failed),
    ("40", Class::Failed),
    ("41", Class::Failed),
    // "Paid but late" is not a failure that may end a leg.
    ("42", Class::Unknown),
    ("60", Class::Failed),
    ("61", Class::Failed),
    ("62", Class::Failed),
    ("63", Class::Failed),
    ("64", Class::Failed),
    ("65", Class::Failed),
    ("66", Class::Failed),
    ("67", Class::Failed),
    ("68", Class::Failed),
    ("69", Class::Failed),
    ("70", Class::Failed),
    ("71", Class::Failed),
    ("72", Class::Failed),
    ("73", Class::Failed),
    ("98", Class::Failed),
    ("99", Class::Failed),
];

/// The detail code in brackets after the text when the refund window is over.
const WINDOW_DETAIL: &str = "[4040007]";

/// Every code of the table.
pub(crate) fn documented() -> impl Iterator<Item = (&'static str, Class)> {
    CODES.iter().copied()
}

/// The class of a code that is not 00 or A6. What is not documented is unknown.
pub(super) fn class(code: &str, message: &str) -> Class {
    match class_of(CODES, code) {
        Some(Class::Failed) if message.contains(WINDOW_DETAIL) => Class::Reroute,
        class => class.unwrap_or(Class::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::class;
    use crate::doubt::Class::{self, Configuration, Failed, Reroute, RetryLater, Unknown};

    /// The platform's table, grouped by what to do.
    const DOCUMENTED: &[(Class, &str)] = &[
        (Unknown, "03 04 05 06 12 42"),
        (RetryLater, "02 37 39"),
        (Configuration, "10 11 13 31 32"),
        (Failed, "01 14 30 33 34 35 36 38 40 41 98 99"),
        (Failed, "60 61 62 63 64 65 66 67 68 69 70 71 72 73"),
    ];

    #[test]
    fn every_documented_code_has_its_class() {
        for (expected, codes) in DOCUMENTED {
            for code in codes.split(' ') {
                assert_eq!(class(code, "[9999999]"), *expected, "{code}");
            }
        }
    }

    #[test]
    fn a_code_that_nobody_documented_is_unknown() {
        for code in ["", "00", "A6", "07", "74", "100", "ZZ", " 01"] {
            assert_eq!(class(code, ""), Unknown, "{code:?}");
        }
    }

    #[test]
    fn a_refund_after_the_window_goes_to_a_bank_card() {
        for (code, message, expected) in [
            ("35", "原交易不存在或状态不正确[4040007]", Reroute),
            ("01", "超过退货期限[4040007]", Reroute),
            ("35", "原交易不存在或状态不正确[4040001]", Failed),
            ("03", "[4040007]", Unknown),
        ] {
            assert_eq!(class(code, message), expected, "{code} {message}");
        }
    }
}
