//! `outflow parked`: messages that nobody could use, and what to do about them.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use store::Database;
use store::audit::{self, Deed};
use store::parked::{self, Kept, Wanted};
use uuid::Uuid;
use workers::parked::{ParkedError, discard, replay, shown, shown_replacement};

use super::{CLI, messages};
use crate::cli::{General, ListParked, Parked, Resolve};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Lists, shows, replays or discards.
///
/// # Errors
/// When a rule refuses it, there is no such message, or the database is away.
pub(crate) async fn run(general: &General, wish: &Parked) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    match wish {
        Parked::List(wanted) => list(general, &database, wanted).await,
        Parked::Show { id, by } => show(general, (&settings, &database), *id, by).await,
        Parked::Replay { wish, edited } => {
            let text = edited.as_deref().map(messages::read).transpose()?;
            let vault = settings.vault()?;
            let mut tx = database.begin().await?;
            let (who, at) = ((wish.by.as_str(), wish.reason.as_str()), workers::Clock::System.now());
            let diff = replay(&mut tx, &vault, (wish.id, text.as_deref()), who, at).await.map_err(explain)?;
            close(tx, (wish, "replay_parked"), json!({ "reason": wish.reason, "diff": diff })).await?;
            told(general, wish, "replayed", &diff);
            Ok(())
        }
        Parked::Discard { wish } => {
            let mut tx = database.begin().await?;
            let (who, at) = ((wish.by.as_str(), wish.reason.as_str()), workers::Clock::System.now());
            discard(&mut tx, wish.id, who, at).await.map_err(explain)?;
            close(tx, (wish, "discard_parked"), json!({ "reason": wish.reason })).await?;
            told(general, wish, "discarded", &json!([]));
            Ok(())
        }
    }
}

async fn close(mut tx: store::Tx, (wish, action): (&Resolve, &str), detail: Value) -> Result<()> {
    let deed = Deed::new((&wish.by, CLI), action, wish.id.to_string()).with(detail);
    audit::put(&mut tx, &deed, workers::Clock::System.now()).await?;
    tx.commit().await.context("resolving a parked message")
}

fn told(general: &General, wish: &Resolve, resolution: &str, diff: &Value) {
    if general.output.is_data() {
        output::data(general.output, &json!({ "id": wish.id, "resolution": resolution, "diff": diff }));
        return;
    }
    println!("{} was {resolution}", wish.id);
    for change in diff.as_array().into_iter().flatten() {
        println!(
            "  {}: {} → {}",
            change["pointer"].as_str().unwrap_or_default(),
            change["before"],
            change["after"]
        );
    }
    output::next(general, "outflow parked list");
}

async fn list(general: &General, database: &Database, wanted: &ListParked) -> Result<()> {
    let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
    let ListParked { resolved, queue, code, limit } = wanted;
    let which =
        Wanted { resolved: *resolved, queue: queue.clone(), code: code.clone(), before: None, limit: *limit };
    let rows = parked::page(&mut connection, &which).await?;
    if general.output.is_data() {
        output::list(general.output, FIELDS, &rows.iter().map(outside).collect::<Vec<_>>());
        return Ok(());
    }
    if !resolved {
        let mut table = output::table(&["number", "queue", "problem", "since", "last"]);
        for it in parked::groups(&mut connection).await? {
            let (oldest, newest) = (output::moment(it.oldest), output::moment(it.newest));
            table.add_row([it.number.to_string(), it.queue, it.code, oldest, newest]);
        }
        println!("{table}\n");
    }
    let mut table = output::table(&["parked message", "queue", "problem", "at", "parked", "resolution"]);
    for it in &rows {
        let text = |name: &str| it.problem[name].as_str().unwrap_or_default().to_owned();
        table.add_row([
            it.id.to_string(),
            it.queue.clone(),
            text("code"),
            text("pointer"),
            output::moment(it.parked_at),
            it.resolution.clone().unwrap_or_default(),
        ]);
    }
    println!("{table}");
    if let Some(newest) = rows.first() {
        output::next(general, &format!("outflow parked show {} --by NAME", newest.id));
    } else {
        output::talk("There are none.");
        output::next(general, "outflow status");
    }
    Ok(())
}

async fn show(
    general: &General,
    (settings, database): (&Settings, &Database),
    id: Uuid,
    by: &str,
) -> Result<()> {
    let vault = settings.vault()?;
    let mut tx = database.begin().await?;
    let kept = parked::find(&mut tx, id).await?.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("there is no parked message {id}"), "outflow parked list")
    })?;
    let deed = Deed::new((by, CLI), "open_parked", id.to_string());
    audit::put(&mut tx, &deed, workers::Clock::System.now()).await?;
    tx.commit().await.context("writing down who saw the message")?;
    let (body, replacement) = (shown(&kept, &vault)?, shown_replacement(&kept, &vault)?);
    if general.output.is_data() {
        let mut message = outside(&kept);
        message["body"] = body.into();
        message["replacement"] = replacement.into();
        output::data(general.output, &message);
        return Ok(());
    }
    let text = |name: &str| kept.problem[name].as_str().unwrap_or_default();
    // The message alone is data: what is saved of it is what `replay --edited` takes.
    output::talk(&format!("{id} from {} at {}", kept.queue, output::moment(kept.parked_at)));
    let place = Some(text("pointer")).filter(|it| !it.is_empty()).map(|it| format!(" at {it}"));
    output::talk(&format!("{}{}: {}", text("code"), place.unwrap_or_default(), text("detail")));
    if let (Some(what), Some(by)) = (&kept.resolution, &kept.resolved_by) {
        output::talk(&format!("{what} by {by}: {}", kept.reason.as_deref().unwrap_or_default()));
    }
    println!("{body}");
    if let Some(sent) = replacement {
        output::talk(&format!("sent instead:\n{sent}"));
    }
    if kept.resolution.is_none() {
        let next =
            format!("save it, mend it, and outflow parked replay {id} --edited FILE --reason TEXT --by NAME");
        output::next(general, &next);
    }
    Ok(())
}

/// The fields of [`outside`].
const FIELDS: &[&str] = &[
    "id",
    "queue",
    "message_id",
    "digest",
    "headers",
    "problem",
    "parked_at",
    "resolved_at",
    "resolution",
    "resolved_by",
    "reason",
    "diff",
];

/// A message without its body.
fn outside(it: &Kept) -> Value {
    json!({
        "id": it.id, "queue": it.queue, "message_id": it.message_id, "digest": hex::encode(&it.digest),
        "headers": it.headers, "problem": it.problem, "parked_at": it.parked_at,
        "resolved_at": it.resolved_at, "resolution": it.resolution, "resolved_by": it.resolved_by,
        "reason": it.reason, "diff": it.diff,
    })
}

fn explain(error: ParkedError) -> anyhow::Error {
    match error {
        ParkedError::Refused(problem) => {
            let exit = if problem.status == 404 { Exit::NotFound } else { Exit::Refused };
            Failure::new(exit, problem.to_string(), "outflow parked list shows what waits").into()
        }
        ParkedError::Store(error) => error.into(),
    }
}
