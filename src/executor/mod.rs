//! The executor: polls Rust futures, and keeps every deadline of one engine.
//!
//! A handler that is written in Rust is a future; a step's timeout is a key that the engine wants back when its time
//! has come. Both need the same of the host: to be called again, in a microtask or after a delay. This module combines
//! any number of futures and deadlines into one such request.
//!
//! Boundary: it knows no JavaScript and no clock, and it starts nothing by itself. The host passes the time in, as
//! [`Millis`] since any start that it has chosen, rounded down so that nothing is due early, and makes three calls:
//!
//! 1. after each callback it ran, [`Executor::take_poll_request`]; if true, it schedules one microtask;
//! 2. in that microtask [`Executor::run_ready`], and once more later if that says so;
//! 3. one host timer for [`Executor::next_delay`]; when it fires, [`Executor::advance`] gives the engine's due keys.
//!
//! # Layout
//!
//! - `mod.rs`: [`Executor`], which owns a set of tasks, and [`Handle`], which a task may keep.
//! - `task.rs`: [`TaskId`], and the slab that futures live in.
//! - `ready.rs`: wakers, and the queue that they fill.
//! - `timers.rs`: [`Timers`] and [`Sleep`]; `heap.rs`: the ordered deadlines under them.
//!
//! # Invariants
//!
//! The test that guards each is named; they are in `tests/executor.rs` and `tests/executor_{reentry,timers,memory}.rs`.
//!
//! 1. A task is polled once after `spawn`, and then only after a wake (`polled_only_when_woken`).
//! 2. Wakes between two polls count as one (`wakes_between_two_polls_count_once`); a wake during a poll causes exactly
//!    one more (`wake_during_poll_polls_once_more`).
//! 3. A turn polls at most what was ready on entry, in the order of the wakes (`a_turn_is_bounded`,
//!    `ready_tasks_are_polled_in_the_order_of_their_wakes`).
//! 4. A finished or cancelled future is dropped at once, but a task that cancels itself lives to the end of its poll
//!    (`finished_future_is_dropped_at_once`, `cancel_drops_at_once`, `cancel_self_inside_poll`).
//! 5. An id or a waker outlives its task without effect, also when the slot has a new owner
//!    (`stale_waker_does_not_reach_the_next_owner_of_the_slot`, `stale_or_foreign_ids_do_nothing`), and a waker
//!    outlives the executor (`waker_and_handle_outlive_the_executor`).
//! 6. No borrow is held while foreign code runs (a poll, a drop, a waker), so that code may call anything here
//!    (`a_poll_may_call_everything`, `a_drop_may_call_everything`, `a_waker_may_call_everything`); polls never nest
//!    (`polls_never_nest`).
//! 7. The host is asked for one poll per batch of wakes, and for none while a turn runs
//!    (`the_host_is_asked_once_per_batch`, `a_turn_that_reports_more_is_not_asked_for_again`).
//! 8. Due timers come in the order of deadline, then of setting, and never early (`matches_the_naive_model`); no delay
//!    is longer than a host timer can take (`the_delay_is_clamped_to_what_a_host_timer_can_take`).
//! 9. Memory follows what is alive, not what has been (`timer_churn_keeps_memory_flat`, `task_churn_keeps_memory_flat`,
//!    `cancelling_within_one_turn_of_the_host_keeps_memory_flat`).
//! 10. A task that panics poisons the executor: it polls nothing more, and drops cleanly (`a_panic_stops_all_polling`).

#![forbid(unsafe_code)]

mod heap;
mod ready;
mod task;
mod timers;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::Poll;

use crate::time::Millis;
use ready::ReadyQueue;
use task::{LocalFuture, Slab};

pub use task::TaskId;
pub use timers::{MAX_DELAY, Sleep, Timers};

/// A single-threaded executor with its timers; one per engine, never shared between engines.
///
/// Dropping it drops all its futures. A future that needs the executor keeps a [`Handle`], not the executor itself,
/// or neither would ever be freed.
///
/// # Examples
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// use stepstream::time::Millis;
/// use stepstream::executor::Executor;
///
/// let executor = Executor::new();
/// let rung = Rc::new(Cell::new(false));
///
/// let alarm = executor.sleep_until(Millis(50));
/// executor.spawn({
///     let rung = Rc::clone(&rung);
///     async move {
///         alarm.await;
///         rung.set(true);
///     }
/// });
/// executor.timers().set(7, Millis(20));
///
/// assert!(!executor.run_ready(Millis(0))); // no more to poll for now
/// assert_eq!(executor.next_delay(Millis(0)), Some(20));
///
/// assert_eq!(executor.advance(Millis(50)), [7]); // the engine's key is due, and the sleeping task was woken
/// assert!(!executor.run_ready(Millis(50)));
/// assert!(rung.get());
/// ```
pub struct Executor {
    core: Rc<Core>,
}

impl Executor {
    /// An executor without tasks and timers; its clock stands at zero until the host first gives the time.
    pub fn new() -> Self {
        Self {
            core: Rc::new(Core {
                slab: RefCell::new(Slab::default()),
                ready: Arc::default(),
                spare: Cell::default(),
                timers: Rc::default(),
                in_turn: Cell::new(false),
                host_was_asked: Cell::new(false),
            }),
        }
    }

    /// What a task keeps in order to spawn, cancel and sleep.
    pub fn handle(&self) -> Handle {
        Handle { core: Rc::downgrade(&self.core), timers: Rc::clone(&self.core.timers) }
    }

    /// Adds a task, which is polled in the next turn.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) -> TaskId {
        self.core.spawn(Box::pin(future))
    }

    /// Drops a task's future. False if the task had already ended.
    ///
    /// A task that cancels itself runs to the end of the current poll, and is dropped then.
    pub fn cancel(&self, task: TaskId) -> bool {
        self.core.cancel(task)
    }

    /// How many tasks are alive.
    pub fn task_count(&self) -> usize {
        self.core.slab.borrow().len()
    }

    /// The engine's timers. They share one heap, and so the one host timer, with the sleeps of tasks.
    pub fn timers(&self) -> &Timers {
        &self.core.timers
    }

    /// A future that is done once the host's time has reached `deadline`; dropping it gives the timer back.
    pub fn sleep_until(&self, deadline: Millis) -> Sleep {
        Sleep::new(&self.core.timers, deadline)
    }

    /// The latest time that the host has given.
    pub fn now(&self) -> Millis {
        self.core.timers.now()
    }

    /// Polls the tasks that are ready at this moment, each once. Returns whether more are ready now.
    ///
    /// True means: call again, but after giving way to whatever else the host has to do. It stands for a poll request,
    /// so [`take_poll_request`](Self::take_poll_request) does not repeat it. Called from inside a task it does nothing
    /// and returns false, because the running turn will report.
    #[must_use = "if more tasks are ready, the caller must schedule the next turn"]
    pub fn run_ready(&self, now: Millis) -> bool {
        self.core.timers.advance_clock(now);
        self.core.run_turn()
    }

    /// Moves time on to `now`: wakes the tasks whose sleep is over, and returns the engine's due keys in the order of
    /// their deadlines, equal ones in the order in which they were set.
    ///
    /// It polls nothing; call [`run_ready`](Self::run_ready) next. A call that comes too early is harmless: it returns
    /// nothing.
    #[must_use = "a due key is returned once; pass it to the engine"]
    pub fn advance(&self, now: Millis) -> Vec<u64> {
        self.core.timers.take_due(now)
    }

    /// Milliseconds until the next deadline of any kind, for the one host timer; see [`Timers::next_delay`].
    pub fn next_delay(&self, now: Millis) -> Option<u32> {
        self.core.timers.next_delay(now)
    }

    /// Whether a turn would find something to do.
    pub fn needs_poll(&self) -> bool {
        !self.core.ready.is_empty()
    }

    /// Whether the host should schedule a turn now: true once per batch of wakes, however many callbacks caused them,
    /// and again only after that turn.
    ///
    /// # Examples
    ///
    /// ```
    /// use stepstream::time::Millis;
    /// use stepstream::executor::Executor;
    ///
    /// let executor = Executor::new();
    /// executor.spawn(async {});
    /// executor.spawn(async {});
    /// assert!(executor.take_poll_request()); // the host schedules a microtask ...
    /// assert!(!executor.take_poll_request()); // ... and no second one
    ///
    /// assert!(!executor.run_ready(Millis(0)));
    /// assert!(!executor.take_poll_request());
    /// ```
    #[must_use = "the request is handed out once"]
    pub fn take_poll_request(&self) -> bool {
        self.needs_poll() && !self.core.host_was_asked.replace(true)
    }
}

impl Default for Executor {
    fn default() -> Self {
        Self::new()
    }
}

/// Lets a task use its executor. It does not keep the executor alive, and does nothing once that is gone.
///
/// # Examples
///
/// ```
/// use stepstream::time::Millis;
/// use stepstream::executor::Executor;
///
/// let executor = Executor::new();
/// let handle = executor.handle();
/// executor.spawn(async move {
///     let in_a_second = handle.now().after(Millis(1_000));
///     handle.sleep_until(in_a_second).await;
///     handle.spawn(async {});
/// });
/// assert!(!executor.run_ready(Millis(5_000)));
/// assert_eq!(executor.next_delay(Millis(5_000)), Some(1_000));
/// ```
#[derive(Clone)]
pub struct Handle {
    /// Weak, because the core owns the futures that own handles.
    core: Weak<Core>,
    /// Not weak: timers own wakers only, and a waker owns no future.
    timers: Rc<Timers>,
}

impl Handle {
    /// As [`Executor::spawn`]; `None`, with the future dropped, once the executor is gone.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) -> Option<TaskId> {
        Some(self.core.upgrade()?.spawn(Box::pin(future)))
    }

    /// As [`Executor::cancel`]; false once the executor is gone.
    pub fn cancel(&self, task: TaskId) -> bool {
        self.core.upgrade().is_some_and(|core| core.cancel(task))
    }

    /// As [`Executor::sleep_until`]; never done once the executor is gone, because time stands still then.
    pub fn sleep_until(&self, deadline: Millis) -> Sleep {
        Sleep::new(&self.timers, deadline)
    }

    /// As [`Executor::now`].
    pub fn now(&self) -> Millis {
        self.timers.now()
    }
}

/// What an executor is made of, shared with its handles.
struct Core {
    slab: RefCell<Slab>,
    /// Shared with every waker, which may outlive this executor.
    ready: Arc<ReadyQueue>,
    /// The allocation of the turn before, empty, so that turns do not allocate.
    spare: Cell<Vec<TaskId>>,
    timers: Rc<Timers>,
    /// Set while a turn runs, so that a turn started from inside a task does nothing. A panic leaves it set.
    in_turn: Cell<bool>,
    /// Set from the moment the host was asked to poll until that poll has ended.
    host_was_asked: Cell<bool>,
}

impl Core {
    fn spawn(&self, future: LocalFuture) -> TaskId {
        let task = self.slab.borrow_mut().insert(future, &self.ready);
        self.ready.push(task);
        task
    }

    fn cancel(&self, id: TaskId) -> bool {
        let removed = self.slab.borrow_mut().remove(id);
        let slab = self.slab.borrow();
        self.ready.sweep(slab.len(), |id| slab.contains(id));
        drop(slab);
        removed.is_some() // and the future is dropped here, when nothing is borrowed any more
    }

    fn run_turn(&self) -> bool {
        if self.in_turn.replace(true) {
            return false;
        }
        self.host_was_asked.set(true);
        let mut turn = self.ready.replace(self.spare.take());
        for id in turn.drain(..) {
            self.poll(id);
        }
        self.spare.set(turn);
        let more = !self.ready.is_empty();
        self.host_was_asked.set(more);
        self.in_turn.set(false);
        more
    }

    fn poll(&self, id: TaskId) {
        let taken = self.slab.borrow_mut().take(id);
        let Some(mut task) = taken else {
            return; // cancelled after it was woken
        };
        match task.poll() {
            Poll::Pending => {
                let cancelled_meanwhile = self.slab.borrow_mut().put_back(task);
                drop(cancelled_meanwhile);
            }
            Poll::Ready(()) => {
                self.slab.borrow_mut().remove(id);
                drop(task);
            }
        }
    }
}
