//! Any history of facts, delivered in any order and any number of times, leaves
//! the ledger that a slow reading of the rules says.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::world::{World, credited, fact, upserted};

/// One wish of the generator; what it means depends on the history before it.
#[derive(Debug, Clone)]
struct Wish {
    what: u8,
    which: usize,
    amount: usize,
    day: i64,
    even_if_wrong: bool,
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let wish = (0_u8..16, 0_usize..50, 1_usize..60, 0_i64..6, prop::bool::weighted(0.02)).prop_map(
        |(what, which, amount, day, even_if_wrong)| Wish { what, which, amount, day, even_if_wrong },
    );
    prop::collection::vec(wish, 1..60)
}

/// One minor unit of a top-up, and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    Free,
    Allocated,
    Consumed,
}

/// The rules once more, unit by unit: slow, and sharing no code with the product.
#[derive(Debug, Default, Clone)]
struct Oracle {
    /// Name, day, place in the history, units, bonus.
    top_ups: Vec<(String, i64, usize, Vec<Unit>, bool)>,
    /// Name, the top-ups of its units in the order in which they were taken, invoiced.
    allocations: Vec<(String, Vec<usize>, bool)>,
    /// Name, what is outstanding.
    invoices: Vec<(String, usize)>,
    unbilled: usize,
}

impl Oracle {
    fn free(&self) -> usize {
        self.top_ups.iter().flat_map(|it| &it.3).filter(|unit| **unit == Unit::Free).count()
    }

    /// Takes one free unit from the oldest or the newest top-up that has one.
    fn take(&mut self, newest: bool, to: Unit) -> usize {
        let with_free = (0..self.top_ups.len()).filter(|place| self.top_ups[*place].3.contains(&Unit::Free));
        let age = |place: &usize| (self.top_ups[*place].1, self.top_ups[*place].2);
        let place = if newest { with_free.max_by_key(age) } else { with_free.min_by_key(age) }.unwrap();
        *self.top_ups[place].3.iter_mut().find(|unit| **unit == Unit::Free).unwrap() = to;
        place
    }

    /// The fact that the wish stands for, as kind and data, and whether it is right.
    fn fact(&mut self, wish: &Wish, account: &str, version: u64) -> (Value, bool) {
        let Wish { what, which, amount, day, .. } = *wish;
        let sum = |name: &str, id: &str, amount: usize| {
            let text = format!("{}.{:02}", amount / 100, amount % 100);
            let mut data = json!({ "amount": text, "currency": "CNY" });
            if !name.is_empty() {
                data[name] = id.into();
            }
            data
        };
        let make = |kind: &str, data: Value| fact(kind, account, version, data);
        let pick = |count: usize| if count == 0 { None } else { Some(which % count) };
        match what {
            0..=4 => {
                let name = format!("t{version}");
                let text = format!("{}.{:02}", amount / 100, amount % 100);
                let place = self.top_ups.len();
                self.top_ups.push((name.clone(), day, place, vec![Unit::Free; amount], false));
                (credited(account, version, &name, &text, day), true)
            }
            5..=7 => {
                let right = self.free() >= amount;
                for _ in 0..if right { amount } else { 0 } {
                    self.take(false, Unit::Consumed);
                }
                (make("usage.billed", sum("bill_id", "b", amount)), right)
            }
            8 => {
                let name =
                    pick(self.top_ups.len()).map_or("none".to_owned(), |it| self.top_ups[it].0.clone());
                let mut data = sum("bill_id", "b", amount);
                data["slices"] = json!([{ "top_up_id": name, "amount": data["amount"] }]);
                let units = self.top_ups.iter_mut().find(|it| it.0 == name).map(|it| &mut it.3);
                let free = units.iter().flat_map(|it| it.iter()).filter(|unit| **unit == Unit::Free).count();
                if free >= amount {
                    let units = units.unwrap();
                    units
                        .iter_mut()
                        .filter(|unit| **unit == Unit::Free)
                        .take(amount)
                        .for_each(|it| *it = Unit::Consumed);
                }
                (make("usage.billed", data), free >= amount)
            }
            9 => {
                let name = format!("g{version}");
                let right = self.free() >= amount;
                if right {
                    let taken = (0..amount).map(|_| self.take(true, Unit::Allocated)).collect();
                    self.allocations.push((name.clone(), taken, false));
                }
                let mut data = sum("allocation_id", &name, amount);
                data["member_account_id"] = "member".into();
                (make("allocation.granted", data), right)
            }
            10 | 11 => {
                let place = pick(self.allocations.len());
                let name = place.map_or("none".to_owned(), |it| self.allocations[it].0.clone());
                let amount = 1 + amount / 4;
                let right =
                    place.is_some_and(|it| !self.allocations[it].2 && self.allocations[it].1.len() >= amount);
                for _ in 0..if right { amount } else { 0 } {
                    let top_up = self.allocations[place.unwrap()].1.pop().unwrap();
                    let units = &mut self.top_ups[top_up].3;
                    *units.iter_mut().find(|unit| **unit == Unit::Allocated).unwrap() = Unit::Free;
                }
                (make("allocation.reclaimed", sum("allocation_id", &name, amount)), right)
            }
            12 => {
                let place = pick(self.allocations.len());
                let name = place.map_or("none".to_owned(), |it| self.allocations[it].0.clone());
                let invoiced = day < 2;
                place.into_iter().for_each(|it| self.allocations[it].2 = invoiced);
                let data = json!({ "allocation_id": name, "invoiced": invoiced });
                (make("allocation.invoiced", data), place.is_some())
            }
            13 => {
                let place = pick(self.invoices.len()).filter(|_| day > 2);
                let Some(place) = place else {
                    let name = format!("i{version}");
                    self.invoices.push((name.clone(), amount));
                    return (make("invoice.issued", sum("invoice_id", &name, amount)), true);
                };
                let (name, open) = &mut self.invoices[place];
                let right = *open >= amount;
                *open -= if right { amount } else { 0 };
                let kind = if day == 3 { "invoice.paid" } else { "invoice.returned" };
                (make(kind, sum("invoice_id", &name.clone(), amount)), right)
            }
            14 => {
                self.unbilled = amount - 1;
                (make("usage.unbilled", sum("", "", amount - 1)), true)
            }
            _ => {
                let place = pick(self.top_ups.len());
                let name = place.map_or("none".to_owned(), |it| self.top_ups[it].0.clone());
                let bonus = day < 4;
                place.into_iter().for_each(|it| self.top_ups[it].4 = bonus);
                (make("top_up.bonus_changed", json!({ "top_up_id": name, "bonus": bonus })), place.is_some())
            }
        }
    }

    fn ledger(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for (name, _, _, units, bonus) in &self.top_ups {
            let count = |what| units.iter().filter(|unit| **unit == what).count();
            let (free, allocated, consumed) =
                (count(Unit::Free), count(Unit::Allocated), count(Unit::Consumed));
            lines.push(format!("{name}: {free} {allocated} {consumed} {bonus}"));
        }
        lines.sort();
        let outstanding: usize = self.invoices.iter().map(|it| it.1).sum();
        lines.push(format!("account: {} {outstanding} {}", self.free(), self.unbilled));
        lines
    }
}

/// The messages of a history, and the ledger after those that can be applied.
fn history(wishes: &[Wish], account: &str) -> (Vec<Value>, Vec<String>) {
    let mut oracle = Oracle::default();
    let mut stuck: Option<Oracle> = None;
    let mut messages = vec![upserted(account, 1)];
    for wish in wishes {
        let before = oracle.clone();
        let version = messages.len() as u64 + 1;
        let (message, right) = oracle.fact(wish, account, version);
        if right || wish.even_if_wrong {
            messages.push(message);
        }
        if !right {
            oracle = before.clone();
            // Everything behind a refused fact waits.
            if wish.even_if_wrong {
                stuck.get_or_insert(before);
            }
        }
    }
    let ledger = stuck.unwrap_or(oracle).ledger();
    (messages, ledger)
}

async fn ledger_of(world: &World, account: &str) -> Vec<String> {
    world
        .texts(&format!(
            "select line from (
                 select 0 as place, upstream_id || ': ' || remaining || ' ' || allocated || ' ' || consumed || ' ' || bonus as line
                   from top_up where account_id = '{account}'
                  union all
                 select 1, 'account: ' || remaining || ' ' || outstanding_invoice || ' ' || unbilled
                   from account where id = '{account}') as it
              order by place, line collate \"C\""
        ))
        .await
}

/// R9b: balances can be recomputed from the journal. Rows are top-ups that differ.
const JOURNAL_DIFFERS: &str = "
    with moved as (
        select top_up_id, to_bucket as bucket, amount from transfer
         union all
        select top_up_id, from_bucket, -amount from transfer where from_bucket <> 'outside'),
    sums as (
        select top_up_id,
               coalesce(sum(amount) filter (where bucket = 'remaining'), 0) as remaining,
               coalesce(sum(amount) filter (where bucket = 'allocated'), 0) as allocated,
               coalesce(sum(amount) filter (where bucket = 'consumed'), 0) as consumed,
               sum(amount) as original
          from moved group by top_up_id)
    select top_up.upstream_id
      from top_up left join sums on sums.top_up_id = top_up.id
     where (top_up.remaining, top_up.allocated, top_up.consumed, top_up.original)
           is distinct from (sums.remaining, sums.allocated, sums.consumed, sums.original)";

#[test]
fn any_delivery_of_a_history_leaves_the_ledger_that_the_rules_say() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let count = std::cell::Cell::new(0);
    let deliveries = prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 60);
    let config = Config { cases: 40, max_shrink_iters: 200, ..Config::default() };
    let result =
        TestRunner::new(config).run(&(wishes(), deliveries, 1_usize..20), |(wishes, swaps, size)| {
            count.set(count.get() + 1);
            let (straight, crooked) = (format!("s{}", count.get()), format!("c{}", count.get()));
            runtime.block_on(async {
                let (messages, expected) = history(&wishes, &straight);
                world.deliver(&messages).await;
                prop_assert_eq!(ledger_of(&world, &straight).await, &expected[..], "delivered in order");

                let (mut messages, _) = history(&wishes, &crooked);
                for (place, (swap, twice)) in swaps.iter().enumerate() {
                    let other = swap.index(messages.len());
                    let place = place % messages.len();
                    messages.swap(place, other);
                    if *twice {
                        messages.push(messages[other].clone());
                    }
                }
                for part in messages.chunks(size) {
                    world.deliver(part).await;
                }
                prop_assert_eq!(ledger_of(&world, &crooked).await, &expected[..], "in another order");
                prop_assert_eq!(world.texts(JOURNAL_DIFFERS).await, Vec::<String>::new());
                let differing =
                    workers::facts::check_totals(&world.desk, crate::world::noon()).await.unwrap();
                prop_assert_eq!(differing, 0);
                Ok(())
            })
        });
    if let Err(error) = result {
        panic!("{error}");
    }
}
