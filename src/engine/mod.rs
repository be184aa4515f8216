//! The engine: a pure state machine, `(state, tick, now) -> commands`.
//!
//! It decides which step runs on which events, and when. It knows no JavaScript, no clock, no randomness, no input or
//! output and no payloads: events are integers, and time and ids come in with the ticks. What has to be done comes out
//! as [`Command`]s, which the host executes after the call has returned.
//!
//! # Layout
//!
//! - `tick.rs`: what goes in, and the commands that come out; `words.rs`: commands as words, written and read.
//! - `reduce.rs`: checks and applies a tick. Its methods are in `route.rs` (events), `wait.rs` (requests of steps) and
//!   `failure.rs` (failed attempts).
//! - `graph.rs`, `validate.rs`: event types and steps, and mistakes in them; `retry.rs`: retry policies.
//! - `group.rs`: arrays of events, and the steps that gather what comes of one.
//! - `state.rs`, `arena.rs`, `join.rs`, `pattern.rs`, `ids.rs`: the state and its parts.
//! - `image.rs`: a run as data; `capture.rs`, `restore.rs`: from a state to its image, and back.
//! - `inspect.rs`: reads the state, for messages and replays; `trace.rs`: records of what happens, for observers.
//!
//! # Invariants
//!
//! Each names the test that guards it; those without a file are in `tests/engine_laws.rs`.
//!
//! 1. The same ticks give the same state and the same commands (`same_ticks_same_state`).
//! 2. No event is lost or delivered twice (`no_event_is_lost_or_delivered_twice`).
//! 3. A step never has more invocations running than its `workers`, and starts them in the order of arrival
//!    (`workers_are_respected_and_queues_are_fair`).
//! 4. A slot is released once, when the last reference is gone (`every_slot_is_released_once`).
//! 5. No tick panics, whatever ids it names, and a refused tick changes nothing (`forged_ids_are_refused`,
//!    `tests/engine_forgery.rs`).
//! 6. A run waits only for what the outside can send; otherwise it stalls at once
//!    (`a_run_stalls_when_no_event_that_is_possible_can_move_it`).
//! 7. A run that was captured after any tick and restored behaves as if nothing had happened (`tests/snapshot_laws.rs`:
//!    `restoring_a_run_changes_nothing`), and no image makes the engine panic (`tests/snapshot_hostile.rs`:
//!    `contradictions_are_refused_or_make_a_run`).
//! 8. The short ways of a tick come to the same state and the same commands as the general way
//!    (`tests/engine_shortcuts.rs`).
//! 9. The cost of a tick does not depend on history or on the number of pending events (`tests/engine_cost.rs`). It
//!    depends on what the tick starts. An engine shares nothing with others but the graph, so it does not depend on the
//!    number of runs either.
//! 10. Tracing a run changes nothing but that there are records among its commands (`tests/engine_trace.rs`).
//! 11. Nothing here knows JavaScript, a clock or code of the host (`tests/layers.rs`).
//!
//! # Example
//!
//! ```
//! use std::{cell::RefCell, rc::Rc};
//! use stepstream::engine::*;
//!
//! let mut graph = Graph::new();
//! let start = graph.add_type(Role::Start, &[]).unwrap();
//! let stop = graph.add_type(Role::Stop, &[]).unwrap();
//! graph.add_step(Step { inputs: vec![vec![start]], outputs: Some(vec![stop]), ..Step::default() }).unwrap();
//!
//! let mut engine = Engine::new(Rc::new(RefCell::new(graph)), RunOptions::default());
//! engine.apply(Tick::Start { ty: start, slot: Slot(0) }, Millis(0)).unwrap();
//! let commands: Vec<Command> = engine.drain().collect();
//! let Some(Command::Invoke { invocation, .. }) = commands.last() else { panic!() };
//!
//! let done = Tick::Complete { invocation: *invocation, output: Some((stop, Slot(1))), matches: vec![] };
//! engine.apply(done, Millis(5)).unwrap();
//! assert!(matches!(engine.status(), Status::Ended(Outcome::Completed(_))));
//! ```
#![forbid(unsafe_code)]

mod arena;
mod capture;
mod failure;
mod graph;
mod group;
mod ids;
mod image;
mod inspect;
mod join;
mod pattern;
mod reduce;
mod restore;
mod retry;
mod route;
mod state;
mod tick;
mod trace;
mod validate;
mod wait;
mod words;

use std::cell::RefCell;
use std::rc::Rc;

pub use graph::{Collect, EventType, Graph, Handler, MAX_INPUTS, Role, Route, Step};
pub use ids::{Event, EventTypeId, GroupId, InvocationId, Millis, Slot, StepId, TimerKey, WaitId};
pub use image::{
    AnswerImage, BufferImage, Captured, CollectionImage, Condition, EntryImage, EventImage, FailureImage,
    GatheredImage, GroupImage, Image, InvocationImage, JoinImage, KeptImage, RequestImage, SentImage,
};
pub use inspect::{InFlight, OpenCollection, OpenJoin, OpenList, OpenWait, Pause, Question};
pub use pattern::{Pattern, Patterns};
pub use restore::{Refusal, RestoreOptions};
pub use retry::{RetryPolicy, Stop, Wait};
pub use state::{Buffer, Limits, RunOptions, State, Status};
pub use tick::{Command, Inputs, List, Outcome, Tick, TickOutput, Verdict};
pub use trace::{Trace, TraceKind};
pub use validate::Finding;
pub use words::Commands;
#[cfg(target_arch = "wasm32")]
pub(crate) use words::{HEADER, NONE, Out, op};

use crate::error::Code;

/// A run's state together with its graph and the commands that wait to be taken.
#[derive(Debug)]
pub struct Engine {
    graph: Rc<RefCell<Graph>>,
    state: State,
    commands: words::Out,
}

impl Engine {
    /// A run that has not begun. The graph may get further event types later, but no further steps.
    #[must_use]
    pub fn new(graph: Rc<RefCell<Graph>>, options: RunOptions) -> Engine {
        let state = State::new(&graph.borrow(), options);
        Engine { graph, state, commands: words::Out::new() }
    }

    /// Applies what happened at `now`, in the run's alive time. The commands that result are then in
    /// [`drain`](Engine::drain). A `now` earlier than the last one counts as the last one.
    ///
    /// # Errors
    /// [`Code::RunEnded`] when the run is over; [`Code::StaleId`] when an id does not exist, or a slot is in use;
    /// [`Code::AttemptEnded`] when the invocation is over or is not running; [`Code::EventNotTaken`] when the target
    /// does not take the event; [`Code::NoStartStep`] when no step takes the start event. A refused tick changes
    /// nothing.
    pub fn apply(&mut self, tick: Tick, now: Millis) -> Result<TickOutput, Code> {
        let graph = self.graph.borrow();
        reduce::reduce(&graph, &mut self.state, &mut self.commands, tick, now)
    }

    /// [`Tick::Complete`] without making one: the busiest tick of all.
    ///
    /// # Errors
    /// As [`apply`](Engine::apply).
    pub fn complete(
        &mut self,
        invocation: InvocationId,
        output: Option<(EventTypeId, Slot)>,
        matches: &[WaitId],
        now: Millis,
    ) -> Result<(), Code> {
        let graph = self.graph.borrow();
        reduce::reduce_complete(&graph, &mut self.state, &mut self.commands, invocation, output, matches, now)
    }

    /// [`Tick::Send`] without making one.
    ///
    /// # Errors
    /// As [`apply`](Engine::apply).
    pub fn send(
        &mut self,
        from: Option<InvocationId>,
        event: (EventTypeId, Slot),
        target: Option<StepId>,
        matches: &[WaitId],
        now: Millis,
    ) -> Result<(), Code> {
        let graph = self.graph.borrow();
        reduce::reduce_send(&graph, &mut self.state, &mut self.commands, from, event, target, matches, now)
    }

    /// [`Tick::Collect`], or with a buffer [`Tick::CollectInto`], with a list that was made ready by
    /// [`pattern`](Engine::pattern). The buffer is not empty.
    ///
    /// # Errors
    /// As [`apply`](Engine::apply).
    pub fn collect(
        &mut self,
        invocation: InvocationId,
        event: (EventTypeId, Slot),
        pattern: &Pattern,
        buffer: Buffer,
        now: Millis,
    ) -> Result<TickOutput, Code> {
        let graph = self.graph.borrow();
        let lists = (pattern.expected(), &pattern.sorted);
        reduce::reduce_collect(&graph, &mut self.state, &mut self.commands, invocation, event, lists, buffer, now)
    }

    /// The commands that have come up since the last call: deadlines that have changed, then the others in their
    /// order.
    pub fn drain(&mut self) -> Commands<'_> {
        Commands::new(&mut self.commands)
    }

    /// The same as words.
    #[cfg(target_arch = "wasm32")]
    #[inline(always)]
    pub(crate) fn out(&mut self) -> &mut Out {
        &mut self.commands
    }

    /// A run like this one that does not keep failures for the next attempt, as in version 2 of the format and before:
    /// their journals name slots again that would not be free otherwise.
    #[must_use]
    pub(crate) fn without_failures(mut self) -> Engine {
        self.state.keeps_failures = false;
        self
    }

    /// A run like this one whose every tick goes the general way, also where there is a shorter one. It comes to the
    /// same state and the same commands; tests compare the two.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn without_shortcuts(mut self) -> Engine {
        self.commands.without_shortcuts();
        self
    }

    /// Where the run is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.state.status
    }

    /// The state, to look at and to compare.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The graph that the run follows.
    #[must_use]
    pub fn graph(&self) -> &Rc<RefCell<Graph>> {
        &self.graph
    }
}
