//! The integers the engine works on.
//!
//! The engine never sees a payload or a name at run time: an event is a type id and the number of the
//! slot where the host keeps its payload. Newtypes keep the kinds of number apart.

use core::fmt;

use crate::wire::wire_struct;

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
    /// Where the host keeps a payload. The host chooses the number, the engine counts the references
    /// and tells with [`Command::Release`](super::Command::Release) when the last one is gone.
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

/// Milliseconds: a duration, or a point in a run's alive time (which starts at 0 and stands still while
/// the run is on a shelf as a snapshot).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

wire_struct!(Millis(u64));

impl Millis {
    /// The end of time; a deadline there never comes.
    pub const MAX: Millis = Millis(u64::MAX);

    /// Converts a host's number of milliseconds. Not-a-number and negatives become 0, too large becomes the
    /// largest, and a fraction is rounded up, so that nothing is ever due early.
    ///
    /// ```
    /// use stepstream::engine::Millis;
    /// assert_eq!(Millis::from_f64(1.2), Millis(2));
    /// assert_eq!(Millis::from_f64(f64::NAN), Millis(0));
    /// assert_eq!(Millis::from_f64(f64::INFINITY), Millis::MAX);
    /// ```
    #[must_use]
    pub fn from_f64(ms: f64) -> Millis {
        // `as` saturates and maps NaN to 0, which is the documented behaviour.
        Millis(ms.ceil() as u64)
    }

    /// The point `delay` after `self`, or the end of time.
    #[must_use]
    pub const fn after(self, delay: Millis) -> Millis {
        Millis(self.0.saturating_add(delay.0))
    }

    /// The time from `earlier` to `self`, or 0 when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Millis) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

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
}
