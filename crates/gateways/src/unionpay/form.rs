//! The form on both ways, and its doubly hashed signature.
//!
//! Requests and notifications are url-encoded, answers are not: there a value
//! runs from the first `=` to the next `&`.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};

use crate::doubt::Doubt;
use crate::rsa::SigningKey;

/// Fields by name, values decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(BTreeMap<String, String>);

impl<const N: usize> From<[(&str, &str); N]> for Form {
    fn from(fields: [(&str, &str); N]) -> Self {
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

impl Form {
    /// Reads an answer's body: one line, not url-encoded.
    pub(crate) fn of_answer(body: &[u8]) -> Result<Self, Doubt> {
        let text = std::str::from_utf8(body).map_err(|_| Doubt::unreadable("the answer is not UTF-8"))?;
        let fields = text.split('&').map(|pair| pair.split_once('='));
        let fields: Option<Vec<_>> = fields.collect();
        let fields = fields.ok_or_else(|| Doubt::unreadable("the answer is not a list of fields"))?;
        Self::unique(fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    /// Reads a notification's body: url-encoded.
    pub(crate) fn of_notification(body: &[u8]) -> Result<Self, Doubt> {
        Self::unique(form_urlencoded::parse(body).into_owned())
    }

    /// A name that comes twice could be read in two ways: refused.
    fn unique(fields: impl Iterator<Item = (String, String)>) -> Result<Self, Doubt> {
        let mut form = Self::default();
        for (name, value) in fields {
            if form.0.insert(name, value).is_some() {
                return Err(Doubt::unreadable("the answer has a field twice"));
            }
        }
        Ok(form)
    }

    /// A field; empty when it is missing, as the platform treats both alike.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The 64 characters that are signed: the lower-case SHA-256 of the fields
    /// without `signature` and empty values, sorted by name.
    pub(crate) fn hash(&self) -> String {
        hex::encode(digest(&SHA256, self.string_to_sign().as_bytes()))
    }

    fn string_to_sign(&self) -> String {
        let fields = self.0.iter().filter(|(name, value)| *name != "signature" && !value.is_empty());
        fields.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    /// Adds `signature`.
    pub(crate) fn sign(&mut self, key: &SigningKey) {
        let signature = key.sign(self.hash().as_bytes());
        self.0.insert("signature".to_owned(), signature);
    }

    /// `application/x-www-form-urlencoded`.
    pub(crate) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::Form;
    use crate::rsa::{Signing, SigningKey};

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/unionpay.json")).unwrap()
    }

    fn form(params: &Value) -> Form {
        Form(serde_json::from_value(params.clone()).unwrap())
    }

    #[test]
    fn requests_are_signed_byte_for_byte_as_two_sdks_sign_them() {
        let vectors = vectors();
        let pem = vectors["keys"]["merchant_key.pem"].as_str().unwrap();
        let key = SigningKey::from_pem(pem, Signing::On).unwrap();
        for name in ["refund", "query"] {
            let vector = &vectors[name];
            let mut form = form(&vector["params"]).with("reqReserved", "");
            assert_eq!(form.string_to_sign(), vector["string_to_sign"].as_str().unwrap(), "{name}");
            assert_eq!(form.hash(), vector["sha256_hex"].as_str().unwrap(), "{name}");
            form.sign(&key);
            assert_eq!(form.get("signature"), vector["signature"].as_str().unwrap(), "{name}");
        }
    }

    #[test]
    fn answers_are_read_raw_and_notifications_decoded() {
        let vectors = vectors();
        for name in ["refund_response", "query_response"] {
            let body = vectors[name]["raw_body_not_urlencoded"].as_str().unwrap();
            assert_eq!(Form::of_answer(body.as_bytes()).unwrap(), form(&vectors[name]["params"]), "{name}");
        }
        let body = vectors["notify"]["http_body_urlencoded"].as_str().unwrap();
        assert_eq!(Form::of_notification(body.as_bytes()).unwrap(), form(&vectors["notify"]["params"]));
    }

    #[test]
    fn what_is_not_a_form_is_unreadable() {
        for body in [&b"<html>"[..], b"", b"a=1&b", b"a=1&a=2", b"a=\xff"] {
            assert!(Form::of_answer(body).is_err(), "{body:?}");
        }
    }
}
