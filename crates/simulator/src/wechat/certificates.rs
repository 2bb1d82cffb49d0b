//! `GET /v3/certificates`, and the AEAD that notifications share with it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::clock::rfc3339;
use crate::json_text::Object;
use crate::keys::Keys;
use crate::nonce::random_hex;

/// The platform certificate, encrypted under the merchant's `APIv3` key.
pub(super) fn list(keys: &Keys) -> String {
    let certificate = &keys.wechat.platform_cert;
    let plaintext = keys.wechat.platform_cert_pem.as_bytes();
    let encrypted = encrypt(&keys.settings.wechat.apiv3_key, "certificate", plaintext).object().finish();
    let entry = Object::new()
        .text("serial_no", &keys.settings.wechat.platform_serial)
        .text("effective_time", &rfc3339(certificate.not_before_ms))
        .text("expire_time", &rfc3339(certificate.not_after_ms))
        .raw("encrypt_certificate", &encrypted)
        .finish();
    Object::new().raw("data", &format!("[{entry}]")).finish()
}

/// What AES-256-GCM made of a text.
pub(crate) struct Encrypted {
    associated_data: &'static str,
    nonce: String,
    ciphertext: String,
}

impl Encrypted {
    /// The members `algorithm`, `nonce`, `associated_data`, `ciphertext`.
    pub(crate) fn object(&self) -> Object {
        Object::new()
            .text("algorithm", "AEAD_AES_256_GCM")
            .text("nonce", &self.nonce)
            .text("associated_data", self.associated_data)
            .text("ciphertext", &self.ciphertext)
    }
}

/// Encrypts under the 32 ASCII characters of `key`; the nonce is 12 ASCII
/// characters, and the tag follows the ciphertext.
pub(crate) fn encrypt(key: &str, associated_data: &'static str, plaintext: &[u8]) -> Encrypted {
    let nonce = random_hex(6);
    let ciphertext = encrypt_with(key, &nonce, (associated_data, plaintext));
    Encrypted { associated_data, nonce, ciphertext }
}

fn encrypt_with(key: &str, nonce: &str, (associated_data, plaintext): (&str, &[u8])) -> String {
    let key = UnboundKey::new(&AES_256_GCM, key.as_bytes()).expect("the APIv3 key has 32 bytes");
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).expect("the nonce has 12 bytes");
    let mut bytes = plaintext.to_vec();
    LessSafeKey::new(key)
        .seal_in_place_append_tag(nonce, Aad::from(associated_data.as_bytes()), &mut bytes)
        .expect("the plaintext is far below the limit of the cipher");
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::encrypt_with;
    use crate::fixtures;

    #[test]
    fn ciphertexts_equal_the_vectors() {
        let vectors = fixtures::json("vectors/wechat.json");
        for name in ["certificates", "notify"] {
            let vector = &vectors[name]["aes_256_gcm"];
            let text = |member: &str| vector[member].as_str().expect("text");
            let plaintext = text("plaintext").as_bytes();
            let made = encrypt_with(text("key"), text("nonce"), (text("associated_data"), plaintext));
            assert_eq!(made, text("ciphertext"), "{name}");
        }
    }
}
