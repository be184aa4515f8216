//! From an image to a state. An image comes from outside and nothing in it is trusted: whatever does not fit the graph,
//! or contradicts itself, is refused before there is a run.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::Engine;
use super::capture::{step_name, type_name};
use super::graph::{Graph, Role};
use super::ids::{Event, EventTypeId, InvocationId, Millis, Slot, StepId, TimerKey, WaitId};
use super::image::{
    AnswerImage, Condition, EntryImage, EventImage, FailureImage, Image, InvocationImage, KeptImage, RequestImage,
};
use super::join::Join;
use super::state::{
    Awaited, Held, Invocation, Kept, LogEntry, Memory, Phase, Request, RequestResult, RunOptions, Sent, State, Status,
    Timer, TimerTarget, Waiter,
};
use super::tick::Inputs;
use super::wait::sorted_types;
use crate::error::Code;
use crate::sorted::sort;

/// Why an image was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub code: Code,
    /// The step or event that it is about; empty when it is about none.
    pub subject: String,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Refusal {
        Refusal { code, subject: String::new() }
    }
}

/// How a run is restored.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestoreOptions {
    /// The seed is not used: a run keeps its own.
    pub options: RunOptions,
    /// Whether the run's timeout starts anew. Otherwise the run has what was left of it.
    pub fresh_timeout: bool,
}

type Refused<T> = Result<T, Refusal>;

impl Engine {
    /// Restores the run of an image. It resumes with [`Tick::Resume`](super::Tick::Resume), or begins with
    /// [`Tick::Start`](super::Tick::Start) if it had not begun.
    ///
    /// `payloads` has for each slot the event type of the payload that the host has, or `None` if that is no event. The
    /// slots of the run are numbered as in the image, and its invocations have the places that they have in the image.
    ///
    /// # Errors
    /// [`Code::StepMissing`] and [`Code::EventMissing`] when the graph lacks what the image refers to,
    /// [`Code::StepChanged`] when a step does not take what the image has for it, [`Code::SnapshotInvalid`] when the
    /// image contradicts itself, [`Code::RunEnded`] when the run has completed.
    pub fn restore(
        graph: Rc<RefCell<Graph>>,
        image: &Image,
        payloads: &[Option<EventTypeId>],
        how: RestoreOptions,
    ) -> Refused<Engine> {
        Engine::restore_with(graph, image, Some(payloads), how)
    }

    /// As [`restore`](Engine::restore), without payloads to compare: for a replay, which has none.
    ///
    /// # Errors
    /// As [`restore`](Engine::restore).
    pub fn restore_alone(graph: Rc<RefCell<Graph>>, image: &Image, how: RestoreOptions) -> Refused<Engine> {
        Engine::restore_with(graph, image, None, how)
    }

    fn restore_with(
        graph: Rc<RefCell<Graph>>,
        image: &Image,
        payloads: Option<&[Option<EventTypeId>]>,
        how: RestoreOptions,
    ) -> Refused<Engine> {
        let state = {
            let graph = graph.borrow();
            let types = identify(&image.types, graph.types().len(), Code::EventMissing, |name| {
                let mut all = (0..graph.types().len() as u32).map(EventTypeId);
                graph.type_named(name).or_else(|| all.find(|ty| type_name(&graph, *ty) == name)).map(EventTypeId::index)
            })?;
            let steps = identify(&image.steps, graph.steps().len(), Code::StepMissing, |name| {
                let mut all = (0..graph.steps().len() as u32).map(StepId);
                graph.step_named(name).or_else(|| all.find(|step| step_name(&graph, *step) == name)).map(StepId::index)
            })?;
            let restore = Restore {
                graph: &graph,
                image,
                types: types.into_iter().map(EventTypeId).collect(),
                steps: steps.into_iter().map(StepId).collect(),
                payloads,
                believed: Vec::new(),
                state: State::new(&graph, RunOptions { seed: image.seed, ..how.options }),
                waits: Vec::new(),
            };
            restore.run(how)?
        };
        Ok(Engine { graph, state, commands: super::words::Out::new() })
    }
}

/// The numbers that the names in an image have in the graph. Two names for the same type or step are refused.
fn identify(names: &[String], known: usize, missing: Code, find: impl Fn(&str) -> Option<usize>) -> Refused<Vec<u32>> {
    let mut is_found = vec![false; known];
    let mut numbers = Vec::new();
    for name in names {
        let at = find(name).ok_or_else(|| Refusal { code: missing, subject: name.clone() })?;
        if core::mem::replace(&mut is_found[at], true) {
            return Err(Code::SnapshotInvalid.into());
        }
        numbers.push(at as u32);
    }
    Ok(numbers)
}

/// The highest number of ticks, arrivals and milliseconds that an image may have: more than any run reaches, with
/// enough room above it for the engine to count on.
const MOST: u64 = 1 << 53;

struct Restore<'a> {
    graph: &'a Graph,
    image: &'a Image,
    types: Vec<EventTypeId>,
    steps: Vec<StepId>,
    /// What the host has for each slot, if it has anything.
    payloads: Option<&'a [Option<EventTypeId>]>,
    /// The type that the image has used for each slot so far.
    believed: Vec<Option<EventTypeId>>,
    state: State,
    /// The open waits with their ranks and deadlines, in the order in which they were met.
    waits: Vec<(u32, Option<u64>, Waiter)>,
}

impl Restore<'_> {
    fn run(mut self, how: RestoreOptions) -> Refused<State> {
        let image = self.image;
        // A payload for each slot; a slot for each payload.
        if self.payloads.is_some_and(|payloads| payloads.len() != image.slots as usize) {
            return self.invalid();
        }
        self.state.ticks = image.ticks;
        self.state.now = Millis(image.now);
        self.state.arrivals = image.arrivals;
        self.state.invoked = image.invoked;
        match image.condition {
            Condition::Completed => return Err(Code::RunEnded.into()),
            _ if [image.ticks, image.now, image.arrivals, image.invoked].into_iter().any(|number| number > MOST) => {
                return self.invalid();
            }
            Condition::Created if self.is_blank() => return Ok(self.state),
            Condition::Created => return self.invalid(),
            _ => self.state.status = Status::Restored,
        }
        let fresh = how.fresh_timeout || image.condition == Condition::TimedOut;
        let deadline = match how.options.timeout {
            Some(timeout) if fresh => Some(self.state.now.after(timeout)),
            _ if fresh => None,
            _ => image.deadline.map(Millis),
        };
        if let Some(deadline) = deadline {
            self.set_timer(deadline, TimerTarget::Run);
        }
        for invocation in &image.invocations {
            self.invocation(invocation)?;
        }
        self.open_waits()?;
        self.joins()?;
        for kept in &image.kept {
            let kept = self.kept(kept)?;
            self.state.kept.or_default(kept.event.ty).push_back(kept);
        }
        self.collections()?;
        self.failures()?;
        // Slots are numbered as they are met, so there is none that nothing refers to.
        if self.state.slots.len() != image.slots as usize {
            return self.invalid();
        }
        Ok(self.state)
    }

    fn invalid<T>(&self) -> Refused<T> {
        Err(Code::SnapshotInvalid.into())
    }

    fn is_blank(&self) -> bool {
        let image = self.image;
        let empty = image.invocations.is_empty() && image.joins.is_empty();
        empty && image.kept.is_empty() && image.collections.is_empty() && image.buffers.is_empty() && image.slots == 0
    }

    #[inline(never)]
    fn ty(&self, ty: u32) -> Refused<EventTypeId> {
        self.types.get(ty as usize).copied().ok_or_else(|| Code::SnapshotInvalid.into())
    }

    #[inline(never)]
    fn step(&self, step: u32) -> Refused<StepId> {
        self.steps.get(step as usize).copied().ok_or_else(|| Code::SnapshotInvalid.into())
    }

    /// Takes a reference to a slot.
    #[inline(never)]
    fn slot(&mut self, slot: u32, ty: Option<EventTypeId>) -> Refused<Slot> {
        let at = slot as usize;
        if at == self.believed.len() {
            if self.payloads.is_some_and(|payloads| payloads.get(at) != Some(&ty)) {
                return self.invalid();
            }
            self.believed.push(ty);
            self.state.slots.push(0);
        }
        if self.believed.get(at) != Some(&ty) {
            return self.invalid();
        }
        self.state.slots[at] += 1;
        Ok(Slot(slot))
    }

    #[inline(never)]
    fn event(&mut self, event: &EventImage) -> Refused<Event> {
        let ty = self.ty(event.ty)?;
        Ok(Event { ty, slot: self.slot(event.slot, Some(ty))?, recoveries: event.recoveries })
    }

    #[inline(never)]
    fn events(&mut self, events: &[EventImage]) -> Refused<Vec<Event>> {
        events.iter().map(|event| self.event(event)).collect()
    }

    #[inline(never)]
    fn kept(&mut self, kept: &KeptImage) -> Refused<Kept> {
        Ok(Kept { event: self.event(&kept.event)?, order: self.order(kept.order)? })
    }

    fn order(&self, order: u64) -> Refused<u64> {
        if order < self.image.arrivals { Ok(order) } else { self.invalid() }
    }

    #[inline(never)]
    fn set_timer(&mut self, deadline: Millis, target: TimerTarget) -> TimerKey {
        let key = TimerKey(self.state.next_timer);
        self.state.next_timer += 1;
        self.state.timers.insert(key, Timer { deadline, target });
        key
    }

    #[inline(never)]
    fn invocation(&mut self, image: &InvocationImage) -> Refused<()> {
        let step = self.step(image.step)?;
        let inputs = self.inputs(step, &image.inputs)?;
        let order = self.order(image.order)?;
        let id = self.state.invocations.insert(Invocation {
            step,
            phase: if image.running { Phase::Again } else { Phase::Queued },
            order,
            attempt: image.attempt,
            began: Millis(image.began),
            inputs,
            memory: None,
            blocked: 0,
            timer: None,
        });
        // What waits for its next attempt has no question open, and has sent nothing yet.
        let is_pending = |entry: &EntryImage| matches!(entry.answer, AnswerImage::Pending { .. });
        if !image.running && (!image.sent.is_empty() || image.log.iter().any(is_pending)) {
            return self.invalid();
        }
        let memory = self.memory(id, image, step)?;
        let backoff = image.backoff.map(|deadline| self.set_timer(Millis(deadline), TimerTarget::Retry(id)));
        let Some(invocation) = self.state.invocations.get_mut(id) else { return self.invalid() };
        invocation.memory = memory;
        match backoff {
            Some(timer) if !image.running => {
                invocation.phase = Phase::Backoff(timer);
                self.state.active += 1;
            }
            Some(_) => return self.invalid(),
            None => self.state.steps[step.index()].queue.push_back(id),
        }
        Ok(())
    }

    /// Checks that the step takes the events as they are.
    #[inline(never)]
    fn inputs(&mut self, step: StepId, events: &[EventImage]) -> Refused<Inputs> {
        let events = self.events(events)?;
        let spec = &self.graph.steps()[step.index()];
        let fits = |(nth, event): (usize, &Event)| match &spec.handler {
            Some(_) => self.graph.types()[event.ty.index()].role == Role::StepFailed,
            None => self.graph.route(event.ty, step).is_some_and(|route| route.inputs & (1 << nth) != 0),
        };
        if events.len() != spec.inputs.len().max(1) || !events.iter().enumerate().all(fits) {
            return self.changed(step);
        }
        Ok(match events.as_slice() {
            [event] => Inputs::One(*event),
            _ => Inputs::Many(events.into()),
        })
    }

    #[inline(never)]
    fn changed<T>(&self, step: StepId) -> Refused<T> {
        Err(Refusal { code: Code::StepChanged, subject: step_name(self.graph, step) })
    }

    #[inline(never)]
    fn memory(&mut self, id: InvocationId, image: &InvocationImage, step: StepId) -> Refused<Option<Box<Memory>>> {
        if image.log.is_empty() && image.once.is_empty() && image.sent.is_empty() && !image.wrote {
            return Ok(None);
        }
        let mut memory = Memory { wrote: image.wrote, ..Memory::default() };
        for (entry, nth) in image.log.iter().zip(0..) {
            let entry = self.entry(id, entry, nth, step)?;
            memory.log.push(entry);
        }
        for (key, slot) in &image.once {
            memory.once.push((key.as_str().into(), self.slot(*slot, None)?));
        }
        for sent in &image.sent {
            memory.sent.push(Sent { ty: self.ty(sent.ty)?, count: sent.count, skip: sent.count });
        }
        Ok(Some(Box::new(memory)))
    }

    #[inline(never)]
    fn entry(&mut self, invocation: InvocationId, image: &EntryImage, nth: u32, step: StepId) -> Refused<LogEntry> {
        let request = match &image.request {
            RequestImage::Event { ty, id } => Request::Event { ty: self.ty(*ty)?, id: id.as_deref().map(Box::from) },
            RequestImage::Sleep => Request::Sleep,
            RequestImage::Collect => Request::Collect,
        };
        let ty = match request {
            Request::Event { ty, .. } => Some(ty),
            _ => None,
        };
        let result = match &image.answer {
            AnswerImage::Vacant => RequestResult::Vacant,
            AnswerImage::Pending { rank, deadline, predicated } => {
                // A sleep without an end and a pending collection do not exist.
                if request == Request::Collect || request == Request::Sleep && deadline.is_none() {
                    return self.invalid();
                }
                let awaited = ty.map_or(Awaited::Time, |ty| Awaited::Event { ty, predicated: *predicated });
                let waiter = Waiter { awaited, invocation, entry: nth, asked: false };
                self.waits.push((*rank, *deadline, waiter));
                RequestResult::Vacant
            }
            AnswerImage::Received(event) => {
                let Some(ty) = ty else { return self.invalid() };
                let event = self.event(event)?;
                if !self.graph.is_kind_of(event.ty, ty) {
                    return self.changed(step);
                }
                RequestResult::Received(event)
            }
            AnswerImage::Elapsed if request != Request::Collect => RequestResult::Elapsed,
            AnswerImage::Withdrawn if request != Request::Collect => RequestResult::Withdrawn(None),
            AnswerImage::Collected(found) if request == Request::Collect => {
                let found = found.as_ref().map(|events| self.events(events)).transpose()?;
                RequestResult::Collected(found.map(Vec::into_boxed_slice))
            }
            _ => return self.invalid(),
        };
        // Only a wait for an event is asked with one.
        if image.published && ty.is_none() {
            return self.invalid();
        }
        Ok(LogEntry { request, result, asked: false, published: image.published })
    }

    /// Opens the waits again, in the order in which they were opened first.
    #[inline(never)]
    fn open_waits(&mut self) -> Refused<()> {
        let waits = core::mem::take(&mut self.waits);
        let mut ranked: Vec<_> = waits.iter().zip(0..).map(|((rank, ..), nth)| (u64::from(*rank), nth)).collect();
        sort(&mut ranked);
        for ((_, nth), number) in ranked.into_iter().zip(0..) {
            let (_, deadline, waiter) = waits[nth as usize];
            let wait = WaitId(number);
            let timer = deadline.map(|deadline| self.set_timer(Millis(deadline), TimerTarget::Wait(wait)));
            let invocation = self.state.invocations.get_mut(waiter.invocation);
            let entry = invocation.and_then(|invocation| invocation.memory().log.get_mut(waiter.entry as usize));
            let Some(entry) = entry else { return self.invalid() };
            entry.result = RequestResult::Pending { wait, timer };
            if let Awaited::Event { ty, predicated: false } = waiter.awaited {
                self.state.plain_waits.or_default(ty).insert(wait, ());
            }
            self.state.waiters.insert(wait, waiter);
            self.state.next_wait = number + 1;
            self.state.recovered_waits = number + 1;
        }
        Ok(())
    }

    #[inline(never)]
    fn joins(&mut self) -> Refused<()> {
        for join in &self.image.joins {
            let step = self.step(join.step)?;
            let mut set = Vec::new();
            for at in &join.set {
                set.push(at.as_ref().map(|kept| self.kept(kept)).transpose()?);
            }
            let later = join.later.iter().map(|kept| self.kept(kept)).collect::<Refused<Vec<_>>>()?;
            let inputs = |ty| self.graph.route(ty, step).map_or(0, |route| route.inputs);
            let fits = set.len() > 1 && set.len() == self.graph.steps()[step.index()].inputs.len();
            let restored = if fits { Join::restore(&set, &later, inputs) } else { None };
            let Some(restored) = restored else { return self.changed(step) };
            let previous = self.state.steps[step.index()].join.replace(restored);
            // A second join of a step: the events of the first would be lost, and their slots never released.
            if previous.is_some_and(|previous| previous.events().next().is_some()) {
                return self.invalid();
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn collections(&mut self) -> Refused<()> {
        let mut all = Vec::new();
        let mut keys = Vec::new();
        let image = self.image;
        let buffered = image.buffers.iter().map(|of| (&of.collection, Some(std::rc::Rc::from(of.buffer.as_str()))));
        let plain = image.collections.iter().map(|collection| (collection, None));
        for ((collection, buffer), nth) in plain.chain(buffered).zip(0u32..) {
            if buffer.as_deref().is_some_and(str::is_empty) {
                return self.invalid();
            }
            let step = self.step(collection.step)?;
            let expected = collection.expected.iter().map(|ty| self.ty(*ty)).collect::<Refused<Vec<_>>>()?;
            let mut held = Held::default();
            for kept in &collection.held {
                let kept = self.kept(kept)?;
                let queue: &mut VecDeque<Kept> = held.or_default(kept.event.ty);
                queue.push_back(kept);
            }
            let is_expected = |ty: EventTypeId| expected.iter().any(|expected| self.graph.is_kind_of(ty, *expected));
            if !held.iter().all(|(ty, _)| is_expected(*ty)) {
                return self.changed(step);
            }
            if held.is_empty() || self.graph.pick(&held, &expected).is_some() {
                return self.invalid();
            }
            all.push(held);
            keys.push(((step, sorted_types(&expected), buffer), nth));
        }
        // Sorted, so that each is inserted at the end.
        sort(&mut keys);
        for (key, nth) in keys {
            let held = core::mem::take(&mut all[nth as usize]);
            // Two collections with one key: the events of one would be lost, and their slots never released.
            if self.state.collections.insert(key, held).is_some() {
                return self.invalid();
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn failures(&mut self) -> Refused<()> {
        let image = self.image;
        let ids: Vec<InvocationId> = self.state.invocations.iter().map(|(id, _)| id).collect();
        let mut next = 0;
        for FailureImage { invocation: nth, event } in &image.failures {
            // In order, and so each once; no attempt before the first one has failed.
            let follows = image.invocations.get(*nth as usize).is_some_and(|invocation| invocation.attempt > 0);
            let event = self.event(event)?;
            let is_failure = self.graph.types()[event.ty.index()].role == Role::StepFailed;
            let Some(id) = ids.get(*nth as usize) else { return self.invalid() };
            if *nth < next || !follows || !is_failure {
                return self.invalid();
            }
            next = nth + 1;
            if let Some(invocation) = self.state.invocations.get_mut(*id) {
                invocation.memory().failure = Some(event);
            }
        }
        Ok(())
    }
}
