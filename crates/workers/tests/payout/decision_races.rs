//! Races of people, a thousand of them each: against one another, against the end
//! of the wait, and against the first dispatch. Both sides are always at work on the
//! same withdrawal; one of them wins, and the money goes one way.

use std::sync::Arc;

use broker::contract::{Envelope, Stamp, WithdrawalDecided};
use domain::Policy;
use serde_json::json;
use tokio::sync::Barrier;
use uuid::Uuid;
use workers::decisions::{Message, decide};
use workers::{Desk, expiry};

use crate::races::{LEGS, ROUNDS, waiting_crowd};
use crate::stage::vault;
use crate::{World, policy};

/// One withdrawal of a race, with its only leg.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
struct Contested {
    id: Uuid,
    leg: Uuid,
}

/// What one side of a race does to a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// A person's decision.
    Says(&'static str),
    /// The payout worker sends it.
    Sends,
}

impl World {
    /// The withdrawals of a round.
    async fn contested(&self, round: usize) -> Vec<Contested> {
        sqlx::query_as(
            "select withdrawal.id, leg.id as leg from withdrawal join leg on leg.withdrawal_id = withdrawal.id
              where withdrawal.account_id = $1 order by withdrawal.id",
        )
        .bind(format!("acct-{round}"))
        .fetch_all(self.till.database.pool())
        .await
        .expect("withdrawals")
    }

    /// Does what a side does, and answers whether it took effect.
    async fn act(&self, side: Side, it: Contested) -> bool {
        let database = &self.till.database;
        let effects = match side {
            Side::Says(what) => {
                let approval_wait = Policy::default().approval_wait;
                let desk = Desk { policy: policy(), approval_wait, vault: vault() };
                decide(database, &[self.decision(what, it.id)], &desk, self.now()).await.expect("a decision")
            }
            Side::Sends => self.send(&[it.leg]).await,
        };
        effects > 0
    }

    fn decision(&self, what: &str, id: Uuid) -> Message {
        let data: WithdrawalDecided = serde_json::from_value(json!({
            "withdrawal_id": id, "decision": what, "actor": format!("who-{what}"), "reason": "a race",
        }))
        .expect("a decision of the contract");
        let stamp = Stamp {
            source: "/people".parse().expect("a source"),
            id: format!("{what}-{id}").parse().expect("an id"),
            time: self.now(),
        };
        Envelope::new(stamp, WithdrawalDecided::KIND, data.into())
    }

    /// Races for every withdrawal of the world, those of a round all at once, and
    /// answers how often the first side, the second and both took effect.
    async fn race(self: &Arc<Self>, sides: [Side; 2]) -> (usize, usize, usize) {
        let (mut first, mut second, mut both) = (0, 0, 0);
        for round in 0..ROUNDS {
            let contested = self.contested(round).await;
            assert_eq!(contested.len(), LEGS);
            let barrier = Arc::new(Barrier::new(2 * LEGS));
            let compete = |side, it| {
                let (world, barrier) = (Arc::clone(self), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    world.act(side, it).await
                })
            };
            let pairs: Vec<_> = contested
                .into_iter()
                .enumerate()
                .map(|(place, it)| {
                    // Neither side is always the one that is started first.
                    if place % 2 == 0 {
                        (compete(sides[0], it), compete(sides[1], it))
                    } else {
                        let late = compete(sides[1], it);
                        (compete(sides[0], it), late)
                    }
                })
                .collect();
            for (one, other) in pairs {
                match (one.await.expect("no side fails"), other.await.expect("no side fails")) {
                    (true, true) => both += 1,
                    (true, false) => first += 1,
                    (false, true) => second += 1,
                    (false, false) => panic!("neither {:?} nor {:?} took effect", sides[0], sides[1]),
                }
            }
        }
        (first, second, both)
    }

    /// So many withdrawals are in this state.
    async fn in_state(&self, state: &str) -> usize {
        let count: i64 = sqlx::query_scalar("select count(*) from withdrawal where state = $1")
            .bind(state)
            .fetch_one(self.till.database.pool())
            .await
            .expect("a count");
        usize::try_from(count).expect("a count")
    }

    /// So many slices are back in their top-ups, each exactly once.
    async fn given_back(&self) -> usize {
        let returned = "select count(*) from transfer where from_bucket = 'held' and to_bucket = 'remaining'";
        let whole = "select count(*) from top_up where remaining = original and held = 0";
        let count = self.count(whole).await;
        assert_eq!(self.count(returned).await, count, "each is given back once");
        count
    }

    /// The wait of a round's withdrawals ends now.
    async fn end_wait(&self, round: usize) {
        let mut tx = self.till.database.begin().await.expect("a transaction");
        sqlx::query("update withdrawal set expires_at = $2 where account_id = $1")
            .bind(format!("acct-{round}"))
            .bind(self.now())
            .execute(&mut *tx)
            .await
            .expect("a wait");
        tx.commit().await.expect("a commit");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s01_of_an_approval_and_a_denial_exactly_one_counts() {
    let world = Arc::new(waiting_crowd("z").await);
    let (approved, denied, both) = world.race([Side::Says("approve"), Side::Says("deny")]).await;
    assert_eq!((approved + denied, both), (ROUNDS * LEGS, 0));
    assert!(approved > 0 && denied > 0, "a race: {approved} approved, {denied} denied");
    assert_eq!((world.in_state("approved").await, world.in_state("denied").await), (approved, denied));
    assert_eq!(world.given_back().await, denied);
    world.books_agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_beats_an_approval_whichever_comes_first() {
    let world = Arc::new(waiting_crowd("z").await);
    let (approved, canceled, both) = world.race([Side::Says("approve"), Side::Says("cancel")]).await;
    assert_eq!((approved, canceled + both), (0, ROUNDS * LEGS), "nothing was sent, so nothing is too late");
    assert!(canceled > 0 && both > 0, "a race: {canceled} canceled at once, {both} after the approval");
    assert_eq!(world.in_state("canceled").await, ROUNDS * LEGS);
    assert_eq!(world.given_back().await, ROUNDS * LEGS);
    world.books_agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_ends_and_an_approval_never_both_count() {
    let world = Arc::new(waiting_crowd("z").await);
    // One end takes in whatever has waited too long, so the waits of each round end by themselves.
    let (mut approved, mut expired) = (0, 0);
    for round in 0..ROUNDS {
        world.end_wait(round).await;
        let it = world.contested(round).await;
        let barrier = Arc::new(Barrier::new(1 + LEGS));
        let wait = {
            let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                expiry::pass(&world.till.database, world.now()).await.expect("an end")
            })
        };
        let approvals: Vec<_> = it
            .into_iter()
            .map(|it| {
                let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    world.act(Side::Says("approve"), it).await
                })
            })
            .collect();
        let mut agreed = 0;
        for approval in approvals {
            agreed += usize::from(approval.await.expect("no side fails"));
        }
        let ended = wait.await.expect("no side fails");
        assert_eq!(agreed + ended, LEGS, "round {round}");
        (approved, expired) = (approved + agreed, expired + ended);
    }
    assert!(approved > 0 && expired > 0, "a race: {approved} approved, {expired} expired");
    assert_eq!((world.in_state("approved").await, world.in_state("expired").await), (approved, expired));
    assert_eq!(world.given_back().await, expired);
    world.books_agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_wins_or_loses_cleanly_against_the_first_dispatch() {
    let world = Arc::new(waiting_crowd("z").await);
    world.approve_all().await;
    let (sent, canceled, both) = world.race([Side::Sends, Side::Says("cancel")]).await;
    assert_eq!((sent + canceled, both), (ROUNDS * LEGS, 0));
    assert!(sent > 0 && canceled > 0, "a race: {sent} sent, {canceled} canceled");
    world.run_to_the_end().await;
    assert_eq!((world.in_state("completed").await, world.in_state("canceled").await), (sent, canceled));
    assert_eq!(world.given_back().await, canceled);
    assert_eq!(world.simulator.book().movements.len(), sent);
    world.books_agree().await;
}
