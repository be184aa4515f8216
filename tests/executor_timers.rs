//! The clock, the shared heap of deadlines, and the sleeps of tasks, last of all against a model too simple to be wrong.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use proptest::prelude::*;
use stepstream::executor::{Executor, MAX_DELAY, TaskId, Timers};
use stepstream::time::Millis;

/// Counts the wakes that reach it.
#[derive(Default)]
struct WakeCount(AtomicU32);

impl Wake for WakeCount {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl WakeCount {
    fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

fn poll_with(future: Pin<&mut impl Future<Output = ()>>, waker: &Waker) -> Poll<()> {
    future.poll(&mut Context::from_waker(waker))
}

#[test]
fn due_keys_come_in_the_order_of_their_deadlines() {
    let timers = Timers::default();
    for (key, deadline) in [(1, 30), (2, 10), (3, 20), (4, 10), (5, 40)] {
        timers.set(key, Millis(deadline));
    }
    assert_eq!(timers.take_due(Millis(9)), []);
    assert_eq!(timers.take_due(Millis(30)), [2, 4, 3, 1]);
    assert_eq!(timers.take_due(Millis(30)), []);
    assert_eq!(timers.take_due(Millis(40)), [5]);
    assert!(timers.is_empty());
}

#[test]
fn setting_again_moves_a_timer() {
    let timers = Timers::default();
    timers.set(1, Millis(10));
    timers.set(2, Millis(10));
    timers.set(1, Millis(10));
    assert_eq!(timers.len(), 2);
    assert_eq!(timers.take_due(Millis(10)), [2, 1]);

    timers.set(1, Millis(50));
    timers.set(1, Millis(20));
    assert_eq!(timers.next_deadline(), Some(Millis(20)));
    timers.set(1, Millis(60));
    assert_eq!(timers.take_due(Millis(50)), []);
    assert_eq!(timers.take_due(Millis(60)), [1]);
}

#[test]
fn a_cleared_timer_is_not_due_and_not_waited_for() {
    let timers = Timers::default();
    timers.set(1, Millis(10));
    timers.set(2, Millis(20));
    assert!(timers.clear(1));
    assert!(!timers.clear(1));
    assert!(!timers.clear(99));
    assert_eq!(timers.next_delay(Millis(0)), Some(20));
    assert_eq!(timers.take_due(Millis(20)), [2]);
    assert!(!timers.clear(2), "handed out already");
    assert_eq!(timers.next_delay(Millis(20)), None);
}

#[test]
fn keys_at_both_ends_of_their_range() {
    let timers = Timers::default();
    timers.set(0, Millis(1));
    timers.set(u64::MAX, Millis(0));
    assert_eq!(timers.take_due(Millis(1)), [u64::MAX, 0]);
}

#[test]
fn the_delay_is_clamped_to_what_a_host_timer_can_take() {
    let timers = Timers::default();
    assert_eq!(MAX_DELAY, 2_147_483_647);
    timers.set(1, Millis(u64::MAX));
    assert_eq!(timers.next_delay(Millis(0)), Some(MAX_DELAY));
    assert_eq!(timers.next_delay(Millis(u64::MAX - 3)), Some(3));

    let limit = u64::from(MAX_DELAY);
    timers.set(2, Millis(limit + 1));
    assert_eq!(timers.next_delay(Millis(0)), Some(MAX_DELAY));
    assert_eq!(timers.take_due(Millis(limit)), [], "the clamped timer is early");
    assert_eq!(timers.next_delay(Millis(limit)), Some(1));
    assert_eq!(timers.take_due(Millis(limit + 1)), [2]);
}

#[test]
fn a_passed_deadline_asks_for_no_delay() {
    let timers = Timers::default();
    timers.set(1, Millis(10));
    assert_eq!(timers.next_delay(Millis(10)), Some(0));
    assert_eq!(timers.next_delay(Millis(500)), Some(0));
    assert_eq!(timers.take_due(Millis(500)), [1]);
}

#[test]
fn a_deadline_in_the_past_is_due_at_the_next_advance() {
    let timers = Timers::default();
    assert_eq!(timers.take_due(Millis(100)), []);
    timers.set(1, Millis(5));
    assert_eq!(timers.next_delay(Millis(100)), Some(0));
    assert_eq!(timers.take_due(Millis(100)), [1]);
}

#[test]
fn time_does_not_run_backwards() {
    let executor = Executor::new();
    assert_eq!(executor.advance(Millis(100)), []);
    executor.timers().set(1, Millis(150));
    executor.timers().set(2, Millis(90));
    assert_eq!(executor.next_delay(Millis(0)), Some(0));
    assert_eq!(executor.advance(Millis(0)), [2]);
    assert!(!executor.run_ready(Millis(50)));
    assert_eq!(executor.now(), Millis(100));
    assert_eq!(executor.next_delay(Millis(0)), Some(50));
}

#[test]
fn the_end_of_time_is_reached_without_overflow() {
    let executor = Executor::new();
    executor.timers().set(1, executor.now().after(Millis::MAX).after(Millis(1)));
    assert_eq!(executor.advance(Millis(u64::MAX - 1)), []);
    assert_eq!(executor.advance(Millis(u64::MAX)), [1]);
}

#[test]
fn a_sleep_ends_at_its_deadline_and_not_before() {
    let executor = Executor::new();
    let sleep = executor.sleep_until(Millis(10));
    let done = Rc::new(Cell::new(false));
    executor.spawn({
        let done = Rc::clone(&done);
        async move {
            sleep.await;
            done.set(true);
        }
    });
    assert!(!executor.run_ready(Millis(0)));
    assert_eq!(executor.next_delay(Millis(0)), Some(10));

    assert_eq!(executor.advance(Millis(9)), []);
    assert!(!executor.needs_poll());
    assert_eq!(executor.advance(Millis(10)), []);
    assert!(executor.take_poll_request());
    assert!(!done.get(), "advance polls nothing");
    assert!(!executor.run_ready(Millis(10)));
    assert!(done.get());
    assert!(executor.timers().is_empty());
}

#[test]
fn a_sleep_into_the_past_takes_no_timer() {
    let executor = Executor::new();
    assert!(!executor.run_ready(Millis(10)));
    let mut sleep = pin!(executor.sleep_until(Millis(10)));
    assert!(poll_with(sleep.as_mut(), Waker::noop()).is_ready());
    assert!(executor.timers().is_empty());
}

#[test]
fn a_dropped_or_cancelled_sleep_gives_its_timer_back() {
    let executor = Executor::new();
    let mut sleep = Box::pin(executor.sleep_until(Millis(10)));
    assert!(executor.timers().is_empty(), "nothing is set before the first poll");
    assert!(poll_with(sleep.as_mut(), Waker::noop()).is_pending());
    assert_eq!(executor.timers().len(), 1);
    drop(sleep);
    assert!(executor.timers().is_empty());

    let sleep = executor.sleep_until(Millis(10));
    let task = executor.spawn(sleep);
    assert!(!executor.run_ready(Millis(0)));
    assert_eq!(executor.timers().len(), 1);
    executor.cancel(task);
    assert_eq!(executor.next_delay(Millis(0)), None);
}

#[test]
fn a_sleep_wakes_only_its_latest_waker_and_once() {
    let executor = Executor::new();
    let mut sleep = pin!(executor.sleep_until(Millis(10)));
    let (first, second) = (Arc::<WakeCount>::default(), Arc::<WakeCount>::default());
    let first_waker = Waker::from(Arc::clone(&first));
    let second_waker = Waker::from(Arc::clone(&second));

    assert!(poll_with(sleep.as_mut(), &first_waker).is_pending());
    for _ in 0..3 {
        assert!(poll_with(sleep.as_mut(), &second_waker).is_pending());
    }
    assert_eq!(executor.timers().len(), 1);
    assert_eq!(executor.advance(Millis(10)), []);
    assert_eq!(executor.advance(Millis(11)), []);
    assert_eq!((first.get(), second.get()), (0, 1));
    assert!(poll_with(sleep.as_mut(), &second_waker).is_ready());
}

/// Notes its name when it is woken.
struct NamedWaker(&'static str, Arc<Mutex<Vec<&'static str>>>);

impl Wake for NamedWaker {
    fn wake(self: Arc<Self>) {
        self.1.lock().expect("no thread panics while it holds the lock").push(self.0);
    }
}

#[test]
fn a_sleep_polled_again_keeps_its_place() {
    let executor = Executor::new();
    let woken = Arc::<Mutex<Vec<_>>>::default();
    let [a, b] = ["a", "b"].map(|name| Waker::from(Arc::new(NamedWaker(name, Arc::clone(&woken)))));
    let [mut sleep_a, mut sleep_b] = [10, 10].map(|deadline| Box::pin(executor.sleep_until(Millis(deadline))));
    assert!(poll_with(sleep_a.as_mut(), &a).is_pending());
    assert!(poll_with(sleep_b.as_mut(), &b).is_pending());
    assert!(poll_with(sleep_a.as_mut(), &a).is_pending());

    assert_eq!(executor.advance(Millis(10)), []);
    assert_eq!(*woken.lock().expect("no thread panics while it holds the lock"), ["a", "b"]);
}

#[test]
fn a_sleep_that_ends_before_its_timer_was_due_gives_it_back() {
    let executor = Executor::new();
    let mut sleep = pin!(executor.sleep_until(Millis(10)));
    assert!(poll_with(sleep.as_mut(), Waker::noop()).is_pending());
    assert!(!executor.run_ready(Millis(10)), "moves the clock without looking at the timers");
    assert!(poll_with(sleep.as_mut(), Waker::noop()).is_ready());
    assert!(executor.timers().is_empty());
}

#[test]
fn a_stale_sleep_does_not_take_the_timer_that_followed_it() {
    let executor = Executor::new();
    let mut sleep = Box::pin(executor.sleep_until(Millis(10)));
    assert!(poll_with(sleep.as_mut(), Waker::noop()).is_pending());
    assert_eq!(executor.advance(Millis(10)), []);

    executor.timers().set(1, Millis(20)); // takes the place that the sleep has left
    drop(sleep);
    assert_eq!(executor.advance(Millis(20)), [1]);
}

#[test]
fn engine_timers_and_sleeps_share_one_heap() {
    let executor = Executor::new();
    let woken = Rc::new(RefCell::new(Vec::new()));
    for (key, deadline) in [(0, 30), (1, 10), (2, 20), (3, 10)] {
        let (sleep, woken) = (executor.sleep_until(Millis(deadline + 5)), Rc::clone(&woken));
        executor.spawn(async move {
            sleep.await;
            woken.borrow_mut().push(key);
        });
        executor.timers().set(key, Millis(deadline));
    }
    assert!(!executor.run_ready(Millis(0)));
    assert_eq!(executor.timers().len(), 8);

    assert_eq!(executor.advance(Millis(10)), [1, 3]);
    assert_eq!(executor.next_delay(Millis(10)), Some(5), "a sleep is next");
    assert_eq!(executor.advance(Millis(35)), [2, 0]);
    assert!(!executor.run_ready(Millis(35)));
    assert_eq!(*woken.borrow(), [1, 3, 2, 0]);
}

thread_local! {
    /// How a waker, which has to be `Send`, gets at the executor of its test.
    static EXECUTOR: RefCell<Option<Rc<Executor>>> = const { RefCell::new(None) };
}

/// A waker that uses the timers when it is woken and when it is dropped.
struct Meddler;

impl Meddler {
    fn meddle(&self, key: u64) {
        let executor = EXECUTOR.with_borrow(Clone::clone).expect("set by the test");
        executor.timers().set(key, Millis(1_000));
        executor.timers().clear(1);
        executor.spawn(async {});
    }
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        self.meddle(10);
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.meddle(11);
    }
}

#[test]
fn a_waker_may_call_everything() {
    let executor = Rc::new(Executor::new());
    EXECUTOR.set(Some(Rc::clone(&executor)));

    let mut replaced = Box::pin(executor.sleep_until(Millis(10)));
    assert!(poll_with(replaced.as_mut(), &Waker::from(Arc::new(Meddler))).is_pending());
    assert!(poll_with(replaced.as_mut(), Waker::noop()).is_pending());
    assert!(executor.timers().clear(11), "dropped when it was replaced");

    let mut dropped = Box::pin(executor.sleep_until(Millis(10)));
    assert!(poll_with(dropped.as_mut(), &Waker::from(Arc::new(Meddler))).is_pending());
    drop(dropped);
    assert!(executor.timers().clear(11), "dropped with its sleep");

    let mut woken = Box::pin(executor.sleep_until(Millis(10)));
    assert!(poll_with(woken.as_mut(), &Waker::from(Arc::new(Meddler))).is_pending());
    executor.timers().set(1, Millis(10));
    assert_eq!(executor.advance(Millis(10)), [], "the waker has cleared the timer behind it");
    assert!(executor.timers().clear(10) && executor.timers().clear(11));
    EXECUTOR.set(None);
}

/// One thing that the engine, a task or the host does. Numbers are small so that they meet each other often.
#[derive(Clone, Debug)]
enum Op {
    Set { key: u64, deadline: Millis },
    Clear { key: u64 },
    Sleep { deadline: Millis },
    CancelSleep { which: usize },
    Advance { now: Millis },
}

fn moments() -> impl Strategy<Value = Millis> {
    let clamp = u64::from(MAX_DELAY);
    prop_oneof![
        20 => 0..60u64,
        1 => clamp - 2..clamp + 60,
        1 => u64::MAX - 2..=u64::MAX,
    ]
    .prop_map(Millis)
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let key = 0..12u64;
    let op = prop_oneof![
        4 => (key.clone(), moments()).prop_map(|(key, deadline)| Op::Set { key, deadline }),
        2 => key.prop_map(|key| Op::Clear { key }),
        2 => moments().prop_map(|deadline| Op::Sleep { deadline }),
        1 => (0..8usize).prop_map(|which| Op::CancelSleep { which }),
        2 => moments().prop_map(|now| Op::Advance { now }),
    ];
    prop::collection::vec(op, 0..120)
}

#[derive(Clone, Copy, PartialEq)]
enum Owner {
    Engine(u64),
    Sleep(usize),
}

/// A plain list, kept in the order of setting and searched from end to end.
#[derive(Default)]
struct Model {
    now: Millis,
    set: Vec<(Millis, Owner)>,
}

impl Model {
    fn clear(&mut self, owner: Owner) -> bool {
        let before = self.set.len();
        self.set.retain(|(_, present)| *present != owner);
        self.set.len() < before
    }

    fn set(&mut self, owner: Owner, deadline: Millis) {
        self.clear(owner);
        self.set.push((deadline, owner));
    }

    fn advance(&mut self, now: Millis) -> Vec<Owner> {
        self.now = self.now.max(now);
        let mut due = self.set.clone();
        due.retain(|(deadline, _)| *deadline <= self.now);
        due.sort_by_key(|(deadline, _)| *deadline); // stable, so equal ones stay in the order of setting
        self.set.retain(|(deadline, _)| *deadline > self.now);
        due.into_iter().map(|(_, owner)| owner).collect()
    }

    fn next_delay(&self) -> Option<u32> {
        let first = self.set.iter().map(|(deadline, _)| deadline.0).min()?;
        let delay = u128::from(first).saturating_sub(u128::from(self.now.0));
        Some(delay.min(u128::from(MAX_DELAY)) as u32)
    }
}

/// The real thing under test, with sleeps that note when they end.
struct Subject {
    executor: Executor,
    sleeps: Vec<TaskId>,
    ended: Rc<RefCell<Vec<usize>>>,
}

impl Subject {
    fn sleep(&mut self, deadline: Millis) -> usize {
        let name = self.sleeps.len();
        let (sleep, ended) = (self.executor.sleep_until(deadline), Rc::clone(&self.ended));
        self.sleeps.push(self.executor.spawn(async move {
            sleep.await;
            ended.borrow_mut().push(name);
        }));
        self.settle();
        name
    }

    fn settle(&self) {
        while self.executor.run_ready(self.executor.now()) {}
    }

    fn take_ended(&self) -> Vec<usize> {
        self.settle();
        self.ended.take()
    }
}

proptest! {
    #[test]
    fn matches_the_naive_model(ops in ops()) {
        let mut model = Model::default();
        let mut subject = Subject {
            executor: Executor::new(),
            sleeps: Vec::new(),
            ended: Rc::default(),
        };
        for op in ops {
            let timers = subject.executor.timers();
            match op {
                Op::Set { key, deadline } => {
                    timers.set(key, deadline);
                    model.set(Owner::Engine(key), deadline);
                }
                Op::Clear { key } => {
                    prop_assert_eq!(timers.clear(key), model.clear(Owner::Engine(key)));
                }
                Op::Sleep { deadline } => {
                    let name = subject.sleep(deadline);
                    if deadline > model.now {
                        model.set(Owner::Sleep(name), deadline);
                    } else {
                        prop_assert_eq!(subject.take_ended(), [name]);
                    }
                }
                Op::CancelSleep { which } => {
                    if let Some(task) = subject.sleeps.get(which) {
                        let was_set = subject.executor.cancel(*task);
                        prop_assert_eq!(was_set, model.clear(Owner::Sleep(which)));
                    }
                }
                Op::Advance { now } => {
                    let (mut keys, mut sleeps) = (Vec::new(), Vec::new());
                    for owner in model.advance(now) {
                        match owner {
                            Owner::Engine(key) => keys.push(key),
                            Owner::Sleep(name) => sleeps.push(name),
                        }
                    }
                    prop_assert_eq!(subject.executor.advance(now), keys);
                    prop_assert_eq!(subject.take_ended(), sleeps);
                }
            }
            let timers = subject.executor.timers();
            prop_assert_eq!(timers.now(), model.now);
            prop_assert_eq!(timers.len(), model.set.len());
            prop_assert_eq!(timers.next_delay(model.now), model.next_delay());
        }
    }
}
