//! I20: an allocator of our own, slow and without the product's code.
//!
//! It goes through the journal row by row, keeps what remains of each top-up, and
//! asks at every hold whether the newest money was taken first (R9).

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::Row;
use uuid::Uuid;

use super::Verdict;
use crate::scene::Scene;

/// A row of the journal.
struct Movement {
    account: String,
    top_up: Uuid,
    from: String,
    to: String,
    amount: i64,
    /// The withdrawal, where the row is a hold.
    holds_for: Option<Uuid>,
}

/// What remains of an account's top-ups, by their age: the last is the newest.
type Purse = BTreeMap<(i64, Uuid), i64>;

/// Goes through the whole journal.
///
/// # Errors
/// When the database is away.
pub(super) async fn check(scene: &Scene, verdict: &mut Verdict) -> Result<()> {
    let ages = ages(scene).await?;
    let mut purses: BTreeMap<String, Purse> = BTreeMap::new();
    let journal = journal(scene).await?;
    let mut rest = journal.as_slice();
    while let Some(first) = rest.first() {
        let same = |it: &&Movement| first.holds_for.is_some() && it.holds_for == first.holds_for;
        let count = rest.iter().take_while(same).count().max(1);
        let (together, others) = rest.split_at(count);
        let purse = purses.entry(first.account.clone()).or_default();
        if let Some(withdrawal) = first.holds_for {
            let wanted = newest_first(purse, together.iter().map(|it| it.amount).sum());
            let taken: BTreeMap<Uuid, i64> = together.iter().map(|it| (it.top_up, it.amount)).collect();
            if wanted != taken {
                let what = format!("{withdrawal} took {taken:?}, the newest money was {wanted:?}");
                verdict.accuse("I20", what);
            }
        }
        for it in together {
            let key = (ages.get(&it.top_up).copied().unwrap_or_default(), it.top_up);
            let remaining = purse.entry(key).or_default();
            if it.from == "remaining" {
                *remaining -= it.amount;
            }
            if it.to == "remaining" {
                *remaining += it.amount;
            }
        }
        rest = others;
    }
    Ok(())
}

/// What must be taken: all of the newest, then all of the next, and a part of the last.
fn newest_first(purse: &Purse, mut amount: i64) -> BTreeMap<Uuid, i64> {
    let mut taken = BTreeMap::new();
    for ((_, top_up), remaining) in purse.iter().rev() {
        let part = amount.min(*remaining);
        if part > 0 {
            taken.insert(*top_up, part);
            amount -= part;
        }
    }
    taken
}

/// When each top-up arrived: no two of an account at the same time, in these runs.
async fn ages(scene: &Scene) -> Result<BTreeMap<Uuid, i64>> {
    let rows = sqlx::query("select id, (extract(epoch from arrived_at))::bigint as age from top_up");
    let rows = rows.fetch_all(scene.database.pool()).await?;
    rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("age")?))).collect()
}

async fn journal(scene: &Scene) -> Result<Vec<Movement>> {
    let rows = "select transfer.account_id, transfer.top_up_id, from_bucket, to_bucket, transfer.amount,
                       case when cause = 'hold' then leg.withdrawal_id end as holds_for
                  from transfer
                  left join leg on transfer.cause = 'hold' and leg.id::text = transfer.cause_id
                 order by transfer.account_id, transfer.id";
    let rows = sqlx::query(rows).fetch_all(scene.database.pool()).await?;
    let movement = |row: &sqlx::postgres::PgRow| {
        Ok(Movement {
            account: row.try_get("account_id")?,
            top_up: row.try_get("top_up_id")?,
            from: row.try_get("from_bucket")?,
            to: row.try_get("to_bucket")?,
            amount: row.try_get("amount")?,
            holds_for: row.try_get("holds_for")?,
        })
    };
    rows.iter().map(movement).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Purse, newest_first};

    #[test]
    fn the_newest_money_is_taken_first_and_an_emptied_top_up_gives_nothing() {
        let [old, middle, new] = [1, 2, 3].map(Uuid::from_u128);
        let purse: Purse = [((1, old), 100), ((2, middle), 0), ((3, new), 40)].into();
        for (amount, expected) in [(40, vec![(new, 40)]), (60, vec![(old, 20), (new, 40)])] {
            assert_eq!(newest_first(&purse, amount), expected.into_iter().collect(), "{amount}");
        }
    }
}
