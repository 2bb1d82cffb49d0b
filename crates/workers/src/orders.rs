//! From legs to orders: what a gateway must know, read from the database alone.
//!
//! S02: a source refund goes to the stored payment, a bank payout to the stored
//! account. Nothing of a message reaches a gateway.

use std::collections::{BTreeMap, HashMap};

use domain::{Rail, date_in_shanghai};
use gateways::{Order, Payee, SourceTrade};
use store::Vault;
use store::bank_accounts::{BankAccount, Opened};
use store::legs::Leg;
use store::{Tx, bank_accounts, top_ups};
use tracing::error;
use uuid::Uuid;

use crate::failpoint::planted;

/// What gateways must know about legs.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// The orders, by leg.
    pub(crate) by_leg: BTreeMap<Uuid, Order>,
    /// Legs whose payee's number cannot be opened, and why. Their orders name no
    /// payee: enough to ask what became of one, and not enough to pay.
    pub(crate) unreadable: BTreeMap<Uuid, String>,
}

/// The orders of legs.
///
/// # Errors
/// When the database is away.
pub(crate) async fn orders<'a>(
    tx: &mut Tx,
    vault: &Vault,
    legs: impl Iterator<Item = &'a Leg>,
) -> Result<Orders, store::Error> {
    let legs: Vec<&Leg> = legs.collect();
    let trades = trades(tx, &legs).await?;
    let payees: Vec<Uuid> = legs.iter().filter_map(|it| it.bank_account_id).collect();
    let Opened { accounts, unreadable } = bank_accounts::open(tx, vault, &payees).await?;
    let accounts: HashMap<Uuid, BankAccount> = accounts.into_iter().map(|it| (it.id, it)).collect();
    let unreadable: HashMap<Uuid, String> = unreadable.into_iter().collect();
    let mut orders = Orders::default();
    for leg in legs {
        if let Some(why) = leg.bank_account_id.and_then(|id| unreadable.get(&id)) {
            error!(leg = %leg.id, %why, "A payee's number cannot be opened; its leg waits for people");
            orders.unreadable.insert(leg.id, why.clone());
        }
        let payee = leg.bank_account_id.and_then(|id| accounts.get(&id));
        orders.by_leg.insert(leg.id, order(leg, trades.get(&leg.top_up_id), payee));
    }
    Ok(orders)
}

/// The original payments behind wallet legs, by top-up.
async fn trades(tx: &mut Tx, legs: &[&Leg]) -> Result<HashMap<Uuid, SourceTrade>, store::Error> {
    let wallets: Vec<Uuid> = legs.iter().filter(|it| it.rail != Rail::Bank).map(|it| it.top_up_id).collect();
    let rows = top_ups::by_ids(tx, &wallets).await?;
    let trade = |it: store::top_ups::TopUp| {
        let trade = SourceTrade {
            trade_no: it.trade_no.unwrap_or_default(),
            out_trade_no: it.out_trade_no,
            total: it.original,
        };
        (it.id, trade)
    };
    Ok(rows.into_iter().map(trade).collect())
}

fn order(leg: &Leg, source: Option<&SourceTrade>, payee: Option<&BankAccount>) -> Order {
    // The planted bug of a test: a number of its own for every send.
    let minted_again = planted!("new-number") && leg.attempts > 0;
    let payout_no = if minted_again {
        let start: String = leg.payout_no.chars().take(28).collect();
        format!("{start}R{}", leg.attempts)
    } else {
        leg.payout_no.clone()
    };
    Order {
        payout_no,
        amount: leg.amount,
        minted_at: leg.minted_at,
        source: source.cloned(),
        payee: payee.map(|account| Payee {
            holder: account.holder.clone(),
            number: account.number.clone(),
            bank_name: account.bank_name.clone(),
            branch: account.branch.clone(),
            cnaps: account.cnaps.clone(),
        }),
        execute_on: leg.execute_on.unwrap_or_else(|| date_in_shanghai(leg.minted_at)),
        reason: "Balance withdrawal".to_owned(),
    }
}
