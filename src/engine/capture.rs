//! From a state to its image. The state does not change, so a snapshot may be taken between any two ticks.

use super::Engine;
use super::graph::Graph;
use super::ids::{Event, EventTypeId, GroupId, InvocationId, Millis, Slot, StepId, TimerKey, WaitId};
use super::image::{
    AnswerImage, BufferImage, Captured, CollectionImage, Condition, EntryImage, EventImage, FailureImage,
    GatheredImage, GroupImage, Image, InvocationImage, JoinImage, KeptImage, RequestImage, SentImage,
};
use super::state::{
    Awaited, Expected, Held, Invocation, Kept, LogEntry, Memory, Phase, Request, RequestResult, State, Status,
    TimerTarget,
};
use super::tick::{Inputs, Outcome};
use crate::sorted::sort;

impl Engine {
    /// The run as it is at `now`. The same state gives the same image.
    #[must_use]
    pub fn capture(&self, now: Millis) -> Captured {
        let graph = self.graph.borrow();
        let capture = Capture {
            graph: &graph,
            state: &self.state,
            types: Table::new(),
            steps: Table::new(),
            slots: Table::new(),
            groups: Table::new(),
            waits: self.state.waiters.iter().filter(|(_, at)| at.awaited != Awaited::Nothing).map(|at| *at.0).collect(),
        };
        capture.run(now)
    }
}

/// Gives ids new numbers, in the order in which they are met.
struct Table<Id> {
    numbers: Vec<u32>,
    met: Vec<Id>,
}

const UNMET: u32 = u32::MAX;

impl<Id> Table<Id> {
    const fn new() -> Self {
        Table { numbers: Vec::new(), met: Vec::new() }
    }

    #[inline(never)]
    fn number(&mut self, id: Id, index: usize) -> u32 {
        if index >= self.numbers.len() {
            self.numbers.resize(index + 1, UNMET);
        }
        if self.numbers[index] == UNMET {
            self.numbers[index] = self.met.len() as u32;
            self.met.push(id);
        }
        self.numbers[index]
    }
}

struct Capture<'a> {
    graph: &'a Graph,
    state: &'a State,
    types: Table<EventTypeId>,
    steps: Table<StepId>,
    slots: Table<Slot>,
    groups: Table<GroupId>,
    /// The open waits in the order in which they are served.
    waits: Vec<WaitId>,
}

impl Capture<'_> {
    fn run(mut self, now: Millis) -> Captured {
        let state = self.state;
        // Those that are running come first: they have their workers. Then the oldest first.
        let age = |invocation: &Invocation| invocation.order << 1 | u64::from(!invocation.is_begun()) << 63;
        let all: Vec<_> = state.invocations.iter().collect();
        let mut aged: Vec<_> = all.iter().zip(0..).map(|((_, invocation), nth)| (age(invocation), nth)).collect();
        sort(&mut aged);
        let ids: Vec<InvocationId> = aged.into_iter().map(|(_, nth)| all[nth as usize].0).collect();
        let mut again = 0;
        let mut invocations = Vec::with_capacity(ids.len());
        for id in &ids {
            let Some(invocation) = state.invocations.get(*id) else { continue };
            again += u64::from(invocation.phase == Phase::Running);
            invocations.push(self.invocation(*id, invocation));
        }
        let joins = self.joins();
        let kept = self.kept();
        let collections = self.collections();
        let groups = self.groups();
        let fanned = self.fanned();
        let buffers = self.buffers();
        let failures = self.failures(&ids);
        let deadline =
            state.timers.values().find(|timer| timer.target == TimerTarget::Run).map(|timer| timer.deadline.0);
        let image = Image {
            condition: condition(state),
            ticks: state.ticks,
            now: state.now.max(now).0,
            seed: state.options.seed,
            deadline,
            arrivals: state.arrivals,
            invoked: state.invoked.saturating_sub(again),
            slots: self.slots.met.len() as u32,
            types: self.types.met.iter().map(|ty| type_name(self.graph, *ty)).collect(),
            steps: self.steps.met.iter().map(|step| step_name(self.graph, *step)).collect(),
            invocations,
            joins,
            kept,
            collections,
            groups,
            fanned,
            buffers,
            failures,
        };
        Captured { image, slots: self.slots.met, invocations: ids }
    }

    fn deadline(&self, key: TimerKey) -> Option<u64> {
        self.state.timers.get(&key).map(|timer| timer.deadline.0)
    }

    #[inline(never)]
    fn ty(&mut self, ty: EventTypeId) -> u32 {
        self.types.number(ty, ty.index())
    }

    #[inline(never)]
    fn step(&mut self, step: StepId) -> u32 {
        self.steps.number(step, step.index())
    }

    #[inline(never)]
    fn slot(&mut self, slot: Slot) -> u32 {
        self.slots.number(slot, slot.index())
    }

    /// A group gets its number after the one around it.
    #[inline(never)]
    fn group(&mut self, id: Option<GroupId>) -> Option<u32> {
        let unmet = |id: &GroupId| self.groups.numbers.get(id.index()).is_none_or(|number| *number == UNMET);
        let path: Vec<GroupId> = self.state.groups.lineage(id).take_while(unmet).collect();
        path.into_iter().rev().for_each(|id| {
            self.groups.number(id, id.index());
        });
        id.map(|id| self.groups.number(id, id.index()))
    }

    #[inline(never)]
    fn event(&mut self, event: Event) -> EventImage {
        EventImage { ty: self.ty(event.ty), slot: self.slot(event.slot), recoveries: event.recoveries }
    }

    #[inline(never)]
    fn events(&mut self, events: &[Event]) -> Vec<EventImage> {
        events.iter().map(|event| self.event(*event)).collect()
    }

    #[inline(never)]
    fn kept_event(&mut self, kept: Kept) -> KeptImage {
        KeptImage { event: self.event(kept.event), order: kept.order }
    }

    #[inline(never)]
    fn kept_events(&mut self, queues: &Held) -> Vec<KeptImage> {
        let mut events = Vec::new();
        queues.values().flatten().for_each(|kept| events.push(self.kept_event(*kept)));
        events
    }

    #[inline(never)]
    fn invocation(&mut self, id: InvocationId, invocation: &Invocation) -> InvocationImage {
        // An attempt that runs again is counted when it does.
        let counted = u32::from(invocation.phase == Phase::Running);
        let backoff = match invocation.phase {
            Phase::Backoff(key) => self.deadline(key),
            _ => None,
        };
        let attempt = if self.state.exhausted == Some(id) { 0 } else { invocation.attempt.saturating_sub(counted) };
        let nothing = Memory::default();
        let memory = invocation.memory.as_deref().unwrap_or(&nothing);
        InvocationImage {
            step: self.step(invocation.step),
            order: invocation.order,
            running: invocation.is_begun(),
            backoff,
            attempt,
            began: invocation.began.0,
            inputs: self.events(invocation.inputs.as_slice()),
            log: memory.log.iter().map(|entry| self.entry(entry)).collect(),
            once: memory.once.iter().map(|(key, slot)| (String::from(&**key), self.slot(*slot))).collect(),
            sent: memory.sent.iter().map(|sent| SentImage { ty: self.ty(sent.ty), count: sent.count }).collect(),
            wrote: memory.wrote,
            group: self.group(invocation.inputs.group()),
            list: match &invocation.inputs {
                Inputs::List(list) => Some(list.recoveries),
                _ => None,
            },
        }
    }

    #[inline(never)]
    fn entry(&mut self, entry: &LogEntry) -> EntryImage {
        let request = match &entry.request {
            Request::Event { ty, id } => RequestImage::Event { ty: self.ty(*ty), id: id.as_deref().map(String::from) },
            Request::Sleep => RequestImage::Sleep,
            Request::Collect => RequestImage::Collect,
        };
        let answer = match &entry.result {
            RequestResult::Vacant => AnswerImage::Vacant,
            RequestResult::Pending { wait, timer } => AnswerImage::Pending {
                rank: self.waits.partition_point(|other| other < wait) as u32,
                deadline: timer.and_then(|timer| self.deadline(timer)),
                predicated: matches!(
                    self.state.waiters.get(wait).map(|waiter| waiter.awaited),
                    Some(Awaited::Event { predicated: true, .. })
                ),
            },
            RequestResult::Received(event) => AnswerImage::Received(self.event(*event)),
            RequestResult::Elapsed => AnswerImage::Elapsed,
            RequestResult::Withdrawn(_) => AnswerImage::Withdrawn,
            RequestResult::Collected(found) => {
                AnswerImage::Collected(found.as_deref().map(|events| self.events(events)))
            }
        };
        EntryImage { request, answer, published: entry.published }
    }

    #[inline(never)]
    fn joins(&mut self) -> Vec<JoinImage> {
        let mut joins = Vec::new();
        for (step, id) in self.state.steps.iter().zip(0u32..) {
            let Some(join) = &step.join else { continue };
            // By age, and not by the places of the groups.
            let all: Vec<_> = join.contents().collect();
            let age = |(_, set, later): &(_, Vec<Option<Kept>>, Vec<Kept>)| {
                set.iter().flatten().chain(later).map(|kept| kept.order).min().unwrap_or(0)
            };
            let mut aged: Vec<(u64, u32)> = all.iter().map(age).zip(0..).collect();
            sort(&mut aged);
            for (_, nth) in aged {
                let (group, set, later) = &all[nth as usize];
                let (step, group) = (self.step(StepId(id)), self.group(*group));
                let set = set.iter().map(|at| at.map(|kept| self.kept_event(kept))).collect();
                let later = later.iter().map(|kept| self.kept_event(*kept)).collect();
                joins.push(JoinImage { step, set, later, group });
            }
        }
        joins
    }

    /// Every group has something live in it, which has named it.
    #[inline(never)]
    fn groups(&mut self) -> Vec<GroupImage> {
        let mut groups = Vec::new();
        for nth in 0..self.groups.met.len() {
            let Some(group) = self.state.groups.get(self.groups.met[nth]) else { continue };
            let gathered = group.gathered.iter().map(|gathered| GatheredImage {
                step: self.step(gathered.step),
                released: gathered.released,
                events: self.events(&gathered.events),
            });
            let gathered = gathered.collect();
            let (parent, source) = (self.group(group.parent), self.step(group.source));
            groups.push(GroupImage { parent, source, recoveries: group.recoveries, gathered });
        }
        groups
    }

    /// Of a step that says so, it is known anyway.
    #[inline(never)]
    fn fanned(&mut self) -> Vec<u32> {
        let steps = self.graph.steps().iter().zip(&self.state.steps).zip(0u32..);
        let fanned = steps.filter(|((spec, step), _)| step.fans_out && !spec.fans_out);
        fanned.map(|(_, id)| self.step(StepId(id))).collect()
    }

    #[inline(never)]
    fn kept(&mut self) -> Vec<KeptImage> {
        self.kept_events(&self.state.kept)
    }

    #[inline(never)]
    fn collections(&mut self) -> Vec<CollectionImage> {
        let mut collections = Vec::new();
        for ((step, expected, buffer), held) in self.state.collections.iter() {
            if buffer.is_none() {
                collections.push(self.collection(*step, expected, held));
            }
        }
        collections
    }

    #[inline(never)]
    fn buffers(&mut self) -> Vec<BufferImage> {
        let mut buffers = Vec::new();
        for ((step, expected, buffer), held) in self.state.collections.iter() {
            let Some(buffer) = buffer else { continue };
            let collection = self.collection(*step, expected, held);
            buffers.push(BufferImage { buffer: String::from(&**buffer), collection });
        }
        buffers
    }

    #[inline(never)]
    fn collection(&mut self, step: StepId, expected: &Expected, held: &Held) -> CollectionImage {
        let step = self.step(step);
        let expected = expected.iter().map(|ty| self.ty(*ty)).collect();
        CollectionImage { step, expected, held: self.kept_events(held) }
    }

    #[inline(never)]
    fn failures(&mut self, ids: &[InvocationId]) -> Vec<FailureImage> {
        let mut failures = Vec::new();
        for (id, nth) in ids.iter().zip(0u32..) {
            let memory = self.state.invocations.get(*id).and_then(|invocation| invocation.memory.as_deref());
            if let Some(failure) = memory.and_then(|memory| memory.failure) {
                failures.push(FailureImage { invocation: nth, event: self.event(failure) });
            }
        }
        failures
    }
}

fn condition(state: &State) -> Condition {
    match state.status {
        Status::Created => Condition::Created,
        Status::Running | Status::Sleeping | Status::Restored => Condition::Running,
        // A queued invocation starts when the run resumes: the workers are free then.
        Status::Waiting if state.steps.iter().any(|step| !step.queue.is_empty()) => Condition::Running,
        Status::Waiting => Condition::Waiting,
        Status::Ended(Outcome::Completed(_)) => Condition::Completed,
        Status::Ended(Outcome::StepFailed { .. }) => Condition::StepFailed,
        Status::Ended(Outcome::TimedOut) => Condition::TimedOut,
        Status::Ended(Outcome::Stalled) => Condition::Stalled,
        Status::Ended(Outcome::LimitReached) => Condition::LimitReached,
        Status::Ended(Outcome::Cancelled) => Condition::Cancelled,
    }
}

/// The name of a type in an image; one without a name is named by its number.
pub(super) fn type_name(graph: &Graph, ty: EventTypeId) -> String {
    named(graph.types().get(ty.index()).map(|ty| &*ty.name), ty.0)
}

pub(super) fn step_name(graph: &Graph, step: StepId) -> String {
    named(graph.steps().get(step.index()).map(|step| &*step.name), step.0)
}

fn named(name: Option<&str>, number: u32) -> String {
    match name {
        Some(name) if !name.is_empty() => String::from(name),
        _ => {
            // Not `format!`: its machinery adds kilobytes to what visitors download.
            let mut text = String::from("#");
            let mut digits = Vec::new();
            let mut rest = number;
            while digits.is_empty() || rest > 0 {
                digits.push(b'0' + (rest % 10) as u8);
                rest /= 10;
            }
            text.extend(digits.iter().rev().map(|digit| char::from(*digit)));
            text
        }
    }
}
