//! Counts what the executor does to a task: how often it polls, when it drops, and what ids and wakers still reach.
//! One property per test; the invariants that they guard are listed in `src/executor/mod.rs`.

mod executor_probe;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use executor_probe::{NOW, probe, spawn_pending};
use stepstream::executor::Executor;
use stepstream::time::Millis;

#[test]
fn polled_only_when_woken() {
    let executor = Executor::new();
    let (record, _) = spawn_pending(&executor);
    assert_eq!(record.polls.get(), 0);

    assert!(!executor.run_ready(NOW));
    assert!(!executor.run_ready(NOW));
    assert_eq!(record.polls.get(), 1);

    record.wake();
    assert_eq!(record.polls.get(), 1, "a wake does not poll by itself");
    assert!(!executor.run_ready(NOW));
    assert!(!executor.run_ready(NOW));
    assert_eq!(record.polls.get(), 2);
}

#[test]
fn wakes_between_two_polls_count_once() {
    let executor = Executor::new();
    let (record, _) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));

    record.wake();
    record.waker().wake_by_ref();
    record.wake();
    assert!(!executor.run_ready(NOW));
    assert!(!executor.run_ready(NOW));
    assert_eq!(record.polls.get(), 2);
}

#[test]
fn wake_during_poll_polls_once_more() {
    let executor = Executor::new();
    let mut first = true;
    let (record, future) = probe(move |context| {
        if std::mem::take(&mut first) {
            context.waker().wake_by_ref();
            context.waker().wake_by_ref();
        }
        Poll::Pending
    });
    executor.spawn(future);

    assert!(executor.run_ready(NOW), "the second poll belongs to the next turn");
    assert_eq!(record.polls.get(), 1);
    assert!(!executor.run_ready(NOW));
    assert!(!executor.run_ready(NOW));
    assert_eq!(record.polls.get(), 2);
}

#[test]
fn wake_during_the_last_poll_does_nothing() {
    let executor = Executor::new();
    let (record, future) = probe(|context| {
        context.waker().wake_by_ref();
        Poll::Ready(())
    });
    executor.spawn(future);

    while executor.run_ready(NOW) {}
    assert_eq!((record.polls.get(), record.drops.get()), (1, 1));
}

#[test]
fn finished_future_is_dropped_at_once() {
    let executor = Executor::new();
    let (record, future) = probe(|_| Poll::Ready(()));
    let task = executor.spawn(future);
    assert_eq!(executor.task_count(), 1);

    assert!(!executor.run_ready(NOW));
    assert_eq!((record.polls.get(), record.drops.get()), (1, 1));
    assert_eq!(executor.task_count(), 0);
    assert!(!executor.cancel(task));
}

#[test]
fn cancel_drops_at_once() {
    let executor = Executor::new();
    let (unpolled, task) = spawn_pending(&executor);
    assert!(executor.cancel(task));
    assert_eq!((unpolled.polls.get(), unpolled.drops.get()), (0, 1));

    let (parked, task) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));
    parked.wake();
    assert!(executor.cancel(task));
    assert!(!executor.cancel(task));
    assert!(!executor.run_ready(NOW));
    assert_eq!((parked.polls.get(), parked.drops.get()), (1, 1));
    assert_eq!(executor.task_count(), 0);
}

#[test]
fn many_cancelled_tasks_do_not_push_out_a_ready_one() {
    let executor = Executor::new();
    let (record, _) = spawn_pending(&executor);
    for _ in 0..1_000 {
        let task = executor.spawn(async {});
        executor.cancel(task);
    }
    assert!(!executor.run_ready(NOW));
    assert_eq!(record.polls.get(), 1);
}

#[test]
fn dropping_the_executor_drops_its_futures() {
    let executor = Executor::new();
    let (parked, _) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));
    let (queued, _) = spawn_pending(&executor);

    drop(executor);
    assert_eq!((parked.drops.get(), queued.drops.get()), (1, 1));
}

#[test]
fn stale_waker_does_not_reach_the_next_owner_of_the_slot() {
    let executor = Executor::new();
    let (former, task) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));
    executor.cancel(task);

    let (present, _) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));
    former.wake();
    assert!(!executor.needs_poll());
    assert!(!executor.run_ready(NOW));
    assert_eq!(present.polls.get(), 1);
}

#[test]
fn a_wake_before_cancel_does_not_reach_the_next_owner_of_the_slot() {
    let executor = Executor::new();
    let (former, task) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));
    former.wake();
    executor.cancel(task);

    let (present, _) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));
    assert_eq!((former.polls.get(), present.polls.get()), (1, 1));
}

#[test]
fn stale_or_foreign_ids_do_nothing() {
    let executor = Executor::new();
    let (_, ended) = spawn_pending(&executor);
    executor.cancel(ended);
    let (present, _) = spawn_pending(&executor);

    let other = Executor::new();
    let foreign: Vec<_> = (0..100).map(|_| spawn_pending(&other).1).collect();

    assert!(!executor.cancel(ended));
    for task in &foreign[2..] {
        assert!(!executor.cancel(*task));
    }
    assert_eq!((executor.task_count(), present.drops.get()), (1, 0));
    assert!(foreign.iter().all(|task| other.cancel(*task)));
}

#[test]
fn waker_and_handle_outlive_the_executor() {
    let executor = Executor::new();
    let handle = executor.handle();
    let (record, task) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));
    drop(executor);

    record.wake();
    record.waker().wake_by_ref();
    let (late, future) = probe(|_| Poll::Pending);
    assert_eq!(handle.spawn(future), None);
    assert_eq!((late.polls.get(), late.drops.get()), (0, 1));
    assert!(!handle.cancel(task));
    assert_eq!(handle.now(), NOW);

    let mut sleep = handle.sleep_until(Millis(1));
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut sleep).poll(&mut context).is_pending());
}

#[test]
fn a_waker_works_from_another_thread() {
    let executor = Executor::new();
    let (record, _) = spawn_pending(&executor);
    assert!(!executor.run_ready(NOW));

    let waker = record.waker();
    std::thread::spawn(move || waker.wake()).join().expect("a wake does not panic");
    assert!(executor.needs_poll());
    assert!(!executor.run_ready(NOW));
    assert_eq!(record.polls.get(), 2);
}

#[test]
fn a_turn_is_bounded() {
    let executor = Executor::new();
    let (greedy, future) = probe(|context| {
        context.waker().wake_by_ref();
        Poll::Pending
    });
    executor.spawn(future);
    let (modest, _) = spawn_pending(&executor);

    for turn in 1..=10 {
        assert!(executor.run_ready(NOW));
        assert_eq!(greedy.polls.get(), turn);
    }
    assert_eq!(modest.polls.get(), 1);

    modest.wake();
    assert!(executor.run_ready(NOW));
    assert_eq!(modest.polls.get(), 2, "a task that always wakes itself starves no other");
}

#[test]
fn ready_tasks_are_polled_in_the_order_of_their_wakes() {
    let executor = Executor::new();
    let order = Rc::new(RefCell::new(Vec::new()));
    let records: Vec<_> = (0..4)
        .map(|name| {
            let order = Rc::clone(&order);
            let (record, future) = probe(move |_| {
                order.borrow_mut().push(name);
                Poll::Pending
            });
            executor.spawn(future);
            record
        })
        .collect();
    assert!(!executor.run_ready(NOW));
    for name in [2, 0, 3, 2, 1] {
        records[name].wake();
    }
    assert!(!executor.run_ready(NOW));
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 2, 0, 3, 1]);
}

#[test]
fn the_host_is_asked_once_per_batch() {
    let executor = Executor::new();
    assert!(!executor.take_poll_request());

    let (a, _) = spawn_pending(&executor);
    let (b, _) = spawn_pending(&executor);
    assert!(executor.take_poll_request());
    assert!(!executor.take_poll_request());
    assert!(executor.needs_poll(), "the query stays true until the turn");
    assert!(!executor.run_ready(NOW));
    assert!(!executor.needs_poll());
    assert!(!executor.take_poll_request());

    a.wake();
    assert!(executor.take_poll_request());
    b.wake();
    a.wake();
    assert!(!executor.take_poll_request());
    assert!(!executor.run_ready(NOW));
    assert_eq!((a.polls.get(), b.polls.get()), (2, 2));
}

#[test]
fn a_turn_that_reports_more_is_not_asked_for_again() {
    let executor = Rc::new(Executor::new());
    let inside = Rc::downgrade(&executor);
    let mut wakes = 3;
    let (_, future) = probe(move |context| {
        if wakes > 0 {
            wakes -= 1;
            context.waker().wake_by_ref();
        }
        let executor = inside.upgrade().expect("the test keeps it");
        assert!(!executor.take_poll_request(), "not while the turn runs");
        Poll::Pending
    });
    executor.spawn(future);

    assert!(executor.run_ready(NOW), "a turn that the host had on its own");
    assert!(!executor.take_poll_request());
    assert!(executor.run_ready(NOW));
    assert!(!executor.take_poll_request());
    assert!(executor.run_ready(NOW));
    assert!(!executor.run_ready(NOW));
    assert!(!executor.take_poll_request());
}

#[test]
fn executors_do_not_share_anything() {
    let (one, two) = (Executor::new(), Executor::new());
    let (of_one, _) = spawn_pending(&one);
    assert!(!one.run_ready(NOW));
    let (of_two, _) = spawn_pending(&two);

    of_one.wake();
    assert!(!two.run_ready(NOW));
    assert_eq!((of_one.polls.get(), of_two.polls.get()), (1, 1));
    assert!(one.take_poll_request());
    assert!(!two.take_poll_request());
}
