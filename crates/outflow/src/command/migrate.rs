//! `outflow migrate`: brings the schema up to date. Doing it twice changes nothing.

use anyhow::{Context, Result};

use crate::cli::General;
use crate::settings::Settings;
use crate::{output, wiring};

/// Runs the migrations that are missing.
///
/// # Errors
/// When the database is away, or holds another schema.
pub(crate) async fn run(general: &General) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    database.migrate().await.context("migrating the database")?;
    output::talk("The schema is up to date.");
    output::next(general, "outflow topology apply");
    Ok(())
}
