//! The encrypted resource that `WeChat Pay` posts.

use domain::Money;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::doubt::Doubt;
use crate::notice::{Claim, Notice, NoticeRefused, Stated, rfc3339};
use crate::wechat::WeChat;
use crate::wechat::certificates::Sealed;
use crate::wechat::envelope::Signed;

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    create_time: String,
    resource: Sealed,
}

#[derive(Deserialize)]
struct Resource {
    mchid: String,
    out_refund_no: String,
    refund_status: String,
    success_time: Option<String>,
    amount: Amount,
}

#[derive(Deserialize)]
struct Amount {
    refund: i64,
}

impl WeChat {
    /// Verifies, decrypts and reads a notification; empty when it speaks of no refund.
    pub(crate) fn notices(&self, headers: &HeaderMap, body: &[u8]) -> Result<Vec<Notice>, NoticeRefused> {
        let signed =
            Signed::read(|name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default());
        let now = (self.clock)();
        signed.check_time(now)?;
        self.keyring.verify(&signed, body, now)?;
        let event: Envelope =
            serde_json::from_slice(body).map_err(|_| Doubt::unreadable("it is not an event"))?;
        if !event.event_type.starts_with("REFUND.") {
            return Ok(Vec::new());
        }
        let refund: Resource = serde_json::from_slice(&self.seal.open(&event.resource)?)
            .map_err(|_| Doubt::unreadable("the resource is not a refund"))?;
        if refund.mchid != self.mchid {
            return Err(NoticeRefused::Foreign);
        }
        let claim = match refund.refund_status.as_str() {
            "SUCCESS" => Claim::Paid,
            "CLOSED" | "ABNORMAL" => Claim::Refused,
            _ => Claim::Unclear,
        };
        Ok(vec![Notice {
            id: event.id,
            payout_no: refund.out_refund_no,
            amount: Stated::This(Money::from_minor(refund.amount.refund)),
            claim,
            at: rfc3339(refund.success_time.as_deref().unwrap_or(&event.create_time)),
        }])
    }
}
