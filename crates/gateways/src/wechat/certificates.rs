//! What is encrypted under our `APIv3` key: platform certificates, notifications.
//!
//! Only the platform and we know that key, so a certificate that it encrypts is
//! the platform's. This is how the first certificate comes to be trusted.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::doubt::Doubt;
use crate::key_folder::SettingsError;
use crate::wechat::envelope::Signed;
use crate::wechat::{FETCH_EVERY, WeChat};
use crate::wire::Request;

/// The `APIv3` key.
pub(super) struct Seal(LessSafeKey);

/// An encrypted part of a message.
#[derive(Debug, Deserialize)]
pub(super) struct Sealed {
    algorithm: String,
    nonce: String,
    #[serde(default)]
    associated_data: String,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Certificates {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    serial_no: String,
    encrypt_certificate: Sealed,
}

impl Seal {
    pub(super) fn new(apiv3_key: &SecretString) -> Result<Self, SettingsError> {
        UnboundKey::new(&AES_256_GCM, apiv3_key.expose_secret().as_bytes())
            .map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| SettingsError::Value("the WeChat APIv3 key has not 32 bytes"))
    }

    /// Decrypts and authenticates.
    pub(super) fn open(&self, sealed: &Sealed) -> Result<Vec<u8>, Doubt> {
        if sealed.algorithm != "AEAD_AES_256_GCM" {
            return Err(Doubt::unreadable("the resource has another algorithm"));
        }
        let wrong = || Doubt::signature("the resource is not encrypted under our APIv3 key");
        let nonce = Nonce::try_assume_unique_for_key(sealed.nonce.as_bytes()).map_err(|_| wrong())?;
        let mut text = STANDARD.decode(&sealed.ciphertext).map_err(|_| wrong())?;
        let aad = Aad::from(sealed.associated_data.as_bytes());
        let length = self.0.open_in_place(nonce, aad, &mut text).map_err(|_| wrong())?.len();
        text.truncate(length);
        Ok(text)
    }
}

impl WeChat {
    /// Fetches the platform certificates, unless that was done a moment ago.
    ///
    /// The answer must be signed by one of the certificates that it brings.
    pub(super) async fn fetch_certificates(&self, now: i64) -> Result<(), Doubt> {
        let mut fetched_at = self.fetched_at.lock().await;
        if fetched_at.is_some_and(|at| now - at < FETCH_EVERY) {
            return Ok(());
        }
        *fetched_at = Some(now);
        let answer = self.send(Request::get("/v3/certificates")).await.map_err(|doubt| match doubt {
            Doubt::NotSent(_) => Doubt::signature("the platform certificates cannot be fetched"),
            doubt @ Doubt::Unknown { .. } => doubt,
        })?;
        if !answer.is_success() {
            return Err(Doubt::signature("the platform certificates were refused"));
        }
        let signed = Signed::of(&answer);
        signed.check_time(now)?;
        for pem in self.unseal(&answer.body)? {
            self.keyring.add(&pem).map_err(|_| Doubt::unreadable("a platform certificate"))?;
        }
        self.keyring.verify(&signed, &answer.body, now)
    }

    pub(crate) fn unseal(&self, body: &[u8]) -> Result<Vec<String>, Doubt> {
        let unreadable = || Doubt::unreadable("the list of platform certificates");
        let Certificates { data } = serde_json::from_slice(body).map_err(|_| unreadable())?;
        let mut pems = Vec::with_capacity(data.len());
        for item in data {
            let pem =
                String::from_utf8(self.seal.open(&item.encrypt_certificate)?).map_err(|_| unreadable())?;
            let certificate = crate::certificate::Certificate::from_pem(&pem).map_err(|_| unreadable())?;
            if !certificate.serial_hex().eq_ignore_ascii_case(&item.serial_no) {
                return Err(unreadable());
            }
            pems.push(pem);
        }
        Ok(pems)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;
    use serde_json::{Value, json};

    use super::{Seal, Sealed};

    fn sealed(vector: &Value) -> Sealed {
        serde_json::from_value(json!({
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": vector["nonce"],
            "associated_data": vector["associated_data"],
            "ciphertext": vector["ciphertext"],
        }))
        .unwrap()
    }

    #[test]
    fn the_encrypted_certificate_of_the_vectors_opens_and_a_changed_one_does_not() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/wechat.json")).unwrap();
        let vector = &vectors["certificates"]["aes_256_gcm"];
        let seal = Seal::new(&SecretString::from(vector["key"].as_str().unwrap())).unwrap();
        let plain = seal.open(&sealed(vector)).unwrap();
        assert_eq!(plain, vector["plaintext"].as_str().unwrap().as_bytes());
        for (field, value) in [
            ("nonce", "61f9c719728b"),
            ("nonce", "short"),
            ("associated_data", "refund"),
            ("ciphertext", "AAAA"),
            ("ciphertext", "?"),
        ] {
            let mut changed = vector.clone();
            changed[field] = json!(value);
            assert!(seal.open(&sealed(&changed)).is_err(), "{field} {value}");
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert!(Seal::new(&SecretString::from("too short")).is_err());
    }
}
