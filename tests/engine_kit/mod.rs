//! A small language for tests of the engine: `Flow` builds a graph, `Host` plays the JavaScript side. The host keeps
//! payloads in slots and carries out every command, so each test also proves that slots are released once and in time,
//! that deadlines are set and cleared in pairs, and that a refused tick changes nothing.
// Every test file compiles this module for itself and uses a part of it.
#![allow(dead_code, unused_imports)]

mod host;

use std::cell::RefCell;
use std::rc::Rc;

use stepstream::engine::{
    Collect, EventTypeId, Graph, Handler, Limits, Millis, RetryPolicy, Role, RunOptions, Step, StepId, Stop, Wait,
};

pub use host::{Asking, Call, Host, Open, Turn, WaitResult, slot_of, slots_of};

/// A graph in the making, with one event type of each role.
pub struct Flow {
    pub graph: Graph,
    pub start: EventTypeId,
    pub stop: EventTypeId,
    pub ask: EventTypeId,
    pub human: EventTypeId,
    pub failed: EventTypeId,
}

impl Flow {
    pub fn new() -> Flow {
        let mut graph = Graph::new();
        let mut add = |role| graph.add_type(role, &[]).expect("a type without parents is always taken");
        let (start, stop) = (add(Role::Start), add(Role::Stop));
        let (ask, human) = (add(Role::InputRequired), add(Role::HumanResponse));
        let failed = add(Role::StepFailed);
        Flow { graph, start, stop, ask, human, failed }
    }

    /// A new plain event type.
    pub fn event(&mut self) -> EventTypeId {
        self.graph.add_type(Role::Plain, &[]).expect("a type without parents is always taken")
    }

    /// A new event type that is a kind of `parent`.
    pub fn kind_of(&mut self, parent: EventTypeId) -> EventTypeId {
        let ancestry = self.graph.types()[parent.index()].lineage.clone();
        self.graph.add_type(Role::Plain, &ancestry).expect("the parents are in the graph")
    }

    /// A step with one input for each of `inputs`.
    pub fn step(&mut self, inputs: &[EventTypeId], outputs: &[EventTypeId]) -> StepId {
        self.add(takes(inputs, outputs))
    }

    pub fn add(&mut self, step: Step) -> StepId {
        self.graph.add_step(step).expect("the step is well made")
    }

    /// A step that gathers all events of a type that descend from one array, or the first `take` of them.
    pub fn collect(&mut self, ty: EventTypeId, take: Option<u32>, outputs: &[EventTypeId]) -> StepId {
        self.add(Step { collect: Some(Collect { take }), ..takes(&[ty], outputs) })
    }

    /// An error handler for `steps`, or for all that have none.
    pub fn handler(&mut self, steps: &[StepId], max_recoveries: u32) -> StepId {
        self.add(Step { handler: Some(Handler { steps: steps.to_vec(), max_recoveries }), ..Step::default() })
    }

    /// A run that has not begun.
    pub fn ready(self, options: RunOptions) -> Host {
        let types = [self.start, self.stop, self.failed, self.human];
        Host::new(Rc::new(RefCell::new(self.graph)), options, types)
    }

    /// A run that has begun with the event `"start"`.
    pub fn run(self) -> Host {
        self.run_with(RunOptions::default())
    }

    pub fn run_with(self, options: RunOptions) -> Host {
        let mut host = self.ready(options);
        host.begin();
        host
    }
}

/// A step with one input for each of `inputs`, to be filled in further.
pub fn takes(inputs: &[EventTypeId], outputs: &[EventTypeId]) -> Step {
    Step { inputs: inputs.iter().map(|ty| vec![*ty]).collect(), outputs: Some(outputs.to_vec()), ..Step::default() }
}

/// Attempts in all, with the same pause between them.
pub fn attempts(most: u32, pause: u64) -> Option<RetryPolicy> {
    Some(RetryPolicy { wait: Wait::Fixed(Millis(pause)), stop: Stop::Attempts(most) })
}

pub fn kept_at_most(kept_events: u32) -> RunOptions {
    RunOptions { limits: Limits { kept_events, ..Limits::default() }, ..RunOptions::default() }
}

pub fn steps_at_most(steps: u64) -> RunOptions {
    RunOptions { limits: Limits { steps, ..Limits::default() }, ..RunOptions::default() }
}
