//! A run in this instance: the engine, and the executor that watches its deadlines.

use super::words::Answer;
use crate::engine::{Command, Engine, EventTypeId, InvocationId, Millis, Pattern, Reply, Slot, StepId, Tick, TimerKey};
use crate::error::Code;
use crate::executor::Executor;
use crate::snapshot::journal::Journal;
#[cfg(feature = "crash-drill")]
use crate::wasm::drill;

/// No alarm.
const NEVER: u32 = u32::MAX;

pub(super) struct Host {
    pub(super) engine: Engine,
    /// One for each run: on some edge runtimes, what belongs to one request must not be touched from another.
    executor: Executor,
    /// When the host's one timer goes off.
    alarm: Option<Millis>,
    /// The lists that steps collect by.
    pub(super) patterns: Vec<Pattern>,
    /// Kept when the user asked for it.
    pub(super) journal: Option<Journal>,
}

impl Host {
    pub(super) fn new(engine: Engine, journal: Option<Journal>) -> Host {
        Host { engine, executor: Executor::new(), alarm: None, patterns: Vec::new(), journal }
    }

    pub(super) fn tick(&mut self, tick: Tick, now: Millis, answer: &mut Answer) -> *const u32 {
        let noted = self.journal.is_some().then(|| tick.clone());
        self.engine.out().begin();
        match self.engine.apply(tick, now) {
            Err(code) => answer.refuse(code),
            Ok(reply) => {
                #[cfg(feature = "crash-drill")]
                drill::pass(drill::Place::Tick);
                if let (Some(tick), Some(journal)) = (noted, &mut self.journal) {
                    journal.tick(tick, now);
                }
                if reply == Reply::None {
                    return self.answer(now);
                }
                answer.clear();
                answer.write_reply(&reply);
                let timers_changed = self.take_commands(answer);
                self.finish(timers_changed, now, answer)
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
        self.engine.out().begin();
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
        let Some(pattern) = self.patterns.get(pattern as usize) else { return answer.refuse(Code::StaleId) };
        if self.journal.is_some() {
            let expected = pattern.expected.clone();
            return self.tick(Tick::Collect { invocation, ty, slot, expected }, now, answer);
        }
        self.engine.out().begin();
        match self.engine.collect(invocation, (ty, slot), pattern, now) {
            Err(code) => answer.refuse(code),
            Ok(reply) => {
                answer.clear();
                answer.write_reply(&reply);
                let timers_changed = self.take_commands(answer);
                self.finish(timers_changed, now, answer)
            }
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
        self.engine.out().begin();
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
        if !self.engine.out().timers.is_empty() {
            self.take_timers();
            if let Some(delay) = self.next_alarm(now) {
                self.engine.out().alarm(delay);
            }
        }
        self.engine.out().fuse();
        self.engine.out().finish()
    }

    pub(super) fn wake(&mut self, now: Millis, answer: &mut Answer) -> *const u32 {
        answer.clear();
        self.alarm = None;
        for key in self.executor.advance(now) {
            let tick = Tick::Timer { key: TimerKey(key as u32) };
            self.engine.out().begin();
            // The engine ignores a deadline that does not matter any more, and refuses none.
            let _ = self.engine.apply(tick.clone(), now);
            #[cfg(feature = "crash-drill")]
            drill::pass(drill::Place::Wake);
            if let Some(journal) = &mut self.journal {
                journal.tick(tick, now);
            }
            self.take_commands(answer);
        }
        self.finish(true, now, answer)
    }

    /// Hands the timers that have changed to the executor. Says whether there are any.
    fn take_timers(&mut self) -> bool {
        let timers = self.executor.timers();
        let out = self.engine.out();
        let timers_changed = !out.timers.is_empty();
        for command in out.timers.drain(..) {
            match command {
                Command::SetTimer { key, deadline } => timers.set(u64::from(key.0), deadline),
                Command::ClearTimer { key } => {
                    timers.clear(u64::from(key.0));
                }
                _ => {}
            }
        }
        timers_changed
    }

    fn take_commands(&mut self, answer: &mut Answer) -> bool {
        let out = self.engine.out();
        answer.append(out.words[0], &out.words[3..]);
        // The other side frees the run when it settles, and every deadline with it.
        self.take_timers()
    }

    /// What the host's timer is to be set to, when a deadline is nearer than it. One that has moved away is left: an alarm that is too early
    /// does no harm.
    fn next_alarm(&mut self, now: Millis) -> Option<u32> {
        let next = self.executor.timers().next_deadline();
        match (next, self.alarm) {
            (None, None) => None,
            (None, Some(_)) => {
                self.alarm = None;
                Some(NEVER)
            }
            (Some(next), Some(alarm)) if next >= alarm => None,
            (Some(next), _) => {
                self.alarm = Some(next);
                Some(self.executor.next_delay(now).unwrap_or(NEVER))
            }
        }
    }

    fn finish(&mut self, timers_changed: bool, now: Millis, answer: &mut Answer) -> *const u32 {
        if timers_changed && let Some(delay) = self.next_alarm(now) {
            answer.alarm(delay);
        }
        answer.finish()
    }
}
