//! `outflow approve`, `deny`, `cancel`, `hold` and `release`: one person's
//! decision about a withdrawal.
//!
//! Whoever decides sees the effect first: who gets how much by which way. The
//! decision is bound to the digest of exactly that (S01), so that a withdrawal
//! that changes meanwhile is not decided by it.

use std::fmt::Write;

use anyhow::{Context, Result, anyhow};
use broker::contract::{Decision, EffectDigest, WithdrawalDecided};
use serde_json::{Value, json};
use store::{Database, withdrawals};
use uuid::Uuid;

use super::instruction::{self, SOURCE};
use super::show::Whole;
use crate::cli::{Decide, General, Output};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Shows the effect, publishes the decision, and shows what came of it.
///
/// # Errors
/// When there is no such withdrawal, a rule refuses the decision, no worker has
/// read it in time, or a server is away.
pub(crate) async fn run(general: &General, decision: Decision, wish: &Decide) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let whole = Whole::read(&database, wish.id).await.context("reading the withdrawal")?;
    let whole = whole.ok_or_else(|| {
        let next = "outflow list shows those that there are";
        Failure::new(Exit::NotFound, format!("there is no withdrawal {}", wish.id), next)
    })?;
    let seen = seen(&whole, wish)?;
    if general.output == Output::Table {
        print!("{}", effect(&whole));
    }
    if wish.dry_run {
        if general.output.is_data() {
            output::data(general.output, &told((decision, wish), seen.as_ref(), &json!(null)));
        }
        output::talk("Nothing was decided.");
        output::next(general, "the same without --dry-run");
        return Ok(());
    }
    let stamp = instruction::stamp();
    let id = stamp.id.to_string();
    let said = WithdrawalDecided {
        withdrawal_id: wish.id,
        decision,
        actor: wish.by.clone(),
        reason: wish.reason.clone(),
        effect_digest: seen.clone(),
    };
    let body = said.into_message(stamp).to_json();
    let result = instruction::say(&settings, &database, (wish.id, &id), body).await?;
    let state = state(&database, wish.id).await?;
    let came_of_it = json!({ "id": id, "result": result, "state": state });
    if general.output.is_data() {
        output::data(general.output, &told((decision, wish), seen.as_ref(), &came_of_it));
    } else {
        println!("{decision}: {result}; the withdrawal is {state}");
    }
    output::next(general, &format!("outflow watch {0} · outflow show {0}", wish.id));
    Ok(())
}

/// The effect that the decision is bound to: the one that was looked at, else the
/// present one.
fn seen(whole: &Whole, wish: &Decide) -> Result<Option<EffectDigest>> {
    if wish.effect.is_some() {
        return Ok(wish.effect.clone());
    }
    let Some(digest) = &whole.withdrawal.effect_digest else { return Ok(None) };
    let digest = hex::encode(digest).parse().map_err(|_| anyhow!("the kept effect is no SHA-256"))?;
    Ok(Some(digest))
}

/// What would be paid, to whom and by which way.
fn effect(whole: &Whole) -> String {
    let it = &whole.withdrawal;
    let mut text =
        format!("{} of {}, route {}\n", output::amount(it.amount, it.currency), it.account_id, it.route);
    for leg in whole.legs.iter().filter(|leg| leg.state.holds_money()) {
        let payee = whole.payee(leg).map_or_else(
            || format!("the payer of {}", leg.top_up_upstream_id),
            |payee| format!("{} ****{}, {}", payee.holder, payee.last_four, payee.bank_name),
        );
        let amount = output::amount(leg.amount, it.currency);
        let _ = writeln!(text, "  {amount} by {} to {payee} ({})", leg.rail, leg.state);
    }
    if let Some(digest) = &it.effect_digest {
        let _ = writeln!(text, "  effect {}", hex::encode(digest));
    }
    text
}

/// The state after the decision.
async fn state(database: &Database, id: Uuid) -> Result<String> {
    let mut connection = database.pool().acquire().await.context("reading the withdrawal")?;
    let found = withdrawals::find(&mut connection, id).await.context("reading the withdrawal")?;
    Ok(found.ok_or_else(|| anyhow!("the withdrawal is gone"))?.state.to_string())
}

fn told((decision, wish): (Decision, &Decide), seen: Option<&EffectDigest>, came_of_it: &Value) -> Value {
    json!({
        "source": SOURCE, "withdrawal_id": wish.id, "decision": decision.to_string(), "by": wish.by.as_str(),
        "effect_digest": seen.map(EffectDigest::as_str), "outcome": came_of_it,
    })
}
