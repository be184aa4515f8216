//! What is said about a graph before anything runs: every finding, and its absence.
mod engine_kit;
mod processor_time;

use engine_kit::{Flow, takes};
use stepstream::engine::{EventTypeId, Finding, Graph, Handler, Role, Step, StepId};
use stepstream::error::Code;

type Found = (Code, Option<StepId>, Option<EventTypeId>);

fn findings(flow: &Flow) -> Vec<Found> {
    flow.graph.validate().into_iter().map(|found| (found.code, found.step, found.ty)).collect()
}

fn whole(code: Code) -> Found {
    (code, None, None)
}

/// A graph of two steps against which nothing is to be said.
fn sound() -> (Flow, EventTypeId) {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    flow.step(&[start], &[a]);
    flow.step(&[a], &[stop]);
    (flow, a)
}

#[test]
fn nothing_is_said_against_a_sound_graph() {
    assert_eq!(findings(&sound().0), []);
}

#[test]
fn no_steps() {
    assert_eq!(findings(&Flow::new()), [whole(Code::NoSteps)]);
    assert_eq!(Graph::new().validate().len(), 1);
}

#[test]
fn no_step_takes_the_start() {
    let mut flow = Flow::new();
    let (stop, human) = (flow.stop, flow.human);
    flow.step(&[human], &[stop]);
    assert_eq!(findings(&flow), [whole(Code::NoStartStep)]);
}

#[test]
fn a_kind_or_an_ancestor_of_the_start_will_do() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let own = flow.kind_of(start);
    flow.step(&[own], &[stop]);
    assert_eq!(findings(&flow), []);

    let mut flow = Flow::new();
    let (stop, any) = (flow.stop, flow.event());
    flow.graph.add_type(Role::Start, &[any]).unwrap();
    flow.graph.add_type(Role::Stop, &[any]).unwrap();
    flow.step(&[any], &[stop]);
    // It takes every event, so it also takes what it does not need to be given.
    assert!(!findings(&flow).iter().any(|(code, ..)| matches!(code, Code::NoStartStep | Code::StepTakesStop)));
    assert!(!findings(&flow).iter().any(|(code, ..)| *code == Code::UnreachableStep));
}

#[test]
fn no_step_returns_the_stop() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start], &[a]);
    let last = flow.step(&[a], &[]);
    let found = findings(&flow);
    assert_eq!(found[0], whole(Code::NoStopStep));
    assert!(found.contains(&(Code::DeadEnd, Some(last), None)));
}

#[test]
fn a_kind_of_the_stop_will_do() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let own = flow.kind_of(stop);
    flow.step(&[start], &[own]);
    assert_eq!(findings(&flow), []);
}

#[test]
fn a_step_takes_the_stop() {
    let (mut flow, _) = sound();
    let stop = flow.stop;
    let own = flow.kind_of(stop);
    let one = flow.step(&[stop], &[stop]);
    let other = flow.step(&[own], &[stop]);
    let found = findings(&flow);
    assert_eq!(found[0], (Code::StepTakesStop, Some(one), Some(stop)));
    assert_eq!(found[1], (Code::StepTakesStop, Some(other), Some(own)));
    assert!(!found.iter().any(|(code, ..)| *code == Code::NeverProduced));
}

#[test]
fn an_event_is_never_produced() {
    let (mut flow, _) = sound();
    let (stop, b) = (flow.stop, flow.event());
    let step = flow.step(&[b], &[stop]);
    let found = findings(&flow);
    assert_eq!(found, [(Code::NeverProduced, Some(step), Some(b)), (Code::UnreachableStep, Some(step), None)]);
}

#[test]
fn one_input_of_a_join_is_never_produced() {
    let (mut flow, a) = sound();
    let (stop, b) = (flow.stop, flow.event());
    let step = flow.step(&[a, b], &[stop]);
    assert_eq!(findings(&flow), [(Code::NeverProduced, Some(step), Some(b))]);
}

#[test]
fn what_comes_from_outside_need_not_be_produced() {
    let (mut flow, _) = sound();
    let (stop, human) = (flow.stop, flow.human);
    let own = flow.kind_of(human);
    flow.step(&[own], &[stop]);
    assert_eq!(findings(&flow), []);
}

#[test]
fn one_type_of_an_or_input_is_enough_in_any_order() {
    for outside_first in [true, false] {
        let (mut flow, a) = sound();
        let (stop, human, b) = (flow.stop, flow.human, flow.event());
        let with_human = if outside_first { vec![human, b] } else { vec![b, human] };
        for types in [with_human, vec![b, a]] {
            flow.add(Step { inputs: vec![types], outputs: Some(vec![stop]), ..Step::default() });
        }
        assert_eq!(findings(&flow), []);
    }
}

#[test]
fn a_question_that_no_step_asks_is_never_produced() {
    let (mut flow, _) = sound();
    let (stop, ask) = (flow.stop, flow.ask);
    let step = flow.step(&[ask], &[stop]);
    assert!(findings(&flow).contains(&(Code::NeverProduced, Some(step), Some(ask))));
}

#[test]
fn a_kind_that_is_produced_counts_for_its_ancestor_and_a_declared_ancestor_for_its_kinds() {
    for takes_kind in [true, false] {
        let mut flow = Flow::new();
        let (start, stop, a) = (flow.start, flow.stop, flow.event());
        let kind = flow.kind_of(a);
        let (made, taken) = if takes_kind { (a, kind) } else { (kind, a) };
        flow.step(&[start], &[made]);
        flow.step(&[taken], &[stop]);
        assert_eq!(findings(&flow), [], "takes the kind: {takes_kind}");
    }
}

#[test]
fn an_event_is_never_consumed() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.step(&[start], &[stop, a]);
    assert_eq!(findings(&flow), [(Code::NeverConsumed, Some(step), Some(a))]);
}

#[test]
fn what_goes_to_the_outside_need_not_be_consumed() {
    let mut flow = Flow::new();
    let (start, stop, ask) = (flow.start, flow.stop, flow.ask);
    let own = flow.kind_of(ask);
    flow.step(&[start], &[stop, ask, own]);
    assert_eq!(findings(&flow), []);
}

#[test]
fn a_step_is_unreachable() {
    let (mut flow, _) = sound();
    let (stop, b, c) = (flow.stop, flow.event(), flow.event());
    let one = flow.step(&[b], &[c]);
    let other = flow.step(&[c], &[b, stop]);
    let found = findings(&flow);
    assert_eq!(found, [(Code::UnreachableStep, Some(one), None), (Code::UnreachableStep, Some(other), None)]);
}

#[test]
fn a_step_is_a_dead_end() {
    let (mut flow, a) = sound();
    let (b, c) = (flow.event(), flow.event());
    let one = flow.step(&[a], &[b]);
    let two = flow.step(&[b], &[c]);
    let three = flow.step(&[c], &[b]);
    let found = findings(&flow);
    assert_eq!(found, [one, two, three].map(|step| (Code::DeadEnd, Some(step), None)));
}

#[test]
fn a_loop_that_can_be_left_is_no_dead_end() {
    let (mut flow, a) = sound();
    let b = flow.event();
    flow.step(&[a], &[b]);
    flow.step(&[b], &[a]);
    assert_eq!(findings(&flow), []);
}

#[test]
fn a_question_leads_to_the_step_that_takes_the_answer() {
    let mut flow = Flow::new();
    let (start, stop, ask, human) = (flow.start, flow.stop, flow.ask, flow.human);
    flow.step(&[start], &[ask]);
    flow.step(&[human], &[stop]);
    assert_eq!(findings(&flow), []);
}

#[test]
fn a_question_whose_answer_no_step_takes_is_a_dead_end() {
    let (mut flow, a) = sound();
    let ask = flow.ask;
    let step = flow.step(&[a], &[ask]);
    assert_eq!(findings(&flow), [(Code::DeadEnd, Some(step), None)]);
}

#[test]
fn undeclared_outputs_are_no_fault() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    flow.add(Step { outputs: None, ..takes(&[start], &[]) });
    flow.step(&[a], &[stop]);
    assert_eq!(findings(&flow), []);
}

#[test]
fn a_failure_leads_to_its_handler_and_the_handler_on() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    flow.step(&[start], &[stop]);
    let handler =
        |outputs: Vec<_>| Step { handler: Some(Handler { steps: vec![], max_recoveries: 1 }), ..takes(&[], &outputs) };
    flow.add(handler(vec![stop]));
    assert_eq!(findings(&flow), []);

    let (mut flow, a) = sound();
    let b = flow.event();
    let mended = flow.step(&[b], &[a]);
    flow.add(handler(vec![b]));
    assert_eq!(findings(&flow), [], "{mended:?} is reached through the handler");
}

#[test]
fn a_handler_of_a_step_that_is_never_reached_is_not_reached_either() {
    let (mut flow, _) = sound();
    let (stop, b) = (flow.stop, flow.event());
    let lost = flow.step(&[b], &[stop]);
    let handler = flow.add(Step {
        handler: Some(Handler { steps: vec![lost], max_recoveries: 1 }),
        outputs: Some(vec![stop]),
        ..Step::default()
    });
    assert!(findings(&flow).contains(&(Code::UnreachableStep, Some(handler), None)));
}

#[test]
fn definite_mistakes_come_first() {
    let mut flow = Flow::new();
    let (stop, a, b) = (flow.stop, flow.event(), flow.event());
    flow.step(&[a], &[b]);
    flow.step(&[stop], &[]);
    let found = flow.graph.validate();
    let definite: Vec<_> = found.iter().map(Finding::is_definite).collect();
    assert!(definite.is_sorted_by(|before, after| before >= after), "{found:?}");
    let codes: Vec<_> = found.iter().filter(|found| found.is_definite()).map(|found| found.code).collect();
    assert_eq!(codes, [Code::NoStartStep, Code::StepTakesStop]);
}

#[test]
fn steps_are_checked_when_added() {
    let mut flow = Flow::new();
    let start = flow.start;
    let mut refused = |step: Step| flow.graph.add_step(step).unwrap_err();
    assert_eq!(refused(Step::default()), Code::InvalidStep);
    assert_eq!(refused(Step { inputs: vec![vec![]], ..Step::default() }), Code::InvalidStep);
    assert_eq!(refused(Step { workers: Some(0), ..takes(&[start], &[]) }), Code::InvalidWorkers);
    assert_eq!(refused(takes(&[EventTypeId(99)], &[])), Code::StaleId);
    assert_eq!(refused(takes(&[start], &[EventTypeId(99)])), Code::StaleId);
    assert!(flow.graph.steps().is_empty());
    assert!(flow.graph.types().iter().all(|ty| ty.routes.is_empty()));
}

#[test]
fn a_large_graph_is_validated_in_good_time() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let types: Vec<_> = (0..300).map(|_| flow.event()).collect();
    // Added from its end to its beginning, the worst order for finding the ways.
    flow.step(&[types[299]], &[stop]);
    for nth in (0..299).rev() {
        flow.step(&[types[nth]], &[types[nth + 1]]);
    }
    flow.step(&[start], &[types[0]]);
    let (found, cost) = processor_time::cost_of(|| findings(&flow));
    assert_eq!(found, []);
    assert!(cost.as_secs() < 5, "{cost:?}");
}

#[test]
fn a_step_that_gathers_what_no_step_returns() {
    let (mut flow, _) = sound();
    let (stop, human) = (flow.stop, flow.human);
    let sum = flow.collect(human, None, &[stop]);
    assert_eq!(findings(&flow), [(Code::NoFanOut, Some(sum), Some(human))]);
    let (mut flow, a) = sound();
    let stop = flow.stop;
    flow.collect(a, Some(3), &[stop]);
    assert_eq!(findings(&flow), [], "any step that returns it may return an array");
    // A kind of what is gathered will do.
    let (mut flow, _) = sound();
    let (start, stop, b) = (flow.start, flow.stop, flow.event());
    let kind = flow.kind_of(b);
    let sum = flow.collect(b, None, &[stop]);
    let none = (Code::NoFanOut, Some(sum), Some(b));
    assert_eq!(findings(&flow), [none, (Code::UnreachableStep, Some(sum), None)]);
    flow.step(&[start], &[kind]);
    assert_eq!(findings(&flow), []);
}

#[test]
fn what_a_step_waits_for_is_consumed_and_lets_its_step_end_the_run() {
    let mut flow = Flow::new();
    let (start, stop, base) = (flow.start, flow.stop, flow.event());
    let note = flow.kind_of(base);
    let asks = flow.step(&[start], &[stop]);
    let tells = flow.step(&[start], &[note]);
    let lost = [(Code::NeverConsumed, Some(tells), Some(note)), (Code::DeadEnd, Some(tells), None)];
    assert_eq!(findings(&flow), lost);

    for awaited in [base, note] {
        let mut flow = Flow::new();
        let (start, stop, own_base) = (flow.start, flow.stop, flow.event());
        let own = flow.kind_of(own_base);
        assert_eq!((own_base, own), (base, note));
        flow.add(Step { waits: vec![awaited], ..takes(&[start], &[stop]) });
        flow.step(&[start], &[own]);
        assert_eq!(findings(&flow), []);
    }
    assert_ne!(asks, tells);
}

#[test]
fn a_wait_invokes_no_step() {
    let mut flow = Flow::new();
    let (start, stop, note, never) = (flow.start, flow.stop, flow.event(), flow.event());
    flow.step(&[start], &[note]);
    flow.step(&[start], &[stop]);
    let cut_off = flow.add(Step { waits: vec![note], ..takes(&[never], &[stop]) });
    let found = findings(&flow);
    assert!(found.contains(&(Code::UnreachableStep, Some(cut_off), None)), "{found:?}");
}
