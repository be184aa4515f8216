//! Deliberate panics, for the tests of what becomes of a program when there is a bug in here. Only builds with the feature `crash-drill`
//! have this, and the package never does.

use std::cell::Cell;

use wasm_bindgen::prelude::wasm_bindgen;

/// Where a panic can be had. Most are in the middle of something: the instance is borrowed, and what is being changed is half changed.
#[allow(dead_code)] // Each module passes its own.
pub(super) enum Place {
    /// After the engine has changed, before anybody has been told.
    Tick = 1,
    /// A deadline has been passed on, the next one has not.
    Wake = 2,
    /// A run has been frozen and its image not been written.
    Freeze = 3,
    /// A run has been made of a snapshot and has no handle yet.
    Thaw = 4,
    /// A tick of a replay has been applied.
    Replay = 5,
    /// A run is about to be freed.
    Free = 6,
    /// A call of a model has been told something and not been asked what is to be done.
    Call = 7,
}

thread_local! {
    /// The place, and how often it may still be passed.
    static ARMED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// The instance will panic when that place is passed the next time but `spared`; place 0 is nowhere.
#[wasm_bindgen]
pub fn drill_arm(place: u32, spared: u32) {
    ARMED.set((place, spared));
}

/// Panics if it was asked to.
pub(super) fn pass(place: Place) {
    let (armed, spared) = ARMED.get();
    if armed != place as u32 {
        return;
    }
    assert!(spared > 0, "a drill");
    ARMED.set((armed, spared - 1));
}
