//! The guard of the way back to the source, asked when legs are dispatched (R6c, R18),
//! and of the time that a channel wants between two refunds of one payment.
//!
//! It reads the payments behind the legs of one batch under the locks of their
//! accounts, so that two workers cannot both send the last refund that a channel
//! carries out, and counts along what the batch itself sends.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Payment, Policy, RouteClosed, route_closed};
use store::legs::{Leg, PaidIn};
use store::{Tx, legs};
use uuid::Uuid;

/// The payments behind the legs of a batch, and what the batch has sent of each.
#[derive(Debug)]
pub(crate) struct RouteGuard<'a> {
    policy: &'a Policy,
    payments: BTreeMap<Uuid, PaidIn>,
    /// By top-up.
    sent: HashMap<Uuid, u32>,
}

impl<'a> RouteGuard<'a> {
    /// Reads the payments behind `legs`, whose accounts the caller has locked.
    pub(crate) async fn read(tx: &mut Tx, legs: &[Uuid], policy: &'a Policy) -> Result<Self, store::Error> {
        let payments = legs::payments(tx, legs).await?.into_iter().map(|it| (it.leg_id, it)).collect();
        Ok(Self { policy, payments, sent: HashMap::new() })
    }

    /// Why `leg` must not be sent any more; nothing when it may.
    ///
    /// A leg that was in doubt has been sent within its window: sending the same
    /// number again pays nothing twice, and only the channel can say what became
    /// of it. So it is the channel that refuses it.
    pub(crate) fn closed(&self, leg: &Leg, at: DateTime<Utc>) -> Option<RouteClosed> {
        let payment = &self.payments.get(&leg.id).filter(|_| leg.doubted_at.is_none())?.payment;
        let refunds = payment.refunds + self.sent.get(&leg.top_up_id).copied().unwrap_or_default();
        route_closed(&Payment { refunds, ..payment.clone() }, self.policy, at)
    }

    /// Until when `leg` has to wait because its channel was asked for another refund of
    /// the same payment just now; nothing when it may go.
    pub(crate) fn too_soon(&self, leg: &Leg, spacing: TimeDelta, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let paid_in = self.payments.get(&leg.id)?;
        let asked_at = if self.sent.contains_key(&leg.top_up_id) { Some(at) } else { paid_in.asked_at };
        asked_at.map(|it| it + spacing).filter(|until| *until > at)
    }

    /// The batch sends `leg`. One that was sent before is counted already.
    pub(crate) fn count(&mut self, leg: &Leg) {
        if leg.attempts == 0 {
            *self.sent.entry(leg.top_up_id).or_default() += 1;
        }
    }
}
