//! From legs to orders: what a gateway must know, read from the database alone.
//!
//! S02: a source refund goes to the stored payment, a bank payout to the stored
//! account. Nothing of a message reaches a gateway.

use std::collections::{BTreeMap, HashMap};

use domain::{Rail, date_in_shanghai};
use gateways::{Order, Payee, SourceTrade};
use store::Vault;
use store::bank_accounts::BankAccount;
use store::legs::Leg;
use store::{Tx, bank_accounts, top_ups};
use uuid::Uuid;

/// The orders of legs, by leg.
///
/// # Errors
/// When the database is away, or a sealed account number cannot be opened.
pub(crate) async fn orders<'a>(
    tx: &mut Tx,
    vault: &Vault,
    legs: impl Iterator<Item = &'a Leg>,
) -> Result<BTreeMap<Uuid, Order>, store::Error> {
    let legs: Vec<&Leg> = legs.collect();
    let wallets: Vec<Uuid> = legs.iter().filter(|it| it.rail != Rail::Bank).map(|it| it.top_up_id).collect();
    let payees: Vec<Uuid> = legs.iter().filter_map(|it| it.bank_account_id).collect();
    let mut trades = HashMap::new();
    for top_up in top_ups::by_ids(tx, &wallets).await? {
        let trade = SourceTrade {
            trade_no: top_up.trade_no.unwrap_or_default(),
            out_trade_no: top_up.out_trade_no,
            total: top_up.original,
        };
        trades.insert(top_up.id, trade);
    }
    let accounts: HashMap<Uuid, BankAccount> =
        bank_accounts::open(tx, vault, &payees).await?.into_iter().map(|it| (it.id, it)).collect();
    let order = |leg: &Leg| Order {
        payout_no: leg.payout_no.clone(),
        amount: leg.amount,
        minted_at: leg.minted_at,
        source: trades.get(&leg.top_up_id).cloned(),
        payee: leg.bank_account_id.and_then(|id| accounts.get(&id)).map(|account| Payee {
            holder: account.holder.clone(),
            number: account.number.clone(),
            bank_name: account.bank_name.clone(),
            branch: account.branch.clone(),
            cnaps: account.cnaps.clone(),
        }),
        execute_on: leg.execute_on.unwrap_or_else(|| date_in_shanghai(leg.minted_at)),
        reason: "Balance withdrawal".to_owned(),
    };
    Ok(legs.into_iter().map(|leg| (leg.id, order(leg))).collect())
}
