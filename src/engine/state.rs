//! The state of a run: everything that a tick may depend on, and nothing else.

use std::collections::VecDeque;

use super::arena::Arena;
use super::graph::Graph;
use super::ids::{Event, EventTypeId, InvocationId, Millis, Slot, StepId, TimerKey, WaitId};
use super::join::Join;
use super::tick::{Inputs, Outcome};
use crate::sorted::SortedMap;

/// What a run may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many steps it may invoke. Default: no limit.
    pub steps: u64,
    /// How many events of one type that no step takes are kept for a later wait; the oldest go first. Default: 4,096.
    pub kept_events: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { steps: u64::MAX, kept_events: 4096 }
    }
}

/// How a run is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Where the jitter of retries comes from; see [`seed_of`](crate::random::seed_of).
    pub seed: u64,
    /// How long the run may be alive; `None` for any time.
    pub timeout: Option<Millis>,
    /// What it may use.
    pub limits: Limits,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It has not begun.
    Created,
    /// It was taken from a snapshot and has not gone on yet.
    Restored,
    /// It goes on by itself.
    Running,
    /// It waits for the outside.
    Waiting,
    /// It has ended.
    Ended(Outcome),
}

/// Where an invocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// In its step's queue.
    Queued,
    /// In its step's queue, and to run again: it was with the host when the snapshot was taken that the run comes from.
    Again,
    /// With the host.
    Running,
    /// Waiting for its next attempt.
    Backoff(TimerKey),
}

/// What a step asked for. The log of these lets another attempt be handed what an earlier one has received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Event { ty: EventTypeId, id: Option<Box<str>> },
    Sleep,
    Collect,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RequestResult {
    /// Not asked again yet in this attempt.
    Vacant,
    /// Still open.
    Pending { wait: WaitId, timer: Option<TimerKey> },
    /// This event.
    Received(Event),
    /// The sleep is over, or no event came in time.
    Elapsed,
    /// What `collect` said.
    Collected(Option<Box<[Event]>>),
    /// It was withdrawn. The number is that under which the running attempt has asked again; no event comes to it.
    Withdrawn(Option<WaitId>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogEntry {
    pub request: Request,
    pub result: RequestResult,
    /// Whether the attempt at work has come to it.
    pub asked: bool,
    /// Whether an event was published with it. Such an entry stays, so that no attempt publishes the event again.
    pub published: bool,
}

/// How many events of a type an attempt has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub ty: EventTypeId,
    pub count: u32,
    /// How many of those an attempt that runs again has still to repeat; they were sent in an earlier life of the run.
    pub skip: u32,
}

/// What an invocation has gathered and another attempt must know of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub log: Vec<LogEntry>,
    /// This attempt has come to every log entry before this one.
    pub cursor: u32,
    /// The results of what must happen once, by key.
    pub once: Vec<(Box<str>, Slot)>,
    pub sent: Vec<Sent>,
    /// Whether something was written to the stream that is to be reset when the next attempt begins.
    pub wrote: bool,
}

/// An invocation: a set of events on which a step is, was or will be run, through all its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    pub step: StepId,
    pub phase: Phase,
    /// Position among all arrivals of the run; queues keep this order.
    pub order: u64,
    /// Attempts begun.
    pub attempt: u32,
    /// When the first attempt began.
    pub began: Millis,
    pub inputs: Inputs,
    /// Made when there is something to remember; apart, because most invocations have nothing and are copied a lot.
    pub memory: Option<Box<Memory>>,
    /// What this attempt waits for that only the outside can bring on.
    pub blocked: u32,
    /// The deadline of this attempt.
    pub timer: Option<TimerKey>,
}

impl Invocation {
    /// Whether it moves the run on without help from the outside. What is queued does not: as all workers of its step are taken, it is
    /// for those to move.
    pub(super) fn is_active(&self) -> bool {
        match self.phase {
            Phase::Queued | Phase::Again => false,
            Phase::Running => self.blocked == 0,
            Phase::Backoff(_) => true,
        }
    }

    /// Whether an attempt has begun and is not over, in this life of the run or in an earlier one.
    pub(super) fn is_begun(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Again)
    }

    pub(super) fn memory(&mut self) -> &mut Memory {
        self.memory.get_or_insert_default()
    }

    /// Every slot that it refers to.
    pub(super) fn references(&self) -> impl Iterator<Item = Slot> {
        let inputs = self.inputs.as_slice().iter().map(|event| event.slot);
        inputs.chain(self.memory.as_ref().into_iter().flat_map(|memory| memory.references()))
    }

    /// The recoveries behind the events that it makes.
    pub(super) fn recoveries(&self) -> u32 {
        match &self.inputs {
            Inputs::One(event) => event.recoveries,
            Inputs::Many(events) => events.iter().map(|event| event.recoveries).max().unwrap_or(0),
        }
    }
}

impl Memory {
    fn references(&self) -> impl Iterator<Item = Slot> {
        let answered = self.log.iter().flat_map(|entry| entry.result.events()).map(|event| event.slot);
        answered.chain(self.once.iter().map(|(_, slot)| *slot))
    }
}

impl RequestResult {
    /// The events in it.
    pub(super) fn events(&self) -> &[Event] {
        match self {
            RequestResult::Received(event) => core::slice::from_ref(event),
            RequestResult::Collected(Some(events)) => events,
            _ => &[],
        }
    }
}

/// What a step has at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepState {
    pub running: u32,
    pub queue: VecDeque<InvocationId>,
    /// Of a step with several inputs.
    pub join: Option<Join>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimerTarget {
    Run,
    Step(InvocationId),
    Retry(InvocationId),
    Wait(WaitId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timer {
    pub deadline: Millis,
    pub target: TimerTarget,
}

/// What a wait or sleep that is open is open for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// An event of this type; predicated, not any will do.
    Event { ty: EventTypeId, predicated: bool },
    /// A point in time: a sleep.
    Time,
    /// Nothing: it was withdrawn before, and is open until the attempt that asks again withdraws it, too.
    Nothing,
}

/// An open wait or sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    pub awaited: Awaited,
    pub invocation: InvocationId,
    /// Its place in the invocation's log.
    pub entry: u32,
    /// Whether the running attempt has asked for it. After a recovery a wait stays open while the step comes to the point where it asks
    /// again, so that an event which comes meanwhile is not missed.
    pub asked: bool,
}

impl Waiter {
    /// The type of the event that it is open for.
    pub(super) fn ty(&self) -> Option<EventTypeId> {
        match self.awaited {
            Awaited::Event { ty, .. } => Some(ty),
            Awaited::Time | Awaited::Nothing => None,
        }
    }

    /// Whether its invocation counts it as something that only the outside can bring on.
    pub(super) fn blocks(&self) -> bool {
        self.asked && self.awaited != Awaited::Time
    }
}

/// An event that is kept, by a run because no step took it, or by a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub event: Event,
    pub order: u64,
}

/// What a collection expects, sorted. Long lists are asked for again at each event, so that one that is the same list is known by its address.
#[derive(Clone, Debug)]
pub struct Expected(pub(super) std::rc::Rc<[EventTypeId]>);

impl Expected {
    fn is(&self, other: &Self) -> bool {
        std::rc::Rc::ptr_eq(&self.0, &other.0)
    }
}

impl PartialEq for Expected {
    fn eq(&self, other: &Self) -> bool {
        self.is(other) || self.0 == other.0
    }
}

impl Eq for Expected {}

impl PartialOrd for Expected {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Expected {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        if self.is(other) { core::cmp::Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl core::ops::Deref for Expected {
    type Target = [EventTypeId];
    fn deref(&self) -> &[EventTypeId] {
        &self.0
    }
}

/// The events of a half-full collection, by type.
pub(super) type Held = SortedMap<EventTypeId, VecDeque<Kept>>;

/// The state of a run. Ordered collections throughout: iteration must not depend on anything but the ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(super) options: RunOptions,
    pub(super) status: Status,
    /// The latest time a tick has told; time never goes back.
    pub(super) now: Millis,
    /// Ticks taken in so far.
    pub(super) ticks: u64,
    /// Arrivals so far.
    pub(super) arrivals: u64,
    /// Steps invoked so far.
    pub(super) invoked: u64,
    /// Invocations that move the run on without help from the outside.
    pub(super) active: u32,
    pub(super) steps: Vec<StepState>,
    pub(super) invocations: Arena<Invocation>,
    /// The one whose last attempt has ended the run.
    pub(super) exhausted: Option<InvocationId>,
    pub(super) next_wait: u32,
    /// The waits before this one were open in the snapshot that the run comes from.
    pub(super) recovered_waits: u32,
    pub(super) waiters: SortedMap<WaitId, Waiter>,
    /// The open waits that any event of a type will do for.
    pub(super) plain_waits: SortedMap<EventTypeId, SortedMap<WaitId, ()>>,
    pub(super) kept: SortedMap<EventTypeId, VecDeque<Kept>>,
    /// Half-full collections of `collect`, by step and by what they expect (sorted).
    pub(super) collections: SortedMap<(StepId, Expected), Held>,
    pub(super) next_timer: u32,
    pub(super) timers: SortedMap<TimerKey, Timer>,
    /// References to each slot.
    pub(super) slots: Vec<u32>,
}

impl State {
    pub(super) fn new(graph: &Graph, options: RunOptions) -> State {
        let steps = graph
            .steps()
            .iter()
            .map(|step| StepState {
                running: 0,
                queue: VecDeque::new(),
                join: (step.inputs.len() > 1).then(|| Join::new(step.inputs.len())),
            })
            .collect();
        State {
            options,
            status: Status::Created,
            now: Millis(0),
            ticks: 0,
            arrivals: 0,
            invoked: 0,
            active: 0,
            steps,
            invocations: Arena::new(),
            exhausted: None,
            next_wait: 0,
            recovered_waits: 0,
            waiters: SortedMap::default(),
            plain_waits: SortedMap::default(),
            kept: SortedMap::default(),
            collections: SortedMap::default(),
            next_timer: 0,
            timers: SortedMap::default(),
            slots: Vec::new(),
        }
    }

    /// Every slot that the state refers to, once for each reference.
    pub(super) fn references(&self) -> impl Iterator<Item = Slot> {
        let invocations = self.invocations.iter().flat_map(|(_, invocation)| invocation.references());
        let joins = self.steps.iter().filter_map(|step| step.join.as_ref()).flat_map(Join::events).copied();
        let collected = self.collections.values().flat_map(SortedMap::values);
        let kept = self.kept.values().chain(collected).flatten().map(|kept| kept.event);
        invocations.chain(joins.chain(kept).map(|event| event.slot))
    }
}
