//! The cases in hand: withdrawals and their legs, locked, moved in memory, written once.
//!
//! This is the one transition function. A payout, a query, a decision and a
//! notification all move a leg through [`Cases::move_leg`], which asks the
//! domain's table, moves the money that goes with the new state, and leaves a
//! trace. What a withdrawal becomes through its legs is derived when the cases
//! are written, so that there is no second truth.

mod case;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{
    LegEvent, LegRefused, LegState, WithdrawalEvent, WithdrawalRefused, WithdrawalState, state_of_legs,
};
use store::accounts::Account;
use store::approvals::{self, Approval};
use store::journal::{Bucket, Movement};
use store::late_effects::{self, LateEffect};
use store::legs::Leg;
use store::outbox::Outgoing;
use store::trace::Transition;
use store::withdrawals::Withdrawal;
use store::{Tx, accounts, journal, legs, outbox, trace, withdrawals};
use uuid::Uuid;

pub(crate) use self::case::Case;
use crate::events;
use crate::nudge::Nudges;

/// The cases of one transaction and what has been decided about them.
#[derive(Debug)]
pub(crate) struct Cases {
    at: DateTime<Utc>,
    accounts: BTreeMap<String, Account>,
    by_id: BTreeMap<Uuid, Case>,
    case_of_leg: BTreeMap<Uuid, Uuid>,
    changed_withdrawals: BTreeSet<Uuid>,
    changed_legs: BTreeSet<Uuid>,
    new_legs: BTreeSet<Uuid>,
    /// Legs that left their route and that nothing was made of yet.
    rerouted: Vec<Uuid>,
    /// Withdrawals of which something new waits for people.
    calling: BTreeSet<Uuid>,
    /// Withdrawal transitions in their order; each becomes one event.
    moves: Vec<(Uuid, WithdrawalState, WithdrawalState, i32)>,
    traces: Vec<Transition>,
    movements: Vec<Movement>,
    approvals: Vec<Approval>,
    late_effects: Vec<LateEffect>,
    nudges: Nudges,
    outgoing: Vec<Outgoing>,
}

impl Cases {
    /// Locks the withdrawals with everything that belongs to them, in the order
    /// accounts ▸ withdrawals ▸ legs. Unknown ids are left out.
    pub(crate) async fn lock(tx: &mut Tx, ids: &[Uuid], at: DateTime<Utc>) -> Result<Self, store::Error> {
        let owners = withdrawals::accounts_of(tx, ids).await?;
        let accounts = accounts::lock(tx, &owners).await?;
        let rows = withdrawals::lock(tx, ids).await?;
        let mut cases: BTreeMap<Uuid, Case> =
            rows.into_iter().map(|it| (it.id, Case { withdrawal: it, legs: Vec::new() })).collect();
        let mut case_of_leg = BTreeMap::new();
        for leg in legs::lock_of_withdrawals(tx, ids).await? {
            case_of_leg.insert(leg.id, leg.withdrawal_id);
            let case = cases.get_mut(&leg.withdrawal_id).expect("a leg is locked after its withdrawal");
            case.legs.push(leg);
        }
        Ok(Self {
            at,
            accounts: accounts.into_iter().map(|it| (it.id.clone(), it)).collect(),
            by_id: cases,
            case_of_leg,
            changed_withdrawals: BTreeSet::new(),
            changed_legs: BTreeSet::new(),
            new_legs: BTreeSet::new(),
            rerouted: Vec::new(),
            calling: BTreeSet::new(),
            moves: Vec::new(),
            traces: Vec::new(),
            movements: Vec::new(),
            approvals: Vec::new(),
            late_effects: Vec::new(),
            nudges: Nudges::default(),
            outgoing: Vec::new(),
        })
    }

    /// Locks the cases of legs, whatever became of the legs meanwhile.
    pub(crate) async fn lock_of_legs(
        tx: &mut Tx,
        ids: &[Uuid],
        at: DateTime<Utc>,
    ) -> Result<Self, store::Error> {
        let withdrawals = legs::withdrawals_of(tx, ids).await?;
        Self::lock(tx, &withdrawals, at).await
    }

    /// Nudges a queue about `row`, in the trace of the withdrawal that it belongs to.
    pub(crate) fn nudge(&mut self, queue: &'static str, row: Uuid, withdrawal: Uuid) {
        let case = self.by_id.get(&withdrawal);
        let trace = case.and_then(|it| it.withdrawal.traceparent.as_deref());
        self.nudges.add(queue, row, trace);
    }

    /// The moment of this transaction.
    pub(crate) const fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// The withdrawals in hand, in the order of their ids.
    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.by_id.keys().copied().collect()
    }

    /// A case in hand.
    pub(crate) fn get(&self, id: Uuid) -> Option<&Case> {
        self.by_id.get(&id)
    }

    /// The account of a case in hand.
    pub(crate) fn account_of(&self, id: Uuid) -> Option<&Account> {
        self.accounts.get(&self.by_id.get(&id)?.withdrawal.account_id)
    }

    /// A leg in hand.
    pub(crate) fn leg(&self, id: Uuid) -> Option<&Leg> {
        let case = self.by_id.get(self.case_of_leg.get(&id)?)?;
        case.legs.iter().find(|leg| leg.id == id)
    }

    /// A leg in hand, to change what is not its state: times, counts, references.
    pub(crate) fn leg_mut(&mut self, id: Uuid) -> Option<&mut Leg> {
        let case = self.by_id.get_mut(self.case_of_leg.get(&id)?)?;
        self.changed_legs.insert(id);
        case.legs.iter_mut().find(|leg| leg.id == id)
    }

    /// A withdrawal in hand, to change what is not its state.
    pub(crate) fn withdrawal_mut(&mut self, id: Uuid) -> Option<&mut Withdrawal> {
        self.changed_withdrawals.insert(id);
        self.by_id.get_mut(&id).map(|case| &mut case.withdrawal)
    }

    /// The case of a leg in hand.
    pub(crate) fn case_of(&self, leg: Uuid) -> Option<&Case> {
        self.by_id.get(self.case_of_leg.get(&leg)?)
    }

    /// Adds a leg that does not exist yet, in the place of the one that it names.
    ///
    /// # Panics
    /// When its withdrawal is not in hand, which callers have checked.
    pub(crate) fn add_leg(&mut self, leg: Leg, by: &str, note: &str) {
        self.traces.push(Transition {
            withdrawal_id: leg.withdrawal_id,
            leg_id: Some(leg.id),
            sequence: leg.sequence,
            from: "new",
            to: leg.state.into(),
            event: "plan",
            actor: by.to_owned(),
            note: Some(note.to_owned()),
        });
        self.new_legs.insert(leg.id);
        self.changed_legs.insert(leg.id);
        self.calling.insert(leg.withdrawal_id);
        self.case_of_leg.insert(leg.id, leg.withdrawal_id);
        let case = self.by_id.get_mut(&leg.withdrawal_id).expect("the withdrawal of a new leg is in hand");
        case.legs.push(leg);
    }

    /// Legs that left their route since this was asked last (R6c).
    pub(crate) fn take_rerouted(&mut self) -> Vec<Uuid> {
        std::mem::take(&mut self.rerouted)
    }

    /// Keeps that the effect of a withdrawal, as it is now, was approved.
    pub(crate) fn keep_approval(&mut self, id: Uuid, by: &str) {
        let effect_digest = self.by_id.get(&id).and_then(|it| it.withdrawal.effect_digest.clone());
        self.approvals.push(Approval { withdrawal_id: id, effect_digest, approved_by: by.to_owned() });
    }

    /// Keeps a gateway's word that came too late.
    pub(crate) fn keep_late_effect(&mut self, found: LateEffect) {
        self.late_effects.push(found);
    }

    /// Something to publish with this transaction.
    pub(crate) fn publish(&mut self, message: Outgoing) {
        self.outgoing.push(message);
    }

    /// Moves a leg, and the money that goes with its new state.
    ///
    /// # Errors
    /// [`LegRefused`] when the leg is elsewhere by now: somebody else was
    /// faster, and nothing changed here.
    ///
    /// # Panics
    /// When the leg is not in hand, which callers have checked.
    pub(crate) fn move_leg(
        &mut self,
        id: Uuid,
        event: LegEvent,
        by: &str,
        note: Option<&str>,
    ) -> Result<(), LegRefused> {
        let at = self.at;
        let leg = self.leg(id).expect("the leg is in hand");
        let (before, after) = (leg.state, leg.state.on(event)?);
        let leg = self.leg_mut(id).expect("the leg is in hand");
        leg.state = after;
        leg.sequence += 1;
        match after {
            LegState::Paid => leg.paid_at = Some(at),
            LegState::Unknown => leg.doubted_at = Some(at),
            _ => {}
        }
        let withdrawal_id = leg.withdrawal_id;
        let trace = Transition {
            withdrawal_id: leg.withdrawal_id,
            leg_id: Some(id),
            sequence: leg.sequence,
            from: before.into(),
            to: after.into(),
            event: event.into(),
            actor: by.to_owned(),
            note: note.map(str::to_owned),
        };
        let movement = money_of_move(leg);
        self.traces.push(trace);
        self.movements.extend(movement);
        if matches!(after, LegState::Rerouting | LegState::ManualReview) {
            self.calling.insert(withdrawal_id);
        }
        if after == LegState::Rerouting {
            self.rerouted.push(id);
        }
        Ok(())
    }

    /// Moves a withdrawal by a decision of people or rules.
    ///
    /// # Errors
    /// [`WithdrawalRefused`] when the withdrawal is elsewhere by now.
    ///
    /// # Panics
    /// When the withdrawal is not in hand, which callers have checked.
    pub(crate) fn move_withdrawal(
        &mut self,
        id: Uuid,
        event: WithdrawalEvent,
        by: &str,
        note: Option<&str>,
    ) -> Result<(), WithdrawalRefused> {
        let state = self.by_id.get(&id).expect("the withdrawal is in hand").withdrawal.state;
        let after = state.on(event)?;
        self.set_state(id, after, event.into(), by, note);
        Ok(())
    }

    fn set_state(
        &mut self,
        id: Uuid,
        after: WithdrawalState,
        event: &'static str,
        by: &str,
        note: Option<&str>,
    ) {
        self.changed_withdrawals.insert(id);
        let withdrawal = &mut self.by_id.get_mut(&id).expect("the withdrawal is in hand").withdrawal;
        let before = std::mem::replace(&mut withdrawal.state, after);
        withdrawal.sequence += 1;
        withdrawal.held_from = match (before, after) {
            (WithdrawalState::OnHold, WithdrawalState::OnHold) => withdrawal.held_from,
            (_, WithdrawalState::OnHold) => Some(before),
            _ => None,
        };
        self.moves.push((id, before, after, withdrawal.sequence));
        self.traces.push(Transition {
            withdrawal_id: id,
            leg_id: None,
            sequence: withdrawal.sequence,
            from: before.into(),
            to: after.into(),
            event,
            actor: by.to_owned(),
            note: note.map(str::to_owned),
        });
    }

    /// Writes everything that was decided: withdrawals derived from their legs,
    /// rows, money, traces and events, in one go.
    ///
    /// # Errors
    /// When the database refuses; the caller rolls back.
    pub(crate) async fn write(mut self, tx: &mut Tx, by: &str) -> Result<(), store::Error> {
        debug_assert!(self.rerouted.is_empty(), "legs that left their route wait for something");
        self.derive(by);
        let (mut changed_legs, mut changed_withdrawals) = (Vec::new(), Vec::new());
        for case in self.by_id.values() {
            changed_legs.extend(case.legs.iter().filter(|leg| self.changed_legs.contains(&leg.id)).cloned());
            if self.changed_withdrawals.contains(&case.withdrawal.id) {
                changed_withdrawals.push(case.withdrawal.clone());
            }
        }
        let new_legs: Vec<Leg> =
            changed_legs.iter().filter(|leg| self.new_legs.contains(&leg.id)).cloned().collect();
        let mut open: BTreeMap<String, i32> = BTreeMap::new();
        let mut messages = Vec::with_capacity(self.moves.len() + self.outgoing.len());
        for (id, before, after, sequence) in &self.moves {
            let case = &self.by_id[id];
            *open.entry(case.withdrawal.account_id.clone()).or_default() +=
                i32::from(before.is_final()) - i32::from(after.is_final());
            let seen = Withdrawal { state: *after, sequence: *sequence, ..case.withdrawal.clone() };
            messages.push(events::withdrawal_event(&seen, &case.legs, *before, self.at));
        }
        messages.append(&mut self.outgoing);
        messages.extend(self.nudges.messages());
        open.retain(|_, added| *added != 0);
        let (accounts, added): (Vec<_>, Vec<_>) = open.into_iter().unzip();

        legs::insert(tx, &new_legs, self.at).await?;
        // What a new leg got since it was made is not in its insert.
        legs::update(tx, &changed_legs, self.at).await?;
        withdrawals::update(tx, &changed_withdrawals, self.at).await?;
        journal::apply(tx, &self.movements, self.at).await?;
        accounts::count_open(tx, &accounts, &added).await?;
        trace::put(tx, &self.traces, self.at).await?;
        approvals::put(tx, &self.approvals, self.at).await?;
        late_effects::put(tx, &self.late_effects, self.at).await?;
        outbox::put(tx, &messages, self.at).await
    }

    /// After the approval a withdrawal's state is the function of its legs.
    fn derive(&mut self, by: &str) {
        for id in self.ids() {
            let case = &self.by_id[&id];
            let touched = case.legs.iter().any(|leg| self.changed_legs.contains(&leg.id));
            let before = case.withdrawal.state;
            if !touched || !is_derived(before) || case.withdrawal.approved_at.is_none() {
                continue;
            }
            let live: Vec<LegState> = case.live().map(|leg| leg.state).collect();
            let after = state_of_legs(&live);
            if case.redirected().is_empty() && case.withdrawal.expires_at.is_some() {
                self.withdrawal_mut(id).expect("an id of the cases in hand").expires_at = None;
            }
            // Something new for people is told, although the state says that people are needed already.
            let calls = after == WithdrawalState::ActionRequired && self.calling.contains(&id);
            let told = self.moves.iter().any(|(moved, ..)| *moved == id);
            if after != before || (calls && !told) {
                self.set_state(id, after, "legs", by, None);
            }
        }
    }
}

/// The states that follow from the legs, as against those that people decide.
const fn is_derived(state: WithdrawalState) -> bool {
    use WithdrawalState as S;
    matches!(
        state,
        S::Approved
            | S::Processing
            | S::ActionRequired
            | S::OnHold
            | S::Completed
            | S::PartiallyCompleted
            | S::Failed
    )
}

/// The money that moves when a leg enters its state; `leg` has entered it already.
fn money_of_move(leg: &Leg) -> Option<Movement> {
    let (from, to, cause) = match leg.state {
        LegState::Paid => (Bucket::Held, Bucket::PaidOut, "payout"),
        LegState::Released | LegState::Canceled => (Bucket::Held, Bucket::Remaining, "release"),
        LegState::Returned => (Bucket::PaidOut, Bucket::Held, "returned"),
        _ => return None,
    };
    Some(Movement {
        account_id: leg.account_id.clone(),
        top_up_id: leg.top_up_id,
        from,
        to,
        amount: leg.amount,
        cause,
        cause_id: leg.id.to_string(),
    })
}
