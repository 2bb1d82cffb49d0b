//! The rules of account facts once more, unit by unit: slow, written from the
//! text of the rules, and sharing no code with the product.

use serde_json::{Value, json};

use crate::world::{credited, fact};

/// One wish of the generator; what it means depends on the history before it.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) what: u8,
    pub(crate) which: usize,
    pub(crate) amount: usize,
    pub(crate) day: i64,
    pub(crate) even_if_wrong: bool,
}

/// Where one minor unit of a top-up is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    Free,
    Allocated,
    Consumed,
}

#[derive(Debug, Clone)]
struct TopUp {
    name: String,
    day: i64,
    units: Vec<Unit>,
    bonus: bool,
}

impl TopUp {
    fn count(&self, what: Unit) -> usize {
        self.units.iter().filter(|unit| **unit == what).count()
    }

    /// Moves one unit; there is one.
    fn turn(&mut self, from: Unit, to: Unit) {
        *self.units.iter_mut().find(|unit| **unit == from).unwrap() = to;
    }
}

#[derive(Debug, Clone)]
struct Allocation {
    name: String,
    /// The top-up of each unit, in the order in which they were taken.
    taken: Vec<usize>,
    invoiced: bool,
}

/// The ledger of one account.
#[derive(Debug, Default, Clone)]
pub(crate) struct Oracle {
    /// In the order of the history.
    top_ups: Vec<TopUp>,
    allocations: Vec<Allocation>,
    /// Name, and what is outstanding.
    invoices: Vec<(String, usize)>,
    unbilled: usize,
}

/// The end of an account from which money is taken.
#[derive(Clone, Copy, PartialEq)]
enum From {
    Oldest,
    Newest,
}

/// The place of a message in the history of an account.
struct Place<'a> {
    account: &'a str,
    version: u64,
}

impl Place<'_> {
    fn fact(&self, kind: &str, data: Value) -> Value {
        fact(kind, self.account, self.version, data)
    }
}

fn text(amount: usize) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}

fn sum(name: &str, id: &str, amount: usize) -> Value {
    json!({ name: id, "amount": text(amount), "currency": "CNY" })
}

/// A name that no top-up, allocation or invoice has.
const NONE: &str = "none";

impl Oracle {
    /// The message that the wish stands for, and whether it is right. One that is
    /// wrong changes nothing.
    pub(crate) fn fact(&mut self, wish: &Wish, account: &str, version: u64) -> (Value, bool) {
        let place = Place { account, version };
        match wish.what {
            0..=4 => self.credit(wish, &place),
            5..=7 => self.bill_oldest(wish, &place),
            8 => self.bill_named(wish, &place),
            9 => self.grant(wish, &place),
            10 | 11 => self.reclaim(wish, &place),
            12 => self.allocation_invoiced(wish, &place),
            13 => self.invoice(wish, &place),
            14 => {
                self.unbilled = wish.amount - 1;
                let data = json!({ "amount": text(self.unbilled), "currency": "CNY" });
                (place.fact("usage.unbilled", data), true)
            }
            _ => self.mark(wish, &place),
        }
    }

    fn free(&self) -> usize {
        self.top_ups.iter().map(|it| it.count(Unit::Free)).sum()
    }

    /// Takes one free unit from the oldest or the newest top-up that has one.
    fn take(&mut self, end: From, to: Unit) -> usize {
        let with_free = (0..self.top_ups.len()).filter(|it| self.top_ups[*it].count(Unit::Free) > 0);
        let age = |it: &usize| (self.top_ups[*it].day, *it);
        let place = match end {
            From::Oldest => with_free.min_by_key(age),
            From::Newest => with_free.max_by_key(age),
        };
        self.top_ups[place.unwrap()].turn(Unit::Free, to);
        place.unwrap()
    }

    fn credit(&mut self, wish: &Wish, place: &Place<'_>) -> (Value, bool) {
        let name = format!("t{}", place.version);
        let message = credited(place.account, place.version, &name, &text(wish.amount), wish.day);
        self.top_ups.push(TopUp { name, day: wish.day, units: vec![Unit::Free; wish.amount], bonus: false });
        (message, true)
    }

    fn bill_oldest(&mut self, wish: &Wish, place: &Place<'_>) -> (Value, bool) {
        let right = self.free() >= wish.amount;
        for _ in 0..if right { wish.amount } else { 0 } {
            self.take(From::Oldest, Unit::Consumed);
        }
        (place.fact("usage.billed", sum("bill_id", "b", wish.amount)), right)
    }

    fn bill_named(&mut self, wish: &Wish, place: &Place<'_>) -> (Value, bool) {
        let top_up = wish.pick(self.top_ups.len());
        let name = top_up.map_or(NONE, |it| &self.top_ups[it].name);
        let mut data = sum("bill_id", "b", wish.amount);
        data["slices"] = json!([{ "top_up_id": name, "amount": text(wish.amount) }]);
        let right = top_up.is_some_and(|it| self.top_ups[it].count(Unit::Free) >= wish.amount);
        for _ in 0..if right { wish.amount } else { 0 } {
            self.top_ups[top_up.unwrap()].turn(Unit::Free, Unit::Consumed);
        }
        (place.fact("usage.billed", data), right)
    }

    fn grant(&mut self, wish: &Wish, place: &Place<'_>) -> (Value, bool) {
        let name = format!("g{}", place.version);
        let mut data = sum("allocation_id", &name, wish.amount);
        data["member_account_id"] = "member".into();
        let right = self.free() >= wish.amount;
        if right {
            let taken = (0..wish.amount).map(|_| self.take(From::Newest, Unit::Allocated)).collect();
            self.allocations.push(Allocation { name, taken, invoiced: false });
        }
        (place.fact("allocation.granted", data), right)
    }

    fn reclaim(&mut self, wish: &Wish, place: &Place<'_>) -> (Value, bool) {
        let amount = 1 + wish.amount / 4;
        let allocation = wish.pick(self.allocations.len());
        let name = allocation.map_or(NONE, |it| &self.allocations[it].name);
        let message = place.fact("allocation.reclaimed", sum("allocation_id", name, amount));
        let whole = |it: &Allocation| !it.invoiced && it.taken.len() >= amount;
        let right = allocation.is_some_and(|it| whole(&self.allocations[it]));
        for _ in 0..if right { amount } else { 0 } {
            let top_up = self.allocations[allocation.unwrap()].taken.pop().unwrap();
            self.top_ups[top_up].turn(Unit::Allocated, Unit::Free);
        }
        (message, right)
    }

    fn allocation_invoiced(&mut self, wish: &Wish, place: &Place<'_>) -> (Value, bool) {
        let allocation = wish.pick(self.allocations.len());
        let name = allocation.map_or(NONE, |it| &self.allocations[it].name);
        let invoiced = wish.day < 2;
        let data = json!({ "allocation_id": name, "invoiced": invoiced });
        if let Some(it) = allocation {
            self.allocations[it].invoiced = invoiced;
        }
        (place.fact("allocation.invoiced", data), allocation.is_some())
    }

    fn invoice(&mut self, wish: &Wish, place: &Place<'_>) -> (Value, bool) {
        let Some(known) = wish.pick(self.invoices.len()).filter(|_| wish.day > 2) else {
            let name = format!("i{}", place.version);
            let message = place.fact("invoice.issued", sum("invoice_id", &name, wish.amount));
            self.invoices.push((name, wish.amount));
            return (message, true);
        };
        let (name, open) = &mut self.invoices[known];
        let kind = if wish.day == 3 { "invoice.paid" } else { "invoice.returned" };
        let right = *open >= wish.amount;
        *open -= if right { wish.amount } else { 0 };
        (place.fact(kind, sum("invoice_id", name, wish.amount)), right)
    }

    fn mark(&mut self, wish: &Wish, place: &Place<'_>) -> (Value, bool) {
        let top_up = wish.pick(self.top_ups.len());
        let name = top_up.map_or(NONE, |it| &self.top_ups[it].name);
        let bonus = wish.day < 4;
        let message = place.fact("top_up.bonus_changed", json!({ "top_up_id": name, "bonus": bonus }));
        if let Some(it) = top_up {
            self.top_ups[it].bonus = bonus;
        }
        (message, top_up.is_some())
    }

    /// One line per top-up, and one for the account.
    pub(crate) fn ledger(&self) -> Vec<String> {
        let line = |it: &TopUp| {
            let [free, allocated, consumed] =
                [Unit::Free, Unit::Allocated, Unit::Consumed].map(|what| it.count(what));
            format!("{}: {free} {allocated} {consumed} {}", it.name, it.bonus)
        };
        let mut lines: Vec<String> = self.top_ups.iter().map(line).collect();
        lines.sort();
        let outstanding: usize = self.invoices.iter().map(|it| it.1).sum();
        lines.push(format!("account: {} {outstanding} {}", self.free(), self.unbilled));
        lines
    }
}

impl Wish {
    /// One of `count` things, if there are any.
    fn pick(&self, count: usize) -> Option<usize> {
        (count > 0).then(|| self.which % count)
    }
}
