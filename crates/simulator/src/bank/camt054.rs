//! camt.054.001.08: a booked debit, or the credit that returns a payment.

use super::entry::{Entry, entry};
use super::xml::{document, leaf, node};
use crate::book::{News, Order};
use crate::clock::{beijing, rfc3339};
use crate::postman::{Letter, Notice};
use crate::world::World;

const MESSAGE: &str = "camt.054.001.08";

/// Writes and signs the notification.
pub(crate) fn letter(world: &World, notice: &Notice, order: &Order) -> Letter {
    let returned = notice.news == News::Returned;
    let number = format!("NTF{}{:06}", beijing(notice.at_ms).format("%Y%m%d"), notice.sequence);
    let moment = rfc3339(notice.at_ms);
    let header = node("GrpHdr", &(leaf("MsgId", &number) + &leaf("CreDtTm", &moment)));
    let account = &world.keys.settings.bank.debtor_iban_like;
    let line = Entry { order, at_ms: notice.at_ms, returned, amount_fen: order.placed.amount_fen };
    let inner = [
        leaf("Id", &format!("{number}-1")),
        leaf("CreDtTm", &moment),
        super::entry::account(account),
        entry(&line, &order.placed.reference),
    ]
    .concat();
    let xml = document(MESSAGE, &node("BkToCstmrDbtCdtNtfctn", &(header + &node("Ntfctn", &inner))));
    let signature = world.keys.bank.bank.sign(xml.as_bytes());
    Letter {
        content_type: "application/xml; charset=utf-8",
        headers: vec![("X-Signature", signature)],
        body: xml,
    }
}
