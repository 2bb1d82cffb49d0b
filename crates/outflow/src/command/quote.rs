//! `outflow quote`: what an account could withdraw now, and the plan for an amount.
//!
//! The figures come from the functions that the intake decides by, on one
//! snapshot of the books: what is offered here is accepted at the same moment.

mod page;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use domain::{
    Accepted, Card, Currency, Decision, Exclusion, Money, Policy, Proof, Quote, Reason, Request, Route,
    RouteQuote, Selection, Terms,
};
use serde_json::{Value, json};
use workers::Clock;
use workers::quote::{self, Snapshot, problem};

use crate::cli::{General, Quote as Arguments, RouteName};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// A quote, and what would become of a request if one was described.
pub(crate) struct Offer<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) currency: Currency,
    pub(crate) at: DateTime<Utc>,
    pub(crate) quote: Quote,
    pub(crate) answer: Option<Answer>,
}

/// What the intake would decide about a request.
pub(crate) struct Answer {
    pub(crate) amount: Money,
    pub(crate) route: Route,
    pub(crate) outcome: Result<Accepted, Vec<Reason>>,
}

/// Quotes an account.
///
/// # Errors
/// When there is no such account, the request that was described would be
/// refused, or the database is away.
pub(crate) async fn run(general: &General, arguments: &Arguments) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let policy = settings.policy.rules();
    let snapshot = quote::read(&database, &arguments.account).await.context("reading the account")?;
    let snapshot = snapshot.ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            format!("there is no account {}", arguments.account),
            format!("outflow facts status {} says whether facts of it wait for others", arguments.account),
        )
    })?;
    let at = Clock::System.now();
    let answer = match &arguments.amount {
        Some(amount) => {
            let request = request(amount, arguments, &snapshot)?;
            let outcome = match snapshot.decide(&request, &policy, at) {
                Decision::Accept(accepted) => Ok(accepted),
                Decision::Reject(reasons) => Err(reasons),
                Decision::OlderSlices => unreachable!("a snapshot holds every slice"),
            };
            Some(Answer { amount: request.amount, route: request.route, outcome })
        }
        None => None,
    };
    let currency = snapshot.account.currency;
    let quote = snapshot.quote(&policy, at);
    let offer = Offer { account_id: &arguments.account, currency, at, quote, answer };
    if general.output.is_data() {
        output::data(general.output, &offer.in_json());
    } else {
        print!("{}", page::of(&offer));
    }
    offer.verdict()?;
    let next = match &offer.answer {
        Some(_) => "outflow dry-run FILE · outflow publish FILE".to_owned(),
        None => format!("outflow quote {} --amount AMOUNT", arguments.account),
    };
    output::next(general, &next);
    Ok(())
}

/// The request that the command line describes. The code of R10 is not asked for
/// here: it is entered when the request is made.
fn request(amount: &str, arguments: &Arguments, snapshot: &Snapshot) -> Result<Request> {
    let currency = snapshot.account.currency;
    let amount = Money::parse(amount, currency).map_err(|error| {
        Failure::new(Exit::Usage, format!("--amount {amount:?}: {error} (R16)"), "write it as in 88.80")
    })?;
    let chosen = arguments.transactions.clone();
    let route = match arguments.route {
        RouteName::Source => Route::Source,
        RouteName::BankCard => Route::BankCard,
    };
    let card = arguments.holder.as_ref().map(|holder| Card { holder: Some(holder.clone()), missing: vec![] });
    Ok(Request {
        amount,
        currency,
        route,
        selection: if chosen.is_empty() { Selection::Auto } else { Selection::Chosen(chosen) },
        card,
        proof: Proof::Accepted,
    })
}

/// A quote for programs, as the API answers it too.
pub(crate) fn in_json(account_id: &str, snapshot: &Snapshot, policy: &Policy, at: DateTime<Utc>) -> Value {
    let quote = snapshot.quote(policy, at);
    Offer { account_id, currency: snapshot.account.currency, at, quote, answer: None }.in_json()
}

impl Offer<'_> {
    /// Success, or the exit status of a refusal.
    fn verdict(&self) -> Result<()> {
        let Some(Answer { outcome: Err(reasons), .. }) = &self.answer else { return Ok(()) };
        let codes: Vec<&str> = reasons.iter().map(Reason::code).collect();
        let what = format!("such a request would be refused: {}", codes.join(", "));
        Err(Failure::new(Exit::Refused, what, "every reason is above; a smaller amount may pass").into())
    }

    fn text(&self, amount: Money) -> String {
        amount.to_text(self.currency)
    }

    fn in_json(&self) -> Value {
        let quote = &self.quote;
        let excluded = |it: &domain::ExcludedSlice| {
            json!({
                "top_up_id": it.id, "remaining": self.text(it.remaining),
                "source": it.source.iter().map(exclusion).collect::<Value>(),
                "bank_card": it.bank_card.iter().map(exclusion).collect::<Value>(),
            })
        };
        let mut whole = json!({
            "account_id": self.account_id,
            "currency": self.currency.to_string(),
            "at": self.at,
            "valid_until": quote.valid_until,
            "terms": self.terms(&quote.terms),
            "obstacles": self.problems(&quote.obstacles),
            "source": self.route(&quote.source),
            "bank_card": self.route(&quote.bank_card),
            "excluded": quote.excluded.iter().map(excluded).collect::<Value>(),
        });
        if let Some(answer) = &self.answer {
            whole["request"] = self.answer(answer);
        }
        whole
    }

    fn terms(&self, terms: &Terms) -> Value {
        json!({
            "cash": self.text(terms.cash), "outstanding_invoice": self.text(terms.outstanding_invoice),
            "unbilled": self.text(terms.unbilled), "held": self.text(terms.held),
            "cap": self.text(terms.cap()),
        })
    }

    fn route(&self, route: &RouteQuote) -> Value {
        let holders = route.by_holder.iter();
        json!({
            "eligible": self.text(route.eligible),
            "maximum": self.text(route.maximum),
            "by_holder": holders
                .map(|it| json!({ "holder": it.holder, "maximum": self.text(it.maximum) }))
                .collect::<Value>(),
        })
    }

    fn answer(&self, answer: &Answer) -> Value {
        let mut told = json!({
            "amount": self.text(answer.amount),
            "route": answer.route.to_string(),
            "accepted": answer.outcome.is_ok(),
        });
        match &answer.outcome {
            Ok(accepted) => {
                let plan = accepted.plan.iter();
                told["plan"] = plan
                    .map(|part| json!({ "top_up_id": part.slice, "amount": self.text(part.amount) }))
                    .collect();
                let missing = accepted.missing.iter();
                told["missing_details"] = missing.map(|it| Value::from(it.to_string())).collect();
            }
            Err(reasons) => told["reasons"] = self.problems(reasons),
        }
        told
    }

    fn problems(&self, reasons: &[Reason]) -> Value {
        let problems = reasons.iter().map(|it| problem(it, self.currency));
        problems.map(|it| serde_json::to_value(it).expect("a problem is texts and a number")).collect()
    }
}

fn exclusion(it: &Exclusion) -> Value {
    json!({ "code": it.code(), "rule": it.rule(), "detail": it.detail() })
}
