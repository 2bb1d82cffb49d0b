//! `outflow man`: manual pages, made from the command line itself.

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::cli::{Cli, General, Man};
use crate::output;

/// Prints the page of `outflow`, or writes the pages of all commands into a folder.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn run(general: &General, arguments: &Man) -> Result<()> {
    let command = Cli::command();
    if let Some(folder) = &arguments.folder {
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .with_context(|| format!("writing manual pages into {}", folder.display()))?;
        output::talk(&format!("The pages are in {}.", folder.display()));
        output::next(general, &format!("man {}/outflow.1", folder.display()));
        return Ok(());
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).context("making the manual page")?;
    output::page(&String::from_utf8_lossy(&page));
    output::next(general, "outflow man | man -l -");
    Ok(())
}
