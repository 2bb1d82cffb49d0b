//! Making up files: who goes with which one, decided and committed before a send.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use domain::{LegState, Rail, date_in_shanghai, in_shanghai};
use gateways::{Order, TransferFile};
use store::bank_runs::{self, DueLeg, File, FileState, Run};
use store::{Tx, bank_files, circuits};
use tracing::{error, info, warn};
use uuid::Uuid;

use super::{Sending, Step};
use crate::cases::Cases;
use crate::failpoint::failpoint;
use crate::outcome::Told;
use crate::payout::{Call, claim_in};
use crate::{Till, circuit};

/// The name of this worker in traces.
const WORKER: &str = "payout";

/// Why a run waits when the day's total would be passed.
pub(crate) const DAILY_TOTAL: &str = "daily_total";

/// Looks at the rows once, in one transaction, and says what follows.
pub(super) async fn step(till: &Till) -> Result<Step, store::Error> {
    let at = till.clock.now();
    let mut tx = till.database.begin().await?;
    bank_runs::alone(&mut tx).await?;
    let standing = circuits::standing(&mut tx, Rail::Bank).await?;
    if standing.stopped || circuit::rests(&standing.row, at) {
        return Ok(Step::Rest);
    }
    let step = match bank_files::repeatable(&mut tx, at).await? {
        Some(file) => again(&mut tx, file, (till, at)).await?,
        None => next(&mut tx, (till, at)).await?,
    };
    failpoint!("payout.bank-claiming");
    tx.commit().await?;
    failpoint!("payout.bank-claimed");
    Ok(step)
}

/// Lets the legs of an answered file that the bank put off wait for their next turn.
pub(super) async fn put_off(till: &Till, file_id: Uuid) -> Result<(), store::Error> {
    let at = till.clock.now();
    let mut tx = till.database.begin().await?;
    let legs = bank_files::put_off(&mut tx, file_id).await?;
    let late: Vec<_> =
        legs.iter().filter_map(|leg| Some((leg.id, till.bank.waits_until(leg, at)?))).collect();
    if !late.is_empty() {
        postpone(&mut tx, &late, at).await?;
    }
    Ok(tx.commit().await?)
}

/// A file of which nobody knows, or that never left: the same bytes again if all
/// of its legs still go. Otherwise it is void, and those that go, go with another.
async fn again(tx: &mut Tx, file: File, (till, at): (&Till, DateTime<Utc>)) -> Result<Step, store::Error> {
    let transfers = bank_files::transfers(tx, file.id).await?;
    let whole = transfers.iter().all(|it| it.state == LegState::Scheduled);
    let stale = file.state == FileState::Unsent && file.execute_on < date_in_shanghai(at);
    if !whole || stale {
        info!(msg_id = file.msg_id, whole, stale, "A bank file is not sent again; its legs go with another");
        bank_files::note(tx, file.id, (FileState::Void, 0), at).await?;
        return Ok(Step::Again);
    }
    let ids: Vec<Uuid> = transfers.iter().map(|it| it.leg_id).collect();
    let mut calls = claim_in(tx, &ids, Rail::Bank, (till, at)).await?;
    if calls.len() == ids.len() {
        let bytes = till.vault.open(&row_of(file.id), &file.message)?;
        bank_files::note(tx, file.id, (FileState::Written, 1), at).await?;
        // The bytes name the legs in the file's own order.
        calls.sort_by_key(|call| ids.iter().position(|id| *id == call.leg_id));
        return Ok(Step::Send(Sending {
            file_id: file.id,
            msg_id: file.msg_id,
            bytes,
            calls,
            unfit: Vec::new(),
        }));
    }
    warn!(msg_id = file.msg_id, "A guard holds a leg of a bank file; the others go with another");
    bank_files::note(tx, file.id, (FileState::Void, 0), at).await?;
    if calls.is_empty() {
        return Ok(Step::Again);
    }
    write_file(tx, file.run_id, calls, (till, at)).await
}

/// The due legs that stand in no open file: the next file of the current run.
async fn next(tx: &mut Tx, (till, at): (&Till, DateTime<Utc>)) -> Result<Step, store::Error> {
    let limit = i64::from(till.bank.file_transfers);
    let due = bank_files::due_legs(tx, at, limit + 1).await?;
    if due.is_empty() {
        return Ok(Step::Rest);
    }
    let late: Vec<(Uuid, DateTime<Utc>)> =
        due.iter().filter_map(|leg| Some((leg.id, till.bank.waits_until(leg, at)?))).collect();
    if !late.is_empty() {
        postpone(tx, &late, at).await?;
        return Ok(Step::Again);
    }
    let cut_off = till.bank.current(at);
    let run = bank_runs::open(tx, cut_off, at).await?;
    if run.closed_at.is_some() {
        let until = till.bank.next(at);
        let late: Vec<_> = due.iter().map(|leg| (leg.id, until)).collect();
        postpone(tx, &late, at).await?;
        return Ok(Step::Again);
    }
    if run.released.is_none() && is_too_much(tx, &run, (till, at)).await? {
        return Ok(Step::Rest);
    }
    let more = i64::try_from(due.len()).unwrap_or(i64::MAX) > limit;
    let ids: Vec<Uuid> =
        due.iter().take(usize::from(till.bank.file_transfers)).map(|it: &DueLeg| it.id).collect();
    let calls = claim_in(tx, &ids, Rail::Bank, (till, at)).await?;
    if !more {
        bank_runs::close(tx, cut_off, at).await?;
    }
    if calls.is_empty() {
        return Ok(Step::Again);
    }
    write_file(tx, run.id, calls, (till, at)).await
}

/// Whether the day's total would pass its limit; then the whole run waits for people.
async fn is_too_much(
    tx: &mut Tx,
    run: &Run,
    (till, at): (&Till, DateTime<Utc>),
) -> Result<bool, store::Error> {
    let gone = bank_runs::day_total(tx, run.cut_off.day).await?;
    let due = bank_files::due_total(tx, at).await?;
    if gone.plus(due).is_some_and(|total| total <= till.bank.daily_total) {
        return Ok(false);
    }
    if bank_runs::wait(tx, run.id, DAILY_TOTAL, at).await? {
        error!(
            run = %run.id, day = %run.cut_off.day, gone_fen = gone.minor(), due_fen = due.minor(),
            limit_fen = till.bank.daily_total.minor(),
            "A bank run waits for people: it would pass the largest total of a day. See outflow bank-run"
        );
    }
    Ok(true)
}

/// Lets due legs wait for another cut-off.
async fn postpone(
    tx: &mut Tx,
    late: &[(Uuid, DateTime<Utc>)],
    at: DateTime<Utc>,
) -> Result<(), store::Error> {
    let ids: Vec<Uuid> = late.iter().map(|(id, _)| *id).collect();
    let mut cases = Cases::lock_of_legs(tx, &ids, at).await?;
    for (id, until) in late {
        if cases.leg(*id).is_some_and(|leg| leg.state == LegState::Scheduled) {
            let leg = cases.leg_mut(*id).expect("the leg is in hand");
            leg.dispatch_at = Some(*until);
            leg.execute_on = Some(date_in_shanghai(*until));
            leg.nudged_at = None;
        }
    }
    info!(legs = late.len(), "Bank legs wait for another cut-off");
    cases.write(tx, WORKER).await
}

/// Keeps the bytes of a new file, once and for all. Orders that cannot be
/// written down for the bank stay out of it, and are told of with it.
async fn write_file(
    tx: &mut Tx,
    run_id: Uuid,
    calls: Vec<Call>,
    (till, at): (&Till, DateTime<Utc>),
) -> Result<Step, store::Error> {
    let bank = &till.gateways.bank;
    let (mut fit, mut unfit) = (Vec::with_capacity(calls.len()), Vec::new());
    for call in calls {
        match bank.unfit(&call.order) {
            None => fit.push(call),
            Some(answer) => {
                unfit.push(Told { leg_id: call.leg_id, attempt_id: call.attempt_id, answer });
            }
        }
    }
    let Some(first) = fit.first() else { return Ok(Step::Tell(unfit)) };
    let id = Uuid::now_v7();
    let msg_id = msg_id(id, at);
    let orders: Vec<Order> = fit.iter().map(|it| it.order.clone()).collect();
    let execute_on = till.bank.execution_day(at);
    let file = TransferFile { msg_id: &msg_id, created_at: at, execute_on, orders: &orders };
    let bytes = bank.file(&file).expect("each of its orders can be written down");
    let file = File {
        id,
        run_id,
        number: 0,
        msg_id,
        execute_on,
        transfers: i32::try_from(orders.len()).expect("a file has fewer transfers than a limit of 16 bits"),
        total: orders.iter().map(|it| it.amount).sum(),
        message: till.vault.seal(&row_of(id), &bytes),
        digest: digest(&SHA256, &bytes).as_ref().to_vec(),
        state: FileState::Written,
        sends: 1,
        written_at: at,
    };
    let legs: Vec<Uuid> = fit.iter().map(|it| it.leg_id).collect();
    bank_files::put(tx, &file, &legs).await?;
    info!(msg_id = file.msg_id, first = %first.leg_id, transfers = file.transfers, "A bank file was made");
    Ok(Step::Send(Sending { file_id: id, msg_id: file.msg_id, bytes, calls: fit, unfit }))
}

/// `MsgId`: the moment in Beijing and the end of the file's own number, which no
/// other installation has. 32 characters of the 35 that a bank takes.
fn msg_id(id: Uuid, at: DateTime<Utc>) -> String {
    let number = format!("{:X}", id.simple());
    format!("OF{}{}", in_shanghai(at).format("%Y%m%d%H%M%S"), &number[16..])
}

/// What the bytes of a file are sealed for.
fn row_of(id: Uuid) -> String {
    format!("bank_file:{id}")
}
