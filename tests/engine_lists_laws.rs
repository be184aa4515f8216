//! The laws of lists, held against random graphs and random runs: what a step gathers is what descends from one array.
//! Which array an event descends from is worked out here once more, from the ticks and the calls alone.
mod engine_kit;
#[path = "engine_kit/random.rs"]
mod random;

use std::collections::BTreeMap;

use engine_kit::Host;
use proptest::prelude::*;
use random::{Action, Plan, actions, plans};
use stepstream::engine::{Collect, EventTypeId, Outcome, StepId, Tick};

/// The arrays around something, from the outside in. `None` where that cannot be known from outside: behind an empty
/// list, which does not say which array it is of.
type Lineage = Option<Vec<usize>>;

/// What came to a step: payload and lineage, in order.
type Arrivals = BTreeMap<StepId, Vec<(String, Vec<usize>)>>;

#[derive(Default)]
struct Model {
    lineages: BTreeMap<String, Lineage>,
    arrays: usize,
    /// To steps that gather.
    arrived: Arrivals,
    /// To steps with several inputs.
    joined: Arrivals,
    types: BTreeMap<String, EventTypeId>,
    /// Something of unknown lineage was given to one of those steps.
    is_blurred: bool,
}

fn is_prefix(one: &[usize], other: &[usize]) -> bool {
    other.starts_with(one)
}

/// Where an invocation belongs that is made of these events: no two are of arrays beside each other.
fn innermost(all: &[Vec<usize>]) -> Vec<usize> {
    let innermost = all.iter().max_by_key(|lineage| lineage.len()).cloned().unwrap_or_default();
    assert!(all.iter().all(|lineage| is_prefix(lineage, &innermost)), "a join has mixed {all:?}");
    innermost
}

/// Whether every input can have an event of its own, by trying all ways.
fn completes(run: &Host, inputs: &[Vec<EventTypeId>], left: &[EventTypeId]) -> bool {
    let Some((first, rest)) = inputs.split_first() else { return true };
    let graph = run.engine.graph().borrow();
    let fits = |ty: EventTypeId| first.iter().any(|accepted| graph.is_kind_of(ty, *accepted));
    (0..left.len()).filter(|nth| fits(left[*nth])).any(|nth| {
        let mut others = left.to_vec();
        others.remove(nth);
        completes(run, rest, &others)
    })
}

fn collect_of(run: &Host, step: StepId) -> Option<Collect> {
    run.engine.graph().borrow().steps()[step.index()].collect
}

fn takes(run: &Host, step: StepId, ty: EventTypeId) -> bool {
    let graph = run.engine.graph().borrow();
    graph.steps()[step.index()].inputs.iter().flatten().any(|accepted| graph.is_kind_of(ty, *accepted))
}

impl Model {
    fn of(run: &Host) -> Model {
        let mut model = Model::default();
        for turn in &run.turns {
            let by = match &turn.tick {
                Tick::Complete { invocation, .. }
                | Tick::CompleteList { invocation, .. }
                | Tick::Fail { invocation, .. }
                | Tick::Send { from: Some(invocation), .. } => Some(*invocation),
                _ => None,
            };
            let mut lineage = by.map_or(Some(Vec::new()), |by| {
                let call = run.begun.iter().find(|call| call.id == by).expect("it was begun");
                model.lineage_of(run, call.step, &call.inputs)
            });
            let (entered, target): (Vec<EventTypeId>, _) = match &turn.tick {
                Tick::Start { ty, .. } | Tick::Complete { output: Some((ty, _)), .. } => (vec![*ty], None),
                Tick::Send { ty, target, .. } => (vec![*ty], *target),
                Tick::CompleteList { outputs, .. } => {
                    model.arrays += 1;
                    if let Some(lineage) = &mut lineage {
                        lineage.push(model.arrays);
                    }
                    (outputs.iter().map(|(ty, _)| *ty).collect(), None)
                }
                Tick::Fail { ty, .. } => (vec![*ty], None),
                _ => continue,
            };
            for (ty, payload) in entered.iter().zip(&turn.payloads) {
                model.lineages.insert(payload.clone(), lineage.clone());
                model.types.insert(payload.clone(), *ty);
                if *ty == run.stop {
                    return model;
                }
                for step in (0..run.engine.graph().borrow().steps().len() as u32).map(StepId) {
                    let is_meant = target.is_none_or(|target| target == step);
                    if !is_meant || !takes(run, step, *ty) {
                        continue;
                    }
                    let gathers = collect_of(run, step).is_some();
                    let joins = run.engine.graph().borrow().steps()[step.index()].inputs.len() > 1;
                    let arrivals = if gathers { &mut model.arrived } else { &mut model.joined };
                    match &lineage {
                        _ if !gathers && !joins => {}
                        Some(lineage) => arrivals.entry(step).or_default().push((payload.clone(), lineage.clone())),
                        None => model.is_blurred = true,
                    }
                }
            }
        }
        model
    }

    fn lineage_of(&self, run: &Host, step: StepId, inputs: &[String]) -> Lineage {
        let all: Option<Vec<Vec<usize>>> = inputs.iter().map(|payload| self.lineages[payload].clone()).collect();
        let mut all = all?;
        if collect_of(run, step).is_none() {
            return Some(innermost(&all));
        }
        let mut lineage = all.pop()?;
        lineage.pop();
        Some(lineage)
    }
}

/// The lists that a step was invoked with.
fn lists(run: &Host, step: StepId) -> Vec<&[String]> {
    let first = run.begun.iter().filter(|call| call.step == step && call.attempt == 1);
    first.map(|call| call.inputs.as_slice()).collect()
}

/// A graph in which more steps gather, and a run in which more steps return arrays.
fn listing(mut plan: Plan, mut actions: Vec<Action>) -> (Plan, Vec<Action>) {
    for (nth, step) in plan.steps.iter_mut().enumerate() {
        if nth % 2 == 0 && step.collect.is_none() {
            step.collect = Some(None);
        }
    }
    for (nth, action) in actions.iter_mut().enumerate() {
        if let Action::Finish { by, ty: Some(ty) } = *action
            && nth % 3 == 0
        {
            *action = Action::FinishList { by, types: vec![ty, ty.wrapping_add(1), ty][nth % 4 % 3..].to_vec() };
        }
    }
    (plan, actions)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 2,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_list_is_what_descends_from_one_array(plan in plans(), actions in actions(), many in any::<bool>()) {
        let (plan, actions) = if many { listing(plan, actions) } else { (plan, actions) };
        let mut random = plan.run();
        actions.iter().for_each(|action| random.act(action));
        random.drain();
        let run = &random.run;
        if !run.engine.graph().borrow().gathers() {
            return Ok(());
        }
        let model = Model::of(run);
        for (step, arrived) in &model.arrived {
            let take = collect_of(run, *step).and_then(|collect| collect.take).map_or(usize::MAX, |most| most as usize);
            let lineage = |payload: &String| model.lineages[payload].clone();
            let mut seen: Vec<Vec<usize>> = Vec::new();
            for list in lists(run, *step).into_iter().filter(|list| !list.is_empty()) {
                let Some(of) = lineage(&list[0]) else { continue };
                if of.is_empty() {
                    prop_assert_eq!(list.len(), 1, "an event of no array is a list of its own");
                    continue;
                }
                let is_of = |payload: &String| lineage(payload).is_none_or(|one| one == of);
                prop_assert!(list.iter().all(is_of), "{:?} is mixed", list);
                prop_assert!(!seen.contains(&of), "{:?} was given two lists of {:?}", step, of);
                seen.push(of.clone());
                if model.is_blurred {
                    continue;
                }
                // All of it, in the order of arrival: nothing came after the release but what is dropped.
                let whole = arrived.iter().filter(|(_, at)| *at == of).map(|(payload, _)| payload);
                let first: Vec<&String> = whole.take(take).collect();
                prop_assert_eq!(list.iter().collect::<Vec<_>>(), first, "of {:?}", of);
            }
        }
        // Nothing is at work: then an array is done with, unless a join has some of it.
        let is_at_rest = matches!(run.outcome, None | Some(Outcome::Stalled));
        if is_at_rest && run.engine.open_joins().count() == 0 {
            prop_assert_eq!(run.engine.open_lists().count(), 0, "{:?}", run.engine.open_lists().collect::<Vec<_>>());
            if !model.is_blurred {
                for (step, arrived) in &model.arrived {
                    let given: usize = lists(run, *step).iter().map(|list| list.len()).sum();
                    let takes_all = collect_of(run, *step).is_some_and(|collect| collect.take.is_none());
                    prop_assert!(!takes_all || given == arrived.len(), "{:?} was given all that came", step);
                }
            }
        }
    }

    #[test]
    fn a_join_is_of_one_array_and_holds_back_no_set(plan in plans(), actions in actions()) {
        let (plan, actions) = listing(plan, actions);
        let mut random = plan.run();
        for action in &actions {
            random.act(action);
            let run = &random.run;
            // The model checks every set that was complete.
            let model = Model::of(run);
            if run.outcome.is_some() || model.is_blurred {
                break;
            }
            for (step, arrived) in &model.joined {
                if run.engine.in_flight().any(|at| at.step == *step && at.attempt == 0) {
                    continue;
                }
                let used: Vec<&String> = lists(run, *step).into_iter().flatten().collect();
                let left: Vec<_> = arrived.iter().filter(|(payload, _)| !used.contains(&payload)).collect();
                let inputs = run.engine.graph().borrow().steps()[step.index()].inputs.clone();
                for (_, lineage) in &left {
                    let around = left.iter().filter(|(_, other)| is_prefix(other, lineage));
                    let types: Vec<_> = around.map(|(payload, _)| model.types[payload]).collect();
                    prop_assert!(!completes(run, &inputs, &types), "{:?} holds back a set of {:?}", step, lineage);
                }
            }
        }
    }

    #[test]
    fn a_completed_run_has_no_arrays_left(plan in plans(), actions in actions()) {
        let (plan, actions) = listing(plan, actions);
        let mut random = plan.run();
        actions.iter().for_each(|action| random.act(action));
        random.act(&Action::Stop { by: 0 });
        if matches!(random.run.outcome, Some(Outcome::Completed(_))) {
            prop_assert_eq!(random.run.engine.open_lists().count(), 0);
        }
    }
}
