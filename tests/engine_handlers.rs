//! Error handlers: who takes a failure, how often, and what happens when a handler fails itself.
mod engine_kit;

use engine_kit::{Flow, attempts, takes};
use stepstream::engine::{Handler, Limits, Outcome, RunOptions, Step, Verdict};
use stepstream::error::Code;

#[test]
fn a_handler_takes_the_failure_and_carries_the_run_on() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let step = flow.step(&[start], &[stop]);
    let handler = flow.handler(&[step], 1);
    let mut run = flow.run();
    run.fail(&run.call(step));
    assert_eq!(run.call(handler).inputs, ["failure"]);
    assert_eq!(run.stream, ["start", "failure"], "a handled failure is an event of the run");
    assert_eq!(run.kept_payloads(), 1, "what the failed step held is let go");
    run.finish(&run.call(handler), stop, "mended");
    assert_eq!(run.result().as_deref(), Some("mended"));
}

#[test]
fn a_handler_comes_after_the_retries() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let step = flow.add(Step { retry: attempts(3, 0), ..takes(&[start], &[stop]) });
    let handler = flow.handler(&[], 1);
    let mut run = flow.run();
    for _ in 0..2 {
        run.fail(&run.call(step));
        assert_eq!(run.calls(handler).len(), 0);
    }
    run.fail(&run.call(step));
    assert_eq!(run.calls(handler).len(), 1);
}

#[test]
fn a_handler_for_the_step_beats_the_one_for_all() {
    let mut flow = Flow::new();
    let start = flow.start;
    let (one, other) = (flow.step(&[start], &[]), flow.step(&[start], &[]));
    let fallback = flow.handler(&[], 1);
    let own = flow.handler(&[one], 1);
    let mut run = flow.run();
    run.fail(&run.call(one));
    assert_eq!((run.calls(own).len(), run.calls(fallback).len()), (1, 0));
    run.fail(&run.call(other));
    assert_eq!((run.calls(own).len(), run.calls(fallback).len()), (1, 1));
}

#[test]
fn a_failure_that_no_handler_is_for_ends_the_run() {
    let mut flow = Flow::new();
    let start = flow.start;
    let (one, other) = (flow.step(&[start], &[]), flow.step(&[start], &[]));
    flow.handler(&[one], 1);
    let mut run = flow.run();
    run.fail(&run.call(other));
    assert!(matches!(run.outcome, Some(Outcome::StepFailed { step, .. }) if step == other));
}

#[test]
fn a_handler_that_fails_ends_the_run() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    let handler = flow.handler(&[], 9);
    let mut run = flow.run();
    run.fail(&run.call(step));
    run.fail(&run.call(handler));
    assert!(matches!(run.outcome, Some(Outcome::StepFailed { step, .. }) if step == handler));
}

#[test]
fn a_handler_may_be_retried_and_have_workers_as_any_step() {
    let mut flow = Flow::new();
    let start = flow.start;
    let steps = [flow.step(&[start], &[]), flow.step(&[start], &[])];
    let handler = flow.add(Step {
        handler: Some(Handler { steps: vec![], max_recoveries: 1 }),
        retry: attempts(2, 0),
        workers: Some(1),
        ..Step::default()
    });
    let mut run = flow.run();
    for step in steps {
        run.fail(&run.call(step));
    }
    assert_eq!(run.calls(handler).len(), 1);
    run.fail(&run.call(handler));
    assert_eq!(run.call(handler).attempt, 2);
    run.finish_empty(&run.call(handler));
    assert_eq!(run.call(handler).attempt, 1);
}

#[test]
fn recoveries_are_counted_along_the_line_of_events() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    let first = flow.step(&[start], &[a]);
    let second = flow.step(&[a], &[b]);
    let third = flow.step(&[b], &[]);
    let handler = flow.handler(&[], 2);
    let mut run = flow.run();
    run.fail(&run.call(first));
    // The handler sends one event and returns another: both remember the failure.
    let call = run.call(handler);
    run.send_from(&call, a, "sent");
    run.finish(&call, a, "returned");
    for call in run.calls(second) {
        run.finish(&call, b, format!("{} on", call.inputs[0]));
    }
    assert_eq!(run.inputs(third), ["sent on", "returned on"]);
    run.fail(&run.calls(third)[0]);
    assert_eq!(run.calls(handler).len(), 1, "the second recovery of this line");
    run.finish(&run.call(handler), b, "third time");
    let last = run.calls(third).pop().unwrap();
    assert_eq!(last.inputs, ["third time"]);
    run.fail(&last);
    assert!(matches!(run.outcome, Some(Outcome::StepFailed { step, .. }) if step == third));
}

#[test]
fn one_line_does_not_use_up_the_recoveries_of_another() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start], &[]);
    let step = flow.step(&[a], &[]);
    let handler = flow.handler(&[], 1);
    let mut run = flow.run();
    for nth in 0..5 {
        run.send(a, nth);
        run.fail(&run.call(step));
    }
    assert_eq!(run.calls(handler).len(), 5);
}

#[test]
fn a_join_remembers_the_most_recoveries_of_its_events() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    let step = flow.step(&[start], &[]);
    let join = flow.step(&[a, b], &[]);
    let handler = flow.handler(&[], 1);
    let mut run = flow.run();
    run.fail(&run.call(step));
    run.finish(&run.call(handler), b, "mended");
    run.send(a, "fresh");
    run.fail(&run.call(join));
    assert!(matches!(run.outcome, Some(Outcome::StepFailed { step, .. }) if step == join));
}

#[test]
fn with_no_recoveries_a_handler_is_never_entered() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    flow.handler(&[], 0);
    let mut run = flow.run();
    run.fail(&run.call(step));
    assert!(matches!(run.outcome, Some(Outcome::StepFailed { .. })));
}

#[test]
fn handlers_take_failures_and_nothing_else() {
    let mut flow = Flow::new();
    let (start, failed) = (flow.start, flow.failed);
    let step = flow.step(&[start], &[]);
    let handler = flow.handler(&[], 1);
    let watcher = flow.step(&[failed], &[]);
    let mut run = flow.run();
    run.send(failed, "sent by hand");
    assert_eq!((run.calls(handler).len(), run.calls(watcher).len()), (0, 1));
    assert_eq!(run.try_send(None, failed, "targeted", Some(handler)), Err(Code::EventNotTaken));
    run.fail(&run.call(step));
    assert_eq!(run.calls(handler).len(), 1);
}

#[test]
fn giving_up_goes_to_the_handler_at_once() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.add(Step { retry: attempts(9, 0), ..takes(&[start], &[]) });
    let handler = flow.handler(&[], 1);
    let mut run = flow.run();
    run.fail_with(&run.call(step), Verdict::GiveUp);
    assert_eq!(run.calls(handler).len(), 1);
}

#[test]
fn a_handler_that_the_limit_forbids_ends_the_run_with_the_limit() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    flow.handler(&[], 1);
    let options = RunOptions { limits: Limits { steps: 1, ..Limits::default() }, ..RunOptions::default() };
    let mut run = flow.run_with(options);
    run.fail(&run.call(step));
    assert_eq!(run.outcome, Some(Outcome::LimitReached));
}

#[test]
fn a_handler_does_not_handle_another() {
    let mut flow = Flow::new();
    let start = flow.start;
    let (step, other) = (flow.step(&[start], &[]), flow.step(&[start], &[]));
    let handler = flow.handler(&[step], 1);
    let naming =
        |steps: &[_]| Step { handler: Some(Handler { steps: steps.to_vec(), max_recoveries: 1 }), ..Step::default() };
    assert_eq!(flow.graph.add_step(naming(&[handler])), Err(Code::HandlerHandled));
    assert_eq!(flow.graph.add_step(naming(&[other, handler])), Err(Code::HandlerHandled));
    assert_eq!(flow.graph.handler_of(other), None, "what was refused is not there");
}

#[test]
fn handlers_are_checked_when_added() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    let handler =
        |steps: &[_]| Step { handler: Some(Handler { steps: steps.to_vec(), max_recoveries: 1 }), ..Step::default() };
    flow.add(handler(&[step]));
    flow.add(handler(&[]));
    assert_eq!(flow.graph.add_step(handler(&[step])), Err(Code::DuplicateHandler));
    assert_eq!(flow.graph.add_step(handler(&[])), Err(Code::DuplicateHandler));
    assert_eq!(flow.graph.add_step(handler(&[stepstream::engine::StepId(9)])), Err(Code::StaleId));
    let both = Step { inputs: vec![vec![start]], ..handler(&[]) };
    assert_eq!(flow.graph.add_step(both), Err(Code::InvalidStep));
    assert_eq!(flow.graph.steps().len(), 3, "what was refused is not there");
}
