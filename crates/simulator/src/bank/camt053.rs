//! camt.053.001.08: the day's statement, whose balances chain over days.

use chrono::{Datelike as _, NaiveDate};

use super::entry::{Entry, account, amount, entry};
use super::xml::{document, leaf, node};
use crate::book::{Kind, Ledger};
use crate::channel::Channel;
use crate::clock::rfc3339;
use crate::money::yuan;
use crate::statement::{Line, day, lines};

const MESSAGE: &str = "camt.053.001.08";
/// Where the balance of the account begins, in fen.
const OPENING_FEN: i64 = 100_000_000_000;

/// The statement of a day. Balances follow the book even where a scenario makes
/// a line deviate from it.
pub(super) fn statement(ledger: &Ledger, number: &str, date: NaiveDate) -> String {
    let time = day(date);
    let opening = OPENING_FEN + change(ledger, i64::MIN..time.start);
    let closing = opening + change(ledger, time.clone());
    let lines = lines(ledger, Channel::Bank, &time);
    let id = format!("STMT{}", date.format("%Y%m%d"));
    let issued = rfc3339(time.end + 3_600_000);
    let header = node("GrpHdr", &(leaf("MsgId", &id) + &leaf("CreDtTm", &issued)));
    let span = node("FrToDt", &(leaf("FrDtTm", &rfc3339(time.start)) + &leaf("ToDtTm", &rfc3339(time.end))));
    let mut inner = [
        leaf("Id", &format!("{id}-1")),
        leaf("ElctrncSeqNb", &date.ordinal().to_string()),
        leaf("CreDtTm", &issued),
        span,
        account(number),
        balance("OPBD", opening, date),
        balance("CLBD", closing, date),
        summary(&lines),
    ]
    .concat();
    for (line, count) in lines.iter().zip(1..) {
        let returned = line.kind == Kind::Return;
        let mut order = line.order.clone();
        order.placed.number.clone_from(&line.number);
        let booked = Entry { order: &order, at_ms: line.at_ms, returned, amount_fen: line.amount_fen };
        inner.push_str(&entry(&booked, &count.to_string()));
    }
    document(MESSAGE, &node("BkToCstmrStmt", &(header + &node("Stmt", &inner))))
}

/// What the book's movements of a time did to the balance, in fen.
fn change(ledger: &Ledger, time: std::ops::Range<i64>) -> i64 {
    let movements = ledger.movements().iter();
    movements
        .filter(|movement| movement.channel == Channel::Bank && time.contains(&movement.at_ms))
        .map(|movement| match movement.kind {
            Kind::Payout => -movement.amount_fen,
            Kind::Return => movement.amount_fen,
        })
        .sum()
}

fn balance(kind: &str, fen: i64, date: NaiveDate) -> String {
    let kind = node("Tp", &node("CdOrPrtry", &leaf("Cd", kind)));
    let direction = leaf("CdtDbtInd", if fen < 0 { "DBIT" } else { "CRDT" });
    let date = node("Dt", &leaf("Dt", &date.to_string()));
    node("Bal", &(kind + &amount(fen.abs()) + &direction + &date))
}

fn summary(lines: &[Line]) -> String {
    let total = |name: &str, wanted: Option<Kind>| {
        let meant = || lines.iter().filter(|line| wanted.is_none_or(|kind| line.kind == kind));
        let sum: i64 = meant().map(|line| line.amount_fen).sum();
        node(name, &(leaf("NbOfNtries", &meant().count().to_string()) + &leaf("Sum", &yuan(sum))))
    };
    let totals = [
        total("TtlNtries", None),
        total("TtlCdtNtries", Some(Kind::Return)),
        total("TtlDbtNtries", Some(Kind::Payout)),
    ];
    node("TxsSummry", &totals.concat())
}
