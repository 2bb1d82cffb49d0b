//! From settings to workers that run.

mod address;
mod api;
mod worker;

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

pub(crate) use self::worker::{Word, Worker, words};
use crate::exit::{Exit, Failure};
use crate::settings::{BankSettings, ChannelsSettings, Settings};

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
    /// The rails that the payout worker serves.
    pub(crate) rails: Vec<Rail>,
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
            rails: Rail::iter().collect(),
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
            for (name, duty) in self.duties(worker, &stop)? {
                running.spawn(async move { (name, duty.await) });
            }
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

    /// What a worker does, by name: one duty each, and payout one per rail.
    fn duties(&self, worker: Worker, stop: &CancellationToken) -> Result<Vec<(String, Duty)>> {
        if worker != Worker::Payout {
            return Ok(vec![(worker.to_string(), self.duty(worker, stop.clone())?)]);
        }
        let payout = |rail: &Rail| {
            let inbox = Inbox::open(&self.connections, payout_queue(*rail), BatchLimits::NUDGES);
            let duty = boxed(workers::payout::run(inbox, *rail, self.till()?, stop.clone()));
            Ok((format!("{worker} {rail}"), duty))
        };
        self.rails.iter().map(payout).collect()
    }

    /// The future of one worker.
    fn duty(&self, worker: Worker, stop: CancellationToken) -> Result<Duty> {
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
                let inbox = Inbox::open(&self.connections, APPROVALS, BatchLimits::NUDGES);
                boxed(workers::approval::run(inbox, database, desk(), clock, stop))
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
            Worker::Payout => bail!("the payout worker has a duty per rail"),
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

/// What a worker does until it is told to stop.
type Duty = BoxFuture<'static, Result<()>>;

/// A duty whose errors are told alike.
fn boxed<E: Into<anyhow::Error>>(duty: impl Future<Output = Result<(), E>> + Send + 'static) -> Duty {
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
        .with_context(|| address::database(url.expose_secret()))
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
    opened.with_context(|| address::broker(url.expose_secret()))
}
