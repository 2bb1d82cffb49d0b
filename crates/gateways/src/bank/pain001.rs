//! pain.001.001.09: a credit transfer of one transaction.

use chrono::FixedOffset;
use domain::Currency;
use secrecy::ExposeSecret as _;

use crate::bank::xml::leaf;
use crate::order::{Incomplete, Order, Payee, cut};

/// The paying account.
pub(super) struct Debtor {
    pub(super) name: String,
    pub(super) account: String,
    pub(super) cnaps: String,
}

/// Characters of the remittance text.
const REASON_MAX: usize = 140;

/// The message of an order. The same order gives the same bytes.
///
/// Payout number is `MsgId`, `InstrId` and `EndToEndId`; the creation time is that
/// of the number, not that of the attempt.
pub(super) fn write(debtor: &Debtor, order: &Order) -> Result<String, Incomplete> {
    order.check()?;
    let payee = checked(order.payee.as_ref().ok_or(Incomplete::Payee)?)?;
    let number = leaf("MsgId", &order.payout_no);
    let zone = FixedOffset::east_opt(8 * 3_600).expect("eight hours are an offset");
    let created = order.minted_at.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%:z");
    let amount = order.amount.to_text(Currency::Cny);
    let sums = format!("<NbOfTxs>1</NbOfTxs><CtrlSum>{amount}</CtrlSum>");
    let name = leaf("Nm", &debtor.name);
    let header =
        format!("<GrpHdr>{number}<CreDtTm>{created}</CreDtTm>{sums}<InitgPty>{name}</InitgPty></GrpHdr>");
    let service = "<PmtTpInf><SvcLvl><Cd>NURG</Cd></SvcLvl></PmtTpInf>";
    let payment = format!(
        "<PmtInf>{}<PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>{sums}{service}\
         <ReqdExctnDt><Dt>{}</Dt></ReqdExctnDt><Dbtr>{name}</Dbtr>\
         <DbtrAcct>{}<Ccy>CNY</Ccy></DbtrAcct><DbtrAgt>{}</DbtrAgt><ChrgBr>DEBT</ChrgBr>{}</PmtInf>",
        leaf("PmtInfId", &format!("{}-1", order.payout_no)),
        order.execute_on.format("%Y-%m-%d"),
        account(&debtor.account),
        agent(&debtor.cnaps),
        transfer(order, payee, &amount),
    );
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">\
         <CstmrCdtTrfInitn>{header}{payment}</CstmrCdtTrfInitn></Document>"
    ))
}

fn transfer(order: &Order, payee: &Payee, amount: &str) -> String {
    let ids = leaf("InstrId", &order.payout_no) + &leaf("EndToEndId", &order.payout_no);
    let reason = cut_to_characters(&order.reason, REASON_MAX);
    let remittance = if reason.is_empty() {
        String::new()
    } else {
        format!("<RmtInf>{}</RmtInf>", leaf("Ustrd", &reason))
    };
    format!(
        "<CdtTrfTxInf><PmtId>{ids}</PmtId><Amt><InstdAmt Ccy=\"CNY\">{amount}</InstdAmt></Amt>\
         <CdtrAgt>{}</CdtrAgt><Cdtr>{}</Cdtr><CdtrAcct>{}</CdtrAcct>{remittance}</CdtTrfTxInf>",
        agent(&payee.cnaps),
        leaf("Nm", &payee.holder),
        account(payee.number.expose_secret()),
    )
}

/// Chinese banks know accounts by number, not by IBAN.
fn account(number: &str) -> String {
    format!("<Id><Othr>{}</Othr></Id>", leaf("Id", number))
}

fn agent(cnaps: &str) -> String {
    format!(
        "<FinInstnId><ClrSysMmbId><ClrSysId><Cd>CNAPS</Cd></ClrSysId>{}</ClrSysMmbId></FinInstnId>",
        leaf("MmbId", cnaps)
    )
}

fn checked(payee: &Payee) -> Result<&Payee, Incomplete> {
    let number = payee.number.expose_secret();
    let alphanumeric = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !alphanumeric || !(1..=34).contains(&number.len()) {
        return Err(Incomplete::AccountNumber);
    }
    if payee.cnaps.len() != 12 || !payee.cnaps.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Incomplete::Cnaps);
    }
    let characters = payee.holder.chars().count();
    if !(1..=140).contains(&characters) || payee.holder.chars().any(char::is_control) {
        return Err(Incomplete::Holder);
    }
    Ok(payee)
}

/// The first characters without control characters, which XML 1.0 cannot carry.
fn cut_to_characters(text: &str, characters_max: usize) -> String {
    let kept: String =
        text.chars().filter(|character| !character.is_control()).take(characters_max).collect();
    cut(&kept, kept.len()).trim().to_owned()
}
