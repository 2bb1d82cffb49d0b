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

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::{Debtor, write};
    use crate::bank::xml;
    use crate::fixtures::order;
    use crate::order::{Incomplete, Payee};

    const VECTOR: &str = include_str!("../../tests/vectors/bank/pain.001.xml");

    fn debtor() -> Debtor {
        Debtor {
            name: "示例云计算有限公司".to_owned(),
            account: "62220000000000000001".to_owned(),
            cnaps: "102100099996".to_owned(),
        }
    }

    /// The message of the vectors, cut down to its first transfer and with the
    /// names of ours.
    fn expected() -> String {
        let first = VECTOR.find("<CdtTrfTxInf>").unwrap();
        let second = VECTOR.rfind("<CdtTrfTxInf>").unwrap();
        let end = VECTOR.rfind("</PmtInf>").unwrap();
        let one = format!("{}{}", &VECTOR[..second], &VECTOR[end..]);
        assert!(first < second && one.matches("<CdtTrfTxInf>").count() == 1);
        one.replace("<NbOfTxs>2<", "<NbOfTxs>1<")
            .replace("1334.56", "12.34")
            .replace("1234.56", "12.34")
            .replace("账户提现 WD2026112300000001", "提现退款")
            .replace("WD2026112300000001-2", "WD20261123000000011")
            .replace("WDB20261123000001", "WD20261123000000011")
    }

    #[test]
    fn the_message_is_that_of_the_valid_vector_byte_for_byte() {
        let text = write(&debtor(), &order()).unwrap();
        assert_eq!(text, expected().trim_end());
        assert_eq!(text, write(&debtor(), &order()).unwrap(), "a repeat is the same bytes");
    }

    #[test]
    fn names_and_reasons_cannot_break_out_of_their_elements() {
        let mut order = order();
        order.reason = "</Ustrd>&\u{1}<x>".to_owned();
        order.payee.as_mut().unwrap().holder = "A & B <C>".to_owned();
        let text = write(&debtor(), &order).unwrap();
        let root = xml::read(text.as_bytes()).unwrap();
        let transfer = root.at("CstmrCdtTrfInitn/PmtInf/CdtTrfTxInf").unwrap();
        assert_eq!(transfer.text_at("Cdtr/Nm"), "A & B <C>");
        assert_eq!(transfer.text_at("RmtInf/Ustrd"), "</Ustrd>&<x>");
    }

    #[test]
    fn an_account_that_no_bank_could_pay_never_leaves() {
        let change = |edit: fn(&mut Payee)| {
            let mut order = order();
            order.payee.as_mut().map(edit);
            write(&debtor(), &order).err()
        };
        let no_payee = crate::Order { payee: None, ..order() };
        assert_eq!(write(&debtor(), &no_payee).err(), Some(Incomplete::Payee));
        for (actual, expected) in [
            (change(|payee| payee.number = SecretString::from("")), Incomplete::AccountNumber),
            (change(|payee| payee.number = SecretString::from("6217-0000")), Incomplete::AccountNumber),
            (change(|payee| payee.cnaps = "10510000001".to_owned()), Incomplete::Cnaps),
            (change(|payee| payee.cnaps = "10510000001X".to_owned()), Incomplete::Cnaps),
            (change(|payee| payee.holder = String::new()), Incomplete::Holder),
            (change(|payee| payee.holder = "a\nb".to_owned()), Incomplete::Holder),
            (change(|payee| payee.holder = "长".repeat(141)), Incomplete::Holder),
        ] {
            assert_eq!(actual, Some(expected));
        }
    }
}
