//! The lists that steps collect by. A list of thousands of types would cost more to hand over at each event than
//! everything else about it, so that a run may keep such lists and name them by numbers.

use super::Engine;
use super::ids::EventTypeId;
use super::state::Expected;
use super::wait::sorted_types;
use crate::error::Code;
use crate::hash::Fnv;

/// A list that is ready for [`Engine::collect`].
#[derive(Clone, Debug)]
pub struct Pattern {
    expected: Vec<EventTypeId>,
    pub(super) sorted: Expected,
}

impl Pattern {
    /// The types, in the order asked.
    #[must_use]
    pub fn expected(&self) -> &[EventTypeId] {
        &self.expected
    }

    /// Whether two lists are compared by their address alone.
    #[must_use]
    pub fn shares_list_with(&self, other: &Pattern) -> bool {
        std::rc::Rc::ptr_eq(&self.sorted.0, &other.sorted.0)
    }
}

impl Engine {
    /// Makes a list of types ready for [`collect`](Engine::collect).
    ///
    /// # Errors
    /// [`Code::StaleId`] when a type does not exist.
    pub fn pattern(&self, expected: Vec<EventTypeId>) -> Result<Pattern, Code> {
        let known = self.graph.borrow().types().len();
        if expected.iter().any(|ty| ty.index() >= known) {
            return Err(Code::StaleId);
        }
        let mut sorted = sorted_types(&expected);
        // A collection of a run that was restored has its own copy: two copies would be compared at each event.
        if let Some(((_, known, _), _)) = self.state.collections.iter().find(|((_, known, _), _)| *known == sorted) {
            sorted = known.clone();
        }
        Ok(Pattern { expected, sorted })
    }
}

/// The lists that a run keeps, each once. How much it keeps is limited, because nothing is ever taken out: a list may
/// be used again at any time.
#[derive(Debug, Default)]
pub struct Patterns {
    /// With the hash of each list.
    kept: Vec<(u64, Pattern)>,
    /// How many types all of them have together.
    types: usize,
}

impl Patterns {
    /// How many lists are kept at most.
    pub const MOST_LISTS: usize = 1024;

    /// How many types they may have together: 2 MB.
    pub const MOST_TYPES: usize = 1 << 18;

    /// No list is kept.
    #[must_use]
    pub const fn new() -> Patterns {
        Patterns { kept: Vec::new(), types: 0 }
    }

    /// The number of a list, which is kept from now on; `None` when that would be too much.
    ///
    /// # Errors
    /// [`Code::StaleId`] when a type does not exist.
    pub fn number(&mut self, engine: &Engine, expected: Vec<EventTypeId>) -> Result<Option<u32>, Code> {
        let mut hash = Fnv::new();
        expected.iter().for_each(|ty| hash.write(&ty.0.to_le_bytes()));
        let hash = hash.finish();
        let is_it = |(other, pattern): &(u64, Pattern)| *other == hash && pattern.expected == expected;
        if let Some(known) = self.kept.iter().position(is_it) {
            return Ok(Some(known as u32));
        }
        let pattern = engine.pattern(expected)?;
        let types = self.types + pattern.expected.len();
        if self.kept.len() == Patterns::MOST_LISTS || types > Patterns::MOST_TYPES {
            return Ok(None);
        }
        self.types = types;
        self.kept.push((hash, pattern));
        Ok(Some(self.kept.len() as u32 - 1))
    }

    /// The list of a number.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Pattern> {
        self.kept.get(number as usize).map(|(_, pattern)| pattern)
    }
}
