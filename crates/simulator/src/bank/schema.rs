//! Which elements a pain.001.001.09 may hold and in which order, down to a transfer.
//!
//! A bank validates before it reads, so a file that the schema refuses is refused
//! here too. What lies below these elements is read where it is needed.

use super::xml::Element;

/// An element and its children in the order of the schema: `!` exactly one, `+` one
/// or more, `*` any number, and without a mark at most one.
const CHILDREN: [(&str, &str); 10] = [
    ("CstmrCdtTrfInitn", "GrpHdr! PmtInf+ SplmtryData*"),
    ("GrpHdr", "MsgId! CreDtTm! Authstn* NbOfTxs! CtrlSum InitgPty! FwdgAgt"),
    (
        "PmtInf",
        "PmtInfId! PmtMtd! BtchBookg NbOfTxs CtrlSum PmtTpInf ReqdExctnDt! PoolgAdjstmntDt Dbtr! DbtrAcct! \
         DbtrAgt! DbtrAgtAcct InstrForDbtrAgt UltmtDbtr ChrgBr ChrgsAcct ChrgsAcctAgt CdtTrfTxInf+",
    ),
    ("PmtTpInf", "InstrPrty SvcLvl* LclInstrm CtgyPurp"),
    (
        "CdtTrfTxInf",
        "PmtId! PmtTpInf Amt! XchgRateInf ChrgBr ChqInstr UltmtDbtr IntrmyAgt1 IntrmyAgt1Acct IntrmyAgt2 \
         IntrmyAgt2Acct IntrmyAgt3 IntrmyAgt3Acct CdtrAgt CdtrAgtAcct Cdtr CdtrAcct UltmtCdtr \
         InstrForCdtrAgt* InstrForDbtrAgt Purp RgltryRptg* Tax RltdRmtInf* RmtInf SplmtryData*",
    ),
    ("PmtId", "InstrId EndToEndId! UETR"),
    ("RmtInf", "Ustrd* Strd*"),
    ("DbtrAcct", "Id! Tp Ccy Nm Prxy"),
    ("CdtrAcct", "Id! Tp Ccy Nm Prxy"),
    ("ClrSysMmbId", "ClrSysId MmbId!"),
];

/// Checks an element and everything below it.
///
/// # Errors
/// What stands where it must not, or is missing, with the element it belongs to.
pub(super) fn check(element: &Element) -> Result<(), String> {
    if let Some((_, children)) = CHILDREN.iter().find(|(name, _)| *name == element.name) {
        check_children(element, children)?;
    }
    element.children.iter().try_for_each(check)
}

fn check_children(element: &Element, allowed: &str) -> Result<(), String> {
    let parent = &element.name;
    let allowed: Vec<(&str, &str)> = allowed
        .split_whitespace()
        .map(|word| word.split_at(word.find(['!', '+', '*']).unwrap_or(word.len())))
        .collect();
    let mut reached = None;
    for child in &element.children {
        let name = &child.name;
        let Some(at) = allowed.iter().position(|(known, _)| known == name) else {
            return Err(format!("{name} is no part of {parent}"));
        };
        if reached > Some(at) {
            return Err(format!("{name} stands too late in {parent}"));
        }
        if reached == Some(at) && !["+", "*"].contains(&allowed[at].1) {
            return Err(format!("{name} stands twice in {parent}"));
        }
        reached = Some(at);
    }
    let missing = allowed
        .iter()
        .find(|(name, mark)| ["!", "+"].contains(mark) && element.children.iter().all(|it| it.name != *name));
    match missing {
        Some((name, _)) => Err(format!("{parent}/{name} is missing")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::check;
    use crate::bank::xml;
    use crate::fixtures;

    #[test]
    fn only_what_the_schema_allows_passes_and_in_its_order() {
        let sample = fs::read_to_string(fixtures::path("vectors/bank/pain.001.xml")).expect("it is there");
        let fault = |from: &str, to: &str| {
            assert!(sample.contains(from), "{from}");
            let root = xml::parse(sample.replacen(from, to, 1).as_bytes()).expect("well-formed");
            check(&root).err().unwrap_or_default()
        };
        for (from, to, expected) in [
            ("MsgId", "MsgId", ""),
            ("<GrpHdr>", "<GrpHdr><Colour>red</Colour>", "Colour is no part of GrpHdr"),
            (
                "<NbOfTxs>2</NbOfTxs><CtrlSum>1334.56</CtrlSum><InitgPty>",
                "<InitgPty>",
                "GrpHdr/NbOfTxs is missing",
            ),
            (
                "<PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg>",
                "<BtchBookg>false</BtchBookg><PmtMtd>TRF</PmtMtd>",
                "PmtMtd stands too late in PmtInf",
            ),
            ("<ChrgBr>", "<ChrgBr>DEBT</ChrgBr><ChrgBr>", "ChrgBr stands twice in PmtInf"),
            ("<PmtId><InstrId>", "<PmtId><UETR>0</UETR><InstrId>", "InstrId stands too late in PmtId"),
            ("<Ccy>CNY</Ccy></DbtrAcct>", "<Ccy>CNY</Ccy><Id/></DbtrAcct>", "Id stands too late in DbtrAcct"),
            (
                "<ClrSysId><Cd>CNAPS</Cd></ClrSysId><MmbId>102100099996</MmbId>",
                "<ClrSysId/>",
                "ClrSysMmbId/MmbId is missing",
            ),
        ] {
            assert_eq!(fault(from, to), expected);
        }
    }
}
