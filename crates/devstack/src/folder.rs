//! A stack's folder: everything of it on disk, and who it belongs to.
//!
//! ```text
//! outflow-devstack-x1y2z3/
//!   owner.lock      locked by the owner for as long as it lives
//!   stack.json      the owner, its ports and its children, for the next start
//!   postgres.log  postgres/   rabbitmq.log  rabbitmq/
//! ```
//!
//! The kernel drops the lock when the owner dies, however it dies: whoever can
//! take the lock has found a folder that nobody needs any more.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use crate::child::{Account, Child, guarded};
use crate::install::shared_file;
use crate::options::Reporter;
use crate::ports::Ports;
use crate::process::{self, Process};
use crate::stale;

/// The beginning of every stack's folder name.
pub(crate) const PREFIX: &str = "outflow-devstack-";

/// What every child carries in its environment, with the folder as its value.
pub(crate) const MARK: &str = "OUTFLOW_DEVSTACK_OWNED_BY";

/// What is known of a stack outside its owner.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Who started it.
    pub(crate) owner: Process,
    /// What it listens on, or will again.
    pub(crate) ports: Vec<u16>,
    /// The children by name.
    pub(crate) children: BTreeMap<String, Process>,
    /// The port over which the broker is told things, once there is a broker.
    pub(crate) distribution: Option<u16>,
}

impl Record {
    /// Reads the record of the stack in `folder`.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("stack.json");
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is not a stack's record", path.display()))
    }

    /// Ends all children, and everything else that carries the folder's mark.
    pub(crate) fn end_children(&self, folder: &Path) {
        // PostgreSQL removes its shared memory at SIGQUIT. RabbitMQ leaves nothing.
        let signal = |name: &str| if name == "postgres" { Signal::SIGQUIT } else { Signal::SIGKILL };
        let known: Vec<_> = self.children.iter().map(|(name, process)| (*process, signal(name))).collect();
        process::end_all(&known, Duration::from_secs(3));
        end_marked(folder);
    }
}

/// Kills what carries the mark of `folder`.
pub(crate) fn end_marked(folder: &Path) {
    let marked = process::with_environment(&format!("{MARK}={}", folder.display()));
    let killed: Vec<_> = marked.into_iter().map(|process| (process, Signal::SIGKILL)).collect();
    process::end_all(&killed, Duration::from_secs(3));
}

/// The folder of a stack of ours. Dropping it ends the children and removes it.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    record: Mutex<Record>,
    /// Whether the folder stays for someone to read the logs; the next start removes it.
    kept: Mutex<bool>,
    _owner: File,
}

impl Folder {
    /// Removes what is stale, and makes a new folder with free ports.
    ///
    /// Blocks the thread, also while another stack of this user does the same.
    pub(crate) fn create(reporter: &Reporter) -> Result<(Self, Ports)> {
        let account = Account::for_postgres()?;
        let root = root_for(account.as_ref())?;
        let turn = shared_file(&root, "lock")?;
        turn.lock().context("cannot wait for the stacks' lock")?;
        let taken = stale::sweep(&root, reporter);
        Self::create_in(&root, account.as_ref(), &taken)
    }

    fn create_in(root: &Path, account: Option<&Account>, taken: &HashSet<u16>) -> Result<(Self, Ports)> {
        let ports = Ports::find(taken)?;
        let path = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root)?.keep();
        // PostgreSQL's user must be able to pass through, not to look around.
        let mode = if account.is_some() { 0o711 } else { 0o700 };
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
        let owner = File::create(path.join("owner.lock"))?;
        owner.lock()?;
        let record = Record {
            owner: Process::own(),
            ports: ports.all().into(),
            children: BTreeMap::new(),
            distribution: None,
        };
        let folder = Self { path, record: Mutex::new(record), kept: Mutex::new(false), _owner: owner };
        folder.write(|_| ())?;
        Ok((folder, ports))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts a child that the next start can find, should we not end it.
    pub(crate) fn spawn(&self, name: &str, mut command: std::process::Command) -> Result<Child> {
        command.env(MARK, &self.path);
        let child = Child::spawn(command).with_context(|| format!("cannot start {name}"))?;
        self.write(|record| {
            record.children.insert(name.to_owned(), child.process);
        })?;
        Ok(child)
    }

    /// Changes the record, in memory and on disk.
    pub(crate) fn write(&self, change: impl FnOnce(&mut Record)) -> Result<()> {
        let mut record = self.record.lock().expect("no thread panics with the record in hand");
        change(&mut record);
        let (draft, path) = (self.path.join("stack.json.new"), self.path.join("stack.json"));
        let text = serde_json::to_vec_pretty(&*record).expect("a record is plain data");
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Leaves the folder, not the children, behind for someone to read the logs.
    pub(crate) fn keep(&self) {
        *self.kept.lock().expect("no thread panics with the flag in hand") = true;
    }

    /// Ends the children and removes the folder. Blocks the thread.
    pub(crate) fn dispose(&self) {
        self.record.lock().expect("no thread panics with the record in hand").end_children(&self.path);
        let kept = *self.kept.lock().expect("no thread panics with the flag in hand");
        if !kept && self.path.exists() && stale::remove(&self.path).is_err() {
            tracing::warn!(folder = %self.path.display(), "A stack's folder could not be removed");
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.dispose();
    }
}

/// The folder for temporary files, or one that PostgreSQL's user can reach.
fn root_for(account: Option<&Account>) -> Result<PathBuf> {
    let own = std::env::temp_dir();
    let Some(account) = account else {
        return Ok(own);
    };
    let mut roots = vec![own, PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
    roots.retain(|root| is_reachable(root, account));
    let found = roots.into_iter().next();
    found
        .with_context(|| format!("no folder for temporary files can be reached by the user {}", account.name))
}

/// Whether `account` can pass through `root`.
fn is_reachable(root: &Path, account: &Account) -> bool {
    let Some(test) = crate::locate::system("test") else { return false };
    let command = guarded(&test, Some(account), Signal::SIGKILL);
    command.is_ok_and(|mut it| it.arg("-x").arg(root).status().is_ok_and(|status| status.success()))
}
