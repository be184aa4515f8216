//! Files that an earlier version has written, and which every later version must read: `tests/golden/v1` and its successors.
//!
//! For each sample there is a snapshot, a journal, and what is in the snapshot, as text. Snapshots and journals are never written anew: a format that
//! does not read them any more has lost its users' runs. What changes gets a new version of the format and a folder of its own, and these stay.
//!
//! `UPDATE_GOLDEN=1 cargo test --test golden` writes what is not there yet, and the texts; the hashes of new files then belong into the table.
mod snapshot_kit;

use std::fs;
use std::path::PathBuf;

use snapshot_kit::{Blueprint, Order, Rough, Sample, describe, forge, samples};
use stepstream::engine::{Condition, Engine, Millis, RequestImage, RestoreOptions};
use stepstream::error::Code;
use stepstream::snapshot::container::{self, encode_image};
use stepstream::snapshot::header::VERSION;
use stepstream::snapshot::replay::{Passed, Replay};

/// A sample's name, and the hashes (FNV-1a) of its snapshot and its journal.
type Files = &'static [(&'static str, u64, u64)];

/// The files of every version of the format.
const VERSIONS: &[(&str, Files)] = &[("v1", FIRST), ("v2", SECOND), ("v3", THIRD)];

const FIRST: Files = &[
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

const SECOND: Files = &[
    ("created", 0x0ad1376c8286f494, 0x94092ee483b73437),
    ("at-work", 0x346888a11783ad55, 0xcf25016143744b41),
    ("half-full-join", 0x2a1871f78919f1bb, 0x0471e91761ffb137),
    ("open-waits", 0xacc37db8d2636438, 0x5034a2e5ef04694a),
    ("received", 0x657f6fcf6f7df64d, 0x085b0c45f9ac5c77),
    ("asleep", 0xc650133708fd35d6, 0xfb5add8c9c2fca91),
    ("between-attempts", 0x77707050c1da7852, 0x76ebef4b4bc83ec3),
    ("second-attempt", 0x0ea6ac6ae305070d, 0xbd1a00908fb27352),
    ("half-full-collections", 0x1b339dac4cedec00, 0xdcdc86eed1537bc6),
    ("once-and-sent", 0x01fa01664543ba43, 0x27bc27180c3e47e7),
    ("kept-events", 0xfae1642939d8a159, 0xdd264a207fae34c0),
    ("failure-handled", 0xd9380fce2d5d3cde, 0x5b6c1ab137d42fdc),
    ("completed", 0x55effd9f87024e8e, 0xc067cf8bfb853ffb),
    ("step-failed", 0xaead8c37da24e486, 0x75d0fd165bf33bd4),
    ("timed-out", 0x4fc9f694fca76f68, 0xab7a4a18cf09f72c),
    ("cancelled", 0xc7d14437cfdb5856, 0xd05aa97a27601982),
    ("stalled", 0x03fcaaeab8502b12, 0x92dd21620abee5d9),
    ("limit-reached", 0xddba170248226123, 0xdad00ac03c1d2b7d),
    ("withdrawn", 0x690459c8fe35fc53, 0xc5246f8f85203657),
    ("withdrawn-sleep", 0x059368b56fe7ee2a, 0x6cedcaa920ab927e),
    ("asked", 0xcaa11eeb9d793f5b, 0x80255d4d7cf7c23c),
    ("written", 0xb7385cd72f99495f, 0xfa9d42b63e2866b2),
    ("second-life", 0x304866dc5bd18362, 0xad42e9b16be5daba),
];

const THIRD: Files = &[
    ("created", 0xb47b94cb08713aaf, 0x4fbd0098a7a604a7),
    ("at-work", 0x1d1b703640c18b74, 0x11511c9ee3401353),
    ("half-full-join", 0xcf2f5026a183cc8e, 0x58431dc21a354292),
    ("open-waits", 0xccf0d39277b4ebbc, 0xd39a7c01861688de),
    ("received", 0xe22d84183bc4fbea, 0x0fafd56273c22ce0),
    ("asleep", 0x4635584b2d149fbd, 0x9278c460d04b48a3),
    ("between-attempts", 0xd0602c44b0a5a9c7, 0xfaf4e97b8ee10a05),
    ("second-attempt", 0x8905f28acffe9a0d, 0x23eb22ab6419c562),
    ("half-full-collections", 0x2f5eea1616d4c705, 0xb20117d7a78f0def),
    ("once-and-sent", 0x4bc229aed1a807fa, 0x03ea7c2857eb54bd),
    ("kept-events", 0xdaa29f249de03b47, 0xf2c7054402e64d35),
    ("failure-handled", 0xaa7d54e1a3900b77, 0x85c35b8ab4b9ba0c),
    ("completed", 0x9ecf42f628faa4f2, 0xfa493540265b45a3),
    ("step-failed", 0x4b48898f158a06f4, 0x3b8e7161cc5a3a7a),
    ("timed-out", 0x61477e7055cd794e, 0xcd626f2ff2bd5610),
    ("cancelled", 0x1dfc313b8f877215, 0x5e73cf5242857ac3),
    ("stalled", 0xfe00349a6ef05385, 0xef6531b3491786d9),
    ("limit-reached", 0x3025b32f843a2729, 0x9832d70070393a69),
    ("second-life", 0x97ed0a034d0bd587, 0xdaa3a3076697b2a6),
    ("withdrawn", 0xc52de91b1d8887a0, 0xd918ab14c9e75969),
    ("withdrawn-sleep", 0x13ac66f02e420b87, 0x1d76da4aec9a82c5),
    ("asked", 0x06f20e1496d84b21, 0x5a6447a7dc4ba781),
    ("lists", 0xe6deaf813ae7108e, 0x66957ffc389de1c5),
    ("lists-at-work", 0x22c1adef3313d888, 0xb41b06cc762b1d6c),
    ("written", 0x1d3aedd7b661499c, 0xe589ce8f702ab33b),
    ("buffers", 0x215d02e61c9d0674, 0xa68e0a5c5ec645bc),
];

/// Every file there is: version and name.
fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    VERSIONS.iter().flat_map(|(version, files)| files.iter().map(move |(name, ..)| (*version, *name)))
}

fn folder(version: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(version)
}

fn path(version: &str, name: &str, kind: &str) -> PathBuf {
    folder(version).join(format!("{name}.{kind}"))
}

fn bytes(version: &str, name: &str, kind: &str) -> Vec<u8> {
    fs::read(path(version, name, kind)).unwrap_or_else(|error| panic!("{version}/{name}.{kind}: {error}"))
}

/// The version that is written now.
fn newest() -> String {
    format!("v{VERSION}")
}

fn plan_of(name: &str) -> Blueprint {
    samples().into_iter().find(|sample| sample.name == name).expect("a sample for each").plan
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
    for (version, files) in VERSIONS {
        for (name, snapshot, journal) in *files {
            assert_eq!(forge::fnv(&bytes(version, name, "snapshot")), *snapshot, "{version}/{name}.snapshot");
            assert_eq!(forge::fnv(&bytes(version, name, "journal")), *journal, "{version}/{name}.journal");
        }
        let mut names: Vec<String> = files.iter().map(|(name, ..)| (*name).into()).collect();
        let mut files: Vec<String> = fs::read_dir(folder(version))
            .expect("it is part of the sources")
            .map(|file| file.expect("it can be listed").path())
            .filter(|file| file.extension().is_some_and(|kind| kind == "snapshot"))
            .map(|file| file.file_stem().expect("it has a name").to_string_lossy().into_owned())
            .collect();
        names.sort();
        files.sort();
        assert_eq!(files, names, "every file of {version} has its hash");
    }
    assert_eq!(
        VERSIONS.last().map(|(version, _)| (*version).to_string()),
        Some(newest()),
        "every version has its files"
    );
}

/// Writes the files that are not there, in the version that is written now, and the texts of all.
fn write() {
    let version = newest();
    fs::create_dir_all(folder(&version)).expect("it can be made");
    for Sample { name, mut sim, .. } in samples() {
        if !path(&version, name, "snapshot").exists() {
            let journal = sim.journal.as_mut().expect("kept").take();
            fs::write(path(&version, name, "snapshot"), sim.snapshot()).expect("it can be written");
            fs::write(path(&version, name, "journal"), journal).expect("it can be written");
            let hash = |kind| forge::fnv(&bytes(&version, name, kind));
            println!("    (\"{name}\", {:#018x}, {:#018x}),", hash("snapshot"), hash("journal"));
        }
        fs::write(path(&version, name, "txt"), text(&bytes(&version, name, "snapshot"))).expect("it can be written");
    }
    for (version, name) in all() {
        fs::write(path(version, name, "txt"), text(&bytes(version, name, "snapshot"))).expect("it can be written");
    }
}

#[test]
fn snapshots_say_what_they_said() {
    for (version, name) in all() {
        let expected = String::from_utf8(bytes(version, name, "txt")).expect("a text");
        assert_eq!(text(&bytes(version, name, "snapshot")), expected, "{version}/{name}");
    }
}

#[test]
fn snapshots_are_runs() {
    for (version, name) in all() {
        let plan = plan_of(name);
        let bytes = bytes(version, name, "snapshot");
        let snapshot = container::read(&bytes).expect("it can be read");
        let built = plan.build(Order::Mixed);
        assert!(snapshot.header.fits(&plan.build(Order::Given).graph.borrow()), "{version}/{name}");
        let payloads = std::str::from_utf8(snapshot.host).expect("a text").lines();
        let types: Vec<_> = payloads.map(|payload| built.type_of(payload)).collect();
        let how = RestoreOptions { options: plan.options, fresh_timeout: false };
        match Engine::restore(built.graph, &snapshot.image, &types, how) {
            Ok(engine) => drop(Rough::new(engine, snapshot.image.now, 1).suffer(100)),
            Err(refusal) => {
                let refused = (snapshot.image.condition, refusal.code);
                assert_eq!(refused, (Condition::Completed, Code::RunEnded), "{version}/{name}");
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
    assert_eq!(example.flat_map(line).collect::<Vec<u8>>(), bytes(&newest(), "asleep", "snapshot"));
}

#[test]
fn journals_lead_to_the_snapshots() {
    for (version, name) in all() {
        let plan = plan_of(name);
        let snapshot = bytes(version, name, "snapshot");
        let snapshot = container::read(&snapshot).expect("it can be read");
        let graph = plan.build(Order::Given).graph;
        let mut replay = Replay::new(graph, bytes(version, name, "journal")).expect("it begins as one");
        while replay.advance().unwrap_or_else(|code| panic!("{version}/{name}: {code:?}")) != Passed::End {
            drop(replay.engine.drain());
        }
        let mut replayed = replay.engine.capture(Millis(snapshot.image.now)).image;
        if version == "v1" {
            // A snapshot of that version does not say which questions were asked, and all are taken for such. In a journal they are ticks of their own.
            let waits = replayed.invocations.iter_mut().flat_map(|invocation| &mut invocation.log);
            waits.for_each(|entry| entry.published = matches!(entry.request, RequestImage::Event { .. }));
            let payloads: Vec<String> =
                std::str::from_utf8(snapshot.host).expect("a text").lines().map(String::from).collect();
            // As text, because types that only were written to the stream are not referred to any more.
            assert_eq!(describe(&replayed, &payloads), describe(&snapshot.image, &payloads), "{version}/{name}");
        } else {
            assert_eq!(encode_image(&replayed), encode_image(&snapshot.image), "{version}/{name}");
        }
    }
}
