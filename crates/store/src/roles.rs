//! S05: who may do what in the database, as one table, and as the SQL that makes it so.
//!
//! Every worker has a role of its own, which may read and write what its
//! statements touch and nothing else. Nobody may delete anything. Whatever is
//! evidence (the journal, transitions, attempts, decisions, the audit) can be
//! added to, and never changed. Tests compare the table with the server's own
//! answer, and run every worker under its role. `_sqlx_migrations` is the list of
//! applied migrations, which `outflow doctor` compares and nobody else needs.

use std::fmt::Write;

/// Roles from left to right, tables from top to bottom: `s` select, `i` insert,
/// `u` update (which locking a row needs too), `.` nothing.
const MATRIX: &str = "
table                facts gaps intake approval decisions release holds expiry deadlines payout settle reconcile verify relay parking api operator
_sqlx_migrations     .     .    .      .        .         .       .     .      .         .      .      .         .      .     .       .   s
account              siu   siu  su     su       su        .       su    su     su        su     su     su        s      .     .       su  su
account_intervention .     .    .      .        .         .       .     .      .         .      .      .         .      .     .       s   si
allocation           siu   siu  .      .        .         .       .     .      .         .      .      .         .      .     .       s   s
allocation_slice     siu   siu  .      .        .         .       .     .      .         .      .      .         s      .     .       s   s
approval             .     .    .      i        i         .       .     .      .         .      .      .         s      .     .       si  si
approval_demand      .     .    .      si       si        .       .     .      .         .      .      .         s      .     .       si  si
attempt              .     .    .      .        .         .       .     .      .         si     i      .         s      .     .       s   s
attempt_outcome      .     .    .      .        .         .       .     .      .         si     si     .         s      .     .       s   s
audit_entry          .     .    .      .        .         .       .     .      .         .      .      .         s      .     .       si  si
bank_account         i     i    si     s        si        .       s     .      .         s      s      s         .      .     .       si  si
bank_file            .     .    .      .        .         .       .     .      .         siu    .      .         s      .     .       s   s
bank_run             .     .    .      .        .         .       .     .      .         siu    .      .         .      .     .       s   su
bank_transfer        .     .    .      .        .         .       .     .      .         si     .      .         s      .     .       s   s
circuit              .     .    .      .        .         s       .     .      .         su     .      .         .      .     .       su  su
console_session      .     .    .      .        .         .       .     .      .         .      .      .         .      .     .       siu su
deadline_alert       .     .    .      .        .         .       .     .      si        .      .      .         s      .     .       s   s
decision             .     .    .      s        si        .       .     .      .         .      .      .         s      .     .       si  si
fact                 siu   siu  .      .        .         .       .     .      .         .      .      .         .      .     .       s   su
instruction          .     .    .      .        si        .       .     .      .         .      .      .         .      .     .       si  si
invariant_check      .     .    .      .        .         .       .     .      .         .      .      .         siu    .     .       s   siu
invoice              siu   siu  .      .        .         .       .     .      .         .      .      .         .      .     .       s   s
late_effect          .     .    .      .        .         .       .     .      .         si     si     si        .      .     .       s   si
leg                  .     .    i      su       siu       su      su    su     su        siu    siu    siu       s      .     .       siu siu
notice               .     .    .      .        .         .       .     .      .         .      su     s         .      .     .       si  s
operator             .     .    .      .        .         .       .     .      .         .      .      .         .      .     .       s   siu
outbox               i     i    i      i        i         i       i     i      i         i      i      i         s      su    .       si  si
parked_message       si    si   si     si       si        .       .     .      .         si     .      .         .      .     si      su  su
reminder             .     .    .      .        .         .       .     .      si        .      .      .         .      .     .       s   s
repeat_request       .     .    i      .        .         .       .     .      .         .      .      .         s      .     .       si  si
resolution           .     .    .      .        si        .       .     .      .         .      .      .         .      .     .       si  si
statement_day        .     .    .      .        .         .       .     .      .         .      .      siu       .      .     .       s   siu
statement_difference .     .    .      .        .         .       .     .      .         .      .      siu       .      .     .       su  siu
stop                 .     .    .      .        .         .       .     .      .         s      .      .         si     .     .       siu siu
top_up               siu   siu  su     s        su        .       s     su     s         su     su     su        s      .     .       su  su
transfer             i     i    i      .        i         .       .     i      .         i      i      i         s      .     .       si  si
transition           .     .    i      i        i         .       i     i      si        i      i      i         s      .     .       si  si
verification_code    .     .    .      .        .         .       .     .      .         .      .      .         .      .     .       siu siu
withdrawal           .     .    si     su       su        .       su    su     su        su     su     su        s      .     .       siu siu
";

/// Roles that make temporary tables: the evidence of the invariants (`verify_evidence.sql`).
const WITH_TEMPORARY_TABLES: &[&str] = &["verify", "operator"];

/// The role that runs every worker in one process.
const ALL: &str = "all";

/// The role that is not a worker: people at a command line.
pub const OPERATOR: &str = "operator";

/// Something that a role may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Verb {
    /// To read rows.
    Select,
    /// To add rows.
    Insert,
    /// To change rows, or to lock them.
    Update,
}

/// What one role may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The worker, such as `intake`, or [`OPERATOR`]. The role in the database is `outflow_` and this.
    pub name: &'static str,
    /// Every table that it may touch, and how.
    pub grants: Vec<(&'static str, Vec<Verb>)>,
}

/// Every role, in the order of the table, without `all`, which has what all workers have.
///
/// # Panics
/// Never: a test reads the table.
#[must_use]
pub fn roles() -> Vec<Role> {
    let mut lines = MATRIX.trim().lines();
    let names = lines.next().expect("the table has a head").split_whitespace().skip(1);
    let mut roles: Vec<Role> = names.map(|name| Role { name, grants: Vec::new() }).collect();
    for line in lines {
        let mut cells = line.split_whitespace();
        let table = cells.next().expect("a line begins with a table");
        for (role, cell) in roles.iter_mut().zip(cells) {
            let verbs: Vec<Verb> = cell.chars().filter_map(verb).collect();
            if !verbs.is_empty() {
                role.grants.push((table, verbs));
            }
        }
    }
    roles
}

/// The tables that the roles know of.
///
/// # Panics
/// Never: a test reads the table.
#[must_use]
pub fn tables() -> Vec<&'static str> {
    let name = |line: &'static str| line.split_whitespace().next().expect("a line begins with a table");
    MATRIX.trim().lines().skip(1).map(name).collect()
}

fn verb(letter: char) -> Option<Verb> {
    match letter {
        's' => Some(Verb::Select),
        'i' => Some(Verb::Insert),
        'u' => Some(Verb::Update),
        _ => None,
    }
}

/// What psql is told to make the roles, and to give them exactly what the table says.
///
/// `prefix` begins every role's name, because roles belong to a whole server and not
/// to one database. Running it again changes nothing; after a migration it gives
/// what new tables need. Roles are made without a password.
#[must_use]
pub fn sql(prefix: &str) -> String {
    let roles = roles();
    let mut sql = HEAD.to_owned();
    let names = roles.iter().map(|it| it.name).chain([ALL]);
    for name in names.clone() {
        let role = format!("{prefix}_{name}");
        let _ = write!(
            sql,
            "do $$ begin\n    if not exists (select from pg_roles where rolname = '{role}') then\n        \
             create role {role} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;\n    \
             end if;\nend $$;\n"
        );
    }
    let everybody: Vec<String> = names.map(|name| format!("{prefix}_{name}")).collect();
    let everybody = everybody.join(", ");
    let _ = write!(
        sql,
        "\nrevoke all on all tables in schema public from {everybody};\n\
         grant usage on schema public to {everybody};\n"
    );
    for role in &roles {
        let name = format!("{prefix}_{}", role.name);
        let _ = writeln!(sql, "\n-- {}", role.name);
        for (table, verbs) in &role.grants {
            let verbs: Vec<String> = verbs.iter().map(Verb::to_string).collect();
            let _ = writeln!(sql, "grant {} on {table} to {name};", verbs.join(", "));
        }
        if WITH_TEMPORARY_TABLES.contains(&role.name) {
            let _ = writeln!(
                sql,
                "do $$ begin execute format('grant temporary on database %I to {name}', current_database()); end $$;"
            );
        }
    }
    let workers = roles.iter().filter(|it| ![OPERATOR, "api"].contains(&it.name));
    let workers: Vec<String> = workers.map(|it| format!("{prefix}_{}", it.name)).collect();
    let _ = write!(
        sql,
        "\n-- What `outflow run all` needs: every worker in one process, and not the API.\n\
         grant {} to {prefix}_{ALL};\n\ncommit;\n",
        workers.join(", ")
    );
    sql
}

/// How the script begins.
const HEAD: &str = "\
-- The roles of Outflow in PostgreSQL: one per worker, each with what its statements touch and nothing else (S05).
--
-- Printed by `outflow roles sql`, and not to be edited. Run it as a superuser, or as the owner of the tables
-- with createrole, in the database of Outflow, after every `outflow migrate`:
--
--     psql --set=ON_ERROR_STOP=1 --file=roles.sql outflow
--
-- Nobody may delete. Evidence can be added to and never changed. A role gets its password afterwards, by
-- `\\password outflow_intake`, or none where certificates or peer authentication identify it.
begin;

revoke create on schema public from public;
revoke all on all tables in schema public from public;
do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;

";

#[cfg(test)]
mod tests {
    use super::{MATRIX, Verb, roles, tables};

    /// What proves something later: added to, and never changed.
    const EVIDENCE: &[&str] = &[
        "account_intervention",
        "approval",
        "approval_demand",
        "attempt",
        "attempt_outcome",
        "audit_entry",
        "bank_account",
        "bank_transfer",
        "deadline_alert",
        "decision",
        "instruction",
        "late_effect",
        "reminder",
        "repeat_request",
        "resolution",
        "transfer",
        "transition",
    ];

    #[test]
    fn the_table_is_whole_and_says_nothing_else_than_its_letters() {
        let width = MATRIX.trim().lines().next().unwrap().split_whitespace().count();
        for line in MATRIX.trim().lines().skip(1) {
            let cells: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(cells.len(), width, "{line}");
            assert!(
                cells[1..].iter().all(|it| ["s", "i", "u", "si", "su", "siu", "."].contains(it)),
                "{line}"
            );
        }
        assert!(tables().is_sorted(), "tables stand in their order");
    }

    #[test]
    fn evidence_is_added_to_and_never_changed() {
        for table in EVIDENCE {
            assert!(tables().contains(table), "{table}");
        }
        for role in roles() {
            for (table, verbs) in &role.grants {
                let changed = EVIDENCE.contains(table) && verbs.contains(&Verb::Update);
                assert!(!changed, "{} may change {table}", role.name);
            }
        }
    }
}
