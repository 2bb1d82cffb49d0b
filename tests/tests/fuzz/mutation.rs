//! Bytes that are nearly right: seeds, and what chance makes of them.
//!
//! The same seed makes the same bytes, so a finding can be repeated. What broke
//! something once is put into the corpus and tried first from then on.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Rounds of each target in an ordinary run; `OUTFLOW_FUZZ_ROUNDS` asks for others.
const ROUNDS: usize = 3_000;

/// Pieces that parsers have stumbled over.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\\u0000",
    b"\\ud800",
    b"\xff\xfe",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"-",
    b"1e309",
    b"1_000",
    b"NaN",
    b"0.1",
    b"99999999999999999999",
    b"+1",
    b"null",
    b"true",
    b"<![CDATA[",
    b"&lt;",
    b"<!DOCTYPE a [",
    b"%00",
    b"=",
    b"&",
    b"\r\n",
    "退".as_bytes(),
    "\u{202e}".as_bytes(),
];

/// How many rounds each target has.
pub(crate) fn rounds() -> usize {
    std::env::var("OUTFLOW_FUZZ_ROUNDS").ok().and_then(|it| it.parse().ok()).unwrap_or(ROUNDS)
}

/// Every file of a folder of the repository, in the order of their names.
pub(crate) fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = tests::repository().join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    paths.iter().map(|path| fs::read(path).expect("a file of the corpus")).collect()
}

/// Makes nearly right bytes.
pub(crate) struct Mutator {
    dice: StdRng,
    seeds: Vec<Vec<u8>>,
}

impl Mutator {
    /// From these seeds.
    pub(crate) fn new(seeds: Vec<Vec<u8>>) -> Self {
        Self { dice: StdRng::seed_from_u64(7), seeds }
    }

    /// The seeds, and then so many variations of them.
    pub(crate) fn all(mut self, rounds: usize) -> impl Iterator<Item = Vec<u8>> {
        let seeds = self.seeds.clone();
        seeds.into_iter().chain((0..rounds).map(move |_| {
            let seed = self.dice.random_range(0..self.seeds.len());
            let bytes = self.seeds[seed].clone();
            self.vary(bytes)
        }))
    }

    /// One to four changes.
    pub(crate) fn vary(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        for _ in 0..self.dice.random_range(1..5) {
            let place = self.dice.random_range(0..=bytes.len());
            let end = (place + self.dice.random_range(0..40)).min(bytes.len());
            match self.dice.random_range(0..7) {
                0 if place < bytes.len() => bytes[place] ^= 1 << self.dice.random_range(0..8),
                1 => drop(bytes.drain(place..end)),
                2 => {
                    let again = bytes[place..end].to_vec();
                    bytes.splice(place..place, again);
                }
                3 => {
                    let piece = PIECES[self.dice.random_range(0..PIECES.len())];
                    bytes.splice(place..place, piece.iter().copied());
                }
                4 => {
                    let piece = PIECES[self.dice.random_range(0..PIECES.len())];
                    bytes.splice(place..end, piece.iter().copied());
                }
                5 => {
                    let other = self.seeds[self.dice.random_range(0..self.seeds.len())].clone();
                    let from = self.dice.random_range(0..=other.len());
                    bytes.truncate(place);
                    bytes.extend_from_slice(&other[from..]);
                }
                _ => bytes.truncate(place),
            }
        }
        bytes
    }
}

/// Feeds a target with its corpus, its seeds and their variations. What breaks it is
/// kept as a file whose name the failing test says.
pub(crate) fn feed(name: &str, seeds: Vec<Vec<u8>>, target: impl Fn(&[u8])) {
    let corpus = Path::new("tests/fuzz").join(name);
    let mut all = files(corpus.to_str().expect("a plain name"));
    all.extend(seeds);
    for input in Mutator::new(all).all(rounds()) {
        if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
            let path = keep(name, &input);
            panic!("{name} breaks on {}; put it into {}", path.display(), corpus.display());
        }
    }
}

/// Keeps what broke something.
pub(crate) fn keep(name: &str, input: &[u8]) -> PathBuf {
    let folder = tests::repository().join("target/fuzz");
    fs::create_dir_all(&folder).expect("a folder");
    let sum = input.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    let path = folder.join(format!("{name}-{sum:016x}"));
    fs::write(&path, input).expect("a file");
    path
}
