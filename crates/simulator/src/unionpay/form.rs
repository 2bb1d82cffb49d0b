//! Forms in, one raw line out, both under the doubled hash.

use std::collections::BTreeMap;

use super::Code;
use crate::keys::Keys;
use crate::signature::sha256_hex;

/// The fields of an answer in the order in which they are written.
pub(super) type Pairs = Vec<(&'static str, String)>;

/// What an answer repeats of the request, in the order of the live gateway.
const ECHOED: [&str; 11] = [
    "version",
    "encoding",
    "bizType",
    "txnTime",
    "txnType",
    "txnSubType",
    "accessType",
    "reqReserved",
    "merId",
    "orderId",
    "origQryId",
];

/// A request, decoded.
pub(super) struct Form {
    fields: BTreeMap<String, String>,
}

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        let fields = form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { fields }
    }

    /// The value of a field, empty when it is missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Checks what every call must carry, the merchant, and the signature.
    pub(super) fn verify(&self, keys: &Keys) -> Result<(), Code> {
        let required = [
            "version",
            "encoding",
            "signMethod",
            "certId",
            "signature",
            "txnType",
            "txnSubType",
            "bizType",
            "accessType",
            "merId",
            "txnTime",
        ];
        if required.iter().any(|name| self.get(name).is_empty()) {
            return Err(Code::new("13", "报文交易要素缺失"));
        }
        if self.get("version") != "5.1.0" || self.get("signMethod") != "01" {
            return Err(Code::new("10", "报文格式错误"));
        }
        if self.get("merId") != keys.settings.unionpay.mer_id {
            return Err(Code::new("31", "商户状态不正确"));
        }
        let known = self.get("certId") == keys.settings.unionpay.merchant_cert_id;
        let text = self.text_to_verify();
        if !known || !keys.unionpay.merchant.accepts(text.as_bytes(), self.get("signature")) {
            return Err(Code::new("11", "验证签名失败"));
        }
        Ok(())
    }

    fn text_to_verify(&self) -> String {
        let pairs = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        hashed(pairs.collect())
    }

    /// The fields that the answer repeats.
    pub(super) fn echo(&self) -> Pairs {
        ECHOED
            .into_iter()
            .map(|name| (name, self.get(name).to_owned()))
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }
}

/// The text that is signed: fields by name without `signature` and empty ones,
/// hashed into 64 hexadecimal characters, which the signature hashes again.
pub(super) fn hashed(mut pairs: Vec<(&str, &str)>) -> String {
    pairs.retain(|(name, value)| *name != "signature" && !value.is_empty());
    pairs.sort_unstable();
    let parts: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    sha256_hex(parts.join("&").as_bytes())
}

/// Adds the signing certificate and the signature to the fields of a message.
pub(super) fn sign(keys: &Keys, mut pairs: Pairs) -> Pairs {
    pairs.push(("signMethod", "01".to_owned()));
    pairs.push(("signPubKeyCert", keys.unionpay.sign_pub_key_cert.clone()));
    let text = hashed(pairs.iter().map(|(name, value)| (*name, value.as_str())).collect());
    let signature = keys.unionpay.gateway.sign(text.as_bytes());
    pairs.push(("signature", signature));
    pairs
}

/// The line of an answer: not url-encoded, because clients do not decode it.
pub(super) fn seal(keys: &Keys, pairs: Pairs) -> String {
    line(&sign(keys, pairs))
}

/// The line of an answer under the signature of another one.
pub(super) fn forge(keys: &Keys, pairs: Pairs) -> String {
    let mut pairs = sign(keys, pairs);
    let other = sign(keys, vec![("respCode", "00".to_owned())]);
    pairs.pop();
    pairs.extend(other.into_iter().next_back());
    line(&pairs)
}

fn line(pairs: &Pairs) -> String {
    let parts: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parts.join("&")
}

#[cfg(test)]
mod tests {
    use super::{Form, hashed};
    use crate::fixtures;

    #[test]
    fn every_recorded_sdk_request_is_accepted() {
        let keys = fixtures::keys();
        let mut recorded = fixtures::recorded("/gateway/api/");
        recorded.extend(fixtures::recorded("/filetransfer"));
        assert!(recorded.len() >= 5, "two SDKs");
        for request in recorded {
            let form = Form::parse(request.body.as_bytes());
            assert_eq!(form.verify(&keys), Ok(()), "{}", request.name);
        }
    }

    #[test]
    fn a_changed_field_is_refused() {
        let keys = fixtures::keys();
        for request in fixtures::recorded("/gateway/api/backTransReq.do") {
            let form = Form::parse(request.body.replace("txnAmt=1234", "txnAmt=1235").as_bytes());
            assert_eq!(form.verify(&keys).expect_err("the amount was changed").code, "11");
        }
    }

    #[test]
    fn answers_and_notices_are_signed_as_the_vectors_are() {
        let keys = fixtures::keys();
        let vectors = fixtures::json("vectors/unionpay.json");
        for name in ["refund_response", "query_response", "notify"] {
            let params = vectors[name]["params"].as_object().expect("an object");
            let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("text")));
            let text = hashed(pairs.collect());
            assert_eq!(text, vectors[name]["sha256_hex"], "{name}");
            assert_eq!(keys.unionpay.gateway.sign(text.as_bytes()), vectors[name]["signature"], "{name}");
            assert_eq!(keys.unionpay.sign_pub_key_cert, params["signPubKeyCert"], "{name}");
        }
    }
}
