//! `outflow roles`, as it is parsed.

use clap::Subcommand;

/// `outflow roles`
#[derive(Debug, Subcommand)]
pub(crate) enum Roles {
    /// Prints the SQL that makes a role for each worker, with what it needs and nothing else
    Sql {
        /// What every role's name begins with: roles belong to a whole server
        #[arg(long, default_value = "outflow", value_parser = plain_name, value_name = "PREFIX")]
        prefix: String,
    },
}

/// A name that needs no quotes in SQL.
fn plain_name(text: &str) -> Result<String, String> {
    let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
    let is_name = text.starts_with(|it: char| it.is_ascii_lowercase()) && text.chars().all(plain);
    if is_name && text.len() <= 40 {
        return Ok(text.to_owned());
    }
    Err("must be a lower-case letter, then a-z, 0-9 and _, 40 at most".to_owned())
}
