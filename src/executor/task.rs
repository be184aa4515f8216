//! Tasks and the slab they live in: an id leads to its future in one step, and to nothing once the task has ended.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::ready::{ReadyQueue, TaskWaker};

/// A future as the slab keeps it. It need not be `Send`: it never leaves its engine.
pub(super) type LocalFuture = Pin<Box<dyn Future<Output = ()>>>;

/// Names a task of one executor.
///
/// It may be kept for any length of time: once its task has ended it names nothing, even if the slot is in use again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TaskId {
    /// Where in the slab.
    index: usize,
    /// Which of the slot's owners; counted over the whole executor in 64 bits, so it never comes round.
    serial: u64,
}

/// A future with the waker that belongs to it for life.
pub(super) struct Task {
    future: LocalFuture,
    /// The same waker in the form that a poll wants.
    waker: Waker,
    signal: Arc<TaskWaker>,
}

impl Task {
    pub(super) fn poll(&mut self) -> Poll<()> {
        self.signal.rearm();
        let mut context = Context::from_waker(&self.waker);
        self.future.as_mut().poll(&mut context)
    }
}

impl Drop for Task {
    /// Silences the waker before the future goes, whose own drop may still use it.
    fn drop(&mut self) {
        self.signal.retire();
    }
}

/// A place in the slab.
pub(super) enum Slot {
    /// Free; listed in `Slab::free`.
    Vacant,
    /// Waits to be polled.
    Parked(Task),
    /// Its task, of this serial, is out being polled.
    Polling(u64),
}

impl Slot {
    fn serial(&self) -> Option<u64> {
        match self {
            Slot::Vacant => None,
            Slot::Parked(task) => Some(task.signal.task.serial),
            Slot::Polling(serial) => Some(*serial),
        }
    }
}

/// All tasks of an executor. It runs no foreign code: what it removes, it returns for the caller to drop.
#[derive(Default)]
pub(super) struct Slab {
    slots: Vec<Slot>,
    free: Vec<usize>,
    next_serial: u64,
}

impl Slab {
    /// How many tasks are alive, one that is being polled included.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn contains(&self, id: TaskId) -> bool {
        let slot = self.slots.get(id.index);
        slot.is_some_and(|slot| slot.serial() == Some(id.serial))
    }

    /// Adds a task whose waker counts as used already, because the caller queues its first poll.
    pub(super) fn insert(&mut self, future: LocalFuture, ready: &Arc<ReadyQueue>) -> TaskId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::Vacant);
            self.slots.len() - 1
        });
        let id = TaskId { index, serial: self.next_serial };
        self.next_serial += 1;
        let signal = TaskWaker::new(id, ready);
        self.slots[index] = Slot::Parked(Task { future, waker: Waker::from(Arc::clone(&signal)), signal });
        id
    }

    /// Takes a task out for its poll; [`put_back`](Self::put_back) or [`remove`](Self::remove) must follow.
    pub(super) fn take(&mut self, id: TaskId) -> Option<Task> {
        if !self.contains(id) {
            return None;
        }
        match mem::replace(&mut self.slots[id.index], Slot::Polling(id.serial)) {
            Slot::Parked(task) => Some(task),
            Slot::Polling(_) | Slot::Vacant => None,
        }
    }

    /// Parks a task again after its poll; returns it if it was cancelled meanwhile.
    pub(super) fn put_back(&mut self, task: Task) -> Option<Task> {
        let id = task.signal.task;
        if !self.contains(id) {
            return Some(task);
        }
        self.slots[id.index] = Slot::Parked(task);
        None
    }

    /// Ends a task; `None` if it had ended before.
    pub(super) fn remove(&mut self, id: TaskId) -> Option<Slot> {
        if !self.contains(id) {
            return None;
        }
        self.free.push(id.index);
        Some(mem::replace(&mut self.slots[id.index], Slot::Vacant))
    }
}
