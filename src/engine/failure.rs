//! Attempts that fail: try again, hand over to an error handler, or end the run.

use super::graph::Handler;
use super::ids::{EventTypeId, InvocationId, Millis, Slot, StepId};
use super::reduce::Reducer;
use super::state::{Answer, Phase, Status, TimerTarget};
use super::tick::{Command, Outcome, Verdict};

impl Reducer<'_> {
    pub(super) fn fail(&mut self, id: InvocationId, ty: EventTypeId, slot: Slot, verdict: Verdict) {
        let Some(step) = self.state.invocations.get(id).map(|invocation| invocation.step) else { return };
        if let Some(delay) = self.next_attempt(id, verdict) {
            self.adopt(ty, slot, 0);
            self.release(slot);
            self.back_off(id, delay);
            self.start_queued(step);
            return;
        }
        let Some(handler) = self.handler_for(id) else {
            self.adopt(ty, slot, 0);
            self.end(Outcome::StepFailed { step, slot });
            return;
        };
        let Some(invocation) = self.take_off(id) else { return };
        let event = self.adopt(ty, slot, invocation.recoveries() + 1);
        self.out.push(Command::Publish { slot });
        self.deliver(handler, 0, event);
        self.release(slot);
        self.forget(&invocation);
        self.start_queued(step);
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
                if policy.stop.is_reached(invocation.attempt, elapsed) {
                    return None;
                }
                let salt = invocation.order << 16 ^ u64::from(invocation.attempt);
                Some(policy.wait.delay(invocation.attempt, self.state.options.seed, salt))
            }
        }
    }

    fn handler_for(&self, id: InvocationId) -> Option<StepId> {
        let invocation = self.state.invocations.get(id)?;
        let handler = self.graph.handler_of(invocation.step)?;
        let Handler { max_recoveries, .. } = self.graph.steps()[handler.index()].handler.as_ref()?;
        (invocation.recoveries() < *max_recoveries).then_some(handler)
    }

    /// Puts a failed attempt aside until its next one is due. What it has received stays with it; its open waits and its
    /// sleeps begin anew.
    fn back_off(&mut self, id: InvocationId, delay: Millis) {
        let Some(id) = self.interrupt(id) else { return };
        if let Some(invocation) = self.state.invocations.get_mut(id) {
            for entry in &mut invocation.log {
                if entry.answer == Answer::Elapsed {
                    entry.answer = Answer::Vacant;
                }
            }
        }
        if delay == Millis(0) {
            self.requeue(id);
        } else {
            let key = self.set_timer(delay, TimerTarget::Retry(id));
            self.change(id, |invocation| invocation.phase = Phase::Backoff(key));
        }
    }

    /// Takes a running attempt away from the host: its id, deadline and open waits are void. The invocation is left out of
    /// every queue.
    fn interrupt(&mut self, id: InvocationId) -> Option<InvocationId> {
        let mut log = core::mem::take(&mut self.state.invocations.get_mut(id)?.log);
        self.close_waits(&mut log);
        let id = self.state.invocations.renew(id)?;
        let mut timer = None;
        let mut step = None;
        self.change(id, |invocation| {
            invocation.log = log;
            invocation.cursor = 0;
            invocation.blocked = 0;
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

    /// Puts an invocation back into its step's queue, where its age puts it.
    pub(super) fn requeue(&mut self, id: InvocationId) {
        let Some(invocation) = self.state.invocations.get(id) else { return };
        let (step, order) = (invocation.step, invocation.order);
        self.change(id, |invocation| invocation.phase = Phase::Queued);
        let queue = &mut self.state.steps[step.index()].queue;
        let invocations = &self.state.invocations;
        let older = |other: &InvocationId| invocations.get(*other).is_some_and(|other| other.order < order);
        let at = queue.partition_point(older);
        queue.insert(at, id);
        if !matches!(self.state.status, Status::Ended(_)) {
            self.start_queued(step);
        }
    }

    /// Leaves an ended run in the state from which it could go on: whatever was running is queued again.
    pub(super) fn park(&mut self) {
        let running: Vec<InvocationId> = self
            .state
            .invocations
            .iter()
            .filter(|(_, invocation)| invocation.phase != Phase::Queued)
            .map(|(id, _)| id)
            .collect();
        for id in running {
            if let Some(id) = self.interrupt(id) {
                self.requeue(id);
            }
        }
    }
}
