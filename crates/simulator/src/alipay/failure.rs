//! The ways in which the gateway and the business say no.

use axum::http::StatusCode;

use crate::json_text::Object;

/// A refusal, as the node of an answer.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    code: &'static str,
    pub(super) sub_code: String,
    pub(super) sub_msg: String,
    /// The live gateway answers an unknown application without a signature.
    pub(super) unsigned: bool,
}

impl Failure {
    pub(super) fn new(code: &'static str, sub_code: &str, sub_msg: &str) -> Self {
        Self { code, sub_code: sub_code.to_owned(), sub_msg: sub_msg.to_owned(), unsigned: false }
    }

    /// A business refusal; `code` is written without its `ACQ.` prefix.
    pub(super) fn business(code: &str, text: &str) -> Self {
        Self::new("40004", &format!("ACQ.{code}"), text)
    }

    /// A refusal by its code alone: a gateway code with its prefix, or a business
    /// code with or without it.
    pub(super) fn coded(code: &str) -> Self {
        let class = match code {
            "isv.missing-signature-config" => "40003",
            _ if code.ends_with("call-limited") => "40005",
            _ if code.ends_with("permissions") => "40006",
            _ if code.starts_with("isv.missing-") => "40001",
            _ if code.starts_with("isv.") => "40002",
            _ if code.ends_with("unknow-error") => "20000",
            _ if code.starts_with("aop.") => "20001",
            _ if code.starts_with("isp.") => "40004",
            _ => return Self::business(code.strip_prefix("ACQ.").unwrap_or(code), ""),
        };
        Self::new(class, code, "")
    }

    pub(super) fn unsigned(mut self) -> Self {
        self.unsigned = true;
        self
    }

    /// The status of the REST flavour.
    pub(super) fn status(&self) -> StatusCode {
        match (self.code, self.sub_code.as_str()) {
            (_, "isv.invalid-signature" | "isv.missing-signature") => StatusCode::UNAUTHORIZED,
            ("20000", _) => StatusCode::INTERNAL_SERVER_ERROR,
            ("40005", _) => StatusCode::TOO_MANY_REQUESTS,
            ("40006", _) => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn node(&self) -> String {
        let msg = match self.code {
            "20000" => "Service Currently Unavailable",
            "20001" => "Insufficient Token Permissions",
            "40001" => "Missing Required Arguments",
            "40002" => "Invalid Arguments",
            "40003" => "Missing Signature Config",
            "40005" => "Call Limited",
            "40006" => "Insufficient Permissions",
            _ => "Business Failed",
        };
        Object::new()
            .text("code", self.code)
            .text("msg", msg)
            .text("sub_code", &self.sub_code)
            .text("sub_msg", &self.sub_msg)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn a_code_stands_in_the_class_that_the_gateway_gives_it() {
        for (code, class, sub_code) in [
            ("isp.unknow-error", "20000", "isp.unknow-error"),
            ("aop.unknow-error", "20000", "aop.unknow-error"),
            ("aop.invalid-auth-token", "20001", "aop.invalid-auth-token"),
            ("isv.missing-method", "40001", "isv.missing-method"),
            ("isv.invalid-app-id", "40002", "isv.invalid-app-id"),
            ("isv.missing-signature-config", "40003", "isv.missing-signature-config"),
            ("isp.bill_not_exist", "40004", "isp.bill_not_exist"),
            ("isv.app-call-limited", "40005", "isv.app-call-limited"),
            ("isv.insufficient-isv-permissions", "40006", "isv.insufficient-isv-permissions"),
            ("SYSTEM_ERROR", "40004", "ACQ.SYSTEM_ERROR"),
            ("ACQ.SYSTEM_ERROR", "40004", "ACQ.SYSTEM_ERROR"),
        ] {
            let failure = Failure::coded(code);
            assert_eq!((failure.code, failure.sub_code.as_str()), (class, sub_code), "{code}");
        }
    }
}
