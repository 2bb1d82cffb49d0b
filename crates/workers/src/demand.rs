//! How many people a withdrawal needs, asked of the rules once per effect and kept.
//!
//! ```text
//! cases in hand ─▶ kept for this effect? that · else payees locked ▸ pace read ▸ rules asked ▸ kept
//! ```
//!
//! The rules of velocity look at what others were let have (S11). They hold for
//! any number of requests at once because the looking and the letting go happen
//! under the locks of the account and of the payee, and what was let go counts
//! whatever came first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use broker::contract::{Amount, ApprovalDemand, ApprovalRequired};
use domain::{ApprovalRules, Asked, Demand, Pace, Velocity, demands, people_needed};
use serde_json::{Value, json};
use store::demands::{Needed, Whose};
use store::outbox::Outgoing;
use store::{Tx, decisions};
use uuid::Uuid;

use crate::PayoutPolicy;
use crate::cases::{Case, Cases};
use crate::events;

/// How many people withdrawals need for the effects that they have now.
#[derive(Debug, Default)]
pub(crate) struct Demands {
    people: BTreeMap<Uuid, u32>,
    /// What the rules said just now.
    new: Vec<(Uuid, Vec<Demand>)>,
}

impl Demands {
    /// So many people. Nothing where the rules have not looked at this effect.
    pub(crate) fn people(&self, id: Uuid) -> Option<u32> {
        self.people.get(&id).copied()
    }

    /// The effect is another one by now.
    pub(crate) fn forget(&mut self, id: Uuid) {
        self.people.remove(&id);
    }
}

/// Asks the rules about `ids`, all of them in hand; what was asked before stays.
pub(crate) async fn settle(
    tx: &mut Tx,
    cases: &Cases,
    ids: &[Uuid],
    policy: &PayoutPolicy,
) -> Result<Demands, store::Error> {
    if ids.is_empty() {
        return Ok(Demands::default());
    }
    let kept = store::demands::needed(tx, ids).await?;
    let mut people: BTreeMap<Uuid, u32> =
        kept.iter().map(|it| (it.withdrawal_id, u32::try_from(it.people).unwrap_or(u32::MAX))).collect();
    let new: Vec<Uuid> = ids.iter().copied().filter(|id| !people.contains_key(id)).collect();
    if new.is_empty() {
        return Ok(Demands { people, new: Vec::new() });
    }
    let sight = Sight::read(tx, &new, (policy, cases)).await?;
    let (mut rows, mut heard) = (Vec::with_capacity(new.len()), Vec::with_capacity(new.len()));
    for id in new {
        let Some(case) = cases.get(id) else { continue };
        let Some(effect) = case.withdrawal.effect_digest.clone() else { continue };
        let said = demands(&policy.amount_rule(), &policy.approval, &sight.asked(case));
        let needed = people_needed(&said);
        people.insert(id, needed);
        rows.push(Needed {
            withdrawal_id: id,
            effect_digest: effect,
            people: i32::try_from(needed).unwrap_or(i32::MAX),
            demands: said.iter().map(in_json).collect(),
        });
        heard.push((id, said));
    }
    store::demands::put(tx, &rows, cases.at()).await?;
    Ok(Demands { people, new: heard })
}

/// So many people by the amount alone, where no other rule is set: that needs no
/// look at the books.
pub(crate) fn by_amount(case: &Case, policy: &PayoutPolicy) -> Option<u32> {
    let none = ApprovalRules::default();
    (policy.approval == none).then(|| {
        let it = &case.withdrawal;
        let asked = Asked {
            account_id: &it.account_id,
            amount: it.amount,
            currency: it.currency,
            rails: BTreeSet::new(),
            is_first_bank_card: false,
            account_pace: Vec::new(),
            payee_pace: Vec::new(),
        };
        people_needed(&demands(&policy.amount_rule(), &none, &asked))
    })
}

/// Tells whoever approves what waits for them since just now, and why.
pub(crate) fn tell(cases: &mut Cases, demands: &Demands) {
    for (id, said) in &demands.new {
        let needed = people_needed(said);
        let event = cases.get(*id).filter(|_| needed > 0);
        if let Some(event) = event.map(|case| required_event(case, needed, said, cases.at())) {
            cases.publish(event);
        }
    }
}

/// The people whose approvals of these withdrawals stand.
pub(crate) async fn approvers(
    tx: &mut Tx,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, BTreeSet<String>>, store::Error> {
    let mut approvers: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
    for (withdrawal, actor) in decisions::approvers(tx, ids).await? {
        approvers.entry(withdrawal).or_default().insert(actor);
    }
    Ok(approvers)
}

/// What the books say about the withdrawals that are looked at.
struct Sight {
    first_cards: BTreeSet<Uuid>,
    /// One element per rule of velocity.
    accounts: Vec<HashMap<Uuid, Pace>>,
    payees: Vec<HashMap<Uuid, Pace>>,
}

impl Sight {
    async fn read(
        tx: &mut Tx,
        ids: &[Uuid],
        (policy, cases): (&PayoutPolicy, &Cases),
    ) -> Result<Self, store::Error> {
        let rules = &policy.approval;
        let first_cards = if rules.first_bank_card > 0 {
            store::demands::first_bank_cards(tx, ids).await?.into_iter().collect()
        } else {
            BTreeSet::new()
        };
        if !rules.payee_velocity.is_empty() {
            store::demands::lock_payees(tx, ids).await?;
        }
        let accounts = paces(tx, ids, (Whose::Account, &rules.account_velocity), cases).await?;
        let payees = paces(tx, ids, (Whose::Payee, &rules.payee_velocity), cases).await?;
        Ok(Self { first_cards, accounts, payees })
    }

    fn asked<'a>(&self, case: &'a Case) -> Asked<'a> {
        let it = &case.withdrawal;
        let of = |paces: &[HashMap<Uuid, Pace>]| -> Vec<Pace> {
            paces.iter().map(|pace| pace.get(&it.id).copied().unwrap_or_default()).collect()
        };
        Asked {
            account_id: &it.account_id,
            amount: it.amount,
            currency: it.currency,
            rails: case.live().map(|leg| leg.rail).collect(),
            is_first_bank_card: self.first_cards.contains(&it.id),
            account_pace: of(&self.accounts),
            payee_pace: of(&self.payees),
        }
    }
}

async fn paces(
    tx: &mut Tx,
    ids: &[Uuid],
    (whose, rules): (Whose, &[Velocity]),
    cases: &Cases,
) -> Result<Vec<HashMap<Uuid, Pace>>, store::Error> {
    let mut paces = Vec::with_capacity(rules.len());
    for rule in rules {
        let rows = store::demands::pace(tx, ids, whose, (rule.window, cases.at())).await?;
        paces.push(rows.into_iter().collect());
    }
    Ok(paces)
}

fn in_json(demand: &Demand) -> Value {
    json!({ "rule": demand.rule.to_string(), "people": demand.people, "why": demand.why })
}

fn required_event(case: &Case, people: u32, said: &[Demand], at: chrono::DateTime<chrono::Utc>) -> Outgoing {
    let it = &case.withdrawal;
    let demand = |it: &Demand| ApprovalDemand { rule: it.rule, people: it.people, why: it.why.clone() };
    let effect = it.effect_digest.as_deref().map(hex::encode).unwrap_or_default();
    let required = ApprovalRequired {
        withdrawal_id: it.id,
        account_id: it.account_id.parse().expect("the contract admitted this account"),
        amount: Amount::new(it.amount, it.currency),
        currency: it.currency,
        route: it.route,
        people,
        demands: said.iter().map(demand).collect(),
        effect_digest: effect.parse().expect("SHA-256 has 64 digits"),
        expires_at: it.expires_at,
    };
    let key = ApprovalRequired::ROUTING_KEY.to_owned();
    events::message(it, key, required.into_message(Uuid::now_v7(), at))
}
