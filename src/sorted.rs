//! An ordered map for keys that mostly come in ascending order.
//!
//! A B-tree from the standard library would do, but each kind of one adds some 7 kB to what every visitor of a page
//! downloads; this adds a tenth of that. Wait and timer numbers ascend, so they are appended; types are few.

/// Key and value pairs in the order of the keys. A removed pair leaves a gap, and when the gaps are the majority they
/// are closed: so inserting at the end, removing anywhere and finding the first take O(log n) on average, and memory
/// follows what is alive.
#[derive(Clone, Debug)]
pub(crate) struct SortedMap<K, V> {
    pairs: Vec<(K, Option<V>)>,
    /// Everything before this is a gap.
    first: usize,
    live: usize,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        SortedMap { pairs: Vec::new(), first: 0, live: 0 }
    }
}

impl<K: Ord + Clone, V> SortedMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    fn find(&self, key: &K) -> Result<usize, usize> {
        self.pairs.binary_search_by(|(other, _)| other.cmp(key))
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.pairs[self.find(key).ok()?].1.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.find(key).ok()?;
        self.pairs[at].1.as_mut()
    }

    /// The value under a key; a default is put there if there was none.
    pub(crate) fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let at = match self.find(&key) {
            Ok(at) => at,
            Err(at) => {
                self.pairs.insert(at, (key, None));
                at
            }
        };
        self.first = self.first.min(at);
        let value = &mut self.pairs[at].1;
        if value.is_none() {
            self.live += 1;
        }
        value.get_or_insert_with(V::default)
    }

    /// Puts a value under a key; returns the one that was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (at, previous) = match self.find(&key) {
            Ok(at) => (at, self.pairs[at].1.replace(value)),
            Err(at) => {
                self.pairs.insert(at, (key, Some(value)));
                (at, None)
            }
        };
        self.first = self.first.min(at);
        self.live += usize::from(previous.is_none());
        previous
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.find(key).ok()?;
        let value = self.pairs[at].1.take()?;
        self.live -= 1;
        if self.live * 2 < self.pairs.len() {
            self.pairs.retain(|(_, value)| value.is_some());
            self.first = 0;
        } else if at == self.first {
            // The majority is alive, so the next one is never far on average.
            self.first += self.pairs[at..].iter().take_while(|(_, value)| value.is_none()).count();
        }
        Some(value)
    }

    pub(crate) fn clear(&mut self) {
        *self = SortedMap::default();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.pairs[self.first..].iter().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The lowest key.
    pub(crate) fn first(&self) -> Option<&K> {
        self.iter().next().map(|(key, _)| key)
    }
}

/// Sorts what has no equals. A heapsort (J. Williams, 1964): a small function for all that the engine sorts, where the
/// standard library's sorts would add 5 kB for each kind of member.
pub(crate) fn sort<T: Ord>(list: &mut [T]) {
    let sift = |list: &mut [T], mut at: usize, end: usize| {
        loop {
            let mut child = 2 * at + 1;
            if child >= end {
                return;
            }
            if child + 1 < end && list[child] < list[child + 1] {
                child += 1;
            }
            if list[at] >= list[child] {
                return;
            }
            list.swap(at, child);
            at = child;
        }
    };
    if list.is_sorted() {
        return;
    }
    for at in (0..list.len() / 2).rev() {
        sift(list, at, list.len());
    }
    for end in (1..list.len()).rev() {
        list.swap(0, end);
        sift(list, 0, end);
    }
}

/// Gaps do not count.
impl<K: Ord + Clone, V: PartialEq> PartialEq for SortedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<K: Ord + Clone, V: Eq> Eq for SortedMap<K, V> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_map(steps in proptest::collection::vec((0u8..3, 0u16..40, any::<u8>()), 0..400)) {
            let (mut map, mut model) = (SortedMap::default(), BTreeMap::new());
            for (kind, key, value) in steps {
                match kind {
                    0 => prop_assert_eq!(map.insert(key, value), model.insert(key, value)),
                    1 => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                    _ => prop_assert_eq!(map.or_default(key), model.entry(key).or_default()),
                }
                prop_assert!(map.iter().eq(model.iter()));
                prop_assert_eq!(map.len(), model.len());
                prop_assert_eq!(map.first(), model.keys().next());
                prop_assert_eq!(map.get(&key), model.get(&key));
                prop_assert!(map.pairs.len() <= 2 * model.len() + 1);
            }
        }
    }

    proptest! {
        #[test]
        fn sort_sorts(mut list in proptest::collection::vec((0u64..50, 0u32..50), 0..200)) {
            let mut expected = list.clone();
            expected.sort_unstable();
            sort(&mut list);
            prop_assert_eq!(list, expected);
        }
    }

    #[test]
    fn a_queue_of_many_is_quick() {
        let mut map = SortedMap::default();
        (0..200_000u32).for_each(|key| assert!(map.insert(key, ()).is_none()));
        (0..200_000u32).for_each(|key| {
            assert_eq!(map.first(), Some(&key));
            map.remove(&key);
        });
        assert!(map.is_empty() && map.pairs.is_empty());
    }
}
