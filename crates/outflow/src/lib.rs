//! The one program: settings, wiring, command line.
//!
//! ```text
//! cli ─▶ settings ─▶ wiring ─▶ workers          outflow run …
//!  │         └────────▶ command ─▶ store, broker  outflow publish, list, show …
//!  └▶ stage (servers, topology, keys, simulator) ─▶ demo, dev
//! ```
//!
//! Data goes to stdout and talk to stderr, so that a pipe sees data alone. The
//! exit status says what kind of end it was; see `exit`.

/// As the standard one, but a reader that has enough is no fault; see `output::page`.
macro_rules! print {
    ($($text:tt)*) => { $crate::output::page(&format!($($text)*)) };
}

/// As the standard one, but a reader that has enough is no fault; see `output::page`.
macro_rules! println {
    ($($text:tt)*) => { $crate::output::page(&(format!($($text)*) + "\n")) };
}

mod cli;
mod command;
mod counter;
mod demo;
mod dev;
mod exit;
mod interrupt;
mod logging;
#[cfg(feature = "otlp")]
mod otlp;
mod output;
mod overview;
mod settings;
mod stage;
mod wiring;

use std::process::ExitCode;

use broker::contract::Decision;
use clap::Parser;

use crate::cli::{Cli, Command};

/// Does what the command line says; the answer is the exit status.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(anyhow::Error::from(error).context("the async runtime did not start")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::report(&error),
    }
}

async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    let Cli { general, command } = cli;
    logging::start(&general, &command)?;
    match command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Dev(arguments) => dev::run(arguments).await,
        Command::Run(arguments) => command::run::run(&general, &arguments).await,
        Command::Health(wish) => command::health::run(&wish).await,
        Command::Migrate => command::migrate::run(&general).await,
        Command::Topology(action) => command::topology::run(&general, &action).await,
        Command::Roles(action) => {
            command::roles::run(&general, &action);
            Ok(())
        }
        Command::Lint(arguments) => command::lint::run(&general, &arguments),
        Command::DryRun(arguments) => command::dry_run::run(&general, &arguments).await,
        Command::Publish(arguments) => command::publish::run(&general, &arguments).await,
        Command::Details(arguments) => command::details::run(&general, &arguments).await,
        Command::Approve(wish) => command::decide::run(&general, Decision::Approve, &wish).await,
        Command::Deny(wish) => command::decide::run(&general, Decision::Deny, &wish).await,
        Command::Cancel(wish) => command::decide::run(&general, Decision::Cancel, &wish).await,
        Command::Hold(wish) => command::decide::run(&general, Decision::Hold, &wish).await,
        Command::Release(wish) => command::decide::run(&general, Decision::Release, &wish).await,
        Command::Resolve(arguments) => command::resolve::run(&general, &arguments).await,
        Command::Code(action) => command::code::run(&general, &action).await,
        Command::Status => command::status::run(&general).await,
        Command::Top => command::top::run(&general).await,
        Command::List(arguments) => command::list::run(&general, &arguments).await,
        Command::Show(arguments) => command::show::run(&general, arguments.id).await,
        Command::Why(arguments) => command::why::run(&general, arguments.id).await,
        Command::Watch(arguments) => command::watch::run(&general, &arguments).await,
        Command::Quote(arguments) => command::quote::run(&general, &arguments).await,
        Command::Facts(action) => command::facts::run(&general, &action).await,
        Command::Verify(arguments) => command::verify::run(&general, &arguments).await,
        Command::Reconcile(wish) => command::reconcile::run(&general, &wish).await,
        Command::Channel(wish) => command::channel::run(&general, &wish).await,
        Command::BankRun(wish) => command::bank_run::run(&general, &wish).await,
        Command::Parked(wish) => command::parked::run(&general, &wish).await,
        Command::Operator(wish) => command::operator::run(&general, &wish).await,
        Command::Calendar(action) => command::calendar::run(&general, &action),
        Command::Doctor => command::doctor::run(&general).await,
        Command::Config(action) => command::config::run(&general, &action),
        Command::Explain(arguments) => command::explain::run(&general, &arguments),
        Command::Schema(wish) => command::schema::run(&general, &wish),
        Command::Man(arguments) => command::man::run(&general, &arguments),
        Command::Completions { shell } => {
            command::completions::run(shell);
            Ok(())
        }
    }
}
