//! The command line, as it is parsed. What the commands do is in [`crate::command`].

mod bank_run;
mod channel;
mod code;
mod config;
mod decide;
mod explain;
mod facts;
mod general;
mod lint;
mod man;
mod operator;
mod parked;
mod reconcile;
mod resolve;
mod roles;
mod run;
mod schema;
mod watch;

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use broker::contract::Actor;
use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::WithdrawalState;
use strum::IntoEnumIterator;
use uuid::Uuid;

pub(crate) use self::bank_run::{BankRun, Release};
pub(crate) use self::channel::{Channel, Switch, SwitchName};
pub(crate) use self::code::{Code, IssueCode};
pub(crate) use self::config::Config;
pub(crate) use self::decide::Decide;
pub(crate) use self::explain::Explain;
pub(crate) use self::facts::{Facts, Intervention};
pub(crate) use self::general::{General, Log, Output};
pub(crate) use self::lint::MessageFile;
pub(crate) use self::man::Man;
pub(crate) use self::operator::{Operator, RoleName};
pub(crate) use self::parked::{ListParked, Parked, Resolve};
pub(crate) use self::reconcile::{Reconcile, ReconcileAction, ResolveDifference};
pub(crate) use self::resolve::{Outcome, ResolveLeg};
pub(crate) use self::roles::Roles;
pub(crate) use self::run::{RailName, Run};
pub(crate) use self::schema::Schema;
pub(crate) use self::watch::Watch;

/// What `--help` says at its end.
const EXIT_CODES: &str = "\
Exit status: 0 done · 1 failed · 2 usage or settings · 3 not found · 4 refused by a rule · \
5 unreachable · 6 outcome unknown

Start with `outflow demo`.";

/// Withdrawals in, money out.
#[derive(Debug, Parser)]
#[command(name = "outflow", version, about, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) general: General,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands, in the order in which a newcomer meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the whole product at work in half a minute, on servers of its own
    Demo(Demo),
    /// Keeps servers, simulator and workers up until Ctrl-C
    Dev(Dev),
    /// Runs a worker, or all of them, until it is told to stop
    Run(Run),
    /// Asks a process that runs whether it answers: exit status 0, or 5
    Health(Health),
    /// Brings the database's schema up to date
    Migrate,
    /// Exchanges and queues of RabbitMQ
    #[command(subcommand)]
    Topology(Topology),
    /// Roles of PostgreSQL, one for each worker
    #[command(subcommand)]
    Roles(Roles),
    /// Checks messages of a file against the contract, without any server
    Lint(MessageFile),
    /// Says what would become of the requests of a file now, and writes nothing
    DryRun(MessageFile),
    /// Publishes messages from a file, after checking each against the contract
    Publish(Publish),
    /// Gives a withdrawal the bank account that receives the money, or another one
    Details(Details),
    /// Agrees to a withdrawal; of those who are needed, one
    Approve(Decide),
    /// Refuses a withdrawal; its money is free again
    Deny(Decide),
    /// Takes a withdrawal back, where nothing was sent yet
    Cancel(Decide),
    /// Stops what was not sent yet, until it is released
    Hold(Decide),
    /// Lets a withdrawal go on from where it was held
    Release(Decide),
    /// Says what became of a payment in manual review; a second person must say the same
    Resolve(ResolveLeg),
    /// Verification codes, and the tokens that prove them
    #[command(subcommand)]
    Code(Code),
    /// Everything that is under way: states, legs, queues, what waits for people
    Status,
    /// The same on a screen that lives: queues, ages, deadlines and channels, each second until `q`
    Top,
    /// The newest withdrawals
    List(List),
    /// One withdrawal whole: legs, moves, decisions, calls, money
    Show(Show),
    /// Why a withdrawal stands where it does, and what happens next
    Why(Show),
    /// The moves of one withdrawal as they happen, until it has ended
    Watch(Watch),
    /// What an account could withdraw now, and the plan for an amount
    Quote(Quote),
    /// Accounts that their facts have stopped, and what to do about them
    #[command(subcommand)]
    Facts(Facts),
    /// Checks every invariant of the books
    Verify(Verify),
    /// A channel's statement of a day against the books
    Reconcile(Reconcile),
    /// Stops sends, by rail or all of them, and lets them go on
    #[command(subcommand)]
    Channel(Channel),
    /// What went to the bank at each cut-off, and runs that wait for people
    #[command(subcommand)]
    BankRun(BankRun),
    /// Messages that nobody could use: look, send again, discard
    #[command(subcommand)]
    Parked(Parked),
    /// Who may use the API and the console
    #[command(subcommand)]
    Operator(Operator),
    /// Working days and deadlines
    #[command(subcommand)]
    Calendar(Calendar),
    /// What is wrong with an installation, and how to mend it; changes nothing
    Doctor,
    /// The settings: whether they hold together, and where each comes from
    #[command(subcommand)]
    Config(Config),
    /// What a code in an event, an answer or a row means, and what to do about it
    Explain(Explain),
    /// The contracts as documents: messages and HTTP
    #[command(subcommand)]
    Schema(Schema),
    /// Prints the manual page, or writes one for every command
    Man(Man),
    /// Prints a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// `outflow demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Fail instead of installing PostgreSQL or RabbitMQ
    #[arg(long)]
    pub(crate) no_install: bool,
    /// Makes the order of the requests and the upstream's numbers repeatable
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
}

/// `outflow dev`
#[derive(Debug, Args)]
pub(crate) struct Dev {
    /// Fail instead of installing PostgreSQL or RabbitMQ
    #[arg(long)]
    pub(crate) no_install: bool,
    /// Workers to run in this process: all, none, or a list such as `facts,intake,relay`
    #[arg(long, default_value = "all", value_delimiter = ',', value_name = "WORKERS")]
    pub(crate) workers: Vec<String>,
}

/// `outflow topology`
#[derive(Debug, Subcommand)]
pub(crate) enum Topology {
    /// Creates whatever is missing
    Apply,
    /// Says what is missing or different, and changes nothing
    Diff,
    /// Prints everything as definitions for `rabbitmqctl import_definitions`, least-privilege users included
    ///
    /// A user's password comes from `OUTFLOW_AMQP_PASSWORD_` and its name, such as `OUTFLOW_AMQP_PASSWORD_INTAKE`; one
    /// without can't log in.
    Definitions {
        /// The virtual host
        #[arg(long, default_value = "outflow", value_name = "NAME")]
        vhost: String,
        /// What every user's name begins with: users belong to a whole broker
        #[arg(long, default_value = "outflow", value_name = "PREFIX")]
        prefix: String,
    },
}

/// `outflow health`
#[derive(Debug, Args)]
pub(crate) struct Health {
    /// What is asked: an address that answers 200 when all is well
    #[arg(long, default_value = "http://127.0.0.1:8087/healthz", value_name = "URL")]
    pub(crate) url: String,
}

/// `outflow publish`
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// A file with one message, a list of them, or one a line; `-` is stdin
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// `outflow details`
#[derive(Debug, Args)]
pub(crate) struct Details {
    /// The withdrawal's number
    #[arg(value_parser = number)]
    pub(crate) id: Uuid,
    /// A JSON file with the five fields of a bank account; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Who gives them
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Actor,
    /// Replace this version only; 0 where there are no details yet
    #[arg(long, value_name = "VERSION")]
    pub(crate) expected_version: Option<u32>,
}

/// `outflow list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only withdrawals in this state
    #[arg(long, value_parser = word::<WithdrawalState>, value_name = "STATE")]
    pub(crate) state: Option<WithdrawalState>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    pub(crate) limit: i64,
}

/// `outflow show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The withdrawal's number
    #[arg(value_parser = number)]
    pub(crate) id: Uuid,
}

/// `outflow quote`
#[derive(Debug, Args)]
pub(crate) struct Quote {
    /// The account
    pub(crate) account: String,
    /// An amount, such as 88.80: the plan for it, or every reason against it
    #[arg(long)]
    pub(crate) amount: Option<String>,
    /// The way in which the amount would leave
    #[arg(long, value_enum, default_value_t, requires = "amount", value_name = "ROUTE")]
    pub(crate) route: RouteName,
    /// From these top-ups alone [default: the newest that are eligible]
    #[arg(long, value_delimiter = ',', requires = "amount", value_name = "TOP-UPS")]
    pub(crate) transactions: Vec<String>,
    /// In whose name the bank card is
    #[arg(long, requires = "amount", value_name = "NAME")]
    pub(crate) holder: Option<String>,
}

/// The routes of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RouteName {
    /// Back to where the money came from
    #[default]
    Source,
    /// To a bank card
    BankCard,
}

/// `outflow verify`
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The gateways' own book: a simulator's address, or a file
    #[arg(long, value_name = "URL|FILE")]
    pub(crate) book: Option<String>,
}

/// `outflow calendar`
#[derive(Debug, Subcommand)]
pub(crate) enum Calendar {
    /// Whether a day is a working day, and by when a bank payout approved on it has arrived
    Check {
        /// The day, such as 2026-09-23
        date: NaiveDate,
    },
}

/// One of the words of `T`; a hyphen is as good as an underscore.
fn word<T: FromStr + Display + IntoEnumIterator>(text: &str) -> Result<T, String> {
    text.replace('-', "_").parse().map_err(|_| {
        let known: Vec<String> = T::iter().map(|it| it.to_string()).collect();
        format!("must be one of {}", known.join(", "))
    })
}

/// The number of a withdrawal, a leg or a message.
fn number(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| {
        "must be a number such as 0191d3a0-7c1e-7b3a-9f00-000000000001, as `outflow list` and `outflow show` print it".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn no_command_contradicts_itself() {
        super::Cli::command().debug_assert();
    }
}
