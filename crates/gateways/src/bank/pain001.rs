//! pain.001.001.09: a file of credit transfers.

use chrono::FixedOffset;
use domain::{Currency, Money};
use secrecy::ExposeSecret as _;

use crate::bank::file::TransferFile;
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

/// The message of a file. The same file gives the same bytes.
///
/// A payout number is `InstrId` and `EndToEndId` of its transfer; the creation
/// time is that of the file, not that of the attempt.
pub(super) fn write(debtor: &Debtor, file: &TransferFile<'_>) -> Result<String, Incomplete> {
    let mut transfers = String::new();
    for order in file.orders {
        transfers.push_str(&transfer(order)?);
    }
    let zone = FixedOffset::east_opt(8 * 3_600).expect("eight hours are an offset");
    let created = file.created_at.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%:z");
    let total: Money = file.orders.iter().map(|order| order.amount).sum();
    let sums = format!(
        "<NbOfTxs>{}</NbOfTxs><CtrlSum>{}</CtrlSum>",
        file.orders.len(),
        total.to_text(Currency::Cny)
    );
    let (number, name) = (leaf("MsgId", file.msg_id), leaf("Nm", &debtor.name));
    let header =
        format!("<GrpHdr>{number}<CreDtTm>{created}</CreDtTm>{sums}<InitgPty>{name}</InitgPty></GrpHdr>");
    let service = "<PmtTpInf><SvcLvl><Cd>NURG</Cd></SvcLvl></PmtTpInf>";
    let payment = format!(
        "<PmtInf>{}<PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>{sums}{service}\
         <ReqdExctnDt><Dt>{}</Dt></ReqdExctnDt><Dbtr>{name}</Dbtr>\
         <DbtrAcct>{}<Ccy>CNY</Ccy></DbtrAcct><DbtrAgt>{}</DbtrAgt><ChrgBr>DEBT</ChrgBr>{transfers}</PmtInf>",
        leaf("PmtInfId", &format!("{}-1", file.msg_id)),
        file.execute_on.format("%Y-%m-%d"),
        account(&debtor.account),
        agent(&debtor.cnaps),
    );
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">\
         <CstmrCdtTrfInitn>{header}{payment}</CstmrCdtTrfInitn></Document>"
    ))
}

/// One transfer of a file, if it is complete.
pub(super) fn transfer(order: &Order) -> Result<String, Incomplete> {
    order.check()?;
    let payee = checked(order.payee.as_ref().ok_or(Incomplete::Payee)?)?;
    let amount = order.amount.to_text(Currency::Cny);
    let ids = leaf("InstrId", &order.payout_no) + &leaf("EndToEndId", &order.payout_no);
    let reason = cut_to_characters(&order.reason, REASON_MAX);
    let remittance = if reason.is_empty() {
        String::new()
    } else {
        format!("<RmtInf>{}</RmtInf>", leaf("Ustrd", &reason))
    };
    Ok(format!(
        "<CdtTrfTxInf><PmtId>{ids}</PmtId><Amt><InstdAmt Ccy=\"CNY\">{amount}</InstdAmt></Amt>\
         <CdtrAgt>{}</CdtrAgt><Cdtr>{}</Cdtr><CdtrAcct>{}</CdtrAcct>{remittance}</CdtTrfTxInf>",
        agent(&payee.cnaps),
        leaf("Nm", &payee.holder),
        account(payee.number.expose_secret()),
    ))
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
    use crate::bank::file::TransferFile;
    use crate::bank::xml;
    use crate::fixtures::order;
    use crate::order::{Incomplete, Order, Payee};

    const VECTOR: &str = include_str!("../../tests/vectors/bank/pain.001.xml");

    fn debtor() -> Debtor {
        Debtor {
            name: "示例云计算有限公司".to_owned(),
            account: "62220000000000000001".to_owned(),
            cnaps: "102100099996".to_owned(),
        }
    }

    /// The two orders of the vector under numbers of ours, which have no hyphen.
    fn orders() -> [Order; 2] {
        let order = |payout_no: &str, fen, (holder, number, cnaps): (&str, &str, &str), reason: &str| Order {
            payout_no: payout_no.to_owned(),
            amount: domain::Money::from_minor(fen),
            payee: Some(Payee {
                holder: holder.to_owned(),
                number: SecretString::from(number),
                cnaps: cnaps.to_owned(),
                ..order().payee.unwrap()
            }),
            reason: reason.to_owned(),
            ..order()
        };
        let first = ("张三", "6217000000000000000", "105100000017");
        let second = ("李四", "6225000000000000", "308584000013");
        [
            order("WD20261123000000012", 123_456, first, "账户提现 WD2026112300000001"),
            order("WD20261123000000021", 10_000, second, "账户提现 WD2026112300000002"),
        ]
    }

    fn file<'a>(orders: &'a [Order], of: &'a Order) -> TransferFile<'a> {
        TransferFile {
            msg_id: "WDB20261123000001",
            created_at: of.minted_at,
            execute_on: of.execute_on,
            orders,
        }
    }

    fn one(order: &Order) -> Result<String, Incomplete> {
        write(&debtor(), &file(std::slice::from_ref(order), order))
    }

    #[test]
    fn the_file_is_the_valid_vector_byte_for_byte() {
        let orders = orders();
        let text = write(&debtor(), &file(&orders, &orders[0])).unwrap();
        let expected = VECTOR
            .replace(">WD2026112300000001-2<", ">WD20261123000000012<")
            .replace(">WD2026112300000002-1<", ">WD20261123000000021<");
        assert_eq!(text, expected.trim_end());
        assert_eq!(text, write(&debtor(), &file(&orders, &orders[0])).unwrap(), "a repeat is the same bytes");
    }

    #[test]
    fn names_and_reasons_cannot_break_out_of_their_elements() {
        let mut order = order();
        order.reason = "</Ustrd>&\u{1}<x>".to_owned();
        order.payee.as_mut().unwrap().holder = "A & B <C>".to_owned();
        let text = one(&order).unwrap();
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
            one(&order).err()
        };
        let no_payee = Order { payee: None, ..order() };
        assert_eq!(one(&no_payee).err(), Some(Incomplete::Payee));
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
