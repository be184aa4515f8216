//! Runs that nothing can carry on any more, and runs that the outside may: which is which, and what is known of what they lack.
mod engine_kit;

use engine_kit::{Asking, Flow, attempts, takes};
use stepstream::engine::{Millis, OpenCollection, Outcome, Status, Step, Verdict};

#[test]
fn a_step_that_returned_nothing_stalls_a_closed_run() {
    for declared in [true, false] {
        let mut flow = Flow::new();
        let start = flow.start;
        let step = flow.add(Step { outputs: declared.then(Vec::new), ..takes(&[start], &[]) });
        let mut run = flow.run();
        run.finish_empty(&run.call(step));
        assert_eq!(run.outcome, Some(Outcome::Stalled), "declared: {declared}");
    }
}

#[test]
fn where_a_step_takes_what_no_step_declares_the_run_waits_and_says_for_what() {
    for declared in [true, false] {
        let mut flow = Flow::new();
        let (start, stop, a) = (flow.start, flow.stop, flow.event());
        let step = flow.add(Step { outputs: declared.then(Vec::new), ..takes(&[start], &[]) });
        let taker = flow.step(&[a], &[stop]);
        let mut run = flow.run();
        run.finish_empty(&run.call(step));
        assert_eq!(run.status(), Status::Waiting, "declared: {declared}");
        assert_eq!(run.engine.outside_inputs(), [(taker, a)]);
        run.send(a, "from outside");
        assert_eq!(run.inputs(taker), ["from outside"]);
    }
}

#[test]
fn an_event_that_was_sent_and_that_no_step_takes_moves_nothing() {
    let mut flow = Flow::new();
    let (start, stop, a, b) = (flow.start, flow.stop, flow.event(), flow.event());
    let step = flow.step(&[start], &[b]);
    flow.step(&[b], &[stop]);
    let mut run = flow.run();
    let call = run.call(step);
    run.send_from(&call, a, "for nobody");
    run.finish_empty(&call);
    assert_eq!(run.outcome, Some(Outcome::Stalled));
}

#[test]
fn a_join_that_lacks_what_only_steps_make_stalls_the_run_whatever_the_outside_could_send() {
    let mut flow = Flow::new();
    let (start, stop, human, a) = (flow.start, flow.stop, flow.human, flow.event());
    let step = flow.step(&[start], &[a]);
    flow.step(&[a, human], &[stop]);
    let mut run = flow.run();
    run.finish_empty(&run.call(step));
    assert_eq!(run.outcome, Some(Outcome::Stalled), "an answer alone would not be enough");
}

#[test]
fn a_join_that_lacks_only_what_the_outside_can_send_waits_for_it() {
    let mut flow = Flow::new();
    let (start, stop, human, a) = (flow.start, flow.stop, flow.human, flow.event());
    let step = flow.step(&[start], &[a]);
    let join = flow.step(&[a, human], &[stop]);
    let mut run = flow.run();
    run.finish(&run.call(step), a, "item");
    assert_eq!(run.status(), Status::Waiting);
    assert_eq!(run.engine.outside_inputs(), [(join, human)]);
    run.send(human, "answer");
    assert_eq!(run.inputs(join), ["item+answer"]);
    run.finish_empty(&run.call(join));
    assert_eq!(run.outcome, Some(Outcome::Stalled), "now it lacks both");
}

#[test]
fn a_choice_waits_for_the_one_that_comes_from_outside() {
    let mut flow = Flow::new();
    let (start, stop, human, a) = (flow.start, flow.stop, flow.human, flow.event());
    let step = flow.step(&[start], &[a]);
    let choice = flow.add(Step { inputs: vec![vec![a, human]], outputs: Some(vec![stop]), ..Step::default() });
    let mut run = flow.run();
    run.finish_empty(&run.call(step));
    assert_eq!(run.status(), Status::Waiting);
    assert_eq!(run.engine.outside_inputs(), [(choice, human)]);
}

#[test]
fn a_collection_reports_what_it_lacks() {
    let mut flow = Flow::new();
    let (start, stop, a, b) = (flow.start, flow.stop, flow.event(), flow.event());
    let kind = flow.kind_of(a);
    let step = flow.step(&[start], &[a]);
    let gather = flow.step(&[a], &[stop]);
    let mut run = flow.run();
    let call = run.call(step);
    for nth in 0..3 {
        run.send_from(&call, if nth == 0 { kind } else { a }, nth);
    }
    run.finish_empty(&call);
    for call in run.calls(gather) {
        let ty = if call.inputs[0] == "0" { kind } else { a };
        assert_eq!(run.collect(&call, ty, &call.inputs[0], &[a, a, b, a, b]), None);
        run.finish_empty(&call);
    }
    assert_eq!(run.outcome, Some(Outcome::Stalled));
    let lacks = OpenCollection { step: gather, held: 3, expected: 5, missing: vec![(b, 2)] };
    assert_eq!(run.engine.open_collections(), [lacks]);
}

#[test]
fn a_handler_that_returned_nothing_stalls_the_run() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let step = flow.step(&[start], &[stop]);
    let handler = flow.handler(&[], 1);
    let mut run = flow.run();
    run.fail(&run.call(step));
    run.finish_empty(&run.call(handler));
    assert_eq!(run.outcome, Some(Outcome::Stalled));
}

#[test]
fn a_pause_between_attempts_is_known() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let step = flow.add(Step { retry: attempts(3, 500), ..takes(&[start], &[stop]) });
    let mut run = flow.run();
    run.advance(20);
    run.fail(&run.call(step));
    let pauses: Vec<_> = run.engine.pauses().map(|pause| (pause.step, pause.attempt, pause.due)).collect();
    assert_eq!(pauses, [(step, 1, Millis(520))]);
    assert_eq!(run.status(), Status::Sleeping);
    run.advance(500);
    assert_eq!(run.engine.pauses().count(), 0);
}

#[test]
fn what_waits_for_a_worker_is_known() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let fan = flow.step(&[start], &[a]);
    let busy = flow.add(Step { workers: Some(1), ..takes(&[a], &[stop]) });
    let mut run = flow.run();
    let call = run.call(fan);
    (0..4).for_each(|nth| run.send_from(&call, a, nth));
    assert_eq!(run.engine.queues().collect::<Vec<_>>(), [(busy, 3)]);
}

#[test]
fn a_run_that_is_left_with_withdrawn_waits_alone_waits() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.add(Step { retry: attempts(3, 0), ..takes(&[start], &[stop]) });
    let mut run = flow.run();
    let call = run.call(step);
    let wait = run.wait_with(&call, a, Asking::default());
    run.withdraw(&call, wait);
    run.fail_with(&call, Verdict::Policy);
    run.wait(&run.call(step), a);
    assert_eq!(run.status(), Status::Waiting, "the handler may still withdraw it");
}
