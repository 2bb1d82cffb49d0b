//! `WeChat Pay` API v3: domestic refunds and their query.
//!
//! Accepted is not done: `PROCESSING` is the usual first answer. Successful
//! answers are signed; errors need not be, but a signature that is there must hold.

mod certificates;
pub(crate) mod codes;
mod envelope;
mod keyring;
mod notification;
mod refund;

use aws_lc_rs::rand;
use futures::future::BoxFuture;
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;

use crate::doubt::Doubt;
use crate::gateway::Gateway;
use crate::key_folder::SettingsError;
use crate::order::Order;
use crate::outcome::{Finding, Outcome};
use crate::rsa::SigningKey;
use crate::schedule::{self, Traits};
use crate::settings::{GatewaySettings, UnixClock, WeChatTrust};
use crate::wire::{Answer, Request, Wire};
use certificates::Seal;
use envelope::Signed;
use keyring::Keyring;

/// The adapter.
pub struct WeChat {
    mchid: String,
    serial: String,
    key: SigningKey,
    keyring: Keyring,
    seal: Seal,
    /// Sent as `Wechatpay-Serial`: the key under which we want answers.
    wanted_serial: Option<String>,
    notify_url: Option<String>,
    pub(crate) wire: Wire,
    clock: UnixClock,
    /// When the platform certificates were last fetched, in Unix seconds.
    fetched_at: Mutex<Option<i64>>,
}

/// Seconds between two fetches of the platform certificates.
const FETCH_EVERY: i64 = 60;

impl WeChat {
    pub(crate) fn new(settings: &GatewaySettings) -> Result<Self, SettingsError> {
        let own = &settings.wechat;
        let key = SigningKey::from_pem(own.merchant_key.expose_secret(), settings.signing)
            .map_err(SettingsError::key("WeChat merchant key"))?;
        let wanted_serial = match &own.trust {
            WeChatTrust::PublicKey { id, .. } => Some(id.clone()),
            WeChatTrust::Certificates(_) => None,
        };
        Ok(Self {
            mchid: own.mchid.clone(),
            serial: own.merchant_serial.clone(),
            key,
            keyring: Keyring::new(&own.trust, settings.signing)?,
            seal: Seal::new(&own.apiv3_key)?,
            wanted_serial,
            notify_url: own.notify_url.clone(),
            wire: Wire::new(&own.base_url, settings.limits)?,
            clock: settings.clock,
            fetched_at: Mutex::new(None),
        })
    }

    /// Signs and sends; gives the answer unverified.
    async fn send(&self, request: Request) -> Result<Answer, Doubt> {
        self.wire.send(self.signed(request)?).await
    }

    /// Adds our signature.
    pub(crate) fn signed(&self, request: Request) -> Result<Request, Doubt> {
        let mut random = [0; 16];
        rand::fill(&mut random).map_err(|_| Doubt::NotSent("no randomness for a nonce".to_owned()))?;
        let nonce = hex::encode_upper(random);
        let timestamp = (self.clock)();
        let text = envelope::string_to_sign(&request, timestamp, &nonce);
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",\
             serial_no=\"{}\",signature=\"{}\"",
            self.mchid,
            self.serial,
            self.key.sign(&text),
        );
        let mut request = request
            .with("authorization", authorization)
            .with("accept", "application/json")
            .with("user-agent", concat!("outflow/", env!("CARGO_PKG_VERSION")));
        if let Some(serial) = &self.wanted_serial {
            request = request.with("wechatpay-serial", serial.as_str());
        }
        Ok(request)
    }

    /// Signs, sends and verifies. Errors without a signature pass, as documented.
    pub(crate) async fn call(&self, request: Request) -> Result<Answer, Doubt> {
        let answer = self.send(request).await?;
        let signed = Signed::of(&answer);
        if answer.is_success() || signed.is_present() {
            self.verify(&signed, &answer.body).await?;
        }
        Ok(answer)
    }

    async fn verify(&self, signed: &Signed<'_>, body: &[u8]) -> Result<(), Doubt> {
        let now = (self.clock)();
        signed.check_time(now)?;
        if !self.keyring.knows(signed.serial) && self.wanted_serial.is_none() {
            self.fetch_certificates(now).await?;
        }
        self.keyring.verify(signed, body, now)
    }
}

impl Gateway for WeChat {
    fn pay<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let trade = match order.refundable() {
                Ok(trade) => trade,
                Err(why) => return Outcome::incomplete(&why),
            };
            let body = refund::request(order, trade, self.notify_url.as_deref());
            let asked = self.call(Request::post(refund::PATH, "application/json", body)).await;
            asked.and_then(|answer| refund::outcome(&answer, order)).unwrap_or_else(Outcome::from)
        })
    }

    fn find<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Finding> {
        Box::pin(async move {
            if let Err(why) = order.refundable() {
                return Doubt::new("order_incomplete", why.to_string()).into();
            }
            let asked = self.call(Request::get(format!("{}/{}", refund::PATH, order.payout_no))).await;
            asked.and_then(|answer| refund::finding(&answer, order)).unwrap_or_else(Finding::from)
        })
    }

    fn traits(&self) -> &Traits {
        &schedule::WECHAT
    }
}

#[cfg(test)]
impl WeChat {
    /// Verifies an answer that was recorded.
    pub(crate) fn recorded(
        &self,
        headers: &reqwest::header::HeaderMap,
        body: &[u8],
        now: i64,
    ) -> Result<(), Doubt> {
        let answer = Answer { status: 200, headers: headers.clone(), body: body.to_vec() };
        let signed = Signed::of(&answer);
        signed.check_time(now)?;
        self.keyring.verify(&signed, body, now)
    }
}
