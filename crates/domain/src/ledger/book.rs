//! The book of one account, and what each fact does to it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::allocation::{Allocation, Share};
use super::draw::draw;
use super::fact::{Credit, Fact, InvoiceStep, Part, Profile, Sum};
use super::invoice::Invoice;
use super::refusal::Refusal;
use crate::Money;

/// The place of a slice in time: ties of the arrival are broken by the sequence (R9).
type Place = (DateTime<Utc>, i64);

/// The totals of an account that facts move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Free money over ALL top-ups, also those that are not in the book.
    pub remaining: Money,
    /// R4: issued less returned less paid, over all invoices.
    pub outstanding_invoice: Money,
    /// R1: usage that is not billed yet.
    pub unbilled: Money,
}

/// A top-up, as far as facts look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The upstream's number of the top-up.
    pub top_up_id: String,
    /// Its arrival, which no fact ever changes (R5).
    pub arrived_at: DateTime<Utc>,
    /// Breaks ties of the arrival (R9).
    pub sequence: i64,
    /// What is free of it.
    pub remaining: Money,
    /// R3: earned a bonus or cash coupon.
    pub bonus: bool,
}

/// Between which buckets of a top-up money moves (R9b).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// From outside to remaining.
    Credit,
    /// From remaining to consumed.
    Bill,
    /// From remaining to allocated.
    Grant,
    /// From allocated back to remaining.
    Reclaim,
}

/// A movement of money that a fact causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The top-up.
    pub top_up_id: String,
    /// Between which buckets.
    pub flow: Flow,
    /// How much; more than nothing.
    pub amount: Money,
}

/// What is known of one account, or the part of it that the facts at hand touch.
///
/// A book may be partial. Whoever fills it puts in: every top-up, invoice and
/// allocation that the facts name, the top-ups behind those allocations, and so
/// many of the oldest (for bills) and of the newest (for grants) open slices that
/// they hold at least what all facts together take. Then no rule can see a
/// difference to the whole account.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// The particulars; none before the first fact.
    pub profile: Option<Profile>,
    /// The totals.
    pub balance: Balance,
    /// The invoices by their ids.
    pub invoices: BTreeMap<String, Invoice>,
    /// The allocations by their ids.
    pub allocations: BTreeMap<String, Allocation>,
    slices: BTreeMap<Place, Slice>,
    places: HashMap<String, Place>,
}

impl Book {
    /// Puts a top-up into the book, as it is stored.
    pub fn put(&mut self, slice: Slice) {
        let place = (slice.arrived_at, slice.sequence);
        self.places.insert(slice.top_up_id.clone(), place);
        self.slices.insert(place, slice);
    }

    /// A top-up of the book.
    #[must_use]
    pub fn slice(&self, top_up_id: &str) -> Option<&Slice> {
        self.slices.get(self.places.get(top_up_id)?)
    }

    /// The top-ups of the book, oldest first.
    #[must_use]
    pub fn slices(&self) -> impl DoubleEndedIterator<Item = &Slice> {
        self.slices.values()
    }

    /// Applies one fact: all of it, or nothing.
    ///
    /// `version` is the fact's place among the account's facts; it becomes the
    /// sequence of a credited top-up, so that several top-ups of the same instant
    /// keep the order in which the upstream told them (R9).
    ///
    /// # Errors
    /// [`Refusal`] when the fact contradicts what is known. The book is unchanged.
    pub fn apply(&mut self, version: i64, fact: &Fact) -> Result<Vec<Move>, Refusal> {
        if let Fact::Upserted(profile) = fact {
            return self.upsert(profile);
        }
        let Some(profile) = &self.profile else { return Err(Refusal::UnknownAccount) };
        let currency = profile.currency;
        let positive = |sum: &Sum| match sum {
            it if it.currency != currency => Err(Refusal::CurrencyMismatch),
            it if !it.amount.is_positive() => Err(Refusal::AmountNotPositive),
            it => Ok(it.amount),
        };
        match fact {
            Fact::Upserted(_) => unreachable!("answered above"),
            Fact::Credited(credit) => self.credit(version, credit, positive(&credit.sum)?),
            Fact::BonusChanged { top_up_id, bonus } => self.mark(top_up_id, *bonus),
            Fact::Invoice { invoice_id, step, sum } => self.invoice(invoice_id, *step, positive(sum)?),
            Fact::Unbilled(sum) if sum.currency != currency => Err(Refusal::CurrencyMismatch),
            Fact::Unbilled(sum) => {
                self.balance.unbilled = sum.amount;
                Ok(Vec::new())
            }
            Fact::Billed { sum, parts } if parts.is_empty() => self.bill_oldest(positive(sum)?),
            Fact::Billed { sum, parts } => self.bill_named(positive(sum)?, parts),
            Fact::Granted { allocation_id, member_account_id, sum } => {
                self.grant(allocation_id, member_account_id, positive(sum)?)
            }
            Fact::AllocationInvoiced { allocation_id, invoiced } => {
                let known = self.allocations.get_mut(allocation_id).ok_or(Refusal::UnknownAllocation)?;
                known.invoiced = *invoiced;
                Ok(Vec::new())
            }
            Fact::Reclaimed { allocation_id, sum } => self.reclaim(allocation_id, positive(sum)?),
        }
    }

    /// The particulars replace the old ones; the currency never changes (R16).
    fn upsert(&mut self, profile: &Profile) -> Result<Vec<Move>, Refusal> {
        if self.profile.as_ref().is_some_and(|known| known.currency != profile.currency) {
            return Err(Refusal::CurrencyMismatch);
        }
        self.profile = Some(profile.clone());
        Ok(Vec::new())
    }

    fn credit(&mut self, version: i64, credit: &Credit, amount: Money) -> Result<Vec<Move>, Refusal> {
        if self.places.contains_key(&credit.top_up_id) {
            return Err(Refusal::TopUpAlreadyCredited);
        }
        self.balance.remaining = self.balance.remaining.plus(amount).ok_or(Refusal::BalanceOutOfRange)?;
        self.put(Slice {
            top_up_id: credit.top_up_id.clone(),
            arrived_at: credit.arrived_at,
            sequence: version,
            remaining: amount,
            bonus: credit.bonus,
        });
        Ok(vec![Move { top_up_id: credit.top_up_id.clone(), flow: Flow::Credit, amount }])
    }

    /// R3: "until an upstream fact clears the mark".
    fn mark(&mut self, top_up_id: &str, bonus: bool) -> Result<Vec<Move>, Refusal> {
        let slice = self.places.get(top_up_id).and_then(|place| self.slices.get_mut(place));
        slice.ok_or(Refusal::UnknownTopUp)?.bonus = bonus;
        Ok(Vec::new())
    }

    fn invoice(&mut self, id: &str, step: InvoiceStep, amount: Money) -> Result<Vec<Move>, Refusal> {
        let (invoice, change) = Invoice::after(self.invoices.get(id).copied(), step, amount)?;
        let outstanding = self.balance.outstanding_invoice.plus(change).ok_or(Refusal::BalanceOutOfRange)?;
        self.balance.outstanding_invoice = outstanding;
        self.invoices.insert(id.to_owned(), invoice);
        Ok(Vec::new())
    }

    /// R9b: "Usage that is billed consumes top-ups oldest first (FIFO)".
    ///
    /// Only free money is consumed. Money held for a withdrawal is not touched:
    /// a bill that needs it is refused, and the account stops until it is clear
    /// which of the two was wrong.
    fn bill_oldest(&mut self, amount: Money) -> Result<Vec<Move>, Refusal> {
        self.covers(amount)?;
        let oldest_first = self.slices.iter().map(|(place, it)| (*place, it.remaining));
        let taken = draw(oldest_first, amount).map_err(|_| Refusal::TotalsDiffer)?;
        Ok(self.take(&taken, Flow::Bill))
    }

    /// R9b: "unless the fact names its slices".
    fn bill_named(&mut self, amount: Money, parts: &[Part]) -> Result<Vec<Move>, Refusal> {
        let mut sum = Money::ZERO;
        let mut by_slice: BTreeMap<Place, Money> = BTreeMap::new();
        for part in parts {
            if !part.amount.is_positive() {
                return Err(Refusal::AmountNotPositive);
            }
            let place = self.places.get(&part.top_up_id).ok_or(Refusal::UnknownTopUp)?;
            let asked = by_slice.entry(*place).or_default();
            *asked = asked.plus(part.amount).ok_or(Refusal::BalanceOutOfRange)?;
            sum = sum.plus(part.amount).ok_or(Refusal::BalanceOutOfRange)?;
        }
        if sum != amount {
            return Err(Refusal::SlicesDoNotAddUp);
        }
        for (place, &asked) in &by_slice {
            let free = self.slices.get(place).map_or(Money::ZERO, |it| it.remaining);
            if free < asked {
                return Err(Refusal::NotEnoughRemaining { asked, free });
            }
        }
        self.covers(amount).map_err(|_| Refusal::TotalsDiffer)?;
        Ok(self.take(&by_slice.into_iter().collect::<Vec<_>>(), Flow::Bill))
    }

    /// R5: "Each allocation records which top-up slices it took (newest first)".
    fn grant(&mut self, id: &str, member: &str, amount: Money) -> Result<Vec<Move>, Refusal> {
        if self.allocations.contains_key(id) {
            return Err(Refusal::AllocationAlreadyGranted);
        }
        self.covers(amount)?;
        let newest_first = self.slices.iter().rev().map(|(place, it)| (*place, it.remaining));
        let taken = draw(newest_first, amount).map_err(|_| Refusal::TotalsDiffer)?;
        let moves = self.take(&taken, Flow::Grant);
        let share = |it: &Move| Share { top_up_id: it.top_up_id.clone(), amount: it.amount };
        let allocation = Allocation {
            member_account_id: member.to_owned(),
            granted: amount,
            reclaimed: Money::ZERO,
            invoiced: false,
            shares: moves.iter().map(share).collect(),
        };
        self.allocations.insert(id.to_owned(), allocation);
        Ok(moves)
    }

    /// R5: "a reclaim puts it back into the same slices with their ORIGINAL arrival time".
    fn reclaim(&mut self, id: &str, amount: Money) -> Result<Vec<Move>, Refusal> {
        let allocation = self.allocations.get_mut(id).ok_or(Refusal::UnknownAllocation)?;
        let back = allocation.give_back(amount)?;
        let remaining = self.balance.remaining.plus(amount).ok_or(Refusal::BalanceOutOfRange)?;
        let known = |place: &usize| self.places.contains_key(&allocation.shares[*place].top_up_id);
        if !back.iter().all(|(place, _)| known(place)) {
            return Err(Refusal::UnknownTopUp);
        }
        let mut moves = Vec::with_capacity(back.len());
        for (place, part) in back {
            let share = &mut allocation.shares[place];
            share.amount = share.amount.less(part).expect("no more comes back than was given");
            let slice = self.slices.get_mut(&self.places[&share.top_up_id]).expect("a place has its slice");
            slice.remaining = slice.remaining.plus(part).expect("a slice never exceeds what arrived");
            moves.push(Move { top_up_id: share.top_up_id.clone(), flow: Flow::Reclaim, amount: part });
        }
        allocation.reclaimed = allocation.reclaimed.plus(amount).expect("a part of what was granted");
        self.balance.remaining = remaining;
        Ok(moves)
    }

    fn covers(&self, asked: Money) -> Result<(), Refusal> {
        let free = self.balance.remaining;
        if asked > free { Err(Refusal::NotEnoughRemaining { asked, free }) } else { Ok(()) }
    }

    /// Takes what a plan says out of `remaining`. The plan was made on this book.
    fn take(&mut self, plan: &[(Place, Money)], flow: Flow) -> Vec<Move> {
        let mut moves = Vec::with_capacity(plan.len());
        for (place, amount) in plan {
            let slice = self.slices.get_mut(place).expect("the plan names slices of this book");
            slice.remaining = slice.remaining.less(*amount).expect("the plan takes what is there");
            self.balance.remaining = self.balance.remaining.less(*amount).expect("the total was tested");
            moves.push(Move { top_up_id: slice.top_up_id.clone(), flow, amount: *amount });
        }
        moves
    }
}
