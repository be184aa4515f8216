//! A table whose places are reused and whose ids are not.

use super::ids::InvocationId;

/// A growable table. Ids carry a generation from one counter, so an id stays invalid for ever once its
/// entry is gone, and the table may shrink to nothing without forgetting that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arena<T> {
    places: Vec<Option<(u32, T)>>,
    free: Vec<u32>,
    next_generation: u32,
}

impl<T> Arena<T> {
    pub(super) const fn new() -> Self {
        Arena { places: Vec::new(), free: Vec::new(), next_generation: 0 }
    }

    /// How many entries are there now.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn generation(&mut self) -> u32 {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        generation
    }

    pub(super) fn insert(&mut self, value: T) -> InvocationId {
        let generation = self.generation();
        let entry = Some((generation, value));
        let index = match self.free.pop() {
            Some(index) => {
                self.places[index as usize] = entry;
                index
            }
            None => {
                self.places.push(entry);
                (self.places.len() - 1) as u32
            }
        };
        InvocationId { index, generation }
    }

    pub(super) fn get(&self, id: InvocationId) -> Option<&T> {
        match self.places.get(id.index as usize) {
            Some(Some((generation, value))) if *generation == id.generation => Some(value),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, id: InvocationId) -> Option<&mut T> {
        match self.places.get_mut(id.index as usize) {
            Some(Some((generation, value))) if *generation == id.generation => Some(value),
            _ => None,
        }
    }

    pub(super) fn remove(&mut self, id: InvocationId) -> Option<T> {
        let place = self.places.get_mut(id.index as usize)?;
        if !matches!(place, Some((generation, _)) if *generation == id.generation) {
            return None;
        }
        let (_, value) = place.take()?;
        if self.places.len() == self.free.len() + 1 {
            // An idle run keeps no memory of its busy past.
            self.clear();
        } else {
            self.free.push(id.index);
        }
        Some(value)
    }

    /// The entry, when removing it and inserting another would put that one into its place. With
    /// [`reuse`](Arena::reuse) this is the same as those two, without moving anything.
    #[inline]
    pub(super) fn replaceable(&mut self, id: InvocationId) -> Option<&mut T> {
        // An arena that is emptied begins at its first place again.
        let stays = self.places.len() == 1 || self.places.len() > self.free.len() + 1;
        match self.places.get_mut(id.index as usize) {
            Some(Some((generation, value))) if *generation == id.generation && stays => Some(value),
            _ => None,
        }
    }

    /// Gives a [`replaceable`](Arena::replaceable) entry, which has been changed into another, the id of one that was
    /// just inserted.
    #[inline]
    pub(super) fn reuse(&mut self, index: u32) -> InvocationId {
        let generation = self.generation();
        if let Some(Some(entry)) = self.places.get_mut(index as usize) {
            entry.0 = generation;
        }
        InvocationId { index, generation }
    }

    /// Removes an entry without returning it.
    #[inline]
    pub(super) fn forget(&mut self, index: u32) {
        if let Some(place) = self.places.get_mut(index as usize) {
            *place = None;
        }
        if self.places.len() == self.free.len() + 1 {
            self.clear();
        } else {
            self.free.push(index);
        }
    }

    /// Drops every entry. Their ids stay invalid.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.free.clear();
    }

    /// Gives the entry a new id; the old one is refused from now on.
    pub(super) fn renew(&mut self, id: InvocationId) -> Option<InvocationId> {
        self.get(id)?;
        let generation = self.generation();
        if let Some(Some(entry)) = self.places.get_mut(id.index as usize) {
            entry.0 = generation;
        }
        Some(InvocationId { index: id.index, generation })
    }

    /// Every entry with its id, in the order of the places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (InvocationId, &T)> {
        self.places.iter().enumerate().filter_map(|(index, place)| {
            place
                .as_ref()
                .map(|(generation, value)| (InvocationId { index: index as u32, generation: *generation }, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_id_is_refused_after_its_place_is_reused() {
        let mut arena = Arena::new();
        let a = arena.insert('a');
        let keep = arena.insert('k');
        assert_eq!(arena.remove(a), Some('a'));
        let b = arena.insert('b');
        assert_eq!(b.index, a.index);
        assert_eq!(arena.get(a), None);
        assert_eq!(arena.remove(a), None);
        assert_eq!(arena.get(b), Some(&'b'));
        assert_eq!(arena.get(keep), Some(&'k'));
    }

    #[test]
    fn an_emptied_arena_shrinks_and_still_refuses_old_ids() {
        let mut arena = Arena::new();
        let ids: Vec<_> = (0..100).map(|n| arena.insert(n)).collect();
        for id in &ids {
            arena.remove(*id);
        }
        assert!(arena.places.is_empty() && arena.free.is_empty());
        arena.insert(7);
        assert!(ids.iter().all(|id| arena.get(*id).is_none()));
    }

    #[test]
    fn renewing_moves_the_entry_to_a_new_id() {
        let mut arena = Arena::new();
        let old = arena.insert(1);
        let new = arena.renew(old).unwrap();
        assert_eq!(arena.get(old), None);
        assert_eq!(arena.get(new), Some(&1));
        assert_eq!(arena.renew(old), None);
    }
}
