//! Joins: gathering one event for each input of a step.
//!
//! Events are gathered first in, first out. When inputs overlap (`[A, or(A, B)]`), an event that came first may move to
//! another input to make room, so a set is complete as soon as the events allow it: bipartite matching by
//! augmenting paths (H. W. Kuhn, "The Hungarian method", 1955), over at most 32 inputs.
//!
//! Events of two arrays are not put together: each group has a lane of its own. An event of a group around that one, or
//! of no group, stays in the lane of its own group until a set inside lacks just what is there.

use std::collections::VecDeque;

use super::group::Groups;
use super::ids::{Event, EventTypeId, GroupId};
use super::state::Kept;
use crate::sorted::{SortedMap, sort};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrival {
    event: Event,
    /// The inputs that take it, a bit each.
    inputs: u32,
    /// Position among all arrivals of the run.
    order: u64,
}

/// The gathering point of one step with several inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Join {
    /// For events of no group.
    outer: Lane,
    /// For events of each group that has some, by the place of the group.
    inner: SortedMap<u32, (GroupId, Lane)>,
}

impl Join {
    pub(super) fn new(inputs: usize) -> Join {
        Join { outer: Lane::new(inputs), inner: SortedMap::default() }
    }

    /// Adds an event. Returns the complete set, if this event completed one.
    #[inline]
    pub(super) fn add(&mut self, event: Event, inputs: u32, order: u64, groups: &Groups) -> Option<Box<[Event]>> {
        if event.group.is_none() && self.inner.is_empty() {
            return self.outer.add(event, inputs, order).ok().flatten();
        }
        self.add_to_lane(event, inputs, order, groups)
    }

    fn add_to_lane(&mut self, event: Event, inputs: u32, order: u64, groups: &Groups) -> Option<Box<[Event]>> {
        let added = self.lane(event.group).add(event, inputs, order);
        self.drop_empty(event.group);
        match added {
            Ok(Some(complete)) => return Some(complete),
            // It waits behind an event that would do as well.
            Err(()) => return None,
            Ok(None) => {}
        }
        if let Some(group) = event.group
            && let Some(complete) = self.complete_with_outer(group, groups)
        {
            return Some(complete);
        }
        // The oldest set inside goes first.
        let is_inside = |group: GroupId| {
            let mut around = groups.lineage(Some(group)).skip(1);
            event.group.is_none_or(|own| around.any(|id| id == own))
        };
        let inside = self.inner.values().filter(|(group, _)| is_inside(*group));
        let mut inside: Vec<(u64, u32)> = inside.map(|(group, lane)| (lane.oldest(), group.index() as u32)).collect();
        sort(&mut inside);
        inside.into_iter().find_map(|(_, at)| {
            let (group, _) = self.inner.get(&at)?;
            self.complete_with_outer(*group, groups)
        })
    }

    /// The lane of a group.
    fn lane(&mut self, group: Option<GroupId>) -> &mut Lane {
        let Some(group) = group else { return &mut self.outer };
        let at = group.index() as u32;
        if self.inner.get(&at).is_none() {
            self.inner.insert(at, (group, Lane::new(self.outer.set.len())));
        }
        match self.inner.get_mut(&at) {
            Some((_, lane)) => lane,
            None => &mut self.outer,
        }
    }

    fn drop_empty(&mut self, group: Option<GroupId>) {
        if let Some(at) = group.map(|group| group.index() as u32)
            && self.inner.get(&at).is_some_and(|(_, lane)| lane.is_empty())
        {
            self.inner.remove(&at);
        }
    }

    /// The set of a group with what the lanes around it have for it, the nearest and oldest first; and where that is:
    /// the lane and the input.
    fn with_outer(&self, group: GroupId, lane: &Lane, groups: &Groups) -> (Lane, Vec<(Option<GroupId>, usize)>) {
        let mut trial = Lane { set: lane.set.clone(), later: SortedMap::default() };
        let mut taken = Vec::new();
        if self.outer.is_empty() && self.inner.len() == 1 {
            return (trial, taken);
        }
        for id in groups.lineage(Some(group)).skip(1).map(Some).chain([None]) {
            let outer = match id {
                None => &self.outer,
                Some(id) => match self.inner.get(&(id.index() as u32)) {
                    Some((_, lane)) => lane,
                    None => continue,
                },
            };
            let held = outer.set.iter().zip(0..).filter_map(|(at, nth)| Some((at.as_ref()?.order, nth)));
            let mut held: Vec<(u64, u32)> = held.collect();
            sort(&mut held);
            for nth in held.into_iter().map(|(_, nth)| nth as usize) {
                if outer.set[nth].is_some_and(|arrival| trial.place(arrival)) {
                    taken.push((id, nth));
                }
            }
        }
        (trial, taken)
    }

    /// Completes the set of a group with what is around it, if that is enough.
    fn complete_with_outer(&mut self, group: GroupId, groups: &Groups) -> Option<Box<[Event]>> {
        let (_, lane) = self.inner.get(&(group.index() as u32))?;
        let (complete, taken) = self.with_outer(group, lane, groups);
        if complete.lacks() != 0 {
            return None;
        }
        for (id, nth) in &taken {
            self.lane(*id).set[*nth] = None;
        }
        self.lane(Some(group)).set.iter_mut().for_each(|at| *at = None);
        for id in taken.iter().map(|(id, _)| *id).chain([Some(group)]) {
            self.lane(id).refill();
            self.drop_empty(id);
        }
        Some(complete.set.iter().flatten().map(|arrival| arrival.event).collect())
    }

    fn lanes(&self) -> impl Iterator<Item = (Option<GroupId>, &Lane)> {
        let inner = self.inner.values().map(|(group, lane)| (Some(*group), lane));
        core::iter::once((None, &self.outer)).chain(inner)
    }

    /// For each set that has some of its inputs and not all: which inputs those are, and how many events wait behind.
    pub(super) fn fills(&self) -> impl Iterator<Item = (u32, usize)> {
        self.lanes().map(|(_, lane)| lane.fill()).filter(|(filled, _)| *filled != 0)
    }

    /// For each set, also one that has nothing: the inputs that have no event, not even one that is held for a group
    /// around it. A bit each.
    pub(super) fn lacks(&self, groups: &Groups) -> impl Iterator<Item = u32> {
        let inner = self.inner.values().map(move |(group, lane)| self.with_outer(*group, lane, groups).0.lacks());
        core::iter::once(self.outer.lacks()).chain(inner)
    }

    /// For each set that is not empty: its group, what each input has, and what waits behind, by type and oldest first.
    pub(super) fn contents(&self) -> impl Iterator<Item = (Option<GroupId>, Vec<Option<Kept>>, Vec<Kept>)> {
        let lanes = self.lanes().filter(|(_, lane)| !lane.is_empty());
        lanes.map(|(group, lane)| {
            let (set, later) = lane.contents();
            (group, set, later)
        })
    }

    /// Adds the set of a group with these contents, as [`Lane::restore`]; `None` also when there is one already.
    pub(super) fn restore(
        &mut self,
        group: Option<GroupId>,
        set: &[Option<Kept>],
        later: &[Kept],
        inputs: impl Fn(EventTypeId) -> u32,
    ) -> Option<()> {
        let restored = Lane::restore(set, later, inputs)?;
        let lane = self.lane(group);
        if !lane.is_empty() {
            return None;
        }
        *lane = restored;
        self.drop_empty(group);
        Some(())
    }

    /// Every event held.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
        self.lanes().flat_map(|(_, lane)| lane.events())
    }
}

/// What is gathered of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lane {
    /// What each input has so far.
    set: Vec<Option<Arrival>>,
    /// What came for inputs that were full, by type.
    later: SortedMap<EventTypeId, VecDeque<Arrival>>,
}

impl Lane {
    fn new(inputs: usize) -> Lane {
        Lane { set: vec![None; inputs], later: SortedMap::default() }
    }

    fn is_empty(&self) -> bool {
        self.later.is_empty() && self.set.iter().all(Option::is_none)
    }

    /// When the oldest event of the set came.
    fn oldest(&self) -> u64 {
        self.set.iter().flatten().map(|arrival| arrival.order).min().unwrap_or(u64::MAX)
    }

    /// Adds an event. Returns the complete set, if this event completed one. `Err` says that its inputs were full.
    fn add(&mut self, event: Event, inputs: u32, order: u64) -> Result<Option<Box<[Event]>>, ()> {
        let arrival = Arrival { event, inputs, order };
        if !self.place(arrival) {
            self.later.or_default(event.ty).push_back(arrival);
            return Err(());
        }
        if self.set.iter().any(Option::is_none) {
            return Ok(None);
        }
        let complete = self.set.iter_mut().filter_map(Option::take).map(|arrival| arrival.event).collect();
        self.refill();
        Ok(Some(complete))
    }

    /// Which inputs have their event, and how many events wait behind them.
    fn fill(&self) -> (u32, usize) {
        let filled = self.set.iter().enumerate().fold(0, |bits, (nth, at)| bits | (u32::from(at.is_some()) << nth));
        (filled, self.later.values().map(VecDeque::len).sum())
    }

    /// The inputs that have no event, a bit each.
    fn lacks(&self) -> u32 {
        let inputs = self.set.iter().enumerate();
        inputs.fold(0, |bits, (nth, at)| bits | u32::from(at.is_none()) << nth)
    }

    /// What each input has, and what waits behind, by type and oldest first.
    fn contents(&self) -> (Vec<Option<Kept>>, Vec<Kept>) {
        let kept = |arrival: &Arrival| Kept { event: arrival.event, order: arrival.order };
        let set = self.set.iter().map(|at| at.as_ref().map(kept)).collect();
        (set, self.later.values().flatten().map(kept).collect())
    }

    /// A lane with these contents. `inputs` gives the inputs that take a type. `None` when an input has an event that
    /// it does not take, when nothing is missing, or when an event waits although an input for it is free.
    fn restore(set: &[Option<Kept>], later: &[Kept], inputs: impl Fn(EventTypeId) -> u32) -> Option<Lane> {
        let arrival = |kept: &Kept| Arrival { event: kept.event, inputs: inputs(kept.event.ty), order: kept.order };
        let mut lane = Lane::new(set.len());
        for (nth, at) in set.iter().enumerate() {
            lane.set[nth] = at.as_ref().map(arrival);
            if lane.set[nth].is_some_and(|arrival| arrival.inputs & (1 << nth) == 0) {
                return None;
            }
        }
        for kept in later.iter().map(arrival) {
            if kept.inputs == 0 {
                return None;
            }
            lane.later.or_default(kept.event.ty).push_back(kept);
        }
        let heads: Vec<Arrival> = lane.later.values().filter_map(|queue| queue.front().copied()).collect();
        let is_complete = lane.set.iter().all(Option::is_some);
        if is_complete || heads.into_iter().any(|head| lane.place(head)) { None } else { Some(lane) }
    }

    /// Every event held.
    fn events(&self) -> impl Iterator<Item = &Event> {
        self.set.iter().flatten().chain(self.later.values().flatten()).map(|arrival| &arrival.event)
    }

    fn place(&mut self, arrival: Arrival) -> bool {
        let mut visited = 0;
        self.augment(arrival, &mut visited)
    }

    fn augment(&mut self, arrival: Arrival, visited: &mut u32) -> bool {
        let takes = |nth: &usize| arrival.inputs & (1 << nth) != 0;
        let all = 0..self.set.len();
        // A free input first, so that nothing moves without need.
        if let Some(free) = all.clone().filter(takes).find(|nth| self.set[*nth].is_none()) {
            self.set[free] = Some(arrival);
            return true;
        }
        for nth in all.filter(takes) {
            let Some(occupant) = self.set[nth] else { continue };
            if *visited & (1 << nth) != 0 {
                continue;
            }
            *visited |= 1 << nth;
            if self.augment(occupant, visited) {
                self.set[nth] = Some(arrival);
                return true;
            }
        }
        false
    }

    /// Moves what waited into the emptied set, oldest first. The set is never full after this: what waited was not
    /// enough to complete a set even together with what was in it.
    fn refill(&mut self) {
        let mut refused = Vec::new();
        loop {
            let heads = self.later.iter().filter(|(ty, _)| !refused.contains(*ty));
            let next = heads.filter_map(|(ty, queue)| queue.front().map(|head| (head.order, *ty))).min();
            let Some((_, ty)) = next else { break };
            let Some(queue) = self.later.get_mut(&ty) else { break };
            let Some(head) = queue.front().copied() else { break };
            if self.place(head) {
                if let Some(queue) = self.later.get_mut(&ty) {
                    queue.pop_front();
                    if queue.is_empty() {
                        self.later.remove(&ty);
                    }
                }
            } else {
                refused.push(ty);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ids::Slot;
    use super::*;

    const A: u32 = 0;
    const B: u32 = 1;

    fn event(ty: u32, slot: u32) -> Event {
        Event { ty: EventTypeId(ty), slot: Slot(slot), recoveries: 0, group: None }
    }

    fn feed(join: &mut Join, arrivals: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let mut fired = Vec::new();
        for (nth, (ty, inputs)) in arrivals.iter().enumerate() {
            if let Some(set) = join.add(event(*ty, nth as u32), *inputs, nth as u64, &Groups::new()) {
                fired.push(set.iter().map(|event| event.slot.0).collect());
            }
        }
        fired
    }

    #[test]
    fn sets_are_gathered_first_in_first_out() {
        let (a, b) = ((A, 0b01), (B, 0b10));
        assert_eq!(feed(&mut Join::new(2), &[a, a, b, b]), [vec![0, 2], vec![1, 3]]);
        assert_eq!(feed(&mut Join::new(2), &[b, b, b, a, a]), [vec![3, 0], vec![4, 1]]);
    }

    #[test]
    fn one_type_may_fill_two_inputs() {
        let a = (A, 0b11);
        assert_eq!(feed(&mut Join::new(2), &[a, a, a, a, a]), [vec![0, 1], vec![2, 3]]);
    }

    #[test]
    fn an_early_event_makes_room_for_one_that_fits_nowhere_else() {
        // Inputs: 0 takes A or B, 1 takes A alone. A takes input 0 first, then B needs it.
        assert_eq!(feed(&mut Join::new(2), &[(A, 0b11), (B, 0b01)]), [vec![1, 0]]);
    }

    #[test]
    fn what_could_not_be_is_not_restored() {
        let kept = |ty, order| Kept { event: event(ty, order as u32), order };
        let inputs = |ty: EventTypeId| if ty.0 == A { 0b01 } else { 0b10 };
        let restore = |set: &[Option<Kept>], later: &[Kept]| Lane::restore(set, later, inputs);
        let (a, b) = (kept(A, 0), kept(B, 1));
        assert!(restore(&[Some(a), None], &[kept(A, 2)]).is_some());
        assert!(restore(&[Some(a), Some(b)], &[]).is_none(), "nothing is missing");
        assert!(restore(&[Some(a), None], &[b]).is_none(), "what waits is what is missing");
        assert!(restore(&[None, None], &[a]).is_none());
        assert!(restore(&[None, Some(a)], &[]).is_none(), "the input does not take it");
    }

    #[test]
    fn what_waits_is_reported() {
        let mut join = Join::new(2);
        feed(&mut join, &[(A, 0b01), (A, 0b01), (A, 0b01)]);
        assert_eq!(join.fills().collect::<Vec<_>>(), [(0b01, 2)]);
        assert_eq!(join.events().count(), 3);
    }
}
