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
    if let Topology::Definitions { vhost, prefix } = action {
        print_definitions(general, vhost, prefix);
        return Ok(());
    }
    let settings = Settings::load(general.config.as_deref())?;
    let connections = wiring::broker(&settings, "outflow topology").await?;
    match action {
        // Printed above, without a broker.
        Topology::Definitions { .. } => Ok(()),
        Topology::Apply => {
            topology::apply(&connections).await.context("declaring exchanges and queues")?;
            let (exchanges, queues) = (EXCHANGES.len(), QUEUES.len());
            output::talk(&format!("{exchanges} exchanges and {queues} queues are there."));
            output::next(general, "outflow run all");
            Ok(())
        }
        Topology::Diff => {
            let differences = topology::diff(&connections).await.context("comparing exchanges and queues")?;
            if general.output.is_data() {
                let rows = differences.iter().map(|it| json!({ "object": it.object, "detail": it.detail }));
                output::list(general.output, &["object", "detail"], &rows.collect::<Vec<_>>());
            } else {
                for difference in &differences {
                    println!("{difference}");
                }
            }
            if differences.is_empty() {
                output::talk("The broker has what the product needs.");
                output::next(general, "outflow run all");
                return Ok(());
            }
            let what = format!("{} exchanges or queues are missing or different", differences.len());
            Err(Failure::new(Exit::Refused, what, "outflow topology apply").into())
        }
    }
}

/// Prints the definitions, with the passwords that the environment has.
fn print_definitions(general: &General, vhost: &str, prefix: &str) {
    let password = |name: &str| {
        let variable = format!("OUTFLOW_AMQP_PASSWORD_{}", name.to_uppercase());
        std::env::var(variable).ok().filter(|it| !it.is_empty())
    };
    let hash = |name: &str| password(name).map(|it| broker::password_hash(&it, rand::random()));
    println!("{:#}", broker::definitions(vhost, prefix, hash));
    let without: Vec<&str> = broker::user_names().filter(|name| password(name).is_none()).collect();
    if !without.is_empty() {
        let names = without.join(", ");
        output::talk(&format!(
            "Without a password, and so nobody's way in: {names}. Set OUTFLOW_AMQP_PASSWORD_INTAKE and so on."
        ));
    }
    output::next(general, "rabbitmqctl import_definitions FILE · outflow topology diff");
}
