//! `outflow channel`, as it is parsed.

use clap::{Args, Subcommand, ValueEnum};

/// `outflow channel`
#[derive(Debug, Subcommand)]
pub(crate) enum Channel {
    /// Every rail, and whether its sends are stopped
    List,
    /// Stops sends in less than a second; queries go on
    Pause(Switch),
    /// Lets sends go on
    Resume(Switch),
}

/// A switch, and who moves it why.
#[derive(Debug, Args)]
pub(crate) struct Switch {
    /// The rail; `all` is the kill switch
    #[arg(value_enum, value_name = "RAIL")]
    pub(crate) rail: SwitchName,
    /// Why, for whoever finds it
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reason: String,
    /// Who you are
    #[arg(long, env = "OUTFLOW_ACTOR", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) by: String,
}

/// What can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SwitchName {
    /// Every rail
    All,
    /// Alipay
    Alipay,
    /// WeChat Pay
    Wechat,
    /// UnionPay
    Unionpay,
    /// The bank
    Bank,
}
