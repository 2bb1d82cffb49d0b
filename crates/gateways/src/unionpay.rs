//! `UnionPay` ACP 5.1.0: refund (`backTransReq`) and query (`queryTrans`).
//!
//! `respCode` 00 on a refund is acceptance, never success. A repeat is refused
//! with 12 and not answered with the old result, so doubt is always settled by
//! the query, under the same `orderId` and `txnTime`.

mod chain;
pub(crate) mod codes;
pub(crate) mod form;
mod notification;
mod refund;

use chrono::NaiveDate;
use futures::future::BoxFuture;
use secrecy::ExposeSecret as _;

use crate::certificate::Certificate;
use crate::doubt::Doubt;
use crate::gateway::Gateway;
use crate::key_folder::SettingsError;
use crate::order::Order;
use crate::outcome::{Finding, Outcome};
use crate::rsa::SigningKey;
use crate::schedule::{self, Traits};
use crate::settings::{GatewaySettings, UnixClock};
use crate::wire::{Answer, Request, Wire};
use chain::Chain;
use form::Form;

/// The adapter.
pub struct UnionPay {
    mer_id: String,
    cert_id: String,
    key: SigningKey,
    chain: Chain,
    /// `backUrl`; the platform's own word for "none" where we have none.
    back_url: String,
    wire: Wire,
    files: Wire,
    clock: UnixClock,
}

/// The documented `backUrl` of merchants who want no notification.
const NO_NOTIFICATION: &str = "http://www.specialUrl.com";

impl UnionPay {
    pub(crate) fn new(settings: &GatewaySettings) -> Result<Self, SettingsError> {
        let own = &settings.unionpay;
        let wrong = SettingsError::key;
        let certificate = Certificate::from_pem(&own.merchant_certificate)
            .map_err(wrong("UnionPay merchant certificate"))?;
        let key = SigningKey::from_pem(own.merchant_key.expose_secret(), settings.signing)
            .map_err(wrong("UnionPay merchant key"))?;
        Ok(Self {
            mer_id: own.mer_id.clone(),
            cert_id: certificate.serial_decimal(),
            key,
            chain: Chain::new(own, settings.signing)?,
            back_url: own.notify_url.clone().unwrap_or_else(|| NO_NOTIFICATION.to_owned()),
            wire: Wire::new(&own.base_url, settings.limits)?,
            files: Wire::new(&own.file_base_url, settings.limits)?,
            clock: settings.clock,
        })
    }

    /// The fields of every request.
    fn common(&self, order: &Order) -> Form {
        Form::from([
            ("version", "5.1.0"),
            ("encoding", "UTF-8"),
            ("signMethod", "01"),
            ("certId", &self.cert_id),
            ("accessType", "0"),
            ("channelType", "07"),
            ("merId", &self.mer_id),
            ("orderId", &order.payout_no),
            ("txnTime", &refund::txn_time(order)),
        ])
    }

    /// Signs, sends and verifies.
    async fn call(&self, path: &str, form: Form) -> Result<Form, Doubt> {
        let answer = self.wire.send(self.signed(path, form)).await?;
        self.opened(&answer)
    }

    /// Asks for the reconciliation file of a day.
    pub(crate) async fn file(&self, day: NaiveDate) -> Result<Form, Doubt> {
        let form = Form::from([
            ("version", "5.1.0"),
            ("encoding", "UTF-8"),
            ("signMethod", "01"),
            ("certId", &self.cert_id),
            ("accessType", "0"),
            ("merId", &self.mer_id),
            ("txnType", "76"),
            ("txnSubType", "01"),
            ("bizType", "000000"),
            ("fileType", "00"),
            ("txnTime", &refund::beijing((self.clock)())),
            ("settleDate", &day.format("%m%d").to_string()),
        ]);
        let answer = self.files.send_file(self.signed("/", form)).await?;
        self.opened(&answer)
    }

    fn signed(&self, path: &str, mut form: Form) -> Request {
        form.sign(&self.key);
        Request::post(path, "application/x-www-form-urlencoded;charset=UTF-8", form.encode())
    }

    fn opened(&self, answer: &Answer) -> Result<Form, Doubt> {
        if !answer.is_success() {
            return Err(Doubt::new(&format!("http_{}", answer.status), "the gateway did not answer 200"));
        }
        let form = Form::of_answer(&answer.body)?;
        self.chain.verify(&form, (self.clock)())?;
        Ok(form)
    }
}

impl Gateway for UnionPay {
    fn pay<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let trade = match order.refundable() {
                Ok(trade) => trade,
                Err(why) => return Outcome::incomplete(&why),
            };
            let form = refund::request(self.common(order), order, trade).with("backUrl", &self.back_url);
            let asked = self.call("/gateway/api/backTransReq.do", form).await;
            asked
                .and_then(|answer| refund::outcome(&answer, order, &self.mer_id))
                .unwrap_or_else(Outcome::from)
        })
    }

    fn find<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Finding> {
        Box::pin(async move {
            if let Err(why) = order.refundable() {
                return Doubt::new("order_incomplete", why.to_string()).into();
            }
            let asked = self.call("/gateway/api/queryTrans.do", refund::query(self.common(order))).await;
            asked
                .and_then(|answer| refund::finding(&answer, order, &self.mer_id))
                .unwrap_or_else(Finding::from)
        })
    }

    fn traits(&self) -> &Traits {
        &schedule::UNIONPAY
    }
}

#[cfg(test)]
impl UnionPay {
    /// Verifies an answer that was recorded.
    pub(crate) fn recorded(&self, body: &[u8], now: i64) -> Result<(), Doubt> {
        self.chain.verify(&Form::of_answer(body)?, now)
    }
}
