//! The counter: what stands behind the API and the console.
//!
//! Each write is one transaction: the workers' own code decides in it, and its
//! last statement is the row of the audit. It runs in a task of its own, because
//! a caller that hangs up must not end a transaction half-way.

use std::sync::Arc;

use api::{CodeWish, Engine, Failed, IssuedCode, Later, Requested};
use broker::contract::{Envelope, Instruction, Problem, WithdrawalRequested};
use broker::topology::REQUESTS;
use broker::{Outgoing, Published, Publisher};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use store::audit::{self, Deed};
use store::parked::Kept;
use store::withdrawals::{self, Withdrawal};
use store::{Database, Tx, instructions, requests};
use uuid::Uuid;
use workers::codes::{CodeError, Codes, Purpose};
use workers::decisions::{Taken, decide_one, refused_before};
use workers::intake::{Rules, admit_one};
use workers::parked::{self, ParkedError};
use workers::{Clock, Desk};

use crate::command::quote::in_json as quote_in_json;

/// Tries of a write that somebody else's write overtook.
const TRIES: usize = 3;

/// What the counter works with.
#[derive(Clone)]
pub(crate) struct Counter {
    /// The books.
    pub(crate) database: Database,
    /// Whose time it is.
    pub(crate) clock: Clock,
    /// How requests are decided.
    pub(crate) rules: Rules,
    /// How decisions are.
    pub(crate) desk: Desk,
    /// R10; nothing where no key signs tokens.
    pub(crate) codes: Option<Codes>,
    /// For requests that are published as an upstream would.
    pub(crate) publisher: Arc<Publisher>,
}

/// Runs a write in a task of its own and waits for it.
async fn apart<T: Send + 'static>(
    write: impl Future<Output = Result<T, Failed>> + Send + 'static,
) -> Result<T, Failed> {
    match tokio::spawn(write).await {
        Ok(done) => done,
        // It broke down or was cut off: nobody knows whether it committed.
        Err(_) => Err(Failed::Store(store::Error::Stale { what: "what was written" })),
    }
}

/// Whether a write should be tried again: somebody else was faster.
fn overtaken<T>(result: &Result<T, Failed>) -> bool {
    matches!(result, Err(Failed::Store(store::Error::Stale { .. })))
}

async fn close(mut tx: Tx, deed: &Deed, at: DateTime<Utc>) -> Result<(), Failed> {
    audit::put(&mut tx, deed, at).await?;
    Ok(tx.commit().await.map_err(store::Error::from)?)
}

impl Counter {
    async fn request_once(
        &self,
        message: &Envelope<WithdrawalRequested>,
        deed: &Deed,
    ) -> Result<Requested, Failed> {
        let at = self.clock.now();
        let (source, id) = (message.source.as_str(), message.id.as_str());
        let mut tx = self.database.begin().await?;
        if !requests::try_lock(&mut tx, source, id).await? {
            let detail = "the same request is being decided at this moment; ask again in a second";
            return Err(Problem::with_status("in_progress", 409, detail).into());
        }
        let answer = admit_one(&mut tx, &self.rules, message, at).await?;
        let withdrawal = answer.withdrawal;
        let verdict = match (answer.repeated, answer.differing.is_empty()) {
            (false, _) => "decided",
            (true, true) => "repeated",
            (true, false) => "conflict",
        };
        let detail = json!({
            "withdrawal_id": withdrawal.id, "account_id": withdrawal.account_id, "result": verdict,
            "amount": withdrawal.amount.to_text(withdrawal.currency), "state": withdrawal.state.to_string(),
        });
        let deed = Deed { subject: withdrawal.id.to_string(), ..deed.clone().with(detail) };
        close(tx, &deed, at).await?;
        if answer.differing.is_empty() {
            return Ok(Requested { withdrawal, repeated: answer.repeated });
        }
        let detail = format!(
            "another request came under this key before, and this one changed nothing. It differs in: {}",
            answer.differing.join(", ")
        );
        Err(Problem::with_status("conflict", 422, detail).at("/id").into())
    }

    async fn instruct_once(
        &self,
        message: &Envelope<Instruction>,
        deed: &Deed,
    ) -> Result<Withdrawal, Failed> {
        let at = self.clock.now();
        let mut tx = self.database.begin().await?;
        let taken = decide_one(&mut tx, message, &self.desk, at).await?;
        let withdrawal = withdrawals::find(&mut tx, message.data.withdrawal_id()).await?;
        // Whoever repeats a message hears what the first one heard.
        let before = match taken {
            Taken::Repeated => {
                instructions::known(&mut tx, &[message.source.as_str()], &[message.id.as_str()]).await?
            }
            Taken::Applied | Taken::Refused(_) => Vec::new(),
        };
        let refused: Vec<Problem> = before.iter().flat_map(|it| refused_before(&it.result)).collect();
        let mut deed = deed.clone();
        deed.detail["result"] = match &taken {
            Taken::Applied => "applied".into(),
            Taken::Repeated => "repeated".into(),
            Taken::Refused(reasons) => reasons.iter().map(|it| Value::from(&*it.code)).collect(),
        };
        close(tx, &deed, at).await?;
        match (taken, withdrawal) {
            (Taken::Refused(reasons), _) => Err(Failed::Refused(reasons)),
            (Taken::Repeated, _) if !refused.is_empty() => Err(Failed::Refused(refused)),
            (_, Some(withdrawal)) => Ok(withdrawal),
            (_, None) => Err(Failed::Store(store::Error::Stale { what: "a withdrawal" })),
        }
    }

    fn codes(&self) -> Result<&Codes, Failed> {
        self.codes.as_ref().ok_or_else(|| {
            let detail = "no key that signs tokens is set in this process";
            Problem::with_status("codes_not_set_up", 503, detail).by_rule("R10").into()
        })
    }

    /// Writes down what was done outside of a transaction of the counter's.
    async fn note(&self, deed: &Deed, at: DateTime<Utc>) -> Result<(), Failed> {
        close(self.database.begin().await?, deed, at).await
    }
}

fn code_failed(error: CodeError) -> Failed {
    match error {
        CodeError::Refused(refusal) => refusal.problem().into(),
        CodeError::Store(error) => error.into(),
        CodeError::NoKey(_) => {
            Problem::with_status("codes_not_set_up", 503, error.to_string()).by_rule("R10").into()
        }
    }
}

fn parked_failed(error: ParkedError) -> Failed {
    match error {
        ParkedError::Refused(problem) => problem.into(),
        ParkedError::Store(error) => error.into(),
    }
}

fn reason_of(deed: &Deed) -> &str {
    deed.detail["reason"].as_str().unwrap_or_default()
}

impl Engine for Counter {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn request(&self, message: Envelope<WithdrawalRequested>, deed: Deed) -> Later<'_, Requested> {
        let counter = self.clone();
        Box::pin(apart(async move {
            let mut result = counter.request_once(&message, &deed).await;
            for _ in 1..TRIES {
                if !overtaken(&result) {
                    break;
                }
                result = counter.request_once(&message, &deed).await;
            }
            result
        }))
    }

    fn instruct(&self, message: Envelope<Instruction>, deed: Deed) -> Later<'_, Withdrawal> {
        let counter = self.clone();
        Box::pin(apart(async move {
            let mut result = counter.instruct_once(&message, &deed).await;
            for _ in 1..TRIES {
                if !overtaken(&result) {
                    break;
                }
                result = counter.instruct_once(&message, &deed).await;
            }
            result
        }))
    }

    fn quote<'a>(&'a self, account_id: &'a str) -> Later<'a, Option<Value>> {
        Box::pin(async move {
            let snapshot = workers::quote::read(&self.database, account_id).await?;
            Ok(snapshot.map(|it| quote_in_json(account_id, &it, &self.rules.policy, self.clock.now())))
        })
    }

    fn issue_code(&self, wish: CodeWish, deed: Deed) -> Later<'_, IssuedCode> {
        let counter = self.clone();
        Box::pin(apart(async move {
            let at = counter.clock.now();
            let CodeWish { account_id, amount, currency, route, request_id } = wish;
            let purpose = Purpose { account_id, amount, currency, route, request_id };
            let issued = counter.codes()?.issue(&purpose, at).await.map_err(code_failed)?;
            counter.note(&deed, at).await?;
            let code = issued.code.map(|it| it.expose_secret().to_owned());
            Ok(IssuedCode { id: issued.id, expires_at: issued.expires_at, code })
        }))
    }

    fn confirm_code(&self, id: Uuid, entered: String, deed: Deed) -> Later<'_, String> {
        let counter = self.clone();
        Box::pin(apart(async move {
            let at = counter.clock.now();
            let token = counter.codes()?.confirm(id, &entered, at).await.map_err(code_failed)?;
            counter.note(&deed, at).await?;
            Ok(token)
        }))
    }

    fn opened(&self, kept: &Kept) -> Result<(String, Option<String>), store::Error> {
        let vault = &self.rules.vault;
        Ok((parked::shown(kept, vault)?, parked::shown_replacement(kept, vault)?))
    }

    fn replay(&self, id: Uuid, edited: Option<String>, mut deed: Deed) -> Later<'_, Value> {
        let counter = self.clone();
        Box::pin(apart(async move {
            let at = counter.clock.now();
            let mut tx = counter.database.begin().await?;
            let who = (deed.actor.as_str(), reason_of(&deed));
            let diff = parked::replay(&mut tx, &counter.rules.vault, (id, edited.as_deref()), who, at)
                .await
                .map_err(parked_failed)?;
            deed.detail["diff"] = diff.clone();
            close(tx, &deed, at).await?;
            Ok(diff)
        }))
    }

    fn discard(&self, id: Uuid, deed: Deed) -> Later<'_, ()> {
        let counter = self.clone();
        Box::pin(apart(async move {
            let at = counter.clock.now();
            let mut tx = counter.database.begin().await?;
            parked::discard(&mut tx, id, (&deed.actor, reason_of(&deed)), at).await.map_err(parked_failed)?;
            close(tx, &deed, at).await
        }))
    }

    fn publish(&self, message: Envelope<WithdrawalRequested>, deed: Deed) -> Later<'_, ()> {
        let counter = self.clone();
        Box::pin(apart(async move {
            counter.note(&deed, counter.clock.now()).await?;
            let outgoing = Outgoing::work(REQUESTS, message.id.as_str(), message.to_json());
            match counter.publisher.publish(outgoing).await {
                Published::Confirmed => Ok(()),
                other => {
                    let detail = format!("the broker did not confirm the message: {other:?}");
                    Err(Problem::with_status("not_published", 503, detail).into())
                }
            }
        }))
    }
}

/// The counter as the API knows it.
impl From<Counter> for Arc<dyn Engine> {
    fn from(counter: Counter) -> Self {
        Arc::new(counter)
    }
}
