//! How each accident of the plan is made to happen, and what is left to do afterwards.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chrono::{DateTime, TimeDelta};
use devstack::RabbitMq;
use lapin::options::QueuePurgeOptions;
use nix::sys::signal::Signal;
use tests::proxy::{Cut, Proxy, Weather};
use tokio::time::sleep;

use super::Storm;
use crate::plan::{Bad, Fault, Loss, Place, Way};
use crate::scene::eventually;
use crate::upstream;

/// How long bad weather lasts.
const WEATHER: Duration = Duration::from_millis(800);

/// How long a node may take to notice that it was cut off.
const NOTICED: Duration = Duration::from_mins(2);

/// How long a node is cut off.
const PARTITION: Duration = Duration::from_secs(3);

/// How much longer than its caller waits a request takes (the settings say three seconds).
const LATE: Duration = Duration::from_millis(3_500);

/// Longer than any lease of the workers.
const LEASE: TimeDelta = TimeDelta::seconds(70);

impl Storm<'_> {
    /// Makes one accident happen.
    pub(super) async fn strike(&mut self, fault: &Fault) -> Result<()> {
        *self.counts.entry(fault.name()).or_default() += u64::from(!matches!(fault, Fault::Armed { .. }));
        match fault {
            Fault::Armed { place, point, nth } => {
                // It is counted when it has died there.
                self.fleet.kill(*place, Some(&format!("{point}={nth}:kill"))).await
            }
            Fault::Kill { place } => self.fleet.kill(*place, None).await,
            Fault::KillApi => self.scene.kill_api().await,
            Fault::Hold { place } => self.hold(*place).await,
            Fault::PostgresCrash => self.crash().await,
            Fault::EndBackends { count } => self.end_backends(*count).await,
            Fault::CutCommit { after } => self.cut(&self.scene.ways.database, *after).await,
            Fault::CutBroker { after } => self.cut(&self.scene.ways.broker, *after).await,
            Fault::CutCall { after } => self.cut(&self.scene.ways.gateways, *after).await,
            Fault::Network { way, weather } => self.network(*way, *weather).await,
            Fault::BrokerKill => self.servers.kill_brokers().await,
            Fault::NodeLost { node, how } => self.lose_node(*node, *how).await,
            Fault::Purge { queue } => self.purge(queue).await,
            Fault::Alarm => self.alarm().await,
            Fault::Mislead { place, seconds } => {
                self.fleet.time().mislead(self.fleet.clock(*place), TimeDelta::seconds(*seconds))
            }
            Fault::LateCalls => self.spoil(&self.scene.ways.gateways, Weather::Late(LATE), 4 * WEATHER).await,
            Fault::Overload => self.spoil(&self.scene.ways.gateways, Weather::Busy, 4 * WEATHER).await,
            Fault::Replace { place } => self.fleet.replace(*place).await,
            Fault::Poison { number } => self.driver.publish(vec![upstream::poison(*number)]).await,
            Fault::Fiftyfold => {
                let at = DateTime::UNIX_EPOCH;
                let message = upstream::request(0, 0, at);
                self.driver.publish(vec![message; 50]).await
            }
        }
    }

    /// The process wakes up when its leases are long over.
    async fn hold(&mut self, place: usize) -> Result<()> {
        self.fleet.hold(place, Signal::SIGSTOP)?;
        self.scene.time.jump(LEASE)?;
        sleep(WEATHER).await;
        self.fleet.hold(place, Signal::SIGCONT)
    }

    async fn crash(&self) -> Result<()> {
        let postgres = self.servers.postgres()?;
        postgres.stop_immediately().await?;
        postgres.start().await
    }

    /// One node of the cluster dies, is stopped, or is cut off, and comes back.
    async fn lose_node(&self, node: usize, how: Loss) -> Result<()> {
        let nodes = self.servers.nodes()?;
        let node = nodes[node % nodes.len()];
        match how {
            Loss::Killed => node.kill().await?,
            Loss::Stopped => node.stop().await?,
            Loss::CutOff => {
                let others: Vec<&RabbitMq> =
                    nodes.iter().copied().filter(|it| !std::ptr::eq(*it, node)).collect();
                node.cut_off(&others).await?;
                // A node alone must notice, and take nothing: only then was it cut off.
                let began = Instant::now();
                while node.answers().await {
                    ensure!(began.elapsed() < NOTICED, "a node that was cut off goes on");
                    sleep(WEATHER).await;
                }
                sleep(PARTITION).await;
                return node.rejoin(&others).await;
            }
        }
        sleep(WEATHER).await;
        node.start().await
    }

    async fn end_backends(&self, count: i64) -> Result<()> {
        let end = "select count(pg_terminate_backend(pid))
                     from (select pid from pg_stat_activity
                            where datname = current_database() and pid <> pg_backend_pid()
                            order by md5(pid::text) limit $1) as victims";
        eventually("ending backends", async || {
            sqlx::query(end).bind(count).execute(self.scene.database.pool()).await
        })
        .await
        .map(drop)
    }

    /// Cuts the next decisive frame, if one comes soon.
    async fn cut(&self, way: &Proxy, place: Place) -> Result<()> {
        let before = way.cuts_made();
        way.cut_next(if place == Place::Before { Cut::Before } else { Cut::After });
        for _ in 0..20 {
            if way.cuts_made() > before {
                break;
            }
            sleep(WEATHER / 20).await;
        }
        Ok(())
    }

    async fn network(&self, way: Way, weather: Bad) -> Result<()> {
        let ways = &self.scene.ways;
        let proxy = match way {
            Way::Database => &ways.database,
            Way::Broker => &ways.broker,
            Way::Gateways => &ways.gateways,
        };
        let weather = match weather {
            Bad::Slow => Weather::Late(Duration::from_millis(50)),
            Bad::Crumbs => Weather::Crumbs,
            Bad::Hole => Weather::Hole,
        };
        self.spoil(proxy, weather, WEATHER).await
    }

    async fn spoil(&self, way: &Proxy, weather: Weather, lasts: Duration) -> Result<()> {
        way.set(weather);
        sleep(lasts).await;
        way.set(Weather::Fair);
        Ok(())
    }

    async fn purge(&self, queue: &str) -> Result<()> {
        eventually("emptying a queue", async || -> Result<()> {
            let channel = self.scene.connections.consuming.try_channel().await?;
            channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
            Ok(())
        })
        .await
    }

    async fn alarm(&self) -> Result<()> {
        // An alarm of one node stops the publishers of all.
        let nodes = self.servers.nodes()?;
        nodes[0].alarm().await?;
        sleep(2 * WEATHER).await;
        nodes[0].end_alarm().await
    }
}
