//! From settings to workers that run.

mod api;

use std::net::{self, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use broker::topology::{APPROVALS, DEAD, DECISIONS, FACTS, REQUESTS, payout_queue};
use broker::{BatchLimits, Connections, Inbox, Publisher};
use domain::{Policy, Rail};
use futures::future::BoxFuture;
use gateways::Gateways;
use secrecy::ExposeSecret;
use store::{Database, Vault};
use strum::IntoEnumIterator;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use workers::codes::Codes;
use workers::facts::Watch;
use workers::holds::Guard;
use workers::intake::Rules;
use workers::verification::Proofs;
use workers::{BankRules, Clock, Desk, PayoutPolicy, Till};

use crate::exit::{Exit, Failure};
use crate::settings::{BankSettings, ChannelsSettings, Settings};

/// A worker of the product, as it can run in a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Worker {
    /// Account facts.
    Facts,
    /// Facts that wait for others before them.
    Gaps,
    /// Requests.
    Intake,
    /// The amount rule.
    Approval,
    /// People's decisions.
    Decisions,
    /// Due legs.
    Release,
    /// Ends of holds.
    Holds,
    /// Ends of waiting.
    Expiry,
    /// Deadlines that were provisional.
    Deadlines,
    /// One rail.
    #[strum(disabled)]
    Payout(Rail),
    /// Queries.
    Settle,
    /// Statements.
    Reconcile,
    /// The invariants of the books.
    Verify,
    /// The outbox.
    Relay,
    /// Dead letters.
    Parking,
    /// Status, probes, metrics and gateways' notices over HTTP. Not among all the workers: it takes a port.
    Api,
}

impl Worker {
    /// Every worker, payouts on every rail.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Facts,
            Self::Gaps,
            Self::Intake,
            Self::Approval,
            Self::Decisions,
            Self::Release,
            Self::Holds,
            Self::Expiry,
            Self::Deadlines,
            Self::Settle,
            Self::Reconcile,
            Self::Verify,
            Self::Relay,
            Self::Parking,
        ];
        all.extend(Rail::iter().map(Self::Payout));
        all
    }

    /// Reads a list such as `facts,intake,payout`; `all` and `none` are words for lists.
    ///
    /// # Errors
    /// When a word is no worker.
    pub(crate) fn list(words: &[String]) -> Result<Vec<Self>> {
        let mut workers = Vec::new();
        for word in words {
            match word.as_str() {
                "all" => workers.extend(Self::all()),
                "none" => {}
                "payout" => workers.extend(Rail::iter().map(Self::Payout)),
                word => workers.push(word.parse().map_err(|_| {
                    let hint = "workers are facts, gaps, intake, approval, decisions, release, holds, expiry, deadlines, payout, settle, reconcile, verify, relay, parking, api; or say all or none";
                    Failure::new(Exit::Usage, format!("there is no worker {word:?}"), hint)
                })?),
            }
        }
        Ok(workers)
    }

    fn name(self) -> String {
        match self {
            Self::Payout(rail) => format!("payout {rail}"),
            worker => worker.to_string(),
        }
    }
}

/// What workers are made of.
#[derive(Clone)]
pub(crate) struct Wiring {
    /// The books.
    pub(crate) database: Database,
    /// RabbitMQ.
    pub(crate) connections: Connections,
    /// Whose time it is.
    pub(crate) clock: Clock,
    /// Seals and opens account numbers.
    pub(crate) vault: Vault,
    /// R10.
    pub(crate) proofs: Proofs,
    /// The rules of requests.
    pub(crate) rules: Policy,
    /// The rules of approvals and payouts.
    pub(crate) payouts: PayoutPolicy,
    /// How much may go to the bank at once.
    pub(crate) bank: BankSettings,
    /// How hard each channel may be pushed.
    pub(crate) channels: ChannelsSettings,
    /// Who pays; only the workers that pay or ask need them, and the API for notices.
    pub(crate) gateways: Option<Arc<Gateways>>,
    /// R10: issues codes; nothing where no key signs tokens.
    pub(crate) codes: Option<Codes>,
    /// Set on a machine of one's own.
    pub(crate) dev: Option<::api::Dev>,
    /// Where the API listens.
    pub(crate) api_address: SocketAddr,
    /// A door that is open there already.
    pub(crate) api_door: Option<Arc<net::TcpListener>>,
}

impl Wiring {
    /// Connects what the settings name. `name` is what the broker's operators see.
    ///
    /// A broker that is away is waited for, as workers do; a database that is
    /// away is an error, because a wrong address looks the same.
    ///
    /// # Errors
    /// When a setting is missing or wrong, or the database does not answer.
    pub(crate) async fn connect(settings: &Settings, name: &str) -> Result<Self> {
        let database = database(settings).await?;
        let connections = Connections::later(settings.broker_url()?.expose_secret(), name)?;
        let codes = settings.code_keys().is_ok() && settings.code_delivery().is_ok();
        Ok(Self {
            codes: if codes { Some(codes_over(settings, database.clone())?) } else { None },
            dev: settings.is_dev().then(|| ::api::Dev { simulator_url: settings.gateways.base_url.clone() }),
            database,
            connections,
            clock: Clock::System,
            vault: settings.vault()?,
            proofs: settings.proofs()?,
            rules: settings.policy.rules(),
            payouts: settings.policy.payouts(settings.calendar()?),
            bank: settings.bank,
            channels: settings.channels,
            gateways: settings.gateways()?.map(Arc::new),
            api_address: settings.api.listen,
            api_door: None,
        })
    }

    /// Runs workers until `stop` is raised or one of them cannot go on; then the
    /// others finish what is in hand.
    ///
    /// # Errors
    /// What the first worker that could not go on said.
    pub(crate) async fn run(&self, workers: &[Worker], stop: CancellationToken) -> Result<()> {
        let mut running = JoinSet::new();
        for worker in workers.iter().copied() {
            let duty = self.duty(worker, stop.clone())?;
            running.spawn(async move { (worker.name(), duty.await) });
        }
        let mut result = Ok(());
        while let Some(ended) = running.join_next().await {
            let failed = match ended {
                Ok((name, Ok(()))) if stop.is_cancelled() => {
                    info!(worker = name, "A worker ended");
                    continue;
                }
                Ok((name, Ok(()))) => anyhow::anyhow!("the worker {name} ended by itself"),
                Ok((name, Err(error))) => error.context(format!("the worker {name} cannot go on")),
                Err(panic) => anyhow::Error::from(panic).context("a worker broke down"),
            };
            error!("{failed:#}");
            stop.cancel();
            if result.is_ok() {
                result = Err(failed);
            }
        }
        result
    }

    /// The future of one worker.
    fn duty(&self, worker: Worker, stop: CancellationToken) -> Result<BoxFuture<'static, Result<()>>> {
        let (database, clock) = (self.database.clone(), self.clock.clone());
        let inbox = |queue| Inbox::open(&self.connections, queue, BatchLimits::default());
        let desk = || self.desk();
        Ok(match worker {
            Worker::Facts => {
                boxed(workers::facts::run(inbox(FACTS), database, self.vault.clone(), clock, stop))
            }
            Worker::Gaps => {
                let desk = workers::facts::Desk { database, vault: self.vault.clone() };
                boxed(workers::facts::watch(desk, clock, Watch::default(), stop))
            }
            Worker::Intake => {
                boxed(workers::intake::run(inbox(REQUESTS), database, self.rules(), clock, stop))
            }
            Worker::Approval => {
                boxed(workers::approval::run(inbox(APPROVALS), database, desk(), clock, stop))
            }
            Worker::Decisions => {
                boxed(workers::decisions::run(inbox(DECISIONS), database, desk(), clock, stop))
            }
            Worker::Release => boxed(workers::release::run(database, clock, stop)),
            Worker::Holds => {
                let guard = Guard { policy: self.payouts.clone(), vault: self.vault.clone() };
                boxed(workers::holds::run(database, guard, clock, stop))
            }
            Worker::Expiry => boxed(workers::expiry::run(database, clock, stop)),
            Worker::Deadlines => boxed(workers::deadlines::run(database, self.payouts.clone(), clock, stop)),
            Worker::Payout(rail) => {
                boxed(workers::payout::run(inbox(payout_queue(rail)), rail, self.till()?, stop))
            }
            Worker::Settle => boxed(workers::settle::run(self.till()?, stop)),
            Worker::Reconcile => boxed(workers::reconcile::run(self.till()?, stop)),
            Worker::Verify => boxed(workers::verify::run(database, self.payouts.approvers, clock, stop)),
            Worker::Parking => {
                boxed(workers::parking::run(inbox(DEAD), database, self.vault.clone(), clock, stop))
            }
            Worker::Api => boxed(self.api(stop)?),
            Worker::Relay => {
                boxed(workers::relay::run(Publisher::new(&self.connections), database, clock, stop))
            }
        })
    }

    fn rules(&self) -> Rules {
        Rules { policy: self.rules.clone(), proofs: self.proofs.clone(), vault: self.vault.clone() }
    }

    /// How decisions are made.
    fn desk(&self) -> Desk {
        Desk {
            policy: self.payouts.clone(),
            approval_wait: self.rules.approval_wait,
            vault: self.vault.clone(),
        }
    }

    /// What the workers that pay, ask and compare need.
    ///
    /// # Errors
    /// When the gateways' keys are not set.
    pub(crate) fn till(&self) -> Result<Till> {
        let Some(gateways) = &self.gateways else {
            bail!(Failure::new(
                Exit::Usage,
                "there are no keys of the gateways",
                "set `key_folder` and `base_url` of [gateways] in the settings file",
            ));
        };
        Ok(Till {
            database: self.database.clone(),
            vault: self.vault.clone(),
            gateways: Arc::clone(gateways),
            rules: Arc::new(self.rules.clone()),
            bank: BankRules {
                calendar: Arc::clone(&self.payouts.calendar),
                cut_offs: self.payouts.bank_cut_offs.clone(),
                daily_total: self.bank.daily_total,
                file_transfers: self.bank.file_transfers,
            },
            controls: self.channels.into(),
            clock: self.clock.clone(),
        })
    }
}

/// A duty whose errors are told alike.
fn boxed<E: Into<anyhow::Error>>(
    duty: impl Future<Output = Result<(), E>> + Send + 'static,
) -> BoxFuture<'static, Result<()>> {
    Box::pin(async { duty.await.map_err(Into::into) })
}

/// Connects to the database.
///
/// # Errors
/// When no address is set, or nobody answers there.
pub(crate) async fn database(settings: &Settings) -> Result<Database> {
    let url = settings.database_url()?;
    Database::connect(url.expose_secret(), settings.database.connections)
        .await
        .context("connecting to the database")
}

/// Verification codes (R10).
///
/// # Errors
/// When a key is missing or wrong, or the database does not answer.
pub(crate) async fn codes(settings: &Settings) -> Result<Codes> {
    codes_over(settings, database(settings).await?)
}

fn codes_over(settings: &Settings, database: Database) -> Result<Codes> {
    let (keyring, key_id) = settings.code_keys()?;
    Ok(Codes {
        vault: settings.vault()?,
        keyring,
        key_id,
        per_hour: settings.verification.codes_per_hour,
        delivery: settings.code_delivery()?,
        database,
    })
}

/// The broker, connected when it is first asked.
///
/// # Errors
/// When no address is set, or it is none.
pub(crate) fn broker_later(settings: &Settings, name: &str) -> Result<Connections> {
    Ok(Connections::later(settings.broker_url()?.expose_secret(), name)?)
}

/// Connects to the broker.
///
/// # Errors
/// When no address is set, or nobody answers there.
pub(crate) async fn broker(settings: &Settings, name: &str) -> Result<Connections> {
    let url = settings.broker_url()?;
    let opened = Connections::open(url.expose_secret(), name).await;
    // A port that speaks TLS ends a plain connection without a word.
    let hint = if url.expose_secret().starts_with("amqp://") {
        "connecting to the broker, without TLS (if it speaks TLS, its address begins with amqps://)"
    } else {
        "connecting to the broker, with TLS"
    };
    opened.context(hint)
}

#[cfg(test)]
mod tests {
    use domain::Rail;

    use super::Worker;

    #[test]
    fn lists_of_workers_are_words() {
        let list = |text: &str| {
            let words: Vec<String> = text.split(',').map(str::to_owned).collect();
            Worker::list(&words).map_err(|error| error.to_string())
        };
        assert_eq!(list("none"), Ok(vec![]));
        assert_eq!(list("facts,relay"), Ok(vec![Worker::Facts, Worker::Relay]));
        assert_eq!(list("payout").unwrap()[0], Worker::Payout(Rail::Alipay));
        assert_eq!(list("all"), Ok(Worker::all()));
        assert_eq!(list("fax").unwrap_err(), "there is no worker \"fax\"");
    }
}
