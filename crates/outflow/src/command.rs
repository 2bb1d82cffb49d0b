//! The commands besides `demo` and `dev`: one file each.

pub(crate) mod bank_run;
pub(crate) mod calendar;
pub(crate) mod channel;
pub(crate) mod code;
pub(crate) mod completions;
pub(crate) mod decide;
pub(crate) mod details;
pub(crate) mod facts;
pub(crate) mod instruction;
pub(crate) mod list;
pub(crate) mod migrate;
pub(crate) mod operator;
pub(crate) mod parked;
pub(crate) mod publish;
pub(crate) mod quote;
pub(crate) mod reconcile;
pub(crate) mod resolve;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod topology;
pub(crate) mod verify;
pub(crate) mod why;
