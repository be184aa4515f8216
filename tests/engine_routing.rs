//! Who gets an event: steps by type, a step by name, later waits; and kinds of types.
mod engine_kit;

use engine_kit::{Flow, kept_at_most, takes};
use stepstream::engine::{Command, Outcome, Role, Status, Step};
use stepstream::error::Code;

#[test]
fn a_chain_runs_to_its_end() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let first = flow.step(&[start], &[a]);
    let second = flow.step(&[a], &[stop]);
    let mut run = flow.run();
    assert_eq!(run.inputs(first), ["start"]);
    run.finish(&run.call(first), a, "a");
    assert_eq!(run.inputs(second), ["a"]);
    run.finish(&run.call(second), stop, "end");
    assert_eq!(run.result().as_deref(), Some("end"));
    assert_eq!(run.stream, ["start", "a", "end"]);
}

#[test]
fn every_step_that_takes_an_event_gets_it() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let takers = [flow.step(&[start], &[a]), flow.step(&[start], &[a]), flow.step(&[start], &[stop])];
    let mut run = flow.run();
    let order: Vec<_> = run.running.iter().map(|call| call.step).collect();
    assert_eq!(order, takers, "in the order in which the steps were added");
    assert_eq!(run.stream, ["start"], "it is published once all the same");
    run.finish_empty(&run.call(takers[0]));
    run.finish_empty(&run.call(takers[1]));
    assert_eq!(run.kept_payloads(), 1, "the third still holds it");
}

#[test]
fn an_or_input_takes_any_of_its_types() {
    let mut flow = Flow::new();
    let (start, stop, a, b, c) = (flow.start, flow.stop, flow.event(), flow.event(), flow.event());
    flow.step(&[start], &[a, b, c]);
    let or = flow.add(Step { inputs: vec![vec![a, b]], outputs: Some(vec![stop]), ..Step::default() });
    let mut run = flow.run();
    run.send(b, "b");
    run.send(c, "c");
    run.send(a, "a");
    assert_eq!(run.inputs(or), ["b", "a"]);
}

#[test]
fn an_or_input_that_takes_a_type_twice_gets_the_event_once() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let a2 = flow.kind_of(a);
    flow.step(&[start], &[a]);
    let or = flow.add(Step { inputs: vec![vec![a, a2, a]], ..Step::default() });
    let mut run = flow.run();
    run.send(a2, "x");
    assert_eq!(run.inputs(or), ["x"]);
}

#[test]
fn a_kind_of_a_type_goes_where_the_type_goes_but_not_the_other_way() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let a1 = flow.kind_of(a);
    let a2 = flow.kind_of(a1);
    flow.step(&[start], &[a]);
    let all = flow.step(&[a], &[]);
    let some = flow.step(&[a1], &[]);
    let mut run = flow.run();
    run.send(a, "a");
    run.send(a1, "a1");
    run.send(a2, "a2");
    assert_eq!(run.inputs(all), ["a", "a1", "a2"]);
    assert_eq!(run.inputs(some), ["a1", "a2"]);
}

#[test]
fn a_type_met_during_the_run_is_routed_by_its_ancestry() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    flow.step(&[start], &[a]);
    let taker = flow.step(&[a], &[stop]);
    let mut run = flow.run();
    let late = run.engine.graph().borrow_mut().add_type(Role::Plain, &[a]).unwrap();
    run.send(late, "late");
    assert_eq!(run.inputs(taker), ["late"]);
    let late_stop = run.engine.graph().borrow_mut().add_type(Role::Plain, &[stop]).unwrap();
    run.finish(&run.call(taker), late_stop, "end");
    assert_eq!(run.result().as_deref(), Some("end"), "a kind of the stop event ends the run");
    let unknown = run.engine.graph().borrow_mut().add_type(Role::Plain, &[stepstream::engine::EventTypeId(99)]);
    assert_eq!(unknown, Err(Code::StaleId));
}

#[test]
fn a_kind_met_during_the_run_satisfies_waits_and_is_kept_for_them() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    let late = run.engine.graph().borrow_mut().add_type(Role::Plain, &[a]).unwrap();
    run.send(late, "kept");
    let call = run.call(step);
    let first = run.wait(&call, a);
    assert_eq!(run.received(first), Some("kept"));
    let second = run.wait(&call, a);
    run.send(late, "waited for");
    assert_eq!(run.received(second), Some("waited for"));
}

#[test]
fn the_nearest_role_is_inherited() {
    let mut flow = Flow::new();
    let (stop, human) = (flow.stop, flow.human);
    let own = flow.graph.add_type(Role::InputRequired, &[stop]).unwrap();
    assert_eq!(flow.graph.types()[own.index()].role, Role::InputRequired, "its own first");
    let plain = flow.event();
    let nearest = flow.graph.add_type(Role::Plain, &[plain, human, stop]).unwrap();
    assert_eq!(flow.graph.types()[nearest.index()].role, Role::HumanResponse);
}

#[test]
fn a_targeted_event_goes_to_its_step_alone() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start], &[a]);
    let (one, other) = (flow.step(&[a], &[]), flow.step(&[a], &[]));
    let mut run = flow.run();
    run.send_to(other, a, "for one");
    assert_eq!(run.inputs(one), [""; 0]);
    assert_eq!(run.inputs(other), ["for one"]);
}

#[test]
fn a_targeted_event_that_the_step_does_not_take_is_refused() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    flow.step(&[start], &[a]);
    let step = flow.step(&[a], &[]);
    let mut run = flow.run();
    assert_eq!(run.try_send(None, b, "b", Some(step)), Err(Code::EventNotTaken));
    assert_eq!(run.stream, ["start"]);
}

#[test]
fn events_that_no_step_takes_are_kept_up_to_the_limit_of_their_type() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    let step = flow.step(&[start], &[]);
    let mut run = flow.run_with(kept_at_most(2));
    for payload in ["a1", "a2", "a3"] {
        run.send(a, payload);
    }
    run.send(b, "b1");
    assert_eq!(run.kept_payloads(), 4, "start, a2, a3, b1");
    let call = run.call(step);
    let waits = [run.wait(&call, a), run.wait(&call, a), run.wait(&call, a), run.wait(&call, b)];
    let received = waits.map(|wait| run.received(wait).map(str::to_owned));
    assert_eq!(received.each_ref().map(Option::as_deref), [Some("a2"), Some("a3"), None, Some("b1")]);
}

#[test]
fn kept_events_of_several_kinds_come_in_the_order_of_arrival() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let (x, y) = (flow.kind_of(a), flow.kind_of(a));
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    for (ty, payload) in [(y, "1"), (x, "2"), (a, "3"), (y, "4")] {
        run.send(ty, payload);
    }
    let kept: Vec<_> = run.engine.kept(a).iter().map(|event| run.payload(event.slot)).collect();
    assert_eq!(kept, ["1", "2", "3", "4"]);
    let call = run.call(step);
    let waits: Vec<_> = (0..4).map(|_| run.wait(&call, a)).collect();
    let received: Vec<_> = waits.iter().filter_map(|wait| run.received(*wait)).collect();
    assert_eq!(received, ["1", "2", "3", "4"]);
}

#[test]
fn nothing_is_kept_when_the_limit_is_zero() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.step(&[start], &[]);
    let mut run = flow.run_with(kept_at_most(0));
    run.send(a, "gone");
    assert_eq!(run.kept_payloads(), 1);
    let wait = run.wait(&run.call(step), a);
    assert_eq!(run.wait_result(wait), None);
}

#[test]
fn by_default_4096_events_of_a_type_are_kept() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start], &[]);
    let mut run = flow.run();
    // Past the checks of the host, which would take long for so many.
    for slot in 1..=5000 {
        let slot = stepstream::engine::Slot(slot);
        let tick = stepstream::engine::Tick::Send { from: None, ty: a, slot, target: None, matches: vec![] };
        run.engine.apply(tick, stepstream::engine::Millis(0)).unwrap();
    }
    assert_eq!(run.engine.kept(a).len(), 4096);
    assert_eq!(run.engine.kept(a)[0].slot.0, 905);
}

#[test]
fn written_events_reach_the_stream_and_no_step() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    let call = run.call(step);
    run.write(Some(&call), "progress").unwrap();
    run.write(None, "from outside").unwrap();
    assert_eq!(run.stream, ["start", "progress", "from outside"]);
    assert_eq!(run.kept_payloads(), 1, "nothing is held on to");
}

#[test]
fn a_stop_event_ends_the_run_for_any_sender_and_drops_the_rest() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.step(&[start], &[stop, a]);
    let slow = flow.add(Step { workers: Some(1), ..takes(&[a], &[stop]) });
    let mut run = flow.run();
    run.send(a, "running");
    run.send(a, "queued");
    let left = run.call(slow);
    run.send_from(&run.call(step), stop, "end");
    assert!(matches!(run.status(), Status::Ended(Outcome::Completed(_))));
    assert_eq!(run.result().as_deref(), Some("end"));
    assert!(run.engine.state().counts().is_empty(), "a completed run holds nothing");
    assert_eq!(run.try_finish(left.id, a, "late"), Err(Code::RunEnded));
    assert_eq!(run.try_send(None, a, "late", None), Err(Code::RunEnded));
    assert_eq!(run.write(None, "late"), Err(Code::RunEnded));
    assert_eq!(run.stream.last().map(String::as_str), Some("end"));
}

#[test]
fn commands_come_in_the_order_that_the_host_needs() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let first = flow.step(&[start], &[a]);
    let second = flow.step(&[a], &[stop]);
    let mut run = flow.run();
    let call = run.call(first);
    let seen = run.commands.len();
    run.finish(&call, a, "a");
    let [Command::Publish { slot }, Command::Invoke { step, inputs, attempt: 1, .. }, release] = &run.commands[seen..]
    else {
        panic!("{:?}", &run.commands[seen..]);
    };
    // A reader of the stream sees an event before its effects.
    assert_eq!((*step, inputs), (second, &vec![*slot]));
    assert_eq!(run.payload(*slot), "a");
    assert!(matches!(release, Command::Release { .. }));
}

#[test]
fn a_run_that_has_not_begun_takes_nothing_but_its_start() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    flow.step(&[start], &[stop]);
    let mut run = flow.ready(Default::default());
    assert_eq!(run.status(), Status::Created);
    assert_eq!(run.try_send(None, a, "early", None), Err(Code::StaleId));
    assert_eq!(run.write(None, "early"), Err(Code::StaleId));
    let wrong = stepstream::engine::Tick::Start { ty: a, slot: stepstream::engine::Slot(0) };
    assert_eq!(run.tick(wrong), Err(Code::NoStartStep));
    run.begin();
    assert_eq!(run.status(), Status::Running);
    let again = stepstream::engine::Tick::Start { ty: start, slot: stepstream::engine::Slot(1) };
    assert_eq!(run.tick(again), Err(Code::StaleId));
}
