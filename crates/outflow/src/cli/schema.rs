//! `outflow schema`, as it is parsed.

use clap::Subcommand;

/// `outflow schema`
#[derive(Debug, Subcommand)]
pub(crate) enum Schema {
    /// The JSON Schema of one message type, or of all of them
    Json {
        /// The type, such as outflow.withdrawal.requested.v1 [default: all of them]
        kind: Option<String>,
    },
    /// The AsyncAPI 3 document: channels, messages, bindings
    Asyncapi,
    /// The OpenAPI 3.1 document of the API over HTTP
    Openapi,
}
