//! Taking a file on: its repeats, its duplicates, its faults, its orders.

use std::collections::BTreeMap;

use super::pain001::{Batch, Message, Transfer};
use super::pain002;
use crate::behaviour::{Behaviour, Effect, Refusal, Reply};
use crate::book::{BankBatch, BankLine, BankMessage, Entry, Ledger, NewOrder, State, order_key};
use crate::channel::Channel;
use crate::clock::beijing;
use crate::world::{Call, World, place};

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
            .map(|(transfer, behaviour)| line(world, ledger, (batch, transfer), behaviour))
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
        let call = Call { channel: Channel::Bank, key: &key, payee: &transfer.creditor_account };
        world.behaviour(ledger, &call)
    };
    message.batches.iter().map(|batch| batch.transfers.iter().map(&mut treat).collect()).collect()
}

fn line(
    world: &World,
    ledger: &mut Ledger,
    (batch, transfer): (&Batch, &Transfer),
    behaviour: &Behaviour,
) -> BankLine {
    let key = order_key(Channel::Bank, "", &transfer.end_to_end_id);
    let known = ledger.order(&key).map(|order| &order.state);
    let taken = known.is_some_and(|state| !matches!(state, State::Refused(..)));
    let line = |order_key| BankLine {
        instr_id: transfer.instr_id.clone(),
        end_to_end_id: transfer.end_to_end_id.clone(),
        order_key,
    };
    if taken && world.dedups(Channel::Bank) {
        return line(None);
    }
    let mut order = order(world, ledger, (batch, transfer));
    let refusal = match behaviour.effect {
        Effect::Refuse(refusal) => refused(batch, refusal),
        _ => unknown_debtor(world, batch),
    };
    if refusal.is_some() {
        order.refused = refusal;
        order.key.clone_from(&key);
        ledger.place(order);
        return line(Some(key));
    }
    line(Some(place(ledger, order, &behaviour.effect)))
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

fn order(world: &World, ledger: &Ledger, (batch, transfer): (&Batch, &Transfer)) -> NewOrder {
    let now_ms = world.clock.now_ms();
    let day = beijing(now_ms).format("%Y%m%d");
    let echo: BTreeMap<String, String> = [
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
        refused: None,
        notify_url: None,
        echo,
    }
}
