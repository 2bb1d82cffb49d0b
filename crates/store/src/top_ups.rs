//! Top-ups: the slices from which withdrawals are paid back.

use chrono::{DateTime, Utc};
use domain::{Channel, Money};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::Error;
use crate::word::{money, word};

/// A top-up as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    /// Its number here.
    pub id: Uuid,
    /// Whose money.
    pub account_id: String,
    /// The upstream's number; unique within the account.
    pub upstream_id: String,
    /// R9: breaks ties of `arrived_at`.
    pub sequence: i64,
    /// How it arrived.
    pub channel: Channel,
    /// R6: windows can differ by it.
    pub contract_entity: String,
    /// The channel's number of the payment.
    pub trade_no: Option<String>,
    /// Our number of the payment at the channel.
    pub out_trade_no: Option<String>,
    /// R12: the holder of the wallet or of the paying account.
    pub payer_name: Option<String>,
    /// R8: the source account of a bank transfer.
    pub bank_account_id: Option<Uuid>,
    /// R6b: credit time.
    pub arrived_at: DateTime<Utc>,
    /// R6b: the channel's own limits count from it.
    pub channel_paid_at: DateTime<Utc>,
    /// R3: earned a bonus or cash coupon.
    pub bonus: bool,
    /// What arrived.
    pub original: Money,
    /// What is free.
    pub remaining: Money,
    /// R5: what members have.
    pub allocated: Money,
    /// What was spent.
    pub consumed: Money,
    /// What is held for withdrawals.
    pub held: Money,
    /// What was withdrawn.
    pub paid_out: Money,
}

/// The columns of [`TopUp`].
pub(crate) fn top_up(row: &PgRow) -> Result<TopUp, Error> {
    Ok(TopUp {
        id: row.try_get("id")?,
        account_id: row.try_get("account_id")?,
        upstream_id: row.try_get("upstream_id")?,
        sequence: row.try_get("sequence")?,
        channel: word(row, "channel")?,
        contract_entity: row.try_get("contract_entity")?,
        trade_no: row.try_get("trade_no")?,
        out_trade_no: row.try_get("out_trade_no")?,
        payer_name: row.try_get("payer_name")?,
        bank_account_id: row.try_get("bank_account_id")?,
        arrived_at: row.try_get("arrived_at")?,
        channel_paid_at: row.try_get("channel_paid_at")?,
        bonus: row.try_get("bonus")?,
        original: money(row, "original")?,
        remaining: money(row, "remaining")?,
        allocated: money(row, "allocated")?,
        consumed: money(row, "consumed")?,
        held: money(row, "held")?,
        paid_out: money(row, "paid_out")?,
    })
}

/// Top-ups by their numbers, in no order.
///
/// # Errors
/// When the database is away.
pub async fn by_ids(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<TopUp>, Error> {
    let rows = sqlx::query(include_str!("../sql/top_up_by_ids.sql")).bind(ids).fetch_all(connection).await?;
    rows.iter().map(top_up).collect()
}
