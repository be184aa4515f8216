//! The part of the boundary that is about snapshots, journals and replay.
//!
//! Bytes come in as slices. Bytes that go out stay here until the next call that returns bytes; the reply has their
//! address and length.

use std::rc::Rc;

use wasm_bindgen::prelude::wasm_bindgen;

use super::engine_cell::EngineCell;
use super::{Instance, halves, number, options, point, tick, with};
use crate::engine::{Captured, Engine, EventTypeId, Image, Millis, Refusal, RestoreOptions, Status, Tick};
use crate::error::Code;
use crate::snapshot::container::{self, Snapshot};
use crate::snapshot::header::Header;
use crate::snapshot::journal::Journal;
use crate::snapshot::replay::{Passed, Replay, names};
#[cfg(feature = "crash-drill")]
use crate::wasm::drill;

impl Instance {
    /// Keeps bytes for the host to copy; returns their address and length.
    fn hand_over(&mut self, bytes: Vec<u8>) -> [u32; 2] {
        self.bytes = bytes;
        [self.bytes.as_ptr() as u32, self.bytes.len() as u32]
    }

    fn reply_captured(&mut self, captured: &Captured) -> *const u32 {
        let at = self.hand_over(container::encode_image(&captured.image));
        let (slots, invocations) = (&captured.slots, &captured.invocations);
        let counts = [slots.len() as u32, invocations.len() as u32];
        let slots = slots.iter().map(|slot| slot.0);
        let invocations = invocations.iter().map(|id| id.index);
        self.reply.value(at.into_iter().chain(counts).chain(slots).chain(invocations))
    }
}

/// Captures a run. Replies with address and length of its encoded image, the number of slots, the number of
/// invocations, the slots in the order of the image, and the places of the invocations in the order of the image.
#[wasm_bindgen]
pub fn engine_capture(engine: u32, now: f64) -> *const u32 {
    with(|instance| match instance.cells.get_mut(engine) {
        Some(cell) => {
            let captured = cell.engine.capture(point(now));
            #[cfg(feature = "crash-drill")]
            drill::pass(drill::Place::Capture);
            instance.reply_captured(&captured)
        }
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// Writes a snapshot. `image` is as [`engine_capture`] has returned it, or empty for a run that has completed; `low`
/// and `high` are the halves of the fingerprint. Replies with address and length of the snapshot.
#[wasm_bindgen]
pub fn snapshot_write(low: u32, high: u32, image: &[u8], host: &[u8]) -> *const u32 {
    with(|instance| {
        let fingerprint = u64::from(high) << 32 | u64::from(low);
        let written = match image {
            [] => container::write(fingerprint, &Image::completed(), host),
            _ => container::write_encoded(fingerprint, image, host),
        };
        match written {
            Ok(bytes) => {
                let at = instance.hand_over(bytes);
                instance.reply.value(at.into_iter())
            }
            Err(code) => instance.reply.refuse(code),
        }
    })
}

/// A snapshot that was read, from which runs can be restored.
pub(super) struct Prepared {
    header: Header,
    image: Image,
}

/// Reads a snapshot. Replies with its handle, the run's condition, its alive time in milliseconds in halves, the number
/// of slots, where in the bytes the host's part begins and how long it is, the fingerprint in halves, and the version
/// of the format.
#[wasm_bindgen]
pub fn snapshot_open(bytes: &[u8]) -> *const u32 {
    with(|instance| match container::read(bytes) {
        Ok(Snapshot { header, image, host }) => {
            // The host's part is a slice of what came in.
            let begins = host.as_ptr() as usize - bytes.as_ptr() as usize;
            let ([now, later], [low, high]) = (halves(image.now), halves(header.fingerprint));
            let (condition, slots) = (image.condition as u32, image.slots);
            let handle = instance.snapshots.insert(Prepared { header, image });
            let host = [begins as u32, host.len() as u32];
            let run = [handle, condition, now, later, slots];
            let version = u32::from(header.version);
            instance.reply.value(run.into_iter().chain(host).chain([low, high, version]))
        }
        Err(code) => instance.reply.refuse(code),
    })
}

/// Frees a snapshot. Runs that were made from it do not need it.
#[wasm_bindgen]
pub fn snapshot_free(snapshot: u32) {
    with(|instance| instance.snapshots.remove(snapshot));
}

/// Restores a run from a snapshot: a new run each time. Replies with its handle. `payloads` has for each slot the event
/// type + 1 of the payload, or 0 if that is no event. `migrate` accepts a snapshot of another version of the workflow.
/// With `fresh` the timeout starts anew. An error may have a value: address and length of the name of the step or event
/// that it is about.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // Numbers are the cheapest way over.
pub fn engine_restore(
    snapshot: u32,
    graph: u32,
    payloads: &[u32],
    migrate: bool,
    timeout: f64,
    fresh: bool,
    steps: f64,
    kept_events: u32,
    journal: bool,
) -> *const u32 {
    with(|instance| {
        let mut restore = || -> Result<u32, Refusal> {
            let graph = Rc::clone(instance.graphs.get_mut(graph).ok_or(Code::StaleId)?);
            let Prepared { header, image } = instance.snapshots.get_mut(snapshot).ok_or(Code::StaleId)?;
            if !migrate && !header.fits(&graph.borrow()) {
                return Err(Code::SnapshotForeign.into());
            }
            let options = options(image.seed, timeout, steps, kept_events);
            let payloads: Vec<_> = payloads.iter().map(|ty| ty.checked_sub(1).map(EventTypeId)).collect();
            let engine = Engine::restore(graph, image, &payloads, RestoreOptions { options, fresh_timeout: fresh })?;
            #[cfg(feature = "crash-drill")]
            drill::pass(drill::Place::Restore);
            let journal = journal.then(|| Journal::new(&engine, options, Some(image)));
            Ok(instance.cells.insert(EngineCell::new(engine, journal)))
        };
        match restore() {
            Ok(handle) => instance.reply.value([handle].into_iter()),
            Err(refusal) => {
                let at = instance.hand_over(refusal.subject.into_bytes());
                instance.reply.refuse_with(refusal.code, at)
            }
        }
    })
}

/// [`Tick::Resume`].
#[wasm_bindgen]
pub fn engine_resume(engine: u32, now: f64) -> *const u32 {
    tick(engine, now, Tick::Resume)
}

/// Adds a note of the host to the journal.
#[wasm_bindgen]
pub fn engine_note(engine: u32, note: &[u8]) {
    with(|instance| {
        if let Some(journal) = instance.cells.get_mut(engine).and_then(|cell| cell.journal.as_mut()) {
            journal.note(note.to_vec());
        }
    });
}

/// The bytes that the journal has got since the last call. Replies with address and length.
#[wasm_bindgen]
pub fn engine_drain(engine: u32) -> *const u32 {
    with(|instance| {
        let journal = instance.cells.get_mut(engine).and_then(|cell| cell.journal.as_mut());
        match journal.map(Journal::take) {
            Some(bytes) => {
                let at = instance.hand_over(bytes);
                instance.reply.value(at.into_iter())
            }
            None => instance.reply.refuse(Code::JournalNotKept),
        }
    })
}

/// The names in a journal. Replies with the address of all names in a row, the number of types, the number of steps,
/// for each type the length of its name and the number of its parent + 1, and for each step the length of its name.
#[wasm_bindgen]
pub fn journal_names(bytes: &[u8]) -> *const u32 {
    with(|instance| match names(bytes) {
        Ok(names) => {
            let texts = names.types.iter().map(|(name, _)| name).chain(&names.steps);
            let [address, _] = instance.hand_over(texts.flat_map(|text| text.bytes()).collect());
            let types = names.types.iter();
            let types = types.flat_map(|(name, parent)| [name.len() as u32, parent.map_or(0, |parent| parent + 1)]);
            let steps = names.steps.iter().map(|name| name.len() as u32);
            let counts = [address, names.types.len() as u32, names.steps.len() as u32];
            instance.reply.value(counts.into_iter().chain(types).chain(steps))
        }
        Err(code) => instance.reply.refuse(code),
    })
}

/// Makes a replay of a journal; returns its handle. When it is traced, there are records among the commands.
#[wasm_bindgen]
pub fn replay_new(graph: u32, bytes: Vec<u8>, is_traced: bool) -> i32 {
    number(with(|instance| {
        let graph = Rc::clone(instance.graphs.get_mut(graph).ok_or(Code::StaleId)?);
        let mut replay = Replay::new(graph, bytes)?;
        replay.engine.trace(is_traced);
        Ok(instance.replays.insert(replay))
    }))
}

/// Frees a replay.
#[wasm_bindgen]
pub fn replay_free(replay: u32) {
    with(|instance| instance.replays.remove(replay));
}

/// Advances to the next tick or note. Replies with 0 at the end; with 1, the tick's time in halves and the commands of
/// the tick; or with 2, address and length of a note.
#[wasm_bindgen]
pub fn replay_next(replay: u32) -> *const u32 {
    with(|instance| {
        let Some(replay) = instance.replays.get_mut(replay) else { return instance.reply.refuse(Code::StaleId) };
        replay.engine.out().clear();
        match replay.advance() {
            Ok(Passed::End) => instance.reply.value([0].into_iter()),
            Ok(Passed::Tick(_)) => {
                #[cfg(feature = "crash-drill")]
                drill::pass(drill::Place::Replay);
                let [now, later] = halves(replay.now.0);
                instance.reply.value_with([1, now, later].into_iter(), replay.engine.out())
            }
            Ok(Passed::Note(note)) => {
                let [address, length] = instance.hand_over(note);
                instance.reply.value([2, address, length].into_iter())
            }
            Err(code) => instance.reply.refuse(code),
        }
    })
}

/// Captures the run at this point of a replay. Replies as [`engine_capture`].
#[wasm_bindgen]
pub fn replay_capture(replay: u32) -> *const u32 {
    with(|instance| match instance.replays.get_mut(replay) {
        Some(replay) => {
            let captured = replay.engine.capture(Millis(0));
            instance.reply_captured(&captured)
        }
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// The state of the run at this point of a replay. Replies with the status (0 created, 1 running, 2 waiting, 3 ended,
/// 4 sleeping), then four lists, each after the number of its members: invocations (step, attempt, whether it was
/// running, the number of its inputs, their slots), joins and lists that are being gathered (step, the number of
/// events, their slots), waits (step, event type), slots of kept events.
#[wasm_bindgen]
pub fn replay_look(replay: u32) -> *const u32 {
    with(|instance| {
        let Some(replay) = instance.replays.get_mut(replay) else { return instance.reply.refuse(Code::StaleId) };
        let engine = &replay.engine;
        let status = match engine.status() {
            Status::Created => 0,
            Status::Waiting => 2,
            Status::Sleeping => 4,
            Status::Ended(_) => 3,
            _ => 1,
        };
        let mut words = vec![status];
        let slots = |words: &mut Vec<u32>, events: &[crate::engine::Event]| {
            words.push(events.len() as u32);
            words.extend(events.iter().map(|event| event.slot.0));
        };
        let list = begin_list(&mut words);
        for at in engine.in_flight() {
            words[list] += 1;
            words.extend([at.step.0, at.attempt, u32::from(at.running)]);
            slots(&mut words, engine.inputs(at.invocation));
        }
        let list = begin_list(&mut words);
        for join in engine.open_joins() {
            words[list] += 1;
            words.push(join.step.0);
            slots(&mut words, &engine.gathered(join.step));
        }
        for (step, events) in engine.gathered_lists() {
            words[list] += 1;
            words.push(step.0);
            slots(&mut words, events);
        }
        let list = begin_list(&mut words);
        for wait in engine.open_waits() {
            if let Some(ty) = wait.ty {
                words[list] += 1;
                words.extend([wait.step.0, ty.0]);
            }
        }
        let list = begin_list(&mut words);
        for event in engine.all_kept() {
            words[list] += 1;
            words.push(event.slot.0);
        }
        instance.reply.value(words.into_iter())
    })
}

/// Adds a list without members; returns where their number is.
fn begin_list(words: &mut Vec<u32>) -> usize {
    words.push(0);
    words.len() - 1
}
