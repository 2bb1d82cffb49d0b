//! Reading the product's words and amounts out of rows.

use std::str::FromStr;

use domain::Money;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::Error;

/// Reads a text column that holds one of the words of `T`.
pub(crate) fn word<T: FromStr>(row: &PgRow, column: &str) -> Result<T, Error> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|_| Error::Unreadable(format!("{column} holds the unknown word {text:?}")))
}

/// Reads a column of minor units.
pub(crate) fn money(row: &PgRow, column: &str) -> Result<Money, Error> {
    Ok(Money::from_minor(row.try_get(column)?))
}
