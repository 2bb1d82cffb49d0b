//! pain.002.001.10 out: what became of a file and of each transfer in it.

use super::xml::{document, leaf, node};
use crate::book::{BankBatch, BankLine, BankMessage, Ledger, State};
use crate::clock::{beijing, rfc3339};
use crate::money::yuan;

const MESSAGE: &str = "pain.002.001.10";

/// The status of a transfer and, for a refusal, code and text.
struct Line {
    status: &'static str,
    reason: Option<(String, String)>,
    reference: String,
}

/// The report on an accepted file. The same file has the same report for as
/// long as nothing changes.
pub(super) fn report(ledger: &Ledger, message: &BankMessage) -> String {
    let number = format!("STS{}{:06}", beijing(message.at_ms).format("%Y%m%d"), message.sequence);
    let batches: Vec<(&BankBatch, Vec<Line>)> = message
        .batches
        .iter()
        .map(|batch| (batch, batch.lines.iter().map(|it| line(ledger, it)).collect()))
        .collect();
    let transfers = batches.iter().map(|(_, lines)| lines.len()).sum::<usize>();
    let group = node(
        "OrgnlGrpInfAndSts",
        &[
            leaf("OrgnlMsgId", &message.msg_id),
            leaf("OrgnlMsgNmId", "pain.001.001.09"),
            leaf("OrgnlNbOfTxs", &transfers.to_string()),
            leaf("OrgnlCtrlSum", &yuan(message.control_sum_fen)),
            leaf("GrpSts", common_status(batches.iter().flat_map(|(_, lines)| lines))),
        ]
        .concat(),
    );
    let mut inner = header(&number, message.at_ms) + &group;
    let mut count = 0;
    for (batch, lines) in &batches {
        let mut text = leaf("OrgnlPmtInfId", &batch.pmt_inf_id);
        text.push_str(&leaf("PmtInfSts", common_status(lines)));
        for (original, line) in batch.lines.iter().zip(lines) {
            count += 1;
            text.push_str(&transaction(&format!("{number}-{count}"), original, line));
        }
        inner.push_str(&node("OrgnlPmtInfAndSts", &text));
    }
    document(MESSAGE, &node("CstmrPmtStsRpt", &inner))
}

/// The report that refuses a whole file with a code and a text.
pub(super) fn group_refusal(msg_id: &str, reason: (&str, &str), now_ms: i64) -> String {
    group_only(msg_id, Some("RJCT"), reason, now_ms)
}

/// The report on a file that never arrived: no status, only a remark.
pub(super) fn not_found(msg_id: &str, now_ms: i64) -> String {
    group_only(msg_id, None, ("NARR", "No such message or transaction"), now_ms)
}

fn group_only(msg_id: &str, status: Option<&str>, reason: (&str, &str), now_ms: i64) -> String {
    let group = node(
        "OrgnlGrpInfAndSts",
        &[
            leaf("OrgnlMsgId", msg_id),
            leaf("OrgnlMsgNmId", "pain.001.001.09"),
            status.map(|status| leaf("GrpSts", status)).unwrap_or_default(),
            reason_node(reason.0, reason.1),
        ]
        .concat(),
    );
    let number = format!("STS{now_ms}");
    document(MESSAGE, &node("CstmrPmtStsRpt", &(header(&number, now_ms) + &group)))
}

fn header(number: &str, at_ms: i64) -> String {
    node("GrpHdr", &(leaf("MsgId", number) + &leaf("CreDtTm", &rfc3339(at_ms))))
}

fn reason_node(code: &str, text: &str) -> String {
    let mut inner = node("Rsn", &leaf("Cd", code));
    if !text.is_empty() {
        // AddtlInf holds at most 105 characters.
        inner.push_str(&leaf("AddtlInf", &text.chars().take(105).collect::<String>()));
    }
    node("StsRsnInf", &inner)
}

fn line(ledger: &Ledger, original: &BankLine) -> Line {
    let order = original.order_key.as_deref().and_then(|key| ledger.order(key));
    let refusal = |reason| Line { status: "RJCT", reason, reference: String::new() };
    match order.map(|order| (&order.state, order.placed.reference.clone())) {
        None => refusal(original.refused.clone()),
        Some((State::Refused(code, text), _)) => refusal(Some((code.clone(), text.clone()))),
        Some((State::Pending, reference)) => Line { status: "ACSP", reason: None, reference },
        // A return is told by camt.054 and camt.053, never by a status report.
        Some((State::Paid | State::Returned(_), reference)) => {
            Line { status: "ACSC", reason: None, reference }
        }
    }
}

/// One status for all lines, or `PART`.
fn common_status<'a>(lines: impl IntoIterator<Item = &'a Line>) -> &'static str {
    let mut statuses = lines.into_iter().map(|line| line.status);
    let first = statuses.next().unwrap_or("PART");
    if statuses.all(|status| status == first) { first } else { "PART" }
}

fn transaction(number: &str, original: &BankLine, line: &Line) -> String {
    let mut text = leaf("StsId", number);
    if !original.instr_id.is_empty() {
        text.push_str(&leaf("OrgnlInstrId", &original.instr_id));
    }
    text.push_str(&leaf("OrgnlEndToEndId", &original.end_to_end_id));
    text.push_str(&leaf("TxSts", line.status));
    if let Some((code, reason)) = &line.reason {
        text.push_str(&reason_node(code, reason));
    }
    if !line.reference.is_empty() {
        text.push_str(&leaf("AcctSvcrRef", &line.reference));
    }
    node("TxInfAndSts", &text)
}
