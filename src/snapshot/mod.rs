//! Runs as bytes: the snapshot format, the journal, replay.
//!
//! - [`header`]: the header of all three kinds of bytes: magic, kind, version, fingerprint, sequence.
//! - [`container`]: a snapshot: the engine's [`Image`](crate::engine::Image) and the host's part, under a checksum.
//! - [`journal`]: every tick of a run, as records that a reader can check one by one.
//! - [`replay`]: a run, rebuilt from its journal tick by tick, without user code.
//! - `v1`, `v2`: images in earlier versions of the format, and their conversion.
//!
//! `docs/snapshot-format.md` specifies the bytes. Everything here reads what comes from outside: no input makes it
//! panic, and none makes it allocate more than a small multiple of its own length (`tests/snapshot_hostile.rs`,
//! `tests/journal_hostile.rs`, `fuzz/`).
#![forbid(unsafe_code)]

pub mod container;
pub mod header;
pub mod journal;
pub mod replay;
mod v1;
mod v2;
