//! `outflow bank-run`: what went to the bank at each cut-off, and what waits for people.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use store::Tx;
use store::bank_files;
use store::bank_runs::{self, File, Run, RunTotals, Transfer};
use uuid::Uuid;

use crate::cli::{BankRun, General, Release};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Shows runs, or lets one go.
///
/// # Errors
/// When there is no such run, it does not wait, or the database is away.
pub(crate) async fn run(general: &General, wish: &BankRun) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let mut tx = database.begin().await?;
    match wish {
        BankRun::List { limit } => {
            list(general, &bank_runs::newest(&mut tx, None, *limit).await?);
            Ok(())
        }
        BankRun::Show { id } => show(general, &mut tx, *id).await,
        BankRun::Release(release) => {
            let known = find(&mut tx, release.id).await?;
            let at = workers::Clock::System.now();
            if !bank_runs::release(&mut tx, release.id, (&release.by, &release.reason), at).await? {
                let what = format!("the run {} is not one that waits: it {}", release.id, story(&known.run));
                return Err(Failure::new(Exit::Refused, what, "outflow bank-run list").into());
            }
            tx.commit().await.context("letting the run go")?;
            released(general, release);
            Ok(())
        }
    }
}

async fn find(connection: &mut Tx, id: Uuid) -> Result<RunTotals> {
    let found = bank_runs::newest(connection, Some(id), 1).await?.into_iter().next();
    found.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("there is no bank run {id}"), "outflow bank-run list").into()
    })
}

/// Where a run stands, in words.
fn story(run: &Run) -> String {
    let by = |(by, reason): &(String, String)| format!("was let go by {by}: {reason}");
    match (&run.waits_because, &run.released, run.closed_at) {
        (_, Some(released), _) => by(released),
        (Some(_), None, Some(_)) => "waited until the next cut-off took its legs".to_owned(),
        (Some(because), None, None) => format!("WAITS for people: {because}"),
        (None, None, Some(_)) => "is complete".to_owned(),
        (None, None, None) => "is being made up".to_owned(),
    }
}

/// The fields of [`in_json`].
const FIELDS: &[&str] = &[
    "id",
    "bank_day",
    "cut_off",
    "opened_at",
    "closed_at",
    "waits_because",
    "released_by",
    "release_reason",
    "files",
    "transfers",
    "total",
];

fn in_json(it: &RunTotals) -> Value {
    json!({
        "id": it.run.id,
        "bank_day": it.run.cut_off.day,
        "cut_off": it.run.cut_off.time.format("%H:%M").to_string(),
        "opened_at": it.run.opened_at,
        "closed_at": it.run.closed_at,
        "waits_because": it.run.waits_because,
        "released_by": it.run.released.as_ref().map(|it| &it.0),
        "release_reason": it.run.released.as_ref().map(|it| &it.1),
        "files": it.files,
        "transfers": it.transfers,
        "total": output::yuan(it.total),
    })
}

fn list(general: &General, runs: &[RunTotals]) {
    if general.output.is_data() {
        output::list(general.output, FIELDS, &runs.iter().map(in_json).collect::<Vec<_>>());
    } else {
        let mut table = output::table(&["run", "cut-off", "files", "transfers", "total", "state"]);
        for it in runs {
            table.add_row([
                it.run.id.to_string(),
                cut_off(&it.run),
                it.files.to_string(),
                it.transfers.to_string(),
                output::yuan(it.total),
                story(&it.run),
            ]);
        }
        println!("{table}");
    }
    let waits = |it: &&RunTotals| {
        it.run.waits_because.is_some() && it.run.released.is_none() && it.run.closed_at.is_none()
    };
    match (runs.iter().find(waits), runs.first()) {
        (Some(it), _) => {
            output::next(general, &format!("outflow bank-run release {} --reason … --by …", it.run.id));
        }
        (None, Some(it)) => output::next(general, &format!("outflow bank-run show {}", it.run.id)),
        (None, None) => {
            output::talk("Nothing went to the bank yet.");
            output::next(general, "outflow list");
        }
    }
}

fn cut_off(run: &Run) -> String {
    format!("{} {}", run.cut_off.day, run.cut_off.time.format("%H:%M"))
}

async fn show(general: &General, connection: &mut Tx, id: Uuid) -> Result<()> {
    let it = find(connection, id).await?;
    let mut files = Vec::new();
    for file in bank_files::of_run(connection, id).await? {
        let transfers = bank_files::transfers(connection, file.id).await?;
        files.push((file, transfers));
    }
    if general.output.is_data() {
        let mut value = in_json(&it);
        value["parts"] = files.iter().map(|(file, transfers)| file_in_json(file, transfers)).collect();
        output::data(general.output, &value);
        return Ok(());
    }
    println!("{}  {}  {}", it.run.id, cut_off(&it.run), story(&it.run));
    for (file, transfers) in &files {
        println!(
            "\nfile {}  {}  {}, executed on {}, sent {} times  {} transfers, {}",
            file.number,
            file.msg_id,
            file.state,
            file.execute_on,
            file.sends,
            file.transfers,
            output::yuan(file.total)
        );
        let mut table = output::table(&["withdrawal", "payout number", "amount", "state", "code"]);
        for it in transfers {
            table.add_row([
                it.withdrawal_id.to_string(),
                it.payout_no.clone(),
                output::yuan(it.amount),
                it.state.to_string(),
                it.code.clone().unwrap_or_default(),
            ]);
        }
        println!("{table}");
    }
    Ok(())
}

fn file_in_json(file: &File, transfers: &[Transfer]) -> Value {
    let transfer = |it: &Transfer| {
        json!({
            "withdrawal_id": it.withdrawal_id, "leg_id": it.leg_id, "payout_no": it.payout_no,
            "amount": output::yuan(it.amount), "state": it.state.to_string(), "code": it.code,
        })
    };
    json!({
        "number": file.number,
        "msg_id": file.msg_id,
        "state": file.state.to_string(),
        "execute_on": file.execute_on,
        "sends": file.sends,
        "written_at": file.written_at,
        "total": output::yuan(file.total),
        "transfers": transfers.iter().map(transfer).collect::<Vec<_>>(),
    })
}

fn released(general: &General, release: &Release) {
    if general.output.is_data() {
        output::data(
            general.output,
            &json!({ "id": release.id, "released_by": release.by, "release_reason": release.reason }),
        );
    }
    output::talk("The run goes with the next look at what is due, within half a minute.");
    output::next(general, &format!("outflow bank-run show {}", release.id));
}
