//! The settle duty: asks what became of payments that are under way or in doubt.
//!
//! ```text
//! notices ─▶ lock cases ▸ hasten a query, or take a returned payment back
//! legs to check ─▶ lock cases ▸ lost lease? unknown ▸ attempt rows COMMITTED
//!                       └─▶ queries by our own number, bounded ─▶ findings written
//! ```
//!
//! No timer ever fails a leg. Time only decides when the gateway is asked again,
//! when "not found" may be believed, and when people must look.

mod told;

use std::sync::Arc;
use std::time::Duration;

use domain::{LegEvent, LegState, Rail};
use futures::StreamExt;
use gateways::{Finding, Order};
use store::attempts::{self, Attempt, Kind};
use store::legs;
use tokio_util::sync::CancellationToken;
use tracing::info;
use uuid::Uuid;

use crate::cases::Cases;
use crate::failpoint::{failpoint, planted};
use crate::orders::orders;
use crate::outcome::{Told, record_findings};
use crate::patience::patiently;
use crate::traceparent::{self, Trace};
use crate::{Error, Till};

/// The name of this worker in traces.
const WORKER: &str = "settle";

/// Legs that are looked at in one pass.
const BATCH: i64 = 200;

/// Queries that may be under way at a time.
const CALLS: usize = 32;

/// How long a query is trusted to be under way; another pass leaves the leg alone.
const LEASE: Duration = Duration::from_secs(30);

/// How long the duty rests when nothing is to be looked at.
const REST: Duration = Duration::from_millis(100);

/// A query that may be made: its attempt row is committed.
struct Call {
    leg_id: Uuid,
    attempt_id: Uuid,
    rail: Rail,
    /// Its span, where its request belongs to a trace.
    trace: Option<Trace>,
    order: Order,
}

/// Runs until `stop` is raised.
///
/// # Errors
/// When only a restart or a person can help.
pub async fn run(till: Till, stop: CancellationToken) -> Result<(), Error> {
    while !stop.is_cancelled() {
        if patiently("the settle duty", &stop, || told::apply(&till)).await?.is_none() {
            break;
        }
        let Some(calls) = patiently("the settle duty", &stop, || take_up(&till)).await? else { break };
        if calls.is_empty() {
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                () = stop.cancelled() => {}
            }
            continue;
        }
        let asked = calls.len();
        let told = ask(&till, calls).await;
        let write = || record_findings(&till, &told, till.clock.now());
        if patiently("the settle duty", &stop, write).await?.is_none() {
            break;
        }
        info!(asked, "Settle asked the gateways what became of payments");
    }
    Ok(())
}

/// One pass: makes something of notices, takes up what is to be looked at, asks,
/// and writes what was found.
/// Answers how many queries were made.
///
/// # Errors
/// When the database is away or refuses.
pub async fn pass(till: &Till) -> Result<usize, store::Error> {
    told::apply(till).await?;
    let calls = take_up(till).await?;
    let asked = calls.len();
    let told = ask(till, calls).await;
    record_findings(till, &told, till.clock.now()).await?;
    Ok(asked)
}

/// Locks the legs that are to be looked at and writes the attempt rows of the
/// queries. A leg whose payout worker lost its lease becomes unknown first.
async fn take_up(till: &Till) -> Result<Vec<Call>, store::Error> {
    let at = till.clock.now();
    let mut tx = till.database.begin().await?;
    let ids = legs::to_check(&mut tx, at, BATCH).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut cases = Cases::lock_of_legs(&mut tx, &ids, at).await?;
    let mut queries = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(leg) = cases.leg(id) else { continue };
        let due = leg.check_at.is_some_and(|it| it <= at);
        match leg.state {
            LegState::Dispatching if due && planted!("rescue-by-age") => rescue(&mut cases, id),
            LegState::Dispatching if due => {
                let note = Some("its payout worker went away during the call");
                cases.move_leg(id, LegEvent::Doubt, WORKER, note).expect("a dispatching leg can be doubted");
                queries.push(query(&mut cases, id));
            }
            LegState::Unknown
            | LegState::Submitted
            | LegState::Paid
            | LegState::Settled
            | LegState::ManualReview
            | LegState::Rerouting
                if due =>
            {
                queries.push(query(&mut cases, id));
            }
            _ => {}
        }
    }
    let orders = orders(&mut tx, &till.vault, queries.iter().filter_map(|it| cases.leg(it.leg_id))).await?;
    let calls = queries
        .iter()
        .filter_map(|attempt| {
            let rail = cases.leg(attempt.leg_id)?.rail;
            let order = orders.by_leg.get(&attempt.leg_id)?.clone();
            let trace = traceparent::of_call(&cases, attempt.leg_id, attempt.id);
            Some(Call { leg_id: attempt.leg_id, attempt_id: attempt.id, rail, trace, order })
        })
        .collect();
    attempts::start(&mut tx, &queries, at).await?;
    cases.write(&mut tx, WORKER).await?;
    failpoint!("settle.written");
    tx.commit().await?;
    failpoint!("settle.claimed");
    Ok(calls)
}

/// The planted bug of a test: a timer takes a call that ended nobody knows how for
/// one that was never made.
fn rescue(cases: &mut Cases, id: Uuid) {
    let at = cases.at();
    for event in [LegEvent::Refuse, LegEvent::Retry] {
        cases.move_leg(id, event, WORKER, Some("too old")).expect("a dispatching leg can be refused");
    }
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.dispatch_at = Some(at);
    (leg.lease_until, leg.check_at, leg.nudged_at) = (None, None, None);
}

/// Reserves a leg for one query, and answers with the row of that call.
fn query(cases: &mut Cases, id: Uuid) -> Attempt {
    let at = cases.at();
    let leg = cases.leg_mut(id).expect("the leg is in hand");
    leg.queries += 1;
    leg.asked += 1;
    leg.check_at = Some(at + LEASE);
    Attempt {
        id: Uuid::now_v7(),
        leg_id: id,
        payout_no: leg.payout_no.clone(),
        number: leg.queries,
        kind: Kind::Query,
    }
}

async fn ask(till: &Till, calls: Vec<Call>) -> Vec<Told<Finding>> {
    let gateways = Arc::clone(&till.gateways);
    futures::stream::iter(calls)
        .map(|call| {
            let gateways = Arc::clone(&gateways);
            async move {
                failpoint!("settle.before-query");
                let find = gateways.of(call.rail).find(&call.order);
                let answer =
                    traceparent::in_span(call.trace, (call.rail, "query"), find, |it| it.into()).await;
                failpoint!("settle.after-query");
                Told { leg_id: call.leg_id, attempt_id: call.attempt_id, answer }
            }
        })
        .buffer_unordered(CALLS)
        .collect()
        .await
}
