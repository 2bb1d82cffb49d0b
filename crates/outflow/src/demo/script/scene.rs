//! The scenes: what people and the upstream do at fixed moments.

use anyhow::{Context, Result};
use broker::contract::Decision;
use chrono::{DateTime, Utc};
use domain::WithdrawalState;
use store::decisions;

use super::Troupe;
use crate::demo::letters::Decided;
use crate::demo::narrator;
use crate::demo::observer::{facts_of, until};
use crate::demo::stories::{DENIED, NEEDS_PEOPLE, OTHER_WAY, REROUTED, STOPPED, story};

/// The invoice that stops a payout for a while.
const INVOICE: &str = "900.00";

/// Something that is done at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    at: &'static str,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// A person decides about a request.
    Decide { request: &'static str, decision: Decision, actor: &'static str, reason: &'static str },
    /// A customer names a bank card, because the way back to the source is closed.
    OtherWay,
    /// An invoice goes out.
    InvoiceIssued,
    /// It is paid.
    InvoicePaid,
}

impl Scene {
    /// When it is played.
    ///
    /// # Panics
    /// Never: a test reads every moment of the table.
    pub(super) fn at(&self) -> DateTime<Utc> {
        self.at.parse().expect("the moments of the table are moments")
    }
}

const fn approve(at: &'static str, actor: &'static str, reason: &'static str) -> Scene {
    Scene { at, what: What::Decide { request: NEEDS_PEOPLE, decision: Decision::Approve, actor, reason } }
}

/// Every scene, in the order of its moment.
pub(super) const SCENES: &[Scene] = &[
    approve("2026-09-23T10:05:00+08:00", "sun-yue", "it is my own money"),
    approve("2026-09-23T10:10:00+08:00", "zhao.lei", "called the customer back"),
    Scene {
        at: "2026-09-23T10:15:00+08:00",
        what: What::Decide {
            request: DENIED,
            decision: Decision::Deny,
            actor: "zhao.lei",
            reason: "topped up at 03:14 from a new device",
        },
    },
    approve("2026-09-23T10:20:00+08:00", "qian.hui", "statement seen"),
    Scene { at: "2026-09-23T11:00:00+08:00", what: What::OtherWay },
    Scene { at: "2026-09-23T15:00:00+08:00", what: What::InvoiceIssued },
    Scene { at: "2026-10-08T09:00:00+08:00", what: What::InvoicePaid },
];

impl Troupe<'_> {
    /// Plays a scene, and waits until it had its effect.
    ///
    /// # Errors
    /// When it had none.
    pub(super) async fn play(&mut self, scene: &Scene) -> Result<()> {
        match scene.what {
            What::Decide { request, decision, actor, reason } => {
                self.decide(request, (decision, actor, reason)).await
            }
            What::OtherWay => self.other_way().await,
            What::InvoiceIssued => self.invoice_issued().await,
            What::InvoicePaid => self.invoice_paid().await,
        }
    }

    /// A person decides, on the effect that the event showed.
    async fn decide(&mut self, request: &str, what: (Decision, &str, &str)) -> Result<()> {
        let (decision, actor, reason) = what;
        let seen = self
            .audience
            .with(|heard| heard.newest(request).map(|it| (it.withdrawal_id, it.effect_digest.clone())));
        let (id, effect) = seen.with_context(|| format!("nobody told of {request}"))?;
        let decided = Decided { decision, actor, reason, effect: effect.as_ref() };
        let letter = self.pen.decision(id, &decided, self.now());
        let kept = letter.message_id.clone();
        self.publish(&[letter]).await?;
        let database = self.wiring.database.clone();
        let result = until("a decision to be kept", async || {
            let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
            let all = decisions::of_withdrawal(&mut connection, id).await?;
            Ok(all.into_iter().find(|it| it.event_id == kept).map(|it| it.result))
        })
        .await?;
        let story = story(request).context("a scene about no story")?;
        let outcome = match result.as_str() {
            "applied" => "counts".to_owned(),
            refusal => format!("does not count: {}", refusal.replace('_', " ")),
        };
        narrator::line(self.now(), story, &format!("{actor} says {decision}, \"{reason}\": {outcome}"));
        Ok(())
    }

    /// Bank details for a slice that its channel refused (R6c); the rule approves the new way.
    async fn other_way(&mut self) -> Result<()> {
        let story = story(REROUTED).context("the rerouted one is a story")?;
        let id = self.audience.with(|heard| heard.newest(story.id).map(|it| it.withdrawal_id));
        let id = id.with_context(|| format!("nobody told of {}", story.id))?;
        let letter = self.pen.details(id, (&OTHER_WAY, &story.requester()), self.now());
        self.publish(&[letter]).await?;
        let end = &OTHER_WAY.number[OTHER_WAY.number.len() - 4..];
        let what = format!("{} names the card ****{end}: a new number, a new approval", story.requester());
        narrator::line(self.now(), story, &what);
        let audience = &self.audience;
        until("the new way to be approved", async || {
            let state = audience.with(|heard| heard.newest(story.id).map(|it| it.state));
            Ok((state == Some(WithdrawalState::Approved)).then_some(()))
        })
        .await
    }

    /// An invoice takes the headroom of a withdrawal that was approved already.
    async fn invoice_issued(&mut self) -> Result<()> {
        let story = story(STOPPED).context("the stopped one is a story")?;
        let letter = self.pen.invoice(story.account, INVOICE, self.now());
        self.publish(&[letter]).await?;
        self.facts_applied(story.account).await?;
        narrator::line(
            self.now(),
            story,
            &format!("the upstream issues an invoice of {INVOICE}; 500.00 are left"),
        );
        Ok(())
    }

    /// The invoice is paid, and the payout goes on by itself.
    async fn invoice_paid(&mut self) -> Result<()> {
        let story = story(STOPPED).context("the stopped one is a story")?;
        let letter = self.pen.invoice_paid(story.account, INVOICE, self.now());
        self.publish(&[letter]).await?;
        self.facts_applied(story.account).await?;
        narrator::line(self.now(), story, "the holiday is over and the invoice is paid: the payout may go");
        let audience = &self.audience;
        until("the hold to end", async || {
            let state = audience.with(|heard| heard.newest(story.id).map(|it| it.state));
            Ok((state != Some(WithdrawalState::OnHold)).then_some(()))
        })
        .await
    }

    async fn facts_applied(&self, account: &str) -> Result<()> {
        let expected = self.pen.version_of(account);
        let database = &self.wiring.database;
        until("a fact to be applied", async || {
            Ok((facts_of(database, account).await? >= expected).then_some(()))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::SCENES;

    #[test]
    fn scenes_are_in_the_order_of_their_moments() {
        assert!(SCENES.is_sorted_by_key(super::Scene::at));
    }
}
