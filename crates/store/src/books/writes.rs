//! What facts write into the book of an account, a batch at a time.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{AllocationRow, InvoiceRow, ProfileRow, ShareRow, TotalsRow};
use crate::top_ups::TopUp;
use crate::{Error, Tx};

/// Writes the particulars of accounts, new and known. The currency of a known
/// account stays.
///
/// # Errors
/// When the database is away.
pub async fn put_profiles(tx: &mut Tx, rows: &[ProfileRow], at: DateTime<Utc>) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../sql/account_put.sql"))
        .bind(rows.iter().map(|it| it.id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.currency.into()).collect::<Vec<&'static str>>())
        .bind(rows.iter().map(|it| it.kind).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.real_name.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.real_name_verified).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.advance_payment).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.master_account_id.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.contract_entity.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.refunds_forbidden).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes new top-ups, each with all of its money in `remaining`; the journal
/// follows with the movement from outside and whatever was taken since.
///
/// # Errors
/// [`Error::Refused`] when the account has a top-up of that number.
pub async fn put_top_ups(tx: &mut Tx, rows: &[TopUp]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let optional = |pick: fn(&TopUp) -> Option<&str>| rows.iter().map(pick).collect::<Vec<_>>();
    sqlx::query(include_str!("../../sql/top_up_put.sql"))
        .bind(rows.iter().map(|it| it.id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.account_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.upstream_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.sequence).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.channel.into()).collect::<Vec<&'static str>>())
        .bind(rows.iter().map(|it| it.contract_entity.as_str()).collect::<Vec<_>>())
        .bind(optional(|it| it.trade_no.as_deref()))
        .bind(optional(|it| it.out_trade_no.as_deref()))
        .bind(optional(|it| it.payer_name.as_deref()))
        .bind(rows.iter().map(|it| it.bank_account_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.arrived_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.channel_paid_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.bonus).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.original.minor()).collect::<Vec<_>>())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Sets and clears the bonus marks of top-ups (R3).
///
/// # Errors
/// When the database is away.
pub async fn put_bonus(tx: &mut Tx, ids: &[Uuid], bonus: &[bool]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../sql/top_up_bonus.sql")).bind(ids).bind(bonus).execute(&mut **tx).await?;
    Ok(())
}

/// Writes invoices, new and known.
///
/// # Errors
/// When the database is away.
pub async fn put_invoices(tx: &mut Tx, rows: &[InvoiceRow], at: DateTime<Utc>) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../sql/invoice_put.sql"))
        .bind(rows.iter().map(|it| it.account_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.issued.minor()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.returned.minor()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.paid.minor()).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes allocations, new and known, and what top-ups give to them.
///
/// # Errors
/// When the database is away.
pub async fn put_allocations(
    tx: &mut Tx,
    rows: &[AllocationRow],
    shares: &[ShareRow],
    at: DateTime<Utc>,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../sql/allocation_put.sql"))
        .bind(rows.iter().map(|it| it.account_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.member_account_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.granted.minor()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.reclaimed.minor()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.invoiced).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    sqlx::query(include_str!("../../sql/allocation_slice_put.sql"))
        .bind(shares.iter().map(|it| it.account_id.as_str()).collect::<Vec<_>>())
        .bind(shares.iter().map(|it| it.allocation_id.as_str()).collect::<Vec<_>>())
        .bind(shares.iter().map(|it| it.position).collect::<Vec<_>>())
        .bind(shares.iter().map(|it| it.top_up_id).collect::<Vec<_>>())
        .bind(shares.iter().map(|it| it.amount.minor()).collect::<Vec<_>>())
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Sets what facts know of accounts. The caller holds their locks.
///
/// # Errors
/// When the database is away.
pub async fn put_totals(tx: &mut Tx, rows: &[TotalsRow], at: DateTime<Utc>) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../sql/account_totals.sql"))
        .bind(rows.iter().map(|it| it.id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.outstanding_invoice.minor()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.unbilled.minor()).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.fact_version).collect::<Vec<_>>())
        .bind(rows.iter().map(|it| it.stopped_because.as_deref()).collect::<Vec<_>>())
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Stops the withdrawals of accounts that are not stopped already.
///
/// # Errors
/// When the database is away.
pub async fn stop(tx: &mut Tx, ids: &[&str], because: &[&str], at: DateTime<Utc>) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../sql/account_stop.sql"))
        .bind(ids)
        .bind(because)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
