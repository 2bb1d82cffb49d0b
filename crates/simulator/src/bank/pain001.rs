//! pain.001.001.09 in: read strictly, because a bank refuses whole files.

use super::schema;
use super::xml::{self, Element};
use crate::money;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// A payment initiation.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) msg_id: String,
    pub(super) control_sum_fen: i64,
    pub(super) batches: Vec<Batch>,
}

/// One `PmtInf`.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) pmt_inf_id: String,
    /// `NURG` or `URGP`.
    pub(super) service_level: String,
    pub(super) debtor_account: String,
    pub(super) transfers: Vec<Transfer>,
}

/// One `CdtTrfTxInf`.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) instr_id: String,
    pub(super) end_to_end_id: String,
    pub(super) amount_fen: i64,
    pub(super) creditor_name: String,
    pub(super) creditor_account: String,
}

/// Why a file is refused as a whole.
#[derive(Debug)]
pub(super) struct Fault {
    /// The message's number, or `NOTPROVIDED`.
    pub(super) msg_id: String,
    pub(super) text: String,
}

/// Reads and checks a file.
pub(super) fn read(bytes: &[u8]) -> Result<Message, Fault> {
    let fault = |msg_id: &str, text: &str| Fault { msg_id: msg_id.to_owned(), text: text.to_owned() };
    let root = xml::parse(bytes).ok_or_else(|| fault("NOTPROVIDED", "Not well-formed XML"))?;
    let initiation = root
        .at(&["CstmrCdtTrfInitn"])
        .filter(|_| root.name == "Document" && root.attribute == NAMESPACE)
        .ok_or_else(|| fault("NOTPROVIDED", "Not a pain.001.001.09 document"))?;
    let msg_id = initiation.text_at(&["GrpHdr", "MsgId"]);
    let known = if msg_id.is_empty() { "NOTPROVIDED" } else { msg_id };
    schema::check(initiation).map_err(|text| fault(known, &text))?;
    let message = message(initiation).map_err(|text| fault(known, &text))?;
    check_sums(initiation, &message).map_err(|text| fault(known, &text))?;
    Ok(message)
}

fn message(initiation: &Element) -> Result<Message, String> {
    required(initiation, &["GrpHdr", "CreDtTm"])?;
    let batches: Vec<Batch> = initiation.all("PmtInf").map(batch).collect::<Result<_, _>>()?;
    let control_sum_fen =
        batches.iter().flat_map(|batch| &batch.transfers).map(|transfer| transfer.amount_fen).sum();
    if batches.is_empty() {
        return Err("PmtInf is missing".to_owned());
    }
    Ok(Message { msg_id: identifier(initiation, &["GrpHdr", "MsgId"])?, control_sum_fen, batches })
}

fn batch(element: &Element) -> Result<Batch, String> {
    if element.text_at(&["PmtMtd"]) != "TRF" {
        return Err("PmtMtd must be TRF".to_owned());
    }
    required(element, &["ReqdExctnDt", "Dt"])?;
    required(element, &["DbtrAgt", "FinInstnId", "ClrSysMmbId", "MmbId"])?;
    let transfers: Vec<Transfer> = element.all("CdtTrfTxInf").map(transfer).collect::<Result<_, _>>()?;
    if transfers.is_empty() {
        return Err("CdtTrfTxInf is missing".to_owned());
    }
    Ok(Batch {
        pmt_inf_id: identifier(element, &["PmtInfId"])?,
        service_level: element.text_at(&["PmtTpInf", "SvcLvl", "Cd"]).to_owned(),
        debtor_account: required(element, &["DbtrAcct", "Id", "Othr", "Id"])?,
        transfers,
    })
}

fn transfer(element: &Element) -> Result<Transfer, String> {
    let amount = element.at(&["Amt", "InstdAmt"]).ok_or("InstdAmt is missing")?;
    if amount.attribute != "CNY" {
        return Err("InstdAmt is not in CNY".to_owned());
    }
    let end_to_end_id = identifier(element, &["PmtId", "EndToEndId"])?;
    let amount_fen = money::fen(amount.text.trim())
        .ok_or_else(|| format!("InstdAmt of {end_to_end_id} is not a positive amount"))?;
    Ok(Transfer {
        instr_id: element.text_at(&["PmtId", "InstrId"]).to_owned(),
        end_to_end_id,
        amount_fen,
        creditor_name: required(element, &["Cdtr", "Nm"])?,
        creditor_account: required(element, &["CdtrAcct", "Id", "Othr", "Id"])?,
    })
}

fn required(element: &Element, path: &[&str]) -> Result<String, String> {
    match element.text_at(path) {
        "" => Err(format!("{} is missing", path.join("/"))),
        text => Ok(text.to_owned()),
    }
}

/// A number of the originator's: 1 to 35 characters.
fn identifier(element: &Element, path: &[&str]) -> Result<String, String> {
    let text = required(element, path)?;
    if text.chars().count() > 35 {
        return Err(format!("{} is longer than 35 characters", path.join("/")));
    }
    Ok(text)
}

/// `NbOfTxs` and `CtrlSum`, where present, must fit at both levels.
fn check_sums(initiation: &Element, message: &Message) -> Result<(), String> {
    let header = initiation.at(&["GrpHdr"]).ok_or("GrpHdr is missing")?;
    let count = message.batches.iter().map(|batch| batch.transfers.len()).sum();
    if header.text_at(&["NbOfTxs"]).is_empty() {
        return Err("NbOfTxs is missing".to_owned());
    }
    check_level(header, count, message.control_sum_fen)?;
    for (element, batch) in initiation.all("PmtInf").zip(&message.batches) {
        let sum = batch.transfers.iter().map(|transfer| transfer.amount_fen).sum();
        check_level(element, batch.transfers.len(), sum)?;
    }
    Ok(())
}

fn check_level(element: &Element, count: usize, sum_fen: i64) -> Result<(), String> {
    let (counted, sum) = (element.text_at(&["NbOfTxs"]), element.text_at(&["CtrlSum"]));
    if !counted.is_empty() && counted.parse() != Ok(count) {
        return Err(format!("NbOfTxs is {counted}, the file holds {count}"));
    }
    if !sum.is_empty() && money::fen(sum) != Some(sum_fen) {
        return Err(format!("CtrlSum is {sum}, the file holds {}", money::yuan(sum_fen)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::read;
    use crate::fixtures;

    fn sample() -> String {
        fs::read_to_string(fixtures::path("vectors/bank/pain.001.xml")).expect("the sample is there")
    }

    #[test]
    fn the_sample_is_read_and_its_signature_holds() {
        let xml = sample();
        let message = read(xml.as_bytes()).expect("the sample is valid");
        assert_eq!(message.msg_id, "WDB20261123000001");
        assert_eq!(message.control_sum_fen, 133_456);
        assert_eq!(message.batches[0].transfers[0].creditor_name, "张三");
        let keys = fixtures::keys();
        let vector = fixtures::json("vectors/bank.json");
        let signature = vector["request"]["x_signature"].as_str().expect("text");
        assert!(keys.bank.corporate.accepts(xml.as_bytes(), signature));
        assert!(!keys.bank.corporate.accepts(xml.replace("张三", "李三").as_bytes(), signature));
        let answer = fs::read(fixtures::path("vectors/bank/pain.002_part.xml")).expect("the sample is there");
        assert_eq!(keys.bank.bank.sign(&answer), vector["response"]["x_signature"]);
    }

    #[test]
    fn a_file_that_does_not_add_up_is_refused_whole() {
        for (from, to, expected) in [
            (
                "<NbOfTxs>2</NbOfTxs><CtrlSum>1334.56</CtrlSum><InitgPty>",
                "<NbOfTxs>3</NbOfTxs><InitgPty>",
                "NbOfTxs",
            ),
            ("<CtrlSum>1334.56</CtrlSum><PmtTpInf>", "<CtrlSum>1334.57</CtrlSum><PmtTpInf>", "CtrlSum"),
            ("Ccy=\"CNY\">100.00", "Ccy=\"USD\">100.00", "CNY"),
            (">100.00<", ">100.001<", "positive amount"),
            ("<MsgId>WDB20261123000001</MsgId>", "", "MsgId"),
            ("pain.001.001.09", "pain.001.001.03", "pain.001.001.09"),
            ("</Document>", "", "well-formed"),
            ("<Nm>张三</Nm>", "", "Cdtr/Nm"),
        ] {
            let fault = read(sample().replacen(from, to, 1).as_bytes()).expect_err(expected);
            assert!(fault.text.contains(expected), "{} for {expected}", fault.text);
        }
    }
}
