//! Snapshots: opened, restored and, if that makes a run, treated roughly.
#![no_main]

#[path = "../../tests/snapshot_kit/mod.rs"]
mod snapshot_kit;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    snapshot_kit::feed::snapshot(input);
});
