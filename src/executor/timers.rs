//! Time as the engine sees it: the clock that the host sets, the engine's timers, and the sleeps of tasks.
//!
//! All deadlines share one heap, so that the host needs one timer. Host timers have two traps that end here: a delay
//! above 2^31-1 ms fires at once, and a timer may fire a little early.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::heap::{Alarm, Heap, Ticket};
use crate::sorted::SortedMap;
use crate::time::Millis;

/// The longest delay that a host timer can take, in milliseconds (almost 25 days).
pub const MAX_DELAY: u32 = i32::MAX as u32;

/// The clock, and all deadlines of an engine: its own timers, which are keys, and the [`Sleep`]s of tasks.
///
/// Setting and clearing take logarithmic time as long as new keys are mostly higher than those set before. Memory
/// follows the timers that are set now, not those that were set before.
///
/// # Examples
///
/// ```
/// use stepstream::time::Millis;
/// use stepstream::executor::Timers;
///
/// let timers = Timers::default();
/// timers.set(1, Millis(300));
/// timers.set(2, Millis(200));
/// timers.set(3, Millis(100));
/// timers.clear(3);
///
/// assert_eq!(timers.next_delay(Millis(50)), Some(150));
/// assert!(timers.take_due(Millis(199)).is_empty()); // a host timer that fires early is harmless
/// assert_eq!(timers.take_due(Millis(1_000)), [2, 1]);
/// assert_eq!(timers.next_delay(Millis(1_000)), None);
/// ```
#[derive(Default)]
pub struct Timers {
    now: Cell<Millis>,
    set: RefCell<Set>,
}

/// The deadlines, and where the engine's keys are among them.
#[derive(Default)]
struct Set {
    heap: Heap,
    keys: SortedMap<u64, Ticket>,
}

impl Timers {
    /// Sets the engine's timer `key`. If it is set already, it moves to `deadline`, behind others of the same moment.
    pub fn set(&self, key: u64, deadline: Millis) {
        let mut set = self.set.borrow_mut();
        let ticket = set.heap.insert(deadline, Alarm::Engine(key));
        if let Some(previous) = set.keys.insert(key, ticket) {
            set.heap.remove(previous);
        }
    }

    /// Clears the engine's timer `key`. False if it was not set, or has been handed out as due.
    pub fn clear(&self, key: u64) -> bool {
        let mut set = self.set.borrow_mut();
        let Some(ticket) = set.keys.remove(&key) else {
            return false;
        };
        set.heap.remove(ticket).is_some()
    }

    /// How many deadlines are set, sleeps included.
    pub fn len(&self) -> usize {
        self.set.borrow().heap.len()
    }

    /// Whether no deadline is set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The latest time that the host has given. It never runs backwards: an earlier time counts as the latest one.
    pub fn now(&self) -> Millis {
        self.now.get()
    }

    /// The earliest deadline of any kind, for a host that wants to keep a timer it has already started.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.set.borrow().heap.first()
    }

    /// How long the one host timer has to wait from `now`, in milliseconds, at most [`MAX_DELAY`]; 0 if a deadline has
    /// passed, `None` if there is none.
    ///
    /// After a delay that was clamped, nothing is due yet: the host asks for the next delay.
    pub fn next_delay(&self, now: Millis) -> Option<u32> {
        let deadline = self.next_deadline()?;
        let delay = deadline.0.saturating_sub(now.max(self.now()).0);
        Some(delay.min(u64::from(MAX_DELAY)) as u32)
    }

    /// Moves the clock to `now`, wakes the tasks whose sleep is over, and returns the engine's due keys, in the order
    /// of their deadlines, equal ones in the order in which they were set.
    #[must_use = "a due key is returned once; pass it to the engine"]
    pub fn take_due(&self, now: Millis) -> Vec<u64> {
        self.advance_clock(now);
        let mut keys = Vec::new();
        while let Some(alarm) = self.pop_due() {
            match alarm {
                Alarm::Engine(key) => keys.push(key),
                Alarm::Task(waker) => waker.wake(),
            }
        }
        keys
    }

    pub(super) fn advance_clock(&self, now: Millis) {
        self.now.set(now.max(self.now()));
    }

    fn pop_due(&self) -> Option<Alarm> {
        let mut set = self.set.borrow_mut();
        let alarm = set.heap.pop_due(self.now())?;
        if let Alarm::Engine(key) = alarm {
            set.keys.remove(&key);
        }
        Some(alarm)
    }

    fn would_wake(&self, ticket: Ticket, waker: &Waker) -> bool {
        match self.set.borrow().heap.get(ticket) {
            Some(Alarm::Task(present)) => present.will_wake(waker),
            Some(Alarm::Engine(_)) | None => false,
        }
    }

    /// Its own method so that the borrow ends before the caller drops the waker.
    fn insert(&self, deadline: Millis, waker: Waker) -> Ticket {
        let mut set = self.set.borrow_mut();
        set.heap.insert(deadline, Alarm::Task(waker))
    }

    fn remove(&self, ticket: Ticket) -> Option<Alarm> {
        self.set.borrow_mut().heap.remove(ticket)
    }
}

/// A future that is done once the host's time has reached its deadline; see [`Executor::sleep_until`].
///
/// It takes a place among the timers at its first poll, and gives it back when it is done or dropped.
///
/// [`Executor::sleep_until`]: super::Executor::sleep_until
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    timers: Rc<Timers>,
    deadline: Millis,
    /// The place among the timers; stale once it has fired, which is harmless.
    ticket: Option<Ticket>,
}

impl Sleep {
    pub(super) fn new(timers: &Rc<Timers>, deadline: Millis) -> Self {
        Self { timers: Rc::clone(timers), deadline, ticket: None }
    }

    fn disarm(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            drop(self.timers.remove(ticket));
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.timers.now() >= self.deadline {
            self.disarm();
            return Poll::Ready(());
        }
        let waker = context.waker();
        let armed = self.ticket;
        if !armed.is_some_and(|ticket| self.timers.would_wake(ticket, waker)) {
            self.disarm();
            let ticket = self.timers.insert(self.deadline, waker.clone());
            self.ticket = Some(ticket);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.disarm();
    }
}
