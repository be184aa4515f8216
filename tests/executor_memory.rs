//! Memory follows what is alive: measured at the allocator, because a count of entries would not see what they leave behind.

#![allow(unsafe_code)] // an allocator cannot be written without it; this one only counts and passes on

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Poll, Waker};

use stepstream::executor::{Executor, Timers};
use stepstream::time::Millis;

thread_local! {
    // Per thread, because the tests of this file run side by side.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

impl Counting {
    fn count(change: isize) {
        let held = HELD.get() + change;
        HELD.set(held);
        PEAK.set(PEAK.get().max(held));
    }
}

// SAFETY: every call goes to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        Self::count(-(layout.size() as isize));
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that `work` held at any moment, in bytes, beyond what was held before.
fn peak_of(work: impl FnOnce()) -> isize {
    let before = HELD.get();
    PEAK.set(before);
    work();
    PEAK.get() - before
}

const ROUNDS: u64 = 1_000_000;

#[test]
fn timer_churn_keeps_memory_flat() {
    let timers = Timers::default();
    let peak = peak_of(|| {
        timers.set(0, Millis(u64::MAX)); // something stays in the heap below all that comes and goes
        for round in 1..=ROUNDS {
            timers.set(round, Millis(1_000_000 + round % 1_000));
            timers.set(round, Millis(1_000));
            assert!(timers.clear(round));
        }
    });
    assert_eq!(timers.len(), 1);
    assert!(peak < 4_096, "{peak} bytes for two timers at a time");
}

#[test]
fn due_timers_give_their_memory_back() {
    let timers = Timers::default();
    let peak = peak_of(|| {
        for round in 1..=ROUNDS {
            timers.set(round, Millis(round));
            assert_eq!(timers.take_due(Millis(round)), [round]);
        }
    });
    assert!(peak < 4_096, "{peak} bytes for one timer at a time");
}

#[test]
fn task_churn_keeps_memory_flat() {
    let executor = Executor::new();
    let peak = peak_of(|| {
        for round in 0..ROUNDS / 10 {
            let task = executor.spawn(executor.sleep_until(Millis(u64::MAX)));
            assert!(!executor.run_ready(Millis(round)));
            assert!(executor.cancel(task));
            executor.spawn(async {});
            assert!(!executor.run_ready(Millis(round)));
        }
    });
    assert_eq!(executor.task_count(), 0);
    assert!(peak < 4_096, "{peak} bytes for one task at a time");
}

#[test]
fn cancelling_within_one_turn_of_the_host_keeps_memory_flat() {
    let executor = Executor::new();
    let peak = peak_of(|| {
        for _ in 0..ROUNDS / 10 {
            let task = executor.spawn(async {});
            assert!(executor.cancel(task));
        }
    });
    assert!(peak < 8_192, "{peak} bytes for one task at a time");
}

#[test]
fn a_kept_waker_keeps_no_future() {
    let executor = Executor::new();
    let kept: Rc<RefCell<Option<Waker>>> = Rc::default();
    let before = HELD.get();
    executor.spawn({
        let kept = Rc::clone(&kept);
        let ballast = vec![0u8; 1_000_000];
        std::future::poll_fn(move |context| {
            *kept.borrow_mut() = Some(context.waker().clone());
            assert_eq!(ballast.len(), 1_000_000);
            Poll::Ready(())
        })
    });
    assert!(!executor.run_ready(Millis(0)));
    assert!(kept.borrow().is_some());
    assert!(HELD.get() - before < 4_096);
}

#[test]
fn a_dropped_executor_gives_everything_back() {
    let before = HELD.get();
    let executor = Executor::new();
    for key in 0..100 {
        let handle = executor.handle();
        executor.spawn(async move {
            handle.sleep_until(Millis(u64::MAX)).await;
        });
        executor.timers().set(key, Millis(key));
    }
    assert!(!executor.run_ready(Millis(0)));
    drop(executor);
    assert_eq!(HELD.get(), before, "a task that keeps a handle does not keep its executor");
}
