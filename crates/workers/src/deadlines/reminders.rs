//! Reminders: a wait for people that ends soon is told once, before it ends.

use broker::contract::WaitEnding;
use chrono::{DateTime, Utc};
use store::withdrawals::Withdrawal;
use store::{Database, reminders};
use uuid::Uuid;

use super::{BATCH, WORKER};
use crate::cases::Cases;
use crate::failpoint::failpoint;
use crate::{PayoutPolicy, events};

/// Reminds of every wait that ends soon, and answers how many those were. A wait
/// that begins anew, with another end, is reminded of anew.
///
/// # Errors
/// When the database is away or refuses.
///
/// # Panics
/// Never: whatever is reminded of is in hand and has an end.
pub async fn remind(
    database: &Database,
    policy: &PayoutPolicy,
    at: DateTime<Utc>,
) -> Result<usize, store::Error> {
    let soon = at + policy.remind_before;
    let mut reminded = 0;
    loop {
        let mut tx = database.begin().await?;
        let due = reminders::due(&mut tx, (at, soon), BATCH).await?;
        if due.is_empty() {
            return Ok(reminded);
        }
        let mut cases = Cases::lock(&mut tx, &due, at).await?;
        let still: Vec<(Uuid, DateTime<Utc>)> = due
            .iter()
            .filter_map(|id| Some(&cases.get(*id)?.withdrawal))
            .filter_map(|it| Some((it.id, ends(it, (at, soon))?)))
            .collect();
        let new = reminders::put(&mut tx, &still, at).await?;
        for id in &new {
            let withdrawal = &cases.get(*id).expect("a reminder is of a withdrawal in hand").withdrawal;
            let ending = WaitEnding {
                withdrawal_id: withdrawal.id,
                account_id: withdrawal.account_id.parse().expect("the contract admitted this account"),
                state: withdrawal.state,
                expires_at: withdrawal.expires_at.expect("only a wait with an end is reminded of"),
            };
            let envelope = ending.into_message(Uuid::now_v7(), at);
            let event = events::message(withdrawal, WaitEnding::ROUTING_KEY.to_owned(), envelope);
            cases.publish(event);
        }
        cases.write(&mut tx, WORKER).await?;
        failpoint!("reminders.written");
        tx.commit().await?;
        failpoint!("reminders.committed");
        reminded += new.len();
        if new.is_empty() {
            return Ok(reminded);
        }
    }
}

/// When the wait of this withdrawal ends, if that is soon.
fn ends(withdrawal: &Withdrawal, (at, soon): (DateTime<Utc>, DateTime<Utc>)) -> Option<DateTime<Utc>> {
    let end = withdrawal.expires_at.filter(|it| at < *it && *it <= soon)?;
    withdrawal.state.waits_for_people().then_some(end)
}
