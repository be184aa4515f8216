//! A run in this instance: the engine, and the executor that watches its deadlines.

use super::words::Answer;
use crate::engine::{Command, Engine, Millis, Tick, TimerKey, WaitId};
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
    /// The predicated waits that accept the next event.
    pub(super) matches: Vec<WaitId>,
    /// Kept when the user asked for it.
    pub(super) journal: Option<Journal>,
}

impl Host {
    pub(super) fn new(engine: Engine, journal: Option<Journal>) -> Host {
        Host { engine, executor: Executor::new(), alarm: None, matches: Vec::new(), journal }
    }

    pub(super) fn tick(&mut self, tick: Tick, now: Millis, answer: &mut Answer) -> *const u32 {
        let noted = self.journal.is_some().then(|| tick.clone());
        match self.engine.apply(tick, now) {
            Err(code) => answer.refuse(code),
            Ok(reply) => {
                #[cfg(feature = "crash-drill")]
                drill::pass(drill::Place::Tick);
                if let (Some(tick), Some(journal)) = (noted, &mut self.journal) {
                    journal.tick(tick, now);
                }
                answer.clear();
                answer.write_reply(&reply);
                let timers_changed = self.write_commands(answer);
                self.finish(timers_changed, now, answer)
            }
        }
    }

    pub(super) fn wake(&mut self, now: Millis, answer: &mut Answer) -> *const u32 {
        answer.clear();
        self.alarm = None;
        for key in self.executor.advance(now) {
            let tick = Tick::Timer { key: TimerKey(key as u32) };
            // The engine ignores a deadline that does not matter any more, and refuses none.
            let _ = self.engine.apply(tick.clone(), now);
            #[cfg(feature = "crash-drill")]
            drill::pass(drill::Place::Wake);
            if let Some(journal) = &mut self.journal {
                journal.tick(tick, now);
            }
            self.write_commands(answer);
        }
        self.finish(true, now, answer)
    }

    fn write_commands(&mut self, answer: &mut Answer) -> bool {
        let timers = self.executor.timers();
        let mut timers_changed = false;
        for command in self.engine.drain() {
            match command {
                Command::SetTimer { key, deadline } => {
                    timers.set(u64::from(key.0), deadline);
                    timers_changed = true;
                }
                Command::ClearTimer { key } => {
                    timers.clear(u64::from(key.0));
                    timers_changed = true;
                }
                // The other side frees the run when it settles, and every deadline with it.
                command => answer.write(&command),
            }
        }
        timers_changed
    }

    /// Sets the host's timer when a deadline is nearer than it. One that has moved away is left: an alarm that is too early does no harm.
    fn finish(&mut self, timers_changed: bool, now: Millis, answer: &mut Answer) -> *const u32 {
        if timers_changed {
            let next = self.executor.timers().next_deadline();
            match (next, self.alarm) {
                (None, None) => {}
                (None, Some(_)) => {
                    self.alarm = None;
                    answer.alarm(NEVER);
                }
                (Some(next), Some(alarm)) if next >= alarm => {}
                (Some(next), _) => {
                    self.alarm = Some(next);
                    answer.alarm(self.executor.next_delay(now).unwrap_or(NEVER));
                }
            }
        }
        answer.finish()
    }
}
