//! The boundary of the engine.
//!
//! # Contract with the host (`pkg-template/src/`)
//!
//! Beside what holds for both boundaries (see the module above):
//!
//! 1. A call that changes a run returns the address of its reply; `reply.rs` describes it. A reply is valid until the
//!    next call of any function, but for one without a value: that stays valid until the next call for the same run.
//!    The memory may grow in any call, so a view of it may have become empty.
//! 2. The host executes the commands of a reply in their order, and all of them before it makes the next tick of its
//!    own accord. What it calls while it executes one may make ticks: their commands come after those that are left.
//! 3. A slot that is named in a tick belongs to the engine from then on, until a command releases it. When the tick is
//!    refused, the slot stays the host's. The host takes the lowest numbers that are free: a number that was never used
//!    is accepted only as the next one.
//! 4. Times are milliseconds of the run's alive time; -1 stands for none. Event types, steps and slots that may be
//!    missing are passed as their number + 1, and as 0 when they are.
//!
//! # Layout
//!
//! - `mod.rs`: runs and their ticks.
//! - `graph.rs`: graphs.
//! - `snapshot.rs`: snapshots, journals and replays.
//! - `engine_cell.rs`: [`EngineCell`], a run in this instance.
//! - `reply.rs`: [`ReplyBuffer`], and how a reply is made.

mod engine_cell;
mod graph;
mod reply;
mod snapshot;

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "crash-drill")]
use super::drill;
use super::handles::Handles;
use crate::engine::{
    Engine, EventTypeId, Graph, InvocationId, Limits, Millis, RunOptions, Slot, StepId, Tick, Verdict, WaitId,
};
use crate::error::Code;
use crate::random::seed_of;
use crate::snapshot::journal::Journal;
use crate::snapshot::replay::Replay;
use engine_cell::EngineCell;
use reply::ReplyBuffer;
use snapshot::Prepared;

/// Everything that lives in this instance of the module.
struct Instance {
    graphs: Handles<Rc<RefCell<Graph>>>,
    cells: Handles<EngineCell>,
    snapshots: Handles<Prepared>,
    replays: Handles<Replay>,
    reply: ReplyBuffer,
    /// The bytes that the last reply gives the address of.
    bytes: Vec<u8>,
}

thread_local! {
    static INSTANCE: RefCell<Instance> = const {
        RefCell::new(Instance {
            graphs: Handles::new(),
            cells: Handles::new(),
            snapshots: Handles::new(),
            replays: Handles::new(),
            reply: ReplyBuffer::new(),
            bytes: Vec::new(),
        })
    };
}

fn with<T>(work: impl FnOnce(&mut Instance) -> T) -> T {
    INSTANCE.with(|instance| work(&mut instance.borrow_mut()))
}

/// A number, or minus the number of an error code.
fn number(result: Result<u32, Code>) -> i32 {
    result.map_or_else(|code| -(code as i32), |number| number as i32)
}

fn duration(ms: f64) -> Option<Millis> {
    (ms >= 0.0).then(|| Millis::from_f64(ms))
}

/// Points in time are rounded down, so that nothing is due early.
fn point(ms: f64) -> Millis {
    Millis(ms as u64)
}

fn types(numbers: &[u32]) -> Vec<EventTypeId> {
    numbers.iter().copied().map(EventTypeId).collect()
}

/// [`Tick::CollectInto`] where there is a buffer, else [`Tick::Collect`].
pub(super) fn collecting(
    invocation: InvocationId,
    (ty, slot): (EventTypeId, Slot),
    expected: Vec<EventTypeId>,
    buffer: Option<&str>,
) -> Tick {
    match buffer {
        Some(buffer) => Tick::CollectInto { invocation, ty, slot, expected, buffer: buffer.into() },
        None => Tick::Collect { invocation, ty, slot, expected },
    }
}

#[inline(never)]
fn tick(engine: u32, now: f64, tick: Tick) -> *const u32 {
    with(|instance| match instance.cells.get_mut(engine) {
        Some(cell) => cell.tick(tick, point(now), &mut instance.reply),
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// Makes a run of a graph; returns its handle. `steps` is the limit of invocations, -1 for none. With `journal` the run
/// keeps a journal.
#[wasm_bindgen]
pub fn engine_new(graph: u32, run_id: &str, timeout: f64, steps: f64, kept_events: u32, journal: bool) -> i32 {
    number(with(|instance| {
        let graph = Rc::clone(instance.graphs.get_mut(graph).ok_or(Code::StaleId)?);
        let options = options(seed_of(run_id), timeout, steps, kept_events);
        let engine = Engine::new(graph, options);
        let journal = journal.then(|| Journal::new(&engine, options, None));
        Ok(instance.cells.insert(EngineCell::new(engine, journal)))
    }))
}

fn options(seed: u64, timeout: f64, steps: f64, kept_events: u32) -> RunOptions {
    let steps = if steps >= 0.0 { steps as u64 } else { u64::MAX };
    RunOptions { seed, timeout: duration(timeout), limits: Limits { steps, kept_events } }
}

/// A number as its lower and its upper half.
fn halves(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32]
}

/// Begins or ends tracing of a run: while it is traced, there are records among its commands.
#[wasm_bindgen]
pub fn engine_trace(engine: u32, is_traced: bool) -> *const u32 {
    with(|instance| match instance.cells.get_mut(engine) {
        Some(cell) => cell.trace(is_traced),
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// Frees a run.
#[wasm_bindgen]
pub fn engine_free(engine: u32) {
    #[cfg(feature = "crash-drill")]
    drill::pass(drill::Place::Free);
    with(|instance| instance.cells.remove(engine));
}

/// [`Tick::Start`].
#[wasm_bindgen]
pub fn engine_start(engine: u32, ty: u32, slot: u32, now: f64) -> *const u32 {
    tick(engine, now, Tick::Start { ty: EventTypeId(ty), slot: Slot(slot) })
}

fn invocation(index: u32, generation: u32) -> InvocationId {
    InvocationId { index, generation }
}

/// The sender of an event: an invocation, or the outside when the index is the largest number.
fn sender(index: u32, generation: u32) -> Option<InvocationId> {
    (index != u32::MAX).then_some(InvocationId { index, generation })
}

fn waits(numbers: &[u32]) -> Vec<WaitId> {
    numbers.iter().copied().map(WaitId).collect()
}

/// [`Tick::Send`] of an event that no predicated wait accepts. `target` is a step's id + 1, or 0 for all.
#[wasm_bindgen]
pub fn engine_send(engine: u32, index: u32, generation: u32, ty: u32, slot: u32, target: u32, now: f64) -> *const u32 {
    with(|instance| match instance.cells.get_mut(engine) {
        Some(cell) => {
            let target = target.checked_sub(1).map(StepId);
            let event = (EventTypeId(ty), Slot(slot));
            cell.send(sender(index, generation), event, target, point(now), &mut instance.reply)
        }
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// [`Tick::Send`] of an event that predicated waits accept.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // Numbers are the cheapest way over.
pub fn engine_send_matching(
    engine: u32,
    index: u32,
    generation: u32,
    ty: u32,
    slot: u32,
    target: u32,
    matches: &[u32],
    now: f64,
) -> *const u32 {
    tick(
        engine,
        now,
        Tick::Send {
            from: sender(index, generation),
            ty: EventTypeId(ty),
            slot: Slot(slot),
            target: target.checked_sub(1).map(StepId),
            matches: waits(matches),
        },
    )
}

/// [`Tick::Write`].
#[wasm_bindgen]
pub fn engine_write(engine: u32, index: u32, generation: u32, ty: u32, slot: u32, now: f64) -> *const u32 {
    tick(engine, now, Tick::Write { from: sender(index, generation), ty: EventTypeId(ty), slot: Slot(slot) })
}

/// [`Tick::Complete`] of an output that no predicated wait accepts. `ty` is the output's type + 1, or 0 for no output.
#[wasm_bindgen]
pub fn engine_complete(engine: u32, index: u32, generation: u32, ty: u32, slot: u32, now: f64) -> *const u32 {
    with(|instance| match instance.cells.get_mut(engine) {
        Some(cell) => {
            let output = ty.checked_sub(1).map(|ty| (EventTypeId(ty), Slot(slot)));
            cell.complete(invocation(index, generation), output, point(now), &mut instance.reply)
        }
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// [`Tick::Complete`] of an output that predicated waits accept. `ty` is the output's type + 1.
#[wasm_bindgen]
pub fn engine_complete_matching(
    engine: u32,
    index: u32,
    generation: u32,
    ty: u32,
    slot: u32,
    matches: &[u32],
    now: f64,
) -> *const u32 {
    tick(
        engine,
        now,
        Tick::Complete {
            invocation: invocation(index, generation),
            output: ty.checked_sub(1).map(|ty| (EventTypeId(ty), Slot(slot))),
            matches: waits(matches),
        },
    )
}

/// [`Tick::CompleteList`]. `outputs` has the type and the slot of each event, `matches` pairs of an event's position
/// and a wait.
#[wasm_bindgen]
pub fn engine_complete_list(
    engine: u32,
    index: u32,
    generation: u32,
    outputs: &[u32],
    matches: &[u32],
    now: f64,
) -> *const u32 {
    let pairs = |words: &[u32]| -> Vec<(u32, u32)> { words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect() };
    let outputs = pairs(outputs).into_iter().map(|(ty, slot)| (EventTypeId(ty), Slot(slot))).collect();
    let matches = pairs(matches).into_iter().map(|(nth, wait)| (nth, WaitId(wait))).collect();
    tick(engine, now, Tick::CompleteList { invocation: invocation(index, generation), outputs, matches })
}

/// [`Tick::Fail`]. `verdict` is 0 for the step's policy, 1 to give up, 2 to retry after `delay`.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // Numbers are the cheapest way over.
pub fn engine_fail(
    engine: u32,
    index: u32,
    generation: u32,
    ty: u32,
    slot: u32,
    verdict: u32,
    delay: f64,
    now: f64,
) -> *const u32 {
    let verdict = match verdict {
        0 => Verdict::Policy,
        2 => Verdict::Retry(Millis::from_f64(delay)),
        _ => Verdict::GiveUp,
    };
    let invocation = invocation(index, generation);
    tick(engine, now, Tick::Fail { invocation, ty: EventTypeId(ty), slot: Slot(slot), verdict })
}

/// [`Tick::Wait`]; replies with the wait's number. `claim` is a kept event's slot + 1, or 0. `question` is the type + 1
/// of an event that is published with it, in `slot`, which makes it [`Tick::Ask`]; or 0 for none.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // Numbers are the cheapest way over.
pub fn engine_wait(
    engine: u32,
    index: u32,
    generation: u32,
    ty: u32,
    id: Option<String>,
    timeout: f64,
    predicated: bool,
    claim: u32,
    question: u32,
    slot: u32,
    now: f64,
) -> *const u32 {
    let (invocation, ty, id) = (invocation(index, generation), EventTypeId(ty), id.map(String::into_boxed_str));
    let (timeout, claim) = (duration(timeout), claim.checked_sub(1).map(Slot));
    let asked = match question.checked_sub(1).map(EventTypeId) {
        None => Tick::Wait { invocation, ty, id, timeout, predicated, claim },
        Some(question) => Tick::Ask { invocation, ty, id, timeout, predicated, claim, question, slot: Slot(slot) },
    };
    tick(engine, now, asked)
}

/// [`Tick::Withdraw`]. No command comes of it for the wait: the host rejects the promise itself.
#[wasm_bindgen]
pub fn engine_withdraw(engine: u32, index: u32, generation: u32, wait: u32, now: f64) -> *const u32 {
    tick(engine, now, Tick::Withdraw { invocation: invocation(index, generation), wait: WaitId(wait) })
}

/// [`Tick::Sleep`]; replies with the sleep's number.
#[wasm_bindgen]
pub fn engine_sleep(engine: u32, index: u32, generation: u32, delay: f64, now: f64) -> *const u32 {
    tick(engine, now, Tick::Sleep { invocation: invocation(index, generation), delay: Millis::from_f64(delay) })
}

/// [`Tick::Collect`] by a list that is kept, or [`Tick::CollectInto`] where there is a buffer; replies with the slots
/// of the complete collection, or with nothing.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn engine_collect(
    engine: u32,
    index: u32,
    generation: u32,
    ty: u32,
    slot: u32,
    pattern: u32,
    buffer: Option<String>,
    now: f64,
) -> *const u32 {
    with(|instance| match instance.cells.get_mut(engine) {
        Some(cell) => {
            let (invocation, event) = (invocation(index, generation), (EventTypeId(ty), Slot(slot)));
            cell.collect(invocation, event, pattern, buffer.as_deref(), point(now), &mut instance.reply)
        }
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// As [`engine_collect`], by a list that is not kept.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)]
pub fn engine_collect_list(
    engine: u32,
    index: u32,
    generation: u32,
    ty: u32,
    slot: u32,
    expected: &[u32],
    buffer: Option<String>,
    now: f64,
) -> *const u32 {
    let (invocation, event) = (invocation(index, generation), (EventTypeId(ty), Slot(slot)));
    tick(engine, now, collecting(invocation, event, types(expected), buffer.as_deref()))
}

/// Keeps a list of types for [`engine_collect`]. Returns its number, or the largest positive number when the run keeps
/// as many lists as it may.
#[wasm_bindgen]
pub fn engine_pattern(engine: u32, expected: &[u32]) -> i32 {
    number(with(|instance| {
        let cell = instance.cells.get_mut(engine).ok_or(Code::StaleId)?;
        let kept = cell.patterns.number(&cell.engine, types(expected))?;
        Ok(kept.unwrap_or(i32::MAX as u32))
    }))
}

/// When the first attempt of an invocation began, in milliseconds of alive time; -1 when there is no such invocation.
#[wasm_bindgen]
pub fn engine_began(engine: u32, index: u32, generation: u32) -> f64 {
    with(|instance| Some(instance.cells.get_mut(engine)?.engine.began(invocation(index, generation))?.0 as f64))
        .unwrap_or(-1.0)
}

/// The slot of the failure of the attempt before the one that runs, + 1; 0 when there is none.
#[wasm_bindgen]
pub fn engine_failure(engine: u32, index: u32, generation: u32) -> u32 {
    with(|instance| {
        let failure = instance.cells.get_mut(engine)?.engine.failure(invocation(index, generation))?;
        Some(failure.slot.0 + 1)
    })
    .unwrap_or(0)
}

/// How many events the step of an invocation has collected by a list that is kept, and in a buffer.
#[wasm_bindgen]
pub fn engine_collected(engine: u32, index: u32, generation: u32, pattern: u32, buffer: Option<String>) -> u32 {
    with(|instance| {
        let cell = instance.cells.get_mut(engine)?;
        let pattern = cell.patterns.get(pattern)?;
        let buffer = buffer.as_deref().map(Into::into);
        Some(cell.engine.collected(invocation(index, generation), pattern, buffer) as u32)
    })
    .unwrap_or(0)
}

/// [`Tick::Once`].
#[wasm_bindgen]
pub fn engine_once(engine: u32, index: u32, generation: u32, key: &str, slot: u32, now: f64) -> *const u32 {
    tick(engine, now, Tick::Once { invocation: invocation(index, generation), key: key.into(), slot: Slot(slot) })
}

/// The slot + 1 of the result that a running attempt has for a key of `once`; 0 when it has none yet.
#[wasm_bindgen]
pub fn engine_recall(engine: u32, index: u32, generation: u32, key: &str) -> u32 {
    with(|instance| {
        let cell = instance.cells.get_mut(engine)?;
        cell.engine.once(invocation(index, generation), key).map(|slot| slot.0 + 1)
    })
    .unwrap_or(0)
}

/// A nested run of an attempt holds it up, or no longer does: [`Tick::Block`] (1), [`Tick::Unblock`] (2),
/// [`Tick::Doze`] (3), or [`Tick::Rouse`] (any other number).
#[wasm_bindgen]
pub fn engine_hold(engine: u32, index: u32, generation: u32, how: u32, now: f64) -> *const u32 {
    let invocation = invocation(index, generation);
    let tick_of_it = match how {
        1 => Tick::Block { invocation },
        2 => Tick::Unblock { invocation },
        3 => Tick::Doze { invocation },
        _ => Tick::Rouse { invocation },
    };
    tick(engine, now, tick_of_it)
}

/// [`Tick::Answer`].
#[wasm_bindgen]
pub fn engine_answer(engine: u32, wait: u32, ty: u32, slot: u32, now: f64) -> *const u32 {
    tick(engine, now, Tick::Answer { wait: WaitId(wait), ty: EventTypeId(ty), slot: Slot(slot) })
}

/// The place of an invocation among all arrivals of the run; -1 when it is over.
#[wasm_bindgen]
pub fn engine_order(engine: u32, index: u32, generation: u32) -> f64 {
    with(|instance| instance.cells.get_mut(engine)?.engine.order(invocation(index, generation)))
        .map_or(-1.0, |order| order as f64)
}

/// When the next deadline of a run is due, in milliseconds of its alive time; -1 when there is none.
#[wasm_bindgen]
pub fn engine_due(engine: u32) -> f64 {
    with(|instance| instance.cells.get_mut(engine)?.engine.next_deadline()).map_or(-1.0, |due| due.0 as f64)
}

/// The host's timer has fired: applies [`Tick::Timer`] for every deadline that has come.
#[wasm_bindgen]
pub fn engine_wake(engine: u32, now: f64) -> *const u32 {
    with(|instance| match instance.cells.get_mut(engine) {
        Some(cell) => cell.wake(point(now)),
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// The events of a type that are kept for a later wait. Replies with their slots, oldest first.
#[wasm_bindgen]
pub fn engine_kept(engine: u32, ty: u32) -> *const u32 {
    with(|instance| match instance.cells.get_mut(engine) {
        Some(cell) => {
            let kept = cell.engine.kept(EventTypeId(ty));
            instance.reply.value(kept.into_iter().map(|event| event.slot.0))
        }
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// What a run waits for. Replies with records; each is its kind, the number of words that follow, and
/// those words.
///
/// | kind | words |
/// |---|---|
/// | 0: a join that has some of its inputs | step, the inputs that it has, a bit each |
/// | 1: an open wait | step, event type, its number, the invocation's order (lower half, upper half), the wait's place among all that the invocation has asked for, whether the running attempt has asked |
/// | 2: a collection that has some of its events | step, how many it has, how many it needs, and pairs: event type, how many of it are missing |
/// | 3: an invocation that waits for its next attempt | step, the slot of its failure + 1, attempts begun, milliseconds until it is due |
/// | 4: invocations that wait for a worker | step, how many |
/// | 5: an input that only the outside can send | step, event type |
/// | 6: an array that is not done with | the step that has returned it, how many branches are open, and pairs: a step that gathers, how many events it has |
#[wasm_bindgen]
pub fn engine_open(engine: u32, now: f64) -> *const u32 {
    with(|instance| match instance.cells.get_mut(engine) {
        Some(cell) => {
            let engine = &cell.engine;
            let mut words = Vec::new();
            let mut add = |kind: u32, record: &[u32]| {
                words.extend([kind, record.len() as u32]);
                words.extend(record);
            };
            engine.open_joins().for_each(|join| add(0, &[join.step.0, join.filled]));
            for asked in engine.questions() {
                let [low, high] = halves(asked.order);
                add(1, &[asked.step.0, asked.ty.0, asked.wait.0, low, high, asked.entry, u32::from(asked.asked)]);
            }
            for open in engine.open_collections() {
                let mut record = vec![open.step.0, open.held, open.expected];
                record.extend(open.missing.iter().flat_map(|(ty, count)| [ty.0, *count]));
                add(2, &record);
            }
            for at in engine.pauses() {
                let delay = at.due.since(point(now)).0.min(u64::from(u32::MAX)) as u32;
                let failure = engine.failure(at.invocation).map_or(0, |failure| failure.slot.0 + 1);
                add(3, &[at.step.0, failure, at.attempt, delay]);
            }
            engine.queues().for_each(|(step, length)| add(4, &[step.0, length]));
            engine.outside_inputs().into_iter().for_each(|(step, ty)| add(5, &[step.0, ty.0]));
            for open in engine.open_lists() {
                let mut record = vec![open.source.0, open.live];
                record.extend(open.gathered.iter().flat_map(|(step, count)| [step.0, *count]));
                add(6, &record);
            }
            instance.reply.value(words.into_iter())
        }
        None => instance.reply.refuse(Code::StaleId),
    })
}
