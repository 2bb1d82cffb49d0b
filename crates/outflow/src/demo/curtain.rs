//! The curtain: whether every story ended as told, and whether the books, the
//! gateways' own book and the events say the same.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use broker::contract::Verdict as Repeat;
use comfy_table::Table;
use domain::{LegState, Money, Rail, WithdrawalState, date_in_shanghai};
use store::attempts::Kind;
use store::legs::Leg;
use store::verify::{INVARIANTS, verify};
use store::withdrawals::Withdrawal;

use super::observer::{Snapshot, until};
use super::script::Troupe;
use super::stories::{CONTRADICTED, REPEATED, REPLY_LOST, REROUTED, STOPPED, STORIES, Story};
use crate::command::show::Whole;
use crate::command::verify::movements_of;
use crate::exit::{Exit, Failure};
use crate::output;

/// What the demo came to.
pub(crate) struct Verdict {
    /// Every withdrawal, one a row.
    pub(crate) table: Table,
    /// Whatever is not as it should be.
    pub(crate) violations: Vec<String>,
    /// How many invariants were asked.
    pub(crate) invariants: usize,
    /// How many withdrawals there are.
    pub(crate) withdrawals: i64,
    /// How many of them were paid.
    pub(crate) completed: usize,
    /// What they asked for together.
    pub(crate) asked: Money,
    /// What the top-ups paid out.
    pub(crate) paid: Money,
    /// Movements at the gateways.
    pub(crate) payments: usize,
    /// Notices of gateways that arrived and were taken up.
    pub(crate) notices: usize,
    /// Payout numbers that moved money twice.
    pub(crate) paid_twice: usize,
    /// What the gateways paid, less what the books say.
    pub(crate) difference: Money,
}

impl Verdict {
    /// The end of the process.
    ///
    /// # Errors
    /// When anything is not as it should be.
    pub(crate) fn into_result(self) -> Result<()> {
        if self.violations.is_empty() {
            return Ok(());
        }
        let what = format!("{} things are not as they should be", self.violations.len());
        Err(Failure::new(Exit::Failed, what, "run it again with --log-level info and read the lines above")
            .into())
    }
}

/// Compares everything with everything.
///
/// # Errors
/// When the database or the simulator is away.
pub(crate) async fn judge(troupe: &Troupe<'_>) -> Result<Verdict> {
    hear_the_last(troupe).await?;
    let notices = until("the gateways' notices", async || notices_of(troupe).await).await?;
    let snapshot = Snapshot::read(&troupe.wiring.database).await?;
    let movements = movements_of(troupe.stage.simulator.base_url()).await?;
    let book = troupe.stage.simulator.book();
    let approvers = i64::try_from(troupe.wiring.payouts.approvers).context("a quorum of people")?;
    let broken = verify(&troupe.wiring.database, Some(&movements), approvers, troupe.now())
        .await
        .context("checking the invariants")?;
    let mut violations: Vec<String> =
        broken.iter().map(|it| format!("{} {}: {}", it.invariant, it.subject, it.detail)).collect();
    for story in STORIES {
        violations.extend(faults_of(story, &snapshot).into_iter().map(|it| format!("{}: {it}", story.id)));
    }
    violations.extend(faults_of_messages(troupe, &snapshot));
    violations.extend(faults_of_special_stories(troupe, &snapshot).await?);
    let paid = snapshot.totals.paid_out;
    let difference = Money::from_minor(book.paid_out_fen - book.returned_fen - paid.minor());
    if difference != Money::ZERO || book.paid_twice > 0 || book.over_refunded > 0 {
        violations.push("the gateways' own book does not agree".to_owned());
    }
    let completed = |it: &&(Withdrawal, Vec<Leg>)| it.0.state == WithdrawalState::Completed;
    Ok(Verdict {
        table: table(&snapshot),
        violations,
        invariants: INVARIANTS.len(),
        withdrawals: snapshot.totals.withdrawals,
        completed: snapshot.cases.iter().filter(completed).count(),
        asked: snapshot.cases.iter().map(|(it, _)| it.amount).sum(),
        paid,
        payments: movements.iter().filter(|it| it.kind == "payout").count(),
        notices,
        paid_twice: book.paid_twice,
        difference,
    })
}

/// Events travel: the last one may still be on its way.
async fn hear_the_last(troupe: &Troupe<'_>) -> Result<()> {
    let snapshot = Snapshot::read(&troupe.wiring.database).await?;
    until("the last events", async || {
        Ok(troupe.audience.with(|heard| {
            let all = |(it, _): &(Withdrawal, Vec<Leg>)| {
                let count = heard.events.get(&it.id).map_or(0, Vec::len);
                count >= usize::try_from(it.sequence).expect("sequences count up from one")
            };
            snapshot.cases.iter().all(all).then_some(())
        }))
    })
    .await
}

/// How many notices arrived, once every payment to a wallet was told and taken up.
async fn notices_of(troupe: &Troupe<'_>) -> Result<Option<usize>> {
    let mut count = 0;
    for (withdrawal, legs) in Snapshot::read(&troupe.wiring.database).await?.cases {
        let whole = Whole::read(&troupe.wiring.database, withdrawal.id).await?;
        let notices = whole.context("a withdrawal that was there is there")?.notices;
        let is_told = |leg: &Leg| notices.iter().any(|it| it.leg_id == leg.id);
        let mut to_wallets = legs.iter().filter(|it| it.state == LegState::Paid && it.rail != Rail::Bank);
        if !to_wallets.all(is_told) || notices.iter().any(|it| it.effect.is_none()) {
            return Ok(None);
        }
        count += notices.len();
    }
    Ok(Some(count))
}

/// What is wrong with the end of a story.
fn faults_of(story: &Story, snapshot: &Snapshot) -> Vec<String> {
    let Some((withdrawal, legs)) = snapshot.of(story.id) else { return vec!["was never decided".to_owned()] };
    let mut faults = Vec::new();
    if withdrawal.state != story.ends {
        faults.push(format!("ended {} and not {}", withdrawal.state, story.ends));
    }
    let first = legs.iter().filter(|leg| leg.generation == 1);
    let drawn: Vec<(String, String)> =
        first.map(|leg| (leg.top_up_upstream_id.clone(), output::yuan(leg.amount))).collect();
    if !drawn.iter().map(|(id, amount)| (id.as_str(), amount.as_str())).eq(story.draws.iter().copied()) {
        faults.push(format!("drew {drawn:?} and not {:?}", story.draws));
    }
    let codes: BTreeSet<&str> = withdrawal
        .reasons
        .as_array()
        .map(|reasons| reasons.iter().filter_map(|it| it["code"].as_str()).collect())
        .unwrap_or_default();
    if codes != story.reasons.iter().copied().collect() {
        faults.push(format!("was refused for {codes:?} and not {:?}", story.reasons));
    }
    for leg in legs.iter().filter(|leg| leg.state == LegState::Paid) {
        if leg.deadline_at.zip(leg.paid_at).is_some_and(|(deadline, paid)| paid > deadline) {
            faults.push("was paid after its deadline".to_owned());
        }
    }
    faults
}

/// What is wrong with what was heard.
fn faults_of_messages(troupe: &Troupe<'_>, snapshot: &Snapshot) -> Vec<String> {
    let mut faults = troupe.audience.with(|heard| {
        let mut faults = heard.faults.clone();
        let mut repeats: Vec<(&str, Repeat)> =
            heard.repeated.iter().map(|it| (it.request.id.as_str(), it.verdict)).collect();
        repeats.sort_by_key(|(id, _)| *id);
        if repeats != [(REPEATED, Repeat::Same), (CONTRADICTED, Repeat::Conflict)] {
            faults.push(format!("repeated requests were answered {repeats:?}"));
        }
        let letters: Vec<&str> = heard.letters.iter().map(|it| &*it.code).collect();
        if letters != ["invalid_amount"] {
            faults.push(format!("dead letters: {letters:?}"));
        }
        faults
    });
    if snapshot.totals.parked != 1 {
        faults.push(format!("{} messages are parked and not 1", snapshot.totals.parked));
    }
    faults
}

/// What only some stories promise.
async fn faults_of_special_stories(troupe: &Troupe<'_>, snapshot: &Snapshot) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    if let Some((withdrawal, _)) = snapshot.of(REPLY_LOST) {
        let whole = Whole::read(&troupe.wiring.database, withdrawal.id).await?;
        let whole = whole.context("a withdrawal that was there is there")?;
        let (pays, queries) = (whole.calls_of(Kind::Pay), whole.calls_of(Kind::Query));
        let doubted = whole.moves.iter().any(|it| it.to == "unknown");
        if pays != 1 || queries == 0 || !doubted {
            faults.push(format!(
                "{REPLY_LOST}: paid by {pays} calls and asked {queries} times, doubted: {doubted}"
            ));
        }
    }
    if let Some((_, legs)) = snapshot.of(REROUTED) {
        let ways: Vec<String> = legs.iter().map(|it| format!("{} {}", it.rail, it.state)).collect();
        if ways != ["wechat rerouting", "bank paid"] {
            faults.push(format!("{REROUTED}: its money went {ways:?}"));
        }
    }
    if let Some((withdrawal, _)) = snapshot.of(STOPPED) {
        let day = withdrawal.deadline_at.map(|it| date_in_shanghai(it).to_string());
        if day.as_deref() != Some("2026-10-10") || withdrawal.deadline_provisional {
            faults.push(format!("{STOPPED}: the seventh working day is {day:?}"));
        }
        let heard = |heard: &super::audience::Heard| {
            let events = heard.events.get(&withdrawal.id);
            events.is_some_and(|events| events.iter().any(|it| it.state == WithdrawalState::OnHold))
        };
        if !troupe.audience.with(heard) {
            faults.push(format!("{STOPPED}: the invoice did not stop it"));
        }
    }
    Ok(faults)
}

fn table(snapshot: &Snapshot) -> Table {
    let mut table = output::table(&[
        "",
        "withdrawal",
        "who",
        "story",
        "amount",
        "state",
        "legs",
        "expected by",
        "last paid",
    ]);
    for story in STORIES {
        let Some((withdrawal, legs)) = snapshot.of(story.id) else { continue };
        let id = withdrawal.id.to_string();
        let paid = legs.iter().filter_map(|leg| leg.paid_at).max();
        let rails: Vec<String> =
            legs.iter().map(|leg| format!("{} {}", leg.rail, output::yuan(leg.amount))).collect();
        table.add_row([
            story.id.to_owned(),
            format!("…{}", &id[id.len() - 8..]),
            story.customer().name.to_owned(),
            story.title.to_owned(),
            output::yuan(withdrawal.amount),
            withdrawal.state.to_string(),
            rails.join("\n"),
            withdrawal.deadline_at.map(|it| date_in_shanghai(it).to_string()).unwrap_or_default(),
            paid.map(super::narrator::time).unwrap_or_default(),
        ]);
    }
    table
}
