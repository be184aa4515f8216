//! Routing: which steps and waits get an event, what is queued, what is kept.

use std::collections::VecDeque;

use super::Millis;
use super::graph::{Collect, Role};
use super::ids::{Event, EventTypeId, InvocationId, Slot, StepId, WaitId};
use super::reduce::Reducer;
use super::state::{Awaited, Invocation, Kept, Phase, Sent, State, Status, TimerTarget};
use super::tick::{Command, Inputs, Outcome};
use super::trace::TraceKind;

impl Reducer<'_> {
    /// An event enters the run: it is published, satisfies one wait, and goes to the steps that take it (or to `target`
    /// alone). An event that no step and no wait takes is kept. The caller's reference to its slot is consumed.
    pub(super) fn enter(&mut self, event: Event, target: Option<StepId>, matches: &[WaitId]) {
        self.out.push(Command::Publish { slot: event.slot });
        self.enter_published(event, target, matches);
    }

    /// As [`enter`](Self::enter), of an event that is published already.
    pub(super) fn enter_published(&mut self, event: Event, target: Option<StepId>, matches: &[WaitId]) {
        let ty = &self.graph.types()[event.ty.index()];
        if ty.role == Role::Stop {
            self.end(Outcome::Completed(event.slot));
            return;
        }
        let mut wanted = self.satisfy(event, matches);
        for route in &ty.routes {
            if target.is_none_or(|target| target == route.step) {
                wanted = true;
                self.deliver(route.step, route.inputs, event);
            }
        }
        if !wanted {
            self.keep(event);
        }
        self.release(event.slot);
    }

    /// Hands an event to one step.
    pub(super) fn deliver(&mut self, step: StepId, inputs: u32, event: Event) {
        self.retain(event.slot);
        let order = self.arrival();
        if let Some(Collect { take }) = self.graph.steps()[step.index()].collect {
            return self.add_to_list(step, event, take, order);
        }
        if event.group.is_some() {
            self.state.groups.hold(event.group);
        }
        if self.state.steps[step.index()].join.is_none() && self.start_at_once(step, event, order) {
            return;
        }
        let complete = match &mut self.state.steps[step.index()].join {
            None => {
                self.trace_delivered(event, step, Some(order));
                return self.enqueue(step, Inputs::One(event), order, Some(event.slot));
            }
            Some(join) => join.add(event, inputs, order, &self.state.groups),
        };
        self.trace_delivered(event, step, complete.is_some().then_some(order));
        if let Some(mut events) = complete {
            let left = self.unite(&mut events);
            self.enqueue(step, Inputs::Many(events), order, Some(event.slot));
            left.into_iter().for_each(|group| self.leave(Some(group)));
        }
    }

    /// Counts what an attempt sends. Returns whether it repeats an event that was sent before the snapshot: a step that
    /// runs again after a restore must not send it twice.
    pub(super) fn is_repeated(&mut self, by: InvocationId, ty: EventTypeId) -> bool {
        let Some(invocation) = self.state.invocations.get_mut(by) else { return false };
        let sent = &mut invocation.memory().sent;
        match sent.iter_mut().find(|sent| sent.ty == ty) {
            Some(sent) if sent.skip > 0 => {
                sent.skip -= 1;
                return true;
            }
            Some(sent) => sent.count = sent.count.saturating_add(1),
            None => sent.push(Sent { ty, count: 1, skip: 0 }),
        }
        false
    }

    pub(super) fn arrival(&mut self) -> u64 {
        let order = self.state.arrivals;
        self.state.arrivals += 1;
        order
    }

    fn keep(&mut self, event: Event) {
        let limit = self.state.options.limits.kept_events as usize;
        let held = self.state.kept.get(&event.ty).map_or(0, VecDeque::len);
        let is_full = held >= limit && !self.is_missed(event.ty);
        if is_full && limit == 0 {
            self.trace_event(TraceKind::EventDropped, event);
            return;
        }
        self.trace_event(TraceKind::EventKept, event);
        self.retain(event.slot);
        let order = self.arrival();
        let queue = self.state.kept.or_default(event.ty);
        queue.push_back(Kept { event: Event { group: None, ..event }, order });
        if is_full {
            let surplus: Vec<Kept> = (limit..held + 1).filter_map(|_| queue.pop_front()).collect();
            for kept in &surplus {
                self.trace_event(TraceKind::EventDropped, kept.event);
                self.release(kept.event.slot);
            }
        }
    }

    /// Whether a conditional wait for the type is open that its step has not asked for again since the restore. The
    /// host does not have its condition yet, so no event of the type may be lost.
    fn is_missed(&self, ty: EventTypeId) -> bool {
        let earlier = self.state.waiters.iter().take_while(|(wait, _)| wait.0 < self.state.recovered_waits);
        let mut missed = earlier.filter_map(|(_, waiter)| match waiter.awaited {
            Awaited::Event { ty, predicated: true } if !waiter.asked => Some(ty),
            _ => None,
        });
        missed.any(|wanted| self.graph.is_kind_of(ty, wanted))
    }

    /// Makes an invocation of a complete set of events, of which `last` came last, if one did, and starts it as soon as
    /// a worker is free.
    pub(super) fn enqueue(&mut self, step: StepId, inputs: Inputs, order: u64, last: Option<Slot>) {
        let id = self.state.invocations.insert(Invocation {
            step,
            phase: Phase::Queued,
            order,
            attempt: 0,
            began: Millis(0),
            inputs,
            memory: None,
            blocked: 0,
            asleep: 0,
            timer: None,
        });
        self.trace_queued(id, last);
        self.state.steps[step.index()].queue.push_back(id);
        self.start_queued(step);
    }

    /// The short way of [`enqueue`](Self::enqueue) for a step with one input, an empty queue and a free worker: starts
    /// the invocation without a queue. Returns whether it did.
    #[inline]
    fn start_at_once(&mut self, step: StepId, event: Event, order: u64) -> bool {
        let spec = &self.graph.steps()[step.index()];
        let at = &mut self.state.steps[step.index()];
        if !self.out.takes_shortcuts()
            || !at.queue.is_empty()
            || spec.timeout.is_some()
            || spec.workers.is_some_and(|most| at.running >= most)
            || self.state.invoked >= self.state.options.limits.steps
            || matches!(self.state.status, Status::Ended(_))
        {
            return false;
        }
        at.running += 1;
        self.state.invoked += 1;
        self.state.active += 1;
        let id = self.state.invocations.insert(Invocation {
            step,
            phase: Phase::Running,
            order,
            attempt: 1,
            began: self.state.now,
            inputs: Inputs::One(event),
            memory: None,
            blocked: 0,
            asleep: 0,
            timer: None,
        });
        self.out.invoke_one(step, id, event);
        true
    }

    /// Starts what is queued at a step, as far as its workers allow.
    pub(super) fn start_queued(&mut self, step: StepId) {
        while self.start_next(step) {}
    }

    /// Starts the first queued invocation of a step, if there is one and a worker is free.
    pub(super) fn start_next(&mut self, step: StepId) -> bool {
        let spec = &self.graph.steps()[step.index()];
        let at = &mut self.state.steps[step.index()];
        if matches!(self.state.status, Status::Ended(_)) || spec.workers.is_some_and(|most| at.running >= most) {
            return false;
        }
        let Some(id) = at.queue.pop_front() else { return false };
        if self.state.invoked >= self.state.options.limits.steps {
            at.queue.push_front(id);
            self.end(Outcome::LimitReached);
            return false;
        }
        at.running += 1;
        self.state.invoked += 1;
        let timer = spec.timeout.map(|timeout| self.set_timer(timeout, TimerTarget::Step(id)));
        let now = self.state.now;
        // Whatever is in a queue is in the table: both change together.
        let Some(invocation) = self.state.invocations.get_mut(id) else { return true };
        // An attempt that runs again keeps the time when it began first.
        if invocation.attempt == 0 && invocation.phase != Phase::Again {
            invocation.began = now;
        }
        invocation.phase = Phase::Running;
        invocation.timer = timer;
        invocation.attempt = invocation.attempt.saturating_add(1);
        let wrote = invocation.memory.as_mut().is_some_and(|memory| core::mem::take(&mut memory.wrote));
        self.trace_started(id);
        let Some(invocation) = self.state.invocations.get(id) else { return true };
        if wrote {
            self.out.push(Command::Reset { step, attempt: invocation.attempt });
        }
        self.state.active += 1;
        self.out.invoke(step, id, invocation.attempt, &invocation.inputs);
        true
    }

    /// The short way of [`complete`](Self::complete) for nearly every tick: an attempt with one input returns an event
    /// that goes to one step, which starts at once. The invocation is changed in place. Does all that the general way
    /// would do, or nothing; returns whether it did. `tests/engine_shortcuts.rs` compares the two.
    #[inline]
    fn complete_plainly(&mut self, id: InvocationId, ty: EventTypeId, slot: Slot) -> bool {
        let State { status: Status::Running, steps, invocations, waiters, now, arrivals, invoked, options, .. } =
            &mut *self.state
        else {
            return false;
        };
        let of = &self.graph.types()[ty.index()];
        let [route] = &of.routes[..] else { return false };
        let spec = &self.graph.steps()[route.step.index()];
        if of.role == Role::Stop || spec.timeout.is_some() || !waiters.is_empty() || *invoked >= options.limits.steps {
            return false;
        }
        let Some(invocation) = invocations.replaceable(id) else { return false };
        let Invocation {
            phase: Phase::Running,
            inputs: Inputs::One(input),
            memory: None,
            blocked: 0,
            asleep: 0,
            timer: None,
            ..
        } = invocation
        else {
            return false;
        };
        let from = invocation.step;
        let to = &steps[route.step.index()];
        if spec.workers.is_some()
            || spec.collect.is_some()
            || to.join.is_some()
            || !to.queue.is_empty()
            || !steps[from.index()].queue.is_empty()
        {
            return false;
        }
        let taken = input.slot;
        // The new invocation takes the place of the old one in its group, too.
        let event = Event { ty, slot, recoveries: input.recoveries, group: input.group };
        let order = *arrivals;
        invocation.step = route.step;
        invocation.order = order;
        invocation.attempt = 1;
        invocation.began = *now;
        invocation.inputs = Inputs::One(event);
        let new = invocations.reuse(id.index);
        steps[from.index()].running -= 1;
        steps[route.step.index()].running += 1;
        *arrivals = order + 1;
        *invoked += 1;
        self.adopt_slot(slot);
        let released = self.is_last_reference(taken).then_some(taken);
        self.out.next(route.step, new, slot, released);
        true
    }

    /// As [`complete_plainly`](Self::complete_plainly), for an attempt that returns nothing and remembers nothing.
    #[inline]
    fn complete_with_nothing(&mut self, id: InvocationId) -> bool {
        let Some(Invocation {
            phase: Phase::Running,
            inputs: Inputs::One(input @ Event { group: None, .. }),
            memory: None,
            blocked: 0,
            asleep: 0,
            timer: None,
            step,
            ..
        }) = self.state.invocations.get(id)
        else {
            return false;
        };
        let (slot, step) = (input.slot, step.index());
        if !self.state.steps[step].queue.is_empty() {
            return false;
        }
        self.state.steps[step].running -= 1;
        self.state.active -= 1;
        self.state.invocations.forget(id.index);
        self.release(slot);
        true
    }

    pub(super) fn complete(&mut self, id: InvocationId, output: Option<(EventTypeId, Slot)>, matches: &[WaitId]) {
        let is_done = self.out.takes_shortcuts()
            && match output {
                Some((ty, slot)) => self.complete_plainly(id, ty, slot),
                None => self.complete_with_nothing(id),
            };
        if is_done {
            return;
        }
        let Some(invocation) = self.take_off(id) else { return };
        self.trace_gone(TraceKind::StepSucceeded, &invocation, None);
        if let Some((ty, slot)) = output {
            let event = Event { group: invocation.inputs.group(), ..self.adopt(ty, slot, invocation.recoveries()) };
            self.trace_sent(event, Some(&invocation));
            self.enter(event, None, matches);
        }
        // A completed run has released everything already.
        if !matches!(self.state.status, Status::Ended(Outcome::Completed(_))) {
            self.forget(&invocation);
            if !self.state.steps[invocation.step.index()].queue.is_empty() {
                self.start_queued(invocation.step);
            }
            self.leave(invocation.inputs.group());
        }
    }

    /// Removes an invocation from the run, with its deadline and its open waits.
    pub(super) fn take_off(&mut self, id: InvocationId) -> Option<Invocation> {
        let mut invocation = self.state.invocations.remove(id)?;
        self.state.active -= u32::from(invocation.is_active());
        self.state.asleep -= u32::from(invocation.is_asleep());
        if invocation.phase == Phase::Running {
            self.state.steps[invocation.step.index()].running -= 1;
        }
        self.clear_timer(invocation.timer);
        if let Some(memory) = &mut invocation.memory {
            self.close_waits(&mut memory.log);
        }
        Some(invocation)
    }

    /// Releases the payloads of an invocation.
    pub(super) fn forget(&mut self, invocation: &Invocation) {
        match invocation {
            // Nearly all.
            Invocation { inputs: Inputs::One(event), memory: None, .. } => self.release(event.slot),
            _ => invocation.references().for_each(|slot| self.release(slot)),
        }
    }
}

impl State {
    /// Drops queued and running work, joins, waits and kept events without commands: the host of a completed run
    /// releases everything at once.
    pub(super) fn clear_work(&mut self) {
        for step in &mut self.steps {
            step.queue.clear();
            step.running = 0;
            step.join = None;
        }
        self.active = 0;
        self.asleep = 0;
        self.invocations.clear();
        self.groups.clear();
        self.waiters.clear();
        self.plain_waits.clear();
        self.kept.clear();
        self.collections.clear();
        self.timers.clear();
        self.slots.clear();
    }
}
