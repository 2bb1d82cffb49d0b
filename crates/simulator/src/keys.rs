//! The key folder: one throw-away key set for both sides of all four channels.
//!
//! The layout (folder per channel, `settings.json`) is fixed, because adapters
//! and foreign SDKs are pointed at the same files. A folder without
//! `settings.json` is filled by [`Keys::generate`]; the simulator itself reads
//! its own private keys and the public halves of the merchant's.

mod certificate;
mod generate;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use certificate::Facts;
pub use settings::{AlipaySettings, BankSettings, Settings, UnionPaySettings, WechatSettings};

use crate::signature::{Signer, Signing, Verifier};

/// Why a key folder could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file could not be read or written; the path says which.
    #[error("{path}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is there but holds something else than what is named here.
    #[error("{0} could not be read")]
    Unusable(&'static str),
    /// `settings.json` does not have the expected fields.
    #[error("settings.json")]
    Settings(#[from] serde_json::Error),
    /// The certificate library refused.
    #[error("a certificate could not be made")]
    Certificate(#[from] rcgen::Error),
}

/// A key folder, read once.
pub struct Keys {
    /// Merchant numbers, serials and passwords.
    pub settings: Settings,
    pub(crate) alipay: AlipayKeys,
    pub(crate) wechat: WechatKeys,
    pub(crate) unionpay: UnionPayKeys,
    pub(crate) bank: BankKeys,
}

/// What the Alipay gateway signs and checks with.
pub(crate) struct AlipayKeys {
    pub(crate) app: Verifier,
    pub(crate) gateway: Signer,
    pub(crate) app_cert_sn: String,
    pub(crate) root_cert_sn: String,
    pub(crate) gateway_cert_sn: String,
    pub(crate) gateway_cert_pem: String,
}

/// What `WeChat Pay` signs and checks with.
pub(crate) struct WechatKeys {
    pub(crate) merchant: Verifier,
    pub(crate) platform: Signer,
    pub(crate) platform_cert_pem: String,
    pub(crate) platform_cert: Facts,
}

/// What `UnionPay` signs and checks with.
pub(crate) struct UnionPayKeys {
    pub(crate) merchant: Verifier,
    pub(crate) gateway: Signer,
    /// PEM with CRLF line ends, as it stands in `signPubKeyCert`.
    pub(crate) sign_pub_key_cert: String,
}

/// What the bank signs and checks with.
pub(crate) struct BankKeys {
    pub(crate) corporate: Verifier,
    pub(crate) bank: Signer,
}

impl Keys {
    /// Fills `dir` with a fresh key set.
    ///
    /// # Errors
    /// [`KeysError`] when the folder cannot be written or the library refuses.
    pub fn generate(dir: &Path) -> Result<(), KeysError> {
        generate::write_all(dir)
    }

    /// Reads `dir`, generating the set first when it has no `settings.json`.
    ///
    /// # Errors
    /// [`KeysError`] naming the file that is missing or unreadable.
    pub fn load_or_generate(dir: &Path, signing: Signing) -> Result<Self, KeysError> {
        if !dir.join("settings.json").exists() {
            Self::generate(dir)?;
        }
        Self::load(dir, signing)
    }

    /// Reads `dir`.
    ///
    /// # Errors
    /// [`KeysError`] naming the file that is missing or unreadable.
    pub fn load(dir: &Path, signing: Signing) -> Result<Self, KeysError> {
        let text = |name: &str| read(&dir.join(name));
        let settings: Settings = serde_json::from_str(&text("settings.json")?)?;
        let gateway_cert_pem = text("alipay/gateway_cert.pem")?;
        let platform_cert_pem = text("wechat/platform_cert.pem")?;
        Ok(Self {
            alipay: AlipayKeys {
                app: Verifier::from_pem(&text("alipay/app_public.pem")?, signing)?,
                gateway: Signer::from_pem(&text("alipay/gateway_private_pkcs8.pem")?, signing)?,
                app_cert_sn: certificate::alipay_sn(&text("alipay/app_cert.pem")?)?,
                root_cert_sn: certificate::alipay_sn(&text("alipay/root_cert.pem")?)?,
                gateway_cert_sn: certificate::alipay_sn(&gateway_cert_pem)?,
                gateway_cert_pem,
            },
            wechat: WechatKeys {
                merchant: Verifier::from_certificate(&text("wechat/merchant_cert.pem")?, signing)?,
                platform: Signer::from_pem(&text("wechat/platform_key.pem")?, signing)?,
                platform_cert: Facts::of(&platform_cert_pem)?,
                platform_cert_pem,
            },
            unionpay: UnionPayKeys {
                merchant: Verifier::from_certificate(&text("unionpay/merchant_cert.pem")?, signing)?,
                gateway: Signer::from_pem(&text("unionpay/gateway_sign_key.pem")?, signing)?,
                sign_pub_key_cert: crlf(&text("unionpay/gateway_sign_cert.pem")?),
            },
            bank: BankKeys {
                corporate: Verifier::from_pem(&text("bank/corporate_pub.pem")?, signing)?,
                bank: Signer::from_pem(&text("bank/bank_key.pem")?, signing)?,
            },
            settings,
        })
    }
}

fn read(path: &Path) -> Result<String, KeysError> {
    fs::read_to_string(path).map_err(|source| KeysError::File { path: path.to_owned(), source })
}

/// The PEM with CRLF between its lines and none at its end.
fn crlf(pem: &str) -> String {
    pem.lines().map(str::trim_end).collect::<Vec<_>>().join("\r\n")
}
