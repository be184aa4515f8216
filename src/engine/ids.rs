//! The integers the engine works on.
//!
//! The engine never sees a payload or a name at run time: an event is a type id and the number of the
//! slot where the host keeps its payload. Newtypes keep the kinds of number apart.

use core::num::NonZeroU32;

use crate::wire::wire_struct;

pub use crate::time::Millis;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an index into a vector.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        wire_struct!($name(u32));
    };
}

id! {
    /// An event type of a graph: its position in [`Graph::types`](super::Graph::types).
    EventTypeId
}
id! {
    /// A step of a graph: its position in [`Graph::steps`](super::Graph::steps).
    StepId
}
id! {
    /// Where the host keeps a payload. The host chooses the number. The engine counts the references and commands
    /// [`Command::Release`](super::Command::Release) when the last one is gone.
    Slot
}
id! {
    /// A wait that has not been settled yet. Numbered in the order of asking, which is the order in which
    /// waits for one type are served.
    WaitId
}
id! {
    /// A deadline that the host was asked to watch.
    TimerKey
}

/// One attempt of one step on one set of events.
///
/// The generation is unique in a run, so the id of an attempt that is over is recognised and refused
/// for ever, also after its place has been taken by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvocationId {
    /// Place in the table of invocations.
    pub index: u32,
    /// Which occupant of that place is meant.
    pub generation: u32,
}

wire_struct!(InvocationId { index, generation });

/// A group: the events that a step has returned as one array, and what descends from them. The number is that of its
/// place in the run's table plus 1, so that an event without a group needs no further bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupId(pub(super) NonZeroU32);

/// An event on its way through a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its type.
    pub ty: EventTypeId,
    /// Where the host keeps it.
    pub slot: Slot,
    /// How many times an error handler was entered on the way to this event; see
    /// [`Handler::max_recoveries`](super::Handler::max_recoveries).
    pub recoveries: u32,
    /// The innermost group that it belongs to. Only events of invocations and joins have one: what is gathered, kept or
    /// received by a wait has left its group.
    pub group: Option<GroupId>,
}
