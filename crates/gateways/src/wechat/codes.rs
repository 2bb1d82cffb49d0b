//! What every documented code of the refund call means.

use crate::doubt::Class;

/// Status and code together decide; a code under another status is not documented.
const CODES: &[(u16, &str, Class)] = &[
    (400, "PARAM_ERROR", Class::Failed),
    (401, "SIGN_ERROR", Class::Configuration),
    (403, "NOT_ENOUGH", Class::RetryLater),
    (403, "USER_ACCOUNT_ABNORMAL", Class::Reroute),
    (403, "NO_AUTH", Class::Configuration),
    (404, "RESOURCE_NOT_EXISTS", Class::Failed),
    (404, "MCH_NOT_EXISTS", Class::Configuration),
    // The documents disagree on whether it was taken on.
    (429, "FREQUENCY_LIMITED", Class::Unknown),
    (500, "SYSTEM_ERROR", Class::Unknown),
];

/// Words of `INVALID_REQUEST` that speak of the refund window. The platform does
/// not pin the text; all else (too much, changed) is a plain failure.
const WINDOW: [&str; 4] = ["期限", "有效期", "365", "一年"];

/// Every code of the table, and `INVALID_REQUEST` as what it mostly is.
pub(crate) fn documented() -> impl Iterator<Item = (&'static str, Class)> {
    CODES.iter().map(|(_, code, class)| (*code, *class)).chain([("INVALID_REQUEST", Class::Failed)])
}

/// The class of a refused refund call. What is not documented is unknown.
pub(super) fn class(status: u16, code: &str, message: &str) -> Class {
    if (status, code) == (400, "INVALID_REQUEST") {
        let window = WINDOW.iter().any(|word| message.contains(word));
        return if window { Class::Reroute } else { Class::Failed };
    }
    let known = CODES.iter().find(|(known, name, _)| (*known, *name) == (status, code));
    known.map_or(Class::Unknown, |(_, _, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::class;
    use crate::doubt::Class::{Configuration, Failed, Reroute, RetryLater, Unknown};

    #[test]
    fn every_documented_code_has_its_class_and_no_other_does() {
        for (status, code, message, expected) in [
            (400, "PARAM_ERROR", "参数错误", Failed),
            (400, "INVALID_REQUEST", "申请退款金额超过订单可退金额", Failed),
            (400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试", Failed),
            (400, "INVALID_REQUEST", "", Failed),
            (400, "INVALID_REQUEST", "订单已经超过退款期限", Reroute),
            (400, "INVALID_REQUEST", "订单支付成功已超过365天", Reroute),
            (400, "INVALID_REQUEST", "交易时间超过一年的订单不支持退款", Reroute),
            (401, "SIGN_ERROR", "签名错误", Configuration),
            (403, "NOT_ENOUGH", "余额不足", RetryLater),
            (403, "USER_ACCOUNT_ABNORMAL", "用户账户异常", Reroute),
            (403, "NO_AUTH", "没有退款权限", Configuration),
            (404, "RESOURCE_NOT_EXISTS", "订单不存在", Failed),
            (404, "MCH_NOT_EXISTS", "商户号不存在", Configuration),
            (429, "FREQUENCY_LIMITED", "频率限制", Unknown),
            (500, "SYSTEM_ERROR", "系统超时", Unknown),
            (502, "SYSTEM_ERROR", "", Unknown),
            (503, "", "", Unknown),
            (400, "SYSTEM_ERROR", "", Unknown),
            (500, "PARAM_ERROR", "", Unknown),
            (403, "NEVER_HEARD_OF", "", Unknown),
            (404, "", "", Unknown),
            (200, "PARAM_ERROR", "", Unknown),
        ] {
            assert_eq!(class(status, code, message), expected, "{status} {code} {message}");
        }
    }
}
