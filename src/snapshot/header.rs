//! The header of snapshots, journals and sealed snapshots. All numbers are little-endian.

use crate::engine::Graph;
use crate::error::Code;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A snapshot.
    Snapshot = b'S',
    /// A journal.
    Journal = b'J',
}

/// The first four bytes.
pub const MAGIC: [u8; 4] = *b"STEP";

/// The version of the format that is written. Older ones are read too.
pub const VERSION: u8 = 3;

/// How many bytes a header takes.
pub const LENGTH: usize = 24;

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub kind: Kind,
    /// The version of its format: [`VERSION`] or an older one.
    pub version: u8,
    /// Which workflow it belongs to: [`Graph::fingerprint`], in version 1 [`Graph::first_fingerprint`].
    pub fingerprint: u64,
    /// How many ticks the run had taken.
    pub sequence: u64,
}

impl Header {
    /// A header of the newest version.
    #[must_use]
    pub fn new(kind: Kind, fingerprint: u64, sequence: u64) -> Header {
        Header { kind, version: VERSION, fingerprint, sequence }
    }

    /// Whether the bytes belong to the workflow of this graph.
    #[must_use]
    pub fn fits(&self, graph: &Graph) -> bool {
        self.fingerprint == if self.version == 1 { graph.first_fingerprint() } else { graph.fingerprint() }
    }

    /// Appends the header.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(MAGIC);
        bytes.extend([self.kind as u8, self.version, 0, 0]);
        bytes.extend(self.fingerprint.to_le_bytes());
        bytes.extend(self.sequence.to_le_bytes());
    }

    /// Reads the header of bytes that must be of a kind. Returns the rest too.
    ///
    /// # Errors
    /// [`Code::SnapshotFormat`] when it is something else, [`Code::SnapshotVersion`] when the format is newer,
    /// [`Code::SnapshotTruncated`] when there is less than a header.
    pub fn read(bytes: &[u8], kind: Kind) -> Result<(Header, &[u8]), Code> {
        let known = bytes.len().min(MAGIC.len());
        if bytes[..known] != MAGIC[..known] {
            return Err(Code::SnapshotFormat);
        }
        let Some((header, rest)) = bytes.split_at_checked(LENGTH) else { return Err(Code::SnapshotTruncated) };
        if header[4] != kind as u8 {
            return Err(Code::SnapshotFormat);
        }
        let version = header[5];
        match version {
            0 => return Err(Code::SnapshotFormat),
            1..=VERSION => {}
            _ => return Err(Code::SnapshotVersion),
        }
        if header[6] != 0 || header[7] != 0 {
            return Err(Code::SnapshotAltered);
        }
        Ok((Header { kind, version, fingerprint: number(&header[8..16]), sequence: number(&header[16..24]) }, rest))
    }
}

/// The number in up to eight bytes.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
