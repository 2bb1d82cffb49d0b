//! What the books say at this moment: whether anything is under way, and when
//! the next thing is due.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use domain::{LegState, Money, WithdrawalState};
use store::history::{self, Totals};
use store::legs::{self, Leg};
use store::withdrawals::{self, Withdrawal};
use store::{Database, accounts};
use tokio::time::Instant;

/// How long anything may take that does not need the clock to move.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// More withdrawals than any demo has.
const ALL: i64 = 1_000;

/// The withdrawals with their legs, and the totals.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Every withdrawal with its legs, newest first.
    pub(crate) cases: Vec<(Withdrawal, Vec<Leg>)>,
    /// How much there is of everything.
    pub(crate) totals: Totals,
}

impl Snapshot {
    /// Reads the books.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn read(database: &Database) -> Result<Self> {
        let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
        let mut cases = Vec::new();
        for withdrawal in withdrawals::newest(&mut connection, None, ALL).await? {
            let legs = legs::of_withdrawal(&mut connection, withdrawal.id).await?;
            cases.push((withdrawal, legs));
        }
        Ok(Self { cases, totals: history::totals(&mut connection).await? })
    }

    /// The withdrawal of a request.
    pub(crate) fn of(&self, request: &str) -> Option<&(Withdrawal, Vec<Leg>)> {
        self.cases.iter().find(|(it, _)| it.request_id == request)
    }

    /// Whether nothing more happens until the clock moves or somebody acts.
    /// `small` is the amount up to which no person is needed.
    pub(crate) fn is_quiet(&self, at: DateTime<Utc>, small: Money) -> bool {
        let due = |moment: Option<DateTime<Utc>>| moment.is_some_and(|it| it <= at);
        let planned = |legs: &[Leg]| legs.iter().any(|leg| leg.state == LegState::Planned);
        let withdrawal_rests = |it: &Withdrawal, legs: &[Leg]| match it.state {
            WithdrawalState::Received => false,
            // R6c: another way is approved like any withdrawal.
            WithdrawalState::ActionRequired => it.amount > small || !planned(legs),
            WithdrawalState::PendingApproval => it.amount > small && !due(it.expires_at),
            WithdrawalState::AwaitingDetails => !due(it.expires_at),
            _ => true,
        };
        let leg_rests = |leg: &Leg| match leg.state {
            LegState::Scheduled => !due(leg.dispatch_at),
            LegState::Dispatching => false,
            LegState::Submitted | LegState::Unknown => !due(leg.check_at),
            _ => true,
        };
        self.totals.unpublished == 0
            && self.cases.iter().all(|(it, legs)| withdrawal_rests(it, legs) && legs.iter().all(leg_rests))
    }

    /// When the next thing is due that nobody has to start.
    pub(crate) fn next_due(&self) -> Option<DateTime<Utc>> {
        let of_withdrawal = |it: &Withdrawal| match it.state {
            WithdrawalState::PendingApproval | WithdrawalState::AwaitingDetails => it.expires_at,
            _ => None,
        };
        let of_leg = |leg: &Leg| match leg.state {
            LegState::Scheduled => leg.dispatch_at,
            LegState::Submitted | LegState::Unknown => leg.check_at,
            _ => None,
        };
        let of_case = |(it, legs): &(Withdrawal, Vec<Leg>)| {
            of_withdrawal(it).into_iter().chain(legs.iter().filter_map(of_leg)).min()
        };
        self.cases.iter().filter_map(of_case).min()
    }
}

/// The facts of an account that were applied.
///
/// # Errors
/// When the database is away.
pub(crate) async fn facts_of(database: &Database, account: &str) -> Result<u64> {
    let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
    let account = accounts::find(&mut connection, account).await?;
    Ok(account.map_or(0, |it| u64::try_from(it.fact_version).expect("versions count up from nothing")))
}

/// Looks until there is something to see.
///
/// # Errors
/// When it takes longer than half a minute, which nothing here does.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(seen) = look().await.with_context(|| format!("waiting for {what}"))? {
            return Ok(seen);
        }
        if began.elapsed() > PATIENCE {
            bail!("waited {} s in vain for {what}", PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}
