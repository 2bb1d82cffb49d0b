//! Alipay: a ZIP of CSV files in GBK, text columns ending in a TAB.

use encoding_rs::GBK;

use crate::notice::beijing;
use crate::statement::{Movement, Row, Statement, StatementError, column, members, yuan};

/// Begins the closing line that counts the refunds.
const REFUNDS: &str = "#退款合计：";

/// Reads the detail file of the ZIP.
///
/// # Errors
/// [`StatementError::Unreadable`], also when the closing line counts other refunds.
pub fn read(zip: &[u8]) -> Result<Statement, StatementError> {
    let is_detail = |name: &[u8]| {
        // The platform writes GBK; archives that were packed again have UTF-8.
        let name = std::str::from_utf8(name).map(str::to_owned).ok().or_else(|| decode(name));
        name.is_some_and(|name| name.contains("业务明细") && !name.contains("汇总"))
    };
    let files = members(zip, is_detail)?;
    let [file] = files.as_slice() else {
        return Err(StatementError::unreadable("there is not exactly one detail file"));
    };
    let text = decode(file).ok_or_else(|| StatementError::unreadable("it is not GBK"))?;
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let header: Vec<&str> =
        lines.next().ok_or_else(|| StatementError::unreadable("it has no header"))?.split(',').collect();
    let [kind, number, trade, amount, at] =
        ["业务类型", "退款批次号/请求号", "支付宝交易号", "商家实收（元）", "完成时间"]
            .map(|name| column(&header, name));
    let (kind, number, trade, amount, at) = (kind?, number?, trade?, amount?, at?);
    let mut rows = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        if fields.len() != header.len() {
            return Err(StatementError::unreadable("a row has another number of columns"));
        }
        if fields[kind] != "退款" {
            continue;
        }
        let refunded = fields[amount]
            .strip_prefix('-')
            .ok_or_else(|| StatementError::unreadable("a refund has no negative amount"))?;
        rows.push(Row {
            payout_no: fields[number].to_owned(),
            reference: fields[trade].to_owned(),
            amount: yuan(refunded)?,
            movement: Movement::Out,
            trade_no: fields[trade].to_owned(),
            at: beijing(fields[at], "%Y-%m-%d %H:%M:%S"),
        });
    }
    if counted(&text) != Some(rows.len()) {
        return Err(StatementError::unreadable("the closing line counts other refunds"));
    }
    Ok(Statement { rows, balances: None })
}

fn decode(bytes: &[u8]) -> Option<String> {
    GBK.decode_without_bom_handling_and_without_replacement(bytes).map(std::borrow::Cow::into_owned)
}

/// Refunds by the closing line; without one there are none.
fn counted(text: &str) -> Option<usize> {
    match text.lines().find_map(|line| line.strip_prefix(REFUNDS)) {
        Some(rest) => rest.split_once('笔')?.0.parse().ok(),
        None => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};
    use domain::Money;

    use super::read;
    use crate::statement::{Movement, Row};

    const ZIP: &[u8] = include_bytes!("../../tests/vectors/statements/alipay_bill.zip");

    #[test]
    fn the_sample_has_its_one_refund() {
        let expected = Row {
            payout_no: "WD2026112300000001-1".to_owned(),
            reference: "2026112322001400000000000001".to_owned(),
            amount: Money::from_minor(1_234),
            movement: Movement::Out,
            trade_no: "2026112322001400000000000001".to_owned(),
            at: Utc.with_ymd_and_hms(2026, 11, 23, 1, 28, 35).single(),
        };
        assert_eq!(read(ZIP).unwrap().rows, [expected]);
    }

    #[test]
    fn what_is_not_the_whole_zip_is_refused() {
        for zip in [&b""[..], b"PK", &ZIP[..ZIP.len() / 2]] {
            assert!(read(zip).is_err());
        }
    }
}
