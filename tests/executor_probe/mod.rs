//! The futures that the executor's tests are made of: each counts what was done to it.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use stepstream::executor::{Executor, TaskId};
use stepstream::time::Millis;

/// The time, where it does not matter.
pub const NOW: Millis = Millis(0);

/// What a probe went through, read after the executor has had it.
#[derive(Default)]
pub struct Record {
    pub polls: Cell<u32>,
    pub drops: Cell<u32>,
    waker: RefCell<Option<Waker>>,
}

impl Record {
    pub fn wake(&self) {
        self.waker().wake();
    }

    pub fn waker(&self) -> Waker {
        self.waker.borrow().clone().expect("the probe was polled before")
    }
}

/// A future that counts its polls and drops, keeps its waker, and does what the test says at each poll.
pub struct Probe<F> {
    pub record: Rc<Record>,
    pub on_poll: F,
}

impl<F: FnMut(&mut Context<'_>) -> Poll<()> + Unpin> Future for Probe<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.record.polls.set(self.record.polls.get() + 1);
        *self.record.waker.borrow_mut() = Some(context.waker().clone());
        (self.on_poll)(context)
    }
}

impl<F> Drop for Probe<F> {
    fn drop(&mut self) {
        self.record.drops.set(self.record.drops.get() + 1);
    }
}

pub fn probe<F>(on_poll: F) -> (Rc<Record>, Probe<F>)
where
    F: FnMut(&mut Context<'_>) -> Poll<()>,
{
    let record = Rc::new(Record::default());
    (Rc::clone(&record), Probe { record, on_poll })
}

/// A probe that is never done.
pub fn spawn_pending(executor: &Executor) -> (Rc<Record>, TaskId) {
    let (record, future) = probe(|_| Poll::Pending);
    (record, executor.spawn(future))
}
