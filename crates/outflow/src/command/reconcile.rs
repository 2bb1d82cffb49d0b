//! `outflow reconcile`: a channel's statement of a day against the books.

mod page;

use std::path::Path;

use anyhow::{Context, Result};
use chrono::NaiveDate;
use domain::{Rail, date_in_shanghai};
use gateways::{Statement, StatementError, read_alipay, read_bank, read_unionpay, read_wechat};
use serde_json::json;
use store::Database;
use store::audit::{self, Deed};
use store::statement_days::{self, DayState};
use store::statement_differences::{self as differences, Which};
use workers::Clock;
use workers::reconcile::{Outcome, Read, fetch, reconcile};

use crate::cli::{General, Reconcile, ReconcileAction, ResolveDifference};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::settings::Settings;
use crate::wiring::{self, Wiring};

/// Bytes of a statement's file that are read.
const FILE_MAX: u64 = 64 << 20;

/// The name under which differences resolve themselves.
const ITSELF: &str = "reconciliation";

/// Compares a day, lists days or differences, or resolves one.
///
/// # Errors
/// When the day is not closed by it, or something is away.
pub(crate) async fn run(general: &General, wish: &Reconcile) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    match (&wish.action, wish.rail, wish.day) {
        (None, Some(rail), Some(day)) => {
            compare(general, &settings, (rail.into(), day), wish.file.as_deref()).await
        }
        (None, ..) => days(general, &wiring::database(&settings).await?, 40).await,
        (Some(ReconcileAction::Days { limit }), ..) => {
            days(general, &wiring::database(&settings).await?, *limit).await
        }
        (Some(ReconcileAction::Differences { all, limit }), ..) => {
            let which = if *all { Which::All } else { Which::Open };
            let mut tx = wiring::database(&settings).await?.begin().await?;
            page::differences(general, &differences::list(&mut tx, None, which, *limit).await?);
            Ok(())
        }
        (Some(ReconcileAction::Resolve(wish)), ..) => {
            resolve(general, &wiring::database(&settings).await?, wish).await
        }
    }
}

async fn days(general: &General, database: &Database, limit: i64) -> Result<()> {
    let mut tx = database.begin().await?;
    page::days(general, &statement_days::newest(&mut tx, limit).await?);
    Ok(())
}

async fn compare(
    general: &General,
    settings: &Settings,
    (rail, day): (Rail, NaiveDate),
    file: Option<&Path>,
) -> Result<()> {
    // What is not whole would close the day, and what comes after it would be an altered statement.
    if day >= date_in_shanghai(Clock::System.now()) {
        let what = format!("the day {day} is not over in Shanghai: no statement of it is whole");
        return Err(Failure::new(
            Exit::Refused,
            what,
            "outflow reconcile days shows those that were compared",
        )
        .into());
    }
    let till = Wiring::connect(settings, "outflow reconcile").await?.till()?;
    let read = match file {
        Some(file) => Read { statement: read_file(rail, file)?, source: file.display().to_string() },
        None => fetch(&till, rail, day).await,
    };
    let outcome = reconcile(&till, (rail, day), &read).await.context("comparing the statement")?;
    let mut tx = till.database.begin().await?;
    let open = differences::list(&mut tx, Some((rail, day)), Which::Open, 10_000).await?;
    page::outcome(general, (rail, day), &outcome, &open);
    ended(general, (rail, day), &outcome)
}

/// Closed is success; anything else has its exit status.
fn ended(general: &General, (rail, day): (Rail, NaiveDate), outcome: &Outcome) -> Result<()> {
    let exit = match outcome.state {
        DayState::Closed => {
            output::next(general, "outflow reconcile days");
            return Ok(());
        }
        DayState::Open => Exit::Unknown,
        DayState::Refused => Exit::Refused,
        DayState::Differs => Exit::Failed,
    };
    let why = outcome.detail.as_deref().unwrap_or("it is being looked at");
    Err(Failure::new(exit, format!("{rail} {day} is not closed: {why}"), "outflow reconcile differences")
        .into())
}

fn read_file(rail: Rail, file: &Path) -> Result<Result<Option<Statement>, StatementError>> {
    let wrong = |error: std::io::Error| {
        let what = format!("the statement {} cannot be read", file.display());
        Failure::new(Exit::Usage, what, "name the file as the channel hands it out").because(error)
    };
    let length = std::fs::metadata(file).map_err(wrong)?.len();
    if length > FILE_MAX {
        let what =
            format!("the statement {} has {length} bytes, and at most {FILE_MAX} are read", file.display());
        return Err(Failure::new(Exit::Usage, what, "name the file of one day").into());
    }
    let bytes = std::fs::read(file).map_err(wrong)?;
    let statement = match rail {
        Rail::Alipay => read_alipay(&bytes),
        Rail::WeChat => read_wechat(&bytes),
        Rail::UnionPay => read_unionpay(String::from_utf8_lossy(&bytes).trim()),
        Rail::Bank => read_bank(&bytes),
    };
    Ok(statement.map(Some))
}

async fn resolve(general: &General, database: &Database, wish: &ResolveDifference) -> Result<()> {
    if wish.by == ITSELF {
        let what = format!("{ITSELF:?} is the name under which differences resolve themselves");
        return Err(Failure::new(Exit::Usage, what, "give --by a person's name").into());
    }
    let mut tx = database.begin().await?;
    let at = workers::Clock::System.now();
    let Some((rail, day)) = differences::resolve(&mut tx, wish.id, (&wish.by, &wish.reason), at).await?
    else {
        let what = format!("there is no open difference {}", wish.id);
        return Err(Failure::new(Exit::NotFound, what, "outflow reconcile differences --all").into());
    };
    let deed = Deed::new((&wish.by, "cli"), "resolve_difference", wish.id.to_string());
    audit::put(&mut tx, &deed.with(json!({ "reason": wish.reason })), at).await?;
    tx.commit().await.context("resolving the difference")?;
    page::resolved(general, wish);
    output::next(general, &format!("outflow reconcile --rail {rail} --day {day}"));
    Ok(())
}
