//! What a running step asks for: events, sleep, collections. Results are logged with the invocation, so that a later
//! attempt that makes the same requests gets what was already received.

use super::graph::Graph;
use super::ids::{Event, EventTypeId, InvocationId, Millis, Slot, TimerKey, WaitId};
use super::reduce::Reducer;
use super::state::{
    Awaited, Buffer, Expected, Held, Kept, LogEntry, Memory, Request, RequestResult, TimerTarget, Waiter,
};
use super::tick::{Command, TickOutput};
use crate::sorted::SortedMap;

/// A wait that a step asks for; see [`Tick::Wait`](super::tick::Tick::Wait).
pub(super) struct Asking {
    pub ty: EventTypeId,
    pub id: Option<Box<str>>,
    pub timeout: Option<Millis>,
    pub predicated: bool,
    pub claim: Option<Slot>,
    /// The event that is published with it.
    pub question: Option<Slot>,
}

/// A request in the log.
struct Asked {
    /// Its place in the log.
    entry: u32,
    result: RequestResult,
    /// Whether no earlier attempt has made it.
    is_new: bool,
}

impl Reducer<'_> {
    pub(super) fn wait(&mut self, id: InvocationId, asking: Asking) -> TickOutput {
        let Asking { ty, id: name, timeout, predicated, claim, question } = asking;
        let Asked { entry, result, is_new } = self.ask(id, Request::Event { ty, id: name });
        if let Some(question) = question {
            self.publish_with(id, entry, question, is_new);
        }
        let (wait, left_open) = match result {
            // Left open by a restore. The running attempt decides anew whether the wait is conditional; the deadline
            // stays.
            RequestResult::Pending { wait, timer } => {
                self.close(wait);
                (wait, Some(timer))
            }
            _ => (self.next_wait(), None),
        };
        match result {
            RequestResult::Received(event) => self.out.push(Command::Resolve { wait, slot: event.slot }),
            RequestResult::Elapsed => self.out.push(Command::Expire { wait }),
            RequestResult::Withdrawn(_) => self.ask_in_vain(wait, id, entry),
            _ => match self.claim_kept(ty, predicated, claim) {
                // The reference of the kept event now belongs to the log.
                Some(event) => {
                    self.clear_timer(left_open.flatten());
                    self.set_result(id, entry, RequestResult::Received(event));
                    self.trace_taken(event, id);
                    self.out.push(Command::Resolve { wait, slot: event.slot });
                }
                None => {
                    let timer = match left_open {
                        Some(timer) => timer,
                        None => timeout.map(|timeout| self.set_timer(timeout, TimerTarget::Wait(wait))),
                    };
                    self.trace_waiting(id, Some(ty), timer);
                    let awaited = Awaited::Event { ty, predicated };
                    self.open(wait, Waiter { awaited, invocation: id, entry, asked: true }, timer);
                    self.change(id, |invocation| invocation.blocked += 1);
                }
            },
        }
        TickOutput::Wait(wait)
    }

    pub(super) fn sleep(&mut self, id: InvocationId, delay: Millis) -> TickOutput {
        let Asked { entry, result, .. } = self.ask(id, Request::Sleep);
        if let RequestResult::Pending { wait, timer } = result {
            // Left open by a restore: its deadline stays.
            self.trace_waiting(id, None, timer);
            if let Some(waiter) = self.state.waiters.get_mut(&wait) {
                waiter.asked = true;
            }
            self.change(id, |invocation| invocation.asleep += 1);
            return TickOutput::Wait(wait);
        }
        let wait = self.next_wait();
        match result {
            RequestResult::Elapsed => self.out.push(Command::Wake { wait }),
            RequestResult::Withdrawn(_) => self.ask_in_vain(wait, id, entry),
            _ => {
                let timer = Some(self.set_timer(delay, TimerTarget::Wait(wait)));
                self.trace_waiting(id, None, timer);
                self.open(wait, Waiter { awaited: Awaited::Time, invocation: id, entry, asked: true }, timer);
                self.change(id, |invocation| invocation.asleep += 1);
            }
        }
        TickOutput::Wait(wait)
    }

    /// Opens a wait that takes nothing, because an earlier attempt has withdrawn it: an event that it took now would be
    /// missing where the earlier attempt received it.
    fn ask_in_vain(&mut self, wait: WaitId, id: InvocationId, entry: u32) {
        self.state.waiters.insert(wait, Waiter { awaited: Awaited::Nothing, invocation: id, entry, asked: true });
        self.set_result(id, entry, RequestResult::Withdrawn(Some(wait)));
        self.change(id, |invocation| invocation.blocked += 1);
    }

    /// Whether an attempt has asked for a wait or sleep that is open.
    pub(super) fn is_open(&self, id: InvocationId, wait: WaitId) -> bool {
        self.state.waiters.get(&wait).is_some_and(|waiter| waiter.invocation == id && waiter.asked)
    }

    /// Closes a wait or sleep that is open.
    pub(super) fn withdraw(&mut self, id: InvocationId, wait: WaitId) {
        if self.is_open(id, wait)
            && let Some(waiter) = self.close(wait)
        {
            self.settle(waiter, RequestResult::Withdrawn(None));
        }
    }

    /// Publishes the event that comes with a question, when the question is new.
    fn publish_with(&mut self, id: InvocationId, entry: u32, slot: Slot, is_new: bool) {
        self.adopt_slot(slot);
        if is_new {
            self.out.push(Command::Publish { slot });
        }
        self.release(slot);
        if let Some(entry) = self.entry(id, entry) {
            entry.published = true;
        }
    }

    /// Stores the result of `once`.
    pub(super) fn once(&mut self, id: InvocationId, key: Box<str>, slot: Slot) {
        self.adopt_slot(slot);
        let known = self.state.invocations.get_mut(id).is_none_or(|invocation| {
            let once = &mut invocation.memory().once;
            let known = once.iter().any(|(other, _)| *other == key);
            if !known {
                once.push((key, slot));
            }
            known
        });
        if known {
            self.release(slot);
        }
    }

    pub(super) fn collect(
        &mut self,
        id: InvocationId,
        ty: EventTypeId,
        slot: Slot,
        expected: (&[EventTypeId], Option<&Expected>),
        buffer: Buffer,
    ) -> TickOutput {
        let event = self.adopt(ty, slot, 0);
        let Asked { entry, result, .. } = self.ask(id, Request::Collect);
        if let RequestResult::Collected(found) = result {
            self.release(slot);
            return TickOutput::Collected(found);
        }
        let found = self.gather(id, event, expected, buffer);
        self.set_result(id, entry, RequestResult::Collected(found.clone()));
        TickOutput::Collected(found)
    }

    fn gather(
        &mut self,
        id: InvocationId,
        event: Event,
        (expected, sorted): (&[EventTypeId], Option<&Expected>),
        buffer: Buffer,
    ) -> Option<Box<[Event]>> {
        let step = self.state.invocations.get(id)?.step;
        if !expected.iter().any(|ty| self.graph.is_kind_of(event.ty, *ty)) {
            self.release(event.slot);
            return None;
        }
        let key = (step, sorted.map_or_else(|| sorted_types(expected), Expected::clone), buffer);
        let order = self.arrival();
        let held = self.state.collections.or_default(key.clone());
        held.or_default(event.ty).push_back(Kept { event, order });
        let found = self.graph.pick(held, expected)?;
        // The events that were picked of a type are its oldest.
        for event in &found {
            if let Some(queue) = held.get_mut(&event.ty) {
                queue.pop_front();
                if queue.is_empty() {
                    held.remove(&event.ty);
                }
            }
        }
        if held.is_empty() {
            self.state.collections.remove(&key);
        }
        Some(found)
    }

    /// The log entry of a request. If an earlier attempt has made the same request and this one has not, it is the
    /// first such entry, and its result is returned. That is the next entry, unless the handler makes several requests
    /// at a time, which may come in another order now.
    fn ask(&mut self, id: InvocationId, request: Request) -> Asked {
        let Some(invocation) = self.state.invocations.get_mut(id) else {
            return Asked { entry: 0, result: RequestResult::Vacant, is_new: false };
        };
        let Memory { log, cursor, .. } = invocation.memory();
        let rest = log.iter().skip(*cursor as usize);
        let at = *cursor as usize + rest.take_while(|entry| entry.asked || entry.request != request).count();
        let is_new = at == log.len();
        match log.get_mut(at) {
            Some(entry) => entry.asked = true,
            None => log.push(LogEntry { request, result: RequestResult::Vacant, asked: true, published: false }),
        }
        while log.get(*cursor as usize).is_some_and(|entry| entry.asked) {
            *cursor += 1;
        }
        Asked { entry: at as u32, result: log[at].result.clone(), is_new }
    }

    fn entry(&mut self, id: InvocationId, entry: u32) -> Option<&mut LogEntry> {
        self.state.invocations.get_mut(id)?.memory.as_mut()?.log.get_mut(entry as usize)
    }

    fn set_result(&mut self, id: InvocationId, entry: u32, result: RequestResult) {
        if let Some(entry) = self.entry(id, entry) {
            entry.result = result;
        }
    }

    fn next_wait(&mut self) -> WaitId {
        let wait = WaitId(self.state.next_wait);
        self.state.next_wait = wait.0.wrapping_add(1);
        wait
    }

    fn open(&mut self, wait: WaitId, waiter: Waiter, timer: Option<TimerKey>) {
        if let Awaited::Event { ty, predicated: false } = waiter.awaited {
            self.state.plain_waits.or_default(ty).insert(wait, ());
        }
        self.set_result(waiter.invocation, waiter.entry, RequestResult::Pending { wait, timer });
        self.state.waiters.insert(wait, waiter);
    }

    fn close(&mut self, wait: WaitId) -> Option<Waiter> {
        let waiter = self.state.waiters.remove(&wait)?;
        if let Some(ty) = waiter.ty()
            && let Some(queue) = self.state.plain_waits.get_mut(&ty)
        {
            queue.remove(&wait);
            if queue.is_empty() {
                self.state.plain_waits.remove(&ty);
            }
        }
        Some(waiter)
    }

    /// Closes the open waits of an invocation that is over or will be retried.
    pub(super) fn close_waits(&mut self, log: &mut [LogEntry]) {
        for entry in log {
            match entry.result {
                RequestResult::Pending { wait, timer } => {
                    self.close(wait);
                    self.clear_timer(timer);
                    entry.result = RequestResult::Vacant;
                }
                RequestResult::Withdrawn(Some(wait)) => {
                    self.close(wait);
                    entry.result = RequestResult::Withdrawn(None);
                }
                _ => {}
            }
        }
    }

    /// Gives the event to the wait that has been open longest, if one is open for it.
    pub(super) fn satisfy(&mut self, event: Event, matches: &[WaitId]) -> bool {
        if self.state.waiters.is_empty() {
            return false;
        }
        let fits = |wait: &&WaitId| {
            let waiter = self.state.waiters.get(wait);
            waiter.and_then(Waiter::ty).is_some_and(|ty| self.graph.is_kind_of(event.ty, ty))
        };
        let lineage = &self.graph.types()[event.ty.index()].lineage;
        let plain = lineage.iter().filter_map(|ty| self.state.plain_waits.get(ty)?.first());
        let Some(wait) = plain.chain(matches.iter().filter(fits)).min().copied() else { return false };
        self.give(wait, event)
    }

    /// Gives the event to a wait. Returns whether it is open.
    fn give(&mut self, wait: WaitId, event: Event) -> bool {
        let Some(waiter) = self.close(wait) else { return false };
        self.retain(event.slot);
        self.trace_taken(event, waiter.invocation);
        self.settle(waiter, RequestResult::Received(Event { group: None, ..event }));
        if waiter.asked {
            self.out.push(Command::Resolve { wait, slot: event.slot });
        }
        true
    }

    /// The outside answers a wait.
    pub(super) fn answer(&mut self, wait: WaitId, ty: EventTypeId, slot: Slot) {
        let event = self.adopt(ty, slot, 0);
        self.trace_sent(event, None);
        self.out.push(Command::Publish { slot });
        self.give(wait, event);
        self.release(slot);
    }

    pub(super) fn elapse(&mut self, wait: WaitId) {
        let Some(waiter) = self.close(wait) else { return };
        self.settle(waiter, RequestResult::Elapsed);
        if waiter.asked {
            self.out.push(if waiter.ty().is_some() { Command::Expire { wait } } else { Command::Wake { wait } });
        }
    }

    fn settle(&mut self, waiter: Waiter, result: RequestResult) {
        let pending =
            self.entry(waiter.invocation, waiter.entry).map(|entry| core::mem::replace(&mut entry.result, result));
        if let Some(RequestResult::Pending { timer, .. }) = pending {
            self.clear_timer(timer);
        }
        if waiter.asked {
            self.change(waiter.invocation, |invocation| {
                let count = if waiter.blocks() { &mut invocation.blocked } else { &mut invocation.asleep };
                *count = count.saturating_sub(1);
            });
        }
    }

    /// Takes the oldest kept event that fits. A predicated wait takes only the one that the host has chosen.
    fn claim_kept(&mut self, ty: EventTypeId, predicated: bool, claim: Option<Slot>) -> Option<Event> {
        if self.state.kept.is_empty() || predicated && claim.is_none() {
            return None;
        }
        let kinds = &self.graph.types()[ty.index()].kinds;
        let found = kinds.iter().filter_map(|kind| {
            let queue = self.state.kept.get(kind)?;
            let nth = match claim {
                Some(slot) if predicated => queue.iter().position(|kept| kept.event.slot == slot)?,
                _ => 0,
            };
            Some((queue.get(nth)?.order, *kind, nth))
        });
        let (_, kind, nth) = found.min()?;
        let queue = self.state.kept.get_mut(&kind)?;
        // As `remove` does, whose ways for all cases are more code than the rest of this function.
        (0..nth).rev().for_each(|before| queue.swap(before, before + 1));
        let kept = queue.pop_front()?;
        if queue.is_empty() {
            self.state.kept.remove(&kind);
        }
        Some(kept.event)
    }
}

/// What a collection expects, in an order that does not depend on how it was asked for.
pub(crate) fn sorted_types(types: &[EventTypeId]) -> Expected {
    if types.is_sorted() {
        return Expected(types.into());
    }
    // Long lists have few types.
    let mut counts: SortedMap<EventTypeId, usize> = SortedMap::default();
    for ty in types {
        *counts.or_default(*ty) += 1;
    }
    Expected(counts.iter().flat_map(|(ty, count)| core::iter::repeat_n(*ty, *count)).collect())
}

impl Graph {
    /// One held event for each expected type, the oldest that fits. The most special types choose first, so that an
    /// event is not used for an ancestor while its own type has no other.
    pub(super) fn pick(&self, held: &Held, expected: &[EventTypeId]) -> Option<Box<[Event]>> {
        if held.values().map(|queue| queue.len()).sum::<usize>() < expected.len() {
            return None;
        }
        self.choose(held, expected, true).into_iter().collect()
    }

    /// The expected types for which no event is held.
    pub(super) fn unpicked(&self, held: &Held, expected: &[EventTypeId]) -> Vec<EventTypeId> {
        let chosen = self.choose(held, expected, false);
        expected.iter().zip(chosen).filter(|(_, chosen)| chosen.is_none()).map(|(ty, _)| *ty).collect()
    }

    /// The event for each expected type, if there is one. With `all_or_nothing` the first type without an event ends
    /// the search.
    fn choose(&self, held: &Held, expected: &[EventTypeId], all_or_nothing: bool) -> Vec<Option<Event>> {
        let mut picked = vec![None; expected.len()];
        let depth = |nth: usize| self.types()[expected[nth].index()].lineage.len();
        let deepest = (0..expected.len()).map(depth).max().unwrap_or(0);
        let special_first =
            (1..=deepest).rev().flat_map(|level| (0..expected.len()).filter(move |nth| depth(*nth) == level));
        let mut taken: SortedMap<EventTypeId, usize> = SortedMap::default();
        for nth in special_first {
            let oldest = |kind: &EventTypeId| held.get(kind)?.get(taken.get(kind).copied().unwrap_or(0));
            let kinds = &self.types()[expected[nth].index()].kinds;
            let chosen = kinds.iter().filter_map(oldest).min_by_key(|kept| kept.order).map(|kept| kept.event);
            if let Some(chosen) = chosen {
                *taken.or_default(chosen.ty) += 1;
            }
            picked[nth] = chosen;
            if all_or_nothing && chosen.is_none() {
                break;
            }
        }
        picked
    }
}
