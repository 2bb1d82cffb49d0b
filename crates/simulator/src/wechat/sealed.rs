//! Answers under the platform's signature.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::book::Order;
use crate::clock::wall_seconds;
use crate::keys::Keys;
use crate::nonce::random_hex;

/// How a deliberately wrong signature of the live gateway begins.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// Marks an order that was asked for in public-key mode.
pub(super) const PUBLIC_KEY_MODE: &str = "public_key_mode";

/// The headers of a signed body.
pub(crate) struct Seal<'a> {
    keys: &'a Keys,
    serial: &'a str,
    /// Send a signature probe instead of a signature.
    pub(crate) forged: bool,
}

impl<'a> Seal<'a> {
    /// A caller that names the platform's public key wants answers under it; all
    /// others get the platform certificate's serial. The key pair is the same.
    pub(crate) fn of(keys: &'a Keys, headers: &HeaderMap) -> Self {
        Self::under(keys, Self::is_public_key_mode(keys, headers))
    }

    /// The mode in which the merchant asked for an order.
    pub(super) fn for_order(keys: &'a Keys, order: &Order) -> Self {
        Self::under(keys, order.placed.echo.contains_key(PUBLIC_KEY_MODE))
    }

    /// Whether a caller named the platform's public key.
    pub(super) fn is_public_key_mode(keys: &Keys, headers: &HeaderMap) -> bool {
        let asked = headers.get("wechatpay-serial").and_then(|value| value.to_str().ok());
        asked == Some(keys.settings.wechat.pub_key_id.as_str())
    }

    fn under(keys: &'a Keys, public_key_mode: bool) -> Self {
        let settings = &keys.settings.wechat;
        let serial = if public_key_mode { &settings.pub_key_id } else { &settings.platform_serial };
        Self { keys, serial, forged: false }
    }

    /// The five headers for `body`. The timestamp is the machine's, because SDKs
    /// compare it with theirs.
    pub(crate) fn headers(&self, body: &str) -> [(&'static str, String); 5] {
        let timestamp = wall_seconds();
        let nonce = random_hex(16);
        let text = format!("{timestamp}\n{nonce}\n{body}\n");
        let mut signature = self.keys.wechat.platform.sign(text.as_bytes());
        if self.forged {
            signature.replace_range(..PROBE.len(), PROBE);
        }
        [
            ("Wechatpay-Timestamp", timestamp.to_string()),
            ("Wechatpay-Nonce", nonce),
            ("Wechatpay-Serial", self.serial.to_owned()),
            ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
            ("Wechatpay-Signature", signature),
        ]
    }

    /// The whole response.
    pub(super) fn close(&self, status: StatusCode, body: String) -> Response<Body> {
        let signed = self.headers(&body);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let fixed = [
            ("Content-Type", "application/json; charset=utf-8".to_owned()),
            ("Request-ID", random_hex(17).to_uppercase()),
            ("Cache-Control", "no-cache, must-revalidate".to_owned()),
            ("Content-Language", "zh-CN".to_owned()),
        ];
        for (name, value) in fixed.into_iter().chain(signed) {
            let value = HeaderValue::from_str(&value).expect("the values above are ASCII");
            headers
                .insert(axum::http::HeaderName::from_bytes(name.as_bytes()).expect("a header name"), value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use crate::fixtures;

    #[test]
    fn the_platform_signs_as_the_vectors_do() {
        let keys = fixtures::keys();
        let vector = &fixtures::json("vectors/wechat.json")["response"];
        let text = vector["string_to_verify"].as_str().expect("text");
        let signature = keys.wechat.platform.sign(text.as_bytes());
        assert_eq!(signature, vector["headers"]["Wechatpay-Signature"]);
    }
}
