//! The serial numbers of certificate mode: an MD5 over issuer and serial.
//!
//! MD5 is the platform's choice and only names a certificate; trust comes from
//! its signature.

use md5::{Digest as _, Md5};

use crate::certificate::Certificate;

/// The SN of one certificate: 32 hexadecimal digits.
pub(super) fn of(certificate: &Certificate) -> String {
    let text = format!("{}{}", certificate.issuer_text(), certificate.serial_decimal());
    hex::encode(Md5::digest(text))
}

/// The SN of a file of roots: those of the RSA-signed ones, joined by `_`.
pub(super) fn of_roots(roots: &[Certificate]) -> String {
    let numbers = roots.iter().filter(|root| root.is_rsa_signed()).map(of);
    numbers.collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use crate::certificate::Certificate;

    #[test]
    fn serial_numbers_equal_those_that_the_sdk_computes() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/vectors/alipay.json")).unwrap();
        let keys = &vectors["keys"];
        let expected = &vectors["cert_sn"];
        for (certificate, number) in [("app_cert", "app_cert_sn"), ("gateway_cert", "alipay_cert_sn")] {
            let certificate = Certificate::from_pem(keys[certificate].as_str().unwrap()).unwrap();
            assert_eq!(super::of(&certificate), expected[number].as_str().unwrap(), "{number}");
        }
        let roots = Certificate::all_from_pem(keys["root_cert"].as_str().unwrap());
        assert_eq!(super::of_roots(&roots), expected["alipay_root_cert_sn"].as_str().unwrap());
    }
}
