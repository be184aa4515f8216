//! What goes into the engine and what comes out of it.

use super::ids::{Event, EventTypeId, GroupId, InvocationId, Millis, Slot, StepId, TimerKey, WaitId};
use super::trace::Trace;
use crate::wire::wire_enum;

/// Something that happened, as the host reports it.
///
/// The engine holds one reference to every `slot` in an accepted tick. `matches` lists the predicated waits
/// ([`Tick::Wait::predicated`]) whose predicate accepts the event: predicates are user code, so the host evaluates
/// them, and their results are part of the tick.
///
/// Journals are made of ticks: a variant keeps its position and its fields for ever, and new ones come last.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Tick {
    /// The run begins with this event.
    Start {
        /// The start event's type.
        ty: EventTypeId,
        /// Its payload.
        slot: Slot,
    },
    /// An event is sent.
    Send {
        /// The invocation that sends it, or `None` for the outside.
        from: Option<InvocationId>,
        /// The event's type.
        ty: EventTypeId,
        /// Its payload.
        slot: Slot,
        /// The one step it is for, or `None` for all that take it.
        target: Option<StepId>,
        /// The predicated waits that accept it.
        matches: Vec<WaitId>,
    },
    /// An event is written to the stream; no step gets it.
    Write {
        /// The invocation that writes it, or `None` for the outside.
        from: Option<InvocationId>,
        /// The event's type.
        ty: EventTypeId,
        /// Its payload.
        slot: Slot,
    },
    /// An attempt succeeded.
    Complete {
        /// The attempt.
        invocation: InvocationId,
        /// The event that it returned, if any.
        output: Option<(EventTypeId, Slot)>,
        /// The predicated waits that accept the output.
        matches: Vec<WaitId>,
    },
    /// An attempt failed.
    Fail {
        /// The attempt.
        invocation: InvocationId,
        /// The type of the event that describes the failure, for an error handler.
        ty: EventTypeId,
        /// Its payload.
        slot: Slot,
        /// Whether it may be repeated.
        verdict: Verdict,
    },
    /// A running step asks for an event.
    Wait {
        /// The attempt that asks.
        invocation: InvocationId,
        /// The type it asks for; kinds of the type count too.
        ty: EventTypeId,
        /// What the host calls this wait, when it has a name.
        id: Option<Box<str>>,
        /// How long it waits at most.
        timeout: Option<Millis>,
        /// It takes only an event whose tick lists it in `matches`, or `claim`.
        predicated: bool,
        /// For a predicated wait: the first kept event that its predicate accepts.
        claim: Option<Slot>,
    },
    /// A running step sleeps.
    Sleep {
        /// The attempt that sleeps.
        invocation: InvocationId,
        /// For how long.
        delay: Millis,
    },
    /// A running step adds an event to a collection, and gets the whole collection when it is complete.
    Collect {
        /// The attempt that collects.
        invocation: InvocationId,
        /// The event's type.
        ty: EventTypeId,
        /// Its payload.
        slot: Slot,
        /// The types of a complete collection, in the order asked.
        expected: Vec<EventTypeId>,
    },
    /// A running step begins to wait for something else that only the outside can cause, such as a nested run that
    /// waits.
    Block {
        /// The attempt.
        invocation: InvocationId,
    },
    /// The opposite of [`Tick::Block`].
    Unblock {
        /// The attempt.
        invocation: InvocationId,
    },
    /// A running step begins to wait for something that only time moves, such as a nested run that sleeps.
    Doze {
        /// The attempt.
        invocation: InvocationId,
    },
    /// The opposite of [`Tick::Doze`].
    Rouse {
        /// The attempt.
        invocation: InvocationId,
    },
    /// A deadline has come.
    Timer {
        /// Which one.
        key: TimerKey,
    },
    /// The outside cancels the run.
    Cancel,
    /// A running step has the result of a side effect that must happen once. A key that has a result keeps it.
    Once {
        /// The attempt.
        invocation: InvocationId,
        /// What the step calls it.
        key: Box<str>,
        /// The result.
        slot: Slot,
    },
    /// A run that was restored from a snapshot resumes.
    Resume,
    /// A running step withdraws an open wait or sleep. One that is closed already stays as it is.
    Withdraw {
        /// The attempt that has asked.
        invocation: InvocationId,
        /// The number of the wait or sleep.
        wait: WaitId,
    },
    /// [`Tick::Wait`] with a question: an event that is published, unless an earlier attempt has asked the same.
    Ask {
        /// As in [`Tick::Wait`].
        invocation: InvocationId,
        /// As in [`Tick::Wait`].
        ty: EventTypeId,
        /// As in [`Tick::Wait`].
        id: Option<Box<str>>,
        /// As in [`Tick::Wait`].
        timeout: Option<Millis>,
        /// As in [`Tick::Wait`].
        predicated: bool,
        /// As in [`Tick::Wait`].
        claim: Option<Slot>,
        /// The question's type.
        question: EventTypeId,
        /// Its payload.
        slot: Slot,
    },
    /// The outside answers one open wait, whatever its condition. The event goes to no step and to no other wait.
    Answer {
        /// The number of the wait.
        wait: WaitId,
        /// The answer's type.
        ty: EventTypeId,
        /// Its payload.
        slot: Slot,
    },
    /// An attempt succeeded and returned an array of events: a fan-out. They enter in their order. A stop event ends
    /// the run, and what stands behind it is dropped.
    CompleteList {
        /// The attempt.
        invocation: InvocationId,
        /// The events, which may be none.
        outputs: Vec<(EventTypeId, Slot)>,
        /// The predicated waits that accept one of them: pairs of its position and the wait, in the order of the
        /// positions.
        matches: Vec<(u32, WaitId)>,
    },
    /// [`Tick::Collect`] into a collection that is kept apart from others of the step.
    CollectInto {
        /// As in [`Tick::Collect`].
        invocation: InvocationId,
        /// As in [`Tick::Collect`].
        ty: EventTypeId,
        /// As in [`Tick::Collect`].
        slot: Slot,
        /// As in [`Tick::Collect`].
        expected: Vec<EventTypeId>,
        /// What the step calls the collection; not empty.
        buffer: Box<str>,
    },
}

wire_enum!(Tick {
    0 => Start { ty, slot },
    1 => Send { from, ty, slot, target, matches },
    2 => Write { from, ty, slot },
    3 => Complete { invocation, output, matches },
    4 => Fail { invocation, ty, slot, verdict },
    5 => Wait { invocation, ty, id, timeout, predicated, claim },
    6 => Sleep { invocation, delay },
    7 => Collect { invocation, ty, slot, expected },
    8 => Block { invocation },
    9 => Unblock { invocation },
    10 => Timer { key },
    11 => Cancel,
    12 => Once { invocation, key, slot },
    13 => Resume,
    14 => Withdraw { invocation, wait },
    15 => Ask { invocation, ty, id, timeout, predicated, claim, question, slot },
    16 => Doze { invocation },
    17 => Rouse { invocation },
    18 => Answer { wait, ty, slot },
    19 => CompleteList { invocation, outputs, matches },
    20 => CollectInto { invocation, ty, slot, expected, buffer },
});

/// What the host decides about a failure. The conditions of a retry policy look at error objects, which the engine does
/// not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The step's policy decides.
    Policy,
    /// No retry.
    GiveUp,
    /// A retry after this delay, whatever the policy says.
    Retry(Millis),
}

wire_enum!(Verdict { 0 => Policy, 1 => GiveUp, 2 => Retry(delay) });

/// What the host has to do after the call has returned. Commands are executed in their order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Append the event to the run's stream.
    Publish {
        /// Its payload.
        slot: Slot,
    },
    /// Drop the payload: nothing refers to the slot any more, and its number may be used again.
    Release {
        /// The slot.
        slot: Slot,
    },
    /// Call the step's handler.
    Invoke {
        /// The step.
        step: StepId,
        /// The id of the attempt.
        invocation: InvocationId,
        /// Which attempt it is, from 1.
        attempt: u32,
        /// The payloads of its events: one for each input, or all that it has gathered.
        inputs: Vec<Slot>,
    },
    /// The next command invokes an attempt that writes again what an earlier one has written to the stream. Readers
    /// discard that.
    Reset {
        /// The step.
        step: StepId,
        /// The attempt that begins.
        attempt: u32,
    },
    /// The wait is over: its event has come.
    Resolve {
        /// The wait.
        wait: WaitId,
        /// The event's payload.
        slot: Slot,
    },
    /// The sleep is over.
    Wake {
        /// The sleep's number.
        wait: WaitId,
    },
    /// The wait is over: no event came in time.
    Expire {
        /// The wait.
        wait: WaitId,
    },
    /// The attempt has used up the step's timeout. Abort it and report [`Tick::Fail`].
    TimeOut {
        /// The attempt.
        invocation: InvocationId,
    },
    /// Send [`Tick::Timer`] with this key at the deadline or soon after.
    SetTimer {
        /// The key.
        key: TimerKey,
        /// When, in the run's alive time.
        deadline: Millis,
    },
    /// The deadline was cleared: do not send its tick.
    ClearTimer {
        /// The key.
        key: TimerKey,
    },
    /// From now on the run waits for the outside.
    Idle,
    /// From now on the run sleeps: the next deadline moves it.
    Doze,
    /// The run neither waits for the outside nor sleeps any more.
    Busy,
    /// The run has ended. All deadlines are void.
    Settle {
        /// How.
        outcome: Outcome,
    },
    /// A record of what has happened here, for observers. Only a run that is [traced](super::Engine::trace) has them.
    Trace(Trace),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// With this stop event.
    Completed(Slot),
    /// A step failed for good, and no error handler took the failure.
    StepFailed {
        /// The step.
        step: StepId,
        /// The event that describes the failure.
        slot: Slot,
    },
    /// It did not finish in time.
    TimedOut,
    /// No event that is still possible could move it.
    Stalled,
    /// It invoked more steps than [`Limits::steps`](super::Limits::steps).
    LimitReached,
    /// The outside cancelled it.
    Cancelled,
}

/// The events a step is invoked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// Of a step with one input: nearly all, and without an allocation.
    One(Event),
    /// Of a step with several inputs, in their order. All have the group that the invocation belongs to.
    Many(Box<[Event]>),
    /// Of a step that gathers.
    List(Box<List>),
}

/// What a step has gathered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// In the order of arrival.
    pub events: Box<[Event]>,
    /// The group that the invocation belongs to: the one around the array.
    pub group: Option<GroupId>,
    /// How many recoveries lie behind the list. Not only behind its events: it may be empty.
    pub recoveries: u32,
}

impl Inputs {
    /// The events in the order of the inputs, or of arrival.
    #[must_use]
    pub fn as_slice(&self) -> &[Event] {
        match self {
            Inputs::One(event) => core::slice::from_ref(event),
            Inputs::Many(events) => events,
            Inputs::List(list) => &list.events,
        }
    }

    /// The group that the invocation belongs to.
    #[must_use]
    pub fn group(&self) -> Option<GroupId> {
        match self {
            Inputs::One(event) => event.group,
            Inputs::Many(events) => events.first().and_then(|event| event.group),
            Inputs::List(list) => list.group,
        }
    }
}

/// What a tick returns at once.
#[derive(Clone, Debug, PartialEq)]
pub enum TickOutput {
    /// Nothing.
    None,
    /// The number of the wait or sleep. If it is over already, a command says so.
    Wait(WaitId),
    /// The complete collection in the order asked, or `None` as long as something is missing.
    Collected(Option<Box<[Event]>>),
}
