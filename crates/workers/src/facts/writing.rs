//! What a batch leaves behind, collected and then written in a few statements.

use std::collections::{BTreeSet, HashMap};

use broker::contract::{self, Problem, TopUpCredited};
use broker::topology::FACTS;
use chrono::{DateTime, Utc};
use domain::ledger::{Book, Fact, Flow, Move};
use store::bank_accounts::{self, BankAccount};
use store::books::{self, AllocationRow, InvoiceRow, ProfileRow, ShareRow, TotalsRow};
use store::facts::{self, row_name};
use store::journal::{self, Bucket, Movement};
use store::outbox::Outgoing;
use store::parked::Parked;
use store::top_ups::TopUp;
use store::{Tx, Vault};
use uuid::Uuid;

use super::batch::Tally;
use super::lane::Item;
use crate::dead_letter::{self, park};

/// The rows of a batch.
#[derive(Debug)]
pub(super) struct Written {
    at: DateTime<Utc>,
    /// What became of the messages.
    pub(super) tally: Tally,
    /// Which rows the top-ups in hand are, by account and the upstream's number.
    pub(super) ids: HashMap<(String, String), Uuid>,
    /// What nobody can use.
    pub(super) dead_letters: Vec<(Parked, Outgoing)>,
    upserted: BTreeSet<String>,
    marked: BTreeSet<(String, String)>,
    facts: Vec<facts::FactRow>,
    bank_accounts: Vec<BankAccount>,
    top_ups: Vec<TopUp>,
    movements: Vec<Movement>,
    profiles: Vec<ProfileRow>,
    bonus: Vec<(Uuid, bool)>,
    invoices: Vec<InvoiceRow>,
    allocations: Vec<AllocationRow>,
    shares: Vec<ShareRow>,
    totals: Vec<TotalsRow>,
}

impl Written {
    pub(super) fn new(at: DateTime<Utc>) -> Self {
        Self {
            at,
            tally: Tally::default(),
            ids: HashMap::new(),
            dead_letters: Vec::new(),
            upserted: BTreeSet::new(),
            marked: BTreeSet::new(),
            facts: Vec::new(),
            bank_accounts: Vec::new(),
            top_ups: Vec::new(),
            movements: Vec::new(),
            profiles: Vec::new(),
            bonus: Vec::new(),
            invoices: Vec::new(),
            allocations: Vec::new(),
            shares: Vec::new(),
            totals: Vec::new(),
        }
    }

    /// The fact was applied to `book` and moved money.
    pub(super) fn accept(&mut self, item: Item<'_>, moves: Vec<Move>, book: &Book) {
        self.tally.applied += 1;
        let mut row = item.row;
        match (&item.told, &item.fact) {
            (contract::Fact::TopUpCredited(credit), _) => self.credit(credit, row.version, book),
            (_, Fact::Upserted(_)) => drop(self.upserted.insert(row.account_id.clone())),
            (_, Fact::BonusChanged { top_up_id, .. }) => {
                self.marked.insert((row.account_id.clone(), top_up_id.clone()));
            }
            _ => {}
        }
        let cause_id = match &item.fact {
            Fact::Granted { allocation_id, .. } | Fact::Reclaimed { allocation_id, .. } => allocation_id,
            _ => &row.event_id,
        };
        for it in moves {
            let (from, to, cause) = match it.flow {
                Flow::Credit => (Bucket::Outside, Bucket::Remaining, "credited"),
                Flow::Bill => (Bucket::Remaining, Bucket::Consumed, "billed"),
                Flow::Grant => (Bucket::Remaining, Bucket::Allocated, "granted"),
                Flow::Reclaim => (Bucket::Allocated, Bucket::Remaining, "reclaimed"),
            };
            self.movements.push(Movement {
                top_up_id: self.ids[&(row.account_id.clone(), it.top_up_id)],
                account_id: row.account_id.clone(),
                from,
                to,
                amount: it.amount,
                cause,
                cause_id: cause_id.clone(),
            });
        }
        row.body = None;
        row.applied_at = Some(self.at);
        self.facts.push(row);
    }

    fn credit(&mut self, credit: &TopUpCredited, version: i64, book: &Book) {
        let id = Uuid::now_v7();
        let account_id = credit.account_id.to_string();
        self.ids.insert((account_id.clone(), credit.top_up_id.to_string()), id);
        let bank_account = credit.bank_account.as_ref().map(|it| BankAccount {
            id: Uuid::now_v7(),
            account_id: account_id.clone(),
            holder: it.holder.to_string(),
            number: String::from(it.number.clone()).into(),
            bank_name: it.bank_name.to_string(),
            branch: it.branch.to_string(),
            cnaps: it.cnaps.to_string(),
            version: None,
        });
        let payer = credit.payer_name.as_ref().or(credit.bank_account.as_ref().map(|it| &it.holder));
        let entity = book.profile.as_ref().map(|it| it.contract_entity.clone()).unwrap_or_default();
        let amount = credit.amount.money(credit.currency);
        let text = |text: &contract::TradeNo| text.to_string();
        self.top_ups.push(TopUp {
            id,
            account_id,
            upstream_id: credit.top_up_id.to_string(),
            sequence: version,
            channel: credit.channel,
            contract_entity: credit.contract_entity.as_ref().map_or(entity, ToString::to_string),
            trade_no: credit.trade_no.as_ref().map(text),
            out_trade_no: credit.out_trade_no.as_ref().map(text),
            payer_name: payer.map(ToString::to_string),
            bank_account_id: bank_account.as_ref().map(|it| it.id),
            arrived_at: credit.arrived_at,
            channel_paid_at: credit.channel_paid_at.unwrap_or(credit.arrived_at),
            bonus: credit.bonus,
            original: amount,
            remaining: amount,
            allocated: domain::Money::ZERO,
            consumed: domain::Money::ZERO,
            held: domain::Money::ZERO,
            paid_out: domain::Money::ZERO,
        });
        self.bank_accounts.extend(bank_account);
    }

    /// The fact came early and waits.
    pub(super) fn keep(&mut self, item: Item<'_>, vault: &Vault) {
        self.tally.waiting += 1;
        let body = item.letter.map_or(item.kept.as_slice(), |letter| letter.body);
        let mut row = item.row;
        row.body = Some(vault.seal(&row_name(&row.source, &row.event_id), body));
        self.facts.push(row);
    }

    /// The fact contradicts what is known; it is remembered and parked.
    pub(super) fn refuse(&mut self, item: Item<'_>, problem: &Problem, vault: &Vault) {
        self.conflict(&item, problem, vault);
        let mut row = item.row;
        row.body = None;
        row.refused_at = Some(self.at);
        self.facts.push(row);
    }

    /// The message contradicts another message: it is parked, and nothing else.
    pub(super) fn conflict(&mut self, item: &Item<'_>, problem: &Problem, vault: &Vault) {
        self.dead_letters.push(park(item.to_letter(), FACTS, problem, vault));
    }

    /// What facts changed in the book of an account, beside its top-ups' money.
    pub(super) fn book(&mut self, account_id: &str, book: &Book) {
        if let Some(it) = book.profile.as_ref().filter(|_| self.upserted.contains(account_id)) {
            self.profiles.push(ProfileRow {
                id: account_id.to_owned(),
                currency: it.currency,
                kind: it.kind.into(),
                real_name: it.real_name.clone(),
                real_name_verified: it.real_name_verified,
                advance_payment: it.advance_payment,
                master_account_id: it.master_account_id.clone(),
                contract_entity: it.contract_entity.clone(),
                refunds_forbidden: it.refunds_forbidden,
            });
        }
        let marked = self.marked.iter().filter(|(owner, _)| owner == account_id);
        let mark = |key: &(String, String)| Some((*self.ids.get(key)?, book.slice(&key.1)?.bonus));
        self.bonus.extend(marked.filter_map(mark).collect::<Vec<_>>());
        self.invoices.extend(book.invoices.iter().map(|(id, it)| InvoiceRow {
            account_id: account_id.to_owned(),
            id: id.clone(),
            issued: it.issued,
            returned: it.returned,
            paid: it.paid,
        }));
        for (id, it) in &book.allocations {
            self.allocations.push(AllocationRow {
                account_id: account_id.to_owned(),
                id: id.clone(),
                member_account_id: it.member_account_id.clone(),
                granted: it.granted,
                reclaimed: it.reclaimed,
                invoiced: it.invoiced,
            });
            self.shares.extend(it.shares.iter().zip(0..).filter_map(|(share, position)| {
                Some(ShareRow {
                    account_id: account_id.to_owned(),
                    allocation_id: id.clone(),
                    position,
                    top_up_id: *self.ids.get(&(account_id.to_owned(), share.top_up_id.clone()))?,
                    amount: share.amount,
                })
            }));
        }
    }

    /// What the account is after its facts; nothing for one that does not exist.
    pub(super) fn totals(
        &mut self,
        account_id: &str,
        book: &Book,
        version: i64,
        stopped_because: Option<String>,
    ) {
        if book.profile.is_some() {
            self.totals.push(TotalsRow {
                id: account_id.to_owned(),
                outstanding_invoice: book.balance.outstanding_invoice,
                unbilled: book.balance.unbilled,
                fact_version: version,
                stopped_because,
            });
        }
    }

    /// Writes all of it.
    pub(super) async fn put(mut self, tx: &mut Tx, vault: &Vault) -> Result<Tally, store::Error> {
        self.tally.refused += self.dead_letters.len() as u64;
        let (marked, marks): (Vec<_>, Vec<_>) = self.bonus.into_iter().unzip();
        books::put_profiles(tx, &self.profiles, self.at).await?;
        bank_accounts::insert(tx, vault, &self.bank_accounts, self.at).await?;
        books::put_top_ups(tx, &self.top_ups).await?;
        books::put_bonus(tx, &marked, &marks).await?;
        books::put_invoices(tx, &self.invoices, self.at).await?;
        books::put_allocations(tx, &self.allocations, &self.shares, self.at).await?;
        journal::apply(tx, &self.movements, self.at).await?;
        books::put_totals(tx, &self.totals, self.at).await?;
        facts::put(tx, &self.facts).await?;
        dead_letter::put(tx, self.dead_letters, self.at).await?;
        Ok(self.tally)
    }
}
