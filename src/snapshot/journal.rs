//! The journal: everything that has happened to a run, as a header and records.
//!
//! A record is its length, its number, a checksum, and its content in the wire format of `postcard`. Records are only
//! appended, so the bytes after any record are an increment: joined in order, increments are the journal again, and a
//! missing one shows in the numbers.

use std::cell::RefCell;
use std::rc::Rc;

use super::header::{Header, Kind, number};
use crate::engine::{Condition, Engine, Graph, Image, Millis, RunOptions, Status, Tick};
use crate::error::Code;
use crate::hash::{Fnv, fnv};
use crate::wire::{self, Bytes, wire_enum};

/// The content of a record. A variant keeps its position.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// The first one: how the run was set up.
    Begin {
        /// Where the jitter of retries comes from.
        seed: u64,
        /// How long the run may be alive, in milliseconds.
        timeout: Option<u64>,
        /// How many steps it may invoke.
        steps_limit: u64,
        /// How many events of one type it keeps for later.
        kept_limit: u32,
        /// The names of the graph's steps, in the order of their numbers.
        steps: Vec<String>,
        /// The image that the run was restored from, if it was: an [`Image`] as bytes, in the version of the journal.
        image: Option<Bytes>,
    },
    /// The graph has a further event type.
    Type {
        /// Its name; its number is the count of those before it.
        name: String,
        /// The number of the type that it is a kind of, if it is of one.
        parent: Option<u32>,
    },
    /// A tick was applied.
    Tick {
        /// When, in milliseconds of alive time.
        now: u64,
        /// The tick.
        tick: Tick,
    },
    /// A note of the host, which only the host can read.
    Note(Bytes),
}

wire_enum!(Record {
    0 => Begin { seed, timeout, steps_limit, kept_limit, steps, image },
    1 => Type { name, parent },
    2 => Tick { now, tick },
    3 => Note(note),
});

impl Record {
    /// The content of the record as bytes.
    #[must_use]
    pub fn encode(&self) -> EncodedRecord {
        EncodedRecord(wire::to_bytes(self))
    }
}

/// The content of a [`Record`] as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedRecord(Vec<u8>);

/// A journal being written.
#[derive(Debug)]
pub struct Journal {
    graph: Rc<RefCell<Graph>>,
    bytes: Vec<u8>,
    number: u32,
    types: usize,
    /// Part of the checksum of each record: a hash of the header for the first record, of header and first record for
    /// the others. So a record of another journal is refused.
    salt: u64,
}

/// Length, number and checksum of a record.
const PREFIX: usize = 12;

impl Journal {
    /// The journal of a run that is about to begin, or to resume from `image`.
    #[must_use]
    pub fn new(engine: &Engine, options: RunOptions, image: Option<&mut Image>) -> Journal {
        let graph = Rc::clone(engine.graph());
        let mut journal = Journal { graph, bytes: Vec::new(), number: 0, types: 0, salt: 0 };
        let sequence = image.as_ref().map_or(0, |image| image.ticks);
        let image = image.map(|image| {
            let kept = (image.condition, image.deadline);
            if engine.status() == Status::Restored {
                // As the run was restored: its timeout may have started anew.
                image.condition = Condition::Running;
                image.deadline = engine.deadline().map(|deadline| deadline.0);
            }
            let bytes = Bytes(wire::to_bytes(image));
            // Changed for this moment only, which spares a copy of the image.
            (image.condition, image.deadline) = kept;
            bytes
        });
        let fingerprint = journal.graph.borrow().fingerprint();
        Header::new(Kind::Journal, fingerprint, sequence).write(&mut journal.bytes);
        journal.salt = fnv(&journal.bytes);
        let steps = journal.graph.borrow().steps().iter().map(|step| String::from(&*step.name)).collect();
        let begin = Record::Begin {
            seed: options.seed,
            timeout: options.timeout.map(|timeout| timeout.0),
            steps_limit: options.limits.steps,
            kept_limit: options.limits.kept_events,
            steps,
            image,
        };
        journal.write(&begin.encode().0);
        journal
    }

    /// Adds a tick that the engine has applied.
    pub fn tick(&mut self, tick: Tick, now: Millis) {
        self.add(&Record::Tick { now: now.0, tick }.encode());
    }

    /// Adds a record that was encoded before: a tick is used up when it is applied.
    pub fn add(&mut self, encoded: &EncodedRecord) {
        self.types();
        self.write(&encoded.0);
    }

    /// Adds a note of the host.
    pub fn note(&mut self, note: Vec<u8>) {
        self.add(&Record::Note(Bytes(note)).encode());
    }

    /// What was written since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }

    /// Adds the event types that the graph has got since the last record, from this run or another.
    fn types(&mut self) {
        let graph = Rc::clone(&self.graph);
        let graph = graph.borrow();
        for ty in &graph.types()[self.types..] {
            let parent = ty.lineage.get(1).map(|parent| parent.0);
            self.write(&Record::Type { name: String::from(&*ty.name), parent }.encode().0);
        }
        self.types = graph.types().len();
    }

    fn write(&mut self, content: &[u8]) {
        self.bytes.extend((content.len() as u32).to_le_bytes());
        self.bytes.extend(self.number.to_le_bytes());
        let hash = hash(self.salt, self.number, content);
        self.bytes.extend(checksum(hash).to_le_bytes());
        self.bytes.extend(content);
        if self.number == 0 {
            self.salt = hash;
        }
        self.number = self.number.wrapping_add(1);
    }
}

fn hash(salt: u64, number: u32, content: &[u8]) -> u64 {
    let mut hash = Fnv::new();
    hash.write(&salt.to_le_bytes());
    hash.write(&number.to_le_bytes());
    hash.write(content);
    hash.finish()
}

/// The checksum of a record: both halves of its hash, combined.
fn checksum(hash: u64) -> u32 {
    (hash ^ hash >> 32) as u32
}

/// Reads a journal record by record.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The header.
    pub header: Header,
    rest: &'a [u8],
    number: u32,
    /// As in [`Journal`].
    salt: u64,
}

/// Where a reader is: how much is left to read, the number of the next record, and the salt.
pub(super) type Position = (usize, u32, u64);

impl<'a> Reader<'a> {
    /// # Errors
    /// Those of [`Header::read`].
    pub fn new(bytes: &'a [u8]) -> Result<Reader<'a>, Code> {
        let (header, rest) = Header::read(bytes, Kind::Journal)?;
        let salt = fnv(&bytes[..bytes.len() - rest.len()]);
        Ok(Reader { header, rest, number: 0, salt })
    }

    /// Where the reader is, for [`at`](Reader::at).
    pub(super) fn position(&self) -> Position {
        (self.rest.len(), self.number, self.salt)
    }

    /// A reader at the position of another reader of the same bytes.
    pub(super) fn at(bytes: &'a [u8], (left, number, salt): Position) -> Result<Reader<'a>, Code> {
        let (header, rest) = Header::read(bytes, Kind::Journal)?;
        let rest = rest.split_at_checked(rest.len().saturating_sub(left)).map_or(rest, |(_, rest)| rest);
        Ok(Reader { header, rest, number, salt })
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    /// [`Code::SnapshotTruncated`] when the record is cut off, [`Code::SnapshotAltered`] when its checksum does not
    /// fit, [`Code::JournalGap`] when its number is not the next one, [`Code::SnapshotInvalid`] when it cannot be
    /// decoded.
    pub fn read(&mut self) -> Result<Option<Record>, Code> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (prefix, rest) = self.rest.split_at_checked(PREFIX).ok_or(Code::SnapshotTruncated)?;
        let field = |nth: usize| number(&prefix[nth * 4..nth * 4 + 4]) as u32;
        let (length, nth, sum) = (field(0), field(1), field(2));
        let (content, rest) = rest.split_at_checked(length as usize).ok_or(Code::SnapshotTruncated)?;
        let hash = hash(self.salt, nth, content);
        // The salt is known only after the first record, so until then another record cannot be checked.
        if checksum(hash) != sum && (self.number > 0 || nth == 0) {
            return Err(Code::SnapshotAltered);
        }
        if nth != self.number {
            return Err(Code::JournalGap);
        }
        let record = wire::from_bytes(content).ok_or(Code::SnapshotInvalid)?;
        if nth == 0 {
            self.salt = hash;
        }
        self.rest = rest;
        self.number = nth.wrapping_add(1);
        Ok(Some(record))
    }
}
