//! `outflow topology`: the exchanges and queues, as code has them and as RabbitMQ has them.

use anyhow::{Context, Result};
use broker::topology::{self, EXCHANGES, QUEUES};
use serde_json::json;

use crate::cli::{General, Topology};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Applies the topology, or says how the broker's is different.
///
/// # Errors
/// When the broker is away, or has an object with other arguments. A difference
/// found by `diff` is a refusal too, so that a script can tell.
pub(crate) async fn run(general: &General, action: &Topology) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let connections = wiring::broker(&settings, "outflow topology").await?;
    match action {
        Topology::Apply => {
            topology::apply(&connections).await.context("declaring exchanges and queues")?;
            let (exchanges, queues) = (EXCHANGES.len(), QUEUES.len());
            eprintln!("{exchanges} exchanges and {queues} queues are there.\nnext: outflow run all");
            Ok(())
        }
        Topology::Diff => {
            let differences = topology::diff(&connections).await.context("comparing exchanges and queues")?;
            if general.output.is_data() {
                let rows = differences.iter().map(|it| json!({ "object": it.object, "detail": it.detail }));
                output::data(general.output, &rows.collect());
            } else {
                for difference in &differences {
                    println!("{difference}");
                }
            }
            if differences.is_empty() {
                eprintln!("The broker has what the product needs.");
                return Ok(());
            }
            let what = format!("{} exchanges or queues are missing or different", differences.len());
            Err(Failure::new(Exit::Refused, what, "outflow topology apply").into())
        }
    }
}
