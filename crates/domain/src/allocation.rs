//! Last in, first out: which slices pay a withdrawal.

use crate::{Money, Slice};

/// What one slice gives to a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The slice.
    pub slice: String,
    /// How much of it.
    pub amount: Money,
}

/// A withdrawal's money while it is being drawn, slice after slice.
///
/// Slices are offered from the newest to the oldest, in as many pages as the
/// amount needs: a draw that is [`covered`](Self::is_covered) needs no older one.
/// So the cost of a withdrawal doesn't grow with the account's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    missing: Money,
    parts: Vec<Part>,
    drawn: Money,
}

impl Draw {
    /// A draw of `amount`.
    #[must_use]
    pub const fn of(amount: Money) -> Self {
        Self { missing: amount, parts: Vec::new(), drawn: Money::ZERO }
    }

    /// Takes from the next older eligible slice, emptying it before the next.
    ///
    /// Source, R9: "The system processes the withdrawal according to the 'Last In
    /// First Out' principle. Specifically, the system withdraws the money that was
    /// topped up lastly in the historical top-up transactions."
    ///
    /// # Panics
    /// Never: a part is not more than what is missing.
    pub fn take(&mut self, slice: &Slice) {
        let amount = self.missing.min(slice.remaining);
        if amount.is_positive() {
            self.parts.push(Part { slice: slice.id.clone(), amount });
            self.missing = self.missing.less(amount).expect("a part is not more than what is missing");
            self.drawn = self.drawn.plus(amount).expect("a draw is not more than its amount");
        }
    }

    /// Nothing is missing any more.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        !self.missing.is_positive()
    }

    /// What the slices have given so far.
    #[must_use]
    pub const fn drawn(&self) -> Money {
        self.drawn
    }

    /// The parts, newest slice first.
    #[must_use]
    pub fn into_parts(self) -> Vec<Part> {
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::Draw;
    use crate::{Channel, Currency, Money, Slice};

    fn money(text: &str) -> Money {
        Money::parse(text, Currency::Cny).expect("an amount of the table")
    }

    /// Slices from newest to oldest, what is asked, what each gives.
    #[track_caller]
    fn check(slices: &str, amount: &str, expected: &str) {
        let mut draw = Draw::of(money(amount));
        for (place, remaining) in slices.split_whitespace().enumerate() {
            draw.take(&Slice {
                id: place.to_string(),
                channel: Channel::Alipay,
                contract_entity: String::new(),
                arrived_at: chrono::DateTime::UNIX_EPOCH,
                channel_paid_at: chrono::DateTime::UNIX_EPOCH,
                sequence: 0,
                bonus: false,
                remaining: money(remaining),
                payer_name: None,
                source_account_known: false,
            });
        }
        let actual = if draw.is_covered() {
            let parts = draw.into_parts();
            parts.iter().map(|it| format!("{}:{}", it.slice, it.amount.to_text(Currency::Cny))).collect()
        } else {
            vec![format!("short at {}", draw.drawn().to_text(Currency::Cny))]
        };
        assert_eq!(actual.join(" "), expected);
    }

    #[test]
    fn r9_the_newest_money_leaves_first() {
        check("100 50 20", "30", "0:30.00");
        check("100 50 20", "100", "0:100.00");
        check("100 50 20", "100.01", "0:100.00 1:0.01"); // the last slice is partial
        check("100 50 20", "170", "0:100.00 1:50.00 2:20.00");
        check("100 0 20", "110", "0:100.00 2:10.00"); // an emptied slice gives nothing
        check("100 50 20", "170.01", "short at 170.00");
        check("", "0.01", "short at 0.00");
    }
}
