//! `[policy.approval]`: what besides the amount makes people look.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{ApprovalRules, Band, Money, Rail, Velocity};
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{amount, amount_text};

/// The rules beside the limit of the amount. None of them by default.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ApprovalSettings {
    /// Amounts above the limit that need other people than the full quorum.
    #[serde(deserialize_with = "bands")]
    bands: Vec<BandSettings>,
    /// People for a bank card that the account was never paid out to.
    first_bank_card: u32,
    /// Accounts that somebody has an eye on.
    flagged_accounts: BTreeSet<String>,
    /// People for these.
    flagged: u32,
    /// People by the channel that carries a leg.
    #[schemars(with = "BTreeMap<String, u32>")]
    channels: BTreeMap<RailWord, u32>,
    /// Per account.
    #[serde(deserialize_with = "velocities")]
    account_velocity: Vec<VelocitySettings>,
    /// Per receiving bank account.
    #[serde(deserialize_with = "velocities")]
    payee_velocity: Vec<VelocitySettings>,
}

/// An amount up to which so many people are needed.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BandSettings {
    #[serde(deserialize_with = "amount", serialize_with = "amount_text")]
    #[schemars(with = "String")]
    up_to: Money,
    people: u32,
}

/// How much may go in how long before people look.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VelocitySettings {
    hours: u32,
    #[serde(default)]
    most: Option<u32>,
    #[serde(default, deserialize_with = "maybe_amount", serialize_with = "maybe_amount_text")]
    #[schemars(with = "Option<String>")]
    sum: Option<Money>,
    people: u32,
}

/// A channel by its name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RailWord(Rail);

impl<'de> Deserialize<'de> for RailWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let rail = text.parse().map_err(|_| {
            D::Error::custom(format!("{text:?} is no channel; must be one of alipay, wechat, unionpay, bank"))
        })?;
        Ok(Self(rail))
    }
}

impl Serialize for RailWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.into())
    }
}

impl Default for ApprovalSettings {
    fn default() -> Self {
        Self {
            bands: Vec::new(),
            first_bank_card: 0,
            flagged_accounts: BTreeSet::new(),
            // Naming an account is enough.
            flagged: 2,
            channels: BTreeMap::new(),
            account_velocity: Vec::new(),
            payee_velocity: Vec::new(),
        }
    }
}

impl ApprovalSettings {
    /// The rules as the domain knows them.
    pub(super) fn rules(&self) -> ApprovalRules {
        let velocity = |it: &VelocitySettings| Velocity {
            window: TimeDelta::hours(it.hours.into()),
            most: it.most,
            sum: it.sum,
            people: it.people,
        };
        ApprovalRules {
            bands: self.bands.iter().map(|it| Band { up_to: it.up_to, people: it.people }).collect(),
            first_bank_card: self.first_bank_card,
            flagged_accounts: self.flagged_accounts.clone(),
            flagged: self.flagged,
            rails: self.channels.iter().map(|(rail, people)| (rail.0, *people)).collect(),
            account_velocity: self.account_velocity.iter().map(velocity).collect(),
            payee_velocity: self.payee_velocity.iter().map(velocity).collect(),
        }
    }
}

fn maybe_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Money>, D::Error> {
    amount(deserializer).map(Some)
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn maybe_amount_text<S: Serializer>(amount: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => amount_text(amount, serializer),
        None => serializer.serialize_none(),
    }
}

/// Bands in any order, each with an end and people of its own.
fn bands<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<BandSettings>, D::Error> {
    let bands = Vec::<BandSettings>::deserialize(deserializer)?;
    let ends: BTreeSet<Money> = bands.iter().map(|band| band.up_to).collect();
    if ends.len() < bands.len() {
        return Err(D::Error::custom("two bands end at the same amount"));
    }
    if bands.iter().any(|band| band.people == 0) {
        return Err(D::Error::custom(
            "a band needs people, at least 1; `auto_approve_up_to` is the amount that needs none",
        ));
    }
    Ok(bands)
}

/// Rules that can apply: a window, a limit, and people.
fn velocities<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<VelocitySettings>, D::Error> {
    let rules = Vec::<VelocitySettings>::deserialize(deserializer)?;
    let empty = |it: &VelocitySettings| {
        !(1..=8760).contains(&it.hours) || it.people == 0 || (it.most.is_none() && it.sum.is_none())
    };
    if rules.iter().any(empty) {
        return Err(D::Error::custom(
            "a rule of velocity needs `hours` from 1 to 8760, `people` of at least 1, and `most` or `sum` or both",
        ));
    }
    Ok(rules)
}
