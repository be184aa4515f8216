//! What a task may do to its own executor while it is polled or dropped: anything, and nothing breaks.

mod executor_probe;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use executor_probe::{NOW, Probe, Record, probe, spawn_pending};
use stepstream::executor::{Executor, Handle, TaskId};
use stepstream::time::Millis;

/// Runs a closure when a future that owns it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn spawn_inside_poll_runs_in_the_next_turn() {
    let executor = Executor::new();
    let handle = executor.handle();
    let (child, future) = probe(|_| Poll::Ready(()));
    executor.spawn(async move {
        handle.spawn(future);
    });

    assert!(executor.run_ready(NOW));
    assert_eq!(child.polls.get(), 0);
    assert!(!executor.run_ready(NOW));
    assert_eq!((child.polls.get(), child.drops.get()), (1, 1));
}

#[test]
fn cancel_self_inside_poll() {
    let executor = Executor::new();
    let handle = executor.handle();
    let me = Rc::new(Cell::new(None));
    let record = Rc::new(Record::default());
    let alive_after_cancel = Rc::new(Cell::new(false));
    let future = {
        let (me, seen, alive) = (me.clone(), record.clone(), alive_after_cancel.clone());
        Probe {
            record: Rc::clone(&record),
            on_poll: move |context: &mut Context<'_>| {
                let id = me.get().expect("set after spawn");
                assert!(handle.cancel(id));
                assert!(!handle.cancel(id));
                context.waker().wake_by_ref();
                alive.set(seen.drops.get() == 0);
                Poll::Pending
            },
        }
    };
    me.set(Some(executor.spawn(future)));

    while executor.run_ready(NOW) {}
    assert!(alive_after_cancel.get(), "the future lives to the end of its poll");
    assert_eq!((record.polls.get(), record.drops.get()), (1, 1));
    assert_eq!(executor.task_count(), 0);
}

#[test]
fn cancel_self_and_take_the_slot_again_inside_one_poll() {
    let executor = Executor::new();
    let handle = executor.handle();
    let me = Rc::new(Cell::new(None));
    let (heir, heir_future) = probe(|_| Poll::Pending);
    let mut heir_future = Some(heir_future);
    let (record, future) = probe({
        let me = Rc::clone(&me);
        move |_| {
            handle.cancel(me.get().expect("set after spawn"));
            handle.spawn(heir_future.take().expect("polled once"));
            Poll::Pending
        }
    });
    me.set(Some(executor.spawn(future)));

    while executor.run_ready(NOW) {}
    assert_eq!((record.polls.get(), record.drops.get()), (1, 1));
    assert_eq!((heir.polls.get(), heir.drops.get()), (1, 0));
    assert_eq!(executor.task_count(), 1);

    record.wake();
    assert!(!executor.needs_poll(), "the waker of the former owner");
}

#[test]
fn a_task_cancelled_by_an_earlier_one_of_its_turn_is_not_polled() {
    let executor = Executor::new();
    let handle = executor.handle();
    let victim_id = Rc::new(Cell::new(None));
    executor.spawn({
        let victim_id = Rc::clone(&victim_id);
        async move {
            handle.cancel(victim_id.get().expect("set after spawn"));
        }
    });
    let (victim, id) = spawn_pending(&executor);
    victim_id.set(Some(id));

    assert!(!executor.run_ready(NOW));
    assert_eq!((victim.polls.get(), victim.drops.get()), (0, 1));
}

#[test]
fn polls_never_nest() {
    let executor = Rc::new(Executor::new());
    let (inner, inner_future) = probe(|_| Poll::Pending);
    let nested = Rc::clone(&executor);
    let mut inner_future = Some(inner_future);
    let polls_inside = Rc::new(Cell::new(u32::MAX));
    let (outer, future) = probe({
        let (inner, polls_inside) = (Rc::clone(&inner), Rc::clone(&polls_inside));
        move |_| {
            nested.spawn(inner_future.take().expect("polled once"));
            assert!(!nested.run_ready(NOW), "the running turn reports");
            polls_inside.set(inner.polls.get());
            Poll::Ready(())
        }
    });
    executor.spawn(future);

    assert!(executor.run_ready(NOW));
    assert_eq!((outer.polls.get(), polls_inside.get()), (1, 0));
    assert!(!executor.run_ready(NOW));
    assert_eq!(inner.polls.get(), 1);
}

/// Everything that a task can do to its own executor, while that executor polls or drops it.
fn call_everything(executor: &Executor, handle: &Handle, other: TaskId) {
    executor.timers().set(1, Millis(5));
    executor.timers().set(2, Millis(0));
    executor.timers().clear(1);
    assert_eq!(executor.advance(executor.now()), [2]);
    assert_eq!(executor.next_delay(NOW), executor.timers().next_delay(NOW));
    handle.cancel(other);
    handle.spawn(async {});
    let spare = executor.spawn(async {});
    assert!(executor.cancel(spare));
    let _ = executor.needs_poll();
    let _ = executor.take_poll_request();
    let _ = executor.task_count();
    drop(executor.sleep_until(Millis(9)));
}

#[test]
fn a_poll_may_call_everything() {
    let executor = Rc::new(Executor::new());
    let (other, id) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));
    let (inside, handle) = (Rc::downgrade(&executor), executor.handle());
    let (record, future) = probe(move |_| {
        let executor = inside.upgrade().expect("the test keeps it");
        call_everything(&executor, &handle, id);
        Poll::Ready(())
    });
    executor.spawn(future);

    while executor.run_ready(NOW) {}
    assert_eq!((record.polls.get(), record.drops.get()), (1, 1));
    assert_eq!(other.drops.get(), 1);
    assert_eq!(executor.task_count(), 0);
}

#[test]
fn a_drop_may_call_everything() {
    let executor = Rc::new(Executor::new());
    let calls = Rc::new(Cell::new(0));
    let spawn_guarded = |life: Pin<Box<dyn Future<Output = ()>>>| {
        let (_, other) = spawn_pending(&executor);
        let (inside, handle, calls) = (Rc::downgrade(&executor), executor.handle(), Rc::clone(&calls));
        let guard = OnDrop(move || {
            calls.set(calls.get() + 1);
            match inside.upgrade() {
                Some(executor) => call_everything(&executor, &handle, other),
                None => assert_eq!(handle.spawn(async {}), None),
            }
        });
        executor.spawn(async move {
            let _guard = guard;
            life.await;
        })
    };

    let cancelled = spawn_guarded(Box::pin(pending()));
    assert!(executor.cancel(cancelled));
    assert_eq!(calls.get(), 1);

    spawn_guarded(Box::pin(async {}));
    while executor.run_ready(NOW) {}
    assert_eq!(calls.get(), 2, "at the end of a finished task");

    let (handle, me) = (executor.handle(), Rc::new(Cell::new(None)));
    me.set(Some(spawn_guarded(Box::pin({
        let me = Rc::clone(&me);
        async move {
            handle.cancel(me.get().expect("set after spawn"));
            pending().await
        }
    }))));
    while executor.run_ready(NOW) {}
    assert_eq!(calls.get(), 3, "after the poll in which a task cancelled itself");

    spawn_guarded(Box::pin(pending()));
    while executor.run_ready(NOW) {}
    drop(executor);
    assert_eq!(calls.get(), 4, "together with the executor");
}

#[test]
fn a_waker_used_while_its_future_is_dropped_does_nothing() {
    let executor = Executor::new();
    let slot: Rc<RefCell<Option<Waker>>> = Rc::default();
    let guard = OnDrop({
        let slot = Rc::clone(&slot);
        move || slot.borrow().as_ref().expect("polled").wake_by_ref()
    });
    let (_, future) = probe(move |context| {
        let _owned = &guard;
        *slot.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    });
    let task = executor.spawn(future);
    assert!(!executor.run_ready(NOW));

    assert!(executor.cancel(task));
    assert!(!executor.needs_poll());
}

#[test]
fn a_panic_stops_all_polling() {
    let executor = Executor::new();
    let (broken, future) = probe(|_| panic!("the task is broken"));
    executor.spawn(future);
    let (healthy, _) = spawn_pending(&executor);

    let outcome = catch_unwind(AssertUnwindSafe(|| executor.run_ready(NOW)));
    assert!(outcome.is_err());
    assert_eq!(broken.drops.get(), 1);

    assert!(!executor.run_ready(NOW));
    assert!(!executor.take_poll_request());
    assert_eq!(healthy.polls.get(), 0);
    drop(executor);
    assert_eq!((broken.drops.get(), healthy.drops.get()), (1, 1));
}
