//! Taking a file on: its repeats, its duplicates, its faults, its orders.

use std::collections::BTreeMap;

use super::pain001::{Batch, Message, Transfer};
use super::pain002;
use crate::behaviour::{Aftermath, Behaviour, Effect, Refusal, Reply};
use crate::book::{BankBatch, BankLine, BankMessage, Entry, Ledger, NewOrder, order_key};
use crate::channel::Channel;
use crate::clock::beijing;
use crate::scenario::Op;
use crate::world::{Call, World, place};

/// Where a transfer stands: file number, batch, transfer.
type Place<'a> = (&'a String, &'a Batch, &'a Transfer);

/// What became of a file at the door.
pub(super) enum Accepted {
    /// It is in the book; this is its report and how the report leaves.
    Report(Reply, String),
    /// Its number was used for other bytes.
    Conflict,
    /// It left no trace.
    Nothing(Reply),
}

/// Takes a file on.
///
/// The same number with the same bytes is answered again and changes nothing; a
/// known `EndToEndId` in another file is refused with AM05, unless that transfer
/// was refused itself.
pub(super) fn accept(world: &World, ledger: &mut Ledger, message: &Message, sha256: &str) -> Accepted {
    let now_ms = world.clock.now_ms();
    let treatments = treatments(world, ledger, message);
    let reply = treatments
        .iter()
        .flatten()
        .map(|behaviour| &behaviour.reply)
        .find(|reply| **reply != Reply::Truth)
        .unwrap_or(&Reply::Truth)
        .clone();
    // One lost or silent transfer loses the file that carries it.
    if treatments.iter().flatten().any(|behaviour| behaviour.effect == Effect::Nothing) {
        return Accepted::Nothing(reply);
    }
    if world.dedups(Channel::Bank) {
        match ledger.message(&message.msg_id) {
            Some(known) if known.sha256 == sha256 => {
                return Accepted::Report(reply, pain002::report(ledger, known));
            }
            Some(_) => return Accepted::Conflict,
            None => {}
        }
    }
    let mut batches = Vec::new();
    for (batch, behaviours) in message.batches.iter().zip(&treatments) {
        let lines = batch
            .transfers
            .iter()
            .zip(behaviours)
            .map(|(transfer, behaviour)| line(world, ledger, (&message.msg_id, batch, transfer), behaviour))
            .collect();
        batches.push(BankBatch { pmt_inf_id: batch.pmt_inf_id.clone(), lines });
    }
    let record = BankMessage {
        msg_id: message.msg_id.clone(),
        sha256: sha256.to_owned(),
        at_ms: now_ms,
        control_sum_fen: message.control_sum_fen,
        sequence: ledger.message_count() + 1,
        batches,
    };
    ledger.record(&Entry::BankMessage(record.clone()));
    Accepted::Report(reply, pain002::report(ledger, &record))
}

fn treatments(world: &World, ledger: &mut Ledger, message: &Message) -> Vec<Vec<Behaviour>> {
    let mut treat = |transfer: &Transfer| {
        let key = order_key(Channel::Bank, "", &transfer.end_to_end_id);
        let (number, payee) = (&transfer.end_to_end_id, &transfer.creditor_account);
        let call = Call { channel: Channel::Bank, op: Op::Transfer, key: &key, number, payee };
        world.behaviour(ledger, &call)
    };
    message.batches.iter().map(|batch| batch.transfers.iter().map(&mut treat).collect()).collect()
}

fn line(
    world: &World,
    ledger: &mut Ledger,
    (msg_id, batch, transfer): Place<'_>,
    behaviour: &Behaviour,
) -> BankLine {
    let key = order_key(Channel::Bank, "", &transfer.end_to_end_id);
    let refusal = match &behaviour.effect {
        _ if ledger.order(&key).is_some() && world.dedups(Channel::Bank) => {
            Some(("AM05".to_owned(), "Duplicate EndToEndId".to_owned()))
        }
        Effect::Refuse(refusal) => refused(batch, *refusal),
        Effect::RefuseWith(code) => Some((code.clone(), String::new())),
        _ => unknown_debtor(world, batch),
    };
    let order_key = refusal
        .is_none()
        .then(|| order(world, ledger, (msg_id, batch, transfer)))
        .map(|order| place(ledger, order, behaviour));
    BankLine {
        instr_id: transfer.instr_id.clone(),
        end_to_end_id: transfer.end_to_end_id.clone(),
        order_key,
        refused: refusal,
    }
}

fn unknown_debtor(world: &World, batch: &Batch) -> Option<(String, String)> {
    (batch.debtor_account != world.keys.settings.bank.debtor_iban_like)
        .then(|| ("AC01".to_owned(), "付款账号不存在".to_owned()))
}

/// Code and text of a refusal; `None` when the service level is not affected.
///
/// A bank that refuses realtime payments still takes ordinary ones.
fn refused(batch: &Batch, refusal: Refusal) -> Option<(String, String)> {
    let (code, text) = match refusal {
        Refusal::NoSuchAccount => ("AC01", "收款账号不存在"),
        Refusal::NameMismatch => ("BE01", "收款户名不符"),
        Refusal::OverLimit => ("AM02", "超过单笔限额"),
        Refusal::OurBalance => ("AM04", "付款账户余额不足"),
        Refusal::WindowClosed if batch.service_level == "URGP" => ("AG01", "不支持实时支付"),
        Refusal::WindowClosed => return None,
    };
    Some((code.to_owned(), text.to_owned()))
}

fn order(world: &World, ledger: &Ledger, (msg_id, batch, transfer): Place<'_>) -> NewOrder {
    let now_ms = world.clock.now_ms();
    let day = beijing(now_ms).format("%Y%m%d");
    let echo: BTreeMap<String, String> = [
        ("msg_id", msg_id),
        ("pmt_inf_id", &batch.pmt_inf_id),
        ("instr_id", &transfer.instr_id),
        ("creditor_name", &transfer.creditor_name),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .collect();
    NewOrder {
        key: order_key(Channel::Bank, "", &transfer.end_to_end_id),
        channel: Channel::Bank,
        number: transfer.end_to_end_id.clone(),
        trade_no: String::new(),
        payee: transfer.creditor_account.clone(),
        amount_fen: transfer.amount_fen,
        reference: format!("BK{day}{:012}", ledger.order_count() + 1),
        created_ms: now_ms,
        due_ms: None,
        aftermath: Aftermath::default(),
        refused: None,
        notify_url: None,
        echo,
    }
}
