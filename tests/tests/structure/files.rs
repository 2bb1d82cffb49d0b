//! The files of the repository, and what they hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Folders that hold no file of ours.
const NOT_OURS: &[&str] = &["target", ".git"];

/// A file of text.
pub(crate) struct File {
    /// From the top of the repository.
    pub(crate) path: PathBuf,
    /// All of it.
    pub(crate) text: String,
}

impl File {
    /// A file that need not exist.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.to_owned() }
    }

    /// The path as a person would write it.
    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// What follows the last dot of its name.
    pub(crate) fn extension(&self) -> &str {
        self.path.extension().and_then(|it| it.to_str()).unwrap_or_default()
    }

    /// Whether its code, comments aside, uses something of `package`.
    pub(crate) fn names_crate(&self, package: &str) -> bool {
        let path = format!("{package}::");
        let stands_alone = |line: &str, at: usize| {
            !line[..at].ends_with(|it: char| it.is_alphanumeric() || it == '_' || it == ':')
        };
        self.extension() == "rs"
            && self.code().any(|(_, line)| line.match_indices(&path).any(|(at, _)| stands_alone(line, at)))
    }

    /// One complaint for each line that holds one of `words`.
    pub(crate) fn holds(&self, words: &[&str]) -> Vec<String> {
        self.complaints(self.text.lines().enumerate(), words)
    }

    /// The same, comments aside.
    pub(crate) fn holds_in_code(&self, words: &[&str]) -> Vec<String> {
        self.complaints(self.code(), words)
    }

    fn complaints<'a>(&self, lines: impl Iterator<Item = (usize, &'a str)>, words: &[&str]) -> Vec<String> {
        let held = lines.filter_map(|(index, line)| {
            let word = words.iter().find(|word| line.contains(**word))?;
            Some(format!("{}:{} holds `{word}`", self.shown(), index + 1))
        });
        held.collect()
    }

    /// The lines without what follows the first mark of a comment.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let mark = if self.extension() == "sql" { "--" } else { "//" };
        let code = move |line: &'_ str| line.find(mark).unwrap_or(line.len());
        self.text.lines().enumerate().map(move |(index, line)| (index, &line[..code(line)]))
    }
}

/// The top of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the repository")
}

/// Every file of text in the repository, read once.
pub(crate) fn all_files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut files = Vec::new();
        collect(root(), &mut files);
        assert!(files.len() > 100, "only {} files were found", files.len());
        files
    })
}

fn collect(folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository can be read") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().and_then(|it| it.to_str()).expect("a plain name");
        if path.is_dir() && !NOT_OURS.contains(&name) {
            collect(&path, files);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root()).expect("it lies in the repository").to_path_buf();
            files.push(File { path, text });
        }
    }
}
