//! What happened since this process looked first, read on from the books.
//!
//! Nothing is counted twice, and nothing that committed late is left out: see
//! [`store::measures`]. While transactions are under way the last moves are counted at
//! the look after.

use metrics::{counter, histogram};
use store::measures::{self, Mark};
use store::{Database, Error};
use tokio::sync::Mutex;

/// Rows that one look reads at most; what is left is read at the next.
const STEP: i64 = 100_000;

/// What a first move comes from.
const NEW: &str = "new";

/// How far this process has read.
#[derive(Debug, Default)]
pub(super) struct Flow(Mutex<Progress>);

#[derive(Debug, Default)]
struct Progress {
    /// Everything up to here is counted; nothing before the first look is.
    done: Option<(i64, i64)>,
    /// A mark that waits until nothing below it can come any more.
    pending: Option<Mark>,
}

impl Progress {
    /// Up to where may be counted, now that `now` was seen.
    fn ripe(&mut self, now: Mark) -> Option<Mark> {
        if now.holds(&now) {
            self.pending = None;
            return Some(now);
        }
        if let Some(ripe) = self.pending.filter(|pending| pending.holds(&now)) {
            self.pending = Some(now);
            return Some(ripe);
        }
        self.pending.get_or_insert(now);
        None
    }
}

/// What a look brought.
#[derive(Debug, Default)]
pub(super) struct Happened {
    moves: Vec<measures::Moves>,
    calls: Vec<measures::Calls>,
}

impl Flow {
    /// Reads on from where it stopped.
    ///
    /// # Errors
    /// When the database is away; then nothing is skipped.
    pub(super) async fn read_on(&self, database: &Database) -> Result<Happened, Error> {
        let mut progress = self.0.lock().await;
        let mut connection = database.pool().acquire().await?;
        let now = measures::mark(&mut connection).await?;
        let Some((moves, calls)) = progress.done else {
            progress.done = Some((now.moves, now.calls));
            return Ok(Happened::default());
        };
        let Some(ripe) = progress.ripe(now) else { return Ok(Happened::default()) };
        let until = (ripe.moves.min(moves + STEP), ripe.calls.min(calls + STEP));
        let happened = Happened {
            moves: measures::moves(&mut connection, moves, until.0).await?,
            calls: measures::calls(&mut connection, calls, until.1).await?,
        };
        progress.done = Some(until);
        Ok(happened)
    }
}

impl Happened {
    /// Adds it to the recorder in force.
    pub(super) fn record(self) {
        for it in self.moves {
            let number = usize::try_from(it.number).unwrap_or_default();
            if it.entity == "withdrawal" && it.from_state == NEW {
                let result = if it.to_state == "rejected" { "rejected" } else { "accepted" };
                counter!("outflow_requests_total", "result" => result).increment(number as u64);
            }
            if let Some(seconds) = it.seconds {
                let labels = [("entity", it.entity), ("from", it.from_state), ("to", it.to_state)];
                histogram!("outflow_transition_duration_seconds", &labels).record_many(seconds, number);
            }
        }
        for it in self.calls {
            let labels = [("channel", it.rail), ("op", it.kind), ("outcome", it.outcome)];
            let number = usize::try_from(it.number).unwrap_or_default();
            histogram!("outflow_gateway_request_duration_seconds", &labels).record_many(it.seconds, number);
        }
    }
}
