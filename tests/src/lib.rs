//! The system seen from outside. This library holds what several of its tests need.

pub mod proxy;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository.
///
/// # Panics
/// Never: this crate lies in it.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the repository")
}

/// A program of the workspace, built if nobody has yet.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let own = env::current_exe().expect("a test has a path");
    let folder = own.ancestors().nth(2).expect("tests lie in deps, below their profile").to_path_buf();
    let path = folder.join(name);
    if !path.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--workspace", "--bin", name]).current_dir(repository());
        assert!(build.status().expect("cargo runs").success(), "building {name}");
    }
    path
}
