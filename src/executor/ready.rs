//! Wakers, and the queue that they fill: the tasks to poll next, each at most once.
//!
//! A waker must be `Send + Sync`, so this is the one part made of a lock and atomics. Compiled to wasm without threads
//! they cost a plain load and store; natively a wake from another thread is safe.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use super::task::TaskId;

/// More ids of cancelled tasks than this are needed before a sweep pays.
const SWEEP_SLACK: usize = 32;

/// The ids of woken tasks in the order of their wakes. An id whose task has ended since is skipped when its turn comes.
#[derive(Default)]
pub(super) struct ReadyQueue {
    ids: Mutex<Vec<TaskId>>,
}

impl ReadyQueue {
    pub(super) fn push(&self, task: TaskId) {
        self.lock().push(task);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Takes all ids, and leaves `empty` to be filled from now on.
    pub(super) fn replace(&self, empty: Vec<TaskId>) -> Vec<TaskId> {
        mem::replace(&mut self.lock(), empty)
    }

    /// Drops the ids of ended tasks once they outnumber the `alive` ones, so that spawning and cancelling within one
    /// turn of the host cannot grow the queue. Costs constant time per cancelled task, spread out.
    pub(super) fn sweep(&self, alive: usize, is_alive: impl Fn(TaskId) -> bool) {
        let mut ids = self.lock();
        if ids.len() > 2 * alive + SWEEP_SLACK {
            ids.retain(|id| is_alive(*id));
        }
    }

    /// Nothing can panic while the lock is held, and a list of ids has no broken state, so poison means nothing here.
    fn lock(&self) -> MutexGuard<'_, Vec<TaskId>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The waker of one task. It owns no future, so keeping one for ever costs a few words and nothing else.
pub(super) struct TaskWaker {
    pub(super) task: TaskId,
    ready: Arc<ReadyQueue>,
    /// Set from a wake until the poll that answers it begins, and for good once the task has ended.
    woken: AtomicBool,
}

impl TaskWaker {
    /// A waker in the state of having been used: the first poll needs no wake.
    pub(super) fn new(task: TaskId, ready: &Arc<ReadyQueue>) -> Arc<Self> {
        Arc::new(Self { task, ready: Arc::clone(ready), woken: AtomicBool::new(true) })
    }

    /// Before a poll, so that a wake during it counts again. A swap, not a store: it takes part in the order of wakes,
    /// so the poll sees what was written before a wake that found the flag already set.
    pub(super) fn rearm(&self) {
        self.woken.swap(false, Ordering::AcqRel);
    }

    /// Turns all later wakes into nothing.
    pub(super) fn retire(&self) {
        self.woken.store(true, Ordering::Release);
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.ready.push(self.task);
        }
    }
}
