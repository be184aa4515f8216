//! The state of a run: everything that a tick may depend on, and nothing else.

use std::collections::VecDeque;

use super::arena::Arena;
use super::graph::Graph;
use super::group::{Closers, Groups};
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
    /// It was restored from a snapshot and has not resumed yet.
    Restored,
    /// Something in it runs or is about to run without help from outside.
    Running,
    /// Nothing in it runs, and the next deadline of a sleep or of a pause before a retry moves it.
    Sleeping,
    /// It waits for something from outside: an event.
    Waiting,
    /// It has ended.
    Ended(Outcome),
}

/// Where an invocation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// In its step's queue.
    Queued,
    /// In its step's queue, to run again from its beginning: the host was running it when the snapshot was taken that
    /// the run was restored from.
    Again,
    /// The host runs it.
    Running,
    /// Waiting for its next attempt.
    Backoff(TimerKey),
}

/// What a step asked for. The log of an invocation holds each request with its result, so that a later attempt gets
/// what an earlier one has received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Event { ty: EventTypeId, id: Option<Box<str>> },
    Sleep,
    Collect,
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RequestResult {
    /// None: the attempt that runs now has not made the request yet.
    Vacant,
    /// Still open.
    Pending { wait: WaitId, timer: Option<TimerKey> },
    /// This event.
    Received(Event),
    /// The sleep is over, or no event came in time.
    Elapsed,
    /// What the collection returned.
    Collected(Option<Box<[Event]>>),
    /// It was withdrawn. The number is that of the wait which the running attempt has opened for it again; no event
    /// comes to that one.
    Withdrawn(Option<WaitId>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogEntry {
    pub request: Request,
    pub result: RequestResult,
    /// Whether the attempt that runs now has made this request.
    pub asked: bool,
    /// Whether an event was published with it. Such an entry is kept, so that no attempt publishes the event again.
    pub published: bool,
}

/// How many events of a type an attempt has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub ty: EventTypeId,
    pub count: u32,
    /// How many of those were sent before the snapshot and have not been sent again by the attempt that runs now. They
    /// are skipped.
    pub skip: u32,
}

/// What an invocation remembers for its later attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    pub log: Vec<LogEntry>,
    /// The running attempt has made every request before this entry.
    pub cursor: u32,
    /// The results of `once`, by key.
    pub once: Vec<(Box<str>, Slot)>,
    pub sent: Vec<Sent>,
    /// Whether something was written to the stream that is to be reset when the next attempt begins.
    pub wrote: bool,
    /// The failure of the attempt before the one that runs now, or runs next.
    pub failure: Option<Event>,
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
    /// Made when there is something to remember. Boxed, because most invocations remember nothing and are moved often.
    pub memory: Option<Box<Memory>>,
    /// How many things this attempt waits for that only the outside can cause.
    pub blocked: u32,
    /// How many sleeps of this attempt are open, of its own and of runs nested in it.
    pub asleep: u32,
    /// The deadline of this attempt.
    pub timer: Option<TimerKey>,
}

impl Invocation {
    /// Whether it makes progress without help from outside. A queued one does not: it waits for the workers of its
    /// step, which count themselves.
    pub(super) fn is_active(&self) -> bool {
        match self.phase {
            Phase::Queued | Phase::Again => false,
            Phase::Running => self.blocked == 0,
            Phase::Backoff(_) => true,
        }
    }

    /// Whether it makes progress when a deadline comes, and not before.
    pub(super) fn is_asleep(&self) -> bool {
        match self.phase {
            Phase::Queued | Phase::Again => false,
            Phase::Running => self.blocked == 0 && self.asleep > 0,
            Phase::Backoff(_) => true,
        }
    }

    /// Whether an attempt has begun and is not over, before or after the snapshot that the run was restored from.
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

    /// How many recoveries lie behind the events that it makes.
    pub(super) fn recoveries(&self) -> u32 {
        match &self.inputs {
            Inputs::One(event) => event.recoveries,
            Inputs::Many(events) => most_recoveries(events),
            Inputs::List(list) => list.recoveries,
        }
    }
}

/// How many recoveries lie behind any of the events, at most.
pub(super) fn most_recoveries(events: &[Event]) -> u32 {
    events.iter().map(|event| event.recoveries).max().unwrap_or(0)
}

impl Memory {
    fn references(&self) -> impl Iterator<Item = Slot> {
        let answered = self.log.iter().flat_map(|entry| entry.result.events()).map(|event| event.slot);
        let failure = self.failure.iter().map(|event| event.slot);
        answered.chain(self.once.iter().map(|(_, slot)| *slot)).chain(failure)
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

/// The queue and the join of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepState {
    pub running: u32,
    pub queue: VecDeque<InvocationId>,
    /// Of a step with several inputs.
    pub join: Option<Join>,
    /// Whether it has returned an array in this run, or has said that it does.
    pub fans_out: bool,
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

/// What an open wait or sleep waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// An event of this type; a predicated one only takes an event that its predicate accepts.
    Event { ty: EventTypeId, predicated: bool },
    /// A point in time: a sleep.
    Time,
    /// Nothing: an earlier attempt has withdrawn it. It is open until the attempt that asks again withdraws it too.
    Nothing,
}

/// An open wait or sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    pub awaited: Awaited,
    pub invocation: InvocationId,
    /// Its place in the invocation's log.
    pub entry: u32,
    /// Whether the running attempt has asked for it. After a restore a wait stays open while the step runs again up to
    /// the point where it asks, so that it does not miss an event that comes meanwhile.
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

    /// Whether its invocation counts it as something that only the outside can cause.
    pub(super) fn blocks(&self) -> bool {
        self.asked && self.awaited != Awaited::Time
    }
}

/// An event that is kept: by a run because no step takes it, or by a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub event: Event,
    pub order: u64,
}

/// The types that a collection expects, sorted. A long list is used again for each event, so two that share their
/// memory are compared by address.
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

/// What keeps two collections of a step apart that expect the same.
pub type Buffer = Option<std::rc::Rc<str>>;

/// The events of a half-full collection, by type.
pub(super) type Held = SortedMap<EventTypeId, VecDeque<Kept>>;

/// The state of a run. All its collections are ordered, because iteration must depend on nothing but the ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(super) options: RunOptions,
    pub(super) status: Status,
    /// The latest time of a tick; time never goes back.
    pub(super) now: Millis,
    /// Ticks applied so far.
    pub(super) ticks: u64,
    /// Arrivals so far.
    pub(super) arrivals: u64,
    /// Steps invoked so far.
    pub(super) invoked: u64,
    /// How many invocations make progress without help from outside.
    pub(super) active: u32,
    /// How many of those make it when a deadline comes, and not before.
    pub(super) asleep: u32,
    pub(super) steps: Vec<StepState>,
    pub(super) invocations: Arena<Invocation>,
    /// The arrays that are not done with.
    pub(super) groups: Groups,
    /// Which steps gather the arrays of which: worked out when it is needed.
    pub(super) closers: Closers,
    /// The invocation whose last attempt has ended the run.
    pub(super) exhausted: Option<InvocationId>,
    /// Whether failures are kept for the next attempt. Journals of version 2 and before are of runs that did not.
    pub(super) keeps_failures: bool,
    pub(super) next_wait: u32,
    /// The waits before this one were open in the snapshot that the run was restored from.
    pub(super) recovered_waits: u32,
    pub(super) waiters: SortedMap<WaitId, Waiter>,
    /// The open waits that take any event of a type.
    pub(super) plain_waits: SortedMap<EventTypeId, SortedMap<WaitId, ()>>,
    pub(super) kept: SortedMap<EventTypeId, VecDeque<Kept>>,
    /// Half-full collections of `collect`, by step, by what they expect (sorted), and by buffer.
    pub(super) collections: SortedMap<(StepId, Expected, Buffer), Held>,
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
                fans_out: step.fans_out,
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
            asleep: 0,
            steps,
            invocations: Arena::new(),
            groups: Groups::new(),
            closers: Closers::default(),
            exhausted: None,
            keeps_failures: true,
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
        let gathered = self.groups.iter().flat_map(|(_, group)| group.events());
        let joins = self.steps.iter().filter_map(|step| step.join.as_ref()).flat_map(Join::events).copied();
        let collected = self.collections.values().flat_map(SortedMap::values);
        let kept = self.kept.values().chain(collected).flatten().map(|kept| kept.event);
        invocations.chain(joins.chain(gathered.copied()).chain(kept).map(|event| event.slot))
    }
}
