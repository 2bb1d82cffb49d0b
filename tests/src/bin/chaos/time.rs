//! The time of one run: the machine's, plus what the run has jumped.
//!
//! Every worker reads the error of its clock from a file of its own, and the
//! simulator's clock is set again and again. So seven minutes of silence pass
//! in a moment, and one process can be made to believe that it is later than it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use workers::Clock;

/// The clocks of a run.
#[derive(Debug)]
pub(crate) struct Time {
    folder: PathBuf,
    jumped_ms: AtomicI64,
    /// The file of each process, and by how much that one is wrong besides.
    errors: Mutex<Vec<(PathBuf, i64)>>,
}

impl Time {
    /// Clocks whose files lie in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), jumped_ms: AtomicI64::new(0), errors: Mutex::default() }
    }

    /// The moment.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Clock::System.now() + TimeDelta::milliseconds(self.jumped_ms.load(SeqCst))
    }

    /// A clock file for one more process.
    pub(crate) fn file(&self) -> Result<PathBuf> {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(format!("clock-{}", errors.len()));
        errors.push((path.clone(), 0));
        drop(errors);
        self.write()?;
        Ok(path)
    }

    /// It is later for everybody.
    pub(crate) fn jump(&self, by: TimeDelta) -> Result<()> {
        self.jumped_ms.fetch_add(by.num_milliseconds(), SeqCst);
        self.write()
    }

    /// One process is wrong about the time from now on; no error is right again.
    pub(crate) fn mislead(&self, file: &Path, by: TimeDelta) -> Result<()> {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, error_ms) in errors.iter_mut().filter(|(path, _)| path == file) {
            *error_ms = by.num_milliseconds();
        }
        drop(errors);
        self.write()
    }

    /// Everybody is right.
    pub(crate) fn calm(&self) -> Result<()> {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.iter_mut().for_each(|(_, error_ms)| *error_ms = 0);
        drop(errors);
        self.write()
    }

    fn write(&self) -> Result<()> {
        let jumped_ms = self.jumped_ms.load(SeqCst);
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, error_ms) in errors.iter() {
            // Renamed into its place: a half-written number would be another time.
            let fresh = path.with_extension("new");
            fs::write(&fresh, (jumped_ms + error_ms).to_string())?;
            fs::rename(&fresh, path).with_context(|| format!("setting the clock {}", path.display()))?;
        }
        Ok(())
    }
}
