//! Where the servers' programs are on this machine.
//!
//! Distributions hide them from `PATH` on purpose: several versions of
//! PostgreSQL live side by side, and the `rabbitmq-server` that is in `PATH` may
//! be a wrapper that switches to a system user. So the well-known folders come
//! first, newest version first, and `PATH` is only the last resort.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that a distribution puts versions of PostgreSQL in, and what follows.
const POSTGRESQL: &[(&str, &str)] = &[("/usr/lib/postgresql", "bin"), ("/usr/local/lib/postgresql", "bin")];

/// Folders that hold versions of RabbitMQ.
const RABBITMQ: &[(&str, &str)] =
    &[("/usr/lib/rabbitmq/lib", "sbin"), ("/usr/local/lib/rabbitmq/lib", "sbin"), ("/opt", "sbin")];

/// Where `psql` alone may be when the server is not installed.
pub(crate) const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The programs of one PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct PostgresPrograms {
    /// The folder with `initdb` and `postgres` in it.
    pub(crate) folder: PathBuf,
}

/// The programs of one RabbitMQ and of the Erlang that runs it.
#[derive(Debug, Clone)]
pub(crate) struct RabbitPrograms {
    /// The script that does not switch users.
    pub(crate) server: PathBuf,
    /// The folder with `erl` in it.
    pub(crate) erlang: PathBuf,
    /// Erlang's port mapper.
    pub(crate) epmd: PathBuf,
}

/// The newest PostgreSQL that is installed.
pub(crate) fn postgres() -> Option<PostgresPrograms> {
    let complete = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|it| folder.join(it).is_file());
    POSTGRESQL
        .iter()
        .flat_map(|(root, tail)| versions(Path::new(root), "", tail))
        .chain(in_path("postgres").into_iter().filter_map(real_folder))
        .find(complete)
        .map(|folder| PostgresPrograms { folder })
}

/// The newest RabbitMQ that is installed, if its Erlang is there too.
pub(crate) fn rabbitmq() -> Option<RabbitPrograms> {
    // `rabbitmq-env` lies beside the real script and never beside a wrapper.
    let real =
        |folder: &PathBuf| ["rabbitmq-server", "rabbitmq-env"].iter().all(|it| folder.join(it).is_file());
    let folder = RABBITMQ
        .iter()
        .flat_map(|(root, tail)| versions(Path::new(root), "rabbitmq_server-", tail))
        .chain([PathBuf::from("/usr/lib/rabbitmq/bin")])
        .chain(in_path("rabbitmq-server").into_iter().filter_map(real_folder))
        .find(real)?;
    let erlang = in_path("erl")
        .into_iter()
        .chain([PathBuf::from("/usr/lib/erlang/bin/erl"), PathBuf::from("/usr/local/lib/erlang/bin/erl")])
        .find(|it| it.is_file())
        .and_then(real_folder)?;
    let epmd = [erlang.join("epmd")]
        .into_iter()
        .chain(
            erlang
                .parent()
                .into_iter()
                .flat_map(|root| versions(root, "erts-", "bin"))
                .map(|it| it.join("epmd")),
        )
        .chain(in_path("epmd"))
        .find(|it| it.is_file())?;
    Some(RabbitPrograms { server: folder.join("rabbitmq-server"), erlang, epmd })
}

/// `psql`, which needs no server on this machine.
pub(crate) fn psql() -> Option<PathBuf> {
    POSTGRESQL
        .iter()
        .flat_map(|(root, tail)| versions(Path::new(root), "", tail))
        .map(|folder| folder.join("psql"))
        .chain(in_path("psql"))
        .find(|it| it.is_file())
}

/// A program of the system, such as `setpriv` or `apt-get`.
pub(crate) fn system(program: &str) -> Option<PathBuf> {
    env::split_paths(SYSTEM_PATH).map(|it| it.join(program)).find(|it| it.is_file())
}

/// The folders `root/<prefix><version>/tail`, newest version first.
fn versions(root: &Path, prefix: &str, tail: &str) -> Vec<PathBuf> {
    let mut found: Vec<(Vec<u32>, PathBuf)> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = numbers(name.strip_prefix(prefix)?)?;
            Some((version, entry.path().join(tail)))
        })
        .collect();
    found.sort_by(|left, right| right.0.cmp(&left.0));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// `3.10.8` as numbers, so that 3.10 is newer than 3.9. `None` for other names.
fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// Every `program` that `PATH` knows, in its order.
fn in_path(program: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|it| it.join(program)).filter(|it| it.is_file()).collect()
}

/// The folder a program really is in: `PATH` may hold only a link to it.
fn real_folder(program: PathBuf) -> Option<PathBuf> {
    fs::canonicalize(program).ok()?.parent().map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::{numbers, versions};
    use std::fs;

    #[test]
    fn a_version_is_compared_by_number_and_not_by_letter() {
        for (name, expected) in [
            ("15", Some(vec![15])),
            ("9.6", Some(vec![9, 6])),
            ("3.10.8", Some(vec![3, 10, 8])),
            ("main", None),
            ("", None),
        ] {
            assert_eq!(numbers(name), expected, "{name}");
        }
    }

    #[test]
    fn the_newest_version_is_tried_first() {
        let root = tempfile::tempdir().unwrap();
        for name in ["rabbitmq_server-3.9.30", "rabbitmq_server-4.1.0", "rabbitmq_server-3.10.8", "other-5.0"]
        {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        let found = versions(root.path(), "rabbitmq_server-", "sbin");
        let expected = ["4.1.0", "3.10.8", "3.9.30"];
        assert_eq!(found, expected.map(|it| root.path().join(format!("rabbitmq_server-{it}/sbin"))));
    }
}
