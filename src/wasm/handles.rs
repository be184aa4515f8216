//! Handles: numbers that name what lives in this instance.

/// The lower bits of a handle are a place, the upper ones count the place's owners.
const PLACE_BITS: u32 = 20;
const OWNERS: u32 = 1 << (31 - PLACE_BITS);

/// A table of values named by handles. Handles fit in a positive i32. Freed places are reused in the order in which
/// they were freed, so that the count of a place's owners comes round as late as possible.
pub(super) struct Handles<T> {
    places: Vec<(u32, Option<T>)>,
    free: std::collections::VecDeque<u32>,
}

/// No freed place is reused while there are fewer than this, so that an old handle is recognised for longer.
const SPARE: usize = 64;

impl<T> Handles<T> {
    pub(super) const fn new() -> Self {
        Handles { places: Vec::new(), free: std::collections::VecDeque::new() }
    }

    pub(super) fn insert(&mut self, value: T) -> u32 {
        let spare = self.free.len() >= SPARE || self.places.len() >= 1 << PLACE_BITS;
        let place = match if spare { self.free.pop_front() } else { None } {
            Some(place) => place,
            None => {
                self.places.push((0, None));
                (self.places.len() - 1) as u32
            }
        };
        let (owner, at) = &mut self.places[place as usize];
        *at = Some(value);
        *owner << PLACE_BITS | place
    }

    #[inline]
    fn place(&self, handle: u32) -> Option<usize> {
        let place = (handle & ((1 << PLACE_BITS) - 1)) as usize;
        (self.places.get(place)?.0 == handle >> PLACE_BITS).then_some(place)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, handle: u32) -> Option<&mut T> {
        let place = self.place(handle)?;
        self.places[place].1.as_mut()
    }

    pub(super) fn remove(&mut self, handle: u32) -> Option<T> {
        let place = self.place(handle)?;
        let (owner, at) = &mut self.places[place];
        let value = at.take()?;
        *owner = (*owner + 1) % OWNERS;
        self.free.push_back(place as u32);
        Some(value)
    }
}
