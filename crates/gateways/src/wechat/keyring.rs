//! The keys under which the platform signs, by serial number.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::certificate::Certificate;
use crate::doubt::Doubt;
use crate::key_folder::SettingsError;
use crate::rsa::{BadKey, Signing, VerifyingKey};
use crate::settings::WeChatTrust;
use crate::wechat::envelope::Signed;

/// A key and how long it may be used.
#[derive(Clone)]
struct Entry {
    key: Arc<VerifyingKey>,
    /// Unix seconds; public keys do not expire.
    expires_at: Option<i64>,
}

/// The keys; certificates are added while the adapter runs.
pub(super) struct Keyring {
    keys: RwLock<HashMap<String, Entry>>,
    signing: Signing,
}

impl Keyring {
    pub(super) fn new(trust: &WeChatTrust, signing: Signing) -> Result<Self, SettingsError> {
        let keyring = Self { keys: RwLock::default(), signing };
        let certificates = match trust {
            WeChatTrust::PublicKey { id, pem, certificates } => {
                let key =
                    VerifyingKey::from_pem(pem, signing).map_err(SettingsError::key("WeChat public key"))?;
                keyring.put(id.clone(), Entry { key: Arc::new(key), expires_at: None });
                certificates
            }
            WeChatTrust::Certificates(certificates) => certificates,
        };
        for pem in certificates {
            keyring.add(pem).map_err(SettingsError::key("WeChat platform certificate"))?;
        }
        Ok(keyring)
    }

    /// Adds a platform certificate; gives its serial.
    pub(super) fn add(&self, pem: &str) -> Result<String, BadKey> {
        let certificate = Certificate::from_pem(pem)?;
        let serial = certificate.serial_hex();
        let key = Arc::new(certificate.key(self.signing)?);
        self.put(serial.clone(), Entry { key, expires_at: Some(certificate.expires_at()) });
        Ok(serial)
    }

    /// A key with this serial is there.
    pub(super) fn knows(&self, serial: &str) -> bool {
        self.get(serial).is_some()
    }

    /// Checks a signature at a moment in Unix seconds. The time of the message
    /// itself is the caller's to check.
    pub(super) fn verify(&self, signed: &Signed<'_>, body: &[u8], now: i64) -> Result<(), Doubt> {
        let entry = self
            .get(signed.serial)
            .ok_or_else(|| Doubt::signature("the answer is signed under an unknown serial"))?;
        if entry.expires_at.is_some_and(|end| now > end) {
            return Err(Doubt::signature("the platform certificate has expired"));
        }
        entry
            .key
            .verify(&signed.string_to_verify(body), signed.signature)
            .map_err(|_| Doubt::signature("the signature does not hold"))
    }

    fn get(&self, serial: &str) -> Option<Entry> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(serial).or_else(|| keys.get(&serial.to_uppercase())).cloned()
    }

    fn put(&self, serial: String, entry: Entry) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(serial, entry);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::Keyring;
    use crate::rsa::Signing;
    use crate::settings::WeChatTrust;
    use crate::wechat::envelope::Signed;

    const CERTIFICATE: &str = include_str!("../../tests/keys/wechat/platform_cert.pem");
    const PUBLIC_KEY: &str = include_str!("../../tests/keys/wechat/wxp_pub.pem");

    #[test]
    fn the_answer_of_the_vectors_verifies_and_a_changed_one_does_not() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/wechat.json")).unwrap();
        let response = &vectors["response"];
        let header = |name: &str| response["headers"][name].as_str().unwrap();
        let signed = Signed {
            timestamp: header("Wechatpay-Timestamp"),
            nonce: header("Wechatpay-Nonce"),
            serial: header("Wechatpay-Serial"),
            signature: header("Wechatpay-Signature"),
        };
        let body = response["body"].as_str().unwrap();
        assert_eq!(
            signed.string_to_verify(body.as_bytes()),
            response["string_to_verify"].as_str().unwrap().as_bytes()
        );
        let trust = WeChatTrust::PublicKey {
            id: signed.serial.to_owned(),
            pem: PUBLIC_KEY.to_owned(),
            certificates: Vec::new(),
        };
        let keyring = Keyring::new(&trust, Signing::On).unwrap();
        let now = 1_795_399_201;
        assert_eq!(keyring.verify(&signed, body.as_bytes(), now), Ok(()));
        let changed = body.replace("1234", "1235");
        assert!(keyring.verify(&signed, changed.as_bytes(), now).is_err());
        let stranger = Signed { serial: "PUB_KEY_ID_0", ..signed };
        assert!(keyring.verify(&stranger, body.as_bytes(), now).is_err());
    }

    #[test]
    fn a_serial_is_found_in_either_case_and_ends_with_its_certificate() {
        let keyring =
            Keyring::new(&WeChatTrust::Certificates(vec![CERTIFICATE.to_owned()]), Signing::Off).unwrap();
        let signed = |serial| Signed { timestamp: "", nonce: "", serial, signature: "s" };
        for (serial, now, expected) in [
            ("4BD1A7E23C5F60718293A4B5C6D7E8F90A1B2C3D", 1_795_399_201, true),
            ("4bd1a7e23c5f60718293a4b5c6d7e8f90a1b2c3d", 1_795_399_201, true),
            ("4BD1A7E23C5F60718293A4B5C6D7E8F90A1B2C3D", 4_000_000_000, false),
            ("4BD1", 1_795_399_201, false),
            ("", 1_795_399_201, false),
        ] {
            assert_eq!(keyring.verify(&signed(serial), b"", now).is_ok(), expected, "{serial} {now}");
        }
    }
}
