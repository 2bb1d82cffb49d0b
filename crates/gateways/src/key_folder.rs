//! Reads the settings from a key folder.
//!
//! ```text
//! settings.json   alipay/   app_private_pkcs8.pem  gateway_public.pem
//!                 wechat/   merchant_key.pem  platform_cert.pem  wxp_pub.pem
//!                 unionpay/ merchant_key.pem  merchant_cert.pem  middle.cer  root.cer
//!                 bank/     corporate_key.pem  bank_pub.pem
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use crate::rsa::{BadKey, Signing};
use crate::settings::{
    AlipaySettings, AlipayTrust, BankSettings, GatewaySettings, UnionPaySettings, UnionPaySigner,
    WeChatSettings, WeChatTrust, real_clock,
};
use crate::wire::{Limits, NoClient};

/// Why the adapters cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file of the folder cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// `settings.json` is not what it should be.
    #[error("settings.json")]
    Json(#[source] serde_json::Error),
    /// A key or certificate cannot be used.
    #[error("{what}")]
    Key {
        /// Which one.
        what: &'static str,
        /// Why.
        #[source]
        source: BadKey,
    },
    /// A setting has a value that the channel would refuse.
    #[error("{0}")]
    Value(&'static str),
    /// The HTTP client cannot be built.
    #[error(transparent)]
    Client(#[from] NoClient),
}

impl SettingsError {
    pub(crate) fn key(what: &'static str) -> impl FnOnce(BadKey) -> Self {
        move |source| Self::Key { what, source }
    }
}

#[derive(Deserialize)]
struct File {
    alipay: AlipayFile,
    wechat: WeChatFile,
    unionpay: UnionPayFile,
    bank: BankFile,
}

#[derive(Deserialize)]
struct AlipayFile {
    app_id: String,
    seller_id: String,
}

#[derive(Deserialize)]
struct WeChatFile {
    mchid: String,
    apiv3_key: String,
    merchant_serial: String,
    pub_key_id: Option<String>,
}

#[derive(Deserialize)]
struct UnionPayFile {
    mer_id: String,
}

#[derive(Deserialize)]
struct BankFile {
    #[serde(rename = "debtor_iban_like")]
    account: String,
    #[serde(rename = "debtor_name", default = "debtor_name")]
    name: String,
    #[serde(rename = "debtor_cnaps", default = "debtor_cnaps")]
    cnaps: String,
}

/// The payer of benches whose folder does not name one.
fn debtor_name() -> String {
    "示例云计算有限公司".to_owned()
}

fn debtor_cnaps() -> String {
    "102100099996".to_owned()
}

impl GatewaySettings {
    /// Reads a key folder; all channels below one base URL.
    ///
    /// Alipay is in public-key mode; `WeChat Pay` too where the folder has its
    /// public key. Everything may be changed before the adapters are made.
    ///
    /// # Errors
    /// [`SettingsError`] naming the file.
    pub fn from_key_folder(dir: &Path, base_url: &str, limits: Limits) -> Result<Self, SettingsError> {
        let File { alipay, wechat, unionpay, bank } =
            serde_json::from_str(&read(dir, "settings.json")?).map_err(SettingsError::Json)?;
        let base_url = base_url.trim_end_matches('/').to_owned();
        let platform = read(dir, "wechat/platform_cert.pem")?;
        let trust = match wechat.pub_key_id {
            Some(id) if dir.join("wechat/wxp_pub.pem").exists() => WeChatTrust::PublicKey {
                id,
                pem: read(dir, "wechat/wxp_pub.pem")?,
                certificates: vec![platform],
            },
            _ => WeChatTrust::Certificates(vec![platform]),
        };
        Ok(Self {
            alipay: AlipaySettings {
                base_url: base_url.clone(),
                app_id: alipay.app_id,
                seller_id: alipay.seller_id,
                app_key: secret(dir, "alipay/app_private_pkcs8.pem")?,
                trust: AlipayTrust::PublicKey(read(dir, "alipay/gateway_public.pem")?),
            },
            wechat: WeChatSettings {
                base_url: base_url.clone(),
                mchid: wechat.mchid,
                apiv3_key: wechat.apiv3_key.into(),
                merchant_serial: wechat.merchant_serial,
                merchant_key: secret(dir, "wechat/merchant_key.pem")?,
                trust,
                notify_url: None,
            },
            unionpay: UnionPaySettings {
                base_url: base_url.clone(),
                file_base_url: format!("{base_url}/filetransfer"),
                mer_id: unionpay.mer_id,
                merchant_certificate: read(dir, "unionpay/merchant_cert.pem")?,
                merchant_key: secret(dir, "unionpay/merchant_key.pem")?,
                middle: read(dir, "unionpay/middle.cer")?,
                root: read(dir, "unionpay/root.cer")?,
                signer: UnionPaySigner::Production,
                notify_url: None,
            },
            bank: BankSettings {
                base_url,
                debtor_name: bank.name,
                debtor_account: bank.account,
                debtor_cnaps: bank.cnaps,
                corporate_key: secret(dir, "bank/corporate_key.pem")?,
                bank_key: read(dir, "bank/bank_pub.pem")?,
            },
            no_dedup: Vec::new(),
            limits,
            clock: real_clock,
            signing: Signing::On,
        })
    }
}

impl AlipayTrust {
    /// Certificate mode from the `alipay` part of a key folder.
    ///
    /// # Errors
    /// [`SettingsError::File`] naming the file that is missing.
    pub fn certificates(dir: &Path) -> Result<Self, SettingsError> {
        Ok(Self::Certificates {
            app: read(dir, "alipay/app_cert.pem")?,
            alipay: read(dir, "alipay/gateway_cert.pem")?,
            roots: read(dir, "alipay/root_cert.pem")?,
        })
    }
}

fn read(dir: &Path, name: &str) -> Result<String, SettingsError> {
    let path = dir.join(name);
    fs::read_to_string(&path).map_err(|source| SettingsError::File { path, source })
}

fn secret(dir: &Path, name: &str) -> Result<SecretString, SettingsError> {
    read(dir, name).map(SecretString::from)
}
