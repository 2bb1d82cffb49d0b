//! One PostgreSQL of our own, durable like a real one: fsync and synchronous
//! commit stay on, so that what a benchmark measures on it means something.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use nix::unistd::chown;

use crate::answer;
use crate::child::{Account, guarded};
use crate::database;
use crate::folder::Folder;
use crate::locate::PostgresPrograms;
use crate::options::Options;
use crate::server::Server;

/// How long a start may take, with the repair after a crash.
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest path that a Unix socket can have, less `/.s.PGSQL.65535`.
const SOCKET_FOLDER_MAX: usize = 90;

/// The superuser and the first database; trusted without a password on loopback.
const NAME: &str = "outflow";

/// A PostgreSQL that can be stopped and started again on the same port and data.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    programs: PostgresPrograms,
    account: Option<Account>,
    data: PathBuf,
    port: u16,
    url: String,
}

impl Postgres {
    /// Makes a new database cluster in `folder` and starts it.
    pub(crate) async fn create(
        folder: Arc<Folder>,
        programs: PostgresPrograms,
        port: u16,
        options: &Options,
    ) -> Result<Self> {
        let began = Instant::now();
        let home = folder.path().join("postgres");
        let log = folder.path().join("postgres.log");
        let postgres = Self {
            account: Account::for_postgres()?,
            data: home.join("data"),
            port,
            url: format!("postgres://{NAME}@127.0.0.1:{port}/{NAME}"),
            server: Server::new("postgres", "PostgreSQL", folder, log),
            programs,
        };
        postgres.make_home(&home)?;
        postgres.init().await?;
        postgres.configure(&home, &options.postgres_settings)?;
        postgres.start().await?;
        let admin = format!("postgres://{NAME}@127.0.0.1:{port}/postgres");
        database::create(&admin, NAME).await?;
        let version = postgres.version().await;
        let took = began.elapsed().as_secs_f64();
        options.reporter.say(&format!("✓ PostgreSQL {version} on 127.0.0.1:{port} ({took:.1} s)"));
        Ok(postgres)
    }

    /// The URL of its first database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts it again after [`stop`](Self::stop) or
    /// [`stop_immediately`](Self::stop_immediately): same port, same data.
    /// Returns when it lets clients in, repaired if it has to be.
    ///
    /// # Errors
    /// When it runs already, or does not start; the message names its log.
    pub async fn start(&self) -> Result<()> {
        let mut command = self.guarded("postgres", Signal::SIGQUIT)?;
        command.arg("-D").arg(&self.data);
        self.server.start(command, PATIENCE, async || answer::postgres(self.port, NAME).await).await
    }

    /// Stops it properly: clients are cut off, what is committed is written out.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn stop(&self) -> Result<()> {
        self.server.end(Signal::SIGINT).await
    }

    /// Stops it as a crash would: nothing is written out, and the next start
    /// repairs the data from the log. What was committed is still there.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn stop_immediately(&self) -> Result<()> {
        self.server.end(Signal::SIGQUIT).await
    }

    /// The ids of its processes at this moment; none while it is stopped.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.server.pids()
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> &Path {
        self.server.log()
    }

    /// A program of PostgreSQL's as the user that may run it.
    fn guarded(&self, program: &str, death: Signal) -> Result<Command> {
        guarded(&self.programs.folder.join(program), self.account.as_ref(), death)
    }

    /// Makes the folder that belongs to PostgreSQL's user.
    fn make_home(&self, home: &Path) -> Result<()> {
        fs::create_dir_all(home.join("socket"))?;
        for folder in [home, &home.join("socket")] {
            fs::set_permissions(folder, Permissions::from_mode(0o700))?;
            if let Some(account) = &self.account {
                chown(folder, Some(account.uid), Some(account.gid)).with_context(|| {
                    format!("cannot give {} to the user {}", folder.display(), account.name)
                })?;
            }
        }
        Ok(())
    }

    /// Runs `initdb`. Its own files need no fsync: a crash in there ends the stack.
    async fn init(&self) -> Result<()> {
        let mut command = self.guarded("initdb", Signal::SIGKILL)?;
        command.args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ]);
        command.args(["--username", NAME, "--pgdata"]).arg(&self.data);
        self.server.run("initdb", command).await
    }

    /// Appends our settings, and then the caller's, of which the last one counts.
    fn configure(&self, home: &Path, extra: &[(String, String)]) -> Result<()> {
        let socket = home.join("socket").display().to_string();
        let socket = if socket.len() <= SOCKET_FOLDER_MAX { socket } else { String::new() };
        let port = self.port.to_string();
        let ours = [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", &socket),
            ("fsync", "on"),
            ("synchronous_commit", "on"),
            ("full_page_writes", "on"),
            ("max_connections", "200"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_checkpoints", "off"),
            ("logging_collector", "off"),
            ("log_line_prefix", "%m [%p] %d "),
        ];
        let extra = extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut text = String::from("\n# The devstack's settings; the last one of a name counts.\n");
        for (name, value) in ours.into_iter().chain(extra) {
            text.push_str(&line(name, value)?);
        }
        let path = self.data.join("postgresql.conf");
        let mut file = File::options().append(true).open(&path)?;
        std::io::Write::write_all(&mut file, text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// `15.18` of `postgres (PostgreSQL) 15.18 (Debian …)`.
    async fn version(&self) -> String {
        let asked = tokio::process::Command::new(self.programs.folder.join("postgres"))
            .arg("--version")
            .output()
            .await;
        let said =
            asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        said.split_whitespace().nth(2).unwrap_or("of an unknown version").to_owned()
    }
}

/// One line of `postgresql.conf`.
fn line(name: &str, value: &str) -> Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    ensure!(!name.is_empty() && name.bytes().all(plain), "{name:?} is no name of a PostgreSQL setting");
    ensure!(!value.contains(['\n', '\r', '\0']), "the value of {name} must be one line");
    let value = value.replace('\\', "\\\\").replace('\'', "''");
    Ok(format!("{name} = '{value}'\n"))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_setting_cannot_smuggle_in_another_one() {
        for (name, value, expected) in [
            ("work_mem", "64MB", Some("work_mem = '64MB'\n")),
            ("a.b", "it's \\ here", Some("a.b = 'it''s \\\\ here'\n")),
            ("work_mem", "1MB'\nfsync = off", None),
            ("fsync = off #", "1", None),
            ("", "1", None),
        ] {
            assert_eq!(line(name, value).ok().as_deref(), expected, "{name} {value}");
        }
    }
}
