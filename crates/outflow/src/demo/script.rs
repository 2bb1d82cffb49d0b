//! The script: what the upstream and its people do, and when the clock moves.

mod scene;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use broker::{Outgoing, Published, Publisher};
use chrono::{DateTime, Utc};
use domain::LegState;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use store::legs::Leg;
use uuid::Uuid;

use super::audience::Audience;
use super::cast::CUSTOMERS;
use super::letters::Pen;
use super::observer::{Snapshot, facts_of, until};
use super::stories::{CONTRADICTED, REPEATED, STORIES, story};
use super::{days, narrator};
use crate::stage::Stage;
use crate::wiring::Wiring;
use scene::SCENES;

/// Everybody who works on the demo.
pub(crate) struct Troupe<'a> {
    /// Where it is played.
    pub(crate) stage: &'a Stage,
    /// What the workers work with.
    pub(crate) wiring: Wiring,
    /// Who listens.
    pub(crate) audience: Audience,
    pen: Pen,
    publisher: Publisher,
    dice: StdRng,
    /// The states of legs that were told already.
    told: BTreeMap<Uuid, LegState>,
}

impl<'a> Troupe<'a> {
    /// A troupe whose dice follow from `seed`.
    pub(crate) fn new(stage: &'a Stage, wiring: Wiring, audience: Audience, seed: u64) -> Self {
        let pen = Pen::new(wiring.proofs.clone(), seed);
        let publisher = Publisher::new(&wiring.connections);
        let dice = StdRng::seed_from_u64(seed);
        Self { stage, wiring, audience, pen, publisher, dice, told: BTreeMap::new() }
    }

    /// The moment of the demo.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.wiring.clock.now()
    }

    /// The audience leaves.
    pub(crate) async fn leave(self) {
        self.audience.leave().await;
    }

    /// Plays everything.
    ///
    /// # Errors
    /// When something does not happen that should.
    pub(crate) async fn perform(&mut self) -> Result<()> {
        self.tell_facts().await?;
        self.ask().await?;
        self.let_time_pass().await
    }

    /// Publishes, and expects to be confirmed.
    async fn publish(&self, letters: &[Outgoing]) -> Result<()> {
        let results = self.publisher.publish_all(letters).await;
        let failed = results.iter().find(|it| **it != Published::Confirmed);
        ensure!(failed.is_none(), "the broker did not take a message: {failed:?}");
        Ok(())
    }

    /// The facts of all customers, in no order: the ledger sorts them.
    async fn tell_facts(&mut self) -> Result<()> {
        narrator::title("The upstream says what it knows");
        self.register_trades().await?;
        let at = self.now();
        let mut letters: Vec<Outgoing> =
            CUSTOMERS.iter().flat_map(|customer| self.pen.history_of(customer, at)).collect();
        letters.shuffle(&mut self.dice);
        self.publish(&letters).await?;
        for customer in CUSTOMERS {
            let expected = self.pen.version_of(customer.account);
            let database = &self.wiring.database;
            until("the facts of every account", async || {
                Ok((facts_of(database, customer.account).await? >= expected).then_some(()))
            })
            .await?;
        }
        narrator::say(&format!(
            "  {} facts about {} customers, published in a shuffled order and applied in theirs",
            letters.len(),
            CUSTOMERS.len()
        ));
        Ok(())
    }

    /// The paid orders behind the top-ups, as the gateways know them.
    async fn register_trades(&self) -> Result<()> {
        let url = format!("{}/_sim/trades", self.stage.simulator.base_url());
        let trades = self.pen.trades();
        let answer =
            reqwest::Client::new().post(&url).json(&trades).send().await.context("registering trades")?;
        answer.error_for_status().context("registering trades")?;
        narrator::say(&format!("  {} paid orders are known to the gateways", trades.len()));
        Ok(())
    }

    /// All requests, two of them twice, and one that nobody can read.
    async fn ask(&mut self) -> Result<()> {
        narrator::title("Customers ask for their money, through RabbitMQ");
        let at = self.now();
        let letters: Vec<Outgoing> = STORIES.iter().map(|it| self.pen.request(it, it.amount, at)).collect();
        self.publish(&letters).await?;
        self.quiet().await?;
        let (repeated, contradicted) = (story(REPEATED), story(CONTRADICTED));
        let (repeated, contradicted) = repeated.zip(contradicted).expect("both are stories");
        let letters = [
            self.pen.request(repeated, repeated.amount, at),
            self.pen.request(contradicted, "999.99", at),
            self.pen.broken(repeated, at),
        ];
        self.publish(&letters).await?;
        let audience = &self.audience;
        until("both repeats and the dead letter", async || {
            Ok(audience.with(|it| it.repeated.len() >= 2 && !it.letters.is_empty()).then_some(()))
        })
        .await
    }

    /// Jumps from one thing that is due to the next, until the last deadline.
    async fn let_time_pass(&mut self) -> Result<()> {
        narrator::title("Time passes: gateways are asked, people decide, banks have cut-offs and holidays");
        let opening = self.now();
        let deadline = self.wiring.payouts.calendar.bank_deadline(opening).at;
        let mut scenes = SCENES.iter().peekable();
        loop {
            let snapshot = self.quiet().await?;
            let scene = scenes.peek().map(|it| it.at());
            let Some(next) = snapshot.next_due().into_iter().chain(scene).chain([deadline]).min() else {
                break;
            };
            self.jump(next, opening);
            if scene == Some(next) {
                let scene = scenes.next().expect("it was peeked at");
                self.play(scene).await?;
            } else if next == deadline {
                break;
            }
        }
        self.quiet().await.map(drop)
    }

    /// Moves the clock of everybody.
    fn jump(&self, to: DateTime<Utc>, opening: DateTime<Utc>) {
        let before = self.now();
        if domain::date_in_shanghai(before) == domain::date_in_shanghai(opening)
            && domain::date_in_shanghai(to) != domain::date_in_shanghai(opening)
        {
            narrator::aside(&format!(
                "the clock jumps; working days: {}",
                days::walk(&self.wiring.payouts.calendar, opening)
            ));
        }
        self.wiring.clock.advance_to(to);
    }

    /// Waits until nothing more happens by itself, and tells what legs became.
    async fn quiet(&mut self) -> Result<Snapshot> {
        let (database, now) = (self.wiring.database.clone(), self.now());
        let small = self.wiring.payouts.auto_approve_up_to;
        let (told, audience) = (&mut self.told, &self.audience);
        until("everything under way to come to rest", async || {
            let snapshot = Snapshot::read(&database).await?;
            tell_legs(told, &snapshot, (now, audience));
            Ok((snapshot.cases.len() >= STORIES.len() && snapshot.is_quiet(now, small)).then_some(snapshot))
        })
        .await
    }
}

/// Tells what no status event tells: doubts, and what became of them.
fn tell_legs(
    told: &mut BTreeMap<Uuid, LegState>,
    snapshot: &Snapshot,
    (now, audience): (DateTime<Utc>, &Audience),
) {
    for (withdrawal, legs) in &snapshot.cases {
        let Some(story) = story(&withdrawal.request_id) else { continue };
        for leg in legs {
            let before = told.insert(leg.id, leg.state);
            if before != Some(leg.state)
                && let Some(what) = told_of(leg)
            {
                narrator::line(now, story, &what);
                if leg.state == LegState::Unknown {
                    audience.doubt(story.id);
                }
            }
        }
    }
}

/// What is worth telling about a leg in a state that is new.
fn told_of(leg: &Leg) -> Option<String> {
    let rail = leg.rail;
    Some(match leg.state {
        LegState::Unknown => {
            "no reply: the outcome is UNKNOWN. Nothing is sent again; the gateway will be asked".to_owned()
        }
        LegState::Submitted => format!("{rail} has taken it and says later when it is paid"),
        LegState::Rerouting => {
            let (code, detail) = (leg.code.as_deref().unwrap_or("no code"), leg.detail.as_deref());
            format!(
                "{rail} refuses for good: {code} {}; the slice takes another way",
                detail.unwrap_or_default()
            )
        }
        LegState::Held => "the payout is held: invoices come first (R4)".to_owned(),
        LegState::Released => {
            let code = leg.code.as_deref().unwrap_or("no code");
            let detail = leg.detail.as_deref().unwrap_or_default();
            format!("{rail} refuses: {code} {detail}; the money is back in {}", leg.top_up_upstream_id)
        }
        _ => return None,
    })
}
