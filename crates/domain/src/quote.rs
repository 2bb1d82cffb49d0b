//! The quote: what could be withdrawn now, by each route, and what could not.
//!
//! Every figure comes from the functions that [`decide`](crate::decide) uses.

use chrono::{DateTime, NaiveDate, Utc};

use crate::decision::Account;
use crate::eligibility::{Exclusion, Slice};
use crate::names::same_name;
use crate::reason::Reason;
use crate::{Book, Money, Policy, Route, end_of_day};

/// R1: every term of what can be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// The whole cash balance: free and held money, ineligible top-ups included.
    pub cash: Money,
    /// R4: issued less returned less paid.
    pub outstanding_invoice: Money,
    /// Usage that is not billed yet.
    pub unbilled: Money,
    /// Held for withdrawals that are not final.
    pub held: Money,
}

impl Terms {
    /// The one cap that both routes share.
    ///
    /// Source, R1: "Withdrawable amount = Cash balance – Outstanding invoice
    /// amount – Unbilled amount."
    ///
    /// Our reading: less what is already held, and never below nothing. Cash
    /// includes ineligible top-ups, so deductions are absorbed by them first.
    ///
    /// # Panics
    /// When a term leaves the range that a database can hold.
    #[must_use]
    pub fn cap(&self) -> Money {
        let deductions: Money = [self.outstanding_invoice, self.unbilled, self.held].into_iter().sum();
        self.cash.less(deductions).expect("differences of stored amounts fit").at_least_zero()
    }
}

/// What a bank card in one name could receive (R12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderMaximum {
    /// The name in which the card must be.
    pub holder: String,
    /// The most that one request to such a card can carry.
    pub maximum: Money,
}

/// What could leave by one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteQuote {
    /// Σ eligible remaining of the route's top-ups.
    pub eligible: Money,
    /// R1: `min(cap, eligible)`; nothing while the account has obstacles.
    pub maximum: Money,
    /// On the bank-card route, the same for each name. One request serves one name.
    pub by_holder: Vec<HolderMaximum>,
}

/// A top-up with money left that some route excludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcludedSlice {
    /// The upstream's number.
    pub id: String,
    /// What is left of it.
    pub remaining: Money,
    /// Why it cannot go to its source; none when it can.
    pub source: Vec<Exclusion>,
    /// Why it cannot go to a bank card; none when it can.
    pub bank_card: Vec<Exclusion>,
}

/// What could be withdrawn at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// R1: every term.
    pub terms: Terms,
    /// Why the account withdraws nothing at all; mostly empty.
    pub obstacles: Vec<Reason>,
    /// "Money Withdrawable to Source Account".
    pub source: RouteQuote,
    /// "Money Withdrawable to Bank Card".
    pub bank_card: RouteQuote,
    /// Every top-up that a route excludes, newest first, with every reason.
    pub excluded: Vec<ExcludedSlice>,
    /// R6c: a window closes at this moment, and the quote may be wrong after it.
    pub valid_until: Option<DateTime<Utc>>,
}

/// Quotes an account on a date in Asia/Shanghai.
///
/// # Panics
/// When `book` is not complete: a maximum needs every slice.
#[must_use]
pub fn quote(account: &Account, book: &Book, policy: &Policy, today: NaiveDate) -> Quote {
    assert!(book.is_complete(), "a maximum needs every slice");
    let obstacles = account.obstacles(policy);
    let cap = if obstacles.is_empty() { account.terms.cap() } else { Money::ZERO };
    let slices: Vec<_> = book.newest_first().filter(|slice| slice.remaining.is_positive()).collect();
    let of_route =
        |route| route_quote(&slices, (account, cap), route, |it| it.exclusions(route, policy, today));
    let excluded = slices.iter().filter_map(|slice| excluded(slice, policy, today)).collect();
    let open = slices.iter().filter_map(|slice| slice.source_until(policy)).filter(|last| *last >= today);
    Quote {
        terms: account.terms,
        source: of_route(Route::Source),
        bank_card: of_route(Route::BankCard),
        excluded,
        valid_until: open.min().map(end_of_day),
        obstacles,
    }
}

fn route_quote(
    slices: &[&Slice],
    (account, cap): (&Account, Money),
    route: Route,
    exclusions: impl Fn(&Slice) -> Vec<Exclusion>,
) -> RouteQuote {
    let eligible: Vec<_> = slices.iter().filter(|slice| exclusions(slice).is_empty()).collect();
    let sum: Money = eligible.iter().map(|slice| slice.remaining).sum();
    let mut by_holder: Vec<HolderMaximum> = Vec::new();
    if route == Route::BankCard {
        for slice in &eligible {
            let holder = slice.card_holder(&account.real_name).expect("an eligible slice has a holder");
            match by_holder.iter_mut().find(|it| same_name(&it.holder, holder)) {
                Some(known) => known.maximum = [known.maximum, slice.remaining].into_iter().sum(),
                None => by_holder.push(HolderMaximum { holder: holder.to_owned(), maximum: slice.remaining }),
            }
        }
        for it in &mut by_holder {
            it.maximum = it.maximum.min(cap);
        }
    }
    RouteQuote { eligible: sum, maximum: sum.min(cap), by_holder }
}

fn excluded(slice: &Slice, policy: &Policy, today: NaiveDate) -> Option<ExcludedSlice> {
    let source = slice.exclusions(Route::Source, policy, today);
    let bank_card = slice.exclusions(Route::BankCard, policy, today);
    let some = !source.is_empty() || !bank_card.is_empty();
    some.then(|| ExcludedSlice { id: slice.id.clone(), remaining: slice.remaining, source, bank_card })
}
