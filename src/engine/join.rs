//! Joins: gathering one event for each input of a step.
//!
//! Events are gathered first in, first out. When inputs overlap (`[A, or(A, B)]`), an event that came first may move to
//! another input to make room, so a set is complete as soon as the events allow it: bipartite matching by
//! augmenting paths (H. W. Kuhn, "The Hungarian method", 1955), over at most 32 inputs.

use std::collections::VecDeque;

use super::ids::{Event, EventTypeId};
use super::state::Kept;
use crate::sorted::SortedMap;

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
    /// What each input has so far.
    set: Vec<Option<Arrival>>,
    /// What came for inputs that were full, by type.
    later: SortedMap<EventTypeId, VecDeque<Arrival>>,
}

impl Join {
    pub(super) fn new(inputs: usize) -> Join {
        Join { set: vec![None; inputs], later: SortedMap::default() }
    }

    /// Adds an event. Returns the complete set, if this event completed one.
    pub(super) fn add(&mut self, event: Event, inputs: u32, order: u64) -> Option<Box<[Event]>> {
        let arrival = Arrival { event, inputs, order };
        if !self.place(arrival) {
            self.later.or_default(event.ty).push_back(arrival);
            return None;
        }
        if self.set.iter().any(Option::is_none) {
            return None;
        }
        let complete = self.set.iter_mut().filter_map(Option::take).map(|arrival| arrival.event).collect();
        self.refill();
        Some(complete)
    }

    /// Which inputs have their event, and how many events wait behind them.
    pub(super) fn fill(&self) -> (u32, usize) {
        let filled = self.set.iter().enumerate().fold(0, |bits, (nth, at)| bits | (u32::from(at.is_some()) << nth));
        (filled, self.later.values().map(VecDeque::len).sum())
    }

    /// The inputs that have no event, a bit each.
    pub(super) fn lacks(&self) -> u32 {
        let inputs = self.set.iter().enumerate();
        inputs.fold(0, |bits, (nth, at)| bits | u32::from(at.is_none()) << nth)
    }

    /// What each input has, and what waits behind, by type and oldest first.
    pub(super) fn contents(&self) -> (Vec<Option<Kept>>, Vec<Kept>) {
        let kept = |arrival: &Arrival| Kept { event: arrival.event, order: arrival.order };
        let set = self.set.iter().map(|at| at.as_ref().map(kept)).collect();
        (set, self.later.values().flatten().map(kept).collect())
    }

    /// A join with these contents. `inputs` gives the inputs that take a type. `None` when an input has an event that
    /// it does not take, when nothing is missing, or when an event waits although an input for it is free.
    pub(super) fn restore(set: &[Option<Kept>], later: &[Kept], inputs: impl Fn(EventTypeId) -> u32) -> Option<Join> {
        let arrival = |kept: &Kept| Arrival { event: kept.event, inputs: inputs(kept.event.ty), order: kept.order };
        let mut join = Join::new(set.len());
        for (nth, at) in set.iter().enumerate() {
            join.set[nth] = at.as_ref().map(arrival);
            if join.set[nth].is_some_and(|arrival| arrival.inputs & (1 << nth) == 0) {
                return None;
            }
        }
        for kept in later.iter().map(arrival) {
            if kept.inputs == 0 {
                return None;
            }
            join.later.or_default(kept.event.ty).push_back(kept);
        }
        let heads: Vec<Arrival> = join.later.values().filter_map(|queue| queue.front().copied()).collect();
        let is_complete = join.set.iter().all(Option::is_some);
        if is_complete || heads.into_iter().any(|head| join.place(head)) { None } else { Some(join) }
    }

    /// Every event held.
    pub(super) fn events(&self) -> impl Iterator<Item = &Event> {
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
        Event { ty: EventTypeId(ty), slot: Slot(slot), recoveries: 0 }
    }

    fn feed(join: &mut Join, arrivals: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let mut fired = Vec::new();
        for (nth, (ty, inputs)) in arrivals.iter().enumerate() {
            if let Some(set) = join.add(event(*ty, nth as u32), *inputs, nth as u64) {
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
        let restore = |set: &[Option<Kept>], later: &[Kept]| Join::restore(set, later, inputs);
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
        assert_eq!(join.fill(), (0b01, 2));
        assert_eq!(join.events().count(), 3);
    }
}
