//! Deadlines: of the run, of a step, of a wait; and those that come too late to matter.
mod engine_kit;

use engine_kit::{Asking, Flow, Host, WaitResult, attempts, takes};
use stepstream::engine::{Command, Millis, Outcome, RunOptions, Status, Step, StepId, Tick, TimerKey};
use stepstream::error::Code;

fn timeout(ms: u64) -> RunOptions {
    RunOptions { timeout: Some(Millis(ms)), ..RunOptions::default() }
}

fn timed_step(change: impl FnOnce(&mut Step)) -> (Host, StepId) {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let mut step = Step { timeout: Some(Millis(100)), ..takes(&[start], &[stop]) };
    change(&mut step);
    let step = flow.add(step);
    flow.step(&[flow.human], &[stop]);
    (flow.run(), step)
}

#[test]
fn a_run_that_takes_too_long_ends() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    let mut run = flow.run_with(timeout(500));
    run.advance(499);
    assert_eq!(run.status(), Status::Running);
    let call = run.call(step);
    run.advance(1);
    assert_eq!(run.outcome, Some(Outcome::TimedOut));
    assert_eq!(run.try_finish(call.id, stepstream::engine::EventTypeId(0), "late"), Err(Code::RunEnded));
}

#[test]
fn the_time_of_a_run_counts_while_it_waits() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    flow.step(&[start], &[]);
    flow.step(&[flow.human], &[stop]);
    let mut run = flow.run_with(timeout(500));
    run.finish_empty(&run.running[0].clone());
    assert_eq!(run.status(), Status::Waiting);
    run.advance(500);
    assert_eq!(run.outcome, Some(Outcome::TimedOut));
}

#[test]
fn a_run_that_ends_in_time_voids_its_deadlines() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let step = flow.add(Step { timeout: Some(Millis(100)), ..takes(&[start], &[stop]) });
    flow.add(Step { timeout: Some(Millis(100)), ..takes(&[start], &[stop]) });
    let mut run = flow.run_with(timeout(500));
    let keys: Vec<_> = run.timers.keys().copied().collect();
    assert_eq!(keys.len(), 3);
    run.finish(&run.call(step), stop, "end");
    run.now = 1000;
    for key in keys {
        // The host asserts that nothing is commanded.
        run.tick(Tick::Timer { key }).unwrap();
    }
    assert_eq!(run.result().as_deref(), Some("end"));
}

#[test]
fn a_step_that_takes_too_long_is_reported_and_answers_with_a_failure() {
    let (mut run, step) = timed_step(|_| {});
    run.advance(100);
    assert_eq!(run.timed_out, [run.call(step).id]);
    assert_eq!(run.status(), Status::Running, "the host decides what the failure is");
    run.fail(&run.call(step));
    assert!(matches!(run.outcome, Some(Outcome::StepFailed { .. })));
}

#[test]
fn a_step_that_ends_in_time_clears_its_deadline() {
    let (mut run, step) = timed_step(|_| {});
    run.advance(99);
    let seen = run.commands.len();
    run.finish_empty(&run.call(step));
    assert!(run.timers.is_empty());
    assert!(matches!(run.commands[seen..], [Command::ClearTimer { .. }, Command::Release { .. }, Command::Idle]));
    run.advance(100);
    assert!(run.timed_out.is_empty());
}

#[test]
fn each_attempt_has_its_own_deadline_and_a_pause_has_none() {
    let (mut run, step) = timed_step(|step| step.retry = attempts(3, 1000));
    run.advance(100);
    run.fail(&run.call(step));
    run.advance(1000);
    assert_eq!(run.timed_out.len(), 1);
    run.advance(99);
    assert_eq!(run.timed_out.len(), 1);
    run.advance(1);
    assert_eq!(run.timed_out.len(), 2);
    assert_ne!(run.timed_out[0], run.timed_out[1]);
}

#[test]
fn a_deadline_begins_with_the_attempt_not_with_the_queue() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start], &[]);
    let step = flow.add(Step { timeout: Some(Millis(100)), workers: Some(1), ..takes(&[a], &[]) });
    let mut run = flow.run();
    run.send(a, 1);
    run.send(a, 2);
    run.advance(90);
    run.finish_empty(&run.call(step));
    run.advance(99);
    assert!(run.timed_out.is_empty());
    run.advance(1);
    assert_eq!(run.timed_out, [run.call(step).id]);
}

#[test]
fn a_wait_that_takes_too_long_expires() {
    let (mut run, step) = timed_step(|step| step.timeout = None);
    let a = run.engine.graph().borrow_mut().add_type(Default::default(), &[]).unwrap();
    let call = run.call(step);
    let asking = Asking { timeout: Some(50), ..Asking::default() };
    let wait = run.wait_with(&call, a, asking.clone());
    let open = run.wait(&call, a);
    run.advance(50);
    assert_eq!(run.wait_result(wait), Some(WaitResult::Expired));
    run.send(a, "a");
    assert_eq!(run.received(open), Some("a"), "an expired wait takes no event");
    let in_time = run.wait_with(&call, a, asking);
    run.send(a, "in time");
    assert_eq!(run.received(in_time), Some("in time"));
    assert!(run.timers.is_empty(), "its deadline is cleared");
}

#[test]
fn a_timeout_of_nothing_still_takes_what_is_kept() {
    let (mut run, step) = timed_step(|step| step.timeout = None);
    let a = run.engine.graph().borrow_mut().add_type(Default::default(), &[]).unwrap();
    run.send(a, "kept");
    let call = run.call(step);
    let asking = Asking { timeout: Some(0), ..Asking::default() };
    let (first, second) = (run.wait_with(&call, a, asking.clone()), run.wait_with(&call, a, asking));
    run.advance(0);
    assert_eq!((run.received(first), run.wait_result(second)), (Some("kept"), Some(WaitResult::Expired)));
}

#[test]
fn unknown_late_and_repeated_deadlines_mean_nothing() {
    let (mut run, step) = timed_step(|_| {});
    let key = *run.timers.keys().next().unwrap();
    run.advance(100);
    for key in [key, TimerKey(77), TimerKey(u32::MAX)] {
        let state = run.engine.state().clone();
        run.tick(Tick::Timer { key }).unwrap();
        assert!(*run.engine.state() == state);
    }
    assert_eq!(run.timed_out, [run.call(step).id], "reported once");
}

#[test]
fn time_does_not_go_back() {
    let (mut run, step) = timed_step(|step| step.timeout = None);
    run.now = 1000;
    run.write(None, "x").unwrap();
    run.now = 10;
    run.sleep(&run.call(step), 5);
    assert_eq!(run.timers.values().copied().collect::<Vec<_>>(), [Millis(1005)]);
}

#[test]
fn huge_durations_never_come() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.add(Step { timeout: Some(Millis::MAX), ..takes(&[start], &[]) });
    let mut run = flow.run_with(timeout(u64::MAX));
    run.now = u64::MAX - 1;
    let call = run.call(step);
    run.sleep(&call, u64::MAX);
    assert!(run.timers.values().all(|deadline| *deadline == Millis::MAX));
}
