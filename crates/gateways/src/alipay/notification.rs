//! The form that Alipay posts to the address of the original payment.

use std::collections::BTreeMap;

use domain::{Currency, Money};

use crate::alipay::{Alipay, envelope};
use crate::doubt::Doubt;
use crate::notice::{Claim, Notice, NoticeRefused, Stated, beijing};

impl Alipay {
    /// Verifies and reads a notification; empty when it speaks of no refund.
    pub(crate) fn notices(&self, body: &[u8]) -> Result<Vec<Notice>, NoticeRefused> {
        let mut params: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body).into_owned() {
            if params.insert(name, value).is_some() {
                return Err(Doubt::unreadable("a field comes twice").into());
            }
        }
        let sign = params.remove("sign").unwrap_or_default();
        params.remove("sign_type");
        self.gate
            .key
            .verify(envelope::string_to_sign(&params).as_bytes(), &sign)
            .map_err(|_| Doubt::signature("it does not hold"))?;
        let get = |name: &str| params.get(name).map_or("", String::as_str);
        if get("app_id") != self.app_id || get("seller_id") != self.seller_id {
            return Err(NoticeRefused::Foreign);
        }
        if get("out_biz_no").is_empty() || get("refund_fee").is_empty() {
            return Ok(Vec::new());
        }
        let sum = Money::parse(get("refund_fee"), Currency::Cny)
            .map_err(|_| Doubt::unreadable("refund_fee is not an amount in yuan"))?;
        let claim = match (get("dback_status"), get("trade_status")) {
            ("F", _) => Claim::Returned,
            (_, "TRADE_SUCCESS" | "TRADE_CLOSED") => Claim::Paid,
            _ => Claim::Unclear,
        };
        Ok(vec![Notice {
            id: get("notify_id").to_owned(),
            payout_no: get("out_biz_no").to_owned(),
            amount: Stated::AllOfTrade(sum),
            claim,
            at: beijing(get("gmt_refund"), "%Y-%m-%d %H:%M:%S%.f"),
        }])
    }
}
