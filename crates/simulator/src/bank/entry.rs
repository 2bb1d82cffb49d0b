//! A booked line, as camt.053 and camt.054 both write it.

use super::xml::{leaf, node};
use crate::book::{Order, State};
use crate::clock::beijing;
use crate::money::yuan;

/// One booked movement.
pub(super) struct Entry<'a> {
    pub(super) order: &'a Order,
    pub(super) at_ms: i64,
    pub(super) returned: bool,
    pub(super) amount_fen: i64,
}

/// The account that pays.
pub(super) fn account(number: &str) -> String {
    let id = node("Id", &node("Othr", &leaf("Id", number)));
    node("Acct", &(id + &leaf("Ccy", "CNY")))
}

/// `Amt` in yuan.
pub(super) fn amount(fen: i64) -> String {
    format!("<Amt Ccy=\"CNY\">{}</Amt>", yuan(fen))
}

/// `Ntry` under a reference of the bank's.
pub(super) fn entry(line: &Entry<'_>, reference: &str) -> String {
    let day = beijing(line.at_ms).format("%Y-%m-%d").to_string();
    let direction = leaf("CdtDbtInd", if line.returned { "CRDT" } else { "DBIT" });
    let kind = if line.returned { ("RCDT", "RRTN") } else { ("ICDT", "DMCT") };
    let family = node("Fmly", &(leaf("Cd", kind.0) + &leaf("SubFmlyCd", kind.1)));
    let day = node("Dt", &day);
    let mut text = leaf("NtryRef", reference) + &amount(line.amount_fen) + &direction;
    if line.returned {
        text.push_str(&leaf("RvslInd", "true"));
    }
    text.push_str(&node("Sts", &leaf("Cd", "BOOK")));
    text.push_str(&node("BookgDt", &day));
    text.push_str(&node("ValDt", &day));
    text.push_str(&leaf("AcctSvcrRef", &line.order.placed.reference));
    text.push_str(&node("BkTxCd", &node("Domn", &(leaf("Cd", "PMNT") + &family))));
    text.push_str(&node("NtryDtls", &node("TxDtls", &details(line, &direction))));
    node("Ntry", &text)
}

fn details(line: &Entry<'_>, direction: &str) -> String {
    let placed = &line.order.placed;
    let echoed = |name: &str| placed.echo.get(name).map(String::as_str).unwrap_or_default();
    let mut references = String::new();
    for (name, value) in [
        ("MsgId", echoed("msg_id")),
        ("PmtInfId", echoed("pmt_inf_id")),
        ("InstrId", echoed("instr_id")),
        ("EndToEndId", placed.number.as_str()),
    ] {
        if !value.is_empty() {
            references.push_str(&leaf(name, value));
        }
    }
    let mut text = node("Refs", &references) + &amount(line.amount_fen) + direction;
    if line.returned {
        let reason = match &line.order.state {
            State::Returned(reason) => reason.as_str(),
            _ => "MS03",
        };
        let inner = node("Rsn", &leaf("Cd", reason)) + &leaf("AddtlInf", "退汇");
        text.push_str(&node("RtrInf", &inner));
    } else {
        let creditor = node("Cdtr", &node("Pty", &leaf("Nm", echoed("creditor_name"))));
        text.push_str(&node("RltdPties", &creditor));
    }
    text
}
