//! Alipay Open Platform: `alipay.trade.refund` and its query.
//!
//! Every answer is HTTP 200, so nothing is read from the status. `code=10000`
//! means that the request was handled; only `fund_change=Y` or the query's
//! `REFUND_SUCCESS` say that money moved.

pub(crate) mod codes;
mod envelope;
mod notification;
mod refund;
mod serial_number;

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Utc};
use futures::future::BoxFuture;
use secrecy::ExposeSecret as _;

use crate::certificate::Certificate;
use crate::doubt::Doubt;
use crate::gateway::Gateway;
use crate::key_folder::SettingsError;
use crate::order::Order;
use crate::outcome::{Finding, Outcome};
use crate::rsa::{SigningKey, VerifyingKey};
use crate::schedule::{self, Traits};
use crate::settings::{AlipayTrust, GatewaySettings, UnixClock};
use crate::wire::{Request, Wire};
use envelope::Gate;

/// The adapter.
pub struct Alipay {
    app_id: String,
    seller_id: String,
    key: SigningKey,
    gate: Gate,
    /// `app_cert_sn` and `alipay_root_cert_sn`, in certificate mode.
    certificate_params: Vec<(&'static str, String)>,
    pub(crate) wire: Wire,
    clock: UnixClock,
}

impl Alipay {
    pub(crate) fn new(settings: &GatewaySettings) -> Result<Self, SettingsError> {
        let own = &settings.alipay;
        let wrong = SettingsError::key;
        let (gate, certificate_params) = match &own.trust {
            AlipayTrust::PublicKey(pem) => {
                let key =
                    VerifyingKey::from_pem(pem, settings.signing).map_err(wrong("Alipay public key"))?;
                (Gate { key, certificate_sn: None }, Vec::new())
            }
            AlipayTrust::Certificates { app, alipay, roots } => {
                let app = Certificate::from_pem(app).map_err(wrong("Alipay application certificate"))?;
                let alipay = Certificate::from_pem(alipay).map_err(wrong("Alipay certificate"))?;
                let roots = Certificate::all_from_pem(roots);
                if !roots.iter().any(|root| alipay.is_issued_by(root)) {
                    return Err(SettingsError::Value("no root of the folder issued the Alipay certificate"));
                }
                let key = alipay.key(settings.signing).map_err(wrong("Alipay certificate"))?;
                let params = vec![
                    ("app_cert_sn", serial_number::of(&app)),
                    ("alipay_root_cert_sn", serial_number::of_roots(&roots)),
                ];
                (Gate { key, certificate_sn: Some(serial_number::of(&alipay)) }, params)
            }
        };
        let key = SigningKey::from_pem(own.app_key.expose_secret(), settings.signing)
            .map_err(wrong("Alipay application key"))?;
        Ok(Self {
            app_id: own.app_id.clone(),
            seller_id: own.seller_id.clone(),
            key,
            gate,
            certificate_params,
            wire: Wire::new(&own.base_url, settings.limits)?,
            clock: settings.clock,
        })
    }

    /// Calls a method; gives the node's text once its signature holds.
    pub(crate) async fn call(&self, method: &str, biz_content: String) -> Result<String, Doubt> {
        let timestamp = beijing((self.clock)());
        let mut params: BTreeMap<&str, String> = BTreeMap::from([
            ("app_id", self.app_id.clone()),
            ("method", method.to_owned()),
            ("format", "JSON".to_owned()),
            ("charset", "utf-8".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", timestamp),
            ("version", "1.0".to_owned()),
            ("biz_content", biz_content),
        ]);
        params.extend(self.certificate_params.iter().cloned());
        let sign = self.key.sign(envelope::string_to_sign(&params).as_bytes());
        params.insert("sign", sign);
        // The platform decodes the body by the charset of the query.
        let biz_content = params.remove("biz_content").expect("it was put in above");
        let body = envelope::encode([("biz_content", biz_content.as_str())]);
        let query = envelope::encode(params.iter().map(|(name, value)| (*name, value.as_str())));
        let request = Request::post(
            format!("/gateway.do?{query}"),
            "application/x-www-form-urlencoded;charset=utf-8",
            body,
        );
        let answer = self.wire.send(request).await?;
        if !answer.is_success() {
            return Err(Doubt::new(&format!("http_{}", answer.status), "the gateway always answers 200"));
        }
        self.gate.open(method, &answer.body)
    }
}

impl Gateway for Alipay {
    fn pay<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let trade = match order.refundable() {
                Ok(trade) => trade,
                Err(why) => return Outcome::incomplete(&why),
            };
            let asked = self.call(refund::REFUND, refund::request(order, trade)).await;
            asked.and_then(|node| refund::outcome(&node, order, trade)).unwrap_or_else(Outcome::from)
        })
    }

    fn find<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Finding> {
        Box::pin(async move {
            let trade = match order.refundable() {
                Ok(trade) => trade,
                Err(why) => return Doubt::new("order_incomplete", why.to_string()).into(),
            };
            let asked = self.call(refund::QUERY, refund::query(order, trade)).await;
            asked.and_then(|node| refund::finding(&node, order, trade)).unwrap_or_else(Finding::from)
        })
    }

    fn traits(&self) -> &Traits {
        &schedule::ALIPAY
    }
}

#[cfg(test)]
impl Alipay {
    /// Opens an answer that was recorded.
    pub(crate) fn recorded(&self, method: &str, body: &[u8]) -> Result<String, Doubt> {
        self.gate.open(method, body)
    }
}

/// `yyyy-MM-dd HH:mm:ss` in Beijing.
fn beijing(unix: i64) -> String {
    let zone = FixedOffset::east_opt(8 * 3_600).expect("eight hours are an offset");
    let at = DateTime::<Utc>::from_timestamp(unix, 0).unwrap_or_default();
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}
