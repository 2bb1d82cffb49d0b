//! What is signed on both ways, and the headers that carry it.

use crate::doubt::Doubt;
use crate::wire::{Answer, Request};

/// Seconds that a signed time may differ from ours.
const WINDOW: i64 = 300;

/// Begins the signature of the platform's deliberate probes.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// The five lines of a request: method, path with query, time, nonce, body.
pub(super) fn string_to_sign(request: &Request, timestamp: i64, nonce: &str) -> Vec<u8> {
    let mut text = format!("{}\n{}\n{timestamp}\n{nonce}\n", request.method, request.path).into_bytes();
    text.extend_from_slice(&request.body);
    text.push(b'\n');
    text
}

/// The signature headers of an answer or a notification.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) timestamp: &'a str,
    pub(super) nonce: &'a str,
    pub(super) serial: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Signed<'a> {
    /// Of an answer; missing headers are empty.
    pub(super) fn of(answer: &'a Answer) -> Self {
        Self::read(|name| answer.header(name))
    }

    /// Of any set of headers.
    pub(super) fn read(header: impl Fn(&'static str) -> &'a str) -> Self {
        Self {
            timestamp: header("wechatpay-timestamp"),
            nonce: header("wechatpay-nonce"),
            serial: header("wechatpay-serial"),
            signature: header("wechatpay-signature"),
        }
    }

    /// There is a signature, good or bad.
    pub(super) fn is_present(&self) -> bool {
        !self.signature.is_empty()
    }

    /// The three lines of an answer: time, nonce, body.
    pub(super) fn string_to_verify(&self, body: &[u8]) -> Vec<u8> {
        let mut text = format!("{}\n{}\n", self.timestamp, self.nonce).into_bytes();
        text.extend_from_slice(body);
        text.push(b'\n');
        text
    }

    /// The signed time is near `now`, in Unix seconds.
    pub(super) fn check_time(&self, now: i64) -> Result<(), Doubt> {
        if !self.is_present() {
            return Err(Doubt::signature("the answer is not signed"));
        }
        if self.signature.starts_with(PROBE) {
            return Err(Doubt::signature("the platform probes whether signatures are checked"));
        }
        let at: i64 = self.timestamp.parse().map_err(|_| Doubt::signature("the signed time is no number"))?;
        if now.abs_diff(at) > WINDOW.unsigned_abs() {
            return Err(Doubt::signature("the signed time is more than 300 s away"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{Signed, string_to_sign};
    use crate::rsa::{Signing, SigningKey};
    use crate::wire::Request;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/wechat.json")).unwrap()
    }

    fn text<'a>(value: &'a Value, name: &str) -> &'a str {
        value[name].as_str().unwrap()
    }

    #[test]
    fn requests_are_signed_byte_for_byte_as_three_sdks_sign_them() {
        let vectors = vectors();
        let key = SigningKey::from_pem(text(&vectors["keys"], "merchant_key"), Signing::On).unwrap();
        for name in ["refund", "refund_query"] {
            let vector = &vectors[name];
            let url = text(vector, "url");
            let request = match text(vector, "method") {
                "POST" => Request::post(url, "application/json", text(vector, "body")),
                _ => Request::get(url),
            };
            let timestamp = text(vector, "timestamp").parse().unwrap();
            let signed = string_to_sign(&request, timestamp, text(vector, "nonce_str"));
            assert_eq!(signed, text(vector, "string_to_sign").as_bytes(), "{name}");
            assert_eq!(key.sign(&signed), text(vector, "signature"), "{name}");
        }
    }

    #[test]
    fn a_signed_time_holds_for_300_seconds_both_ways() {
        let signed = |timestamp, signature| Signed { timestamp, nonce: "", serial: "", signature };
        for (timestamp, signature, now, expected) in [
            ("1000", "s", 1_000, true),
            ("1000", "s", 1_300, true),
            ("1000", "s", 700, true),
            ("1000", "s", 1_301, false),
            ("1000", "s", 699, false),
            ("", "s", 0, false),
            ("1e3", "s", 1_000, false),
            ("1000", "", 1_000, false),
            ("1000", "WECHATPAY/SIGNTEST/s", 1_000, false),
        ] {
            assert_eq!(signed(timestamp, signature).check_time(now).is_ok(), expected, "{timestamp} {now}");
        }
    }
}
