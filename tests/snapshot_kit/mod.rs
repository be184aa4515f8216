//! Runs of scripted programs, for the laws of snapshots. A [`Blueprint`] says what a workflow's steps do; a [`Sim`] plays the host: it keeps
//! payloads in slots, runs each handler from its beginning, and forgets all of that when the run is recovered from bytes.
// Every test file compiles this module for itself and uses a part of it.
#![allow(dead_code, unused_imports)]

mod describe;
pub mod feed;
pub mod forge;
mod handlers;
mod mutate;
mod rough;
mod samples;
mod sim;

use std::cell::RefCell;
use std::rc::Rc;

use stepstream::engine::{
    Collect, EventTypeId, Graph, Handler, Millis, RetryPolicy, Role, RunOptions, Step, StepId, Verdict,
};

pub use describe::describe;
pub use mutate::{Change, mutate};
pub use rough::Rough;
pub use samples::{Sample, samples};
pub use sim::{Fiber, Op, Part, Position, Sending, Sim, State};

/// A type of a blueprint: one of the roles below, or a plain one from [`PLAIN`] on.
pub type Ty = usize;
pub const START: Ty = 0;
pub const STOP: Ty = 1;
pub const ASK: Ty = 2;
pub const HUMAN: Ty = 3;
pub const FAILED: Ty = 4;
pub const PLAIN: Ty = 5;
const ROLES: [Role; PLAIN] = [Role::Start, Role::Stop, Role::InputRequired, Role::HumanResponse, Role::StepFailed];
const ROLE_NAMES: [&str; PLAIN] = ["start", "stop", "ask", "human", "failed"];

/// What a handler does, one after the other. A span gives a duration of its own to everybody who asks, from 1 to the span.
#[derive(Clone, Debug)]
pub enum Action {
    /// Asks for an event. Picky: not any event will do.
    Wait {
        ty: Ty,
        named: bool,
        span: Option<u64>,
        picky: bool,
    },
    /// Asks for an event with a question.
    Ask {
        ty: Ty,
        span: Option<u64>,
        picky: bool,
    },
    /// Asks for an event and sleeps at a time, and takes back what comes later.
    Race {
        ty: Ty,
        span: u64,
        picky: bool,
    },
    /// Sleeps.
    Sleep {
        span: u64,
    },
    /// Does what must happen once.
    Once {
        key: u8,
    },
    /// Puts an event to those it collects.
    Collect {
        ty: Ty,
        expected: Vec<Ty>,
    },
    /// The same, apart from what the step collects otherwise.
    CollectInto {
        ty: Ty,
        expected: Vec<Ty>,
        buffer: &'static str,
    },
    /// Collects its own input until there are so many; what it returns then depends on what was collected alone.
    Gather {
        ty: Ty,
        count: usize,
    },
    /// Puts its inputs into an order of their own, so that what it returns does not depend on the order of arrival.
    Sort,
    /// Sends an event.
    Send {
        ty: Ty,
        target: Option<usize>,
    },
    /// Writes to the stream.
    Write {
        ty: Ty,
    },
    /// Fails, up to and with this attempt.
    Fail {
        until: u32,
        verdict: Verdict,
    },
    /// Begins, and ends, to wait for something of the outside's that the engine does not know.
    Block,
    Unblock,
    /// Begins, and ends, to wait for something that the engine does not know and that only time moves.
    Doze,
    Rouse,
    /// Works for this long without the engine.
    Work {
        span: u64,
    },
    /// Does several things at a time: each waits for one event, then for another.
    Several {
        parts: Vec<[Ty; 2]>,
    },
    /// In the first attempt: waits for what never comes, until the step's time is up.
    Hang,
}

/// What a handler returns.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Return(Ty),
    /// An array.
    List(&'static [Ty]),
    Nothing,
}

#[derive(Clone, Debug, Default)]
pub struct StepSpec {
    /// Its name; `s` and its number when there is none.
    pub name: Option<&'static str>,
    pub inputs: Vec<Vec<Ty>>,
    pub workers: Option<u32>,
    pub retry: Option<RetryPolicy>,
    pub timeout: Option<u64>,
    /// The step whose failures it takes, or none for all, and how often.
    pub handler: Option<(Option<usize>, u32)>,
    pub outputs: Option<Vec<Ty>>,
    /// Whether it gathers its one input, and how many of an array.
    pub collect: Option<Option<u32>>,
    pub fans_out: bool,
    pub program: Vec<Action>,
    pub end: Option<End>,
}

/// A workflow with programs in its steps.
#[derive(Clone, Debug, Default)]
pub struct Blueprint {
    /// For each plain type its parent, if it has one.
    pub parents: Vec<Option<Ty>>,
    pub steps: Vec<StepSpec>,
    pub options: RunOptions,
}

/// In which order a graph was built, and with what in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// As the blueprint has it.
    Given,
    /// Types in another order, and further types and steps in between. Steps keep their order among themselves: it decides who is given an
    /// event first.
    Mixed,
    /// Types and steps in another order.
    Reversed,
}

/// The graph of a blueprint: ids for what the blueprint numbers.
#[derive(Clone)]
pub struct Built {
    pub graph: Rc<RefCell<Graph>>,
    pub types: Vec<EventTypeId>,
    pub steps: Vec<StepId>,
}

pub fn type_name(ty: Ty) -> String {
    ROLE_NAMES.get(ty).map_or_else(|| format!("e{}", ty - PLAIN), |name| (*name).to_string())
}

pub fn step_name(step: usize) -> String {
    format!("s{step}")
}

impl Blueprint {
    pub fn types(&self) -> usize {
        PLAIN + self.parents.len()
    }

    pub fn build(&self, order: Order) -> Built {
        let mut graph = Graph::new();
        let mut types: Vec<Option<EventTypeId>> = vec![None; self.types()];
        let mut wanted: Vec<Ty> = (0..self.types()).collect();
        if order != Order::Given {
            wanted.reverse();
        }
        for ty in wanted {
            self.add_type(&mut graph, &mut types, ty, order);
        }
        let types: Vec<EventTypeId> = types.into_iter().flatten().collect();
        let mut steps: Vec<Option<StepId>> = vec![None; self.steps.len()];
        let mut wanted: Vec<usize> = (0..self.steps.len()).collect();
        if order == Order::Reversed {
            wanted.reverse();
        }
        // Handlers after what they handle.
        wanted.sort_by_key(|step| self.steps[*step].handler.is_some());
        for step in wanted {
            if order == Order::Mixed {
                decoy(&mut graph, step);
            }
            let spec = self.step(step, &types, &steps);
            let id = graph.add_step(spec).expect("blueprints are well made");
            steps[step] = Some(id);
        }
        Built { graph: Rc::new(RefCell::new(graph)), types, steps: steps.into_iter().flatten().collect() }
    }

    fn add_type(&self, graph: &mut Graph, types: &mut [Option<EventTypeId>], ty: Ty, order: Order) {
        if types[ty].is_some() {
            return;
        }
        let parent = ty.checked_sub(PLAIN).and_then(|plain| self.parents[plain]);
        let mut lineage = Vec::new();
        if let Some(parent) = parent {
            self.add_type(graph, types, parent, order);
            lineage.clone_from(&graph.types()[types[parent].expect("just added").index()].lineage);
        }
        if order == Order::Mixed {
            graph.add_type(Role::Plain, &[]).expect("without parents");
        }
        let role = ROLES.get(ty).copied().unwrap_or_default();
        let id = graph.add_type(role, &lineage).expect("parents come first");
        graph.name_type(id, &type_name(ty));
        types[ty] = Some(id);
    }

    fn step(&self, nth: usize, types: &[EventTypeId], steps: &[Option<StepId>]) -> Step {
        let spec = &self.steps[nth];
        let ids = |list: &Vec<Ty>| list.iter().map(|ty| types[*ty]).collect::<Vec<_>>();
        Step {
            name: spec.name.map_or_else(|| step_name(nth), String::from).into(),
            unnamed: None,
            inputs: spec.inputs.iter().map(ids).collect(),
            outputs: spec.outputs.as_ref().map(ids),
            workers: spec.workers,
            retry: spec.retry.clone(),
            timeout: spec.timeout.map(Millis),
            collect: spec.collect.map(|take| Collect { take }),
            fans_out: spec.fans_out,
            handler: spec.handler.map(|(handled, max_recoveries)| Handler {
                steps: handled.map(|step| steps[step].expect("handlers come last")).into_iter().collect(),
                max_recoveries,
            }),
            waits: Vec::new(),
        }
    }
}

/// A step that has nothing to do with the rest, and does not open the graph to the outside.
fn decoy(graph: &mut Graph, nth: usize) {
    let ty = graph.add_type(Role::Plain, &[]).expect("without parents");
    graph.name_type(ty, &format!("decoy{nth}"));
    let name = format!("decoy{nth}").into();
    let step = Step { name, inputs: vec![vec![ty]], outputs: Some(vec![ty]), ..Step::default() };
    graph.add_step(step).expect("well made");
}
