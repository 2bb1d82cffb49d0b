//! RSA-2048 with SHA-256 and PKCS #1 v1.5: the one signature of all four channels.
//!
//! Keys are parsed once at start. The signature scheme is deterministic, so the
//! tests compare it byte by byte with signatures that other programs made.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::pem::Pem;

/// Whether signatures are made and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// As in production.
    #[default]
    On,
    /// For benchmarks only, against a simulator on the loopback address that
    /// does the same: every signature is one constant text and every check passes,
    /// so that the cost of RSA can be subtracted.
    Off,
}

/// Stands where a signature would be while signing is off. Valid base64.
const UNSIGNED: &str = "c2lnbmluZyBpcyBvZmY=";

/// A key or certificate that cannot be used. Says nothing of its contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a usable {0}")]
pub struct BadKey(pub(crate) &'static str);

/// A signature that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub(crate) struct BadSignature;

/// Our private key for one channel. Has no `Debug`: it cannot be printed.
pub(crate) struct SigningKey {
    pair: KeyPair,
    signing: Signing,
}

impl SigningKey {
    /// Reads a PEM of PKCS #8 (`PRIVATE KEY`) or PKCS #1 (`RSA PRIVATE KEY`).
    pub(crate) fn from_pem(pem: &str, signing: Signing) -> Result<Self, BadKey> {
        let bad = BadKey("RSA private key in PEM");
        let block = first_block(pem).ok_or(bad)?;
        let pair = match block.label.as_str() {
            "PRIVATE KEY" => KeyPair::from_pkcs8(&block.contents),
            "RSA PRIVATE KEY" => KeyPair::from_der(&block.contents),
            _ => return Err(bad),
        };
        Ok(Self { pair: pair.map_err(|_| bad)?, signing })
    }

    /// The signature of `message` in standard base64 without line breaks.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        if self.signing == Signing::Off {
            return UNSIGNED.to_owned();
        }
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("the buffer has the length of the modulus");
        STANDARD.encode(signature)
    }
}

/// A channel's public key.
pub(crate) struct VerifyingKey {
    key: ParsedPublicKey,
    signing: Signing,
}

impl VerifyingKey {
    /// Reads a PEM of a public key.
    pub(crate) fn from_pem(pem: &str, signing: Signing) -> Result<Self, BadKey> {
        let bad = BadKey("RSA public key in PEM");
        let block = first_block(pem).filter(|block| block.label == "PUBLIC KEY").ok_or(bad)?;
        Self::from_der(&block.contents, signing)
    }

    /// Reads a `SubjectPublicKeyInfo` or an `RSAPublicKey` in DER.
    pub(crate) fn from_der(der: &[u8], signing: Signing) -> Result<Self, BadKey> {
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der)
            .map_err(|_| BadKey("RSA public key of 2048 bits or more"))?;
        Ok(Self { key, signing })
    }

    /// Checks a base64 signature of `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &str) -> Result<(), BadSignature> {
        if self.signing == Signing::Off {
            return Ok(());
        }
        let signature = STANDARD.decode(signature).map_err(|_| BadSignature)?;
        self.verify_raw(message, &signature)
    }

    /// Checks a signature of `message`, whatever the switch of the benchmark says.
    pub(crate) fn verify_raw(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.key.verify_sig(message, signature).map_err(|_| BadSignature)
    }
}

/// The first block of a PEM text.
pub(crate) fn first_block(pem: &str) -> Option<Pem> {
    Pem::iter_from_buffer(pem.as_bytes()).next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::{BadSignature, Signing, SigningKey, VerifyingKey};

    const PKCS8: &str = include_str!("../tests/keys/alipay/app_private_pkcs8.pem");
    const PKCS1: &str = include_str!("../tests/keys/alipay/app_private_pkcs1.pem");
    const PUBLIC: &str = include_str!("../tests/keys/alipay/app_public.pem");
    const OTHER: &str = include_str!("../tests/keys/alipay/gateway_public.pem");

    #[test]
    fn both_forms_of_a_private_key_make_the_same_signature() {
        let [pkcs8, pkcs1] = [PKCS8, PKCS1].map(|pem| SigningKey::from_pem(pem, Signing::On).unwrap());
        let signature = pkcs8.sign(b"12.34");
        assert_eq!(signature, pkcs1.sign(b"12.34"));
        let key = VerifyingKey::from_pem(PUBLIC, Signing::On).unwrap();
        let other = VerifyingKey::from_pem(OTHER, Signing::On).unwrap();
        assert_eq!(key.verify(b"12.34", &signature), Ok(()));
        for (key, message, signature) in [
            (&key, &b"12.35"[..], signature.as_str()),
            (&key, b"12.34", ""),
            (&key, b"12.34", "not base64!"),
            (&key, b"12.34", "WECHATPAY/SIGNTEST/abc"),
            (&other, b"12.34", signature.as_str()),
        ] {
            assert_eq!(key.verify(message, signature), Err(BadSignature), "{signature}");
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        for pem in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", PUBLIC] {
            assert!(SigningKey::from_pem(pem, Signing::On).is_err(), "{pem}");
        }
        for pem in ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", PKCS8] {
            assert!(VerifyingKey::from_pem(pem, Signing::On).is_err(), "{pem}");
        }
    }
}
