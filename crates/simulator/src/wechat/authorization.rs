//! Who is calling: the `Authorization` header and what it signs.

use std::collections::HashMap;

use axum::http::{HeaderMap, Method, Uri};

use super::Failure;
use crate::clock::wall_seconds;
use crate::keys::Keys;
use crate::world::World;

/// How far the caller's clock may be off.
const TOLERANCE_SECONDS: i64 = 300;

/// A request, as far as its signature goes.
pub(super) struct Incoming<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Incoming<'_> {
    /// Checks merchant, certificate serial, clock and signature.
    ///
    /// The clock of an unmodified SDK is the machine's, that of a caller under a
    /// virtual clock may be the simulator's: either is good.
    pub(super) fn verify(&self, world: &World) -> Result<(), Failure> {
        let clocks = [wall_seconds(), world.clock.now_ms() / 1000];
        self.verify_at(&world.keys, &clocks)
    }

    /// The check against explicit clocks, in unix seconds.
    pub(super) fn verify_at(&self, keys: &Keys, clocks: &[i64]) -> Result<(), Failure> {
        let refused = |text: &str| Failure::new(401, "SIGN_ERROR", text);
        let header = self
            .headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .ok_or_else(|| refused("Http头缺少Authorization"))?;
        let values = parameters(header).ok_or_else(|| refused("Authorization格式错误"))?;
        let value = |name: &str| values.get(name).copied().unwrap_or_default();
        let settings = &keys.settings.wechat;
        if value("mchid") != settings.mchid {
            return Err(Failure::new(404, "MCH_NOT_EXISTS", "商户号不存在"));
        }
        if !value("serial_no").eq_ignore_ascii_case(&settings.merchant_serial) {
            return Err(refused("商户证书序列号有误"));
        }
        let sent: i64 = value("timestamp").parse().map_err(|_| refused("时间戳格式错误"))?;
        if clocks.iter().all(|clock| (clock - sent).abs() > TOLERANCE_SECONDS) {
            return Err(refused("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"));
        }
        let text = self.text_to_verify(value("timestamp"), value("nonce_str"));
        if keys.wechat.merchant.accepts(&text, value("signature")) {
            Ok(())
        } else {
            Err(refused("签名错误，请检查后再试"))
        }
    }

    /// Five lines: method, path and query as sent, timestamp, nonce, raw body.
    fn text_to_verify(&self, timestamp: &str, nonce: &str) -> Vec<u8> {
        let target = self.uri.path_and_query().map_or("/", |target| target.as_str());
        let head = format!("{}\n{target}\n{timestamp}\n{nonce}\n", self.method);
        let mut text = head.into_bytes();
        text.extend_from_slice(self.body);
        text.push(b'\n');
        text
    }
}

/// The five parameters of the scheme, in whatever order they stand.
fn parameters(header: &str) -> Option<HashMap<&str, &str>> {
    let rest = header.strip_prefix("WECHATPAY2-SHA256-RSA2048")?;
    rest.split(',')
        .map(|part| {
            let (name, value) = part.trim().split_once('=')?;
            Some((name, value.strip_prefix('"')?.strip_suffix('"')?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Incoming, parameters};
    use crate::fixtures::{self, Recorded};

    fn verify(request: &Recorded, clocks: &[i64]) -> Result<(), String> {
        let method = request.method.parse().expect("a method");
        let uri = request.target.parse().expect("a target");
        let incoming =
            Incoming { method: &method, uri: &uri, headers: &request.headers, body: request.body.as_bytes() };
        incoming.verify_at(&fixtures::keys(), clocks).map_err(|failure| failure.message)
    }

    /// The moment at which a recording was made.
    fn sent(request: &Recorded) -> i64 {
        let header = request.headers["authorization"].to_str().expect("ASCII");
        let timestamp = parameters(header).expect("well formed")["timestamp"];
        timestamp.parse().expect("seconds")
    }

    #[test]
    fn every_recorded_sdk_request_is_accepted_at_its_time() {
        let recorded = fixtures::recorded("/v3/");
        assert!(recorded.len() >= 11, "four SDKs");
        for request in recorded {
            let now = sent(&request);
            assert_eq!(verify(&request, &[0, now + 300]), Ok(()), "{}", request.name);
        }
    }

    #[test]
    fn a_request_is_refused_when_anything_that_is_signed_changes() {
        for change in ["clock", "body", "target", "method", "serial", "merchant"] {
            let mut request = fixtures::recorded("/v3/refund/domestic/refunds")
                .into_iter()
                .find(|request| request.method == "POST")
                .expect("a refund");
            let mut now = sent(&request);
            let header = request.headers["authorization"].to_str().expect("ASCII").to_owned();
            let mut replace = |from: &str, to: &str| {
                let header = header.replace(from, to).parse().expect("a header value");
                request.headers.insert("authorization", header);
            };
            match change {
                "clock" => now += 301,
                "serial" => replace("serial_no=\"5", "serial_no=\"6"),
                "merchant" => replace("1900000109", "1900000110"),
                "body" => request.body.push(' '),
                "target" => request.target.push_str("?a=1"),
                _ => request.method = "PUT".to_owned(),
            }
            assert!(verify(&request, &[now]).is_err(), "{change}");
        }
    }

    #[test]
    fn parameters_are_read_in_any_order_and_only_when_quoted() {
        let read = parameters("WECHATPAY2-SHA256-RSA2048 b=\"x==\", a=\"1\"").expect("well formed");
        assert_eq!((read["a"], read["b"]), ("1", "x=="));
        assert!(parameters("WECHATPAY2-SHA256-RSA2048 a=1").is_none());
        assert!(parameters("Basic a=\"1\"").is_none());
    }
}
