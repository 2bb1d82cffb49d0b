//! The servers that all runs of this program share: PostgreSQL, and RabbitMQ alone
//! or as a cluster of three nodes on the loopback address.

use anyhow::{Context, Result};
use devstack::{Environment, Options, Postgres, RabbitMq, Servers as Wanted, Stack};
use futures::future::try_join_all;

/// Nodes of a cluster.
pub(crate) const NODES: usize = 3;

/// Servers of our own.
pub(crate) struct Servers {
    first: Stack,
    /// The other nodes of the cluster, if there is one.
    others: Vec<Stack>,
}

impl Servers {
    /// One of each.
    pub(crate) async fn single() -> Result<Self> {
        Ok(Self { first: Stack::start(options()).await?, others: Vec::new() })
    }

    /// The same with two more nodes, which join the first one after the other.
    pub(crate) async fn cluster() -> Result<Self> {
        let first = Stack::start(clustered(options())).await?;
        let mut servers = Self { first, others: Vec::new() };
        while servers.others.len() + 1 < NODES {
            let join = Some(servers.first.rabbitmq()?.invitation());
            let options = Options { servers: Wanted::RabbitMqOnly, join, ..clustered(options()) };
            servers.others.push(Stack::start(options).await.context("a node of the cluster")?);
        }
        Ok(servers)
    }

    /// The first stack, which makes databases and virtual hosts.
    pub(crate) fn stack(&self) -> &Stack {
        &self.first
    }

    /// PostgreSQL.
    pub(crate) fn postgres(&self) -> Result<&Postgres> {
        self.first.postgres()
    }

    /// The nodes of RabbitMQ.
    pub(crate) fn nodes(&self) -> Result<Vec<&RabbitMq>> {
        std::iter::once(&self.first).chain(&self.others).map(Stack::rabbitmq).collect()
    }

    /// Where each node listens, for the same virtual host.
    pub(crate) fn amqp_urls(&self) -> Vec<&str> {
        std::iter::once(&self.first).chain(&self.others).map(Stack::amqp_url).collect()
    }

    /// Every node dies, and all come back: none of them can do so alone.
    pub(crate) async fn kill_brokers(&self) -> Result<()> {
        let nodes = self.nodes()?;
        try_join_all(nodes.iter().map(|it| it.kill())).await?;
        try_join_all(nodes.iter().map(|it| it.start())).await.map(drop)
    }

    /// Ends all of them.
    pub(crate) async fn stop(&self) -> Result<()> {
        for stack in self.others.iter().chain([&self.first]) {
            stack.stop().await?;
        }
        Ok(())
    }
}

/// A node that is cut off from most of the others takes nothing until it is back.
fn clustered(mut options: Options) -> Options {
    options.rabbitmq_settings.push(("cluster_partition_handling".to_owned(), "pause_minority".to_owned()));
    options
}

fn options() -> Options {
    let options = Options { environment: Environment::Ignored, ..Options::default() };
    options.reporting_to(|line| println!("{line}"))
}
