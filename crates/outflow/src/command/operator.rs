//! `outflow operator`: who may use the API and the console.
//!
//! A token is printed when it is made and never again: the database keeps its
//! SHA-256 alone. It is 256 random bits, so that nobody can guess it.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use rand::RngCore;
use serde_json::json;
use store::Database;
use store::audit::{self, Deed};
use store::operators::{self, Operator, Role};
use uuid::Uuid;

use super::CLI;
use crate::cli::{General, Operator as Wish, RoleName};
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::{output, wiring};

/// Adds, lists or revokes.
///
/// # Errors
/// When a name is taken or unknown, or the database is away.
pub(crate) async fn run(general: &General, wish: &Wish) -> Result<()> {
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let at = workers::Clock::System.now();
    match wish {
        Wish::Add(new) => {
            let token = add(&database, (&new.name, role_of(new.role)), &new.by, at).await?;
            if general.output.is_data() {
                output::data(
                    general.output,
                    &json!({ "name": new.name, "role": role_of(new.role).to_string(), "token": token }),
                );
            } else {
                println!("{token}");
                output::talk(&format!("This is the token of {}. It is shown this once.", new.name));
            }
            output::next(general, "log in with it at the console, or send `Authorization: Bearer …`");
            Ok(())
        }
        Wish::List => list(general, &database).await,
        Wish::Revoke { name, by } => {
            revoke(&database, name, by, at).await?;
            output::next(general, "outflow operator list");
            Ok(())
        }
    }
}

/// Adds an operator and answers with the token.
///
/// # Errors
/// When the name is taken, or the database is away.
pub(crate) async fn add(
    database: &Database,
    (name, role): (&str, Role),
    by: &str,
    at: DateTime<Utc>,
) -> Result<String> {
    let token = token();
    let new = Operator {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        role,
        created_at: at,
        created_by: by.to_owned(),
        revoked_at: None,
        revoked_by: None,
    };
    let mut tx = database.begin().await?;
    if !operators::add(&mut tx, &new, &token).await? {
        let what = format!("the name {name} is taken");
        let next = format!("outflow operator revoke {name}, or choose another name");
        return Err(Failure::new(Exit::Refused, what, next).into());
    }
    let deed = Deed::new((by, CLI), "add_operator", name).with(json!({ "role": role.to_string() }));
    audit::put(&mut tx, &deed, at).await?;
    tx.commit().await.context("adding an operator")?;
    Ok(token)
}

async fn revoke(database: &Database, name: &str, by: &str, at: DateTime<Utc>) -> Result<()> {
    let mut tx = database.begin().await?;
    if !operators::revoke(&mut tx, name, by, at).await? {
        let what = format!("there is no operator {name} whose token is in force");
        return Err(Failure::new(Exit::NotFound, what, "outflow operator list").into());
    }
    audit::put(&mut tx, &Deed::new((by, CLI), "revoke_operator", name), at).await?;
    tx.commit().await.context("revoking an operator")?;
    println!("the token of {name} is worth nothing any more");
    Ok(())
}

async fn list(general: &General, database: &Database) -> Result<()> {
    let mut connection = database.pool().acquire().await.map_err(store::Error::from)?;
    let rows = operators::all(&mut connection).await?;
    if general.output.is_data() {
        let row = |it: &Operator| {
            json!({
                "name": it.name, "role": it.role.to_string(), "created_at": it.created_at,
                "created_by": it.created_by, "revoked_at": it.revoked_at, "revoked_by": it.revoked_by,
            })
        };
        let fields = ["name", "role", "created_at", "created_by", "revoked_at", "revoked_by"];
        output::list(general.output, &fields, &rows.iter().map(row).collect::<Vec<_>>());
        return Ok(());
    }
    let mut table = output::table(&["name", "role", "since", "added by", "revoked", "by"]);
    for it in rows {
        table.add_row([
            it.name,
            it.role.to_string(),
            output::moment(it.created_at),
            it.created_by,
            output::moment_or_nothing(it.revoked_at),
            it.revoked_by.unwrap_or_default(),
        ]);
    }
    println!("{table}");
    Ok(())
}

const fn role_of(name: RoleName) -> Role {
    match name {
        RoleName::Viewer => Role::Viewer,
        RoleName::Operator => Role::Operator,
        RoleName::Approver => Role::Approver,
        RoleName::Admin => Role::Admin,
    }
}

/// A new token: its beginning tells scanners of source code what it is.
fn token() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("outflow_{}", hex::encode(bytes))
}
