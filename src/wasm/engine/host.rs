//! A run in this instance: the engine, and the executor that watches its deadlines.

use super::words::{self, Answer};
use crate::engine::{Engine, EventTypeId, InvocationId, Millis, NONE, Patterns, Reply, Slot, StepId, Tick, TimerKey};
use crate::error::Code;
use crate::executor::Executor;
use crate::snapshot::journal::Journal;
#[cfg(feature = "crash-drill")]
use crate::wasm::drill;

pub(super) struct Host {
    pub(super) engine: Engine,
    /// One for each run: on some edge runtimes, what belongs to one request must not be touched from another.
    executor: Executor,
    /// When the host's one timer goes off.
    alarm: Option<Millis>,
    /// The lists that steps collect by.
    pub(super) patterns: Patterns,
    /// Kept when the user asked for it.
    pub(super) journal: Option<Journal>,
}

impl Host {
    pub(super) fn new(engine: Engine, journal: Option<Journal>) -> Host {
        Host { engine, executor: Executor::new(), alarm: None, patterns: Patterns::new(), journal }
    }

    pub(super) fn tick(&mut self, tick: Tick, now: Millis, answer: &mut Answer) -> *const u32 {
        let noted = self.journal.is_some().then(|| tick.clone());
        self.engine.out().clear();
        match self.engine.apply(tick, now) {
            Err(code) => answer.refuse(code),
            Ok(reply) => {
                #[cfg(feature = "crash-drill")]
                drill::pass(drill::Place::Tick);
                if let (Some(tick), Some(journal)) = (noted, &mut self.journal) {
                    journal.tick(tick, now);
                }
                self.answer_with(&reply, now, answer)
            }
        }
    }

    /// [`Tick::Complete`] of an output that no predicated wait accepts, as nearly all are.
    #[inline]
    pub(super) fn complete(
        &mut self,
        invocation: InvocationId,
        output: Option<(EventTypeId, Slot)>,
        now: Millis,
        answer: &mut Answer,
    ) -> *const u32 {
        if self.journal.is_some() {
            return self.tick(Tick::Complete { invocation, output, matches: Vec::new() }, now, answer);
        }
        self.engine.out().clear();
        let result = self.engine.complete(invocation, output, &[], now);
        self.checked(result, now, answer)
    }

    /// [`Tick::Collect`].
    pub(super) fn collect(
        &mut self,
        invocation: InvocationId,
        (ty, slot): (EventTypeId, Slot),
        pattern: u32,
        now: Millis,
        answer: &mut Answer,
    ) -> *const u32 {
        let Some(pattern) = self.patterns.get(pattern) else { return answer.refuse(Code::StaleId) };
        if self.journal.is_some() {
            let expected = pattern.expected().to_vec();
            return self.tick(Tick::Collect { invocation, ty, slot, expected }, now, answer);
        }
        self.engine.out().clear();
        match self.engine.collect(invocation, (ty, slot), pattern, now) {
            Err(code) => answer.refuse(code),
            Ok(reply) => self.answer_with(&reply, now, answer),
        }
    }

    /// [`Tick::Send`] of an event that no predicated wait accepts.
    #[inline]
    pub(super) fn send(
        &mut self,
        from: Option<InvocationId>,
        event: (EventTypeId, Slot),
        target: Option<StepId>,
        now: Millis,
        answer: &mut Answer,
    ) -> *const u32 {
        if self.journal.is_some() {
            let (ty, slot) = event;
            return self.tick(Tick::Send { from, ty, slot, target, matches: Vec::new() }, now, answer);
        }
        self.engine.out().clear();
        let result = self.engine.send(from, event, target, &[], now);
        self.checked(result, now, answer)
    }

    #[inline]
    fn checked(&mut self, result: Result<(), Code>, now: Millis, answer: &mut Answer) -> *const u32 {
        if let Err(code) = result {
            return answer.refuse(code);
        }
        #[cfg(feature = "crash-drill")]
        drill::pass(drill::Place::Tick);
        self.answer(now)
    }

    /// The answer to a tick without a reply: the commands, where they are.
    #[inline]
    fn answer(&mut self, now: Millis) -> *const u32 {
        self.take_timers(now);
        words::finish(self.engine.out())
    }

    fn answer_with(&mut self, reply: &Reply, now: Millis, answer: &mut Answer) -> *const u32 {
        if *reply == Reply::None {
            return self.answer(now);
        }
        self.take_timers(now);
        answer.clear();
        answer.write_reply(reply);
        answer.finish_with(self.engine.out())
    }

    pub(super) fn wake(&mut self, now: Millis) -> *const u32 {
        self.alarm = None;
        self.engine.out().clear();
        for key in self.executor.advance(now) {
            let tick = Tick::Timer { key: TimerKey(key as u32) };
            // The engine ignores a deadline that does not matter any more, and refuses none.
            let _ = self.engine.apply(tick.clone(), now);
            #[cfg(feature = "crash-drill")]
            drill::pass(drill::Place::Wake);
            if let Some(journal) = &mut self.journal {
                journal.tick(tick, now);
            }
            self.pass_timers();
        }
        self.set_alarm(now);
        words::finish(self.engine.out())
    }

    /// Hands the deadlines that have changed to the executor, and lets the host's timer follow.
    #[inline]
    fn take_timers(&mut self, now: Millis) {
        if !self.engine.out().timers().is_empty() {
            self.pass_timers();
            self.set_alarm(now);
        }
    }

    fn pass_timers(&mut self) {
        let timers = self.executor.timers();
        for (key, deadline) in self.engine.out().timers().drain(..) {
            match deadline {
                Some(deadline) => timers.set(u64::from(key.0), deadline),
                None => {
                    timers.clear(u64::from(key.0));
                }
            }
        }
    }

    /// Commands what the host's timer is to be set to, when a deadline is nearer than it. One that has moved away is left: an alarm that is
    /// too early does no harm.
    fn set_alarm(&mut self, now: Millis) {
        let next = self.executor.timers().next_deadline();
        let delay = match (next, self.alarm) {
            (None, None) => return,
            (Some(next), Some(alarm)) if next >= alarm => return,
            (None, Some(_)) => NONE,
            (Some(_), _) => self.executor.next_delay(now).unwrap_or(NONE),
        };
        self.alarm = next;
        words::write_alarm(self.engine.out(), delay);
    }
}
