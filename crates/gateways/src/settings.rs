//! What each channel needs to know: address, numbers, keys.
//!
//! The settings of a folder differ between a bench and production in nothing but
//! their contents. Private keys and the `APIv3` key are secrets: `Debug` hides them.

use domain::Rail;
use secrecy::SecretString;

use crate::rsa::Signing;
use crate::wire::Limits;

/// A clock in Unix seconds. Signed times are compared with the real one, even
/// while the product runs on a manual clock.
pub type UnixClock = fn() -> i64;

/// Settings of all four channels.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Alipay Open Platform.
    pub alipay: AlipaySettings,
    /// `WeChat Pay` API v3.
    pub wechat: WeChatSettings,
    /// `UnionPay` ACP 5.1.0.
    pub unionpay: UnionPaySettings,
    /// The bank.
    pub bank: BankSettings,
    /// Channels whose contract does not promise that one number is paid once.
    pub no_dedup: Vec<Rail>,
    /// Limits of every call.
    pub limits: Limits,
    /// Where signed times come from.
    pub clock: UnixClock,
    /// Off for benchmarks against the loopback address only.
    pub signing: Signing,
}

/// Alipay Open Platform.
#[derive(Debug, Clone)]
pub struct AlipaySettings {
    /// `https://openapi.alipay.com`, without a path.
    pub base_url: String,
    /// Our application.
    pub app_id: String,
    /// Our merchant account (`seller_id`, also the `pid` of statements).
    pub seller_id: String,
    /// Our private key, PEM.
    pub app_key: SecretString,
    /// How Alipay proves itself.
    pub trust: AlipayTrust,
}

/// The two modes of the platform. All texts are PEM.
#[derive(Debug, Clone)]
pub enum AlipayTrust {
    /// One public key, exchanged in the console.
    PublicKey(String),
    /// Certificates; every request names ours and every answer theirs.
    Certificates {
        /// Our application's certificate.
        app: String,
        /// Alipay's certificate.
        alipay: String,
        /// Alipay's roots, several in one file.
        roots: String,
    },
}

/// `WeChat Pay` API v3.
#[derive(Debug, Clone)]
pub struct WeChatSettings {
    /// `https://api.mch.weixin.qq.com`.
    pub base_url: String,
    /// Our merchant number.
    pub mchid: String,
    /// 32 ASCII bytes; decrypts certificates and notifications.
    pub apiv3_key: SecretString,
    /// Serial of our certificate, hexadecimal.
    pub merchant_serial: String,
    /// Our private key, PEM.
    pub merchant_key: SecretString,
    /// How `WeChat Pay` proves itself.
    pub trust: WeChatTrust,
    /// Where notifications go; https without a query. None: we ask instead.
    pub notify_url: Option<String>,
}

/// The two modes of the platform. All texts are PEM.
#[derive(Debug, Clone)]
pub enum WeChatTrust {
    /// A public key with an id; the platform certificates are accepted too, so
    /// that answers of a merchant who is changing modes verify.
    PublicKey {
        /// `PUB_KEY_ID_...`
        id: String,
        /// The public key.
        pem: String,
        /// Platform certificates that are accepted too.
        certificates: Vec<String>,
    },
    /// Platform certificates. Missing ones are fetched and trusted because only
    /// the platform can encrypt them under our `APIv3` key.
    Certificates(Vec<String>),
}

/// `UnionPay` ACP 5.1.0.
#[derive(Debug, Clone)]
pub struct UnionPaySettings {
    /// `https://gateway.95516.com`.
    pub base_url: String,
    /// `https://filedownload.95516.com`.
    pub file_base_url: String,
    /// Our merchant number, 15 digits.
    pub mer_id: String,
    /// Our signing certificate, PEM; its serial is the `certId`.
    pub merchant_certificate: String,
    /// Our private key, PEM.
    pub merchant_key: SecretString,
    /// The certificate that issues `UnionPay`'s signing certificates, PEM.
    pub middle: String,
    /// The root above it, PEM.
    pub root: String,
    /// Which signer names are accepted.
    pub signer: UnionPaySigner,
    /// Where notifications go. None: we ask instead.
    pub notify_url: Option<String>,
}

/// The third `@` part of the common name of a signing certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnionPaySigner {
    /// `中国银联股份有限公司`
    Production,
    /// Also `00040000:SIGN` of the public test environment.
    Test,
}

/// The bank.
#[derive(Debug, Clone)]
pub struct BankSettings {
    /// Where the bank's interface listens.
    pub base_url: String,
    /// The registered name of the paying account.
    pub debtor_name: String,
    /// The paying account's number.
    pub debtor_account: String,
    /// The 12-digit CNAPS code of the paying account's branch.
    pub debtor_cnaps: String,
    /// Our private key, PEM.
    pub corporate_key: SecretString,
    /// The bank's public key, PEM.
    pub bank_key: String,
}

/// The clock of the machine.
#[expect(
    clippy::disallowed_methods,
    reason = "channels compare signed times with the real clock, never the manual one"
)]
#[must_use]
pub fn real_clock() -> i64 {
    chrono::Utc::now().timestamp()
}
