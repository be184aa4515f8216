//! Time as a number that comes in from outside: nothing here reads a clock.

use core::fmt;

use crate::wire::wire_struct;

/// Milliseconds: a duration, or a point in time since any start that the one who passes it in has chosen. Of a run that
/// is its alive time, which starts at 0 and stands still while the run exists only as a snapshot.
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
    /// use stepstream::time::Millis;
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
