//! Trust in the certificate that every answer brings along.
//!
//! `signPubKeyCert` must be issued by the middle certificate of the settings, which
//! the root of the settings issued; it must be valid now and name `UnionPay`. Only
//! then is its key asked about the signature.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::certificate::Certificate;
use crate::doubt::Doubt;
use crate::key_folder::SettingsError;
use crate::rsa::{Signing, VerifyingKey};
use crate::settings::{UnionPaySettings, UnionPaySigner};
use crate::unionpay::form::Form;

const PRODUCTION_NAME: &str = "中国银联股份有限公司";
const TEST_NAME: &str = "00040000:SIGN";

/// Verified certificates that are remembered. `UnionPay` uses one at a time.
const REMEMBERED_MAX: usize = 16;

/// Checks answers and notifications.
pub(super) struct Chain {
    middle: Certificate,
    root: Certificate,
    signer: UnionPaySigner,
    signing: Signing,
    /// By PEM text. Validity is checked again at every use.
    remembered: Mutex<HashMap<String, Arc<Signer>>>,
}

struct Signer {
    certificate: Certificate,
    key: VerifyingKey,
}

impl Chain {
    pub(super) fn new(settings: &UnionPaySettings, signing: Signing) -> Result<Self, SettingsError> {
        let middle = Certificate::from_pem(&settings.middle)
            .map_err(SettingsError::key("UnionPay middle certificate"))?;
        let root =
            Certificate::from_pem(&settings.root).map_err(SettingsError::key("UnionPay root certificate"))?;
        if !middle.is_issued_by(&root) {
            return Err(SettingsError::Value("the UnionPay root did not issue the middle certificate"));
        }
        Ok(Self { middle, root, signer: settings.signer, signing, remembered: Mutex::default() })
    }

    /// Checks certificate and signature of a form at a moment in Unix seconds.
    pub(super) fn verify(&self, form: &Form, now: i64) -> Result<(), Doubt> {
        let signer = self.signer(form.get("signPubKeyCert"))?;
        if ![&signer.certificate, &self.middle, &self.root].iter().all(|it| it.is_valid_at(now)) {
            return Err(Doubt::signature("a certificate of the chain is not valid now"));
        }
        signer
            .key
            .verify(form.hash().as_bytes(), form.get("signature"))
            .map_err(|_| Doubt::signature("the signature does not hold"))
    }

    fn signer(&self, pem: &str) -> Result<Arc<Signer>, Doubt> {
        let known = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(pem).cloned();
        if let Some(signer) = known {
            return Ok(signer);
        }
        let certificate =
            Certificate::from_pem(pem).map_err(|_| Doubt::signature("the answer brings no certificate"))?;
        if !certificate.is_issued_by(&self.middle) {
            return Err(Doubt::signature("the certificate is not issued by the middle certificate"));
        }
        if !self.is_unionpay(&certificate) {
            return Err(Doubt::signature("the certificate does not name UnionPay"));
        }
        let key = certificate
            .key(self.signing)
            .map_err(|_| Doubt::signature("the certificate has no usable key"))?;
        let signer = Arc::new(Signer { certificate, key });
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(pem.to_owned(), signer.clone());
        Ok(signer)
    }

    /// The third `@` part of the common name is `UnionPay`'s.
    fn is_unionpay(&self, certificate: &Certificate) -> bool {
        let name = certificate.common_name().unwrap_or_default();
        match name.split('@').nth(2) {
            Some(PRODUCTION_NAME) => true,
            Some(TEST_NAME) => self.signer == UnionPaySigner::Test,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::Chain;
    use crate::rsa::Signing;
    use crate::settings::{UnionPaySettings, UnionPaySigner};
    use crate::unionpay::form::Form;

    const NOW: i64 = 1_795_399_200;
    const MERCHANT: &str = include_str!("../../tests/keys/unionpay/merchant_cert.pem");
    const STRANGER: &str = include_str!("../../tests/keys/alipay/gateway_cert.pem");
    const MIDDLE: &str = include_str!("../../tests/keys/unionpay/middle.cer");
    const ROOT: &str = include_str!("../../tests/keys/unionpay/root.cer");

    fn chain(middle: &str, root: &str) -> Option<Chain> {
        let settings = UnionPaySettings {
            base_url: String::new(),
            file_base_url: String::new(),
            mer_id: String::new(),
            merchant_certificate: String::new(),
            merchant_key: String::new().into(),
            middle: middle.to_owned(),
            root: root.to_owned(),
            signer: UnionPaySigner::Production,
            notify_url: None,
        };
        Chain::new(&settings, Signing::On).ok()
    }

    fn answer() -> Form {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/unionpay.json")).unwrap();
        let body = vectors["refund_response"]["raw_body_not_urlencoded"].as_str().unwrap();
        Form::of_answer(body.as_bytes()).unwrap()
    }

    #[test]
    fn only_an_unchanged_answer_under_the_right_certificate_is_believed() {
        let chain = chain(MIDDLE, ROOT).unwrap();
        for round in ["first", "remembered"] {
            assert_eq!(chain.verify(&answer(), NOW), Ok(()), "{round}");
        }
        for (name, form, now) in [
            ("amount", answer().with("txnAmt", "1235"), NOW),
            ("added field", answer().with("zzz", "1"), NOW),
            ("no signature", answer().with("signature", ""), NOW),
            ("no certificate", answer().with("signPubKeyCert", ""), NOW),
            ("right issuer, wrong name", answer().with("signPubKeyCert", MERCHANT), NOW),
            ("another issuer", answer().with("signPubKeyCert", STRANGER), NOW),
            ("before its time", answer(), 1_600_000_000),
            ("after its time", answer(), 4_000_000_000),
        ] {
            assert!(chain.verify(&form, now).is_err(), "{name}");
        }
    }

    #[test]
    fn a_chain_that_does_not_hang_together_is_refused_at_start() {
        for (name, middle, root) in
            [("stranger", MIDDLE, STRANGER), ("no root", MIDDLE, ""), ("no middle", "", ROOT)]
        {
            assert!(chain(middle, root).is_none(), "{name}");
        }
    }
}
