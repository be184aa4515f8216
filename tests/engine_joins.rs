//! Steps with several inputs: complete sets, first in first out, whatever the order of arrival.
mod engine_kit;

use engine_kit::{Flow, takes};
use stepstream::engine::{EventTypeId, OpenJoin, Step, StepId};

/// A run whose start event is taken by a step that never ends, and a join over `inputs`.
fn join_over(flow: &mut Flow, inputs: &[Vec<EventTypeId>]) -> StepId {
    let start = flow.start;
    flow.step(&[start], &[]);
    flow.add(Step { inputs: inputs.to_vec(), outputs: Some(vec![flow.stop]), ..Step::default() })
}

#[test]
fn a_join_fires_in_any_order_of_arrival_with_its_inputs_in_order() {
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut flow = Flow::new();
        let types = [flow.event(), flow.event(), flow.event()];
        let join = join_over(&mut flow, &types.map(|ty| vec![ty]));
        let mut run = flow.run();
        for (sent, nth) in order.into_iter().enumerate() {
            assert_eq!(run.calls(join).len(), 0, "after {sent} of {order:?}");
            run.send(types[nth], nth);
        }
        assert_eq!(run.inputs(join), ["0+1+2"], "{order:?}");
    }
}

#[test]
fn a_join_fires_once_for_each_complete_set_first_in_first_out() {
    let mut flow = Flow::new();
    let (a, b) = (flow.event(), flow.event());
    let join = join_over(&mut flow, &[vec![a], vec![b]]);
    let mut run = flow.run();
    for payload in ["a1", "a2", "a3"] {
        run.send(a, payload);
    }
    for payload in ["b1", "b2"] {
        run.send(b, payload);
    }
    assert_eq!(run.inputs(join), ["a1+b1", "a2+b2"]);
    assert_eq!(run.engine.open_joins().collect::<Vec<_>>(), [OpenJoin { step: join, filled: 0b01, later: 0 }]);
    run.send(b, "b3");
    assert_eq!(run.inputs(join), ["a1+b1", "a2+b2", "a3+b3"]);
    assert_eq!(run.engine.open_joins().count(), 0);
}

#[test]
fn inputs_of_the_same_type_take_one_event_each() {
    let mut flow = Flow::new();
    let a = flow.event();
    let join = join_over(&mut flow, &[vec![a], vec![a], vec![a]]);
    let mut run = flow.run();
    for payload in 1..=7 {
        run.send(a, payload);
    }
    assert_eq!(run.inputs(join), ["1+2+3", "4+5+6"]);
}

#[test]
fn overlapping_inputs_make_room_for_each_other() {
    // a may fill either input, b only the second; the set is complete in both orders.
    for order in [["a", "b"], ["b", "a"]] {
        let mut flow = Flow::new();
        let (a, b) = (flow.event(), flow.event());
        let join = join_over(&mut flow, &[vec![a], vec![a, b]]);
        let mut run = flow.run();
        for payload in order {
            run.send(if payload == "a" { a } else { b }, payload);
        }
        assert_eq!(run.inputs(join), ["a+b"], "{order:?}");
    }
}

#[test]
fn what_waited_moves_up_after_a_set_has_gone() {
    let mut flow = Flow::new();
    let (a, b, c) = (flow.event(), flow.event(), flow.event());
    let join = join_over(&mut flow, &[vec![a, b], vec![b, c], vec![c]]);
    let mut run = flow.run();
    for (ty, payload) in [(b, "b1"), (b, "b2"), (b, "b3"), (a, "a1"), (c, "c1"), (c, "c2")] {
        run.send(ty, payload);
    }
    assert_eq!(run.inputs(join), ["b1+b2+c1", "a1+b3+c2"]);
}

#[test]
fn of_what_waited_the_oldest_moves_up_first_whatever_its_type() {
    for b_is_older in [true, false] {
        let mut flow = Flow::new();
        let (a, b, c) = (flow.event(), flow.event(), flow.event());
        let join = join_over(&mut flow, &[vec![a, b], vec![c]]);
        let mut run = flow.run();
        run.send(a, 1);
        run.send(if b_is_older { b } else { a }, 2);
        run.send(if b_is_older { a } else { b }, 3);
        for payload in ["c1", "c2", "c3"] {
            run.send(c, payload);
        }
        assert_eq!(run.inputs(join), ["1+c1", "2+c2", "3+c3"]);
    }
}

#[test]
fn a_kind_of_a_type_joins_like_the_type() {
    let mut flow = Flow::new();
    let (a, b) = (flow.event(), flow.event());
    let a1 = flow.kind_of(a);
    let join = join_over(&mut flow, &[vec![a], vec![b]]);
    let mut run = flow.run();
    run.send(b, "b");
    run.send(a1, "a1");
    assert_eq!(run.inputs(join), ["a1+b"]);
}

#[test]
fn several_joins_share_events() {
    let mut flow = Flow::new();
    let (start, a, b, c) = (flow.start, flow.event(), flow.event(), flow.event());
    flow.step(&[start], &[a]);
    let (ab, ac) = (flow.step(&[a, b], &[]), flow.step(&[a, c], &[]));
    let mut run = flow.run();
    run.send(a, "a");
    run.send(c, "c");
    assert_eq!(run.inputs(ac), ["a+c"]);
    assert_eq!(run.calls(ab).len(), 0);
    run.send(b, "b");
    assert_eq!(run.inputs(ab), ["a+b"]);
}

#[test]
fn a_targeted_event_joins_at_its_step_alone() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    flow.step(&[start], &[a]);
    let (one, other) = (flow.step(&[a, b], &[]), flow.step(&[a, b], &[]));
    let mut run = flow.run();
    run.send_to(other, a, "a");
    run.send(b, "b");
    assert_eq!(run.calls(one).len(), 0);
    assert_eq!(run.inputs(other), ["a+b"]);
}

#[test]
fn complete_sets_queue_for_workers_in_the_order_of_completion() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    flow.step(&[start], &[a]);
    let join = flow.add(Step { workers: Some(1), ..takes(&[a, b], &[]) });
    let mut run = flow.run();
    for nth in 1..=3 {
        run.send(a, format!("a{nth}"));
        run.send(b, format!("b{nth}"));
    }
    for nth in 1..=3 {
        assert_eq!(run.inputs(join), [format!("a{nth}+b{nth}")]);
        run.finish_empty(&run.call(join));
    }
}

#[test]
fn the_most_inputs_are_thirty_two() {
    let mut flow = Flow::new();
    let start = flow.start;
    let types: Vec<_> = (0..33).map(|_| flow.event()).collect();
    flow.step(&[start], &[]);
    let too_many = flow.graph.add_step(takes(&types, &[]));
    assert_eq!(too_many, Err(stepstream::error::Code::InvalidStep));
    let join = flow.step(&types[..32], &[]);
    let mut run = flow.run();
    for ty in types[..32].iter().rev() {
        run.send(*ty, ty.0);
    }
    let wanted: Vec<_> = types[..32].iter().map(|ty| ty.0.to_string()).collect();
    assert_eq!(run.call(join).inputs, wanted);
}
