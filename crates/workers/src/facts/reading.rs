//! Filling the books: only what the facts at hand can touch, never a whole account.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::Money;
use domain::ledger::{Allocation, Balance, Book, Fact, Invoice, Profile, Share, Slice};
use store::Tx;
use store::accounts::Account;
use store::books::{self, End, Page};
use store::top_ups::{self, TopUp};
use uuid::Uuid;

use super::lane::Lane;

/// Top-ups in the first page from an end; each further page is four times as long.
const PAGE: i64 = 32;

/// The books of a batch, and which rows the top-ups in them are.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// By account.
    pub(super) books: BTreeMap<String, Book>,
    /// By account and the upstream's number.
    pub(super) ids: HashMap<(String, String), Uuid>,
}

impl Books {
    fn put(&mut self, top_up: TopUp) {
        let book = self.books.get_mut(&top_up.account_id).expect("top-ups are read for accounts in hand");
        self.ids.insert((top_up.account_id, top_up.upstream_id.clone()), top_up.id);
        book.put(Slice {
            top_up_id: top_up.upstream_id,
            arrived_at: top_up.arrived_at,
            sequence: top_up.sequence,
            remaining: top_up.remaining,
            bonus: top_up.bonus,
        });
    }
}

/// What the due facts of one account name and take.
#[derive(Debug, Default)]
struct Needs<'a> {
    top_ups: BTreeSet<&'a str>,
    invoices: BTreeSet<&'a str>,
    allocations: BTreeSet<&'a str>,
    /// The most that all of them together can take.
    taken: Money,
    ends: BTreeSet<End>,
}

/// Reads the books of all accounts with due facts.
pub(super) async fn read(tx: &mut Tx, lanes: &BTreeMap<String, Lane<'_>>) -> Result<Books, store::Error> {
    let mut books = Books::default();
    let mut needs: BTreeMap<&str, Needs<'_>> = BTreeMap::new();
    for (id, lane) in lanes {
        let due: Vec<&Fact> = lane.due().map(|item| &item.fact).collect();
        if !due.is_empty() {
            needs.insert(id, needs_of(&due, lane.account.as_ref()));
            books.books.insert(id.clone(), lane.account.as_ref().map(opened).unwrap_or_default());
        }
    }
    read_named(tx, &needs, &mut books).await?;
    for end in [End::Oldest, End::Newest] {
        let missing: BTreeMap<String, Money> = needs
            .iter()
            .filter(|(_, needs)| needs.ends.contains(&end) && needs.taken.is_positive())
            .map(|(id, needs)| ((*id).to_owned(), needs.taken))
            .collect();
        read_end(tx, end, missing, &mut books).await?;
    }
    Ok(books)
}

fn opened(account: &Account) -> Book {
    let mut book = Book::default();
    book.profile = Some(Profile {
        currency: account.currency,
        kind: account.kind.parse().unwrap_or(domain::ledger::AccountKind::Person),
        real_name: account.real_name.clone(),
        real_name_verified: account.real_name_verified,
        advance_payment: account.advance_payment,
        master_account_id: account.master_account_id.clone(),
        contract_entity: account.contract_entity.clone(),
        refunds_forbidden: account.refunds_forbidden,
    });
    book.balance = Balance {
        remaining: account.remaining,
        outstanding_invoice: account.outstanding_invoice,
        unbilled: account.unbilled,
    };
    book
}

fn needs_of<'a>(due: &[&'a Fact], account: Option<&Account>) -> Needs<'a> {
    let add = |sum: Money, amount: Money| sum.plus(amount).unwrap_or(Money::from_minor(i64::MAX));
    // No fact can take more than there is and comes in: one that asks for more is
    // refused by the total, and must not make us read the whole account.
    let mut most = account.map_or(Money::ZERO, |it| it.remaining);
    for fact in due {
        if let Fact::Credited(domain::ledger::Credit { sum, .. }) | Fact::Reclaimed { sum, .. } = fact {
            most = add(most, sum.amount);
        }
    }
    let mut needs = Needs::default();
    for fact in due {
        match fact {
            Fact::Upserted(_) | Fact::Unbilled(_) => {}
            Fact::Credited(credit) => drop(needs.top_ups.insert(&credit.top_up_id)),
            Fact::BonusChanged { top_up_id, .. } => drop(needs.top_ups.insert(top_up_id)),
            Fact::Invoice { invoice_id, .. } => drop(needs.invoices.insert(invoice_id)),
            Fact::Billed { sum, parts } => {
                needs.top_ups.extend(parts.iter().map(|part| part.top_up_id.as_str()));
                if sum.amount <= most {
                    needs.taken = add(needs.taken, sum.amount);
                    needs.ends.extend(parts.is_empty().then_some(End::Oldest));
                }
            }
            Fact::Granted { allocation_id, sum, .. } => {
                needs.allocations.insert(allocation_id);
                if sum.amount <= most {
                    needs.taken = add(needs.taken, sum.amount);
                    needs.ends.insert(End::Newest);
                }
            }
            Fact::AllocationInvoiced { allocation_id, .. } | Fact::Reclaimed { allocation_id, .. } => {
                needs.allocations.insert(allocation_id);
            }
        }
    }
    needs
}

/// Reads what facts name: top-ups, invoices, and allocations with their top-ups.
async fn read_named(
    tx: &mut Tx,
    needs: &BTreeMap<&str, Needs<'_>>,
    books: &mut Books,
) -> Result<(), store::Error> {
    let pairs = |pick: for<'a> fn(&'a Needs<'a>) -> &'a BTreeSet<&'a str>| -> (Vec<&str>, Vec<&str>) {
        needs.iter().flat_map(|(account, needs)| pick(needs).iter().map(|id| (*account, *id))).unzip()
    };
    let (accounts, ids) = pairs(|it| &it.top_ups);
    for top_up in books::top_ups_named(tx, &accounts, &ids).await? {
        books.put(top_up);
    }
    let (accounts, ids) = pairs(|it| &it.invoices);
    for row in books::invoices(tx, &accounts, &ids).await? {
        let book = books.books.get_mut(&row.account_id).expect("invoices are read for accounts in hand");
        book.invoices.insert(row.id, Invoice { issued: row.issued, returned: row.returned, paid: row.paid });
    }
    let (accounts, ids) = pairs(|it| &it.allocations);
    let shares = books::shares(tx, &accounts, &ids).await?;
    let behind: Vec<Uuid> = shares.iter().map(|it| it.top_up_id).collect();
    let mut names: HashMap<Uuid, String> = HashMap::new();
    if !behind.is_empty() {
        for top_up in top_ups::by_ids(tx, &behind).await? {
            names.insert(top_up.id, top_up.upstream_id.clone());
            books.put(top_up);
        }
    }
    for row in books::allocations(tx, &accounts, &ids).await? {
        let ours = shares.iter().filter(|it| it.account_id == row.account_id && it.allocation_id == row.id);
        let share = |top_up: &Uuid, amount| {
            // A share without its top-up cannot be given back: the rule refuses it by name.
            Share { top_up_id: names.get(top_up).cloned().unwrap_or_default(), amount }
        };
        let allocation = Allocation {
            member_account_id: row.member_account_id,
            granted: row.granted,
            reclaimed: row.reclaimed,
            invoiced: row.invoiced,
            shares: ours.map(|it| share(&it.top_up_id, it.amount)).collect(),
        };
        let book = books.books.get_mut(&row.account_id).expect("allocations are read for accounts in hand");
        book.allocations.insert(row.id, allocation);
    }
    Ok(())
}

/// Reads open top-ups from one end until they hold what is taken, or there are no more.
async fn read_end(
    tx: &mut Tx,
    end: End,
    mut missing: BTreeMap<String, Money>,
    books: &mut Books,
) -> Result<(), store::Error> {
    let mut after = HashMap::new();
    let mut limit = PAGE;
    while !missing.is_empty() {
        let page = |id: &String| Page { account_id: id.clone(), after: after.get(id).copied() };
        let pages: Vec<Page> = missing.keys().map(page).collect();
        let mut counts: HashMap<String, i64> = HashMap::new();
        for top_up in books::open_top_ups(tx, end, &pages, limit).await? {
            *counts.entry(top_up.account_id.clone()).or_default() += 1;
            after.insert(top_up.account_id.clone(), (top_up.arrived_at, top_up.sequence));
            if let Some(missing) = missing.get_mut(&top_up.account_id) {
                *missing = missing.less(top_up.remaining).expect("stored amounts are not negative");
            }
            books.put(top_up);
        }
        // A page that is not full was the last one.
        missing.retain(|id, missing| missing.is_positive() && counts.get(id) == Some(&limit));
        limit *= 4;
    }
    Ok(())
}
