//! Files that an earlier version has written, and which every later version must read: `tests/golden/v1`.
//!
//! For each sample there is a snapshot, a journal, and what is in the snapshot, as text. Snapshots and journals are never written anew: a format that
//! does not read them any more has lost its users' runs. What changes gets a new version of the format and a folder of its own, and these stay.
//!
//! `UPDATE_GOLDEN=1 cargo test --test golden` writes what is not there yet, and the texts; the hashes of new files then belong into the table.
mod snapshot_kit;

use std::fs;
use std::path::PathBuf;

use snapshot_kit::{Order, Rough, Sample, forge, samples};
use stepstream::engine::{Condition, Engine, Millis, Thaw};
use stepstream::error::Code;
use stepstream::snapshot::container::{self, encode_image};
use stepstream::snapshot::replay::{Passed, Replay};

/// The hashes (FNV-1a) of each sample's snapshot and journal.
const HASHES: &[(&str, u64, u64)] = &[
    ("created", 0x73c9dd1fed3caf1c, 0x84ab45c7ecede37a),
    ("at-work", 0x4e13723cae3f4f23, 0xe56ce4804fa10705),
    ("half-full-join", 0xb7dd2aff68652059, 0x1d4136be8cc9328b),
    ("open-waits", 0x9bfd112c1f8fa646, 0x55f74bd4dbb9b7bb),
    ("received", 0x8d306b5b5449ad4b, 0x69dbd956de5f81fb),
    ("asleep", 0x660a3267705f1397, 0x69f799439b22a18a),
    ("between-attempts", 0xae8b9f4c70caaf14, 0x97fadb509ee05a31),
    ("second-attempt", 0x707d82ff964e2b4e, 0x0bdf6b1bd65ad6a0),
    ("half-full-collections", 0x20490c610ebe2eee, 0x325a28d6dd32ff4a),
    ("once-and-sent", 0x927b478bb4f92c49, 0x132a10c7f5758f83),
    ("kept-events", 0xcc1f9e82fd37b076, 0x8f78465ba158912e),
    ("failure-handled", 0xd978878b28a8303f, 0x31b7fec78af4bf50),
    ("completed", 0x7f4d3659ac45ae62, 0x7cd7d4ac6cc3eca6),
    ("step-failed", 0xe41bcb6c1571684a, 0x1fd81ede178d3791),
    ("timed-out", 0xb5932be6bd4a66a6, 0x4e662159c78f4adb),
    ("cancelled", 0x48a2d7b152f10f4b, 0xde00c1923a1f620f),
    ("stalled", 0xac4f3d32085dbb4a, 0x493c63b4aa0c2762),
    ("limit-reached", 0x1911d8cb701d2a56, 0x693b0650613bdfbf),
    ("second-life", 0x90763c1eec3a650c, 0x0e73823007fa0699),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

fn path(name: &str, kind: &str) -> PathBuf {
    folder().join(format!("{name}.{kind}"))
}

fn bytes(name: &str, kind: &str) -> Vec<u8> {
    fs::read(path(name, kind)).unwrap_or_else(|error| panic!("{name}.{kind}: {error}"))
}

/// What is in a snapshot.
fn text(bytes: &[u8]) -> String {
    let snapshot = container::read(bytes).expect("it can be read");
    let header = snapshot.header;
    let host = String::from_utf8_lossy(snapshot.host);
    let payloads: Vec<&str> = host.lines().collect();
    format!(
        "fingerprint {:016x}\nsequence {}\npayloads {payloads:#?}\n{:#?}\n",
        header.fingerprint, header.sequence, snapshot.image
    )
}

#[test]
fn the_files_are_those_that_were_written() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        write();
    }
    for (name, snapshot, journal) in HASHES {
        assert_eq!(forge::fnv(&bytes(name, "snapshot")), *snapshot, "{name}.snapshot");
        assert_eq!(forge::fnv(&bytes(name, "journal")), *journal, "{name}.journal");
    }
    let mut names: Vec<String> = HASHES.iter().map(|(name, ..)| (*name).into()).collect();
    let mut files: Vec<String> = fs::read_dir(folder())
        .expect("it is part of the sources")
        .map(|file| file.expect("it can be listed").path())
        .filter(|file| file.extension().is_some_and(|kind| kind == "snapshot"))
        .map(|file| file.file_stem().expect("it has a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    files.sort();
    assert_eq!(files, names, "every file has its hash");
}

/// Writes the files that are not there, and the texts of all.
fn write() {
    for Sample { name, mut sim, .. } in samples() {
        if !path(name, "snapshot").exists() {
            fs::write(path(name, "snapshot"), sim.snapshot()).expect("it can be written");
            fs::write(path(name, "journal"), sim.journal.as_mut().expect("kept").take()).expect("it can be written");
            let hash = |kind| forge::fnv(&bytes(name, kind));
            println!("    (\"{name}\", {:#018x}, {:#018x}),", hash("snapshot"), hash("journal"));
        }
        fs::write(path(name, "txt"), text(&bytes(name, "snapshot"))).expect("it can be written");
    }
}

#[test]
fn snapshots_say_what_they_said() {
    for (name, ..) in HASHES {
        let expected = String::from_utf8(bytes(name, "txt")).expect("a text");
        assert_eq!(text(&bytes(name, "snapshot")), expected, "{name}");
    }
}

#[test]
fn snapshots_are_runs() {
    for (name, ..) in HASHES {
        let plan = samples().into_iter().find(|sample| sample.name == *name).expect("a sample for each").plan;
        let bytes = bytes(name, "snapshot");
        let snapshot = container::read(&bytes).expect("it can be read");
        let built = plan.build(Order::Mixed);
        assert_eq!(plan.build(Order::Given).graph.borrow().fingerprint(), snapshot.header.fingerprint, "{name}");
        let payloads = std::str::from_utf8(snapshot.host).expect("a text").lines();
        let types: Vec<_> = payloads.map(|payload| built.type_of(payload)).collect();
        let how = Thaw { options: plan.options, fresh_timeout: false };
        match Engine::thaw(built.graph, &snapshot.image, &types, how) {
            Ok(engine) => drop(Rough::new(engine, snapshot.image.now, 1).suffer(100)),
            Err(refusal) => {
                assert_eq!((snapshot.image.condition, refusal.code), (Condition::Completed, Code::RunEnded), "{name}");
            }
        }
    }
}

/// The example in the document is one of these files.
#[test]
fn the_document_shows_what_is_there() {
    let document = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/snapshot-format.md"));
    let document = document.expect("it is part of the sources");
    let (_, example) = document.split_once("\n## An example\n").expect("an example");
    let example = example.split("```").nth(1).expect("its bytes").lines().skip(1);
    let number = |digits: &str| u8::from_str_radix(digits, 16).expect("two digits");
    let line = |line: &str| line[..49.min(line.len())].split_whitespace().map(number).collect::<Vec<u8>>();
    assert_eq!(example.flat_map(line).collect::<Vec<u8>>(), bytes("asleep", "snapshot"));
}

#[test]
fn journals_lead_to_the_snapshots() {
    for (name, ..) in HASHES {
        let plan = samples().into_iter().find(|sample| sample.name == *name).expect("a sample for each").plan;
        let snapshot = bytes(name, "snapshot");
        let image = container::read(&snapshot).expect("it can be read").image;
        let mut replay = Replay::new(plan.build(Order::Given).graph, bytes(name, "journal")).expect("it begins as one");
        while replay.advance().unwrap_or_else(|code| panic!("{name}: {code:?}")) != Passed::End {
            drop(replay.engine.drain());
        }
        assert_eq!(encode_image(&replay.engine.freeze(Millis(image.now)).image), encode_image(&image), "{name}");
    }
}
