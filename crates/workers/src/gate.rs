//! The gate before every send: open only while it is known that no stop is thrown (S07)
//! and that the channel's circuit did not open since the claim.
//!
//! A claim looks at both too, but up to a minute can pass between a claim
//! and its call. So whoever is about to call asks here, and a stop keeps money
//! from leaving in less than a second, whatever was claimed before it.

use std::time::Duration;

use domain::{CircuitState, Rail};
use store::{Database, circuits};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;

/// How often the stops are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long a look is believed. Together with the time between two looks this
/// stays below the second in which a stop must work.
const BELIEVED_FOR: Duration = Duration::from_millis(700);

/// What was seen at the last look.
#[derive(Debug, Clone, Copy)]
struct Seen {
    stopped: bool,
    /// The version of the circuit, where it is not closed.
    resting: Option<i64>,
    at: Instant,
}

/// Whether a rail may send, as it is known right now.
#[derive(Debug, Clone)]
pub(crate) struct Gate(watch::Receiver<Option<Seen>>);

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Nothing is stopped.
    Open,
    /// A stop is thrown.
    Stopped,
    /// The circuit opened after it let the call through.
    Resting,
    /// Nobody knows: the database did not answer in time. That is no permission.
    Unknown,
}

impl Gate {
    /// A gate that looks by itself until the last copy of it is gone.
    pub(crate) fn watch(database: Database, rail: Rail) -> Self {
        let (tell, told) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let looked_at = Instant::now();
                match look(&database, rail).await {
                    Ok((stopped, resting)) => {
                        tell.send_replace(Some(Seen { stopped, resting, at: looked_at }));
                    }
                    Err(error) => warn!(%rail, %error, "The stops cannot be read; nothing is sent meanwhile"),
                }
                tokio::select! {
                    () = sleep(LOOK_EVERY) => {}
                    () = tell.closed() => return,
                }
            }
        });
        Self(told)
    }

    /// What the gate says now, or as soon as it is known before `deadline`, to a call
    /// that this version of the circuit let through.
    pub(crate) async fn ask(&mut self, deadline: Instant, version: i64) -> Pass {
        let fresh = |seen: &Option<Seen>| seen.is_some_and(|it| it.at.elapsed() < BELIEVED_FOR);
        match timeout_at(deadline, self.0.wait_for(fresh)).await {
            Ok(Ok(seen)) if seen.is_some_and(|it| it.stopped) => Pass::Stopped,
            Ok(Ok(seen)) if seen.is_some_and(|it| it.resting.is_some_and(|now| now > version)) => {
                Pass::Resting
            }
            Ok(Ok(_)) => Pass::Open,
            Ok(Err(_)) | Err(_) => Pass::Unknown,
        }
    }
}

async fn look(database: &Database, rail: Rail) -> Result<(bool, Option<i64>), store::Error> {
    let mut tx = database.begin().await?;
    let seen = circuits::standing(&mut tx, rail).await?;
    Ok((seen.stopped, (seen.row.circuit.state != CircuitState::Closed).then_some(seen.row.version)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, Utc};
    use devstack::{Options, Servers, Stack};
    use domain::{Caller, ChannelControl, Health, Rail};
    use store::Database;
    use store::circuits::{self, CircuitRow};
    use store::stops::{self, Stop};
    use tokio::time::Instant;

    use super::{Gate, Pass};

    fn now() -> DateTime<Utc> {
        "2026-03-10T12:00:00+08:00".parse().expect("a moment")
    }

    async fn database() -> (Stack, Database) {
        let options = Options { servers: Servers::PostgresOnly, ..Options::default() };
        let stack = Stack::start(options).await.expect("a PostgreSQL");
        let url = stack.fresh_database("gate").await.expect("a database");
        let database = Database::connect(&url, 4).await.expect("a connection");
        database.migrate().await.expect("the schema");
        (stack, database)
    }

    async fn throw(database: &Database, name: &str) -> bool {
        let mut tx = database.begin().await.expect("a transaction");
        let stop = Stop {
            name: name.to_owned(),
            reason: "a drill".to_owned(),
            thrown_by: "zhao.lei".to_owned(),
            thrown_at: now(),
        };
        let thrown = stops::throw(&mut tx, &stop).await.expect("the switch");
        tx.commit().await.expect("the commit");
        thrown
    }

    async fn lift(database: &Database, name: &str) -> bool {
        let mut tx = database.begin().await.expect("a transaction");
        let lifted = stops::lift(&mut tx, name, ("over", "qian.hui"), now()).await.expect("the switch");
        tx.commit().await.expect("the commit");
        lifted
    }

    /// Asks until the gate says `wanted`. A gate that never does fails by the deadline.
    async fn until(gate: &mut Gate, wanted: Pass) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while gate.ask(deadline, 0).await != wanted {
            assert!(Instant::now() < deadline, "the gate never said {wanted:?}");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_stop_closes_the_gates_that_it_names_until_it_is_lifted() {
        let (_stack, database) = database().await;
        let mut alipay = Gate::watch(database.clone(), Rail::Alipay);
        let mut bank = Gate::watch(database.clone(), Rail::Bank);
        until(&mut alipay, Pass::Open).await;

        assert!(throw(&database, "alipay").await);
        assert!(!throw(&database, "alipay").await, "it is thrown already");
        until(&mut alipay, Pass::Stopped).await;
        until(&mut bank, Pass::Open).await;

        assert!(throw(&database, "all").await);
        until(&mut bank, Pass::Stopped).await;

        assert!(lift(&database, "all").await);
        assert!(!lift(&database, "all").await, "it is lifted already");
        until(&mut bank, Pass::Open).await;
        assert!(lift(&database, "alipay").await);
        until(&mut alipay, Pass::Open).await;
        assert!(throw(&database, "alipay").await, "a switch can be thrown again");
    }

    #[tokio::test]
    async fn a_circuit_that_opens_holds_back_what_it_let_through_before() {
        let (_stack, database) = database().await;
        let mut gate = Gate::watch(database.clone(), Rail::Alipay);
        until(&mut gate, Pass::Open).await;

        let mut tx = database.begin().await.expect("a transaction");
        let row = circuits::lock(&mut tx, Rail::Alipay).await.expect("a circuit");
        let rule = ChannelControl::UNLIMITED.circuit;
        let wrong = Health::Misconfigured("invalid-app-id".to_owned());
        let circuit = row.circuit.after((&wrong, Caller::Other), (&rule, rule.rest), now());
        assert!(
            circuits::write(&mut tx, Rail::Alipay, &CircuitRow { circuit, ..row }, now())
                .await
                .expect("a row")
        );
        tx.commit().await.expect("the commit");
        until(&mut gate, Pass::Resting).await;
        let soon = Instant::now() + Duration::from_secs(30);
        assert_eq!(gate.ask(soon, 1).await, Pass::Open, "the call that tries goes through");

        assert!(throw(&database, "alipay").await);
        until(&mut gate, Pass::Stopped).await;
    }

    #[tokio::test]
    async fn a_gate_that_cannot_know_does_not_open() {
        let (_stack, database) = database().await;
        database.close().await;
        let mut gate = Gate::watch(database, Rail::Alipay);
        assert_eq!(gate.ask(Instant::now() + Duration::from_millis(50), 0).await, Pass::Unknown);
    }
}
