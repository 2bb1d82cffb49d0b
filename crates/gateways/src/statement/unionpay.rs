//! `UnionPay`: fixed-width lines in GBK inside a ZIP inside a deflate stream.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Money;
use flate2::read::ZlibDecoder;

use crate::statement::{Movement, Row, Statement, StatementError, members, unpack};

/// Widths of the fields in bytes; one space stands between two.
const WIDTHS: [usize; 42] = [
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15,
    32, 13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
];

/// Fields by their documented number, counted from one.
const TXN_AMT: usize = 7;
const QUERY_ID: usize = 10;
const ORDER_ID: usize = 12;
const TXN_TYPE: usize = 20;
const ORIG_QRY_ID: usize = 27;

/// Reads `fileContent` of the answer.
///
/// # Errors
/// [`StatementError::Unreadable`] when any line is not of the documented width.
pub fn read(file_content: &str) -> Result<Statement, StatementError> {
    let packed = STANDARD.decode(file_content).map_err(|_| StatementError::unreadable("it is not base64"))?;
    let zip = unpack(ZlibDecoder::new(packed.as_slice()))?;
    // `INNyymmdd88ZM_`: the ordinary transactions; `ZME_` are disputes.
    let files = members(&zip, |name| name.starts_with(b"INN") && name.get(11..14) == Some(b"ZM_"))?;
    let mut rows = Vec::new();
    for file in files {
        for line in file.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                rows.extend(row(line)?);
            }
        }
    }
    Ok(Statement { rows, balances: None })
}

/// A refund of the file; nothing for other transactions.
fn row(line: &[u8]) -> Result<Option<Row>, StatementError> {
    let whole = WIDTHS.iter().sum::<usize>() + WIDTHS.len() - 1;
    // The last field is reserve and may be cut.
    if line.len() > whole || line.len() < whole - WIDTHS[WIDTHS.len() - 1] {
        return Err(StatementError::unreadable("a line has another width"));
    }
    if field(line, TXN_TYPE)? != "04" {
        return Ok(None);
    }
    let fen = field(line, TXN_AMT)?;
    if fen.len() != 12 || !fen.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(StatementError::unreadable("txnAmt is not twelve digits"));
    }
    let fen: i64 = fen.parse().map_err(|_| StatementError::unreadable("txnAmt is not a number"))?;
    Ok(Some(Row {
        payout_no: field(line, ORDER_ID)?.to_owned(),
        reference: field(line, QUERY_ID)?.to_owned(),
        amount: Money::from_minor(fen),
        movement: Movement::Out,
        trade_no: field(line, ORIG_QRY_ID)?.to_owned(),
        at: None,
    }))
}

/// A field without its padding. The fields that are read are ASCII.
fn field(line: &[u8], number: usize) -> Result<&str, StatementError> {
    let start: usize = WIDTHS[..number - 1].iter().map(|width| width + 1).sum();
    line.get(start..start + WIDTHS[number - 1])
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .map(str::trim)
        .ok_or_else(|| StatementError::unreadable("a field is not ASCII"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{read, row};
    use crate::statement::Movement;

    const ANSWER: &str = include_str!("../../tests/vectors/statements/unionpay_file_answer.json");
    const FILE: &[u8] =
        include_bytes!("../../tests/vectors/statements/unionpay_INN26112388ZM_777290058110048.txt");

    #[test]
    fn the_sample_has_its_one_refund() {
        let answer: Value = serde_json::from_str(ANSWER).unwrap();
        let rows = read(answer["fileContent"].as_str().unwrap()).unwrap().rows;
        let facts: Vec<_> = rows
            .iter()
            .map(|row| (row.payout_no.as_str(), row.amount.minor(), row.movement, row.trade_no.as_str()))
            .collect();
        assert_eq!(facts, [("WD20261123000000011", 1_234, Movement::Out, "202611201000100336758")]);
        assert_eq!(rows[0].reference, "202611230928352464048");
    }

    #[test]
    fn a_line_of_another_width_or_amount_is_refused() {
        let line = FILE.split(|byte| *byte == b'\r').next().unwrap();
        assert!(row(line).unwrap().is_some());
        let text = String::from_utf8(line.to_vec()).unwrap();
        for (name, changed) in [
            ("a byte more", format!(" {text}{}", " ".repeat(98))),
            ("half", text[..300].to_owned()),
            ("no digits", text.replace("000000001234 5411", "00000000123X 5411")),
        ] {
            assert!(row(changed.as_bytes()).is_err(), "{name}");
        }
        let purchase = text.replace(" 04 00 000201", " 01 00 000201");
        assert_eq!(row(purchase.as_bytes()), Ok(None));
    }

    #[test]
    fn what_does_not_unpack_is_refused() {
        for content in ["", "?", "AAAA", "eJwL8GZmEWFg"] {
            assert!(read(content).is_err(), "{content}");
        }
    }
}
