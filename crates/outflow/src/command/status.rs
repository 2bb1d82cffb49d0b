//! `outflow status`: everything that is under way, on one screen.

use std::fmt::Write;

use anyhow::Result;
use broker::Depth;
use domain::CircuitState;
use workers::Clock;

use crate::cli::General;
use crate::output::{self, age, moment};
use crate::overview::Overview;
use crate::settings::Settings;
use crate::wiring;

/// Adds a line; a string takes all text.
macro_rules! line {
    ($page:expr, $($text:tt)*) => { writeln!($page, $($text)*).expect("a string takes all text") };
}

/// Shows what is under way.
///
/// # Errors
/// When the database is away. A broker that is away is a line of the page.
pub(crate) async fn run(general: &General) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let connections = wiring::broker_later(&settings, "outflow status")?;
    let overview = Overview::read(&database, &connections, Clock::System.now()).await?;
    if general.output.is_data() {
        output::data(general.output, &overview.in_json());
    } else {
        output::page(&page(&overview));
    }
    output::next(general, &next(&overview));
    Ok(())
}

/// What to look at first.
fn next(overview: &Overview) -> String {
    let waits = |state: &str| overview.gauges.withdrawals.iter().any(|it| it.state == state);
    let leg = |state: &str| overview.gauges.legs.iter().any(|it| it.state == state);
    let missing = |queues: &[Depth]| queues.iter().any(|it| it.counted.is_none());
    if overview.queues.is_err() {
        "outflow doctor".to_owned()
    } else if overview.queues.as_deref().is_ok_and(missing) {
        "outflow topology apply".to_owned()
    } else if !overview.stops.is_empty() {
        "outflow channel list".to_owned()
    } else if leg("unknown") || leg("manual_review") || waits("action_required") {
        "outflow list --state action-required · deploy/runbook/README.md".to_owned()
    } else if waits("pending_approval") {
        "outflow list --state pending-approval".to_owned()
    } else {
        "outflow list".to_owned()
    }
}

fn page(overview: &Overview) -> String {
    let mut page = String::new();
    line!(page, "Outflow at {}", moment(overview.at));
    for it in &overview.stops {
        line!(page, "STOPPED {}: {} ({}, since {})", it.name, it.reason, it.thrown_by, moment(it.thrown_at));
    }
    for (rail, it) in overview.circuits.iter().filter(|(_, it)| it.state != CircuitState::Closed) {
        let cause = it.cause.as_deref().unwrap_or("nobody knows why");
        line!(page, "RESTS {rail}: {cause} (since {})", output::moment_or_nothing(it.opened_at));
    }
    withdrawals(&mut page, overview);
    legs(&mut page, overview);
    queues(&mut page, overview);
    let piles = &overview.gauges.piles;
    let since = |at| match at {
        Some(at) => format!(", the oldest for {}", age(overview.age(at))),
        None => String::new(),
    };
    line!(page, "\nOutbox: {} unpublished{}", piles.unpublished, since(piles.unpublished_since));
    line!(page, "Parked messages: {}{}", piles.parked, since(piles.parked_since));
    line!(page, "Stopped accounts: {}", piles.stopped_accounts);
    line!(page, "Bank runs that wait: {}{}", piles.waiting_bank_runs, since(piles.bank_runs_since));
    line!(page, "Open differences: {}", piles.open_differences);
    page
}

fn withdrawals(page: &mut String, overview: &Overview) {
    if overview.gauges.withdrawals.is_empty() {
        line!(page, "\nNo withdrawal is under way.");
        return;
    }
    let mut table = output::table(&["withdrawals", "count", "the oldest for"]);
    for it in &overview.gauges.withdrawals {
        table.add_row([it.state.clone(), it.count.to_string(), age(overview.age(it.oldest_at))]);
    }
    line!(page, "\n{table}");
}

fn legs(page: &mut String, overview: &Overview) {
    if overview.gauges.legs.is_empty() {
        return;
    }
    let mut table =
        output::table(&["rail", "legs", "count", "the oldest for", "nearest deadline", "overdue"]);
    for it in &overview.gauges.legs {
        let deadline = it.next_deadline_at.map(|at| output::headroom(overview.headroom(at)));
        table.add_row([
            it.rail.clone(),
            it.state.clone(),
            it.count.to_string(),
            age(overview.age(it.oldest_at)),
            deadline.unwrap_or_default(),
            it.overdue.to_string(),
        ]);
    }
    line!(page, "\n{table}");
}

fn queues(page: &mut String, overview: &Overview) {
    let queues = match &overview.queues {
        Ok(queues) => queues,
        Err(error) => {
            line!(page, "\nQueues: {error}");
            return;
        }
    };
    let mut table = output::table(&["queue", "ready", "consumers"]);
    for it in queues {
        match it.counted {
            Some(counted) => {
                table.add_row([it.queue, &counted.ready.to_string(), &counted.consumers.to_string()])
            }
            None => table.add_row([it.queue, "missing", ""]),
        };
    }
    line!(page, "\n{table}");
}
