//! The book of an account, as facts read and write it: particulars, top-ups,
//! invoices, allocations and totals.
//!
//! Nothing here moves money between buckets: that is [`crate::journal::apply`].

use chrono::{DateTime, Utc};
use domain::{Currency, Money};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

mod writes;

pub use writes::{put_allocations, put_bonus, put_invoices, put_profiles, put_top_ups, put_totals, stop};

use crate::Error;
use crate::top_ups::{TopUp, top_up};
use crate::word::money;

/// From which end of an account's open top-ups to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// R9b: usage is paid from here.
    Oldest,
    /// R5, R9: allocations and withdrawals are paid from here.
    Newest,
}

/// Where to go on reading: behind this top-up, or at the end itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The account.
    pub account_id: String,
    /// Arrival and sequence of the last top-up that was read.
    pub after: Option<(DateTime<Utc>, i64)>,
}

/// An invoice as it is stored (R4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvoiceRow {
    /// The account.
    pub account_id: String,
    /// The upstream's number.
    pub id: String,
    /// What was written.
    pub issued: Money,
    /// What was taken back.
    pub returned: Money,
    /// What was paid.
    pub paid: Money,
}

/// An allocation as it is stored (R5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationRow {
    /// The master.
    pub account_id: String,
    /// The upstream's number.
    pub id: String,
    /// Who got it.
    pub member_account_id: String,
    /// What was given.
    pub granted: Money,
    /// What came back.
    pub reclaimed: Money,
    /// An invoice binds it.
    pub invoiced: bool,
}

/// What one top-up gives to an allocation (R5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareRow {
    /// The master.
    pub account_id: String,
    /// The allocation.
    pub allocation_id: String,
    /// The order in which it was taken: 0 is the newest.
    pub position: i32,
    /// The top-up.
    pub top_up_id: Uuid,
    /// What the member has of it.
    pub amount: Money,
}

/// The particulars of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    /// The upstream's number.
    pub id: String,
    /// The currency of all its money.
    pub currency: Currency,
    /// `person` or `enterprise`.
    pub kind: &'static str,
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
}

/// The totals of an account that facts set; its money is moved by the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalsRow {
    /// The account.
    pub id: String,
    /// R4: issued less returned less paid.
    pub outstanding_invoice: Money,
    /// R1: usage that is not billed yet.
    pub unbilled: Money,
    /// The last fact that was applied.
    pub fact_version: i64,
    /// Withdrawals stop while set.
    pub stopped_because: Option<String>,
}

/// Top-ups by the upstream's numbers, in no order: one element per pair.
///
/// # Errors
/// When the database is away.
pub async fn top_ups_named(
    connection: &mut PgConnection,
    account_ids: &[&str],
    upstream_ids: &[&str],
) -> Result<Vec<TopUp>, Error> {
    if account_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(include_str!("../sql/top_up_named.sql"))
        .bind(account_ids)
        .bind(upstream_ids)
        .fetch_all(connection)
        .await?;
    rows.iter().map(top_up).collect()
}

/// The next open top-ups of each page, from one end: at most `limit` per page,
/// in the order of that end.
///
/// # Errors
/// When the database is away.
pub async fn open_top_ups(
    connection: &mut PgConnection,
    end: End,
    pages: &[Page],
    limit: i64,
) -> Result<Vec<TopUp>, Error> {
    if pages.is_empty() {
        return Ok(Vec::new());
    }
    let statement = match end {
        End::Oldest => include_str!("../sql/top_up_oldest.sql"),
        End::Newest => include_str!("../sql/top_up_newest.sql"),
    };
    let rows = sqlx::query(statement)
        .bind(pages.iter().map(|it| it.account_id.as_str()).collect::<Vec<_>>())
        .bind(pages.iter().map(|it| it.after.map(|(at, _)| at)).collect::<Vec<_>>())
        .bind(pages.iter().map(|it| it.after.map(|(_, sequence)| sequence)).collect::<Vec<_>>())
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(top_up).collect()
}

/// Invoices by their numbers, in no order: one element per pair.
///
/// # Errors
/// When the database is away.
pub async fn invoices(
    connection: &mut PgConnection,
    account_ids: &[&str],
    ids: &[&str],
) -> Result<Vec<InvoiceRow>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(include_str!("../sql/invoice_by_ids.sql"))
        .bind(account_ids)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(InvoiceRow {
                account_id: row.try_get("account_id")?,
                id: row.try_get("id")?,
                issued: money(row, "issued")?,
                returned: money(row, "returned")?,
                paid: money(row, "paid")?,
            })
        })
        .collect()
}

/// Allocations by their numbers, in no order: one element per pair.
///
/// # Errors
/// When the database is away.
pub async fn allocations(
    connection: &mut PgConnection,
    account_ids: &[&str],
    ids: &[&str],
) -> Result<Vec<AllocationRow>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(include_str!("../sql/allocation_by_ids.sql"))
        .bind(account_ids)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(AllocationRow {
                account_id: row.try_get("account_id")?,
                id: row.try_get("id")?,
                member_account_id: row.try_get("member_account_id")?,
                granted: money(row, "granted")?,
                reclaimed: money(row, "reclaimed")?,
                invoiced: row.try_get("invoiced")?,
            })
        })
        .collect()
}

/// What top-ups give to these allocations, in the order in which it was taken.
///
/// # Errors
/// When the database is away.
pub async fn shares(
    connection: &mut PgConnection,
    account_ids: &[&str],
    allocation_ids: &[&str],
) -> Result<Vec<ShareRow>, Error> {
    if allocation_ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(include_str!("../sql/allocation_slices.sql"))
        .bind(account_ids)
        .bind(allocation_ids)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ShareRow {
                account_id: row.try_get("account_id")?,
                allocation_id: row.try_get("allocation_id")?,
                position: row.try_get("position")?,
                top_up_id: row.try_get("top_up_id")?,
                amount: money(row, "amount")?,
            })
        })
        .collect()
}

/// An account whose totals are not the sums of its top-ups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotalDiffers {
    /// The account.
    pub account_id: String,
    /// Its totals: free and held.
    pub totals: (Money, Money),
    /// The sums over its top-ups: free and held.
    pub sums: (Money, Money),
}

/// The accounts whose totals are not the sums of their top-ups. Reads everything.
///
/// # Errors
/// When the database is away.
pub async fn control_total(connection: &mut PgConnection) -> Result<Vec<TotalDiffers>, Error> {
    let rows = sqlx::query(include_str!("../sql/account_control_total.sql")).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(TotalDiffers {
                account_id: row.try_get("id")?,
                totals: (money(row, "remaining")?, money(row, "held")?),
                sums: (money(row, "sum_remaining")?, money(row, "sum_held")?),
            })
        })
        .collect()
}
