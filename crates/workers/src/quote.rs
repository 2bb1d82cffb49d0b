//! Quotes for people and programs: what an account could withdraw now.
//!
//! A quote reads the whole open history of an account in one snapshot, because
//! a maximum needs every slice. It takes no lock and promises nothing: the
//! intake asks the same functions again when the request comes.

use chrono::{DateTime, Utc};
use domain::{Account, Book, Decision, Policy, Quote, Reach, Request, date_in_shanghai, decide, quote};
use store::books::{self, End, Page};
use store::{Database, Tx, accounts};

pub use crate::intake::problem;
use crate::intake::{account_of, slice_of};

/// Slices that are read in one statement.
const PAGE: i64 = 4096;

/// An account as it stood at one moment, with every slice that has money left.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The account.
    pub account: Account,
    /// Its slices.
    pub book: Book,
}

impl Snapshot {
    /// Both maximums, with every term and every excluded top-up.
    #[must_use]
    pub fn quote(&self, policy: &Policy, at: DateTime<Utc>) -> Quote {
        quote(&self.account, &self.book, policy, date_in_shanghai(at))
    }

    /// What the intake would decide about `request` now: the plan, or every reason.
    #[must_use]
    pub fn decide(&self, request: &Request, policy: &Policy, at: DateTime<Utc>) -> Decision {
        decide(&self.account, &self.book, request, policy, date_in_shanghai(at))
    }
}

/// Reads an account with all of its open slices. Nothing when nobody knows it.
///
/// # Errors
/// When the database is away.
pub async fn read(database: &Database, account_id: &str) -> Result<Option<Snapshot>, store::Error> {
    let mut tx = database.snapshot().await?;
    let Some(row) = accounts::find(&mut tx, account_id).await? else { return Ok(None) };
    let book = read_book(&mut tx, account_id).await?;
    Ok(Some(Snapshot { account: account_of(&row), book }))
}

async fn read_book(tx: &mut Tx, account_id: &str) -> Result<Book, store::Error> {
    let mut book = Book::default();
    let mut after = None;
    loop {
        let page = Page { account_id: account_id.to_owned(), after };
        let rows = books::open_top_ups(tx, End::Newest, &[page], PAGE).await?;
        book.add(rows.iter().map(slice_of));
        match rows.last() {
            Some(oldest) => after = Some((oldest.arrived_at, oldest.sequence)),
            None => break,
        }
    }
    book.reaches(Reach::Everything);
    Ok(book)
}
