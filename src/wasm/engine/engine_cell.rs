//! A run in this instance: its engine, and around it what only the boundary needs.

use super::collecting;
use super::reply::{self, ReplyBuffer};
use crate::engine::{
    Engine, EventTypeId, InvocationId, Millis, NONE, Patterns, Slot, StepId, Tick, TickOutput, TimerKey,
};
use crate::error::Code;
use crate::executor::Executor;
use crate::snapshot::journal::{Journal, Record};
#[cfg(feature = "crash-drill")]
use crate::wasm::drill;

/// A run with its deadlines, its lists of types and its journal.
pub(super) struct EngineCell {
    pub(super) engine: Engine,
    /// One for each run: on some edge runtimes, what belongs to one request must not be touched from another.
    executor: Executor,
    /// When the host's one timer fires.
    alarm: Option<Millis>,
    /// The lists that steps collect by.
    pub(super) patterns: Patterns,
    /// Kept when the user asked for it.
    pub(super) journal: Option<Journal>,
}

impl EngineCell {
    pub(super) fn new(engine: Engine, journal: Option<Journal>) -> EngineCell {
        EngineCell { engine, executor: Executor::new(), alarm: None, patterns: Patterns::new(), journal }
    }

    pub(super) fn tick(&mut self, mut tick: Tick, now: Millis, reply: &mut ReplyBuffer) -> *const u32 {
        let mut encoded = None;
        if self.journal.is_some() {
            let record = Record::Tick { now: now.0, tick };
            encoded = Some(record.encode());
            let Record::Tick { tick: same, .. } = record else { unreachable!("it was made above") };
            tick = same;
        }
        self.engine.out().clear();
        match self.engine.apply(tick, now) {
            Err(code) => reply.refuse(code),
            Ok(output) => {
                #[cfg(feature = "crash-drill")]
                drill::pass(drill::Place::Tick);
                if let (Some(record), Some(journal)) = (encoded, &mut self.journal) {
                    journal.add(&record);
                }
                self.reply_with(&output, now, reply)
            }
        }
    }

    pub(super) fn trace(&mut self, is_traced: bool) -> *const u32 {
        self.engine.out().clear();
        self.engine.trace(is_traced);
        reply::finish(self.engine.out())
    }

    /// [`Tick::Complete`] of an output that no conditional wait accepts.
    #[inline]
    pub(super) fn complete(
        &mut self,
        invocation: InvocationId,
        output: Option<(EventTypeId, Slot)>,
        now: Millis,
        reply: &mut ReplyBuffer,
    ) -> *const u32 {
        if self.journal.is_some() {
            return self.tick(Tick::Complete { invocation, output, matches: Vec::new() }, now, reply);
        }
        self.engine.out().clear();
        let result = self.engine.complete(invocation, output, &[], now);
        self.checked(result, now, reply)
    }

    /// [`Tick::Collect`] by a list that is kept.
    pub(super) fn collect(
        &mut self,
        invocation: InvocationId,
        (ty, slot): (EventTypeId, Slot),
        pattern: u32,
        buffer: Option<&str>,
        now: Millis,
        reply: &mut ReplyBuffer,
    ) -> *const u32 {
        let Some(pattern) = self.patterns.get(pattern) else { return reply.refuse(Code::StaleId) };
        if self.journal.is_some() {
            let tick = collecting(invocation, (ty, slot), pattern.expected().to_vec(), buffer);
            return self.tick(tick, now, reply);
        }
        self.engine.out().clear();
        match self.engine.collect(invocation, (ty, slot), pattern, buffer.map(Into::into), now) {
            Err(code) => reply.refuse(code),
            Ok(output) => self.reply_with(&output, now, reply),
        }
    }

    /// [`Tick::Send`] of an event that no conditional wait accepts.
    #[inline]
    pub(super) fn send(
        &mut self,
        from: Option<InvocationId>,
        event: (EventTypeId, Slot),
        target: Option<StepId>,
        now: Millis,
        reply: &mut ReplyBuffer,
    ) -> *const u32 {
        if self.journal.is_some() {
            let (ty, slot) = event;
            return self.tick(Tick::Send { from, ty, slot, target, matches: Vec::new() }, now, reply);
        }
        self.engine.out().clear();
        let result = self.engine.send(from, event, target, &[], now);
        self.checked(result, now, reply)
    }

    #[inline]
    fn checked(&mut self, result: Result<(), Code>, now: Millis, reply: &mut ReplyBuffer) -> *const u32 {
        if let Err(code) = result {
            return reply.refuse(code);
        }
        #[cfg(feature = "crash-drill")]
        drill::pass(drill::Place::Tick);
        self.reply(now)
    }

    /// The reply to a tick that returned nothing: the commands, where they are.
    #[inline]
    fn reply(&mut self, now: Millis) -> *const u32 {
        self.take_timers(now);
        reply::finish(self.engine.out())
    }

    fn reply_with(&mut self, output: &TickOutput, now: Millis, reply: &mut ReplyBuffer) -> *const u32 {
        if *output == TickOutput::None {
            return self.reply(now);
        }
        self.take_timers(now);
        reply.output_with(output, self.engine.out())
    }

    /// The host's timer has fired: gives the engine every deadline that has come.
    pub(super) fn wake(&mut self, now: Millis) -> *const u32 {
        self.alarm = None;
        self.engine.out().clear();
        for key in self.executor.advance(now) {
            let tick = || Tick::Timer { key: TimerKey(key as u32) };
            // The engine ignores a deadline that was cleared meanwhile, and refuses none.
            let _ = self.engine.apply(tick(), now);
            #[cfg(feature = "crash-drill")]
            drill::pass(drill::Place::Wake);
            if let Some(journal) = &mut self.journal {
                journal.tick(tick(), now);
            }
            self.pass_timers();
        }
        self.set_alarm(now);
        reply::finish(self.engine.out())
    }

    /// Gives the deadlines that have changed to the executor, and adjusts the host's timer.
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

    /// Commands the host to set its timer, when a deadline is nearer than the timer is. A timer that is now too early
    /// is left as it is: it does no harm.
    fn set_alarm(&mut self, now: Millis) {
        let next = self.executor.timers().next_deadline();
        let delay = match (next, self.alarm) {
            (None, None) => return,
            (Some(next), Some(alarm)) if next >= alarm => return,
            (None, Some(_)) => NONE,
            (Some(_), _) => self.executor.next_delay(now).unwrap_or(NONE),
        };
        self.alarm = next;
        reply::write_alarm(self.engine.out(), delay);
    }
}
