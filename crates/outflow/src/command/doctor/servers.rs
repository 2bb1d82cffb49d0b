//! The database, the broker and the gateways: whether they answer, and are as they must be.

use std::time::Duration;

use broker::topology;
use broker::{Connections, Depth};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::DATE;
use store::Database;
use store::schema::{self, Role};
use workers::Clock;

use super::Finding;
use crate::settings::Settings;
use crate::wiring;

/// Clocks that differ by more make signatures and deadlines doubtful.
const SKEW_MAX: TimeDelta = TimeDelta::seconds(30);

/// The longest that a gateway may take to answer anything at all.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(5);

/// What was found, and what could be opened.
pub(super) struct Servers {
    pub(super) findings: Vec<Finding>,
    pub(super) database: Option<Database>,
}

/// Asks every server that the settings name.
pub(super) async fn examine(settings: &Settings, at: DateTime<Utc>) -> Servers {
    let mut findings = Vec::new();
    let database = match wiring::database(settings).await {
        Ok(database) => {
            findings.extend(self::database(&database, settings, at).await);
            Some(database)
        }
        Err(error) => {
            let mend =
                "start PostgreSQL, or correct OUTFLOW_DATABASE_URL or [database]; `outflow dev` starts one";
            findings.push(Finding::bad("database", format!("{error:#}"), mend));
            None
        }
    };
    match wiring::broker(settings, "outflow doctor").await {
        Ok(connections) => findings.extend(broker(&connections).await),
        Err(error) => {
            let mend = "start RabbitMQ, or correct OUTFLOW_AMQP_URL or [broker]; `outflow dev` starts one";
            findings.push(Finding::bad("broker", format!("{error:#}"), mend));
        }
    }
    findings.extend(gateways(settings).await);
    Servers { findings, database }
}

async fn database(database: &Database, settings: &Settings, at: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = vec![Finding::good("database", "answers")];
    findings.push(match schema::compare(database).await {
        Ok(it) if !it.missing.is_empty() => {
            Finding::bad("schema", format!("migrations {:?} are not applied", it.missing), "outflow migrate")
        }
        Ok(it) if !it.unknown.is_empty() => Finding::doubtful(
            "schema",
            format!("it has migrations {:?}, which this program does not know", it.unknown),
            "update this program; a newer one migrated the database",
        ),
        Ok(_) => Finding::good("schema", "up to date"),
        Err(error) => {
            Finding::doubtful("schema", error.to_string(), "ask as the owner of the tables, who migrates")
        }
    });
    findings.push(match schema::role(database).await {
        Ok(role) => judge_role(&role, settings.is_dev()),
        Err(error) => Finding::bad("role", error.to_string(), "outflow doctor again"),
    });
    let clock = async {
        let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
        schema::clock(&mut connection).await
    };
    match clock.await {
        Ok(theirs) => findings.push(skew("the database", theirs - at)),
        Err(error) => {
            findings.push(Finding::bad("clock of the database", error.to_string(), "outflow doctor again"));
        }
    }
    findings
}

/// S05: who the product is to the database.
fn judge_role(role: &Role, is_dev: bool) -> Finding {
    let name = &role.name;
    if role.is_standby {
        let detail = "this server is a standby and takes no writes";
        return Finding::bad("role", detail, "name the primary in OUTFLOW_DATABASE_URL or [database]");
    }
    if role.may_write == Some(false) {
        let detail = format!("{name} may not write withdrawals");
        let mend = "ask as outflow_operator; deploy/postgresql/roles.sql gives every role what it needs";
        return Finding::bad("role", detail, mend);
    }
    if role.is_superuser && !is_dev {
        let detail = format!("{name} is a superuser, before whom no guard of the database holds");
        return Finding::doubtful("role", detail, "give the product a role of its own, without superuser");
    }
    Finding::good("role", format!("{name} may do what the product does"))
}

/// Two clocks. What passed while the server was asked counts too, and is little.
fn skew(whose: &str, difference: TimeDelta) -> Finding {
    let name = format!("clock of {whose}");
    let seconds = difference.num_seconds();
    if difference.abs() > SKEW_MAX {
        let detail = format!("{seconds} s apart from this machine's");
        return Finding::bad(name, detail, "synchronise both clocks with NTP (chronyc tracking)");
    }
    Finding::good(name, "agrees with this machine's")
}

async fn broker(connections: &Connections) -> Vec<Finding> {
    let mut findings = vec![Finding::good("broker", "answers")];
    match topology::diff(connections).await {
        Ok(differences) if differences.is_empty() => {
            findings.push(Finding::good("topology", "every exchange and queue is as wanted"));
        }
        Ok(differences) => findings.extend(differences.iter().map(|it| {
            let mend = if it.detail == "is missing" {
                "outflow topology apply".to_owned()
            } else {
                format!("empty and delete the {}, then outflow topology apply", it.object)
            };
            Finding::bad("topology", it.to_string(), mend)
        })),
        // Whoever runs may configure nothing, and nobody can ask without that right.
        Err(error) => findings.push(Finding::doubtful(
            "topology",
            format!("cannot be asked: {error}"),
            "outflow topology diff, as the broker's user who may configure",
        )),
    }
    if let Ok(depths) = broker::depths(connections).await {
        findings.extend(consumers(&depths));
    }
    findings
}

/// Queues that nobody empties. Dead letters are for people.
fn consumers(depths: &[Depth]) -> Vec<Finding> {
    let idle = depths.iter().filter(|it| it.queue != topology::DEAD).filter_map(|it| {
        let counted = it.counted.filter(|it| it.consumers == 0)?;
        let detail = format!("{}: {} messages and no consumer", it.queue, counted.ready);
        Some(Finding::bad("consumers", detail, format!("outflow run {}", worker_of(it.queue))))
    });
    let found: Vec<Finding> = idle.collect();
    if found.is_empty() { vec![Finding::good("consumers", "every work queue has one")] } else { found }
}

/// The worker of a queue, as it is started.
fn worker_of(queue: &str) -> String {
    match queue {
        topology::REQUESTS => "intake".to_owned(),
        topology::APPROVALS => "approval".to_owned(),
        queue => match queue.strip_prefix("payout.") {
            Some(rail) => format!("payout --rail {rail}"),
            None => queue.trim_start_matches("outflow.").to_owned(),
        },
    }
}

async fn gateways(settings: &Settings) -> Vec<Finding> {
    let client = reqwest::Client::builder()
        .timeout(GATEWAY_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            return vec![Finding::bad("gateways", error.to_string(), "look at this machine's certificates")];
        }
    };
    let mut findings = Vec::new();
    for (name, url) in settings.gateway_addresses() {
        let name = format!("gateway {name}");
        // Any answer is one: what is asked here is nothing that they know.
        match client.get(url).send().await {
            Ok(answer) => {
                let theirs = answer.headers().get(DATE).and_then(|it| it.to_str().ok());
                let theirs = theirs.and_then(|it| DateTime::parse_from_rfc2822(it).ok());
                findings.push(Finding::good(name.clone(), "answers"));
                findings.extend(theirs.map(|it| skew(&name, it.to_utc() - Clock::System.now())));
            }
            Err(error) => findings.push(Finding::bad(
                name,
                format!("{url} does not answer: {}", error.without_url()),
                "look at the address in [gateways], at the firewall, and at the channel's own status page",
            )),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use broker::topology::QUEUES;
    use broker::{Counted, Depth};
    use chrono::TimeDelta;
    use store::schema::Role;

    use super::super::Verdict;
    use super::{consumers, judge_role, skew, worker_of};
    use crate::wiring::Worker;

    #[test]
    fn s05_a_role_that_can_do_too_little_or_too_much_is_told() {
        let role = |is_superuser, is_standby, may_write| Role {
            name: "outflow".to_owned(),
            is_superuser,
            is_standby,
            may_write,
        };
        for (role, is_dev, verdict) in [
            (role(false, false, Some(true)), false, Verdict::Good),
            (role(false, false, None), false, Verdict::Good),
            (role(true, false, Some(true)), true, Verdict::Good),
            (role(true, false, Some(true)), false, Verdict::Doubtful),
            (role(false, false, Some(false)), true, Verdict::Bad),
            (role(false, true, Some(true)), false, Verdict::Bad),
        ] {
            let found = judge_role(&role, is_dev);
            assert!(
                found.verdict == verdict && (verdict == Verdict::Good || !found.mend.is_empty()),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_queue_without_a_consumer_is_named_with_the_worker_that_empties_it() {
        let depths: Vec<Depth> = QUEUES
            .iter()
            .map(|it| Depth { queue: it.name, counted: Some(Counted { ready: 3, consumers: 0 }) })
            .collect();
        let found = consumers(&depths);
        assert_eq!(found.len(), QUEUES.len() - 1, "dead letters are for people");
        for it in &found {
            let worker = it.mend.trim_start_matches("outflow run ").split(' ').next().unwrap();
            assert!(worker.parse::<Worker>().is_ok(), "{}", it.mend);
        }
        assert_eq!(worker_of("payout.bank"), "payout --rail bank");
    }

    #[test]
    fn clocks_may_differ_by_half_a_minute() {
        for (seconds, verdict) in [
            (0, Verdict::Good),
            (30, Verdict::Good),
            (-30, Verdict::Good),
            (31, Verdict::Bad),
            (-900, Verdict::Bad),
        ] {
            assert_eq!(skew("it", TimeDelta::seconds(seconds)).verdict, verdict, "{seconds}");
        }
    }
}
