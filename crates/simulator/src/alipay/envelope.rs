//! Parameters in, signed JSON text out.
//!
//! Requests are verified over the decoded values exactly as received; the
//! business content is opaque to the signature. Answers are built once as text.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::failure::Failure;
use crate::json_text::Object;
use crate::keys::Keys;
use crate::world::World;

/// Query string and form body, merged and decoded.
pub(super) struct Params {
    values: BTreeMap<String, String>,
}

impl Params {
    pub(super) fn merge(query: &str, form: &[u8]) -> Self {
        let values = form_urlencoded::parse(query.as_bytes())
            .chain(form_urlencoded::parse(form))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self { values }
    }

    /// A value that is present and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The name under which the answer's node stands.
    pub(super) fn node_name(&self) -> String {
        match self.get("method") {
            Some(method) => format!("{}_response", method.replace('.', "_")),
            None => "error_response".to_owned(),
        }
    }

    /// What the caller signed: everything but `sign`, without empty values, by name.
    pub(super) fn text_to_verify(&self) -> String {
        let parts: Vec<String> = self
            .values
            .iter()
            .filter(|(name, value)| *name != "sign" && !value.is_empty())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        parts.join("&")
    }
}

/// Checks everything before the business, in the order of the live gateway.
pub(super) fn check(keys: &Keys, params: &Params) -> Result<(), Failure> {
    let missing = |code: &str, text: &str| Failure::new("40001", code, text);
    let invalid = |code: &str, text: &str| Failure::new("40002", code, text);
    if params.get("method").is_none() {
        return Err(missing("isv.missing-method", "缺少方法名参数"));
    }
    match params.get("app_id") {
        None => return Err(missing("isv.missing-app-id", "缺少AppId参数").unsigned()),
        Some(app_id) if app_id != keys.settings.alipay.app_id => {
            return Err(invalid("isv.invalid-app-id", "无效的AppID参数").unsigned());
        }
        Some(_) => {}
    }
    let Some(sign) = params.get("sign") else {
        return Err(missing("isv.missing-signature", "缺少签名参数"));
    };
    match params.get("sign_type") {
        None => return Err(missing("isv.missing-signature-type", "缺少签名类型参数")),
        Some("RSA2") => {}
        Some(_) => return Err(invalid("isv.invalid-signature-type", "无效的签名类型")),
    }
    let text = params.text_to_verify();
    if !keys.alipay.app.accepts(text.as_bytes(), sign) {
        let text = format!(
            "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：{}",
            text.replace('&', "&amp;")
        );
        return Err(invalid("isv.invalid-signature", &text));
    }
    check_certificates(keys, params)?;
    match params.get("timestamp") {
        None => Err(missing("isv.missing-timestamp", "缺少时间戳参数")),
        Some(text) if chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").is_err() => {
            Err(invalid("isv.invalid-timestamp", "非法的时间戳参数"))
        }
        Some(_) => Ok(()),
    }
}

/// In certificate mode both serial numbers must be the ones of the key folder.
fn check_certificates(keys: &Keys, params: &Params) -> Result<(), Failure> {
    let wrong = |name: &str, expected: &str| params.get(name).is_some_and(|sn| sn != expected);
    if wrong("app_cert_sn", &keys.alipay.app_cert_sn) {
        return Err(Failure::new("40002", "isv.invalid-app-cert-sn", "无效的应用公钥证书序列号"));
    }
    if wrong("alipay_root_cert_sn", &keys.alipay.root_cert_sn) {
        return Err(Failure::new("40002", "isv.invalid-root-cert-sn", "无效的支付宝根证书序列号"));
    }
    Ok(())
}

/// How the answer to a request is sealed.
pub(super) struct Seal<'a> {
    keys: &'a Keys,
    certificate_mode: bool,
    /// Sign something else than what is sent.
    pub(super) forged: bool,
}

impl<'a> Seal<'a> {
    /// An application that names its certificate gets the gateway's named back.
    pub(super) fn of(world: &'a World, params: &Params) -> Self {
        let certificate_mode = params.get("app_cert_sn").is_some();
        Self { keys: &world.keys, certificate_mode, forged: false }
    }

    /// The body: node, certificate in certificate mode, signature last.
    pub(super) fn close(&self, name: &str, node: &str) -> String {
        let keys = &self.keys.alipay;
        let signed = if self.forged { "{}" } else { node };
        let body = Object::new().raw(name, node);
        let body =
            if self.certificate_mode { body.text("alipay_cert_sn", &keys.gateway_cert_sn) } else { body };
        body.text("sign", &keys.gateway.sign(signed.as_bytes())).finish()
    }
}

/// A body without signature.
pub(super) fn unsigned(name: &str, node: &str) -> String {
    Object::new().raw(name, node).finish()
}

/// The gateway's certificate, for SDKs that meet a serial they do not know.
pub(super) fn certificate(world: &World) -> String {
    Object::new()
        .text("code", "10000")
        .text("msg", "Success")
        .text("alipay_cert_content", &STANDARD.encode(&world.keys.alipay.gateway_cert_pem))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::{Params, Seal, check};
    use crate::fixtures;

    #[test]
    fn every_recorded_sdk_request_is_accepted() {
        let keys = fixtures::keys();
        let recorded = fixtures::recorded("/gateway.do");
        assert!(recorded.len() >= 7, "three SDKs with refund and query each, and a bill");
        for request in recorded {
            let query = request.target.split_once('?').map_or("", |(_, query)| query);
            let params = Params::merge(query, request.body.as_bytes());
            let refused = check(&keys, &params).err().map(|failure| failure.node());
            assert_eq!(refused, None, "{}", request.name);
        }
    }

    #[test]
    fn a_changed_value_is_refused_with_the_text_that_was_verified() {
        let keys = fixtures::keys();
        let vector = &fixtures::json("vectors/alipay.json")["refund"];
        let query = vector["query_string"].as_str().expect("text").replace("12.34", "12.35");
        let failure = check(&keys, &Params::merge(&query, b"")).expect_err("the amount was changed");
        assert!(failure.node().contains("isv.invalid-signature"));
        assert!(failure.node().contains("&amp;biz_content={\\\"refund_amount\\\":\\\"12.35\\\""));
    }

    #[test]
    fn the_text_to_verify_and_the_answers_equal_the_vectors() {
        let keys = fixtures::keys();
        let vectors = fixtures::json("vectors/alipay.json");
        for name in ["refund", "refund_query"] {
            let params = Params::merge(vectors[name]["query_string"].as_str().expect("text"), b"");
            assert_eq!(params.text_to_verify(), vectors[name]["string_to_sign"].as_str().expect("text"));
        }
        let seal = Seal { keys: &keys, certificate_mode: false, forged: false };
        for name in ["response", "response_error"] {
            let node = vectors[name]["signed_bytes"].as_str().expect("text");
            let body = seal.close("alipay_trade_refund_response", node);
            assert_eq!(body, vectors[name]["http_body"].as_str().expect("text"));
        }
    }

    #[test]
    fn certificate_serial_numbers_equal_the_vectors() {
        let keys = fixtures::keys();
        let expected = &fixtures::json("vectors/alipay.json")["cert_sn"];
        assert_eq!(keys.alipay.app_cert_sn, expected["app_cert_sn"]);
        assert_eq!(keys.alipay.gateway_cert_sn, expected["alipay_cert_sn"]);
        assert_eq!(keys.alipay.root_cert_sn, expected["alipay_root_cert_sn"]);
    }
}
