//! The commands besides `demo` and `dev`: one file each.

pub(crate) mod bank_run;
pub(crate) mod calendar;
pub(crate) mod channel;
pub(crate) mod code;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod decide;
pub(crate) mod details;
pub(crate) mod doctor;
pub(crate) mod dry_run;
pub(crate) mod explain;
pub(crate) mod facts;
pub(crate) mod health;
pub(crate) mod instruction;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod messages;
pub(crate) mod migrate;
pub(crate) mod operator;
pub(crate) mod parked;
pub(crate) mod publish;
pub(crate) mod quote;
pub(crate) mod reconcile;
pub(crate) mod resolve;
pub(crate) mod roles;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod top;
pub(crate) mod topology;
pub(crate) mod verify;
pub(crate) mod watch;
pub(crate) mod why;

/// The role of whoever has the keys of the database, in the audit (S13).
pub(crate) const CLI: &str = "cli";
