//! The part of the boundary that is about graphs: the event types and steps of a workflow.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::wasm_bindgen;

use super::{duration, halves, number, types, with};
use crate::engine::{Collect, Graph, Handler, RetryPolicy, Role, Step, StepId};
use crate::error::Code;
use crate::hash::fnv;

/// Makes an empty graph; returns its handle.
#[wasm_bindgen]
pub fn graph_new() -> u32 {
    with(|instance| instance.graphs.insert(Rc::new(RefCell::new(Graph::new()))))
}

/// Frees a graph. Runs that follow it keep it alive.
#[wasm_bindgen]
pub fn graph_free(graph: u32) {
    with(|instance| instance.graphs.remove(graph));
}

/// Adds an event type with its ancestry, nearest first; returns its id.
#[wasm_bindgen]
pub fn graph_type(graph: u32, name: &str, role: u32, parents: &[u32]) -> i32 {
    let role = match role {
        1 => Role::Start,
        2 => Role::Stop,
        3 => Role::InputRequired,
        4 => Role::HumanResponse,
        5 => Role::StepFailed,
        _ => Role::Plain,
    };
    number(with(|instance| {
        let mut graph = instance.graphs.get_mut(graph).ok_or(Code::StaleId)?.borrow_mut();
        let id = graph.add_type(role, &types(parents))?;
        graph.name_type(id, name);
        Ok(id.0)
    }))
}

/// Adds a step; returns its id. `named` is true when the user has given the name; otherwise `code` is the source of the
/// handler. `inputs` has for each input the number of its types and the types. `outputs` counts only when `declared` is
/// true. `workers` 0 means any number. `retry` is empty, or as [`RetryPolicy::decode`] reads it. With `recoveries` of 0
/// or more the step handles the failures of `handled`, or of all other steps when that is empty. `collect` is 0, or the
/// most events + 1 that the step gathers of an array, or the largest number when it gathers all. `fans_out` is true
/// when the step says that it returns arrays. `waits` has the types that its handler waits for.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // A step crosses once per workflow, and numbers are the cheapest way over.
pub fn graph_step(
    graph: u32,
    name: &str,
    named: bool,
    code: &str,
    inputs: &[u32],
    outputs: &[u32],
    declared: bool,
    workers: u32,
    retry: &[f64],
    timeout: f64,
    handled: &[u32],
    recoveries: f64,
    collect: u32,
    fans_out: bool,
    waits: &[u32],
) -> i32 {
    let build = || {
        let mut accepted = Vec::new();
        let mut rest = inputs;
        while let Some((count, tail)) = rest.split_first() {
            let (input, tail) = tail.split_at_checked(*count as usize).ok_or(Code::InvalidStep)?;
            accepted.push(types(input));
            rest = tail;
        }
        Ok(Step {
            name: name.into(),
            unnamed: (!named).then(|| fnv(code.as_bytes())),
            inputs: accepted,
            outputs: declared.then(|| types(outputs)),
            workers: (workers > 0).then_some(workers),
            retry: if retry.is_empty() { None } else { Some(RetryPolicy::decode(retry)?) },
            timeout: duration(timeout),
            handler: (recoveries >= 0.0).then(|| Handler {
                steps: handled.iter().copied().map(StepId).collect(),
                max_recoveries: recoveries as u32,
            }),
            collect: collect.checked_sub(1).map(|take| Collect { take: (collect != u32::MAX).then_some(take) }),
            fans_out,
            waits: types(waits),
        })
    };
    number(with(|instance| {
        let graph = instance.graphs.get_mut(graph).ok_or(Code::StaleId)?;
        graph.borrow_mut().add_step(build()?).map(|id| id.0)
    }))
}

/// The fingerprint of a graph. Replies with its lower and upper half, and with the halves of the fingerprint that
/// version 1 of the snapshot format uses.
#[wasm_bindgen]
pub fn graph_fingerprint(graph: u32) -> *const u32 {
    with(|instance| match instance.graphs.get_mut(graph) {
        Some(graph) => {
            let graph = graph.borrow();
            let fingerprints = [graph.fingerprint(), graph.first_fingerprint()];
            instance.reply.value(fingerprints.into_iter().flat_map(halves))
        }
        None => instance.reply.refuse(Code::StaleId),
    })
}

/// Mistakes in a graph. Replies with triples: code, step + 1, event type + 1.
#[wasm_bindgen]
pub fn graph_validate(graph: u32) -> *const u32 {
    with(|instance| match instance.graphs.get_mut(graph) {
        Some(graph) => {
            let words = graph.borrow().validate().into_iter().flat_map(|finding| {
                [finding.code as u32, finding.step.map_or(0, |id| id.0 + 1), finding.ty.map_or(0, |id| id.0 + 1)]
            });
            instance.reply.value(words)
        }
        None => instance.reply.refuse(Code::StaleId),
    })
}
