//! What every documented code of the refund call means.

use crate::doubt::{Class, class_of};

/// `code`, where the `sub_code` does not decide.
const CODES: &[(&str, Class)] = &[
    ("20000", Class::Unknown),
    ("20001", Class::Configuration),
    ("40001", Class::Configuration),
    ("40002", Class::Configuration),
    ("40003", Class::Configuration),
    ("40005", Class::RetryLater),
    ("40006", Class::Configuration),
];

/// `sub_code` of 40004, without its prefix: the documents spell `ACQ.`, `AQC.`
/// and nothing at all.
const BUSINESS: &[(&str, Class)] = &[
    ("SYSTEM_ERROR", Class::Unknown),
    ("TRADE_HAS_FINISHED", Class::Reroute),
    ("REFUND_AMT_NOT_EQUAL_TOTAL", Class::Failed),
    ("REASON_TRADE_REFUND_FEE_ERR", Class::Failed),
    ("REFUND_FEE_ERROR", Class::Failed),
    // The number succeeded with another amount: people must look, the query tells.
    ("DISCORDANT_REPEAT_REQUEST", Class::Unknown),
    ("SELLER_BALANCE_NOT_ENOUGH", Class::RetryLater),
    ("REFUND_CHARGE_ERROR", Class::RetryLater),
    ("TRADE_NOT_EXIST", Class::Failed),
    ("TRADE_HAS_CLOSE", Class::Failed),
    ("TRADE_STATUS_ERROR", Class::Failed),
    ("REASON_TRADE_STATUS_INVALID", Class::Failed),
    ("TRADE_NOT_ALLOW_REFUND", Class::Failed),
    ("NOT_ALLOW_PARTIAL_REFUND", Class::Failed),
    ("ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND", Class::Failed),
    ("CURRENCY_NOT_SUPPORT", Class::Failed),
    ("INVALID_PARAMETER", Class::Failed),
    ("BUYER_NOT_EXIST", Class::Reroute),
    ("BUYER_ERROR", Class::Reroute),
    ("BUYER_ENABLE_STATUS_FORBID", Class::Reroute),
    ("CUSTOMER_VALIDATE_ERROR", Class::Reroute),
    ("USER_NOT_MATCH_ERR", Class::Reroute),
    ("REASON_TRADE_BEEN_FREEZEN", Class::Failed),
    ("ALLOC_AMOUNT_VALIDATE_ERROR", Class::Configuration),
    ("REFUNDALLOC_UNAUTH_LIMIT", Class::Configuration),
    ("REFUND_ACCOUNT_NOT_EXIST", Class::Configuration),
    ("REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST", Class::Configuration),
    ("OVERDRAFT_AGREEMENT_NOT_MATCH", Class::Configuration),
    ("OVERDRAFT_ASSIGN_ACCOUNT_INVALID", Class::Configuration),
    ("ENTERPRISE_PAY_BIZ_ERROR", Class::Configuration),
    ("TRADE_SETTLE_ERROR", Class::Configuration),
];

/// The class of a refused refund call. What is not documented is unknown.
pub(super) fn class(code: &str, sub_code: &str) -> Class {
    let table = if code == "40004" { BUSINESS } else { CODES };
    let code = if code == "40004" { bare(sub_code) } else { code };
    class_of(table, code).unwrap_or(Class::Unknown)
}

/// Every code of the tables.
pub(crate) fn documented() -> impl Iterator<Item = (&'static str, Class)> {
    CODES.iter().chain(BUSINESS).copied()
}

/// A code without its prefix.
pub(crate) fn bare(sub_code: &str) -> &str {
    ["ACQ.", "AQC."].iter().find_map(|prefix| sub_code.strip_prefix(prefix)).unwrap_or(sub_code)
}

#[cfg(test)]
mod tests {
    use super::{BUSINESS, class};
    use crate::doubt::Class::{self, Configuration, Failed, Reroute, RetryLater, Unknown};

    /// The platform's list, grouped by what to do.
    const DOCUMENTED: &[(Class, &str)] = &[
        (Unknown, "SYSTEM_ERROR DISCORDANT_REPEAT_REQUEST"),
        (Reroute, "TRADE_HAS_FINISHED BUYER_NOT_EXIST BUYER_ERROR BUYER_ENABLE_STATUS_FORBID"),
        (Reroute, "CUSTOMER_VALIDATE_ERROR USER_NOT_MATCH_ERR"),
        (RetryLater, "SELLER_BALANCE_NOT_ENOUGH REFUND_CHARGE_ERROR"),
        (Failed, "REFUND_AMT_NOT_EQUAL_TOTAL REASON_TRADE_REFUND_FEE_ERR REFUND_FEE_ERROR"),
        (Failed, "TRADE_NOT_EXIST TRADE_HAS_CLOSE TRADE_STATUS_ERROR REASON_TRADE_STATUS_INVALID"),
        (Failed, "TRADE_NOT_ALLOW_REFUND NOT_ALLOW_PARTIAL_REFUND ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND"),
        (Failed, "CURRENCY_NOT_SUPPORT INVALID_PARAMETER REASON_TRADE_BEEN_FREEZEN"),
        (Configuration, "ALLOC_AMOUNT_VALIDATE_ERROR REFUNDALLOC_UNAUTH_LIMIT REFUND_ACCOUNT_NOT_EXIST"),
        (Configuration, "REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST OVERDRAFT_AGREEMENT_NOT_MATCH"),
        (Configuration, "OVERDRAFT_ASSIGN_ACCOUNT_INVALID ENTERPRISE_PAY_BIZ_ERROR TRADE_SETTLE_ERROR"),
    ];

    #[test]
    fn every_documented_business_code_has_its_class_with_every_prefix() {
        let mut count = 0;
        for (expected, codes) in DOCUMENTED {
            for code in codes.split(' ') {
                count += 1;
                for spelled in [code.to_owned(), format!("ACQ.{code}"), format!("AQC.{code}")] {
                    assert_eq!(class("40004", &spelled), *expected, "{spelled}");
                }
            }
        }
        assert_eq!(count, BUSINESS.len(), "a code is in one list only");
    }

    #[test]
    fn gateway_codes_have_their_class_and_unheard_of_ones_are_unknown() {
        for (code, sub_code, expected) in [
            ("20000", "isp.unknow-error", Unknown),
            ("20000", "aop.unknow-error", Unknown),
            ("20001", "aop.invalid-auth-token", Configuration),
            ("40001", "isv.missing-method", Configuration),
            ("40002", "isv.invalid-signature", Configuration),
            ("40002", "isv.invalid-app-id", Configuration),
            ("40003", "isv.missing-signature-config", Configuration),
            ("40005", "isv.app-call-limited", RetryLater),
            ("40006", "isv.insufficient-isv-permissions", Configuration),
            ("40004", "ACQ.NEVER_HEARD_OF", Unknown),
            ("40004", "", Unknown),
            ("50000", "", Unknown),
            ("", "", Unknown),
            ("TRADE_NOT_EXIST", "TRADE_NOT_EXIST", Unknown),
        ] {
            assert_eq!(class(code, sub_code), expected, "{code} {sub_code}");
        }
    }
}
