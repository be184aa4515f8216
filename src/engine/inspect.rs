//! Looking into a run without changing it, for messages and for tools.

use std::collections::VecDeque;

use super::Engine;
use super::ids::{Event, EventTypeId, InvocationId, Millis, Slot, StepId, WaitId};
use super::join::Join;
use super::pattern::Pattern;
use super::state::{Awaited, Buffer, Phase, State, Status, TimerTarget};

/// A join that has some of its inputs but not all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenJoin {
    /// The step.
    pub step: StepId,
    /// The inputs that have their event, a bit each.
    pub filled: u32,
    /// How many events wait behind them.
    pub later: usize,
}

/// An open wait for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenWait {
    /// Its number.
    pub wait: WaitId,
    /// The step that waits.
    pub step: StepId,
    /// The type it waits for; `None` where an earlier attempt has withdrawn it, so that nothing comes to it.
    pub ty: Option<EventTypeId>,
}

/// An open wait for an event, as the outside may answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The wait's number.
    pub wait: WaitId,
    /// The step that waits.
    pub step: StepId,
    /// The type it waits for.
    pub ty: EventTypeId,
    /// The place of the invocation among all arrivals of the run. Together with `entry` it names the question, also
    /// after a restore.
    pub order: u64,
    /// Its place among all that the invocation has asked for.
    pub entry: u32,
    /// Whether the running attempt has asked for it; otherwise an attempt before the restore has.
    pub asked: bool,
}

/// An invocation that has not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Its id.
    pub invocation: InvocationId,
    /// Its step.
    pub step: StepId,
    /// Attempts begun.
    pub attempt: u32,
    /// Whether the host is working on it now; otherwise it is queued or waits for its next attempt.
    pub running: bool,
}

/// A collection that has some of its events but not all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCollection {
    /// The step that collects.
    pub step: StepId,
    /// How many of the expected types have their event.
    pub held: u32,
    /// How many events it needs.
    pub expected: u32,
    /// The types it lacks, and how many of each.
    pub missing: Vec<(EventTypeId, u32)>,
}

/// An array that is not done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenList {
    /// The step that has returned it.
    pub source: StepId,
    /// How many invocations, events in joins and arrays directly inside it are left.
    pub live: u32,
    /// The steps that have gathered something and wait for the rest, and how many events each has.
    pub gathered: Vec<(StepId, u32)>,
}

/// An invocation that waits for its next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Its id.
    pub invocation: InvocationId,
    /// Its step.
    pub step: StepId,
    /// Attempts begun.
    pub attempt: u32,
    /// When the next one is due.
    pub due: Millis,
}

impl Engine {
    /// When the run times out, in its alive time.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        let timer = self.state.timers.values().find(|timer| timer.target == TimerTarget::Run)?;
        Some(timer.deadline)
    }

    /// The next deadline of whatever kind, in the run's alive time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.state.timers.values().map(|timer| timer.deadline).min()
    }

    /// The joins that have some of their inputs but not all. A step has one for each array of which something waits.
    pub fn open_joins(&self) -> impl Iterator<Item = OpenJoin> {
        self.state.steps.iter().zip(0..).flat_map(|(step, id)| {
            let fills = step.join.as_ref().into_iter().flat_map(Join::fills);
            fills.map(move |(filled, later)| OpenJoin { step: StepId(id), filled, later })
        })
    }

    /// The collections that have some of their events but not all.
    #[must_use]
    pub fn open_collections(&self) -> Vec<OpenCollection> {
        let graph = self.graph.borrow();
        let open = self.state.collections.iter().map(|((step, expected, _), held)| {
            let mut missing: Vec<(EventTypeId, u32)> = Vec::new();
            for ty in graph.unpicked(held, expected) {
                match missing.iter_mut().find(|(known, _)| *known == ty) {
                    Some((_, count)) => *count += 1,
                    None => missing.push((ty, 1)),
                }
            }
            let lacks: u32 = missing.iter().map(|(_, count)| count).sum();
            let expected = expected.len() as u32;
            OpenCollection { step: *step, held: expected - lacks, expected, missing }
        });
        open.collect()
    }

    /// The arrays that are not done with.
    pub fn open_lists(&self) -> impl Iterator<Item = OpenList> {
        self.state.groups.iter().map(|(_, group)| {
            let open = group.gathered.iter().filter(|gathered| !gathered.released);
            let gathered = open.map(|gathered| (gathered.step, gathered.events.len() as u32)).collect();
            OpenList { source: group.source, live: group.live, gathered }
        })
    }

    /// What steps have gathered so far of arrays that are not done with: once for each array.
    pub fn gathered_lists(&self) -> impl Iterator<Item = (StepId, &[Event])> {
        let gathered = self.state.groups.iter().flat_map(|(_, group)| &group.gathered);
        let open = gathered.filter(|gathered| !gathered.released);
        open.map(|gathered| (gathered.step, gathered.events.as_slice()))
    }

    /// The invocations that wait for their next attempt.
    pub fn pauses(&self) -> impl Iterator<Item = Pause> {
        self.state.invocations.iter().filter_map(|(invocation, at)| {
            let Phase::Backoff(key) = at.phase else { return None };
            let due = self.state.timers.get(&key)?.deadline;
            Some(Pause { invocation, step: at.step, attempt: at.attempt, due })
        })
    }

    /// The steps that have invocations waiting for a worker, and how many.
    pub fn queues(&self) -> impl Iterator<Item = (StepId, u32)> {
        let queues = self.state.steps.iter().zip(0u32..).map(|(step, id)| (StepId(id), step.queue.len() as u32));
        queues.filter(|(_, length)| *length > 0)
    }

    /// The inputs that have no event and take one which no step makes, of steps that could be invoked so: pairs of the
    /// step and the type.
    #[must_use]
    pub fn outside_inputs(&self) -> Vec<(StepId, EventTypeId)> {
        let graph = self.graph.borrow();
        let mut found = Vec::new();
        for ((step, at), id) in graph.steps().iter().zip(&self.state.steps).zip(0u32..) {
            let outside = graph.outside_inputs(StepId(id));
            let all: Vec<u32> = at.join.as_ref().map_or(vec![1], |join| join.lacks(&self.state.groups).collect());
            let Some(lacks) = all.into_iter().find(|lacks| lacks & !outside == 0).filter(|_| !step.inputs.is_empty())
            else {
                continue;
            };
            let inputs = step.inputs.iter().zip(0..).filter(|(_, nth)| lacks & (1 << nth) != 0);
            let types = inputs.flat_map(|(accepted, _)| accepted).filter(|ty| !graph.is_made_inside(**ty));
            found.extend(types.map(|ty| (StepId(id), *ty)));
        }
        found
    }

    /// The waits for events that are open, oldest first.
    pub fn open_waits(&self) -> impl Iterator<Item = OpenWait> {
        self.state.waiters.iter().filter_map(|(wait, waiter)| {
            let step = self.state.invocations.get(waiter.invocation)?.step;
            (waiter.awaited != Awaited::Time).then_some(OpenWait { wait: *wait, step, ty: waiter.ty() })
        })
    }

    /// The waits that the outside may answer, oldest first.
    pub fn questions(&self) -> impl Iterator<Item = Question> {
        self.state.waiters.iter().filter_map(|(wait, waiter)| {
            let invocation = self.state.invocations.get(waiter.invocation)?;
            let (step, order) = (invocation.step, invocation.order);
            Some(Question { wait: *wait, step, ty: waiter.ty()?, order, entry: waiter.entry, asked: waiter.asked })
        })
    }

    /// The place of an invocation among all arrivals of the run, which stays its own through attempts and snapshots.
    #[must_use]
    pub fn order(&self, invocation: InvocationId) -> Option<u64> {
        self.state.invocations.get(invocation).map(|invocation| invocation.order)
    }

    /// The invocations that are queued, running or waiting for their next attempt.
    pub fn in_flight(&self) -> impl Iterator<Item = InFlight> {
        let over = matches!(self.state.status, Status::Ended(_));
        self.state.invocations.iter().map(move |(invocation, at)| InFlight {
            invocation,
            step: at.step,
            attempt: at.attempt,
            running: at.phase == Phase::Running && !over,
        })
    }

    /// The events that an invocation is about, one for each input.
    #[must_use]
    pub fn inputs(&self, invocation: InvocationId) -> &[Event] {
        self.state.invocations.get(invocation).map_or(&[], |invocation| invocation.inputs.as_slice())
    }

    /// What a join has gathered so far.
    #[must_use]
    pub fn gathered(&self, step: StepId) -> Vec<Event> {
        let join = self.state.steps.get(step.index()).and_then(|step| step.join.as_ref());
        let mut events = Vec::new();
        if let Some(join) = join {
            join.events().for_each(|event| events.push(*event));
        }
        events
    }

    /// How many events the step of an invocation has collected by a list, and in a buffer, so far.
    #[must_use]
    pub fn collected(&self, invocation: InvocationId, pattern: &Pattern, buffer: Buffer) -> usize {
        let Some(invocation) = self.state.invocations.get(invocation) else { return 0 };
        let held = self.state.collections.get(&(invocation.step, pattern.sorted.clone(), buffer));
        held.map_or(0, |held| held.values().map(VecDeque::len).sum())
    }

    /// When the first attempt of an invocation began.
    #[must_use]
    pub fn began(&self, invocation: InvocationId) -> Option<Millis> {
        self.state.invocations.get(invocation).map(|invocation| invocation.began)
    }

    /// The failure of the attempt before the one that runs now, or runs next.
    #[must_use]
    pub fn failure(&self, invocation: InvocationId) -> Option<Event> {
        self.state.invocations.get(invocation)?.memory.as_ref()?.failure
    }

    /// The events of all types that are kept for a later wait.
    pub fn all_kept(&self) -> impl Iterator<Item = Event> {
        self.state.kept.values().flatten().map(|kept| kept.event)
    }

    /// The result that a running attempt has for a key of `once`.
    #[must_use]
    pub fn once(&self, invocation: InvocationId, key: &str) -> Option<Slot> {
        let memory = self.state.invocations.get(invocation)?.memory.as_ref()?;
        memory.once.iter().find(|(other, _)| &**other == key).map(|(_, slot)| *slot)
    }

    /// The events of a type, or of a kind of it, that are kept for a later wait, oldest first.
    #[must_use]
    pub fn kept(&self, ty: EventTypeId) -> Vec<Event> {
        let graph = self.graph.borrow();
        let Some(ty) = graph.types().get(ty.index()) else { return Vec::new() };
        let queues = ty.kinds.iter().filter_map(|kind| self.state.kept.get(kind));
        let mut queues: Vec<_> = queues.map(|queue| queue.iter().peekable()).collect();
        // A merge: each queue is in order, and there is nearly always one.
        let oldest = || {
            let heads = queues.iter_mut().enumerate().filter_map(|(nth, queue)| Some((queue.peek()?.order, nth)));
            let (_, nth) = heads.min()?;
            queues[nth].next().map(|kept| kept.event)
        };
        core::iter::from_fn(oldest).collect()
    }
}

impl State {
    /// How often each slot is referred to, counted anew. The engine keeps the same numbers as it goes; a run that has
    /// ended may refer to one slot more, that of its outcome.
    #[must_use]
    pub fn recount(&self) -> Vec<(Slot, u32)> {
        let mut slots: Vec<Slot> = self.references().collect();
        slots.sort_unstable();
        slots.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect()
    }

    /// How often each slot is referred to, as the engine counts.
    #[must_use]
    pub fn counts(&self) -> Vec<(Slot, u32)> {
        let counted = self.slots.iter().zip(0u32..).filter(|(count, _)| **count > 0);
        counted.map(|(count, slot)| (Slot(slot), *count)).collect()
    }
}
