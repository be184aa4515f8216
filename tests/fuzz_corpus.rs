//! The targets of `fuzz/` without a fuzzer: the corpus, and some thousand random changes to it.
//!
//! This is no substitute for fuzzing, which is led by what the code does (`fuzz/Cargo.toml` says how to run it); it keeps the targets and their corpus
//! in order and finds what lies close by.
mod snapshot_kit;

use std::fs;
use std::path::PathBuf;

use snapshot_kit::feed;

type Target = fn(&[u8]) -> bool;

const TARGETS: [(&str, Target); 2] = [("snapshot", feed::snapshot), ("journal", feed::journal)];
/// How often each target is tried: some seconds of work.
const TIMES: usize = 20_000;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The corpus of a target, in an order of its own.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder(target)).expect("the corpus is part of the sources");
    let read = |path: PathBuf| (path.display().to_string(), fs::read(path).expect("it can be read"));
    let mut corpus: Vec<_> = files.map(|file| read(file.expect("it can be listed").path())).collect();
    corpus.sort();
    corpus
}

/// The seeds of earlier versions of the format stay, under names that begin with the version. Writes the newest ones anew, after the format or the samples have changed: `UPDATE_CORPUS=1 cargo test --test fuzz_corpus`.
#[test]
fn the_corpus_has_a_seed_of_every_sample() {
    let is_update = std::env::var_os("UPDATE_CORPUS").is_some();
    for (name, snapshot, journal) in feed::seeds() {
        for (target, seed) in [("snapshot", snapshot), ("journal", journal)] {
            let path = folder(target).join(name);
            if is_update {
                fs::create_dir_all(folder(target)).expect("it can be made");
                fs::write(&path, seed).expect("it can be written");
            }
            assert!(path.exists(), "{} is missing", path.display());
        }
    }
}

#[test]
fn what_the_fuzzer_begins_with_is_a_run() {
    for (target, feed) in TARGETS {
        let corpus = corpus(target);
        let runs = corpus.iter().filter(|(_, input)| feed(input)).count();
        // All but the runs that have completed, of which there is one in each version of the format.
        assert!(runs + 2 >= corpus.len(), "{target}: {runs} of {}", corpus.len());
    }
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        // SplitMix64, so that a run can be repeated.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % most.max(1) as u64) as usize
    }

    /// A place in the bytes; mostly behind the header, where there is more to be had.
    fn place(&mut self, bytes: &[u8]) -> usize {
        let skipped = if self.below(10) == 0 { 0 } else { bytes.len().min(26) };
        skipped + self.below(bytes.len() - skipped)
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let at = self.place(bytes).min(bytes.len() - 1);
        match self.below(9) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.below(256) as u8,
            2 => bytes[at] = [0, 1, 2, 0x7f, 0x80, 0xff][self.below(6)],
            3 => bytes[at] = bytes[at].wrapping_add([1, 2, 0xff, 0xfe][self.below(4)]),
            4 => drop(bytes.remove(at)),
            5 => bytes.insert(at, self.below(256) as u8),
            6 => bytes.truncate(at),
            7 => {
                let length = self.below(bytes.len() - at);
                let again = bytes[at..at + length].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, again);
            }
            _ => {
                let from = self.below(other.len());
                let length = self.below(other.len() - from);
                let end = (at + self.below(length + 1)).min(bytes.len());
                bytes.splice(at..end, other[from..from + length].iter().copied());
            }
        }
    }
}

#[test]
fn random_changes_to_the_corpus_do_no_harm() {
    for (target, feed) in TARGETS {
        let corpus = corpus(target);
        let mut chance = Chance(0x5eed);
        let mut runs = 0;
        for _ in 0..TIMES {
            let (name, seed) = &corpus[chance.below(corpus.len())];
            let other = &corpus[chance.below(corpus.len())].1;
            let mut input = seed.clone();
            for _ in 0..=chance.below(4) {
                chance.change(&mut input, other);
            }
            let fed = std::panic::catch_unwind(|| feed(&input));
            runs += usize::from(fed.unwrap_or_else(|_| panic!("{target}: from {name}: {input:?}")));
        }
        assert!(runs * 50 > TIMES, "{target}: {runs} of {TIMES} were runs, so little was tried");
    }
}
