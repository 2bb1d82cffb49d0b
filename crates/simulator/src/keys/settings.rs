//! `settings.json` of the key folder: everything that is not a key.

use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    /// Alipay Open Platform.
    pub alipay: AlipaySettings,
    /// `WeChat Pay` API v3.
    pub wechat: WechatSettings,
    /// `UnionPay` ACP 5.1.0.
    pub unionpay: UnionPaySettings,
    /// The bank.
    pub bank: BankSettings,
}

/// Alipay Open Platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlipaySettings {
    /// The application, 16 digits.
    pub app_id: String,
    /// The seller (merchant) of the trades, 16 digits.
    pub seller_id: String,
}

/// `WeChat Pay` API v3.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WechatSettings {
    /// The merchant number.
    pub mchid: String,
    /// The application of the payments.
    pub appid: String,
    /// The 32 ASCII characters that encrypt notifications and certificates.
    pub apiv3_key: String,
    /// Serial of the merchant certificate, 40 upper-case hexadecimal digits.
    pub merchant_serial: String,
    /// Serial of the platform certificate, 40 upper-case hexadecimal digits.
    pub platform_serial: String,
    /// Name of the platform's public key in public-key mode.
    pub pub_key_id: String,
}

/// `UnionPay` ACP 5.1.0.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnionPaySettings {
    /// The merchant, 15 digits.
    pub mer_id: String,
    /// Password of `merchant_sign.pfx`.
    pub pfx_password: String,
    /// Decimal serial of the merchant certificate, below 2^53.
    pub merchant_cert_id: String,
    /// Decimal serial of the gateway's signing certificate.
    pub gateway_cert_id: String,
}

/// The bank.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BankSettings {
    /// The account that pays, as `Othr/Id`.
    pub debtor_iban_like: String,
}

impl Default for Settings {
    /// The merchant numbers that a fresh key set is made for.
    fn default() -> Self {
        Self {
            alipay: AlipaySettings {
                app_id: "2021000000000001".into(),
                seller_id: "2088000000000001".into(),
            },
            wechat: WechatSettings {
                mchid: "1900000109".into(),
                appid: "wx8888888888888888".into(),
                apiv3_key: "0123456789abcdefGHIJKLMNOPQRSTUV".into(),
                merchant_serial: String::new(),
                platform_serial: String::new(),
                pub_key_id: "PUB_KEY_ID_0119000001092026112300000000000001".into(),
            },
            unionpay: UnionPaySettings {
                mer_id: "777290058110048".into(),
                pfx_password: "000000".into(),
                merchant_cert_id: String::new(),
                gateway_cert_id: String::new(),
            },
            bank: BankSettings { debtor_iban_like: "62220000000000000001".into() },
        }
    }
}
