//! Deadlines in order, each removable by its ticket in logarithmic time.
//!
//! An indexed binary heap rather than two ordered maps, which are shorter to write but take 9 kB of gzipped wasm
//! against 4 kB, and rather than a heap that leaves cancelled entries in place, which would wake the host for nothing
//! and need compaction.
//!
//! Entries stay where they are; `order` is a permutation of their indices. Its first `len` places are the heap, the
//! places after them are the free entries, so that removal is one swap across that border and nothing ever leaks.

use std::task::Waker;

use crate::time::Millis;

/// What happens when a deadline has come.
pub(super) enum Alarm {
    /// The engine gets this key.
    Engine(u64),
    /// A sleeping task is woken.
    Task(Waker),
}

/// Names one entry for as long as it is in the heap, and nothing after that.
#[derive(Clone, Copy)]
pub(super) struct Ticket {
    index: usize,
    /// Counts all insertions: breaks ties between deadlines, and distinguishes an entry from a later one in the same
    /// place.
    sequence: u64,
}

struct Entry {
    deadline: Millis,
    sequence: u64,
    /// The place in `Heap::order` that holds this entry's index.
    place: usize,
    /// `None` while the entry is free.
    alarm: Option<Alarm>,
}

/// The heap. It runs no foreign code: what it removes, it returns for the caller to wake or drop.
#[derive(Default)]
pub(super) struct Heap {
    entries: Vec<Entry>,
    order: Vec<usize>,
    len: usize,
    next_sequence: u64,
}

impl Heap {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The earliest deadline.
    pub(super) fn first(&self) -> Option<Millis> {
        (self.len > 0).then(|| self.entries[self.order[0]].deadline)
    }

    pub(super) fn get(&self, ticket: Ticket) -> Option<&Alarm> {
        let entry = self.entries.get(ticket.index)?;
        let alarm = entry.alarm.as_ref()?;
        (entry.sequence == ticket.sequence).then_some(alarm)
    }

    pub(super) fn insert(&mut self, deadline: Millis, alarm: Alarm) -> Ticket {
        let place = self.len;
        let sequence = self.next_sequence;
        let entry = Entry { deadline, sequence, place, alarm: Some(alarm) };
        let index = match self.order.get(place) {
            Some(&free) => {
                self.entries[free] = entry;
                free
            }
            None => {
                self.order.push(place);
                self.entries.push(entry);
                place
            }
        };
        self.len += 1;
        self.next_sequence += 1;
        self.rise(place);
        Ticket { index, sequence }
    }

    pub(super) fn remove(&mut self, ticket: Ticket) -> Option<Alarm> {
        self.get(ticket)?;
        self.take(ticket.index)
    }

    /// Removes the first entry if its deadline has come.
    pub(super) fn pop_due(&mut self, now: Millis) -> Option<Alarm> {
        if self.first()? > now {
            return None;
        }
        self.take(self.order[0])
    }

    /// Frees an entry that is in the heap.
    fn take(&mut self, index: usize) -> Option<Alarm> {
        let place = self.entries[index].place;
        self.len -= 1;
        self.swap(place, self.len);
        if place < self.len {
            // The entry that came from the end may belong on either side of this place; at most one of these moves it.
            self.rise(place);
            self.sink(place);
        }
        self.entries[index].alarm.take()
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 {
            let parent = (place - 1) / 2;
            if !self.precedes(place, parent) {
                break;
            }
            self.swap(place, parent);
            place = parent;
        }
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let left = 2 * place + 1;
            if left >= self.len {
                break;
            }
            let right = left + 1;
            let child = if right < self.len && self.precedes(right, left) { right } else { left };
            if !self.precedes(child, place) {
                break;
            }
            self.swap(child, place);
            place = child;
        }
    }

    fn precedes(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.entries[self.order[a]], &self.entries[self.order[b]]);
        (a.deadline, a.sequence) < (b.deadline, b.sequence)
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.order.swap(a, b);
        self.entries[self.order[a]].place = a;
        self.entries[self.order[b]].place = b;
    }
}
