//! The crates of the workspace and the arrows between them, as cargo sees them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::files::root;

/// For each crate, the crates of ours that it uses.
pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

/// Who uses whom.
pub(crate) struct Arrows {
    /// In what is shipped, build scripts included.
    pub(crate) run_time: Graph,
    /// In a crate's own tests.
    pub(crate) in_tests: Graph,
}

fn workspace() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    command.exec().expect("cargo can describe its own workspace")
}

/// The arrows of the workspace.
pub(crate) fn arrows() -> Arrows {
    let workspace = workspace();
    let ours: BTreeSet<String> = workspace.packages.iter().map(|it| it.name.to_string()).collect();
    let mut arrows = Arrows { run_time: Graph::new(), in_tests: Graph::new() };
    for package in &workspace.packages {
        let name = package.name.to_string();
        arrows.run_time.entry(name.clone()).or_default();
        for dependency in package.dependencies.iter().filter(|it| ours.contains(&it.name)) {
            let graph = match dependency.kind {
                DependencyKind::Development => &mut arrows.in_tests,
                _ => &mut arrows.run_time,
            };
            graph.entry(name.clone()).or_default().insert(dependency.name.clone());
        }
    }
    arrows
}

/// One complaint for each arrow that none of the tables allows.
pub(crate) fn not_allowed(graph: &Graph, tables: &[&[(&str, &[&str])]]) -> Vec<String> {
    let is_allowed = |from: &str, to: &str| {
        let rows = tables.iter().flat_map(|table| table.iter()).filter(|(name, _)| *name == from);
        rows.flat_map(|(_, allowed)| allowed.iter()).any(|name| *name == to)
    };
    let pairs = graph.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to)));
    let strange = pairs.filter(|(from, to)| !is_allowed(from, to));
    strange.map(|(from, to)| format!("{from} must not use {to}")).collect()
}

/// For each of `packages`, the folders of our crates that depend on it directly
/// and not only in tests, from the top of the repository.
pub(crate) fn users_of(packages: &[&str]) -> BTreeMap<String, Vec<PathBuf>> {
    let mut users: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for package in workspace().packages {
        let folder = package.manifest_path.parent().expect("a manifest lies in a folder").as_std_path();
        let folder = folder.strip_prefix(root()).expect("a crate lies in the workspace").to_path_buf();
        let shipped = package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal);
        for dependency in shipped.filter(|it| packages.contains(&it.name.as_str())) {
            users.entry(dependency.name.clone()).or_default().push(folder.clone());
        }
    }
    users
}
