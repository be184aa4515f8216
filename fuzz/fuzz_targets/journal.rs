//! Journals: read for their names, and replayed to the end or to the first record that is refused.
#![no_main]

#[path = "../../tests/snapshot_kit/mod.rs"]
mod snapshot_kit;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    snapshot_kit::feed::journal(input);
});
