//! Installing what is missing, on machines where that can be done unasked.
//!
//! Someone who has just cloned the repository should need nothing but Rust. On
//! Debian and Ubuntu, as root or with a `sudo` that asks no password, the
//! missing packages are installed, after a line that says so. Everywhere else
//! the error says what to install.

use std::env;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use nix::libc::O_NOFOLLOW;
use nix::unistd::Uid;
use tokio::process::Command;

use crate::locate;
use crate::options::{Install, Options};

/// What is done to the machine, and by the reader where we must not.
const SCRIPT: &str = include_str!("install.sh");

/// A server that can be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// No `initdb` and `postgres` side by side.
    Postgres,
    /// No real `rabbitmq-server`, or no Erlang for it.
    RabbitMq,
}

impl Missing {
    /// The package's name in Debian, Ubuntu and elsewhere.
    const fn package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::RabbitMq => "rabbitmq-server",
        }
    }

    /// Whether the programs still cannot be found.
    fn is_missing(self) -> bool {
        match self {
            Self::Postgres => locate::postgres().is_none(),
            Self::RabbitMq => locate::rabbitmq().is_none(),
        }
    }
}

/// How this process may become root without asking anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    Root,
    Sudo,
    None,
}

/// Installs those of `wanted` that cannot be found.
///
/// Two stacks that start at the same time do not both install: the second waits
/// for the first and then finds everything there.
pub(crate) async fn what_is_missing(wanted: &[Missing], options: &Options) -> Result<()> {
    let is_complete = || wanted.iter().all(|it| !it.is_missing());
    if is_complete() {
        return Ok(());
    }
    let _turn = turn().await?;
    let packages: Vec<&str> = wanted.iter().filter(|it| it.is_missing()).map(|it| it.package()).collect();
    if packages.is_empty() {
        return Ok(());
    }
    let power = power().await;
    refuse_where_we_must(&packages, options.install, power)?;
    run(&packages, power, options).await?;
    if let Some(still) = wanted.iter().find(|it| it.is_missing()) {
        bail!("{} was installed, but its programs are in no folder that we know", still.package());
    }
    Ok(())
}

/// Says what to do by hand, when we may not or cannot do it.
fn refuse_where_we_must(packages: &[&str], install: Install, power: Power) -> Result<()> {
    let names = packages.join(" ");
    let debian = Path::new("/etc/debian_version").is_file() && locate::system("apt-get").is_some();
    if !debian {
        bail!(
            "{names} not found: install PostgreSQL 15 or newer and RabbitMQ 3.10 or newer, or set OUTFLOW_DATABASE_URL and OUTFLOW_AMQP_URL"
        );
    }
    let sudo = if Uid::effective().is_root() { "" } else { "sudo " };
    let by_hand = format!("{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {names}");
    if install == Install::Never {
        bail!("{names} not found, and nothing may be installed; install by hand:\n  {by_hand}");
    }
    if power == Power::None {
        bail!(
            "{names} not found, and this user cannot become root without a password; install by hand:\n  {by_hand}"
        );
    }
    Ok(())
}

/// Runs the script, with its output in a log that outlives the stack.
async fn run(packages: &[&str], power: Power, options: &Options) -> Result<()> {
    let names = packages.join(" ");
    let log = shared_path(&env::temp_dir(), "install.log");
    let log_name = log.display();
    options.reporter.say(&format!("Installing {names} with apt-get, once; the log is {log_name}"));
    let began = std::time::Instant::now();
    let output = shared_file(&env::temp_dir(), "install.log")?;
    output.set_len(0).with_context(|| format!("cannot empty {log_name}"))?;
    let mut command = match power {
        Power::Sudo => {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "/bin/sh"]);
            sudo
        }
        Power::Root | Power::None => Command::new("/bin/sh"),
    };
    command.args(["-c", SCRIPT, "outflow-install"]).args(packages);
    // A group of its own: Ctrl-C must not leave half an installation behind.
    command.env("PATH", locate::SYSTEM_PATH).process_group(0).stdin(Stdio::null());
    command.stderr(output.try_clone()?).stdout(output);
    let status = command.status().await.context("cannot run /bin/sh")?;
    if !status.success() {
        bail!("installing {names} failed ({status}); the log is {log_name}");
    }
    let took = began.elapsed().as_secs_f64();
    options.reporter.say(&format!("✓ installed {names} ({took:.1} s)"));
    Ok(())
}

/// Waits until no other stack of this user installs anything.
async fn turn() -> Result<File> {
    tokio::task::spawn_blocking(|| {
        let lock = shared_file(&env::temp_dir(), "install.lock")?;
        lock.lock().context("cannot wait for another installation")?;
        Ok(lock)
    })
    .await
    .expect("locking a file does not panic")
}

/// Whether and how this process can become root.
async fn power() -> Power {
    if Uid::effective().is_root() {
        return Power::Root;
    }
    let asked = Command::new("sudo").args(["-n", "true"]).stdin(Stdio::null()).output().await;
    match asked {
        Ok(output) if output.status.success() => Power::Sudo,
        _ => Power::None,
    }
}

/// A file of this user's that all its stacks share, opened or made.
///
/// Its name can be guessed in a folder that everyone may write to: a link that
/// someone else put there is not followed.
pub(crate) fn shared_file(root: &Path, purpose: &str) -> Result<File> {
    let path = shared_path(root, purpose);
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(O_NOFOLLOW);
    options.open(&path).with_context(|| format!("cannot open {}", path.display()))
}

/// Where that file is: beside the stacks' folders.
fn shared_path(root: &Path, purpose: &str) -> PathBuf {
    root.join(format!("outflow-devstack.{}.{purpose}", Uid::effective()))
}

#[cfg(test)]
mod tests {
    use super::{Install, Power, refuse_where_we_must};

    #[test]
    fn an_installation_that_is_not_allowed_names_the_command() {
        let both = ["postgresql", "rabbitmq-server"];
        for (install, power, expected) in [
            (Install::Never, Power::Root, Some("nothing may be installed")),
            (Install::WhenMissing, Power::None, Some("without a password")),
            (Install::WhenMissing, Power::Sudo, None),
            (Install::WhenMissing, Power::Root, None),
        ] {
            let refusal = refuse_where_we_must(&both, install, power).err().map(|it| it.to_string());
            assert_eq!(refusal.is_some(), expected.is_some(), "{install:?} {power:?}");
            if let (Some(refusal), Some(expected)) = (refusal, expected) {
                assert!(refusal.contains(expected), "{refusal}");
                assert!(refusal.contains("postgresql rabbitmq-server"), "{refusal}");
            }
        }
    }
}
