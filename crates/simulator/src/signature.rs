//! RSA-2048 with SHA-256 and PKCS #1 v1.5, the one signature of all four channels.
//!
//! Key objects are parsed once at start; signing is the dominating cost of an
//! answer, so callers never hold a lock while they sign.

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::keys::KeysError;

/// Whether signatures are made and checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// As in production.
    #[default]
    On,
    /// For benchmarks only: nothing is verified and every signature is the same
    /// constant text, so that the cost of RSA can be subtracted.
    Off,
}

/// Stands where a signature would be while signing is off. Valid base64.
const UNSIGNED: &str = "c2lnbmluZyBpcyBvZmY=";

/// A private key that signs as a gateway does.
pub(crate) struct Signer {
    pair: KeyPair,
    signing: Signing,
}

impl Signer {
    /// Reads a PKCS #8 PEM.
    pub(crate) fn from_pem(pem: &str, signing: Signing) -> Result<Self, KeysError> {
        let der = pem_to_der(pem)?;
        let pair = KeyPair::from_pkcs8(&der).map_err(|_| KeysError::Unusable("a private key"))?;
        Ok(Self { pair, signing })
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

/// A public key that checks what a client sent.
pub(crate) struct Verifier {
    key: ParsedPublicKey,
    signing: Signing,
}

impl Verifier {
    /// Reads a `SubjectPublicKeyInfo` PEM.
    pub(crate) fn from_pem(pem: &str, signing: Signing) -> Result<Self, KeysError> {
        Self::from_spki(&pem_to_der(pem)?, signing)
    }

    /// Takes the key of a certificate in PEM.
    pub(crate) fn from_certificate(pem: &str, signing: Signing) -> Result<Self, KeysError> {
        let der = pem_to_der(pem)?;
        let (_, certificate) =
            x509_parser::parse_x509_certificate(&der).map_err(|_| KeysError::Unusable("a certificate"))?;
        Self::from_spki(certificate.tbs_certificate.subject_pki.raw, signing)
    }

    fn from_spki(der: &[u8], signing: Signing) -> Result<Self, KeysError> {
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der)
            .map_err(|_| KeysError::Unusable("a public key"))?;
        Ok(Self { key, signing })
    }

    /// Whether `signature` (base64) is this key's over `message`.
    pub(crate) fn accepts(&self, message: &[u8], signature: &str) -> bool {
        if self.signing == Signing::Off {
            return true;
        }
        STANDARD.decode(signature.trim()).is_ok_and(|raw| self.key.verify_sig(message, &raw).is_ok())
    }
}

/// The lower-case hexadecimal SHA-256 of `message`.
pub(crate) fn sha256_hex(message: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, message))
}

/// The bytes between the first pair of PEM lines.
pub(crate) fn pem_to_der(pem: &str) -> Result<Vec<u8>, KeysError> {
    let body: String = pem
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .map(str::trim)
        .collect();
    STANDARD.decode(body).map_err(|_| KeysError::Unusable("a PEM file"))
}
