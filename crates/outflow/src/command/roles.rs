//! `outflow roles`: who may do what in the database, without any server.

use crate::cli::Roles;

/// Prints the SQL of the roles, which psql runs.
pub(crate) fn run(action: &Roles) {
    let Roles::Sql { prefix } = action;
    print!("{}", store::roles::sql(prefix));
    eprintln!("next: psql --set=ON_ERROR_STOP=1 --file=roles.sql DATABASE, after every outflow migrate");
}
