//! The form that `UnionPay` posts to `backUrl`.

use domain::Money;

use crate::doubt::{Class, Doubt};
use crate::notice::{Claim, Notice, NoticeRefused, Stated};
use crate::unionpay::form::Form;
use crate::unionpay::{UnionPay, codes};

impl UnionPay {
    /// Verifies and reads a notification; empty when it speaks of no refund.
    pub(crate) fn notices(&self, body: &[u8]) -> Result<Vec<Notice>, NoticeRefused> {
        let form = Form::of_notification(body)?;
        self.chain.verify(&form, (self.clock)())?;
        if form.get("merId") != self.mer_id {
            return Err(NoticeRefused::Foreign);
        }
        if form.get("txnType") != "04" {
            return Ok(Vec::new());
        }
        let fen: i64 =
            form.get("txnAmt").parse().map_err(|_| Doubt::unreadable("txnAmt is not a number of fen"))?;
        let code = form.get("respCode");
        let claim = match (code, codes::class(code, form.get("respMsg"))) {
            ("00" | "A6", _) => Claim::Paid,
            (_, Class::Failed | Class::Reroute) => Claim::Refused,
            _ => Claim::Unclear,
        };
        Ok(vec![Notice {
            // A later word on the same transaction is another notice.
            id: format!("{}-{code}", form.get("queryId")),
            payout_no: form.get("orderId").to_owned(),
            amount: Stated::This(Money::from_minor(fen)),
            claim,
            at: None,
        }])
    }
}
