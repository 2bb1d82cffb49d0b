//! Bank accounts that give or receive money. Their numbers are sealed (S04).

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::{Error, Tx, Vault};

/// Which version of a withdrawal's bank details an account is (R11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The withdrawal.
    pub withdrawal_id: Uuid,
    /// 1, 2, 3, … per withdrawal.
    pub number: i32,
    /// The person or the service that gave them.
    pub given_by: String,
}

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
    /// R11: set on the details of a withdrawal, and not on the source of a top-up.
    pub version: Option<Version>,
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
    /// R11: set on the details of a withdrawal, and not on the source of a top-up.
    pub version: Option<Version>,
    /// When it became known.
    pub created_at: DateTime<Utc>,
}

/// Bank accounts whose numbers were to be opened.
#[derive(Debug, Default)]
pub struct Opened {
    /// Those that can be paid to.
    pub accounts: Vec<BankAccount>,
    /// Those whose number cannot be opened with the keys at hand, and why.
    pub unreadable: Vec<(Uuid, String)>,
}

/// What binds a sealed number to its row.
fn row_name(id: Uuid) -> String {
    format!("bank_account:{id}")
}

fn last_four(number: &str) -> String {
    let characters: Vec<char> = number.chars().collect();
    characters[characters.len().saturating_sub(4)..].iter().collect()
}

fn versions_of<T>(rows: &[BankAccount], pick: fn(&Version) -> T) -> Vec<Option<T>> {
    rows.iter().map(|it| it.version.as_ref().map(pick)).collect()
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
        .bind(versions_of(rows, |it| it.withdrawal_id))
        .bind(versions_of(rows, |it| it.number))
        .bind(rows.iter().map(|it| Some(it.version.as_ref()?.given_by.as_str())).collect::<Vec<_>>())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Bank accounts with their numbers in the clear, in no order: for the worker
/// that pays, and for nobody else. A number that cannot be opened harms no other.
///
/// # Errors
/// When the database is away.
pub async fn open(connection: &mut PgConnection, vault: &Vault, ids: &[Uuid]) -> Result<Opened, Error> {
    let mut opened = Opened::default();
    for row in read(connection, ids).await? {
        let Masked { id, account_id, holder, bank_name, branch, cnaps, version, .. } = masked_row(&row)?;
        match open_number(vault, id, row.try_get("sealed_number")?) {
            Ok(number) => opened.accounts.push(BankAccount {
                id,
                account_id,
                holder,
                number,
                bank_name,
                branch,
                cnaps,
                version,
            }),
            Err(reason) => opened.unreadable.push((id, reason.to_string())),
        }
    }
    Ok(opened)
}

fn open_number(vault: &Vault, id: Uuid, sealed: &[u8]) -> Result<SecretString, Error> {
    let number = String::from_utf8(vault.open(&row_name(id), sealed)?);
    number.map(Into::into).map_err(|_| Error::Unreadable(format!("{}: not a text", row_name(id))))
}

/// Every version of the bank details of withdrawals, oldest first (R11).
///
/// # Errors
/// When the database is away.
pub async fn versions(connection: &mut PgConnection, withdrawals: &[Uuid]) -> Result<Vec<Masked>, Error> {
    let rows = sqlx::query(include_str!("../sql/bank_account_versions.sql"))
        .bind(withdrawals)
        .fetch_all(connection)
        .await?;
    rows.iter().map(masked_row).collect()
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
    let withdrawal: Option<Uuid> = row.try_get("withdrawal_id")?;
    let version = |withdrawal_id| -> Result<Version, Error> {
        let (number, given_by) = (row.try_get("version")?, row.try_get("given_by")?);
        Ok(Version { withdrawal_id, number, given_by })
    };
    Ok(Masked {
        id: row.try_get("id")?,
        account_id: row.try_get("account_id")?,
        holder: row.try_get("holder")?,
        last_four: row.try_get("last_four")?,
        bank_name: row.try_get("bank_name")?,
        branch: row.try_get("branch")?,
        cnaps: row.try_get("cnaps")?,
        version: withdrawal.map(version).transpose()?,
        created_at: row.try_get("created_at")?,
    })
}
