//! How many people must approve a withdrawal, and which rule says so.
//!
//! Every rule that applies speaks; the strictest decides. Nobody is ever needed
//! less because a second rule would be content: the number is a maximum. What
//! each rule said is kept, so that approvers and auditors read the reason and not
//! only the number (S01, S11).

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use strum::{Display, EnumIter, EnumString, IntoStaticStr};

use crate::{Currency, Money, Rail};

/// The amount alone: nobody below a limit, the full quorum above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AmountRule {
    /// Up to this amount the amount needs no person.
    pub nobody_up_to: Money,
    /// People above it, and above every band.
    pub people_above: u32,
}

/// An amount up to which so many people are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Its last amount.
    pub up_to: Money,
    /// The people.
    pub people: u32,
}

/// How much may go in how long before people must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Velocity {
    /// The time looked back.
    pub window: TimeDelta,
    /// Withdrawals within it that pass, the one in question included.
    pub most: Option<u32>,
    /// Their sum that passes.
    pub sum: Option<Money>,
    /// People needed beyond either.
    pub people: u32,
}

/// The rules beside the limit of the amount. The default is none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalRules {
    /// Amounts above the limit that need other people than the full quorum.
    pub bands: Vec<Band>,
    /// People for a bank card that the account was never paid out to.
    pub first_bank_card: u32,
    /// Accounts that somebody has an eye on.
    pub flagged_accounts: BTreeSet<String>,
    /// People for these.
    pub flagged: u32,
    /// People by the channel that carries a leg.
    pub rails: BTreeMap<Rail, u32>,
    /// Per account.
    pub account_velocity: Vec<Velocity>,
    /// Per receiving bank account, whosever money it is.
    pub payee_velocity: Vec<Velocity>,
}

/// What went in one window, the withdrawal in question included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Withdrawals.
    pub count: u32,
    /// Their sum.
    pub sum: Money,
}

/// A withdrawal as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Whose money.
    pub account_id: &'a str,
    /// How much.
    pub amount: Money,
    /// In which currency, for the words.
    pub currency: Currency,
    /// Who carries its legs.
    pub rails: BTreeSet<Rail>,
    /// The bank card is one that this account was never paid out to.
    pub is_first_bank_card: bool,
    /// By the account, one element per rule of [`ApprovalRules::account_velocity`].
    pub account_pace: Vec<Pace>,
    /// By its payee, one element per rule of [`ApprovalRules::payee_velocity`].
    pub payee_pace: Vec<Pace>,
}

/// Which rule spoke. The text form is a stable code.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, EnumString, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum ApprovalRule {
    /// The amount.
    Amount,
    /// The account is flagged.
    FlaggedAccount,
    /// The bank card is new to the account.
    FirstBankCard,
    /// The channel of a leg.
    Channel,
    /// The account takes out much, or often.
    AccountVelocity,
    /// The payee receives much, or often.
    PayeeVelocity,
}

/// What one rule demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The rule.
    pub rule: ApprovalRule,
    /// So many people.
    pub people: u32,
    /// Why, for people.
    pub why: String,
}

/// What every rule that applies demands, the strictest first. Never empty: the
/// amount always says something, if only that nobody is needed.
#[must_use]
pub fn demands(amount: &AmountRule, rules: &ApprovalRules, asked: &Asked<'_>) -> Vec<Demand> {
    let mut demands = vec![by_amount(amount, &rules.bands, asked)];
    if rules.flagged > 0 && rules.flagged_accounts.contains(asked.account_id) {
        let why = format!("the account {} is flagged", asked.account_id);
        demands.push(Demand { rule: ApprovalRule::FlaggedAccount, people: rules.flagged, why });
    }
    if rules.first_bank_card > 0 && asked.is_first_bank_card {
        let why = "the account was never paid out to this bank card".to_owned();
        demands.push(Demand { rule: ApprovalRule::FirstBankCard, people: rules.first_bank_card, why });
    }
    for rail in &asked.rails {
        let people = rules.rails.get(rail).copied().unwrap_or_default();
        if people > 0 {
            let why = format!("a part of it leaves by {rail}");
            demands.push(Demand { rule: ApprovalRule::Channel, people, why });
        }
    }
    let by_account = rules.account_velocity.iter().zip(&asked.account_pace);
    demands.extend(by_account.filter_map(|(rule, pace)| {
        by_velocity(ApprovalRule::AccountVelocity, ("the account took out", rule), *pace, asked.currency)
    }));
    let by_payee = rules.payee_velocity.iter().zip(&asked.payee_pace);
    demands.extend(by_payee.filter_map(|(rule, pace)| {
        by_velocity(ApprovalRule::PayeeVelocity, ("the payee receives", rule), *pace, asked.currency)
    }));
    // Stable, so that rules that demand the same stay in their order.
    demands.sort_by_key(|it| std::cmp::Reverse(it.people));
    demands
}

/// The people that a withdrawal needs: as many as its strictest rule demands.
#[must_use]
pub fn people_needed(demands: &[Demand]) -> u32 {
    demands.iter().map(|it| it.people).max().unwrap_or_default()
}

fn by_amount(rule: &AmountRule, bands: &[Band], asked: &Asked<'_>) -> Demand {
    let text = |amount: Money| format!("{} {}", amount.to_text(asked.currency), asked.currency);
    let band = bands.iter().filter(|band| asked.amount <= band.up_to).min_by_key(|band| band.up_to);
    let (people, why) = if asked.amount <= rule.nobody_up_to {
        (0, format!("it is within {}, which need no person", text(rule.nobody_up_to)))
    } else if let Some(band) = band {
        (band.people, format!("it is within {}", text(band.up_to)))
    } else {
        let above = bands.iter().map(|band| band.up_to).max().unwrap_or(rule.nobody_up_to);
        // An amount above every limit is never let go by nobody.
        (rule.people_above.max(1), format!("it is above {}", text(above.max(rule.nobody_up_to))))
    };
    Demand { rule: ApprovalRule::Amount, people, why }
}

fn by_velocity(
    rule: ApprovalRule,
    (whose, velocity): (&str, &Velocity),
    pace: Pace,
    currency: Currency,
) -> Option<Demand> {
    let too_many = velocity.most.is_some_and(|most| pace.count > most);
    let too_much = velocity.sum.is_some_and(|sum| pace.sum > sum);
    (velocity.people > 0 && (too_many || too_much)).then(|| {
        let why = format!(
            "{whose} {} {currency} in {} withdrawals within {} hours, this one included",
            pace.sum.to_text(currency),
            pace.count,
            velocity.window.num_hours(),
        );
        Demand { rule, people: velocity.people, why }
    })
}
