//! What the wires need to know of a certificate: serials, dates, Alipay's SN.

use md5::{Digest as _, Md5};
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::OID_PKCS1_RSAENCRYPTION;
use x509_parser::pem::Pem;

use super::KeysError;

/// The life of a certificate.
pub(crate) struct Facts {
    /// Unix milliseconds.
    pub(crate) not_before_ms: i64,
    /// Unix milliseconds.
    pub(crate) not_after_ms: i64,
}

impl Facts {
    /// Reads the first certificate of a PEM text.
    pub(crate) fn of(pem: &str) -> Result<Self, KeysError> {
        first(pem, |certificate| Self {
            not_before_ms: certificate.validity().not_before.timestamp() * 1000,
            not_after_ms: certificate.validity().not_after.timestamp() * 1000,
        })
    }
}

/// Alipay's certificate SN: the MD5 of the issuer, written from the common name
/// outwards, followed by the decimal serial. A file of several certificates (the
/// root file) gives the SNs of its RSA ones joined by `_`.
pub(crate) fn alipay_sn(pem: &str) -> Result<String, KeysError> {
    let mut serial_numbers = Vec::new();
    for entry in Pem::iter_from_buffer(pem.as_bytes()) {
        let entry = entry.map_err(|_| KeysError::Unusable("a certificate"))?;
        let certificate = entry.parse_x509().map_err(|_| KeysError::Unusable("a certificate"))?;
        let algorithm = &certificate.tbs_certificate.subject_pki.algorithm.algorithm;
        if *algorithm == OID_PKCS1_RSAENCRYPTION {
            serial_numbers.push(sn(&certificate));
        }
    }
    Ok(serial_numbers.join("_"))
}

fn sn(certificate: &X509Certificate<'_>) -> String {
    let mut parts: Vec<String> = certificate
        .issuer()
        .iter_attributes()
        .filter_map(|attribute| {
            let name =
                x509_parser::objects::oid2abbrev(attribute.attr_type(), x509_parser::objects::oid_registry())
                    .ok()?;
            Some(format!("{name}={}", attribute.as_str().ok()?))
        })
        .collect();
    parts.reverse();
    let text = format!("{}{}", parts.join(","), certificate.tbs_certificate.serial);
    hex::encode(Md5::digest(text.as_bytes()))
}

fn first<T>(pem: &str, read: impl Fn(&X509Certificate<'_>) -> T) -> Result<T, KeysError> {
    let der = crate::signature::pem_to_der(pem)?;
    let (_, certificate) =
        x509_parser::parse_x509_certificate(&der).map_err(|_| KeysError::Unusable("a certificate"))?;
    Ok(read(&certificate))
}
