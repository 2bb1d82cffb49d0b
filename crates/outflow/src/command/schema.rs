//! `outflow schema`: the contract as documents, without any server.

use anyhow::Result;
use broker::contract::{asyncapi, schemas};
use serde_json::Value;

use crate::cli::{General, Output, Schema};
use crate::exit::{Exit, Failure};
use crate::output;

/// Prints a document. It is JSON whatever the output format, which decides about
/// its lines alone.
///
/// # Errors
/// When there is no such message type.
pub(crate) fn run(general: &General, wish: &Schema) -> Result<()> {
    let format = if general.output == Output::Jsonl { Output::Jsonl } else { Output::Json };
    match wish {
        Schema::Asyncapi => {
            output::data(format, &asyncapi());
            output::next(general, "outflow schema json TYPE");
        }
        Schema::Openapi => {
            output::data(format, &api::openapi::document());
            output::next(general, "outflow run api serves it");
        }
        Schema::Json { kind: None } => {
            let all: Vec<Value> = schemas().into_iter().map(|(_, schema)| schema).collect();
            output::data(format, &all.into());
            output::next(general, "outflow schema json TYPE · outflow lint FILE");
        }
        Schema::Json { kind: Some(kind) } => {
            let known = schemas();
            let schema = known.iter().find(|(name, _)| name == kind).map(|(_, schema)| schema);
            let schema = schema.ok_or_else(|| {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                let next = format!("the types are {}", names.join(", "));
                Failure::new(Exit::NotFound, format!("there is no message type {kind:?}"), next)
            })?;
            output::data(format, schema);
            output::next(general, "outflow lint FILE");
        }
    }
    Ok(())
}
