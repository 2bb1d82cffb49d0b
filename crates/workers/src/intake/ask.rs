//! A request on its way from the message to the rules.

use broker::contract::{AccountNumber, PartialBankAccount, Transactions, canonical_digest};
use domain::{Card, Detail, Proof, Request, Selection};
use serde_json::Value;
use store::Vault;
use uuid::Uuid;

use super::{Message, Rules};
use crate::verification::Binding;

/// A request, as the rules and the rows want it.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// The number that its withdrawal will have.
    pub(super) id: Uuid,
    /// The message.
    pub(super) message: &'a Message,
    /// What the rules look at.
    pub(super) request: Request,
    /// What was asked, without secrets: kept with the withdrawal.
    pub(super) form: Value,
    /// SHA-256 of the form.
    pub(super) digest: Vec<u8>,
}

impl Ask<'_> {
    /// What names it for ever.
    pub(super) fn key(&self) -> (&str, &str) {
        (self.message.source.as_str(), self.message.id.as_str())
    }

    /// Whose money it asks for.
    pub(super) fn account_id(&self) -> &str {
        self.message.data.account_id.as_str()
    }
}

/// Prepares messages for the rules, in their order.
pub(super) fn read<'a>(messages: &'a [Message], rules: &Rules) -> Vec<Ask<'a>> {
    messages.iter().map(|message| ask(message, rules)).collect()
}

fn ask<'a>(message: &'a Message, rules: &Rules) -> Ask<'a> {
    let form = form(message, &rules.vault);
    let digest = hex::decode(canonical_digest(&form)).expect("a digest is written in hexadecimal digits");
    Ask { id: Uuid::now_v7(), message, request: request(message, rules), form, digest }
}

fn request(message: &Message, rules: &Rules) -> Request {
    let data = &message.data;
    let amount = data.amount.money(data.currency);
    let binding = Binding {
        account_id: data.account_id.as_str(),
        amount,
        currency: data.currency,
        route: data.route,
        request_id: message.id.as_str(),
    };
    let token = data.verification.as_ref().map(broker::contract::Token::as_str);
    let proof: Proof = rules.proofs.judge(token, &binding, data.requested_at);
    let selection = match &data.transactions {
        None | Some(Transactions::Auto) => Selection::Auto,
        Some(Transactions::Chosen(ids)) => {
            Selection::Chosen(ids.iter().map(|it| it.as_str().to_owned()).collect())
        }
    };
    let card = data.bank_account.as_ref().map(card);
    Request { amount, currency: data.currency, route: data.route, selection, card, proof }
}

/// R11: a field that is missing is waited for.
pub(crate) fn card(account: &PartialBankAccount) -> Card {
    let missing = [
        (Detail::Holder, account.holder.is_none()),
        (Detail::Number, account.number.is_none()),
        (Detail::BankName, account.bank_name.is_none()),
        (Detail::Branch, account.branch.is_none()),
        (Detail::Cnaps, account.cnaps.is_none()),
    ];
    Card {
        holder: account.holder.as_ref().map(|it| it.as_str().to_owned()),
        missing: missing.into_iter().filter_map(|(detail, is)| is.then_some(detail)).collect(),
    }
}

/// An account number as it is kept in forms: its last four and a keyed digest.
pub(crate) fn number_in_forms(number: &AccountNumber, vault: &Vault) -> String {
    format!("****{} {}", number.last_four(), hex::encode(vault.digest(number.as_str())))
}

/// The canonical request without secrets. Two requests have the same form if and
/// only if they say the same: a number leaves its last four and a keyed digest,
/// a token its digest.
fn form(message: &Message, vault: &Vault) -> Value {
    let mut form = message.data.canonical();
    if let Some(number) = message.data.bank_account.as_ref().and_then(|it| it.number.as_ref()) {
        form["bank_account"]["number"] = number_in_forms(number, vault).into();
    }
    if let Some(token) = &message.data.verification {
        form["verification"] = canonical_digest(&Value::from(token.as_str())).into();
    }
    form
}
