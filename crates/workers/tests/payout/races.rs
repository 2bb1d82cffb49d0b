//! Races on legs, a thousand of them each: whoever comes first moves the leg, and
//! the other finds it moved.

use std::sync::Arc;

use domain::{LegState, Rail};
use serde_json::json;
use store::notices::{self, Claim, Received, Verdict};
use tokio::sync::Barrier;
use uuid::Uuid;
use workers::statement::{self, Line};
use workers::{intake, payout, settle};

use crate::World;
use crate::stage::{Credit, cny, request, rules};

/// Rounds of a race, and the legs that are raced for in each.
pub(crate) const ROUNDS: usize = 100;
pub(crate) const LEGS: usize = 10;

/// A world with a withdrawal of 1.00, waiting for an approval, for each leg of the race;
/// `ending` says how Alipay treats them. Each round's belong to an account of their own.
pub(crate) async fn waiting_crowd(ending: &str) -> World {
    let world = World::new().await;
    let arrived_at = "2026-02-01T12:00:00+08:00";
    let mut asked = Vec::with_capacity(ROUNDS * LEGS);
    for round in 0..ROUNDS {
        let account = format!("acct-{round}");
        let ids: Vec<String> = (0..LEGS).map(|leg| format!("r{round}l{leg}{ending}")).collect();
        let credits: Vec<Credit<'_>> =
            ids.iter().map(|id| Credit { id, channel: "alipay", arrived_at, amount: "1.00" }).collect();
        world.stage.account(&account, &credits).await;
        world.register("alipay", &credits);
        for id in &ids {
            asked.push(request(id, "1.00", json!({ "account_id": account })));
        }
    }
    let tally = intake::admit(&world.till.database, &rules(), &asked, world.now()).await.expect("intake");
    assert_eq!(tally.accepted, ROUNDS * LEGS);
    world
}

/// The same, approved, with the legs of each round.
async fn crowd(ending: &str) -> (Arc<World>, Vec<Vec<Uuid>>) {
    let world = waiting_crowd(ending).await;
    world.approve_all().await;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let legs = sqlx::query_scalar("select id from leg where account_id = $1 order by id")
            .bind(format!("acct-{round}"))
            .fetch_all(world.till.database.pool())
            .await
            .expect("legs");
        rounds.push(legs);
    }
    (Arc::new(world), rounds)
}

impl World {
    /// Sends these legs, and answers how many calls were made.
    pub(crate) async fn send(&self, legs: &[Uuid]) -> usize {
        payout::pass(&self.till, Rail::Alipay, legs).await.expect("payout")
    }

    /// How often legs came into this state.
    async fn entered(&self, state: LegState) -> usize {
        let count: i64 =
            sqlx::query_scalar("select count(*) from transition where leg_id is not null and to_state = $1")
                .bind(<&str>::from(state))
                .fetch_one(self.till.database.pool())
                .await
                .expect("a count");
        usize::try_from(count).expect("a count")
    }

    pub(crate) async fn count(&self, sql: &'static str) -> usize {
        self.stage.text(sql).await.parse().expect("a count")
    }

    /// Alipay tells that these legs are paid, and settle looks at it.
    async fn notified(&self, numbers: &[String]) {
        let mut tx = self.till.database.begin().await.expect("a transaction");
        let texts: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let legs = notices::addressees(&mut tx, &texts).await.expect("legs");
        let notice = |it: notices::Addressee| Received {
            id: Uuid::now_v7(),
            rail: it.rail,
            notice_id: Uuid::now_v7().to_string(),
            payout_no: it.payout_no,
            leg_id: Some(it.leg_id),
            amount: it.amount,
            claim: Claim::Paid,
            verdict: Verdict::Accepted,
            happened_at: None,
        };
        let rows: Vec<Received> = legs.into_iter().map(notice).collect();
        notices::put(&mut tx, &rows, self.now()).await.expect("rows");
        tx.commit().await.expect("a commit");
        settle::pass(&self.till).await.expect("settle");
    }

    /// Alipay's statement lists these legs as paid.
    async fn stated(&self, numbers: &[String]) {
        let line = |number: &String| Line {
            rail: Rail::Alipay,
            payout_no: number.clone(),
            amount: cny("1.00"),
            claim: statement::Claim::Paid,
            reference: None,
            place: "a statement".to_owned(),
        };
        let lines: Vec<Line> = numbers.iter().map(line).collect();
        let mut tx = self.till.database.begin().await.expect("a transaction");
        statement::apply(&mut tx, &lines, &rules().policy, self.now()).await.expect("effects");
        tx.commit().await.expect("a commit");
    }

    /// Makes these legs, and no others, due to be asked about.
    async fn make_due(&self, legs: &[Uuid]) -> Vec<String> {
        let mut tx = self.till.database.begin().await.expect("a transaction");
        let numbers =
            sqlx::query_scalar("update leg set check_at = $2 where id = any($1) returning payout_no")
                .bind(legs)
                .bind(self.now())
                .fetch_all(&mut *tx)
                .await
                .expect("numbers");
        tx.commit().await.expect("a commit");
        numbers
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_payout_workers_on_one_leg_exactly_one_sends_it() {
    let (world, rounds) = crowd("z").await;
    for legs in rounds {
        let barrier = Arc::new(Barrier::new(2));
        let rivals: Vec<_> = (0..2)
            .map(|_| {
                let (world, barrier, legs) = (Arc::clone(&world), Arc::clone(&barrier), legs.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    world.send(&legs).await
                })
            })
            .collect();
        let mut calls = 0;
        for rival in rivals {
            calls += rival.await.expect("no rival fails");
        }
        assert_eq!(calls, LEGS, "one call for each leg");
    }
    assert_eq!(world.entered(LegState::Dispatching).await, ROUNDS * LEGS);
    assert_eq!(
        world.count("select count(*) from leg where state = 'paid' and attempts = 1").await,
        ROUNDS * LEGS
    );
    assert_eq!(world.simulator.book().movements.len(), ROUNDS * LEGS);
    world.books_agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notification_poll_and_statement_pay_one_leg_once() {
    // Alipay takes them and pays them three seconds later.
    let (world, rounds) = crowd("0001").await;
    for legs in &rounds {
        assert_eq!(world.send(legs).await, LEGS);
    }
    world.till.clock.advance_to(world.now() + chrono::TimeDelta::seconds(5));
    world.stage.run("update leg set check_at = check_at + interval '1 day'").await;
    for legs in &rounds {
        let numbers = world.make_due(legs).await;
        let barrier = Arc::new(Barrier::new(3));
        let rivals: Vec<_> = (0..3)
            .map(|rival| {
                let (world, barrier, numbers) = (Arc::clone(&world), Arc::clone(&barrier), numbers.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    match rival {
                        0 => world.notified(&numbers).await,
                        1 => world.stated(&numbers).await,
                        _ => drop(settle::pass(&world.till).await.expect("settle")),
                    }
                })
            })
            .collect();
        for rival in rivals {
            rival.await.expect("no rival fails");
        }
    }
    while settle::pass(&world.till).await.expect("settle") > 0 {}
    let ended = "select count(*) from leg where state in ('paid', 'settled')";
    assert_eq!(world.count(ended).await, ROUNDS * LEGS);
    assert_eq!(world.entered(LegState::Paid).await, ROUNDS * LEGS, "each came to be paid once");
    assert_eq!(world.count("select count(*) from transfer where cause = 'payout'").await, ROUNDS * LEGS);
    assert_eq!(world.count("select count(*) from notice where applied_at is null").await, 0);
    world.books_agree().await;
}
