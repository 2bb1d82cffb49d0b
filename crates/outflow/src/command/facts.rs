//! `outflow facts`: accounts that their facts have stopped, and what people do about them.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use store::interventions;
use workers::Clock;
use workers::facts::{self, Blocked, Desk, Refused, Standing, Wish};

use super::CLI;
use crate::cli::{Facts, General, Intervention};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Accounts that are listed at most.
const LISTED: i64 = 1_000;

/// Shows or mends what stopped accounts.
///
/// # Errors
/// When there is no such account, the wish is refused, or the database is away.
pub(crate) async fn run(general: &General, action: &Facts) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let standing = match action {
        Facts::Status { account: None } => return list(general, &database).await,
        Facts::Status { account: Some(account) } => {
            let known = facts::status(&database, account).await.context("reading the account's facts")?;
            known.ok_or_else(|| not_found(account))?
        }
        Facts::Skip { wish, fact_version: version } => {
            let desk = Desk { database, vault: settings.vault()? };
            let skipped = facts::skip(&desk, &wish_of(wish), *version, Clock::System.now()).await;
            let standing = skipped.map_err(|error| refused(error, &wish.account))?;
            output::talk(&format!("Version {version} is skipped for ever."));
            standing
        }
        Facts::EndStop { wish } => {
            let desk = Desk { database, vault: settings.vault()? };
            let ended = facts::end_stop(&desk, &wish_of(wish), Clock::System.now()).await;
            ended.map_err(|error| refused(error, &wish.account))?
        }
    };
    show(general, &standing);
    Ok(())
}

fn wish_of(it: &Intervention) -> Wish {
    Wish {
        account_id: it.account.clone(),
        reason: it.reason.clone(),
        actor: it.by.clone(),
        role: CLI.to_owned(),
    }
}

fn not_found(account: &str) -> Failure {
    Failure::new(
        Exit::NotFound,
        format!("no fact has ever named the account {account}"),
        "outflow facts status lists the accounts that are stopped",
    )
}

/// An end with the exit status of its kind.
fn refused(error: Refused, account: &str) -> anyhow::Error {
    let next = format!("outflow facts status {account}");
    match error {
        Refused::UnknownAccount(account) => not_found(&account).into(),
        Refused::Store(error) => anyhow::Error::from(error).context("writing the intervention"),
        Refused::Empty(_) => Failure::new(Exit::Usage, error.to_string(), next).into(),
        other => Failure::new(Exit::Refused, other.to_string(), next).into(),
    }
}

async fn list(general: &General, database: &store::Database) -> Result<()> {
    let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
    let stopped =
        interventions::stopped(&mut connection, LISTED).await.context("reading stopped accounts")?;
    if general.output.is_data() {
        let row = |it: &interventions::Stopped| {
            json!({
                "account_id": it.account_id, "fact_version": it.fact_version,
                "stopped_because": it.because, "changed_at": it.changed_at,
            })
        };
        let fields = ["account_id", "fact_version", "stopped_because", "changed_at"];
        output::list(general.output, &fields, &stopped.iter().map(row).collect::<Vec<_>>());
        return Ok(());
    }
    let mut table = output::table(&["account", "last version", "changed", "stopped because"]);
    for it in &stopped {
        table.add_row([
            it.account_id.clone(),
            it.fact_version.to_string(),
            output::moment(it.changed_at),
            it.because.clone(),
        ]);
    }
    println!("{table}");
    match stopped.first() {
        Some(first) => output::next(general, &format!("outflow facts status {}", first.account_id)),
        None => output::talk("No account is stopped."),
    }
    Ok(())
}

fn show(general: &General, it: &Standing) {
    if general.output.is_data() {
        output::data(general.output, &in_json(it));
        return;
    }
    println!("Account {}", it.account_id);
    println!("  last version that is known: {}", it.fact_version);
    println!("  withdrawals: {}", it.stopped_because.as_deref().map_or("not stopped", |because| because));
    match it.blocked {
        Some(Blocked::Refused { version }) => println!("  in the way: version {version}, which was refused"),
        Some(Blocked::Missing { first, last }) if first == last => {
            println!("  in the way: version {first}, which did not come");
        }
        Some(Blocked::Missing { first, last }) => {
            println!("  in the way: versions {first} to {last}, which did not come");
        }
        None => println!("  in the way: nothing"),
    }
    if let Some(first) = it.first_waiting {
        let since = output::moment(first.received_at);
        println!("  waiting: {}, the first is version {} since {since}", first.waiting, first.version);
    }
    for fact in &it.refused {
        let at = output::moment_or_nothing(fact.refused_at);
        println!(
            "  refused: version {} at {at}, {} (id {} of {})",
            fact.version, fact.kind, fact.event_id, fact.source
        );
    }
    for past in &it.interventions {
        let what = past.version.map_or_else(|| past.action.clone(), |it| format!("{} {it}", past.action));
        println!("  {}: {what} by {}: {}", output::moment(past.at), past.actor, past.reason);
    }
    if let Some(blocked) = it.blocked {
        let (version, account) = (blocked.version(), &it.account_id);
        let next = format!(
            "have version {version} published, or outflow facts skip {account} {version} --reason WHY --by YOU"
        );
        output::next(general, &next);
    }
}

fn in_json(it: &Standing) -> Value {
    let blocked = |blocked: Blocked| match blocked {
        Blocked::Refused { version } => json!({ "kind": "refused", "first": version, "last": version }),
        Blocked::Missing { first, last } => json!({ "kind": "missing", "first": first, "last": last }),
    };
    let refused = it.refused.iter().map(|fact| {
        json!({
            "version": fact.version, "type": fact.kind, "id": fact.event_id, "source": fact.source,
            "refused_at": fact.refused_at,
        })
    });
    let past = it.interventions.iter().map(|past| {
        json!({
            "action": past.action, "version": past.version, "stopped": past.stopped,
            "reason": past.reason, "actor": past.actor, "at": past.at,
        })
    });
    json!({
        "account_id": it.account_id,
        "fact_version": it.fact_version,
        "stopped_because": it.stopped_because,
        "blocked": it.blocked.map(blocked),
        "waiting": it.first_waiting.map_or(0, |first| first.waiting),
        "first_waiting_version": it.first_waiting.map(|first| first.version),
        "refused": refused.collect::<Value>(),
        "interventions": past.collect::<Value>(),
    })
}
