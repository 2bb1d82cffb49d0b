//! The calm: nothing goes wrong any more, and everything must end.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row;
use tokio::time::sleep;

use crate::driver::Driver;
use crate::fleet::Fleet;
use crate::scene::{Scene, eventually};

/// How long a run may take to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// In all.
    pub(crate) whole: Duration,
    /// While nothing changes any more.
    pub(crate) still: Duration,
}

impl Patience {
    /// So long, whatever happens.
    pub(crate) const fn of(whole: Duration) -> Self {
        Self { whole, still: whole }
    }
}

/// How long a call may take, by the settings of a run, and a little more.
const CALL: Duration = Duration::from_secs(4);

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// How a calm ended.
#[derive(Debug)]
pub(crate) struct Drained {
    pub(crate) took: Duration,
    /// What did not end.
    pub(crate) stuck: Option<String>,
}

/// Waits until everything has ended, while there is patience. Time jumps from one
/// duty to the next, because no gateway is asked earlier than its schedule says.
///
/// # Errors
/// When a server stays away, or a process gives up.
pub(crate) async fn drain(
    scene: &Scene,
    fleet: &mut Fleet,
    driver: &mut Driver,
    patience: Patience,
) -> Result<Drained> {
    scene.ways.calm();
    fleet.calm()?;
    let (began, mut calls_since) = (Instant::now(), Instant::now());
    let (mut last, mut changed) = (None, Instant::now());
    loop {
        fleet.revive()?;
        driver.review(scene).await?;
        let left = eventually("what is under way", async || under_way(scene).await).await?;
        let waiting = i64::try_from(driver.accepted.requests.len())? - left.known;
        let took = began.elapsed();
        if left.is_nothing() && waiting <= 0 {
            println!("  drained in {:.1} s", took.as_secs_f64());
            return Ok(Drained { took, stuck: None });
        }
        if last.as_ref() != Some(&left) {
            changed = Instant::now();
        }
        if took > patience.whole || changed.elapsed() > patience.still {
            let legs = open_legs(scene).await?;
            let stuck = format!("{waiting} requests were not decided, {left}: {legs}");
            return Ok(Drained { took, stuck: Some(stuck) });
        }
        let (calls, next_duty) = (left.calls, left.next_duty);
        last = Some(left);
        // A call that was just claimed is given the time to be made: whoever jumps to the end
        // of its lease again and again keeps everybody from ever calling.
        if calls == 0 || calls_since.elapsed() > CALL {
            calls_since = Instant::now();
        } else {
            sleep(LOOK).await;
            continue;
        }
        let wait = next_duty.map_or(TimeDelta::zero(), |at| at - scene.time.now());
        // Whoever has not made its call by now has died with it: its lease ends.
        let step = TimeDelta::seconds(if calls > 0 { 65 } else { 5 });
        scene.time.jump(wait.clamp(TimeDelta::zero(), TimeDelta::hours(1)) + step)?;
        sleep(LOOK).await;
    }
}

/// What has not ended yet.
#[derive(Debug, PartialEq, Eq)]
struct UnderWay {
    /// Requests that were decided.
    known: i64,
    withdrawals: i64,
    legs: i64,
    /// Legs that a worker has claimed, of which some may have died.
    calls: i64,
    outbox: i64,
    /// When the next leg is to be looked at.
    next_duty: Option<DateTime<Utc>>,
}

impl UnderWay {
    /// Whether everything has ended.
    fn is_nothing(&self) -> bool {
        self.withdrawals + self.legs + self.outbox == 0
    }
}

impl fmt::Display for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { withdrawals, legs, outbox, .. } = self;
        write!(f, "{withdrawals} withdrawals and {legs} legs go on, {outbox} messages wait to be published")
    }
}

/// A few legs that go on, in words.
async fn open_legs(scene: &Scene) -> Result<String> {
    let ask = "select coalesce(string_agg(concat_ws(' ', payout_no, rail, state, 'attempts', attempts, 'queries', queries,
                                                    'check', check_at, 'dispatch', dispatch_at, code, detail), '; '), '')
                 from (select * from leg where state in ('scheduled', 'dispatching', 'submitted', 'unknown')
                        order by id limit 5) as open";
    Ok(sqlx::query_scalar(ask).fetch_one(scene.database.pool()).await?)
}

/// Asks what has not ended.
async fn under_way(scene: &Scene) -> Result<UnderWay> {
    let ask = "select (select count(*) from withdrawal)                                             as known,
                      (select count(*) from withdrawal
                        where state in ('received', 'awaiting_details', 'pending_approval', 'approved', 'processing',
                                        'on_hold'))                                              as withdrawals,
                      (select count(*) from leg
                        where state in ('scheduled', 'dispatching', 'submitted', 'unknown'))     as legs,
                      (select count(*) from leg where state = 'dispatching')                     as calls,
                      (select count(*) from outbox where published_at is null)                   as outbox,
                      (select min(coalesce(check_at, dispatch_at)) from leg
                        where state in ('scheduled', 'dispatching', 'submitted', 'unknown'))     as next_duty";
    let row = sqlx::query(ask).fetch_one(scene.database.pool()).await.context("asking the books")?;
    Ok(UnderWay {
        known: row.try_get("known")?,
        withdrawals: row.try_get("withdrawals")?,
        legs: row.try_get("legs")?,
        calls: row.try_get("calls")?,
        outbox: row.try_get("outbox")?,
        next_duty: row.try_get("next_duty")?,
    })
}
