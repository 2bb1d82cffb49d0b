//! `WeChat Pay`: CSV in UTF-8, data fields behind a backtick, amounts in yuan.

use crate::notice::beijing;
use crate::statement::{Movement, Row, Statement, StatementError, column, yuan};

/// Reads a trade bill of type ALL or REFUND, unpacked.
///
/// # Errors
/// [`StatementError::Unreadable`], also when the summary counts other rows.
pub fn read(bytes: &[u8]) -> Result<Statement, StatementError> {
    let text = std::str::from_utf8(bytes).map_err(|_| StatementError::unreadable("it is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let header: Vec<&str> =
        lines.next().ok_or_else(|| StatementError::unreadable("it has no header"))?.split(',').collect();
    let [number, reference, trade, amount, status, at] =
        ["商户退款单号", "微信退款单号", "微信订单号", "退款金额", "退款状态", "交易时间"]
            .map(|name| column(&header, name));
    let (number, reference, trade, amount, status, at) = (number?, reference?, trade?, amount?, status?, at?);
    let (mut rows, mut count) = (Vec::new(), 0_usize);
    let mut summary = None;
    for line in lines {
        let Some(data) = line.strip_prefix('`') else {
            summary = Some(());
            continue;
        };
        let fields: Vec<&str> = data.split(",`").collect();
        if summary.is_some() {
            let counts = fields.first().and_then(|field| field.parse().ok()) == Some(count);
            return if counts {
                Ok(Statement { rows, balances: None })
            } else {
                Err(StatementError::unreadable("the summary counts other rows"))
            };
        }
        if fields.len() != header.len() {
            return Err(StatementError::unreadable("a row has another number of columns"));
        }
        count += 1;
        if fields[number].is_empty() || fields[number] == "0" {
            continue;
        }
        rows.push(Row {
            payout_no: fields[number].to_owned(),
            reference: fields[reference].to_owned(),
            amount: yuan(fields[amount])?,
            movement: movement(fields[status])?,
            trade_no: fields[trade].to_owned(),
            at: beijing(fields[at], "%Y-%m-%d %H:%M:%S"),
        });
    }
    Err(StatementError::unreadable("it ends before its summary"))
}

/// The bill's own words, which are not those of the API.
fn movement(status: &str) -> Result<Movement, StatementError> {
    match status {
        "SUCCESS" => Ok(Movement::Out),
        "PROCESSING" => Ok(Movement::Unfinished),
        "FAIL" | "CHANGE" => Ok(Movement::Refused),
        _ => Err(StatementError::unreadable("a refund has an unknown status")),
    }
}

#[cfg(test)]
mod tests {
    use domain::Money;

    use super::read;
    use crate::statement::Movement;

    const CSV: &str = include_str!("../../tests/vectors/statements/wechat_tradebill.csv");

    #[test]
    fn the_sample_has_its_two_refunds_with_and_without_a_bom() {
        for text in [CSV.to_owned(), format!("\u{feff}{CSV}")] {
            let rows = read(text.as_bytes()).unwrap().rows;
            let facts: Vec<_> =
                rows.iter().map(|row| (row.payout_no.as_str(), row.amount.minor(), row.movement)).collect();
            assert_eq!(
                facts,
                [("WD2026112300000001-1", 1_234, Movement::Out), ("WD2026112300000002-1", 1, Movement::Out)]
            );
            assert_eq!(rows[0].reference, "503000202611230928340794735658");
            assert_eq!(rows.iter().map(|row| row.amount).sum::<Money>(), Money::from_minor(1_235));
        }
    }

    #[test]
    fn a_bill_that_is_not_whole_or_not_exact_is_refused() {
        let cut = CSV.find("总交易单数").unwrap();
        for (name, text) in [
            ("no summary", CSV[..cut].to_owned()),
            ("another count", CSV.replace("`2,`0.00,`12.35", "`3,`0.00,`12.35")),
            ("three decimals", CSV.replacen("`12.34,`0.00,`ORIGINAL", "`12.345,`0.00,`ORIGINAL", 1)),
            ("unknown status", CSV.replacen("`SUCCESS", "`DONE", 1)),
            ("a column less", CSV.replacen(",`NATIVE", "", 1)),
            ("no header", String::new()),
        ] {
            assert!(read(text.as_bytes()).is_err(), "{name}");
        }
    }
}
