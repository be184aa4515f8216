//! Failed attempts: retry, pass the failure to an error handler, or end the run.

use super::graph::Handler;
use super::ids::{Event, EventTypeId, InvocationId, Millis, Slot, StepId};
use super::reduce::Reducer;
use super::state::{Phase, RequestResult, TimerTarget};
use super::tick::{Command, Outcome, Verdict};
use super::trace::TraceKind;

impl Reducer<'_> {
    pub(super) fn fail(&mut self, id: InvocationId, ty: EventTypeId, slot: Slot, verdict: Verdict) {
        let Some(step) = self.state.invocations.get(id).map(|invocation| invocation.step) else { return };
        if let Some(delay) = self.next_attempt(id, verdict) {
            let event = self.adopt(ty, slot, 0);
            self.trace_step(TraceKind::StepRetrying, id, Some(slot), Some(delay));
            self.keep_failure(id, Some(event));
            self.back_off(id, delay);
            self.start_queued(step);
            return;
        }
        let Some(handler) = self.handler_for(id) else {
            self.adopt(ty, slot, 0);
            self.trace_step(TraceKind::StepFailed, id, Some(slot), None);
            self.give_back(id);
            self.end(Outcome::StepFailed { step, slot });
            return;
        };
        let Some(invocation) = self.take_off(id) else { return };
        let group = invocation.inputs.group();
        let event = Event { group, ..self.adopt(ty, slot, invocation.recoveries() + 1) };
        self.trace_gone(TraceKind::StepFailed, &invocation, Some(slot));
        self.trace_sent(event, Some(&invocation));
        self.out.push(Command::Publish { slot });
        self.deliver(handler, 0, event);
        self.release(slot);
        self.forget(&invocation);
        self.start_queued(step);
        self.leave(group);
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn next_attempt(&self, id: InvocationId, verdict: Verdict) -> Option<Millis> {
        let invocation = self.state.invocations.get(id)?;
        match verdict {
            Verdict::GiveUp => None,
            Verdict::Retry(delay) => Some(delay),
            Verdict::Policy => {
                let policy = self.graph.steps()[invocation.step.index()].retry.as_ref()?;
                let elapsed = self.state.now.since(invocation.began);
                let salt = invocation.order << 16 ^ u64::from(invocation.attempt);
                let delay = policy.wait.delay(invocation.attempt, self.state.options.seed, salt);
                (!policy.stop.is_reached(invocation.attempt, elapsed, delay)).then_some(delay)
            }
        }
    }

    fn handler_for(&self, id: InvocationId) -> Option<StepId> {
        let invocation = self.state.invocations.get(id)?;
        let handler = self.graph.handler_of(invocation.step)?;
        let Handler { max_recoveries, .. } = self.graph.steps()[handler.index()].handler.as_ref()?;
        (invocation.recoveries() < *max_recoveries).then_some(handler)
    }

    /// Keeps a failure for the attempts that follow, in place of the one before it.
    fn keep_failure(&mut self, id: InvocationId, failure: Option<Event>) {
        if !self.state.keeps_failures {
            if let Some(failure) = failure {
                self.release(failure.slot);
            }
            return;
        }
        let Some(invocation) = self.state.invocations.get_mut(id) else { return };
        let before = core::mem::replace(&mut invocation.memory().failure, failure);
        if let Some(before) = before {
            self.release(before.slot);
        }
    }

    /// Keeps a failed invocation until its next attempt is due.
    fn back_off(&mut self, id: InvocationId, delay: Millis) {
        let Some(id) = self.interrupt(id) else { return };
        if delay == Millis(0) {
            self.requeue(id);
        } else {
            let key = self.set_timer(delay, TimerTarget::Retry(id));
            self.change(id, |invocation| invocation.phase = Phase::Backoff(key));
        }
    }

    /// Ends a failed attempt: its id, deadline and open waits become void. The invocation keeps what it has received.
    /// Its sleeps start anew, and its count of sent events starts at zero. It is in no queue afterwards.
    fn interrupt(&mut self, id: InvocationId) -> Option<InvocationId> {
        let id = self.state.invocations.renew(id)?;
        let mut memory = self.state.invocations.get_mut(id)?.memory.take();
        if let Some(memory) = &mut memory {
            self.close_waits(&mut memory.log);
            // A request without a result is kept only while each attempt repeats it, unless an event was published with
            // it.
            memory.log.retain(|entry| entry.asked || entry.published || entry.result != RequestResult::Vacant);
            for entry in &mut memory.log {
                if entry.result == RequestResult::Elapsed {
                    entry.result = RequestResult::Vacant;
                }
                entry.asked = false;
            }
            memory.cursor = 0;
            memory.sent.clear();
        }
        let mut timer = None;
        let mut step = None;
        self.change(id, |invocation| {
            invocation.memory = memory;
            invocation.blocked = 0;
            invocation.asleep = 0;
            timer = invocation.timer.take();
            if invocation.phase == Phase::Running {
                step = Some(invocation.step);
            }
            invocation.phase = Phase::Queued;
        });
        self.clear_timer(timer);
        if let Some(step) = step {
            self.state.steps[step.index()].running -= 1;
        }
        Some(id)
    }

    /// The last attempt has failed: the events return to the step's queue, so that a run which is restored from a
    /// snapshot tries them again, from the first attempt.
    fn give_back(&mut self, id: InvocationId) {
        let Some(id) = self.interrupt(id) else { return };
        self.keep_failure(id, None);
        self.state.exhausted = Some(id);
        self.requeue(id);
    }

    /// Puts an invocation back into its step's queue, in the order of age.
    pub(super) fn requeue(&mut self, id: InvocationId) {
        let Some(invocation) = self.state.invocations.get(id) else { return };
        let (step, order) = (invocation.step, invocation.order);
        self.change(id, |invocation| invocation.phase = Phase::Queued);
        let queue = &mut self.state.steps[step.index()].queue;
        let invocations = &self.state.invocations;
        let older = |other: &InvocationId| invocations.get(*other).is_some_and(|other| other.order < order);
        let at = queue.partition_point(older);
        // As `insert` does, with less code: a retry is older than most of its queue, so that this is near.
        queue.push_front(id);
        (0..at).for_each(|before| queue.swap(before, before + 1));
    }
}
