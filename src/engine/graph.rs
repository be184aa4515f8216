//! The graph: event types, steps, and which step takes which type. During a run only event types are added, when the
//! host meets a class for the first time.

use std::cell::OnceCell;

use super::ids::{EventTypeId, Millis, StepId};
use super::retry::RetryPolicy;
use crate::error::Code;
use crate::hash::Fnv;

/// What the engine must know about the meaning of an event type. A type has the role of the nearest ancestor
/// that has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Role {
    /// An event like any other.
    #[default]
    Plain,
    /// A run may start with it.
    Start,
    /// It ends the run.
    Stop,
    /// It goes to the outside: a question to a person or another system.
    InputRequired,
    /// It comes from the outside: the reply of that person or system.
    HumanResponse,
    /// It says that a step failed for good; error handlers take it.
    StepFailed,
}

/// An event type.
#[derive(Clone, Debug)]
pub struct EventType {
    /// Its name in snapshots; empty when it has none.
    pub name: Box<str>,
    /// What the engine must know about it.
    pub role: Role,
    /// The types that this type is a kind of, itself first.
    pub lineage: Vec<EventTypeId>,
    /// The types that are a kind of this type, itself first.
    pub kinds: Vec<EventTypeId>,
    /// The steps that take it, in the order in which they were added.
    pub routes: Vec<Route>,
}

/// A step takes an event type with some of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The step.
    pub step: StepId,
    /// Bit `n` is set when input `n` takes the type.
    pub inputs: u32,
}

/// What marks a step as an error handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// The steps whose failures it takes; empty for every step that no other handler is for.
    pub steps: Vec<StepId>,
    /// How often a failure may be handled along one line of events: the events that a handler makes remember
    /// that a failure is behind them, and so do the events made from those. 0 means the handler is never entered.
    pub max_recoveries: u32,
}

/// What marks a step as one that gathers: it takes the events of its one input as a list, all those that descend from
/// one array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collect {
    /// How many events it takes of an array at most; `None` for all.
    pub take: Option<u32>,
}

/// A step.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// Its name in snapshots.
    pub name: Box<str>,
    /// Set when the name is not the user's but made up by the host: whatever the host knows of the handler's code, as a
    /// number.
    pub unnamed: Option<u64>,
    /// For each input the event types that it takes (several for an `or` input).
    pub inputs: Vec<Vec<EventTypeId>>,
    /// The event types that it returns, or `None` when that was not declared.
    pub outputs: Option<Vec<EventTypeId>>,
    /// How many invocations may run at a time; `None` for any number.
    pub workers: Option<u32>,
    /// Whether and how a failed attempt is repeated.
    pub retry: Option<RetryPolicy>,
    /// How long one attempt may take.
    pub timeout: Option<Millis>,
    /// Set when the step is an error handler. Such a step has no inputs of its own.
    pub handler: Option<Handler>,
    /// Set when the step gathers. Such a step has one input.
    pub collect: Option<Collect>,
    /// Whether it says that it returns arrays. It may return one all the same.
    pub fans_out: bool,
    /// The event types that its handler waits for, as far as that was declared: for [`Graph::validate`] alone.
    pub waits: Vec<EventTypeId>,
}

/// The most inputs a step may have: one bit each in [`Route::inputs`].
pub const MAX_INPUTS: usize = 32;

/// Event types and steps.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    types: Vec<EventType>,
    steps: Vec<Step>,
    /// Whether some step gathers. Otherwise it does not matter which array an event descends from.
    gathers: bool,
    /// For each step the error handler that takes its failures.
    handlers: Vec<Option<StepId>>,
    /// The handler for the steps that have none of their own.
    fallback: Option<StepId>,
    /// Made when it is first asked for: every step counts for it, and most runs never ask.
    outside: OnceCell<Outside>,
}

/// What the outside can do for the steps.
#[derive(Clone, Debug)]
struct Outside {
    /// For each step the inputs that take an event which only the outside can send, a bit each.
    inputs: Vec<u32>,
    /// Some step can be invoked by the outside alone.
    open: bool,
}

impl Graph {
    /// A graph without types and steps.
    #[must_use]
    pub fn new() -> Graph {
        Graph::default()
    }

    /// The event types, by id.
    #[must_use]
    pub fn types(&self) -> &[EventType] {
        &self.types
    }

    /// The steps, by id.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether some step gathers.
    #[must_use]
    pub fn gathers(&self) -> bool {
        self.gathers
    }

    /// Whether the outside alone can make a step be invoked: each of its inputs takes an event that no step makes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.outside().open
    }

    /// The inputs of a step that take an event which no step makes, so that only the outside can send it: a bit each.
    #[must_use]
    pub fn outside_inputs(&self, step: StepId) -> u32 {
        self.outside().inputs.get(step.index()).copied().unwrap_or(0)
    }

    /// The error handler for a step, if it has one. Handlers have none.
    #[must_use]
    pub fn handler_of(&self, step: StepId) -> Option<StepId> {
        if self.steps.get(step.index())?.handler.is_some() {
            return None;
        }
        self.handlers.get(step.index()).copied().flatten().or(self.fallback)
    }

    /// Adds an event type that is a kind of `parents` (its whole ancestry, nearest first). May be called during a run:
    /// the host meets classes as they come.
    ///
    /// # Errors
    /// [`Code::StaleId`] when a parent does not exist.
    pub fn add_type(&mut self, role: Role, parents: &[EventTypeId]) -> Result<EventTypeId, Code> {
        if parents.iter().any(|parent| parent.index() >= self.types.len()) {
            return Err(Code::StaleId);
        }
        let id = EventTypeId(self.types.len() as u32);
        let inherited = parents.iter().map(|parent| self.types[parent.index()].role).find(|role| *role != Role::Plain);
        let role = if role == Role::Plain { inherited.unwrap_or_default() } else { role };
        let mut lineage = vec![id];
        lineage.extend_from_slice(parents);
        for parent in parents {
            self.types[parent.index()].kinds.push(id);
        }
        self.types.push(EventType { name: Box::default(), role, lineage, kinds: vec![id], routes: Vec::new() });
        for step in 0..self.steps.len() {
            self.add_route(StepId(step as u32), id);
        }
        Ok(id)
    }

    /// Gives an event type its name in snapshots.
    pub fn name_type(&mut self, ty: EventTypeId, name: &str) {
        if let Some(ty) = self.types.get_mut(ty.index()) {
            ty.name = name.into();
        }
    }

    /// Adds a step.
    ///
    /// # Errors
    /// [`Code::InvalidStep`] when it has no inputs and is no handler, or too many, or an input takes nothing, or when
    /// it gathers and has more than one input or takes none of the events;
    /// [`Code::InvalidWorkers`] when `workers` is 0; [`Code::StaleId`] when an event type or a handled step does not
    /// exist; [`Code::DuplicateHandler`] when one of the handled steps has a handler already, [`Code::HandlerHandled`]
    /// when one is a handler itself.
    pub fn add_step(&mut self, step: Step) -> Result<StepId, Code> {
        let known = |ty: &EventTypeId| ty.index() < self.types.len();
        if step.inputs.is_empty() != step.handler.is_some()
            || step.inputs.len() > MAX_INPUTS
            || step.inputs.iter().any(Vec::is_empty)
            || step.collect.is_some_and(|collect| step.inputs.len() != 1 || collect.take == Some(0))
        {
            return Err(Code::InvalidStep);
        }
        if step.workers == Some(0) {
            return Err(Code::InvalidWorkers);
        }
        if !step.inputs.iter().flatten().chain(step.outputs.iter().flatten()).all(known) {
            return Err(Code::StaleId);
        }
        let id = StepId(self.steps.len() as u32);
        if let Some(handler) = &step.handler {
            self.check_handler(handler)?;
            if handler.steps.is_empty() {
                self.fallback = Some(id);
            }
            for handled in &handler.steps {
                self.handlers[handled.index()] = Some(id);
            }
        }
        self.handlers.push(None);
        self.gathers |= step.collect.is_some();
        self.steps.push(step);
        for ty in 0..self.types.len() {
            self.add_route(id, EventTypeId(ty as u32));
        }
        self.outside.take();
        Ok(id)
    }

    fn outside(&self) -> &Outside {
        self.outside.get_or_init(|| {
            let inputs: Vec<u32> = self.steps.iter().map(|step| self.outside_of(step)).collect();
            let all = |step: &Step| (1u64 << step.inputs.len()) - 1;
            let mut steps = self.steps.iter().zip(&inputs);
            let open = steps.any(|(step, outside)| step.handler.is_none() && u64::from(*outside) == all(step));
            Outside { inputs, open }
        })
    }

    fn outside_of(&self, step: &Step) -> u32 {
        let from_outside = |accepted: &Vec<EventTypeId>| accepted.iter().any(|ty| !self.is_made_inside(*ty));
        let inputs = step.inputs.iter().enumerate();
        inputs.fold(0, |bits, (nth, accepted)| bits | u32::from(from_outside(accepted)) << nth)
    }

    fn check_handler(&self, handler: &Handler) -> Result<(), Code> {
        if handler.steps.is_empty() && self.fallback.is_some() {
            return Err(Code::DuplicateHandler);
        }
        for step in &handler.steps {
            match self.handlers.get(step.index()) {
                None => return Err(Code::StaleId),
                Some(_) if self.steps[step.index()].handler.is_some() => return Err(Code::HandlerHandled),
                Some(Some(_)) => return Err(Code::DuplicateHandler),
                Some(None) => {}
            }
        }
        Ok(())
    }

    fn add_route(&mut self, step: StepId, ty: EventTypeId) {
        let lineage = &self.types[ty.index()].lineage;
        let mut inputs = 0;
        for (nth, accepted) in self.steps[step.index()].inputs.iter().enumerate() {
            if accepted.iter().any(|accepted| lineage.contains(accepted)) {
                inputs |= 1 << nth;
            }
        }
        if inputs != 0 {
            self.types[ty.index()].routes.push(Route { step, inputs });
        }
    }

    /// How a step takes a type, if it does.
    #[must_use]
    pub fn route(&self, ty: EventTypeId, step: StepId) -> Option<Route> {
        self.types.get(ty.index())?.routes.iter().find(|route| route.step == step).copied()
    }

    /// Whether `ty` is `ancestor` or a kind of it.
    #[must_use]
    pub fn is_kind_of(&self, ty: EventTypeId, ancestor: EventTypeId) -> bool {
        self.types.get(ty.index()).is_some_and(|ty| ty.lineage.contains(&ancestor))
    }

    /// The event type of a name.
    #[must_use]
    pub fn type_named(&self, name: &str) -> Option<EventTypeId> {
        let at = self.types.iter().position(|ty| &*ty.name == name)?;
        Some(EventTypeId(at as u32))
    }

    /// The step of a name.
    #[must_use]
    pub fn step_named(&self, name: &str) -> Option<StepId> {
        let at = self.steps.iter().position(|step| &*step.name == name)?;
        Some(StepId(at as u32))
    }

    /// A hash that identifies the workflow: its steps and the names of the events that they take and return. The order
    /// in which they were added does not count, nor do workers, retries and timeouts, which may change between a
    /// snapshot and its restore.
    ///
    /// A step that its user gave no name has one that comes from its place, so its place counts. Two such steps that
    /// are alike could change places without a trace, and each would get the other's events; so of those the code of
    /// their handlers counts, too.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.hash(true)
    }

    /// The fingerprint in version 1 of the format, for which a made-up name was a name like any other.
    #[must_use]
    pub fn first_fingerprint(&self) -> u64 {
        self.hash(false)
    }

    /// Whether another step without a name takes and returns the same.
    fn is_like_another(&self, id: usize) -> bool {
        let shape = |step: &Step| {
            let inputs = step.inputs.iter().map(|input| sorted(input.clone())).collect::<Vec<_>>();
            let handled = step.handler.as_ref().map(|handler| sorted(handler.steps.clone()));
            (inputs, step.outputs.clone().map(sorted), handled)
        };
        let own = shape(&self.steps[id]);
        let mut others = self.steps.iter().enumerate();
        others.any(|(other, step)| other != id && step.unnamed.is_some() && shape(step) == own)
    }

    fn hash(&self, tells_unnamed: bool) -> u64 {
        let names = |types: &[EventTypeId]| -> Vec<&str> {
            sorted(types.iter().map(|ty| &*self.types[ty.index()].name).collect())
        };
        let mut hash = Fnv::new();
        let steps = sorted(self.steps.iter().zip(0u32..).map(|(step, id)| (&*step.name, id)).collect());
        for (name, id) in steps {
            let step = &self.steps[id as usize];
            write(&mut hash, &[name]);
            write(&mut hash, &[if step.handler.is_some() { "handler" } else { "step" }]);
            step.inputs.iter().for_each(|input| write(&mut hash, &names(input)));
            if let Some(Collect { take }) = step.collect {
                write(&mut hash, &["collect"]);
                hash.write(&take.unwrap_or(0).to_le_bytes());
            }
            if let Some(handler) = &step.handler {
                let handled = handler.steps.iter().map(|step| &*self.steps[step.index()].name);
                write(&mut hash, &sorted(handled.collect::<Vec<_>>()));
            }
            write(&mut hash, &step.outputs.as_ref().map_or(vec!["?"], |outputs| names(outputs)));
            if let Some(code) = step.unnamed.filter(|_| tells_unnamed) {
                write(&mut hash, &["unnamed"]);
                hash.write(&id.to_le_bytes());
                hash.write(&(if self.is_like_another(id as usize) { code } else { 0 }).to_le_bytes());
            }
        }
        hash.finish()
    }

    /// The inputs that nothing inside the graph makes: pairs of a step and the types one of its inputs takes.
    pub(super) fn unmade_inputs(&self) -> impl Iterator<Item = (StepId, &[EventTypeId])> {
        self.steps.iter().enumerate().flat_map(move |(id, step)| {
            let outside = move |accepted: &&Vec<EventTypeId>| accepted.iter().all(|ty| !self.is_made_inside(*ty));
            step.inputs.iter().filter(outside).map(move |accepted| (StepId(id as u32), accepted.as_slice()))
        })
    }

    /// A step that returns a type may return any kind of it.
    pub(super) fn is_made_inside(&self, ty: EventTypeId) -> bool {
        match self.types[ty.index()].role {
            Role::Start | Role::StepFailed => true,
            Role::HumanResponse => false,
            _ => self
                .steps
                .iter()
                .filter_map(|step| step.outputs.as_ref())
                .flatten()
                .any(|output| self.is_kind_of(*output, ty) || self.is_kind_of(ty, *output)),
        }
    }
}

/// Hashes a list of texts so that neighbouring lists cannot run together.
fn write(hash: &mut Fnv, texts: &[&str]) {
    hash.write(&(texts.len() as u32).to_le_bytes());
    texts.iter().for_each(|text| hash.write_str(text));
}

/// Sorts a few things by insertion: the standard library's sorts add several kB each to what visitors download.
fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    for end in 1..list.len() {
        let mut at = end;
        while at > 0 && list[at - 1] > list[at] {
            list.swap(at - 1, at);
            at -= 1;
        }
    }
    list
}
