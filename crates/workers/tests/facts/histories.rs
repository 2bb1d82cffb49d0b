//! Any history of facts, delivered in any order and any number of times, leaves
//! the ledger that a slow reading of the rules says.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::oracle::{Oracle, Wish};
use crate::world::{World, upserted};

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let wish = (0_u8..16, 0_usize..50, 1_usize..60, 0_i64..6, prop::bool::weighted(0.02)).prop_map(
        |(what, which, amount, day, even_if_wrong)| Wish { what, which, amount, day, even_if_wrong },
    );
    prop::collection::vec(wish, 1..60)
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
