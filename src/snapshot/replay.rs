//! Replay: a run rebuilt from its journal, tick by tick. No user code runs: its results are in the ticks.

use std::cell::RefCell;
use std::rc::Rc;

use super::container;
use super::journal::{Position, Reader, Record};
use crate::engine::{Engine, EventType, EventTypeId, Graph, Limits, Millis, RestoreOptions, RunOptions, TickOutput};
use crate::error::Code;

/// The names in a journal: those of the graph that its run used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The event types, by number: the name of each, and the number of the type that it is a kind of.
    pub types: Vec<(String, Option<u32>)>,
    /// The steps, by number.
    pub steps: Vec<String>,
}

/// Reads a whole journal for the names in it. A graph that is to replay the run must have the same types and steps,
/// under the same numbers.
///
/// # Errors
/// Those of [`Reader`]; [`Code::SnapshotInvalid`] when the journal does not begin as one.
pub fn names(bytes: &[u8]) -> Result<Names, Code> {
    let mut reader = Reader::new(bytes)?;
    let Some(Record::Begin { steps, .. }) = reader.read()? else { return Err(Code::SnapshotInvalid) };
    let mut names = Names { types: Vec::new(), steps };
    while let Some(record) = reader.read()? {
        if let Record::Type { name, parent } = record {
            if parent.is_some_and(|parent| parent as usize >= names.types.len()) {
                return Err(Code::SnapshotInvalid);
            }
            names.types.push((name, parent));
        }
    }
    Ok(names)
}

/// A replay.
#[derive(Debug)]
pub struct Replay {
    /// The run as it was after the last tick.
    pub engine: Engine,
    /// When the last tick was.
    pub now: Millis,
    bytes: Vec<u8>,
    reader: Position,
    types: usize,
}

/// What [`Replay::advance`] has read.
#[derive(Clone, Debug, PartialEq)]
pub enum Passed {
    /// A tick. Its commands are in the engine.
    Tick(TickOutput),
    /// A note of the host.
    Note(Vec<u8>),
    /// The end.
    End,
}

impl Replay {
    /// A replay that is at the beginning of a journal.
    ///
    /// # Errors
    /// Those of [`Reader`]; [`Code::SnapshotForeign`] when the graph is not the one that the run used,
    /// [`Code::SnapshotInvalid`] when the journal does not begin as one.
    pub fn new(graph: Rc<RefCell<Graph>>, bytes: Vec<u8>) -> Result<Replay, Code> {
        let mut reader = Reader::new(&bytes)?;
        if !reader.header.fits(&graph.borrow()) {
            return Err(Code::SnapshotForeign);
        }
        let Some(Record::Begin { seed, timeout, steps_limit, kept_limit, steps, image }) = reader.read()? else {
            return Err(Code::SnapshotInvalid);
        };
        if !graph.borrow().steps().iter().map(|step| &*step.name).eq(steps.iter().map(String::as_str)) {
            return Err(Code::SnapshotForeign);
        }
        let limits = Limits { steps: steps_limit, kept_events: kept_limit };
        let options = RunOptions { seed, timeout: timeout.map(Millis), limits };
        let (engine, now) = match image {
            None => (Engine::new(graph, options), Millis(0)),
            Some(image) => {
                let image = container::decode_image(&image.0, reader.header.version)?;
                let how = RestoreOptions { options, fresh_timeout: false };
                let engine = Engine::restore_alone(graph, &image, how).map_err(|refusal| refusal.code)?;
                (engine, Millis(image.now))
            }
        };
        let engine = if reader.header.version < 3 { engine.without_failures() } else { engine };
        let reader = reader.position();
        Ok(Replay { engine, now, bytes, reader, types: 0 })
    }

    /// Advances to the next tick or note.
    ///
    /// # Errors
    /// Those of [`Reader`]; [`Code::SnapshotForeign`] when a type has another number or another parent in the graph,
    /// [`Code::SnapshotInvalid`] when the engine refuses a tick.
    pub fn advance(&mut self) -> Result<Passed, Code> {
        let mut reader = Reader::at(&self.bytes, self.reader)?;
        loop {
            let record = reader.read()?;
            self.reader = reader.position();
            return Ok(match record {
                None => Passed::End,
                Some(Record::Begin { .. }) => return Err(Code::SnapshotInvalid),
                Some(Record::Type { name, parent }) => {
                    let graph = self.engine.graph().borrow();
                    let parent = parent.map(EventTypeId);
                    let is_it = |ty: &EventType| *ty.name == *name && ty.lineage.get(1).copied() == parent;
                    if !graph.types().get(self.types).is_some_and(is_it) {
                        return Err(Code::SnapshotForeign);
                    }
                    self.types += 1;
                    continue;
                }
                Some(Record::Note(note)) => Passed::Note(note.0),
                Some(Record::Tick { now, tick }) => {
                    self.now = Millis(now);
                    let reply = self.engine.apply(tick, self.now);
                    Passed::Tick(reply.map_err(|_| Code::SnapshotInvalid)?)
                }
            });
        }
    }
}
