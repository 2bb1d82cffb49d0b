//! `outflow why`: a withdrawal explained in plain words.
//!
//! Why this state, why these top-ups and not others, what happens next and when,
//! and whether money is at risk.

mod words;

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use domain::{Exclusion, Rail, Route, WithdrawalState};
use serde_json::{Value, json};
use store::legs::Leg;
use store::{circuits, stops};
use strum::IntoEnumIterator;
use uuid::Uuid;
use workers::Clock;
use workers::quote::{self, Snapshot};

use self::words::{Risk, of_bar, of_code, of_leg, of_move, of_risk, of_withdrawal, risk_of};
use super::show::Whole;
use crate::cli::General;
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// A withdrawal and what its account still has.
struct Question {
    whole: Whole,
    /// Top-ups with money left that this withdrawal could not take, and why.
    passed_over: Vec<(String, String)>,
    /// Why nothing is sent by a channel now.
    bars: BTreeMap<Rail, String>,
}

/// Explains a withdrawal.
///
/// # Errors
/// When there is none of this number, or the database is away.
pub(crate) async fn run(general: &General, id: Uuid) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let whole = Whole::read(&database, id).await.context("reading the withdrawal")?;
    let whole = whole.ok_or_else(|| {
        let next = "outflow list shows those that there are";
        Failure::new(Exit::NotFound, format!("there is no withdrawal {id}"), next)
    })?;
    let snapshot =
        quote::read(&database, &whole.withdrawal.account_id).await.context("reading the account")?;
    let at = Clock::System.now();
    let route = whole.withdrawal.route;
    let passed_over =
        snapshot.map(|it| passed_over(&it, &settings.policy.rules(), route, at)).unwrap_or_default();
    let mut tx = database.begin().await?;
    let (stops, circuits) = (stops::all(&mut tx).await?, circuits::all(&mut tx).await?);
    let bars = Rail::iter().filter_map(|rail| Some((rail, of_bar(rail, &stops, &circuits)?))).collect();
    let question = Question { whole, passed_over, bars };
    if general.output.is_data() {
        output::data(general.output, &question.in_json());
    } else {
        print!("{}", question.page());
    }
    output::next(general, &format!("outflow show {id}"));
    Ok(())
}

/// Top-ups with money left that `route` excludes, with every reason, newest first.
fn passed_over(
    snapshot: &Snapshot,
    policy: &domain::Policy,
    route: Route,
    at: DateTime<Utc>,
) -> Vec<(String, String)> {
    let reasons = |list: &[Exclusion]| {
        list.iter().map(|it| format!("{} ({})", it.detail(), it.rule())).collect::<Vec<_>>().join("; ")
    };
    snapshot
        .quote(policy, at)
        .excluded
        .into_iter()
        .map(|it| (it.id, if route == Route::Source { it.source } else { it.bank_card }))
        .filter(|(_, list)| !list.is_empty())
        .map(|(id, list)| (id, reasons(&list)))
        .collect()
}

impl Question {
    /// Why it is in its state: the rule of the state, and what is particular to it.
    fn because(&self) -> String {
        let it = &self.whole.withdrawal;
        let mut text = of_withdrawal(it.state).to_owned();
        let particular = match it.state {
            WithdrawalState::Rejected => it.reasons.as_array().map(|all| {
                let detail = |it: &Value| it["detail"].as_str().unwrap_or_default().to_owned();
                all.iter().map(detail).collect::<Vec<_>>().join("; ")
            }),
            WithdrawalState::OnHold => it.held_because.clone(),
            WithdrawalState::AwaitingDetails
            | WithdrawalState::PendingApproval
            | WithdrawalState::ActionRequired => {
                it.expires_at.map(|at| format!("it waits until {}", output::moment(at)))
            }
            _ => self.last_note(),
        };
        if let Some(particular) = particular.filter(|it| !it.is_empty()) {
            let _ = write!(text, ": {particular}");
        }
        text
    }

    /// Who made the last move of the withdrawal itself, and what was said with it.
    fn last_note(&self) -> Option<String> {
        let last = self.whole.moves.iter().filter(|it| it.leg_id.is_none()).max_by_key(|it| it.sequence)?;
        of_move(&last.event, &last.actor, last.note.as_deref())
    }

    /// One line for a leg: which money, by which way, why it stands there.
    fn slice(&self, leg: &Leg) -> String {
        let currency = self.whole.withdrawal.currency;
        let amount = output::amount(leg.amount, currency);
        let mut text = format!(
            "{amount} of {} by {}: {} — {}",
            leg.top_up_upstream_id,
            leg.rail,
            leg.state,
            of_leg(leg.state).0
        );
        if let Some(code) = leg.code.as_deref().filter(|it| !it.is_empty()) {
            let _ = write!(text, " ({})", of_code(code, leg.detail.as_deref()));
        }
        text
    }

    /// What happens next to a leg, and when.
    fn next(&self, leg: &Leg) -> String {
        let mut text = of_leg(leg.state).1.to_owned();
        if let Some(bar) = self.bars.get(&leg.rail).filter(|_| leg.state == domain::LegState::Scheduled) {
            let _ = write!(text, ", but nothing is sent by {} now: {bar}", leg.rail);
        }
        let moment = match leg.state {
            domain::LegState::Scheduled => leg.dispatch_at.map(|at| ("not before", at)),
            domain::LegState::Dispatching
            | domain::LegState::Submitted
            | domain::LegState::Unknown
            | domain::LegState::ManualReview => leg.check_at.map(|at| ("asked next at", at)),
            _ => None,
        };
        if let Some((words, at)) = moment {
            let _ = write!(text, "; {words} {}", output::moment(at));
        }
        if let Some(at) = leg.deadline_at.filter(|_| leg.state.holds_money()) {
            let guess = if leg.deadline_provisional { " (provisional)" } else { "" };
            let _ = write!(text, "; there by {}{guess} (R7)", output::moment(at));
        }
        text
    }

    fn risk(&self) -> Risk {
        self.whole.legs.iter().map(|leg| risk_of(leg.state)).max().unwrap_or(Risk::None)
    }

    /// Why these top-ups.
    fn order(&self) -> &'static str {
        if self.whole.legs.is_empty() {
            "none was taken: nothing is held for a request that was refused"
        } else {
            "the newest first, of those that were eligible or chosen; the last one in part (R9)"
        }
    }

    fn page(&self) -> String {
        let it = &self.whole.withdrawal;
        let mut page = format!(
            "{} of {} is {}\n  {}\n\nWhy these top-ups\n  {}\n",
            output::amount(it.amount, it.currency),
            it.account_id,
            it.state,
            self.because(),
            self.order()
        );
        for leg in &self.whole.legs {
            let _ = writeln!(page, "  - {}", self.slice(leg));
        }
        if !self.passed_over.is_empty() {
            let _ = writeln!(page, "  not eligible for this route, as things stand now:");
            for (id, reasons) in &self.passed_over {
                let _ = writeln!(page, "  - {id}: {reasons}");
            }
        }
        let _ = writeln!(page, "\nWhat happens next");
        for leg in &self.whole.legs {
            let _ = writeln!(page, "  - {}: {}", leg.top_up_upstream_id, self.next(leg));
        }
        if self.whole.legs.is_empty() {
            let _ = writeln!(page, "  nothing; a new request is a request of its own");
        }
        let _ = writeln!(page, "\nIs money at risk?\n  {}", of_risk(self.risk()));
        page
    }

    fn in_json(&self) -> Value {
        let it = &self.whole.withdrawal;
        let leg = |leg: &Leg| {
            json!({
                "leg_id": leg.id, "top_up_id": leg.top_up_upstream_id, "rail": leg.rail.to_string(),
                "amount": leg.amount.to_text(it.currency), "state": leg.state.to_string(),
                "because": of_leg(leg.state).0, "code": leg.code, "detail": leg.detail, "next": self.next(leg),
                "dispatch_at": leg.dispatch_at, "check_at": leg.check_at, "deadline_at": leg.deadline_at,
            })
        };
        let passed_over = |(id, reasons): &(String, String)| json!({ "top_up_id": id, "because": reasons });
        json!({
            "withdrawal_id": it.id, "state": it.state.to_string(), "because": self.because(),
            "top_ups": self.order(), "legs": self.whole.legs.iter().map(leg).collect::<Value>(),
            "not_eligible_now": self.passed_over.iter().map(passed_over).collect::<Value>(),
            "risk": self.risk().to_string(), "risk_in_words": of_risk(self.risk()),
        })
    }
}
