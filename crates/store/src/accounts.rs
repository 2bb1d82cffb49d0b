//! Accounts: who they are, what their top-ups add up to, and their lock.

use domain::{Currency, Money};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::word::{money, word};
use crate::{Error, Tx};

/// An account as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The upstream's number.
    pub id: String,
    /// The currency of all its money.
    pub currency: Currency,
    /// `person` or `enterprise`.
    pub kind: String,
    /// R12: the authenticated name.
    pub real_name: String,
    /// R14: the name was authenticated.
    pub real_name_verified: bool,
    /// R2: tied to a partner in advance-payment mode.
    pub advance_payment: bool,
    /// R5: the master of an enterprise member.
    pub master_account_id: Option<String>,
    /// R6: windows can differ by it.
    pub contract_entity: String,
    /// R15: the contract forbids refunds.
    pub refunds_forbidden: bool,
    /// Free money over all top-ups.
    pub remaining: Money,
    /// Money held for withdrawals that are not final. Cash is `remaining + held`.
    pub held: Money,
    /// R4: issued less returned less paid.
    pub outstanding_invoice: Money,
    /// R1: usage that is not billed yet.
    pub unbilled: Money,
    /// R15: withdrawals that are not final.
    pub open_withdrawals: i32,
    /// Withdrawals stop while set.
    pub stopped_because: Option<String>,
    /// The last fact that was applied.
    pub fact_version: i64,
}

fn account(row: &PgRow) -> Result<Account, Error> {
    Ok(Account {
        id: row.try_get("id")?,
        currency: word(row, "currency")?,
        kind: row.try_get("kind")?,
        real_name: row.try_get("real_name")?,
        real_name_verified: row.try_get("real_name_verified")?,
        advance_payment: row.try_get("advance_payment")?,
        master_account_id: row.try_get("master_account_id")?,
        contract_entity: row.try_get("contract_entity")?,
        refunds_forbidden: row.try_get("refunds_forbidden")?,
        remaining: money(row, "remaining")?,
        held: money(row, "held")?,
        outstanding_invoice: money(row, "outstanding_invoice")?,
        unbilled: money(row, "unbilled")?,
        open_withdrawals: row.try_get("open_withdrawals")?,
        stopped_because: row.try_get("stopped_because")?,
        fact_version: row.try_get("fact_version")?,
    })
}

/// Locks accounts in the order of their ids: the first lock of every
/// transaction that moves money. Unknown ids are left out.
///
/// # Errors
/// When the database is away.
pub async fn lock(tx: &mut Tx, ids: &[String]) -> Result<Vec<Account>, Error> {
    let rows = sqlx::query(include_str!("../sql/account_lock.sql")).bind(ids).fetch_all(&mut **tx).await?;
    rows.iter().map(account).collect()
}

/// One account as it is now.
///
/// # Errors
/// When the database is away.
pub async fn find(connection: &mut PgConnection, id: &str) -> Result<Option<Account>, Error> {
    let row =
        sqlx::query(include_str!("../sql/account_find.sql")).bind(id).fetch_optional(connection).await?;
    row.as_ref().map(account).transpose()
}

/// Adds to the counts of open withdrawals. The caller holds the locks.
///
/// # Errors
/// [`Error::Refused`] when a count would fall below nothing.
pub async fn count_open(tx: &mut Tx, ids: &[String], added: &[i32]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../sql/account_count_open.sql"))
        .bind(ids)
        .bind(added)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
