//! Histories for a benchmark, in set-based statements that keep every invariant of the books.

use anyhow::Result;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use store::Database;

/// Old withdrawals that are written in one transaction.
const CHUNK: i64 = 50_000;

/// The statement by which intake and quote read the newest slices.
const NEWEST: &str = include_str!("../../../../../crates/store/sql/top_up_newest.sql");

/// The first page that the intake reads.
const PAGE: i64 = 16;

/// Ids of one kind, ordered by time as the product's own are.
const NUMBER: &str = "
    create or replace function pg_temp.number(kind text, place bigint, at timestamptz) returns uuid
    language sql stable as $$
        select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(kind || place), 1, 3)
                || '8' || substr(md5(kind || place), 4, 15))::uuid
    $$";

/// An account whose top-ups of 1.00 arrived in the last weeks, by Alipay, minute after minute.
const ACCOUNT: &str = "
    with made as (
        insert into account (id, currency, kind, real_name, real_name_verified, advance_payment, contract_entity,
                             refunds_forbidden, remaining, fact_version, changed_at)
        values ($1, 'CNY', 'person', 'Li Lei', true, false, 'default', false, 100 * $2::bigint, $2 + 1, $3)
        returning id),
    credited as (
        insert into top_up (id, account_id, upstream_id, sequence, channel, contract_entity, trade_no, payer_name, arrived_at,
                            channel_paid_at, bonus, original, remaining, open)
        select pg_temp.number($1, place, at), $1, 't' || place, place, 'alipay', 'default', $1 || '-' || place, 'Li Lei', at, at,
               false, 100, 100, true
          from generate_series(1, $2::bigint) as place
         cross join lateral (select $3::timestamptz - ($2 - place) * interval '1 second' as at) as moment
        returning id, upstream_id, arrived_at)
    insert into transfer (account_id, top_up_id, from_bucket, to_bucket, amount, cause, cause_id, at)
    select $1, id, 'outside', 'remaining', 100, 'credited', upstream_id, arrived_at from credited";

/// Withdrawals `$1` to `$2` that were paid long ago, each of a top-up of its own.
const OLD: &str = "
    with old as (
        select place, 'old-' || place % 1000 as account_id, at,
               pg_temp.number('top-up', place, at) as top_up_id,
               pg_temp.number('withdrawal', place, at) as withdrawal_id,
               pg_temp.number('leg', place, at) as leg_id,
               pg_temp.number('attempt', place, at) as attempt_id,
               'OLD' || lpad(place::text, 20, '0') as payout_no
          from generate_series($1::bigint, $2::bigint) as place
         cross join lateral (select $3::timestamptz - interval '300 days' + place * interval '1 second' as at) as moment),
    top_ups as (
        insert into top_up (id, account_id, upstream_id, sequence, channel, contract_entity, trade_no, payer_name, arrived_at,
                            channel_paid_at, bonus, original, remaining, paid_out, open)
        select top_up_id, account_id, 'o' || place, place, 'alipay', 'default', 'old-' || place, 'Li Lei', at, at, false, 100, 0,
               100, false
          from old),
    transfers as (
        insert into transfer (account_id, top_up_id, from_bucket, to_bucket, amount, cause, cause_id, at)
        select account_id, top_up_id, from_bucket, to_bucket, 100, cause, leg_id::text, at
          from old
         cross join (values ('outside', 'remaining', 'credited'), ('remaining', 'held', 'hold'), ('held', 'paid_out', 'payout'))
               as move (from_bucket, to_bucket, cause)),
    withdrawals as (
        insert into withdrawal (id, source, request_id, account_id, digest, request, amount, currency, route, requester, state,
                                sequence, effect_digest, requested_at, received_at, approved_at, changed_at)
        select withdrawal_id, '/old', place::text, account_id, sha256(convert_to(payout_no, 'UTF8')),
               jsonb_build_object('account_id', account_id, 'amount', '1.00', 'currency', 'CNY', 'route', 'source'), 100, 'CNY',
               'source', 'customer', 'completed', 3, sha256(convert_to(payout_no, 'UTF8')), at, at, at, at
          from old),
    legs as (
        insert into leg (id, withdrawal_id, account_id, top_up_id, top_up_upstream_id, position, rail, amount, payout_no, minted_at,
                         state, sequence, dispatch_at, attempts, reference, paid_at, changed_at)
        select leg_id, withdrawal_id, account_id, top_up_id, 'o' || place, 0, 'alipay', 100, payout_no, at, 'paid', 4, at, 1,
               payout_no, at, at
          from old),
    attempts as (
        insert into attempt (id, leg_id, payout_no, number, kind, started_at)
        select attempt_id, leg_id, payout_no, 1, 'pay', at from old),
    outcomes as (
        insert into attempt_outcome (attempt_id, outcome, reference, finished_at)
        select attempt_id, 'succeeded', payout_no, at from old)
    insert into transition (withdrawal_id, leg_id, sequence, from_state, to_state, event, actor, at)
    select withdrawal_id, case when of_leg then leg_id end, sequence, from_state, to_state, event, actor, at
      from old
     cross join (values (false, 1, 'new', 'pending_approval', 'accept', 'intake'),
                        (false, 2, 'pending_approval', 'approved', 'approve', 'approval'),
                        (false, 3, 'approved', 'completed', 'legs', 'payout'),
                        (true, 1, 'new', 'planned', 'plan', 'intake'),
                        (true, 2, 'planned', 'scheduled', 'schedule', 'approval'),
                        (true, 3, 'scheduled', 'dispatching', 'dispatch', 'payout'),
                        (true, 4, 'dispatching', 'paid', 'succeed', 'payout'))
           as move (of_leg, sequence, from_state, to_state, event, actor)";

/// The accounts of old withdrawals: all of their money has left.
const OLD_ACCOUNTS: &str = "
    insert into account (id, currency, kind, real_name, real_name_verified, advance_payment, contract_entity, refunds_forbidden,
                         changed_at)
    select 'old-' || place, 'CNY', 'person', 'Li Lei', true, false, 'default', false, $1
      from generate_series(0, 999) as place";

/// The name of an account of that size.
pub(super) fn account_name(size: usize, place: usize) -> String {
    format!("a{size}-{place}")
}

/// Fills the database.
pub(super) struct Loader<'a> {
    database: &'a Database,
}

impl<'a> Loader<'a> {
    pub(super) const fn new(database: &'a Database) -> Self {
        Self { database }
    }

    /// So many accounts of so many top-ups, the newest of which arrived now.
    pub(super) async fn accounts(&self, size: usize, count: usize) -> Result<()> {
        let at = workers::Clock::System.now();
        let mut tx = self.database.begin().await?;
        prepare(&mut tx).await?;
        for place in 0..count {
            sqlx::query(ACCOUNT)
                .bind(account_name(size, place))
                .bind(i64::try_from(size)?)
                .bind(at)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// So many withdrawals that were completed within the last year.
    pub(super) async fn old_withdrawals(&self, count: i64) -> Result<()> {
        let at = workers::Clock::System.now();
        let mut tx = self.database.begin().await?;
        sqlx::query(OLD_ACCOUNTS).bind(at).execute(&mut *tx).await?;
        tx.commit().await?;
        let mut first = 1;
        while first <= count {
            let last = (first + CHUNK - 1).min(count);
            let mut tx = self.database.begin().await?;
            prepare(&mut tx).await?;
            sqlx::query(OLD).bind(first).bind(last).bind(at).execute(&mut *tx).await?;
            tx.commit().await?;
            first = last + 1;
        }
        Ok(())
    }

    /// Leaves nothing to do for later that a loaded table asks for: statistics, maps, dirty pages.
    pub(super) async fn settle(&self) -> Result<()> {
        let mut connection = self.database.pool().acquire().await?;
        for statement in
            ["set statement_timeout = 0", "vacuum (analyze)", "checkpoint", "reset statement_timeout"]
        {
            sqlx::raw_sql(statement).execute(&mut *connection).await?;
        }
        Ok(())
    }

    /// How PostgreSQL reads the newest slices of an account of each size.
    pub(super) async fn plans(&self, sizes: &[usize]) -> Result<Vec<(usize, String)>> {
        let mut connection = self.database.pool().acquire().await?;
        let mut plans = Vec::with_capacity(sizes.len());
        for size in sizes {
            let nothing: Vec<Option<chrono::DateTime<chrono::Utc>>> = vec![None];
            let sequence: Vec<Option<i64>> = vec![None];
            let explain = format!("explain (analyze, buffers, costs off) {NEWEST}");
            let rows = sqlx::query(AssertSqlSafe(explain))
                .bind(vec![account_name(*size, 0)])
                .bind(nothing)
                .bind(sequence)
                .bind(PAGE)
                .fetch_all(&mut *connection)
                .await?;
            let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            plans.push((*size, lines.join("\n")));
        }
        Ok(plans)
    }
}

/// The function of ids, and time enough for large statements.
async fn prepare(connection: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql("set local statement_timeout = 0").execute(&mut *connection).await?;
    sqlx::raw_sql(NUMBER).execute(&mut *connection).await?;
    Ok(())
}
