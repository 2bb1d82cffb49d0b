//! Who has approved what, and how many people it needs (S01).

use std::collections::{BTreeMap, BTreeSet};

use broker::contract::{Decision, Instruction};
use store::Tx;
use uuid::Uuid;

use super::{Message, Refusal};
use crate::PayoutPolicy;
use crate::cases::{Case, Cases};
use crate::demand::{self, Demands};

/// The approvals of the effects that the withdrawals of a batch have now.
#[derive(Debug, Default)]
pub(super) struct Quorums {
    approvers: BTreeMap<Uuid, BTreeSet<String>>,
    demands: Demands,
}

impl Quorums {
    /// Reads who approved, and asks the rules about whatever a message approves
    /// before the approval worker has seen it.
    pub(super) async fn read(
        tx: &mut Tx,
        cases: &Cases,
        messages: &[Message],
        policy: &PayoutPolicy,
    ) -> Result<Self, store::Error> {
        let approved = |message: &Message| match &message.data {
            Instruction::Decided(wish) if wish.decision == Decision::Approve => Some(wish.withdrawal_id),
            Instruction::Decided(_) | Instruction::Details(_) | Instruction::Resolved(_) => None,
        };
        let wished: BTreeSet<Uuid> = messages.iter().filter_map(approved).collect();
        let pending = |id: &Uuid| cases.get(*id).is_some_and(Case::awaits_approval);
        let ids: Vec<Uuid> = wished.into_iter().filter(pending).collect();
        let demands = demand::settle(tx, cases, &ids, policy).await?;
        Ok(Self { approvers: demand::approvers(tx, &ids).await?, demands })
    }

    /// One more person approves. True when nobody is missing any more.
    ///
    /// An effect that came with this batch has not been looked at by the rules. Where
    /// it takes more than the amount to say, the approval is kept, and the approval
    /// worker, who is told of the new effect, counts it.
    ///
    /// # Errors
    /// When this person approved it already.
    pub(super) fn add(&mut self, case: &Case, actor: &str, policy: &PayoutPolicy) -> Result<bool, Refusal> {
        let id = case.withdrawal.id;
        let approvers = self.approvers.entry(id).or_default();
        if !approvers.insert(actor.to_owned()) {
            return Err(Refusal::AlreadyApproved);
        }
        let people = self.demands.people(id).or_else(|| demand::by_amount(case, policy));
        Ok(people.is_some_and(|people| approvers.len() >= people as usize))
    }

    /// What was approved is another effect now.
    pub(super) fn forget(&mut self, id: Uuid) {
        self.approvers.remove(&id);
        self.demands.forget(id);
    }
}
