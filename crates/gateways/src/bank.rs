//! The bank: pain.001 out, pain.002 back, both signed as a whole.
//!
//! A file carries many transfers under one `MsgId` ([`TransferFile`]); a single
//! order makes a file of its own, under its payout number. The same file gives the
//! same bytes, and the bank answers the same bytes with what it knows. ISO 20022
//! has no transport; over EBICS the XML stays the same.

pub(crate) mod camt;
pub(crate) mod codes;
mod file;
mod pain001;
mod pain002;
pub(crate) mod xml;

use futures::future::BoxFuture;
use secrecy::ExposeSecret as _;

use crate::doubt::Doubt;
use crate::gateway::Gateway;
use crate::key_folder::SettingsError;
use crate::order::Order;
use crate::outcome::{Finding, Outcome};
use crate::rsa::{SigningKey, VerifyingKey};
use crate::schedule::{self, Traits};
use crate::settings::GatewaySettings;
use crate::wire::{Answer, Request, Wire};
pub use file::{Receipt, TransferFile};
use pain001::Debtor;
use pain002::Status;

/// The adapter.
pub struct Bank {
    debtor: Debtor,
    key: SigningKey,
    counterpart: VerifyingKey,
    wire: Wire,
}

impl Bank {
    pub(crate) fn new(settings: &GatewaySettings) -> Result<Self, SettingsError> {
        let own = &settings.bank;
        let key = SigningKey::from_pem(own.corporate_key.expose_secret(), settings.signing)
            .map_err(SettingsError::key("corporate key of the bank channel"))?;
        let counterpart = VerifyingKey::from_pem(&own.bank_key, settings.signing)
            .map_err(SettingsError::key("public key of the bank"))?;
        let debtor = Debtor {
            name: own.debtor_name.clone(),
            account: own.debtor_account.clone(),
            cnaps: own.debtor_cnaps.clone(),
        };
        Ok(Self { debtor, key, counterpart, wire: Wire::new(&own.base_url, settings.limits)? })
    }

    /// The exact bytes that [`Gateway::pay`] sends for an order: a file of one.
    ///
    /// # Errors
    /// [`Incomplete`](crate::Incomplete) when the order has no usable payee.
    pub fn message(&self, order: &Order) -> Result<Vec<u8>, crate::order::Incomplete> {
        self.file(&TransferFile {
            msg_id: &order.payout_no,
            created_at: order.minted_at,
            execute_on: order.execute_on,
            orders: std::slice::from_ref(order),
        })
    }

    /// Sends and verifies.
    pub(crate) async fn call(&self, request: Request) -> Result<Answer, Doubt> {
        let answer = self.wire.send(request).await?;
        self.counterpart.verify(&answer.body, answer.header("x-signature")).map_err(|_| {
            let detail = format!("the signature does not hold on an answer with status {}", answer.status);
            Doubt::signature(&detail)
        })?;
        if answer.status >= 500 {
            return Err(Doubt::new(&format!("http_{}", answer.status), "the bank is not well"));
        }
        Ok(answer)
    }
}

impl Gateway for Bank {
    fn pay<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let body = match self.message(order) {
                Ok(body) => body,
                Err(why) => return Outcome::incomplete(&why),
            };
            let (_, outcomes) = self.send(&order.payout_no, body, std::slice::from_ref(order)).await;
            outcomes.into_iter().next().expect("one order has one outcome")
        })
    }

    fn find<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Finding> {
        Box::pin(async move {
            if let Err(why) = order.check() {
                return Doubt::new("order_incomplete", why.to_string()).into();
            }
            let asked = self.call(Request::get(format!("/bank/status?endToEndId={}", order.payout_no))).await;
            asked
                .and_then(|answer| Status::read_found(&answer, order))
                .and_then(|status| codes::finding(status.as_ref(), order))
                .unwrap_or_else(Finding::from)
        })
    }

    fn traits(&self) -> &Traits {
        &schedule::BANK
    }
}
