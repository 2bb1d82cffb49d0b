//! The four adapters together, made from one set of settings.

use std::path::Path;

use domain::Rail;

use crate::alipay::Alipay;
use crate::bank::Bank;
use crate::gateway::Gateway;
use crate::key_folder::SettingsError;
use crate::rsa::Signing;
use crate::schedule::{Resend, Traits};
use crate::settings::GatewaySettings;
use crate::unionpay::UnionPay;
use crate::wechat::WeChat;
use crate::wire::Limits;

/// One adapter per rail. Shared by reference; every adapter keeps its own
/// connections alive.
pub struct Gateways {
    /// Alipay Open Platform.
    pub alipay: Alipay,
    /// `WeChat Pay` API v3.
    pub wechat: WeChat,
    /// `UnionPay` ACP 5.1.0.
    pub unionpay: UnionPay,
    /// The bank.
    pub bank: Bank,
    /// Channels that do not promise to pay one number once, whatever is usual for them.
    no_dedup: Vec<Rail>,
}

impl Gateways {
    /// Parses every key and builds the HTTP clients. Opens no connection.
    ///
    /// # Errors
    /// [`SettingsError`] naming the key or the value.
    pub fn new(settings: &GatewaySettings) -> Result<Self, SettingsError> {
        if settings.signing == Signing::Off && !settings.is_loopback() {
            return Err(SettingsError::Value("signing is off, but a gateway is not on the loopback address"));
        }
        Ok(Self {
            alipay: Alipay::new(settings)?,
            wechat: WeChat::new(settings)?,
            unionpay: UnionPay::new(settings)?,
            bank: Bank::new(settings)?,
            no_dedup: settings.no_dedup.clone(),
        })
    }

    /// The adapters of a key folder, all below one base URL.
    ///
    /// # Errors
    /// [`SettingsError`] naming the file, the key or the value.
    pub fn from_key_folder(dir: &Path, base_url: &str, limits: Limits) -> Result<Self, SettingsError> {
        Self::new(&GatewaySettings::from_key_folder(dir, base_url, limits)?)
    }

    /// What `rail` promises about repeats and queries, by its protocol and by the settings.
    #[must_use]
    pub fn traits(&self, rail: Rail) -> Traits {
        let usual = *self.of(rail).traits();
        if self.no_dedup.contains(&rail) { Traits { resend: Resend::Never, ..usual } } else { usual }
    }

    /// The adapter that carries `rail`.
    #[must_use]
    pub fn of(&self, rail: Rail) -> &dyn Gateway {
        match rail {
            Rail::Alipay => &self.alipay,
            Rail::WeChat => &self.wechat,
            Rail::UnionPay => &self.unionpay,
            Rail::Bank => &self.bank,
        }
    }
}

impl GatewaySettings {
    fn is_loopback(&self) -> bool {
        let urls = [
            &self.alipay.base_url,
            &self.wechat.base_url,
            &self.unionpay.base_url,
            &self.unionpay.file_base_url,
            &self.bank.base_url,
        ];
        urls.iter().all(|url| {
            reqwest::Url::parse(url).is_ok_and(|url| match url.host_str() {
                Some(host) => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
                None => false,
            })
        })
    }
}
