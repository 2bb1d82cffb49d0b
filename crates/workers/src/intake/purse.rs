//! Purses: the accounts of a batch, locked, with as many slices as it needs.
//!
//! Requests of one account are decided one after the other in memory, each on
//! what the ones before it left. So a thousand requests of one account cost one
//! lock and one write, and still no two of them spend the same money.

use std::collections::{BTreeMap, HashMap, VecDeque};

use chrono::{DateTime, Utc};
use domain::{
    Accepted, Account, Book, Decision, Reach, Reason, Route, Selection, Slice, Terms, date_in_shanghai,
    decide,
};
use store::books::{self, End, Page};
use store::top_ups::TopUp;
use store::{Tx, accounts};

use super::Rules;
use super::ask::Ask;

/// Newest slices that are read of each account at first. Most requests need fewer.
const FIRST_PAGE: i64 = 16;

/// The longest page: an account with a long history is read in steps of this.
const LAST_PAGE: i64 = 4096;

/// One account with the slices that are known so far.
#[derive(Debug)]
struct Purse {
    account: Account,
    book: Book,
    /// The rows behind the slices, by the upstream's number.
    top_ups: HashMap<String, TopUp>,
    /// Requests that wait for their turn, by their place in the batch.
    waiting: VecDeque<usize>,
}

/// The purses of a batch, by account.
#[derive(Debug)]
pub(super) struct Purses(BTreeMap<String, Purse>);

/// A request and what became of it.
#[derive(Debug)]
pub(super) struct Decided<'a> {
    /// The request.
    pub(super) ask: &'a Ask<'a>,
    /// The plan, or every reason against it.
    pub(super) outcome: Result<Accepted, Vec<Reason>>,
}

impl Purses {
    /// Locks the accounts of a batch in the order of their ids.
    pub(super) async fn lock(tx: &mut Tx, asks: &[Ask<'_>]) -> Result<Self, store::Error> {
        let mut ids: Vec<String> = asks.iter().map(|ask| ask.account_id().to_owned()).collect();
        ids.sort_unstable();
        ids.dedup();
        let locked = accounts::lock(tx, &ids).await?;
        Ok(Self(locked.iter().map(|row| (row.id.clone(), Purse::of(row))).collect()))
    }

    /// The row behind a slice of a plan.
    pub(super) fn top_up(&self, account_id: &str, slice: &str) -> Option<&TopUp> {
        self.0.get(account_id)?.top_ups.get(slice)
    }

    /// Decides the requests at the places `new`, in their order per account.
    ///
    /// Accounts advance together: whoever runs out of slices waits, and then all
    /// of them are read on in one statement.
    pub(super) async fn decide_all<'a>(
        &mut self,
        tx: &mut Tx,
        asks: &'a [Ask<'a>],
        new: &[usize],
        (rules, at): (&Rules, DateTime<Utc>),
    ) -> Result<Vec<Decided<'a>>, store::Error> {
        let mut decided = Vec::with_capacity(new.len());
        for &place in new {
            if let Some(purse) = self.0.get_mut(asks[place].account_id()) {
                purse.waiting.push_back(place);
            } else {
                let outcome = Err(vec![Reason::UnknownAccount]);
                decided.push(Decided { ask: &asks[place], outcome });
            }
        }
        self.read_chosen(tx, asks, new).await?;
        let mut page = FIRST_PAGE;
        loop {
            for purse in self.0.values_mut() {
                purse.advance(asks, &mut decided, (rules, at));
            }
            if !self.read_older(tx, page).await? {
                return Ok(decided);
            }
            page = (page * 4).min(LAST_PAGE);
        }
    }

    /// Reads the top-ups that requests name, wherever they are in the history.
    async fn read_chosen(
        &mut self,
        tx: &mut Tx,
        asks: &[Ask<'_>],
        new: &[usize],
    ) -> Result<(), store::Error> {
        let mut named: Vec<(&str, &str)> = Vec::new();
        for ask in new.iter().map(|place| &asks[*place]) {
            if let Selection::Chosen(ids) = &ask.request.selection {
                named.extend(ids.iter().map(|id| (ask.account_id(), id.as_str())));
            }
        }
        named.sort_unstable();
        named.dedup();
        let (accounts, ids): (Vec<&str>, Vec<&str>) = named.into_iter().unzip();
        for top_up in books::top_ups_named(tx, &accounts, &ids).await? {
            if let Some(purse) = self.0.get_mut(&top_up.account_id) {
                purse.add(vec![top_up]);
            }
        }
        Ok(())
    }

    /// Reads one more page of every account that waits for it. False when none does.
    async fn read_older(&mut self, tx: &mut Tx, limit: i64) -> Result<bool, store::Error> {
        let waiting: Vec<_> = self.0.iter().filter(|(_, purse)| !purse.waiting.is_empty()).collect();
        let pages: Vec<Page> = waiting
            .iter()
            .map(|(id, purse)| Page { account_id: (*id).clone(), after: purse.book.reached() })
            .collect();
        if pages.is_empty() {
            return Ok(false);
        }
        let mut read: HashMap<String, Vec<TopUp>> = HashMap::new();
        for top_up in books::open_top_ups(tx, End::Newest, &pages, limit).await? {
            read.entry(top_up.account_id.clone()).or_default().push(top_up);
        }
        let limit = usize::try_from(limit).expect("a page is a few thousand slices");
        for page in pages {
            let purse = self.0.get_mut(&page.account_id).expect("a page is of an account in hand");
            let older = read.remove(&page.account_id).unwrap_or_default();
            let oldest = older.last().map(|it| (it.arrived_at, it.sequence));
            let reach = oldest.filter(|_| older.len() >= limit).map_or(Reach::Everything, Reach::DownTo);
            purse.add(older);
            purse.book.reaches(reach);
        }
        Ok(true)
    }
}

impl Purse {
    fn of(row: &accounts::Account) -> Self {
        Self {
            account: account_of(row),
            book: Book::default(),
            top_ups: HashMap::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Decides the waiting requests until one needs older slices.
    fn advance<'a>(
        &mut self,
        asks: &'a [Ask<'a>],
        decided: &mut Vec<Decided<'a>>,
        (rules, at): (&Rules, DateTime<Utc>),
    ) {
        let today = date_in_shanghai(at);
        while let Some(&place) = self.waiting.front() {
            let ask = &asks[place];
            let outcome = match decide(&self.account, &self.book, &ask.request, &rules.policy, today) {
                Decision::OlderSlices => return,
                Decision::Reject(reasons) => Err(reasons),
                Decision::Accept(accepted) => {
                    self.account.hold(ask.request.amount);
                    self.book.take(&accepted.plan);
                    Ok(accepted)
                }
            };
            decided.push(Decided { ask, outcome });
            self.waiting.pop_front();
        }
    }

    fn add(&mut self, top_ups: Vec<TopUp>) {
        self.book.add(top_ups.iter().map(slice_of));
        for top_up in top_ups {
            self.top_ups.entry(top_up.upstream_id.clone()).or_insert(top_up);
        }
    }
}

/// An account as the rules see it. Cash is free and held money together (R1).
pub(crate) fn account_of(row: &accounts::Account) -> Account {
    Account {
        currency: row.currency,
        real_name: row.real_name.clone(),
        real_name_verified: row.real_name_verified,
        advance_payment: row.advance_payment,
        contract_entity: row.contract_entity.clone(),
        refunds_forbidden: row.refunds_forbidden,
        stopped: row.stopped_because.is_some(),
        terms: Terms {
            cash: [row.remaining, row.held].into_iter().sum(),
            outstanding_invoice: row.outstanding_invoice,
            unbilled: row.unbilled,
            held: row.held,
        },
        open_withdrawals: row.open_withdrawals,
    }
}

/// A top-up as the rules see it.
pub(crate) fn slice_of(row: &TopUp) -> Slice {
    Slice {
        id: row.upstream_id.clone(),
        channel: row.channel,
        contract_entity: row.contract_entity.clone(),
        arrived_at: row.arrived_at,
        channel_paid_at: row.channel_paid_at,
        sequence: row.sequence,
        bonus: row.bonus,
        remaining: row.remaining,
        payer_name: row.payer_name.clone(),
        source_account_known: row.channel.rail(Route::Source).is_realtime() || row.bank_account_id.is_some(),
    }
}
