//! Groups: what descends from one array of events, and the steps that gather it.
//!
//! A step that returns an array begins a group. Its events belong to it, and so does everything that comes of them: an
//! invocation has the group of its events, and what it returns or sends has its group. An array inside a branch begins
//! a group inside that group. An event knows its innermost group and a group the one around it, so the lineage of an
//! event costs one number.
//!
//! A group counts what is still on its way in it ([`Group::live`]). When nothing is left, it is over: each step that
//! gathers its events is invoked with what has come, and belongs to the group around it.
//!
//! Only a graph with a step that gathers has groups at all. Elsewhere an array is as many events as it has.

use core::num::NonZeroU32;
use std::rc::Rc;

use super::graph::{Graph, Role};
use super::ids::{Event, EventTypeId, GroupId, InvocationId, Slot, StepId, WaitId};
use super::reduce::Reducer;
use super::state::{Invocation, Status, most_recoveries};
use super::tick::{Command, Inputs, List, Outcome};
use super::trace::TraceKind;

/// What a step has gathered of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gathered {
    pub step: StepId,
    /// It has taken as many as it wants. What comes later is dropped.
    pub released: bool,
    /// In the order of arrival.
    pub events: Vec<Event>,
}

/// An array and what descends from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The group around it.
    pub parent: Option<GroupId>,
    /// The step that has returned the array.
    pub source: StepId,
    /// How many recoveries lie behind the array.
    pub recoveries: u32,
    /// How many invocations, events in joins and groups are directly inside it. They are what may still bring events.
    pub live: u32,
    /// One for each step that has gathered something.
    pub gathered: Vec<Gathered>,
}

impl Group {
    /// Every event that is gathered.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.gathered.iter().flat_map(|gathered| &gathered.events)
    }

    /// What a step has gathered. A graph has few steps that gather.
    fn gathered_by(&mut self, step: StepId) -> &mut Gathered {
        let known = self.gathered.iter().position(|gathered| gathered.step == step);
        let at = known.unwrap_or_else(|| {
            self.gathered.push(Gathered { step, released: false, events: Vec::new() });
            self.gathered.len() - 1
        });
        &mut self.gathered[at]
    }
}

/// The groups of a run. Places are used again: whatever names a group is counted in it, so no name outlives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Groups {
    places: Vec<Option<Group>>,
    free: Vec<u32>,
}

impl Groups {
    pub(super) const fn new() -> Groups {
        Groups { places: Vec::new(), free: Vec::new() }
    }

    pub(super) fn insert(&mut self, group: Group) -> GroupId {
        let at = match self.free.pop() {
            Some(at) => {
                self.places[at as usize] = Some(group);
                at
            }
            None => {
                self.places.push(Some(group));
                self.places.len() as u32 - 1
            }
        };
        GroupId(NonZeroU32::MIN.saturating_add(at))
    }

    pub(super) fn get(&self, id: GroupId) -> Option<&Group> {
        self.places.get(id.index())?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: GroupId) -> Option<&mut Group> {
        self.places.get_mut(id.index())?.as_mut()
    }

    fn remove(&mut self, id: GroupId) -> Option<Group> {
        let group = self.places.get_mut(id.index())?.take()?;
        if self.places.len() == self.free.len() + 1 {
            // A run that is done with its arrays keeps no memory of them.
            self.clear();
        } else {
            self.free.push(id.index() as u32);
        }
        Some(group)
    }

    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.free.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (GroupId, &Group)> {
        let places = self.places.iter().zip(0..);
        places.filter_map(|(group, at)| Some((GroupId(NonZeroU32::MIN.saturating_add(at)), group.as_ref()?)))
    }

    /// Another invocation, event or group is inside a group.
    pub(super) fn hold(&mut self, id: Option<GroupId>) {
        if let Some(group) = id.and_then(|id| self.get_mut(id)) {
            group.live += 1;
        }
    }

    /// A group and those around it, from the inside out.
    pub(super) fn lineage(&self, id: Option<GroupId>) -> impl Iterator<Item = GroupId> {
        core::iter::successors(id, |id| self.get(*id)?.parent)
    }

    /// The innermost of the groups of a join's events: each of the others is around it.
    fn innermost(&self, events: &[Event]) -> Option<GroupId> {
        let (first, rest) = events.split_first()?;
        if rest.iter().all(|event| event.group == first.group) {
            return first.group;
        }
        events.iter().max_by_key(|event| self.lineage(event.group).count())?.group
    }
}

impl GroupId {
    /// The group's place in the table.
    pub(super) const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Reducer<'_> {
    /// An attempt has returned an array.
    pub(super) fn complete_list(
        &mut self,
        id: InvocationId,
        outputs: &[(EventTypeId, Slot)],
        matches: &[(u32, WaitId)],
    ) {
        let Some(invocation) = self.take_off(id) else { return };
        self.trace_gone(TraceKind::StepSucceeded, &invocation, None);
        let inside = self.begin_group(&invocation);
        let group = if self.graph.gathers() { inside } else { invocation.inputs.group() };
        // What stands behind a stop event is dropped.
        let stops = |(ty, _): &(EventTypeId, Slot)| self.graph.types()[ty.index()].role == Role::Stop;
        let outputs = &outputs[..outputs.iter().position(stops).map_or(outputs.len(), |at| at + 1)];
        // A run that reaches its limit settles in the midst of the array. Its snapshot has all events, so the stream
        // must have them too, before that.
        let publishes_first = self.state.options.limits.steps != u64::MAX;
        if publishes_first {
            outputs.iter().for_each(|(_, slot)| self.out.push(Command::Publish { slot: *slot }));
        }
        let recoveries = invocation.recoveries();
        let mut rest = matches;
        for ((ty, slot), nth) in outputs.iter().zip(0u32..) {
            let (own, later) = rest.split_at(rest.partition_point(|(at, _)| *at <= nth));
            rest = later;
            let own: Vec<WaitId> = own.iter().filter(|(at, _)| *at == nth).map(|(_, wait)| *wait).collect();
            let event = Event { group, ..self.adopt(*ty, *slot, recoveries) };
            self.trace_sent(event, Some(&invocation));
            let from = self.out.begin();
            if publishes_first {
                self.enter_published(event, None, &own);
            } else {
                self.enter(event, None, &own);
                if self.out.takes_shortcuts() {
                    self.out.fuse(from);
                }
            }
        }
        // A completed run has released everything already.
        if !matches!(self.state.status, Status::Ended(Outcome::Completed(_))) {
            self.forget(&invocation);
            self.start_queued(invocation.step);
            self.leave(inside);
            self.leave(invocation.inputs.group());
        }
    }

    /// The group of an array that an invocation returns; none where no step gathers. It is held until its events have
    /// entered.
    fn begin_group(&mut self, invocation: &Invocation) -> Option<GroupId> {
        if !self.graph.gathers() {
            return None;
        }
        let (source, parent) = (invocation.step, invocation.inputs.group());
        let step = &mut self.state.steps[source.index()];
        if !core::mem::replace(&mut step.fans_out, true) {
            self.state.closers.clear();
        }
        self.state.groups.hold(parent);
        let recoveries = invocation.recoveries();
        Some(self.state.groups.insert(Group { parent, source, recoveries, live: 1, gathered: Vec::new() }))
    }

    /// A step that gathers gets an event. Its reference to the slot is consumed.
    pub(super) fn add_to_list(&mut self, step: StepId, event: Event, take: Option<u32>, order: u64) {
        let alone = Event { group: None, ..event };
        let Some(group) = event.group.and_then(|id| self.state.groups.get_mut(id)) else {
            // An event that descends from no array counts as an array of its own.
            let list = List { events: Box::new([alone]), group: None, recoveries: event.recoveries };
            self.trace_delivered(event, step, Some(order));
            return self.enqueue(step, Inputs::List(Box::new(list)), order, Some(event.slot));
        };
        let (parent, recoveries) = (group.parent, group.recoveries);
        let gathered = group.gathered_by(step);
        if gathered.released {
            self.trace_event(TraceKind::EventDropped, event);
            return self.release(event.slot);
        }
        gathered.events.push(alone);
        let is_full = take.is_some_and(|most| gathered.events.len() >= most as usize);
        let events = is_full.then(|| {
            gathered.released = true;
            core::mem::take(&mut gathered.events)
        });
        self.trace_delivered(event, step, is_full.then_some(order));
        if let Some(events) = events {
            self.release_list(step, events, parent, recoveries, order);
        }
    }

    /// Invokes a step with what it has gathered.
    fn release_list(&mut self, step: StepId, events: Vec<Event>, group: Option<GroupId>, recoveries: u32, order: u64) {
        let recoveries = recoveries.max(most_recoveries(&events));
        self.state.groups.hold(group);
        let last = events.last().map(|event| event.slot);
        let list = List { events: events.into_boxed_slice(), group, recoveries };
        self.enqueue(step, Inputs::List(Box::new(list)), order, last);
    }

    /// The events of a complete join become those of one invocation, in the innermost of their groups. Returns the
    /// groups that they have left.
    pub(super) fn unite(&mut self, events: &mut [Event]) -> Vec<GroupId> {
        let left: Vec<GroupId> = events.iter().filter_map(|event| event.group).collect();
        if !left.is_empty() {
            let innermost = self.state.groups.innermost(events);
            self.state.groups.hold(innermost);
            events.iter_mut().for_each(|event| event.group = innermost);
        }
        left
    }

    /// An invocation, event or group inside a group is gone. When it was the last one, the group is over, and so may be
    /// those around it.
    pub(super) fn leave(&mut self, id: Option<GroupId>) {
        let mut next = id;
        while let Some(id) = next {
            let Some(group) = self.state.groups.get_mut(id) else { return };
            group.live = group.live.saturating_sub(1);
            if group.live > 0 {
                return;
            }
            let Some(group) = self.state.groups.remove(id) else { return };
            next = group.parent;
            self.close_group(group);
        }
    }

    /// Nothing is left in a group: the steps that gather its events are invoked, also with an empty list.
    fn close_group(&mut self, group: Group) {
        let Group { parent, source, recoveries, gathered, .. } = group;
        let mut closers = self.closers_of(source, Trust::Declared).to_vec();
        if closers.is_empty() && gathered.is_empty() {
            closers = self.closers_of(source, Trust::Anything).to_vec();
        }
        let mut lists: Vec<Option<Gathered>> = gathered.into_iter().map(Some).collect();
        for step in (0..self.state.steps.len() as u32).map(StepId) {
            let list = lists.iter_mut().find(|list| list.as_ref().is_some_and(|list| list.step == step));
            let events = match list.and_then(Option::take) {
                Some(Gathered { released: true, .. }) => continue,
                Some(Gathered { events, .. }) => events,
                None if closers.contains(&step) => Vec::new(),
                None => continue,
            };
            let order = self.arrival();
            self.release_list(step, events, parent, recoveries, order);
        }
    }

    fn closers_of(&mut self, source: StepId, trust: Trust) -> Rc<[StepId]> {
        let state = &mut *self.state;
        let steps = &state.steps;
        state.closers.of(self.graph, source, trust, |step| steps[step.index()].fans_out)
    }
}

/// What is believed of a step that does not declare its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Nothing: only what is declared counts.
    Declared,
    /// That it may return any event.
    Anything,
}

/// Which steps gather the arrays of which, as far as that was asked for. It follows from the graph and from which steps
/// return arrays, so it is no part of what a run is.
#[derive(Clone, Debug, Default)]
pub(super) struct Closers {
    known: Vec<(StepId, Trust, Rc<[StepId]>)>,
    /// Of how many event types the graph had.
    types: usize,
}

impl PartialEq for Closers {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Closers {}

impl Closers {
    /// Another step returns arrays.
    fn clear(&mut self) {
        self.known.clear();
    }

    fn of(&mut self, graph: &Graph, source: StepId, trust: Trust, fans_out: impl Fn(StepId) -> bool) -> Rc<[StepId]> {
        if self.types != graph.types().len() {
            self.types = graph.types().len();
            self.clear();
        }
        if let Some((.., known)) = self.known.iter().find(|(step, by, _)| (*step, *by) == (source, trust)) {
            return Rc::clone(known);
        }
        let found: Rc<[StepId]> = graph.closers(source, trust, fans_out).into();
        self.known.push((source, trust, Rc::clone(&found)));
        found
    }
}

/// How deep arrays inside arrays are followed.
const DEEPEST: u32 = 31;

impl Graph {
    /// The steps that gather the arrays of a step: those that its events reach with as many steps on the way that
    /// gather as steps that return arrays.
    fn closers(&self, source: StepId, trust: Trust, fans_out: impl Fn(StepId) -> bool) -> Vec<StepId> {
        let steps = self.steps();
        let mut found = Vec::new();
        // A bit for each depth at which a step was met.
        let mut met = vec![0u32; steps.len()];
        let mut open: Vec<(StepId, u32)> = Vec::new();
        let mut reach = |step: StepId, depth: u32, open: &mut Vec<(StepId, u32)>| {
            let inside = match steps[step.index()].collect {
                Some(_) if depth == 1 => {
                    if !found.contains(&step) {
                        found.push(step);
                    }
                    return;
                }
                Some(_) => depth - 1,
                None => depth,
            };
            if inside <= DEEPEST && met[step.index()] & (1 << inside) == 0 {
                met[step.index()] |= 1 << inside;
                open.push((step, inside));
            }
        };
        let ids = || (0..steps.len() as u32).map(StepId);
        ids().filter(|to| self.returns_to(source, *to, trust)).for_each(|to| reach(to, 1, &mut open));
        while let Some((step, depth)) = open.pop() {
            // A failure belongs where the failed invocation did.
            self.handler_of(step).into_iter().for_each(|handler| reach(handler, depth, &mut open));
            let depth = depth + u32::from(fans_out(step));
            ids().filter(|to| self.returns_to(step, *to, trust)).for_each(|to| reach(to, depth, &mut open));
        }
        found
    }

    /// Whether what a step returns goes to another.
    fn returns_to(&self, from: StepId, to: StepId, trust: Trust) -> bool {
        match &self.steps()[from.index()].outputs {
            None => trust == Trust::Anything && self.steps()[to.index()].handler.is_none(),
            Some(outputs) => outputs.iter().any(|ty| {
                let kinds = &self.types()[ty.index()].kinds;
                kinds.iter().any(|kind| self.route(*kind, to).is_some())
            }),
        }
    }
}
