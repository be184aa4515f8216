//! Runs that are recovered by another version of their workflow: what still fits resumes, what does not is refused with the name of
//! what is in the way, before anything runs.
mod snapshot_kit;

use snapshot_kit::{Action, Blueprint, End, HUMAN, PLAIN, START, STOP, Sim, StepSpec, Ty};
use stepstream::engine::{Refusal, Status};
use stepstream::error::Code;

const A: Ty = PLAIN;
const B: Ty = PLAIN + 1;
const C: Ty = PLAIN + 2;

fn step(name: &'static str, inputs: &[Ty], program: &[Action], end: End) -> StepSpec {
    let inputs = inputs.iter().map(|ty| vec![*ty]).collect();
    StepSpec { name: Some(name), inputs, program: program.to_vec(), end: Some(end), ..StepSpec::default() }
}

fn workflow(types: usize, steps: &[StepSpec]) -> Blueprint {
    Blueprint { parents: vec![None; types], steps: steps.to_vec(), ..Blueprint::default() }
}

fn wait(ty: Ty) -> Action {
    Action::Wait { ty, named: false, span: None, picky: false }
}

fn send(ty: Ty) -> Action {
    Action::Send { ty, target: None }
}

/// A run that has come as far as it can by itself.
fn run(plan: &Blueprint) -> Sim {
    let mut sim = Sim::new(plan);
    sim.begin();
    sim.settle();
    sim.check();
    sim
}

fn refusal(sim: &Sim, later: &Blueprint) -> Option<(Code, String)> {
    let Refusal { code, subject } = sim.restored_for(later).err()?;
    Some((code, subject))
}

/// Takes the run up over a later version and lets it go on.
fn go_on(sim: &Sim, later: &Blueprint) -> Sim {
    let mut sim = sim.restored_for(later).expect("it still fits");
    sim.resume();
    sim.settle();
    sim.check();
    sim
}

fn send_to(sim: &mut Sim, ty: Ty) {
    sim.act(&snapshot_kit::Op::Outside { ty, target: None, nth: 7 });
    sim.settle();
}

/// Asks for A; what comes of it goes to `second`, which returns the result.
fn asking() -> [StepSpec; 2] {
    [step("first", &[START], &[wait(A)], End::Return(B)), step("second", &[B], &[], End::Return(STOP))]
}

#[test]
fn a_step_that_was_added_takes_part() {
    let [first, second] = asking();
    let earlier = workflow(2, &[first.clone(), second]);
    let later = workflow(
        3,
        &[
            step("checks", &[B], &[Action::Write { ty: A }], End::Return(C)),
            first,
            step("second", &[C], &[], End::Return(STOP)),
        ],
    );
    let sim = run(&earlier);
    assert_eq!(sim.engine.status(), Status::Waiting);
    let mut sim = go_on(&sim, &later);
    send_to(&mut sim, A);
    assert!(sim.result.is_some());
    assert!(sim.by_sender.keys().any(|by| by.starts_with("0 ")), "the new step has run: {:?}", sim.by_sender);
}

#[test]
fn a_step_may_be_gone_when_the_run_has_nothing_for_it() {
    let [first, second] = asking();
    let earlier = workflow(3, &[first.clone(), second.clone(), step("other", &[C], &[], End::Nothing)]);
    let mut sim = go_on(&run(&earlier), &workflow(2, &[second, first]));
    send_to(&mut sim, A);
    assert!(sim.result.is_some());
}

#[test]
fn a_step_that_was_at_work_must_be_there() {
    let [first, second] = asking();
    let sim = run(&workflow(2, &[first, second.clone()]));
    let later = workflow(2, &[step("renamed", &[START], &[wait(A)], End::Return(B)), second]);
    assert_eq!(refusal(&sim, &later), Some((Code::StepMissing, "first".into())));
}

#[test]
fn a_step_that_has_gathered_something_must_be_there() {
    let keep = step("keep", &[START], &[send(A), wait(HUMAN)], End::Nothing);
    let sim = run(&workflow(2, &[keep.clone(), step("join", &[A, B], &[], End::Return(STOP))]));
    assert_eq!(refusal(&sim, &workflow(2, std::slice::from_ref(&keep))), Some((Code::StepMissing, "join".into())));
    let collects = [Action::Collect { ty: A, expected: vec![A, B] }];
    let sim = run(&workflow(2, &[keep.clone(), step("collects", &[A], &collects, End::Nothing)]));
    assert_eq!(refusal(&sim, &workflow(2, &[keep])), Some((Code::StepMissing, "collects".into())));
}

#[test]
fn an_event_type_must_be_there_if_the_run_refers_to_it() {
    let earlier = workflow(3, &[step("first", &[START], &[send(C), wait(A)], End::Return(B))]);
    let sim = run(&earlier);
    let without = |types| workflow(types, &[step("first", &[START], &[], End::Nothing)]);
    assert_eq!(refusal(&sim, &without(0)), Some((Code::EventMissing, "e0".into())));
    assert_eq!(refusal(&sim, &without(2)), Some((Code::EventMissing, "e2".into())));
    assert_eq!(refusal(&sim, &without(3)), None, "B was not made yet, and no step needs it");
}

#[test]
fn a_step_must_still_take_the_events_that_it_was_given() {
    let [first, second] = asking();
    let sim = run(&workflow(2, &[first, second.clone()]));
    let changed = |inputs: &[Ty]| workflow(2, &[step("first", inputs, &[wait(A)], End::Return(B)), second.clone()]);
    for inputs in [&[B][..], &[START, B], &[B, START]] {
        assert_eq!(refusal(&sim, &changed(inputs)), Some((Code::StepChanged, "first".into())), "{inputs:?}");
    }
    let mut wider = changed(&[START]);
    wider.steps[0].inputs[0].push(B);
    assert_eq!(refusal(&sim, &wider), None);
}

#[test]
fn a_step_that_has_become_a_handler_is_another() {
    let [first, second] = asking();
    let sim = run(&workflow(2, &[first.clone(), second.clone()]));
    let handler = StepSpec { inputs: vec![], handler: Some((None, 1)), ..first };
    assert_eq!(refusal(&sim, &workflow(2, &[second, handler])), Some((Code::StepChanged, "first".into())));
}

/// A run with a join that has two events for its first input.
fn half_joined(types: usize, join: &[&[Ty]]) -> Blueprint {
    let first = step("first", &[START], &[send(A), send(A), wait(HUMAN)], End::Nothing);
    let inputs = join.iter().map(|types| types.to_vec()).collect();
    workflow(types, &[first, StepSpec { inputs, ..step("join", &[], &[], End::Return(STOP)) }])
}

#[test]
fn a_join_with_another_number_of_inputs_is_another() {
    let sim = run(&half_joined(3, &[&[A], &[B]]));
    for changed in [&[&[A][..], &[B], &[C]][..], &[&[A]], &[&[B], &[A]]] {
        assert_eq!(refusal(&sim, &half_joined(3, changed)), Some((Code::StepChanged, "join".into())), "{changed:?}");
    }
}

#[test]
fn a_join_that_takes_more_now_goes_on_unless_it_could_have_been_complete() {
    let sim = run(&half_joined(3, &[&[A], &[B]]));
    let later = half_joined(3, &[&[A], &[B, C]]);
    let mut sim = go_on(&sim, &later);
    send_to(&mut sim, C);
    assert!(sim.result.is_some());
    let sim = run(&half_joined(3, &[&[A], &[B]]));
    let both = half_joined(3, &[&[A], &[A, B]]);
    assert_eq!(refusal(&sim, &both), Some((Code::StepChanged, "join".into())));
}

#[test]
fn what_was_received_must_still_be_what_was_asked_for() {
    let first = step("first", &[START], &[send(B), wait(A), wait(HUMAN)], End::Nothing);
    let mut earlier = workflow(2, std::slice::from_ref(&first));
    earlier.parents[B - PLAIN] = Some(A);
    let sim = run(&earlier);
    assert_eq!(refusal(&sim, &earlier), None);
    assert_eq!(refusal(&sim, &workflow(2, &[first])), Some((Code::StepChanged, "first".into())));
}

#[test]
fn what_was_collected_must_still_be_what_is_expected() {
    let first = step("first", &[START], &[Action::Collect { ty: B, expected: vec![A, A] }, wait(HUMAN)], End::Nothing);
    let mut earlier = workflow(2, std::slice::from_ref(&first));
    earlier.parents[B - PLAIN] = Some(A);
    let sim = run(&earlier);
    assert_eq!(refusal(&sim, &earlier), None);
    assert_eq!(refusal(&sim, &workflow(2, &[first])), Some((Code::StepChanged, "first".into())));
}

#[test]
fn fewer_workers_resume_what_they_can_and_queue_the_rest_in_order() {
    let first = step("first", &[START], &[send(A), send(A), send(A)], End::Nothing);
    let worker = step("worker", &[A], &[wait(HUMAN)], End::Return(B));
    let sink = step("sink", &[HUMAN], &[], End::Nothing);
    let earlier = workflow(2, &[first.clone(), worker.clone(), sink.clone()]);
    let sim = run(&earlier);
    assert_eq!(sim.fibers.len(), 3);
    let inputs = |sim: &Sim| sim.fibers.values().map(|fiber| fiber.inputs.clone()).collect::<Vec<_>>();
    let all = inputs(&sim);
    let later = workflow(2, &[first, StepSpec { workers: Some(1), ..worker }, sink]);
    let mut sim = go_on(&sim, &later);
    for expected in &all {
        assert_eq!(inputs(&sim), std::slice::from_ref(expected));
        // What is not at work yet does not lose its place when the run is recovered once more.
        sim = go_on(&sim, &later);
        assert_eq!(inputs(&sim), std::slice::from_ref(expected));
        send_to(&mut sim, HUMAN);
    }
    assert_eq!(sim.engine.kept(sim.built.types[B]).len(), 3);
}
