//! The slices of one account that are known so far, newest first.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use crate::{Part, Slice};

/// R9: the place of a slice in time.
pub type Age = (DateTime<Utc>, i64);

/// How far back a book reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every slice with money left that is not older than this is in the book.
    DownTo(Age),
    /// Every slice with money left is in the book.
    Everything,
}

/// Some slices of an account: its newest ones without a gap, and perhaps some
/// older ones that a request named.
#[derive(Debug, Clone, Default)]
pub struct Book {
    slices: BTreeMap<Age, Slice>,
    ages: HashMap<String, Age>,
    reach: Option<Reach>,
}

impl Book {
    /// A book that holds everything there is.
    #[must_use]
    pub fn complete(slices: impl IntoIterator<Item = Slice>) -> Self {
        let mut book = Self::default();
        book.add(slices);
        book.reaches(Reach::Everything);
        book
    }

    /// Adds slices. One that is in the book already keeps what is known of it:
    /// money that this batch has taken is not in the database yet.
    pub fn add(&mut self, slices: impl IntoIterator<Item = Slice>) {
        for slice in slices {
            if !self.ages.contains_key(&slice.id) {
                self.ages.insert(slice.id.clone(), slice.age());
                self.slices.insert(slice.age(), slice);
            }
        }
    }

    /// Says how far back the book is without a gap.
    pub fn reaches(&mut self, reach: Reach) {
        self.reach = Some(reach);
    }

    /// Every slice with money left is in the book.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.reach == Some(Reach::Everything)
    }

    /// The oldest age down to which the book has no gap; nothing when it is complete or empty.
    #[must_use]
    pub const fn reached(&self) -> Option<Age> {
        match self.reach {
            Some(Reach::DownTo(age)) => Some(age),
            Some(Reach::Everything) | None => None,
        }
    }

    /// The slices without a gap, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Slice> {
        let oldest = match self.reach {
            Some(Reach::DownTo(age)) => Some(age),
            Some(Reach::Everything) => Some((DateTime::<Utc>::MIN_UTC, i64::MIN)),
            None => None,
        };
        let gapless = oldest.map(|oldest| self.slices.range(oldest..).rev().map(|(_, slice)| slice));
        gapless.into_iter().flatten()
    }

    /// A slice by the upstream's number.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Slice> {
        self.slices.get(self.ages.get(id)?)
    }

    /// Takes the parts of a plan out of the slices.
    ///
    /// # Panics
    /// When the plan was made on another book.
    pub fn take(&mut self, plan: &[Part]) {
        for part in plan {
            let age = self.ages.get(&part.slice).expect("the plan was made on this book");
            let slice = self.slices.get_mut(age).expect("every age has its slice");
            let left = slice.remaining.less(part.amount).filter(|left| left.minor() >= 0);
            slice.remaining = left.expect("a part is not more than its slice");
        }
    }
}
