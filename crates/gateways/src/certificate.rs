//! X.509 certificates, as far as the channels use them.

use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

use crate::rsa::{BadKey, Signing, VerifyingKey, first_block};

/// A certificate that was parsed once and found whole.
pub(crate) struct Certificate {
    der: Vec<u8>,
}

/// The signature algorithm of the channels' certificates: `sha256WithRSAEncryption`.
const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";

/// The name attributes in the order of Alipay's issuer text.
const NAME_PARTS: [(&str, &str); 4] =
    [("CN", "2.5.4.3"), ("OU", "2.5.4.11"), ("O", "2.5.4.10"), ("C", "2.5.4.6")];

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, BadKey> {
        first_block(pem).and_then(Self::from_block).ok_or(BadKey("certificate in PEM"))
    }

    /// Reads every certificate of a PEM text, skipping other blocks.
    pub(crate) fn all_from_pem(pem: &str) -> Vec<Self> {
        Pem::iter_from_buffer(pem.as_bytes()).flatten().filter_map(Self::from_block).collect()
    }

    fn from_block(block: Pem) -> Option<Self> {
        let whole = block.label == "CERTIFICATE" && X509Certificate::from_der(&block.contents).is_ok();
        whole.then_some(Self { der: block.contents })
    }

    fn parsed(&self) -> X509Certificate<'_> {
        X509Certificate::from_der(&self.der).expect("it was parsed when it was read").1
    }

    /// The key that it certifies.
    pub(crate) fn key(&self, signing: Signing) -> Result<VerifyingKey, BadKey> {
        VerifyingKey::from_der(self.parsed().public_key().raw, signing)
    }

    /// The serial in upper-case hexadecimal without leading zeros, as `WeChat` writes it.
    pub(crate) fn serial_hex(&self) -> String {
        self.parsed().serial.to_str_radix(16).to_uppercase()
    }

    /// The serial in decimal, as `UnionPay` (`certId`) and Alipay write it.
    pub(crate) fn serial_decimal(&self) -> String {
        self.parsed().serial.to_str_radix(10)
    }

    /// `CN=..,OU=..,O=..,C=..` of the issuer.
    pub(crate) fn issuer_text(&self) -> String {
        let parsed = self.parsed();
        let parts = NAME_PARTS.iter().filter_map(|(label, oid)| {
            let of_kind = |part: &&x509_parser::x509::AttributeTypeAndValue<'_>| {
                part.attr_type().to_id_string() == *oid
            };
            let part = parsed.issuer().iter_attributes().find(of_kind)?;
            Some(format!("{label}={}", part.as_str().ok()?))
        });
        parts.collect::<Vec<_>>().join(",")
    }

    /// The subject's common name.
    pub(crate) fn common_name(&self) -> Option<String> {
        let parsed = self.parsed();
        let mut names = parsed.subject().iter_common_name();
        let name = names.next()?.as_str().ok()?.to_owned();
        names.next().is_none().then_some(name)
    }

    /// Signed with RSA, as Alipay's root serial number counts them.
    pub(crate) fn is_rsa_signed(&self) -> bool {
        self.parsed().signature_algorithm.algorithm.to_id_string().starts_with("1.2.840.113549.1.1.")
    }

    /// Valid at a moment in Unix seconds.
    pub(crate) fn is_valid_at(&self, unix: i64) -> bool {
        ASN1Time::from_timestamp(unix).is_ok_and(|at| self.parsed().validity().is_valid_at(at))
    }

    /// The last moment of its validity in Unix seconds.
    pub(crate) fn expires_at(&self) -> i64 {
        self.parsed().validity().not_after.timestamp()
    }

    /// Issued and signed by `issuer`, which is allowed to issue.
    pub(crate) fn is_issued_by(&self, issuer: &Self) -> bool {
        let (child, parent) = (self.parsed(), issuer.parsed());
        let named = child.issuer().as_raw() == parent.subject().as_raw();
        let algorithm = child.signature_algorithm.algorithm.to_id_string() == SHA256_WITH_RSA;
        let Ok(key) = VerifyingKey::from_der(parent.public_key().raw, Signing::On) else { return false };
        let signed = key.verify_raw(child.tbs_certificate.as_ref(), &child.signature_value.data).is_ok();
        named && algorithm && parent.is_ca() && signed
    }
}

#[cfg(test)]
mod tests {
    use super::Certificate;

    const ROOT: &str = include_str!("../tests/keys/unionpay/root.cer");
    const MIDDLE: &str = include_str!("../tests/keys/unionpay/middle.cer");
    const SIGNER: &str = include_str!("../tests/keys/unionpay/gateway_sign_cert.pem");
    const STRANGER: &str = include_str!("../tests/keys/alipay/root_cert.pem");

    #[test]
    fn a_certificate_is_issued_by_its_issuer_alone() {
        let [root, middle, signer, stranger] =
            [ROOT, MIDDLE, SIGNER, STRANGER].map(|pem| Certificate::from_pem(pem).unwrap());
        for (child, parent, expected) in [
            (&signer, &middle, true),
            (&middle, &root, true),
            (&root, &root, true),
            (&signer, &root, false),
            (&middle, &signer, false),
            (&signer, &signer, false),
            (&middle, &stranger, false),
        ] {
            assert_eq!(child.is_issued_by(parent), expected);
        }
    }

    #[test]
    fn serials_and_names_read_as_the_channels_write_them() {
        let signer = Certificate::from_pem(SIGNER).unwrap();
        assert_eq!(signer.serial_decimal(), "69026276696");
        assert_eq!(signer.serial_hex(), "1012496558");
        assert_eq!(signer.issuer_text(), "CN=Sim CFCA OCA,OU=Sim,O=Sim CFCA,C=CN");
        assert_eq!(signer.common_name().as_deref(), Some("041@Z12@中国银联股份有限公司@00000001"));
    }

    #[test]
    fn validity_has_a_beginning_and_an_end() {
        let signer = Certificate::from_pem(SIGNER).unwrap();
        for (unix, expected) in
            [(1_600_000_000, false), (1_795_399_200, true), (signer.expires_at() + 1, false)]
        {
            assert_eq!(signer.is_valid_at(unix), expected, "{unix}");
        }
    }
}
