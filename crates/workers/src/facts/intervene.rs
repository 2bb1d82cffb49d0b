//! What people see of an account whose facts stand still, and what they may do.
//!
//! Fail closed: nothing here makes an account payable that a stop still speaks
//! against. A skip names the one version that everything waits for, leaves a row
//! with its reason for ever, and lets the facts behind it be judged as always.

use chrono::{DateTime, Utc};
use serde_json::json;
use store::accounts::{self, Account};
use store::audit::{self, Deed};
use store::facts::{self as rows, FactRow};
use store::interventions::{self, Action, FirstWaiting, Intervention, Past};
use store::{Database, Tx};
use tracing::warn;

use super::gaps::missing_versions;
use super::{CHAIN_MAX, Desk, batch, stops};

/// Refused facts that are shown.
const SHOWN: i64 = 20;

/// Why the facts of an account stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// The next fact contradicted what is known, or could not be stored.
    Refused {
        /// Its version.
        version: i64,
    },
    /// The next facts did not come, and a later one waits for them.
    Missing {
        /// The first version that is missing.
        first: i64,
        /// The last one.
        last: i64,
    },
}

impl Blocked {
    /// The one version that everything waits for.
    #[must_use]
    pub const fn version(self) -> i64 {
        match self {
            Self::Refused { version } | Self::Missing { first: version, .. } => version,
        }
    }
}

/// What is known about the facts of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The account.
    pub account_id: String,
    /// The last fact that was applied or skipped; 0 before the first one.
    pub fact_version: i64,
    /// Why its withdrawals are stopped, if they are.
    pub stopped_because: Option<String>,
    /// What its facts wait for, if they do.
    pub blocked: Option<Blocked>,
    /// The first fact that waits for others.
    pub first_waiting: Option<FirstWaiting>,
    /// Refused facts that no other took the place of.
    pub refused: Vec<FactRow>,
    /// What people did about it before.
    pub interventions: Vec<Past>,
}

/// A skip or an end of a stop, as a person asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The account.
    pub account_id: String,
    /// Why; stays in the books.
    pub reason: String,
    /// Who; stays in the books.
    pub actor: String,
    /// With which right, for the audit (S13).
    pub role: String,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No fact has ever named the account.
    #[error("there is no account {0}")]
    UnknownAccount(String),
    /// A reason and a name are needed: they are all that explains it later.
    #[error("{0} must not be empty")]
    Empty(&'static str),
    /// Nothing is refused, and nothing waits that people were told of.
    #[error("no fact of the account is in the way; the last one that is known is version {known}")]
    NothingBlocks {
        /// The last fact that is known.
        known: i64,
    },
    /// Only the version that everything waits for can be skipped.
    #[error("version {asked} is not in the way; version {blocking} is")]
    NotTheBlocking {
        /// The version that was named.
        asked: i64,
        /// The version that everything waits for.
        blocking: i64,
    },
    /// Its withdrawals are not stopped, or by a fact, and that ends otherwise.
    #[error("only a stop because of control_total ends by people; this account is {0}")]
    OtherStop(String),
    /// The books are still wrong.
    #[error("the totals still differ: {0}")]
    StillDiffers(String),
    /// The database is away or refuses.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Reads what is known about the facts of an account. Nothing when no fact named it.
///
/// # Errors
/// When the database is away.
pub async fn status(database: &Database, account_id: &str) -> Result<Option<Standing>, store::Error> {
    let mut tx = database.snapshot().await?;
    let account = accounts::find(&mut tx, account_id).await?;
    let standing = standing(&mut tx, account_id, account.as_ref()).await?;
    let unheard_of = account.is_none() && standing.first_waiting.is_none() && standing.refused.is_empty();
    Ok((!unheard_of).then_some(standing))
}

async fn standing(
    tx: &mut Tx,
    account_id: &str,
    account: Option<&Account>,
) -> Result<Standing, store::Error> {
    let fact_version = account.map_or(0, |it| it.fact_version);
    let stopped_because = account.and_then(|it| it.stopped_because.clone());
    let refused = rows::refused(tx, account_id, fact_version, SHOWN).await?;
    let first_waiting = interventions::first_waiting(tx, account_id).await?;
    let next = fact_version + 1;
    let is_refused = refused.iter().any(|it| it.version == next)
        || stopped_because.as_deref().is_some_and(|it| stops::names_refused(it, next));
    let gap = first_waiting.filter(|it| it.version > next && it.reported_at.is_some());
    let blocked = match (first_waiting, is_refused, gap) {
        // It came again and waits for nothing: the next pass applies it.
        (Some(first), ..) if first.version == next => None,
        (_, true, _) => Some(Blocked::Refused { version: next }),
        (_, false, Some(gap)) => Some(Blocked::Missing { first: next, last: gap.version - 1 }),
        (_, false, None) => None,
    };
    Ok(Standing {
        account_id: account_id.to_owned(),
        fact_version,
        stopped_because,
        blocked,
        first_waiting,
        refused,
        interventions: interventions::of_account(tx, account_id).await?,
    })
}

/// Leaves out the version that everything waits for, for ever: a fact that comes
/// with it later is a conflict. The facts behind it are applied at once.
///
/// # Errors
/// [`Refused`] when another version is in the way, or none; nothing was done then.
pub async fn skip(desk: &Desk, wish: &Wish, version: i64, at: DateTime<Utc>) -> Result<Standing, Refused> {
    let mut tx = desk.database.begin().await?;
    let before = locked(&mut tx, wish).await?;
    let known = before.fact_version;
    let blocking = before.blocked.ok_or(Refused::NothingBlocks { known })?.version();
    if version != blocking {
        return Err(Refused::NotTheBlocking { asked: version, blocking });
    }
    let stop = match (before.stopped_because.as_deref(), before.first_waiting) {
        (Some(because), _) if !stops::ends_with_next_fact(because) => Some(because.to_owned()),
        // The next one is there: applying it ends the stop, or gives it another cause.
        (because, Some(first)) if first.version == version + 1 => because.map(str::to_owned),
        (_, Some(first)) => Some(stops::missing(&missing_versions(version + 1, first.version - 1))),
        (_, None) => None,
    };
    let done = intervention(wish, Action::SkipFact { version }, &before);
    interventions::put(&mut tx, &done, (version, stop.as_deref()), at).await?;
    audit::put(&mut tx, &deed(wish, &done), at).await?;
    tx.commit().await.map_err(store::Error::from)?;
    warn!(account_id = wish.account_id, version, actor = wish.actor, "A fact was skipped");
    let accounts = [wish.account_id.clone()];
    let work = batch::Work { letters: &[], resume: &accounts, chain: CHAIN_MAX };
    batch::apply(desk, work, at).await?;
    after(&desk.database, wish).await
}

/// Ends a stop because of totals that differed, once they agree again.
///
/// # Errors
/// [`Refused`] when the account is stopped otherwise or not at all, or its totals
/// differ still; nothing was done then.
pub async fn end_stop(desk: &Desk, wish: &Wish, at: DateTime<Utc>) -> Result<Standing, Refused> {
    let mut tx = desk.database.begin().await?;
    let before = locked(&mut tx, wish).await?;
    let because = before.stopped_because.as_deref();
    if !because.is_some_and(stops::is_totals) {
        let how = because.map_or_else(|| "not stopped".to_owned(), |it| format!("stopped by {it}"));
        return Err(Refused::OtherStop(how));
    }
    let account = accounts::find(&mut tx, &wish.account_id).await?;
    let account = account.ok_or_else(|| Refused::UnknownAccount(wish.account_id.clone()))?;
    let (remaining, held) = interventions::sums(&mut tx, &wish.account_id).await?;
    if (account.remaining, account.held) != (remaining, held) {
        let detail = stops::differing((account.remaining, account.held), (remaining, held));
        return Err(Refused::StillDiffers(detail));
    }
    // A fact may be in the way as well, behind the stop that ends here.
    let stop = before.blocked.map(|blocked| match blocked {
        Blocked::Refused { version } => stops::refused_before(version),
        Blocked::Missing { first, last } => stops::missing(&missing_versions(first, last)),
    });
    let done = intervention(wish, Action::EndStop, &before);
    interventions::put(&mut tx, &done, (before.fact_version, stop.as_deref()), at).await?;
    audit::put(&mut tx, &deed(wish, &done), at).await?;
    tx.commit().await.map_err(store::Error::from)?;
    warn!(account_id = wish.account_id, actor = wish.actor, "A stop of an account was ended");
    after(&desk.database, wish).await
}

/// Locks the account of a wish and reads how it stands.
async fn locked(tx: &mut Tx, wish: &Wish) -> Result<Standing, Refused> {
    for (name, text) in [("the reason", &wish.reason), ("the name of who does it", &wish.actor)] {
        if text.trim().is_empty() {
            return Err(Refused::Empty(name));
        }
    }
    let unknown = || Refused::UnknownAccount(wish.account_id.clone());
    let accounts = accounts::lock(tx, std::slice::from_ref(&wish.account_id)).await?;
    let account = accounts.first().ok_or_else(unknown)?;
    Ok(standing(tx, &wish.account_id, Some(account)).await?)
}

fn intervention(wish: &Wish, action: Action, before: &Standing) -> Intervention {
    Intervention {
        account_id: wish.account_id.clone(),
        action,
        stopped: before.stopped_because.clone(),
        reason: wish.reason.clone(),
        actor: wish.actor.clone(),
    }
}

/// The entry of the audit, beside the intervention and in its transaction.
fn deed(wish: &Wish, done: &Intervention) -> Deed {
    let version = match done.action {
        Action::SkipFact { version } => Some(version),
        Action::EndStop => None,
    };
    let detail = json!({ "reason": wish.reason, "version": version, "stopped": done.stopped });
    Deed::new((&wish.actor, &wish.role), done.action.into(), &wish.account_id).with(detail)
}

async fn after(database: &Database, wish: &Wish) -> Result<Standing, Refused> {
    let standing = status(database, &wish.account_id).await?;
    standing.ok_or_else(|| Refused::UnknownAccount(wish.account_id.clone()))
}
