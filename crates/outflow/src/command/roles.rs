//! `outflow roles`: who may do what in the database, without any server.

use crate::cli::{General, Roles};
use crate::output;

/// Prints the SQL of the roles, which psql runs.
pub(crate) fn run(general: &General, action: &Roles) {
    let Roles::Sql { prefix } = action;
    print!("{}", store::roles::sql(prefix));
    output::next(
        general,
        "psql --set=ON_ERROR_STOP=1 --file=roles.sql DATABASE, after every outflow migrate",
    );
}
