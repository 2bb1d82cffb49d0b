//! The outside of a message: what is signed, and how an answer is opened.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use crate::doubt::Doubt;
use crate::rsa::VerifyingKey;

/// `name=value` joined by `&`, sorted by name, without `sign` and empty values.
/// The values are as the reader will decode them.
pub(crate) fn string_to_sign<K: AsRef<str> + Ord>(params: &BTreeMap<K, String>) -> String {
    let parts = params.iter().filter(|(name, value)| name.as_ref() != "sign" && !value.is_empty());
    parts.map(|(name, value)| format!("{}={value}", name.as_ref())).collect::<Vec<_>>().join("&")
}

/// `application/x-www-form-urlencoded`.
pub(super) fn encode<'a>(params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// Checks what Alipay sends.
pub(super) struct Gate {
    /// Alipay's key.
    pub(super) key: VerifyingKey,
    /// The serial number that an answer must name, in certificate mode.
    pub(super) certificate_sn: Option<String>,
}

impl Gate {
    /// The text of the answer's node, exactly as it was signed.
    ///
    /// The node is `<method>_response`, or `error_response` where the gateway
    /// could not read the method.
    pub(super) fn open(&self, method: &str, body: &[u8]) -> Result<String, Doubt> {
        let nodes: HashMap<&str, &RawValue> =
            serde_json::from_slice(body).map_err(|_| Doubt::unreadable("the answer is not a JSON object"))?;
        let name = format!("{}_response", method.replace('.', "_"));
        let node = nodes
            .get(name.as_str())
            .or_else(|| nodes.get("error_response"))
            .ok_or_else(|| Doubt::unreadable("the answer has no node of the method"))?
            .get();
        let text =
            |name: &str| nodes.get(name).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        let unsigned = || Doubt::signature(&format!("no signature on {}", unverified_code(node)));
        let sign = text("sign").ok_or_else(unsigned)?;
        if let Some(known) = &self.certificate_sn
            && text("alipay_cert_sn").as_ref() != Some(known)
        {
            return Err(Doubt::signature("the answer names another Alipay certificate"));
        }
        self.key
            .verify(node.as_bytes(), &sign)
            .map_err(|_| Doubt::signature("the answer's signature does not hold"))?;
        Ok(node.to_owned())
    }
}

/// What an unsigned answer claims; a hint for people, worth nothing else. The
/// gateway answers an unknown `app_id` without a signature.
fn unverified_code(node: &str) -> String {
    let node: serde_json::Value = serde_json::from_str(node).unwrap_or_default();
    node["sub_code"]
        .as_str()
        .or_else(|| node["code"].as_str())
        .unwrap_or("an answer without a code")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::{Gate, string_to_sign};
    use crate::doubt::Doubt;
    use crate::rsa::{Signing, SigningKey, VerifyingKey};

    const REFUND: &str = "alipay.trade.refund";

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/alipay.json")).unwrap()
    }

    fn gate(certificate_sn: Option<&str>) -> Gate {
        let pem = include_str!("../../tests/keys/alipay/gateway_public.pem");
        let key = VerifyingKey::from_pem(pem, Signing::On).unwrap();
        Gate { key, certificate_sn: certificate_sn.map(str::to_owned) }
    }

    #[test]
    fn requests_are_signed_byte_for_byte_as_three_sdks_sign_them() {
        let vectors = vectors();
        let key = SigningKey::from_pem(vectors["keys"]["app_private_pkcs8"].as_str().unwrap(), Signing::On)
            .unwrap();
        for name in ["refund", "refund_query"] {
            let vector = &vectors[name];
            let mut params: BTreeMap<String, String> =
                serde_json::from_value(vector["params"].clone()).unwrap();
            params.insert("notify_url".to_owned(), String::new());
            let text = string_to_sign(&params);
            assert_eq!(text, vector["string_to_sign"].as_str().unwrap(), "{name}");
            assert_eq!(key.sign(text.as_bytes()), vector["signature"].as_str().unwrap(), "{name}");
        }
    }

    #[test]
    fn the_node_is_taken_as_it_was_signed() {
        for name in ["response", "response_error"] {
            let vector = &vectors()[name];
            let body = vector["http_body"].as_str().unwrap();
            let node = gate(None).open(REFUND, body.as_bytes()).unwrap();
            assert_eq!(node, vector["signed_bytes"].as_str().unwrap(), "{name}");
        }
    }

    #[test]
    fn an_answer_that_is_not_signed_as_it_should_be_says_nothing() {
        let good = vectors()["response"]["http_body"].as_str().unwrap().to_owned();
        let unsigned = good.split(",\"sign\"").next().unwrap().to_owned() + "}";
        for (name, certificate_sn, body, code) in [
            (
                "another amount",
                None,
                good.replace("\"refund_fee\":\"12.34\"", "\"refund_fee\":\"12.35\""),
                "bad_signature",
            ),
            ("a space in the node", None, good.replace("\"10000\",", "\"10000\", "), "bad_signature"),
            ("no signature", None, unsigned, "bad_signature"),
            ("no certificate", Some("e859"), good.clone(), "bad_signature"),
            ("another node", None, good.replace("refund_response", "pay_response"), "unreadable"),
            ("not JSON", None, "<html>".to_owned(), "unreadable"),
            ("cut", None, good[..good.len() - 9].to_owned(), "unreadable"),
            ("nothing", None, String::new(), "unreadable"),
            ("an array", None, "[]".to_owned(), "unreadable"),
        ] {
            match gate(certificate_sn).open(REFUND, body.as_bytes()) {
                Err(Doubt::Unknown { code: actual, .. }) => assert_eq!(actual, code, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_certificate_answer_is_taken_when_it_names_the_known_certificate() {
        let good = vectors()["response"]["http_body"].as_str().unwrap().to_owned();
        let named = good.replace(",\"sign\"", ",\"alipay_cert_sn\":\"e859\",\"sign\"");
        assert!(gate(Some("e859")).open(REFUND, named.as_bytes()).is_ok());
    }
}
