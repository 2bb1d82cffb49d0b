//! S08, S10: who may do what at the broker, as one table.
//!
//! Every process has a user of its own, which can consume and publish what it must
//! and configure nothing. `outflow.work` is a topic exchange for this reason: the
//! broker then checks the routing key too, so that whoever may publish facts
//! cannot publish decisions.

use serde_json::{Value, json};

use crate::topology::{
    APPROVALS, DEAD, DEAD_LETTERS, DECISIONS, EVENTS, FACTS, PAYOUT_ALIPAY, PAYOUT_BANK, PAYOUT_UNIONPAY,
    PAYOUT_WECHAT, REQUESTS, WORK,
};

/// What an upstream's own queue of events begins with: it may make as many as it likes.
pub const SUBSCRIPTIONS: &str = "outflow.events.";

/// What a user may create, delete and bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Configures {
    /// Nothing: every process that runs.
    Nothing,
    /// Queues of its own for events, by their names' beginning [`SUBSCRIPTIONS`].
    Subscriptions,
    /// The whole topology, once per installation: `outflow topology apply`.
    Topology,
}

/// Somebody who connects to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The name without its prefix, such as `intake`.
    pub name: &'static str,
    /// Who it is for.
    pub purpose: &'static str,
    /// What it may make.
    pub configures: Configures,
    /// The queues that it empties.
    pub consumes: &'static [&'static str],
    /// The exchanges that it publishes to, each with the routing keys; no key is every key.
    pub publishes: &'static [(&'static str, &'static [&'static str])],
}

/// Every user. Workers that are not here never connect to the broker.
pub const USERS: &[User] = &[
    worker("facts", &[FACTS]),
    worker("intake", &[REQUESTS]),
    worker("approval", &[APPROVALS]),
    worker("decisions", &[DECISIONS]),
    worker("payout", PAYOUTS),
    User { publishes: RELAYED, ..worker("relay", &[]) },
    worker("parking", &[DEAD]),
    // It asks whether the broker is there, and how full the queues are: nobody needs a permission for that.
    worker("api", &[]),
    User {
        purpose: "every worker in one process",
        publishes: RELAYED,
        ..worker(
            "all",
            &[
                FACTS,
                REQUESTS,
                APPROVALS,
                DECISIONS,
                PAYOUT_ALIPAY,
                PAYOUT_WECHAT,
                PAYOUT_UNIONPAY,
                PAYOUT_BANK,
                DEAD,
            ],
        )
    },
    User {
        purpose: "people at a command line: publish, decide, resolve",
        publishes: &[(WORK, &[FACTS, REQUESTS, DECISIONS])],
        ..worker("operator", &[])
    },
    User { purpose: "outflow topology apply", configures: Configures::Topology, ..worker("topology", &[]) },
    upstream("upstream_facts", "the service that knows accounts", &[(WORK, &[FACTS])]),
    upstream("upstream_requests", "the service that asks for withdrawals", &[(WORK, &[REQUESTS])]),
    upstream("upstream_decisions", "the service in which people decide", &[(WORK, &[DECISIONS])]),
    User {
        configures: Configures::Subscriptions,
        ..upstream("upstream_events", "a service that listens to events", &[])
    },
];

/// The queues of the rails.
const PAYOUTS: &[&str] = &[PAYOUT_ALIPAY, PAYOUT_WECHAT, PAYOUT_UNIONPAY, PAYOUT_BANK];

/// What leaves the outbox: nudges, messages sent again, events, dead letters.
const RELAYED: &[(&str, &[&str])] = &[(WORK, &[]), (EVENTS, &[]), (DEAD_LETTERS, &[])];

const fn worker(name: &'static str, consumes: &'static [&'static str]) -> User {
    User {
        name,
        purpose: "the worker of this name",
        configures: Configures::Nothing,
        consumes,
        publishes: &[],
    }
}

const fn upstream(
    name: &'static str,
    purpose: &'static str,
    publishes: &'static [(&'static str, &'static [&'static str])],
) -> User {
    User { name, purpose, configures: Configures::Nothing, consumes: &[], publishes }
}

impl User {
    /// The three patterns that RabbitMQ asks for.
    fn permissions(&self) -> [String; 3] {
        let exchanges = self.publishes.iter().map(|(exchange, _)| *exchange);
        match self.configures {
            Configures::Nothing => [exactly([]), exactly(exchanges), exactly(self.consumes.iter().copied())],
            Configures::Subscriptions => {
                let own = format!("^{}.+$", literal(SUBSCRIPTIONS));
                let read = format!("^({}|{}.+)$", literal(EVENTS), literal(SUBSCRIPTIONS));
                [own.clone(), own, read]
            }
            Configures::Topology => {
                let ours = format!("^({}|{})\\..+$", "outflow", "payout");
                [ours.clone(), ours.clone(), ours]
            }
        }
    }

    /// The permission on a virtual host, as definitions have it.
    pub(crate) fn permission(&self, user: &str, vhost: &str) -> Value {
        let [configure, write, read] = self.permissions();
        json!({ "user": user, "vhost": vhost, "configure": configure, "write": write, "read": read })
    }

    /// The routing keys of topic exchanges, as definitions have them.
    pub(crate) fn topic_permissions(&self, user: &str, vhost: &str) -> Vec<Value> {
        let some = self.publishes.iter().filter(|(_, keys)| !keys.is_empty());
        some.map(|(exchange, keys)| {
            let write = exactly(keys.iter().copied());
            json!({ "user": user, "vhost": vhost, "exchange": exchange, "write": write, "read": "^$" })
        })
        .collect()
    }
}

/// A pattern that fits these names and no other.
fn exactly<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(literal).collect();
    if names.is_empty() { "^$".to_owned() } else { format!("^({})$", names.join("|")) }
}

/// A name in a pattern: the only special character of ours is the dot.
fn literal(name: &str) -> String {
    name.replace('.', "\\.")
}

#[cfg(test)]
mod tests {
    use super::{Configures, USERS};
    use crate::topology::QUEUES;

    #[test]
    fn a_pattern_fits_its_names_and_nothing_near_them() {
        let of = |name: &str| USERS.iter().find(|it| it.name == name).unwrap().permissions();
        for (user, expected) in [
            ("intake", ["^$", "^$", "^(outflow\\.requests)$"]),
            ("relay", ["^$", "^(outflow\\.work|outflow\\.events|outflow\\.dead-letters)$", "^$"]),
            ("api", ["^$", "^$", "^$"]),
            ("upstream_requests", ["^$", "^(outflow\\.work)$", "^$"]),
            (
                "upstream_events",
                [
                    "^outflow\\.events\\..+$",
                    "^outflow\\.events\\..+$",
                    "^(outflow\\.events|outflow\\.events\\..+)$",
                ],
            ),
        ] {
            assert_eq!(of(user), expected, "{user}");
        }
    }

    #[test]
    fn every_queue_has_who_empties_it_and_nobody_who_runs_makes_anything() {
        for queue in QUEUES {
            let consumers = USERS.iter().filter(|it| it.name != "all" && it.consumes.contains(&queue.name));
            assert_eq!(consumers.count(), 1, "{}", queue.name);
        }
        let makers: Vec<&str> =
            USERS.iter().filter(|it| it.configures != Configures::Nothing).map(|it| it.name).collect();
        assert_eq!(makers, ["topology", "upstream_events"]);
    }
}
