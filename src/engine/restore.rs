//! From an image to a state. An image comes from outside and nothing in it is trusted: whatever does not fit the graph,
//! or contradicts itself, is refused before there is a run.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::Engine;
use super::capture::{step_name, type_name};
use super::graph::{Graph, Role};
use super::group::{Gathered, Group};
use super::ids::{Event, EventTypeId, GroupId, InvocationId, Millis, Slot, StepId, TimerKey, WaitId};
use super::image::{
    AnswerImage, BufferImage, CollectionImage, Condition, EntryImage, EventImage, FailureImage, GatheredImage, Image,
    InvocationImage, KeptImage, RequestImage,
};
use super::state::{
    Awaited, Expected, Held, Invocation, Kept, LogEntry, Memory, Phase, Request, RequestResult, RunOptions, Sent,
    State, Status, Timer, TimerTarget, Waiter,
};
use super::tick::{Inputs, List};
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
            let mut restore = Restore {
                graph: &graph,
                image,
                types: types.into_iter().map(EventTypeId).collect(),
                steps: steps.into_iter().map(StepId).collect(),
                payloads,
                believed: Vec::new(),
                state: State::new(&graph, RunOptions { seed: image.seed, ..how.options }),
                waits: Vec::new(),
                subject: String::new(),
                groups: Vec::new(),
            };
            match restore.run(how) {
                Ok(()) => restore.state,
                Err(code) => return Err(Refusal { code, subject: restore.subject }),
            }
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
    /// The step that the refusal is about; empty when it is about none.
    subject: String,
    /// The groups, in the order of the image.
    groups: Vec<GroupId>,
}

/// A refusal is a code here, whose subject is beside it, so that results are small.
type Checked<T> = Result<T, Code>;

impl Restore<'_> {
    fn run(&mut self, how: RestoreOptions) -> Checked<()> {
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
            Condition::Completed => return Err(Code::RunEnded),
            _ if [image.ticks, image.now, image.arrivals, image.invoked].into_iter().any(|number| number > MOST) => {
                return self.invalid();
            }
            Condition::Created if self.is_blank() => return Ok(()),
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
        self.empty_groups()?;
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
        Ok(())
    }

    fn invalid<T>(&self) -> Checked<T> {
        Err(Code::SnapshotInvalid)
    }

    fn is_blank(&self) -> bool {
        let image = self.image;
        let empty = image.invocations.is_empty() && image.joins.is_empty() && image.groups.is_empty();
        empty && image.kept.is_empty() && image.collections.is_empty() && image.buffers.is_empty() && image.slots == 0
    }

    #[inline(never)]
    fn ty(&self, ty: u32) -> Checked<EventTypeId> {
        self.types.get(ty as usize).copied().ok_or(Code::SnapshotInvalid)
    }

    #[inline(never)]
    fn step(&self, step: u32) -> Checked<StepId> {
        self.steps.get(step as usize).copied().ok_or(Code::SnapshotInvalid)
    }

    /// Takes a reference to a slot.
    #[inline(never)]
    fn slot(&mut self, slot: u32, ty: Option<EventTypeId>) -> Checked<Slot> {
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
    fn event(&mut self, event: &EventImage) -> Checked<Event> {
        let ty = self.ty(event.ty)?;
        Ok(Event { ty, slot: self.slot(event.slot, Some(ty))?, recoveries: event.recoveries, group: None })
    }

    #[inline(never)]
    fn events(&mut self, events: &[EventImage]) -> Checked<Vec<Event>> {
        events.iter().map(|event| self.event(event)).collect()
    }

    #[inline(never)]
    fn kept(&mut self, kept: &KeptImage) -> Checked<Kept> {
        Ok(Kept { event: self.event(&kept.event)?, order: self.order(kept.order)? })
    }

    fn order(&self, order: u64) -> Checked<u64> {
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
    fn invocation(&mut self, image: &InvocationImage) -> Checked<()> {
        let step = self.step(image.step)?;
        let group = self.hold(image.group)?;
        let inputs = self.inputs(step, &image.inputs, group, image.list)?;
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
            asleep: 0,
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
                self.state.asleep += 1;
            }
            Some(_) => return self.invalid(),
            None => self.state.steps[step.index()].queue.push_back(id),
        }
        Ok(())
    }

    /// Checks that the step takes the events as they are.
    #[inline(never)]
    fn inputs(
        &mut self,
        step: StepId,
        events: &[EventImage],
        group: Option<GroupId>,
        list: Option<u32>,
    ) -> Checked<Inputs> {
        let mut events = self.events(events)?;
        let spec = &self.graph.steps()[step.index()];
        let fits = |(nth, event): (usize, &Event)| match &spec.handler {
            Some(_) => self.graph.types()[event.ty.index()].role == Role::StepFailed,
            None => self.graph.route(event.ty, step).is_some_and(|route| route.inputs & (1 << nth) != 0),
        };
        if let Some(recoveries) = list {
            let takes = |event: &Event| self.graph.route(event.ty, step).is_some();
            if spec.collect.is_none() || !events.iter().all(takes) {
                return self.changed(step);
            }
            return Ok(Inputs::List(Box::new(List { events: events.into_boxed_slice(), group, recoveries })));
        }
        let count = spec.inputs.len().max(1);
        if spec.collect.is_some() || events.len() != count || !events.iter().enumerate().all(fits) {
            return self.changed(step);
        }
        events.iter_mut().for_each(|event| event.group = group);
        Ok(match events.as_slice() {
            [event] => Inputs::One(*event),
            _ => Inputs::Many(events.into()),
        })
    }

    #[inline(never)]
    fn changed<T>(&mut self, step: StepId) -> Checked<T> {
        self.subject = step_name(self.graph, step);
        Err(Code::StepChanged)
    }

    #[inline(never)]
    fn memory(&mut self, id: InvocationId, image: &InvocationImage, step: StepId) -> Checked<Option<Box<Memory>>> {
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
    fn entry(&mut self, invocation: InvocationId, image: &EntryImage, nth: u32, step: StepId) -> Checked<LogEntry> {
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
    fn open_waits(&mut self) -> Checked<()> {
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

    /// Another event, invocation or group is inside a group.
    #[inline(never)]
    fn hold(&mut self, group: Option<u32>) -> Checked<Option<GroupId>> {
        let Some(group) = group else { return Ok(None) };
        let Some(id) = self.groups.get(group as usize).copied() else { return self.invalid() };
        self.state.groups.hold(Some(id));
        Ok(Some(id))
    }

    /// The groups without what they have gathered, and the steps that have returned arrays. A group comes after the one
    /// around it.
    #[inline(never)]
    fn empty_groups(&mut self) -> Checked<()> {
        if !self.image.groups.is_empty() && !self.graph.gathers() {
            return match self.image.groups.first().map(|group| self.step(group.source)) {
                Some(Ok(step)) => self.changed(step),
                _ => self.invalid(),
            };
        }
        for group in &self.image.groups {
            let (parent, source) = (self.hold(group.parent)?, self.step(group.source)?);
            let recoveries = group.recoveries;
            let group = Group { parent, source, recoveries, live: 0, gathered: Vec::new() };
            self.groups.push(self.state.groups.insert(group));
        }
        for step in &self.image.fanned {
            let step = self.step(*step)?;
            self.state.steps[step.index()].fans_out = true;
        }
        Ok(())
    }

    /// What the groups have gathered. A group in which nothing is left would be over.
    #[inline(never)]
    fn gathered(&mut self) -> Checked<()> {
        for (nth, group) in self.image.groups.iter().enumerate() {
            let mut gathered: Vec<Gathered> = Vec::new();
            for image in &group.gathered {
                let found = self.gathered_by(image)?;
                if gathered.iter().any(|other| other.step == found.step) {
                    return self.invalid();
                }
                gathered.push(found);
            }
            match self.state.groups.get_mut(self.groups[nth]) {
                Some(group) if group.live > 0 => group.gathered = gathered,
                _ => return self.invalid(),
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn gathered_by(&mut self, image: &GatheredImage) -> Checked<Gathered> {
        let step = self.step(image.step)?;
        let events = self.events(&image.events)?;
        let fits = |event: &Event| self.graph.route(event.ty, step).is_some();
        let Some(collect) = self.graph.steps()[step.index()].collect.filter(|_| events.iter().all(fits)) else {
            return self.changed(step);
        };
        if image.released && (collect.take.is_none() || !events.is_empty()) || !image.released && events.is_empty() {
            return self.invalid();
        }
        // The step takes fewer than it did.
        if collect.take.is_some_and(|most| events.len() >= most as usize) {
            return self.changed(step);
        }
        Ok(Gathered { step, released: image.released, events })
    }

    #[inline(never)]
    fn joins(&mut self) -> Checked<()> {
        for join in &self.image.joins {
            let step = self.step(join.step)?;
            let mut set = Vec::new();
            for at in &join.set {
                set.push(at.as_ref().map(|kept| self.kept_in(kept, join.group)).transpose()?);
            }
            let later = join.later.iter().map(|kept| self.kept_in(kept, join.group));
            let later = later.collect::<Checked<Vec<_>>>()?;
            let group = join.group.and_then(|group| self.groups.get(group as usize).copied());
            if group.is_none() && join.group.is_some() {
                return self.invalid();
            }
            let graph = self.graph;
            let inputs = |ty| graph.route(ty, step).map_or(0, |route| route.inputs);
            let fits = set.len() > 1 && set.len() == graph.steps()[step.index()].inputs.len();
            let Some(at) = self.state.steps[step.index()].join.as_mut().filter(|_| fits) else {
                return self.changed(step);
            };
            // A second join of a step and group: the events of the first would be lost, and their slots never released.
            if at.contents().any(|(other, ..)| other == group) {
                return self.invalid();
            }
            if at.restore(group, &set, &later, inputs).is_none() {
                return self.changed(step);
            }
        }
        Ok(())
    }

    /// An event that a join keeps, which is inside a group.
    fn kept_in(&mut self, kept: &KeptImage, group: Option<u32>) -> Checked<Kept> {
        let mut kept = self.kept(kept)?;
        kept.event.group = self.hold(group)?;
        Ok(kept)
    }

    /// The collections, and what the groups have gathered, which stands between those without and those with a buffer.
    #[inline(never)]
    fn collections(&mut self) -> Checked<()> {
        let image = self.image;
        let (mut all, mut keys) = (Vec::new(), Vec::new());
        for collection in &image.collections {
            let (step, expected, held) = self.collection(collection)?;
            keys.push(((step, expected, None), all.len() as u32));
            all.push(held);
        }
        self.gathered()?;
        for BufferImage { buffer, collection } in &image.buffers {
            if buffer.is_empty() {
                return self.invalid();
            }
            let (step, expected, held) = self.collection(collection)?;
            keys.push(((step, expected, Some(Rc::from(buffer.as_str()))), all.len() as u32));
            all.push(held);
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
    fn collection(&mut self, image: &CollectionImage) -> Checked<(StepId, Expected, Held)> {
        let step = self.step(image.step)?;
        let expected = image.expected.iter().map(|ty| self.ty(*ty)).collect::<Checked<Vec<_>>>()?;
        let mut held = Held::default();
        for kept in &image.held {
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
        Ok((step, sorted_types(&expected), held))
    }

    #[inline(never)]
    fn failures(&mut self) -> Checked<()> {
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
