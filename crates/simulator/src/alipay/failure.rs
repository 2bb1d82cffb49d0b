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
        match code {
            _ if code.ends_with("call-limited") => Self::new("40005", code, ""),
            _ if code.starts_with("isv.") => Self::new("40002", code, ""),
            _ if code.starts_with("isp.") || code.starts_with("aop.") => Self::new("20000", code, ""),
            _ => Self::business(code.strip_prefix("ACQ.").unwrap_or(code), ""),
        }
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
