//! Bank accounts that give or receive money. Their numbers are sealed (S04).

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::{Error, Tx, Vault};

/// A bank account with its number in the clear. `Debug` does not show the number.
#[derive(Debug, Clone)]
pub struct BankAccount {
    /// Its number here.
    pub id: Uuid,
    /// The account of the product that it belongs to.
    pub account_id: String,
    /// Whose it is.
    pub holder: String,
    /// Its number at the bank.
    pub number: SecretString,
    /// The bank.
    pub bank_name: String,
    /// The branch.
    pub branch: String,
    /// The branch's CNAPS code.
    pub cnaps: String,
}

/// A bank account as everybody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// Its number here.
    pub id: Uuid,
    /// The account of the product that it belongs to.
    pub account_id: String,
    /// Whose it is.
    pub holder: String,
    /// The last four characters of its number at the bank.
    pub last_four: String,
    /// The bank.
    pub bank_name: String,
    /// The branch.
    pub branch: String,
    /// The branch's CNAPS code.
    pub cnaps: String,
}

/// What binds a sealed number to its row.
fn row_name(id: Uuid) -> String {
    format!("bank_account:{id}")
}

fn last_four(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    characters[characters.len().saturating_sub(4)..].iter().collect()
}

/// Writes new bank accounts, with their numbers sealed.
///
/// # Errors
/// When the database is away.
pub async fn insert(
    tx: &mut Tx,
    vault: &Vault,
    rows: &[BankAccount],
    at: DateTime<Utc>,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let texts = |pick: fn(&BankAccount) -> &str| rows.iter().map(pick).collect::<Vec<_>>();
    let numbers = || rows.iter().map(|it| (it.id, it.number.expose_secret()));
    sqlx::query(include_str!("../sql/bank_account_insert.sql"))
        .bind(rows.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(texts(|it| &it.account_id))
        .bind(texts(|it| &it.holder))
        .bind(numbers().map(|(id, it)| vault.seal(&row_name(id), it.as_bytes())).collect::<Vec<_>>())
        .bind(numbers().map(|(_, it)| vault.digest(it).to_vec()).collect::<Vec<_>>())
        .bind(numbers().map(|(_, it)| last_four(it)).collect::<Vec<_>>())
        .bind(texts(|it| &it.bank_name))
        .bind(texts(|it| &it.branch))
        .bind(texts(|it| &it.cnaps))
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Bank accounts with their numbers in the clear, in no order: for the worker
/// that pays, and for nobody else.
///
/// # Errors
/// [`Error::Unreadable`] when a number cannot be opened with the keys at hand.
pub async fn open(
    connection: &mut PgConnection,
    vault: &Vault,
    ids: &[Uuid],
) -> Result<Vec<BankAccount>, Error> {
    let rows = read(connection, ids).await?;
    rows.iter()
        .map(|row| {
            let Masked { id, account_id, holder, bank_name, branch, cnaps, .. } = masked_row(row)?;
            let sealed: &[u8] = row.try_get("sealed_number")?;
            let number = String::from_utf8(vault.open(&row_name(id), sealed)?)
                .map_err(|_| Error::Unreadable(format!("{}: not a text", row_name(id))))?;
            Ok(BankAccount { id, account_id, holder, number: number.into(), bank_name, branch, cnaps })
        })
        .collect()
}

/// Bank accounts as everybody may see them, in no order.
///
/// # Errors
/// When the database is away.
pub async fn masked(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Masked>, Error> {
    read(connection, ids).await?.iter().map(masked_row).collect()
}

/// The bank accounts with this number, newest first.
///
/// # Errors
/// When the database is away.
pub async fn find_by_number(
    connection: &mut PgConnection,
    vault: &Vault,
    number: &SecretString,
) -> Result<Vec<Masked>, Error> {
    let rows = sqlx::query(include_str!("../sql/bank_account_by_digest.sql"))
        .bind(vault.digest(number.expose_secret()).to_vec())
        .fetch_all(connection)
        .await?;
    rows.iter().map(masked_row).collect()
}

async fn read(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<PgRow>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query(include_str!("../sql/bank_account_by_ids.sql")).bind(ids).fetch_all(connection).await?)
}

fn masked_row(row: &PgRow) -> Result<Masked, Error> {
    Ok(Masked {
        id: row.try_get("id")?,
        account_id: row.try_get("account_id")?,
        holder: row.try_get("holder")?,
        last_four: row.try_get("last_four")?,
        bank_name: row.try_get("bank_name")?,
        branch: row.try_get("branch")?,
        cnaps: row.try_get("cnaps")?,
    })
}
