//! Who has been handed which delivery, and what may be acknowledged together.
//!
//! One acknowledgement for many deliveries is five times cheaper than one each,
//! and says "everything up to this tag". So it may be used only where nothing
//! below that tag is still in somebody's hands, or work would be acknowledged
//! before its commit. The ledger of a channel knows.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use lapin::Channel;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use tracing::warn;

/// What became of an acknowledgement or its opposite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Settled {
    /// It was sent. The broker may still lose it with the connection, and then
    /// delivers again: effects must be safe to repeat in any case.
    Sent,
    /// The connection is gone; the broker delivers all of it again.
    Lost,
}

/// What the broker shall do with deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    Requeue,
}

/// The deliveries of one channel that are in somebody's hands.
#[derive(Debug)]
pub(crate) struct Ledger {
    channel: Channel,
    in_hand: Mutex<InHand>,
    /// Frames leave in the order in which they were planned. Without this, a
    /// later "up to 9" could overtake an earlier "up to 5", whose tags are then
    /// unknown to the broker, which closes the channel.
    sending: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct InHand {
    tags: BTreeSet<u64>,
    /// Dropped without a verdict.
    abandoned: Vec<u64>,
}

/// The right to settle one delivery. Dropped without a verdict, the delivery goes
/// back to the queue when the inbox is next asked for a batch.
#[derive(Debug)]
pub(crate) struct Receipt {
    tag: u64,
    ledger: Arc<Ledger>,
    settled: bool,
}

impl Ledger {
    pub(crate) fn new(channel: Channel) -> Arc<Self> {
        Arc::new(Self { channel, in_hand: Mutex::default(), sending: tokio::sync::Mutex::default() })
    }

    /// Notes that a delivery is handed out.
    pub(crate) fn hand_out(self: &Arc<Self>, tag: u64) -> Receipt {
        self.lock().tags.insert(tag);
        Receipt { tag, ledger: Arc::clone(self), settled: false }
    }

    /// Gives back to the queue what was dropped without a verdict.
    pub(crate) async fn requeue_abandoned(&self) {
        let abandoned = std::mem::take(&mut self.lock().abandoned);
        if !abandoned.is_empty() {
            let lost = self.settle(&abandoned, Verdict::Requeue).await == Settled::Lost;
            warn!(
                count = abandoned.len(),
                lost, "Deliveries were dropped unsettled and go back to the queue"
            );
        }
    }

    async fn settle(&self, tags: &[u64], verdict: Verdict) -> Settled {
        let _turn = self.sending.lock().await;
        let (together, single) = split(tags, &self.lock().tags);
        for (tag, multiple) in
            together.map(|tag| (tag, true)).into_iter().chain(single.iter().map(|tag| (*tag, false)))
        {
            let sent = match verdict {
                Verdict::Done => self.channel.basic_ack(tag, BasicAckOptions { multiple }).await,
                Verdict::Requeue => {
                    self.channel.basic_nack(tag, BasicNackOptions { multiple, requeue: true }).await
                }
            };
            if sent.is_err() {
                return Settled::Lost;
            }
        }
        let mut in_hand = self.lock();
        for tag in tags {
            in_hand.tags.remove(tag);
        }
        Settled::Sent
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, InHand> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which of `tags` can be settled by one frame "up to", and which one by one.
fn split(tags: &[u64], in_hand: &BTreeSet<u64>) -> (Option<u64>, Vec<u64>) {
    let ours: BTreeSet<u64> = tags.iter().copied().collect();
    let kept = in_hand.difference(&ours).next().copied().unwrap_or(u64::MAX);
    let below = ours.range(..kept).next_back().copied();
    match below {
        Some(up_to) if ours.range(..kept).nth(1).is_some() => {
            (Some(up_to), ours.range(kept..).copied().collect())
        }
        _ => (None, ours.into_iter().collect()),
    }
}

/// Settles deliveries, whichever channels they came by.
pub(crate) async fn settle(receipts: Vec<Receipt>, verdict: Verdict) -> Settled {
    let mut result = Settled::Sent;
    let mut rest = receipts;
    while let Some(ledger) = rest.first().map(|receipt| Arc::clone(&receipt.ledger)) {
        let (mut ours, others): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|receipt| Arc::ptr_eq(&receipt.ledger, &ledger));
        let tags: Vec<u64> = ours.iter().map(|receipt| receipt.tag).collect();
        if ledger.settle(&tags, verdict).await == Settled::Lost {
            result = Settled::Lost;
        }
        for receipt in &mut ours {
            receipt.settled = true;
        }
        rest = others;
    }
    result
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.settled {
            self.ledger.lock().abandoned.push(self.tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn one_frame_never_covers_a_delivery_that_is_still_in_hand() {
        // What is settled, what is in hand (the settled included), "up to", one by one.
        for (tags, in_hand, together, single) in [
            (vec![1, 2, 3], vec![1, 2, 3], Some(3), vec![]),
            (vec![1, 2, 3], vec![1, 2, 3, 4, 5], Some(3), vec![]),
            (vec![2, 3], vec![1, 2, 3], None, vec![2, 3]),
            (vec![4, 1, 2], vec![1, 2, 3, 4], Some(2), vec![4]),
            (vec![1, 3], vec![1, 2, 3], None, vec![1, 3]),
            (vec![7], vec![7], None, vec![7]),
        ] {
            let in_hand = in_hand.into_iter().collect();
            assert_eq!(split(&tags, &in_hand), (together, single), "{tags:?} of {in_hand:?}");
        }
    }
}
