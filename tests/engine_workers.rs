//! Workers: how many invocations of a step run at a time, and in which order the rest begins.
mod engine_kit;

use engine_kit::{Flow, Host, attempts, takes};
use stepstream::engine::{EventTypeId, Status, Step, StepId, Verdict};

/// A run with a step of so many workers that takes the returned type, and events 1 to `events` sent to it.
fn busy(workers: Option<u32>, events: u32, change: impl FnOnce(&mut Step)) -> (Host, StepId, EventTypeId) {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start], &[a]);
    let mut step = Step { workers, ..takes(&[a], &[]) };
    change(&mut step);
    let step = flow.add(step);
    let mut run = flow.run();
    for nth in 1..=events {
        run.send(a, nth);
    }
    (run, step, a)
}

#[test]
fn without_a_number_all_run_at_once() {
    let (run, step, _) = busy(None, 100, |_| {});
    assert_eq!(run.calls(step).len(), 100);
}

#[test]
fn no_more_run_than_there_are_workers() {
    let (mut run, step, _) = busy(Some(2), 5, |_| {});
    assert_eq!(run.inputs(step), ["1", "2"]);
    run.finish_empty(&run.calls(step)[1]);
    assert_eq!(run.inputs(step), ["1", "3"], "the oldest in the queue begins when a worker is free");
    run.finish_empty(&run.calls(step)[0]);
    run.finish_empty(&run.calls(step)[0]);
    assert_eq!(run.inputs(step), ["4", "5"]);
}

#[test]
fn workers_of_one_step_do_not_hold_up_another() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start], &[a]);
    let one = flow.add(Step { workers: Some(1), ..takes(&[a], &[]) });
    let many = flow.step(&[a], &[]);
    let mut run = flow.run();
    for nth in 1..=3 {
        run.send(a, nth);
    }
    assert_eq!((run.calls(one).len(), run.calls(many).len()), (1, 3));
}

#[test]
fn a_step_that_waits_keeps_its_worker() {
    let (mut run, step, _) = busy(Some(1), 2, |_| {});
    let other = run.engine.graph().borrow_mut().add_type(Default::default(), &[]).unwrap();
    run.wait(&run.call(step), other);
    assert_eq!(run.inputs(step), ["1"]);
}

#[test]
fn what_queues_behind_workers_that_wait_does_not_keep_the_run_busy() {
    let (mut run, step, a) = busy(Some(2), 4, |_| {});
    let other = run.engine.graph().borrow_mut().add_type(Default::default(), &[]).unwrap();
    run.finish_empty(&run.running[0].clone());
    let calls = run.calls(step);
    run.wait(&calls[0], other);
    assert_eq!(run.status(), Status::Running, "one worker is at work");
    run.wait(&calls[1], other);
    assert_eq!(run.status(), Status::Waiting);
    run.send(a, 5);
    assert_eq!(run.status(), Status::Waiting, "one more in the queue");
    run.finish_empty(&calls[0]);
    assert_eq!((run.inputs(step), run.status()), (vec!["2".into(), "3".into()], Status::Running));
}

#[test]
fn a_pause_before_the_next_attempt_keeps_the_run_busy_and_a_place_in_the_queue_does_not() {
    let (mut run, step, _) = busy(Some(1), 2, |step| step.retry = attempts(3, 100));
    let other = run.engine.graph().borrow_mut().add_type(Default::default(), &[]).unwrap();
    run.finish_empty(&run.running[0].clone());
    run.fail(&run.call(step));
    run.wait(&run.call(step), other);
    assert_eq!(run.status(), Status::Sleeping, "1 is to be tried again");
    run.advance(100);
    assert_eq!(run.status(), Status::Waiting, "and queues behind 2 now");
    run.finish_empty(&run.call(step));
    assert_eq!((run.inputs(step), run.status()), (vec!["1".into()], Status::Running));
}

#[test]
fn a_failed_attempt_without_a_pause_goes_before_younger_events() {
    let (mut run, step, _) = busy(Some(1), 3, |step| step.retry = attempts(3, 0));
    run.fail(&run.call(step));
    let call = run.call(step);
    assert_eq!((call.inputs[0].as_str(), call.attempt), ("1", 2));
}

#[test]
fn a_pause_frees_the_worker_and_the_attempt_comes_back_by_its_age() {
    let (mut run, step, _) = busy(Some(1), 4, |step| step.retry = attempts(3, 100));
    run.fail(&run.call(step));
    assert_eq!(run.inputs(step), ["2"], "others go on during the pause");
    run.advance(100);
    assert_eq!(run.inputs(step), ["2"], "the worker is busy when the pause is over");
    run.finish_empty(&run.call(step));
    let call = run.call(step);
    assert_eq!((call.inputs[0].as_str(), call.attempt), ("1", 2), "the oldest first, 3 and 4 queue behind it");
    run.finish_empty(&call);
    assert_eq!(run.inputs(step), ["3"]);
}

#[test]
fn several_pauses_come_back_in_the_order_of_age() {
    let (mut run, step, a) = busy(Some(3), 3, |step| step.retry = attempts(3, 10));
    for call in run.calls(step).into_iter().rev() {
        run.fail_with(&call, Verdict::Retry(stepstream::engine::Millis(50)));
    }
    run.send(a, 4);
    run.send(a, 5);
    run.send(a, 6);
    run.advance(50);
    assert_eq!(run.inputs(step), ["4", "5", "6"]);
    for _ in 0..3 {
        run.finish_empty(&run.calls(step)[0]);
    }
    assert_eq!(run.inputs(step), ["1", "2", "3"]);
}

#[test]
fn a_failure_for_good_frees_the_worker() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start], &[a]);
    let step = flow.add(Step { workers: Some(1), ..takes(&[a], &[]) });
    flow.handler(&[], 1);
    let mut run = flow.run();
    run.send(a, 1);
    run.send(a, 2);
    run.fail(&run.call(step));
    assert_eq!(run.inputs(step), ["2"]);
}
