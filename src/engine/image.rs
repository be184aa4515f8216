//! A run as data: everything of a [`State`](super::State) that a snapshot carries. What can be computed from that is
//! left out.
//!
//! Event types and steps are named, so that the image can be restored with a graph that was built in another order, by
//! another build, or with more in it. Slots are numbered from 0 without gaps; [`Captured::slots`] has their numbers in
//! the run.
//!
//! These types are the format of snapshots, written in the wire format of `postcard` (`docs/snapshot-format.md`): a
//! field or a variant keeps its position. A change needs a new version of the format and a conversion from this one,
//! like `snapshot/v2.rs`.

use super::ids::{InvocationId, Slot};
use crate::wire::{wire_enum, wire_struct};

/// An image, and what the host needs in order to add its own part.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// The run.
    pub image: Image,
    /// The live slots: the image's slot `n` is `slots[n]`.
    pub slots: Vec<Slot>,
    /// The invocations: the image's invocation `n` is `invocations[n]`.
    pub invocations: Vec<InvocationId>,
}

/// A run. Points in time are milliseconds of its alive time.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Where the run is.
    pub condition: Condition,
    /// Ticks applied so far, those before earlier snapshots included.
    pub ticks: u64,
    /// How long it has been alive.
    pub now: u64,
    /// Where the jitter of retries comes from.
    pub seed: u64,
    /// When the run times out.
    pub deadline: Option<u64>,
    /// Arrivals so far.
    pub arrivals: u64,
    /// Steps invoked so far, without those that the image starts again.
    pub invoked: u64,
    /// How many slots there are.
    pub slots: u32,
    /// The names of the event types that are referred to.
    pub types: Vec<String>,
    /// The names of the steps that are referred to.
    pub steps: Vec<String>,
    /// Oldest first; those that were running come before those that were not.
    pub invocations: Vec<InvocationImage>,
    /// Joins that are not empty.
    pub joins: Vec<JoinImage>,
    /// Events that no step took, the oldest of each type first.
    pub kept: Vec<KeptImage>,
    /// Collections that are half full, of those without a buffer.
    pub collections: Vec<CollectionImage>,
    /// Arrays that are not done with. A group comes after the one around it.
    pub groups: Vec<GroupImage>,
    /// The steps that have returned arrays: positions in [`Image::steps`].
    pub fanned: Vec<u32>,
    /// Collections that are half full, of those with a buffer.
    pub buffers: Vec<BufferImage>,
    /// Failures of attempts that were followed by another one, or will be; in the order of the invocations.
    pub failures: Vec<FailureImage>,
}

impl Image {
    /// The image of every completed run. It has the highest number of ticks there is, because nothing comes after it.
    #[must_use]
    pub fn completed() -> Image {
        Image {
            condition: Condition::Completed,
            ticks: u64::MAX,
            now: 0,
            seed: 0,
            deadline: None,
            arrivals: 0,
            invoked: 0,
            slots: 0,
            types: Vec::new(),
            steps: Vec::new(),
            invocations: Vec::new(),
            joins: Vec::new(),
            kept: Vec::new(),
            collections: Vec::new(),
            groups: Vec::new(),
            fanned: Vec::new(),
            buffers: Vec::new(),
            failures: Vec::new(),
        }
    }
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It has not begun.
    Created,
    /// It is running.
    Running,
    /// It waits for the outside, and nothing is queued.
    Waiting,
    /// It has completed; nothing else is in the image.
    Completed,
    /// A step failed for good; its events are in its queue again.
    StepFailed,
    /// It did not finish in time.
    TimedOut,
    /// No event that was still possible could move it.
    Stalled,
    /// It invoked too many steps.
    LimitReached,
    /// The outside cancelled it.
    Cancelled,
}

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventImage {
    /// Position in [`Image::types`].
    pub ty: u32,
    /// Its payload.
    pub slot: u32,
    /// How many times an error handler was entered on the way to it.
    pub recoveries: u32,
}

/// An invocation.
#[derive(Clone, Debug, PartialEq)]
pub struct InvocationImage {
    /// Position in [`Image::steps`].
    pub step: u32,
    /// Position among all arrivals.
    pub order: u64,
    /// Whether the host was running it. Such an invocation runs again from its beginning.
    pub running: bool,
    /// When its next attempt is due, if it is between two.
    pub backoff: Option<u64>,
    /// Attempts begun, without the one that runs again.
    pub attempt: u32,
    /// When the first attempt began.
    pub began: u64,
    /// The events: one for each input, or those that were gathered.
    pub inputs: Vec<EventImage>,
    /// What it has asked for so far, in order.
    pub log: Vec<EntryImage>,
    /// The results of what must happen once: key and slot.
    pub once: Vec<(String, u32)>,
    /// What it has sent so far.
    pub sent: Vec<SentImage>,
    /// Whether it has written to the stream. A reset comes before its next attempt then.
    pub wrote: bool,
    /// The group that it belongs to: position in [`Image::groups`].
    pub group: Option<u32>,
    /// Of a step that gathers: how many recoveries lie behind the list.
    pub list: Option<u32>,
}

/// A request of a step and its result.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryImage {
    /// The request.
    pub request: RequestImage,
    /// The result.
    pub answer: AnswerImage,
    /// Whether an event was published with the request.
    pub published: bool,
}

/// What a step asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestImage {
    /// An event.
    Event {
        /// Position in [`Image::types`].
        ty: u32,
        /// What the step calls this wait.
        id: Option<String>,
    },
    /// A sleep.
    Sleep,
    /// A collection.
    Collect,
}

/// The result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerImage {
    /// None, and no wait is open for it.
    Vacant,
    /// Still open.
    Pending {
        /// Position among the open waits: the first is served first.
        rank: u32,
        /// When it ends.
        deadline: Option<u64>,
        /// Whether it is conditional.
        predicated: bool,
    },
    /// An event.
    Received(EventImage),
    /// The sleep is over, or no event came in time.
    Elapsed,
    /// A collection, complete or not.
    Collected(Option<Vec<EventImage>>),
    /// The request was withdrawn.
    Withdrawn,
}

/// What an attempt has sent of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentImage {
    /// Position in [`Image::types`].
    pub ty: u32,
    /// How many.
    pub count: u32,
}

/// A join.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinImage {
    /// Position in [`Image::steps`].
    pub step: u32,
    /// What each input has so far.
    pub set: Vec<Option<KeptImage>>,
    /// What came for inputs that were full, the oldest of each type first.
    pub later: Vec<KeptImage>,
    /// The group of all these events: position in [`Image::groups`].
    pub group: Option<u32>,
}

/// A group: an array and what descends from it.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupImage {
    /// The group around it: position in [`Image::groups`].
    pub parent: Option<u32>,
    /// The step that has returned the array: position in [`Image::steps`].
    pub source: u32,
    /// How many recoveries lie behind the array.
    pub recoveries: u32,
    /// What was gathered so far.
    pub gathered: Vec<GatheredImage>,
}

/// What a step has gathered of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct GatheredImage {
    /// Position in [`Image::steps`].
    pub step: u32,
    /// Whether the step was invoked with as many as it takes. What comes later is dropped.
    pub released: bool,
    /// In the order of arrival.
    pub events: Vec<EventImage>,
}

/// An event that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptImage {
    /// The event.
    pub event: EventImage,
    /// Position among all arrivals.
    pub order: u64,
}

/// A collection.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionImage {
    /// Position in [`Image::steps`].
    pub step: u32,
    /// The types of a complete collection: positions in [`Image::types`].
    pub expected: Vec<u32>,
    /// What is there, oldest first of each type.
    pub held: Vec<KeptImage>,
}

/// A collection with a buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct BufferImage {
    /// What the step calls it; not empty.
    pub buffer: String,
    /// The collection.
    pub collection: CollectionImage,
}

/// The failure of the last attempt of an invocation that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureImage {
    /// Position in [`Image::invocations`].
    pub invocation: u32,
    /// The event that an error handler would have got.
    pub event: EventImage,
}

wire_struct!(Image {
    condition,
    ticks,
    now,
    seed,
    deadline,
    arrivals,
    invoked,
    slots,
    types,
    steps,
    invocations,
    joins,
    kept,
    collections,
    groups,
    fanned,
    buffers,
    failures
});
wire_struct!(EventImage { ty, slot, recoveries });
wire_struct!(InvocationImage {
    step,
    order,
    running,
    backoff,
    attempt,
    began,
    inputs,
    log,
    once,
    sent,
    wrote,
    group,
    list
});
wire_struct!(EntryImage { request, answer, published });
wire_struct!(SentImage { ty, count });
wire_struct!(JoinImage { step, set, later, group });
wire_struct!(GroupImage { parent, source, recoveries, gathered });
wire_struct!(GatheredImage { step, released, events });
wire_struct!(KeptImage { event, order });
wire_struct!(CollectionImage { step, expected, held });
wire_struct!(BufferImage { buffer, collection });
wire_struct!(FailureImage { invocation, event });
wire_enum!(Condition {
    0 => Created, 1 => Running, 2 => Waiting, 3 => Completed, 4 => StepFailed, 5 => TimedOut, 6 => Stalled,
    7 => LimitReached, 8 => Cancelled
});
wire_enum!(RequestImage { 0 => Event { ty, id }, 1 => Sleep, 2 => Collect });
wire_enum!(AnswerImage {
    0 => Vacant, 1 => Pending { rank, deadline, predicated }, 2 => Received(event), 3 => Elapsed,
    4 => Collected(found), 5 => Withdrawn
});
