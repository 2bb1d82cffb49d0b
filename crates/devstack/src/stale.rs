//! Stacks whose owner is gone: found at the next start, ended and removed.
//!
//! Only folders of this user are looked at, and of those only the ones whose
//! owner's lock is free. What still runs for them is ended after its start time
//! or its mark has shown that it is theirs.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::Uid;

use crate::folder::{PREFIX, Record, end_marked};
use crate::options::Reporter;

/// Removes the stale stacks in `root`; returns the ports of the living ones.
///
/// The caller holds the stacks' lock, so that no folder is half made.
pub(crate) fn sweep(root: &Path, reporter: &Reporter) -> HashSet<u16> {
    let mut taken = HashSet::new();
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let folder = entry.path();
        let is_stack = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let is_ours = fs::symlink_metadata(&folder)
            .is_ok_and(|meta| meta.is_dir() && meta.uid() == Uid::effective().as_raw());
        if !is_stack || !is_ours {
            continue;
        }
        let record = Record::read(&folder);
        if is_owned(&folder) {
            taken.extend(record.map(|it| it.ports).unwrap_or_default());
            continue;
        }
        match record {
            Ok(record) => record.end_children(&folder),
            Err(_) => end_marked(&folder),
        }
        let name = folder.display();
        match remove(&folder) {
            Ok(()) => reporter.say(&format!("✓ removed {name}, which an earlier run left behind")),
            Err(error) => {
                reporter.say(&format!("cannot remove {name}, which an earlier run left behind: {error}"));
            }
        }
    }
    taken
}

/// Whether the owner of the stack in `folder` lives.
fn is_owned(folder: &Path) -> bool {
    match File::open(folder.join("owner.lock")).map(|lock| lock.try_lock()) {
        Ok(Ok(())) => false,
        Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => true,
        // No lock at all: it was not finished. Any other error: hands off.
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Removes `folder`, even if a last process still drops a file into it.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    let mut result = Ok(());
    for _ in 0..5 {
        result = fs::remove_dir_all(folder);
        if !folder.exists() {
            return Ok(());
        }
    }
    result
}
