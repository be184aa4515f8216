//! Deliberate panics, for the tests of what a program sees when there is a bug in here. Only builds with the feature
//! `crash-drill` have this, and the package never does.

use std::cell::Cell;

use wasm_bindgen::prelude::wasm_bindgen;

/// Where a panic can be asked for. Most places are in the middle of something: the instance is borrowed, and what is
/// being changed is half changed.
#[allow(dead_code)] // Each module passes its own places.
pub(super) enum Place {
    /// The engine has changed, and the host has no reply yet.
    Tick = 1,
    /// One deadline has been passed to the engine, and the next one has not.
    Wake = 2,
    /// A run has been captured, and its image is not written yet.
    Capture = 3,
    /// A run has been restored from a snapshot, and has no handle yet.
    Restore = 4,
    /// A tick of a replay has been applied.
    Replay = 5,
    /// A run is about to be freed.
    Free = 6,
    /// A call of a model has taken an input, and its outputs are not read yet.
    Call = 7,
}

thread_local! {
    /// The place, and how many more times it may be passed without a panic.
    static ARMED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// The instance panics when that place has been passed `spared` times and is passed again; place 0 is nowhere.
#[wasm_bindgen]
pub fn drill_arm(place: u32, spared: u32) {
    ARMED.set((place, spared));
}

/// Panics if a panic was asked for here.
pub(super) fn pass(place: Place) {
    let (armed, spared) = ARMED.get();
    if armed != place as u32 {
        return;
    }
    assert!(spared > 0, "a drill");
    ARMED.set((armed, spared - 1));
}
