//! The bank: camt.053, whose balances must chain.

use domain::Money;

use crate::bank::camt::{amount, entries};
use crate::bank::xml::{self, Node};
use crate::notice::beijing;
use crate::statement::{Balances, Movement, Row, Statement, StatementError};

/// Reads a camt.053 of one account.
///
/// # Errors
/// [`StatementError::Unreadable`], also when the opening balance and the booked
/// entries do not add up to the closing one.
pub fn read(bytes: &[u8]) -> Result<Statement, StatementError> {
    let wrong = StatementError::unreadable;
    let root = xml::read(bytes).map_err(|_| wrong("it is not XML"))?;
    let message = root
        .at("BkToCstmrStmt")
        .filter(|_| root.attribute("xmlns").contains(":camt.053."))
        .ok_or_else(|| wrong("it is not a camt.053"))?;
    let mut statements = message.all("Stmt");
    let (Some(statement), None) = (statements.next(), statements.next()) else {
        return Err(wrong("there is not exactly one statement"));
    };
    let balances = Balances { opening: balance(statement, "OPBD")?, closing: balance(statement, "CLBD")? };
    let booked = statement.all("Ntry").filter(|entry| entry.text_at("Sts/Cd") == "BOOK");
    let mut running = balances.opening;
    for entry in booked {
        running = running.plus(signed(entry)?).ok_or_else(|| wrong("a balance is too large"))?;
    }
    if running != balances.closing {
        return Err(wrong("the balances do not chain"));
    }
    let rows = entries(statement)?.into_iter().map(|entry| Row {
        movement: if entry.is_credit { Movement::Back } else { Movement::Out },
        at: beijing(&format!("{} 00:00:00", entry.booked_on), "%Y-%m-%d %H:%M:%S"),
        payout_no: entry.end_to_end_id,
        reference: entry.reference,
        amount: entry.amount,
        trade_no: String::new(),
    });
    Ok(Statement { rows: rows.collect(), balances: Some(balances) })
}

fn balance(statement: &Node, kind: &str) -> Result<Money, StatementError> {
    let balance = statement.all("Bal").find(|balance| balance.text_at("Tp/CdOrPrtry/Cd") == kind);
    balance.map_or_else(|| Err(StatementError::unreadable("a balance is missing")), signed)
}

/// An amount by its direction.
fn signed(node: &Node) -> Result<Money, StatementError> {
    let amount = amount(node.at("Amt"))?;
    match node.text_at("CdtDbtInd") {
        "CRDT" => Ok(amount),
        "DBIT" => Ok(Money::from_minor(-amount.minor())),
        _ => Err(StatementError::unreadable("an amount is neither debit nor credit")),
    }
}

#[cfg(test)]
mod tests {
    use domain::Money;

    use super::read;
    use crate::statement::{Balances, Movement};

    const XML: &str = include_str!("../../tests/vectors/bank/camt.053.xml");

    #[test]
    fn the_sample_has_its_one_payment_and_its_balances() {
        let statement = read(XML.as_bytes()).unwrap();
        let facts: Vec<_> = statement
            .rows
            .iter()
            .map(|row| (row.payout_no.as_str(), row.amount.minor(), row.movement))
            .collect();
        assert_eq!(facts, [("WD2026112300000001-2", 123_456, Movement::Out)]);
        assert_eq!(statement.rows[0].reference, "BK20261123000000000001");
        let balances =
            Balances { opening: Money::from_minor(100_000_000), closing: Money::from_minor(99_876_544) };
        assert_eq!(statement.balances, Some(balances));
    }

    #[test]
    fn a_statement_that_does_not_add_up_is_refused() {
        for (name, changed) in [
            ("closing", XML.replace("998765.44", "998765.45")),
            ("no opening", XML.replace("OPBD", "PRCD")),
            ("not booked", XML.replace("BOOK", "PDNG")),
            ("credit", XML.replace("DBIT", "CRDT")),
            ("currency", XML.replace("Ccy=\"CNY\"", "Ccy=\"USD\"")),
            ("another message", XML.replace("camt.053.001.08", "camt.052.001.08")),
            ("cut", XML[..600].to_owned()),
        ] {
            assert!(read(changed.as_bytes()).is_err(), "{name}");
        }
    }
}
