//! `outflow show`: one withdrawal whole (R13).
//!
//! Account numbers appear as their last four characters; there is no option
//! that shows more.

mod page;

use anyhow::{Context, Result};
use broker::contract::WithdrawalDetails;
use serde_json::{Value, json};
use store::attempts::Kind;
use store::bank_accounts::{self, Masked};
use store::decisions::{self, Decision};
use store::demands::{self, Needed};
use store::history::{self, PastCall, PastMove, PastNotice, PastTransfer};
use store::instructions::{self, Instruction};
use store::late_effects::{self, PastLateEffect};
use store::legs::{self, Leg};
use store::resolutions::{self, Resolution};
use store::withdrawals::{self, Withdrawal};
use store::{Database, Error};
use uuid::Uuid;

use crate::cli::General;
use crate::command::list;
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Everything that is known about one withdrawal.
pub(crate) struct Whole {
    pub(crate) withdrawal: Withdrawal,
    pub(crate) legs: Vec<Leg>,
    pub(crate) payees: Vec<Masked>,
    /// R11: every version of its bank details, oldest first.
    pub(crate) versions: Vec<Masked>,
    /// Bank details that were refused, oldest first.
    pub(crate) refused_details: Vec<Instruction>,
    pub(crate) moves: Vec<PastMove>,
    pub(crate) decisions: Vec<Decision>,
    /// S01: how many people its present effect needs, once the rules have looked at it.
    pub(crate) needed: Option<Needed>,
    /// What people said became of legs in manual review.
    pub(crate) resolutions: Vec<Resolution>,
    /// What gateways said about legs that had ended otherwise.
    pub(crate) late_effects: Vec<PastLateEffect>,
    pub(crate) calls: Vec<PastCall>,
    pub(crate) notices: Vec<PastNotice>,
    pub(crate) transfers: Vec<PastTransfer>,
}

/// Shows a withdrawal.
///
/// # Errors
/// When there is none of this number, or the database is away.
pub(crate) async fn run(general: &General, id: Uuid) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let whole = Whole::read(&database, id).await.context("reading the withdrawal")?;
    let whole = whole.ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            format!("there is no withdrawal {id}"),
            "outflow list shows those that there are",
        )
    })?;
    if general.output.is_data() {
        output::data(general.output, &whole.in_json());
    } else {
        print!("{}", page::of(&whole));
    }
    output::next(general, &format!("outflow why {id}"));
    Ok(())
}

impl Whole {
    /// Reads a withdrawal with all that belongs to it.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn read(database: &Database, id: Uuid) -> Result<Option<Self>, Error> {
        let mut connection = database.pool().acquire().await?;
        let Some(withdrawal) = withdrawals::find(&mut connection, id).await? else { return Ok(None) };
        let legs = legs::of_withdrawal(&mut connection, id).await?;
        let payees: Vec<Uuid> = legs.iter().filter_map(|leg| leg.bank_account_id).collect();
        let mut details = instructions::of_withdrawal(&mut connection, id, WithdrawalDetails::KIND).await?;
        details.retain(|it| it.result != "applied");
        Ok(Some(Self {
            withdrawal,
            versions: bank_accounts::versions(&mut connection, &[id]).await?,
            refused_details: details,
            payees: bank_accounts::masked(&mut connection, &payees).await?,
            moves: history::moves(&mut connection, id).await?,
            decisions: decisions::of_withdrawal(&mut connection, id).await?,
            needed: demands::needed(&mut connection, &[id]).await?.pop(),
            resolutions: resolutions::of_withdrawals(&mut connection, &[id]).await?,
            late_effects: late_effects::of_withdrawal(&mut connection, id).await?,
            calls: history::calls(&mut connection, id).await?,
            notices: history::notices(&mut connection, id).await?,
            transfers: history::transfers(&mut connection, id).await?,
            legs,
        }))
    }

    /// The payee of a leg on the bank rail.
    pub(crate) fn payee(&self, leg: &Leg) -> Option<&Masked> {
        self.payees.iter().find(|it| Some(it.id) == leg.bank_account_id)
    }

    /// The number of a version of the bank details; nothing for the source of a top-up.
    pub(crate) fn version_of(account: &Masked) -> Option<i32> {
        account.version.as_ref().map(|it| it.number)
    }

    fn in_json(&self) -> Value {
        let currency = self.withdrawal.currency;
        let mut whole = list::in_json(&self.withdrawal);
        let leg = |it: &Leg| {
            json!({
                "leg_id": it.id, "payout_no": it.payout_no, "rail": it.rail.to_string(),
                "amount": it.amount.to_text(currency), "state": it.state.to_string(),
                "top_up_id": it.top_up_upstream_id, "generation": it.generation, "replaces": it.predecessor_id,
                "payee": self.payee(it).map(account_in_json),
                "dispatch_at": it.dispatch_at, "deadline_at": it.deadline_at, "paid_at": it.paid_at,
                "attempts": it.attempts, "queries": it.queries, "check_at": it.check_at,
                "reference": it.reference, "code": it.code, "detail": it.detail,
            })
        };
        let past_move = |it: &PastMove| {
            json!({
                "leg_id": it.leg_id, "sequence": it.sequence, "from": it.from, "to": it.to,
                "event": it.event, "actor": it.actor, "note": it.note, "at": it.at,
            })
        };
        let decision = |it: &Decision| {
            json!({
                "verdict": it.verdict.to_string(), "actor": it.actor, "reason": it.reason, "result": it.result,
            })
        };
        let call = |it: &PastCall| {
            json!({
                "leg_id": it.leg_id, "payout_no": it.payout_no, "kind": it.kind, "number": it.number,
                "started_at": it.started_at, "outcome": it.outcome, "code": it.code, "detail": it.detail,
                "reference": it.reference, "finished_at": it.finished_at,
            })
        };
        let notice = |it: &PastNotice| {
            json!({
                "leg_id": it.leg_id, "notice_id": it.notice_id, "claim": it.claim,
                "received_at": it.received_at, "effect": it.effect,
            })
        };
        let transfer = |it: &PastTransfer| {
            json!({
                "leg_id": it.leg_id, "top_up_id": it.top_up, "from": it.from, "to": it.to,
                "amount": it.amount.to_text(currency), "cause": it.cause, "at": it.at,
            })
        };
        let version = |it: &Masked| {
            let mut version = account_in_json(it);
            version["given_by"] = it.version.as_ref().map(|it| it.given_by.clone()).into();
            version["given_at"] = json!(it.created_at);
            version
        };
        let refused = |it: &Instruction| json!({ "source": it.source, "id": it.event_id, "actor": it.actor, "result": it.result, "at": it.received_at });
        whole["details"] = self.versions.iter().map(version).collect();
        whole["refused_details"] = self.refused_details.iter().map(refused).collect();
        whole["terms"] = self.withdrawal.terms.clone();
        whole["legs"] = self.legs.iter().map(leg).collect();
        whole["transitions"] = self.moves.iter().map(past_move).collect();
        whole["approval"] =
            self.needed.as_ref().map(|it| json!({ "people": it.people, "demands": it.demands })).into();
        whole["decisions"] = self.decisions.iter().map(decision).collect();
        whole["resolutions"] = self.resolutions.iter().map(resolution_in_json).collect();
        whole["late_effects"] = self.late_effects.iter().map(late_effect_in_json).collect();
        whole["attempts"] = self.calls.iter().map(call).collect();
        whole["notices"] = self.notices.iter().map(notice).collect();
        whole["journal"] = self.transfers.iter().map(transfer).collect();
        whole
    }

    /// How often the gateway was asked to pay, and how often what became of it.
    pub(crate) fn calls_of(&self, kind: Kind) -> usize {
        self.calls.iter().filter(|it| it.kind == <&str>::from(kind)).count()
    }
}

/// A bank account as everybody may see it.
fn account_in_json(it: &Masked) -> Value {
    json!({
        "version": Whole::version_of(it), "holder": it.holder, "last_four": it.last_four,
        "bank_name": it.bank_name, "branch": it.branch, "cnaps": it.cnaps,
    })
}

fn resolution_in_json(it: &Resolution) -> Value {
    json!({
        "leg_id": it.leg_id, "claim": it.claim.to_string(), "evidence": it.evidence, "actor": it.actor,
        "result": it.result, "at": it.made_at,
    })
}

fn late_effect_in_json(it: &PastLateEffect) -> Value {
    json!({
        "leg_id": it.leg_id, "state": it.state, "claim": it.claim, "told_by": it.told_by,
        "detail": it.detail, "at": it.found_at,
    })
}
