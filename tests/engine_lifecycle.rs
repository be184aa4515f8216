//! Where a run is: at work, waiting for the outside, stuck, cancelled, or over its limit.
mod engine_kit;

use engine_kit::{Asking, Call, Flow, Host, attempts, kept_at_most, steps_at_most, takes};
use stepstream::engine::{
    Command, EventTypeId, Millis, OpenJoin, Outcome, RunOptions, Status, Step, StepId, Tick, Verdict,
};
use stepstream::error::Code;

fn count(run: &Host, wanted: &Command) -> usize {
    run.commands.iter().filter(|command| *command == wanted).count()
}

#[test]
fn a_run_that_can_never_finish_is_stalled() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.step(&[start], &[a]);
    flow.step(&[a], &[stop]);
    let mut run = flow.run();
    run.finish_empty(&run.call(step));
    assert_eq!(run.outcome, Some(Outcome::Stalled));
}

#[test]
fn a_stalled_run_can_still_be_asked_which_joins_were_left_open() {
    let mut flow = Flow::new();
    let (start, stop, a, b) = (flow.start, flow.stop, flow.event(), flow.event());
    let step = flow.step(&[start], &[a, b]);
    let join = flow.step(&[a, b], &[stop]);
    let mut run = flow.run();
    run.finish(&run.call(step), b, "b");
    assert_eq!(run.outcome, Some(Outcome::Stalled));
    assert_eq!(run.engine.open_joins().collect::<Vec<_>>(), [OpenJoin { step: join, filled: 0b10, later: 0 }]);
}

#[test]
fn a_run_whose_start_is_not_enough_for_a_join_is_stalled() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start, a], &[a]);
    assert_eq!(flow.run().outcome, Some(Outcome::Stalled));
}

#[test]
fn a_run_waits_when_only_the_outside_can_carry_it_on() {
    let mut flow = Flow::new();
    let (start, stop, ask, human) = (flow.start, flow.stop, flow.ask, flow.human);
    let step = flow.step(&[start], &[ask]);
    let answer = flow.step(&[human], &[stop]);
    let mut run = flow.run();
    run.finish(&run.call(step), ask, "?");
    assert_eq!(run.status(), Status::Waiting);
    assert_eq!((count(&run, &Command::Idle), count(&run, &Command::Busy)), (1, 0));
    run.write(None, "still waiting").unwrap();
    assert_eq!(run.status(), Status::Waiting);
    run.send(human, "!");
    assert_eq!(run.status(), Status::Running);
    assert_eq!((count(&run, &Command::Idle), count(&run, &Command::Busy)), (1, 1));
    run.finish(&run.call(answer), stop, "end");
    assert_eq!(run.result().as_deref(), Some("end"));
}

#[test]
fn a_type_that_no_step_makes_keeps_a_run_open() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    flow.step(&[start], &[]);
    flow.step(&[a], &[stop]);
    let mut run = flow.run();
    run.finish_empty(&run.running[0].clone());
    assert_eq!(run.status(), Status::Waiting);
}

#[test]
fn a_kind_or_an_ancestor_that_a_step_makes_counts_as_made_inside() {
    for takes_kind in [true, false] {
        let mut flow = Flow::new();
        let (start, stop, a) = (flow.start, flow.stop, flow.event());
        let kind = flow.kind_of(a);
        flow.step(&[start], &[if takes_kind { a } else { kind }]);
        flow.step(&[if takes_kind { kind } else { a }], &[stop]);
        assert!(!flow.graph.is_open(), "takes the kind: {takes_kind}");
    }
}

#[test]
fn a_step_that_the_outside_alone_can_invoke_keeps_a_run_open() {
    let open = |inputs: fn(EventTypeId, EventTypeId, EventTypeId) -> Vec<Vec<EventTypeId>>| {
        let mut flow = Flow::new();
        let (start, stop, human, a, b) = (flow.start, flow.stop, flow.human, flow.event(), flow.event());
        flow.step(&[start], &[a, b]);
        flow.add(Step { inputs: inputs(human, a, b), outputs: Some(vec![stop]), ..Step::default() });
        flow.graph.is_open()
    };
    assert!(open(|human, a, _| vec![vec![a, human]]), "a choice");
    assert!(!open(|human, a, _| vec![vec![a], vec![human]]), "a join, for which the outside alone is not enough");
    assert!(!open(|_, a, b| vec![vec![a, b]]), "a choice of what is made inside");
}

#[test]
fn a_run_whose_step_takes_a_choice_with_an_answer_does_not_stall() {
    let mut flow = Flow::new();
    let (start, stop, human, a) = (flow.start, flow.stop, flow.human, flow.event());
    flow.step(&[start], &[a]);
    let step = flow.add(Step { inputs: vec![vec![a, human]], outputs: Some(vec![stop]), ..Step::default() });
    let mut run = flow.run();
    run.finish(&run.running[0].clone(), a, "item");
    run.finish_empty(&run.call(step));
    assert_eq!(run.status(), Status::Waiting);
    run.send(human, "answer");
    run.finish(&run.call(step), stop, "done");
    assert_eq!(run.result(), Some("done".to_owned()));
}

#[test]
fn a_step_that_waits_for_an_event_makes_the_run_wait() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.step(&[start], &[stop]);
    let mut run = flow.run();
    let call = run.call(step);
    let first = run.wait(&call, a);
    run.wait(&call, a);
    assert_eq!(run.status(), Status::Waiting);
    run.send(a, "one");
    assert_eq!(run.received(first), Some("one"));
    assert_eq!(run.status(), Status::Waiting, "the second is still open");
    run.send(a, "two");
    assert_eq!(run.status(), Status::Running);
}

#[test]
fn one_step_at_work_keeps_the_run_busy() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let (one, other) = (flow.step(&[start], &[]), flow.step(&[start], &[]));
    let mut run = flow.run();
    run.wait(&run.call(one), a);
    assert_eq!(run.status(), Status::Running);
    run.finish_empty(&run.call(other));
    assert_eq!(run.status(), Status::Waiting);
}

#[test]
fn an_expired_wait_makes_the_run_busy_again() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    run.wait_with(&run.call(step), a, Asking { timeout: Some(10), ..Asking::default() });
    assert_eq!(run.status(), Status::Waiting);
    run.advance(10);
    assert_eq!(run.status(), Status::Running);
}

#[test]
fn a_run_whose_steps_all_sleep_sleeps_until_the_first_wakes() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let (one, other) = (flow.step(&[start], &[]), flow.step(&[start], &[]));
    let mut run = flow.run();
    run.sleep(&run.call(one), 20);
    assert_eq!(run.status(), Status::Running, "the other works");
    run.sleep(&run.call(other), 30);
    assert_eq!((run.status(), run.engine.next_deadline()), (Status::Sleeping, Some(Millis(20))));
    run.advance(20);
    assert_eq!(run.status(), Status::Running);
    run.wait(&run.call(one), a);
    assert_eq!(run.status(), Status::Sleeping, "time moves it, and an event may");
    run.advance(10);
    run.finish_empty(&run.call(other));
    assert_eq!((run.status(), run.engine.next_deadline()), (Status::Waiting, None));
}

#[test]
fn a_step_that_waits_and_sleeps_at_once_waits() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    let call = run.call(step);
    run.sleep(&call, 20);
    let wait = run.wait(&call, a);
    assert_eq!((run.status(), run.engine.next_deadline()), (Status::Waiting, Some(Millis(20))));
    run.send(a, "answer");
    assert_eq!((run.received(wait), run.status()), (Some("answer"), Status::Sleeping));
    run.advance(20);
    assert_eq!(run.status(), Status::Running);
}

#[test]
fn a_sleep_that_is_withdrawn_or_of_a_failed_attempt_does_not_leave_the_run_asleep() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    let call = run.call(step);
    let nap = run.sleep(&call, 20);
    run.tick(Tick::Withdraw { invocation: call.id, wait: nap }).unwrap();
    assert_eq!((run.status(), run.engine.next_deadline()), (Status::Running, None));
    run.sleep(&call, 20);
    run.fail_with(&call, Verdict::Retry(Millis(0)));
    run.advance(0);
    assert_eq!(run.status(), Status::Running, "a new attempt sleeps anew");
}

#[test]
fn a_step_dozes_until_it_is_roused() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    let invocation = run.call(step).id;
    run.tick(Tick::Doze { invocation }).unwrap();
    assert_eq!(run.status(), Status::Sleeping);
    run.tick(Tick::Block { invocation }).unwrap();
    assert_eq!(run.status(), Status::Waiting);
    run.tick(Tick::Unblock { invocation }).unwrap();
    run.tick(Tick::Rouse { invocation }).unwrap();
    run.tick(Tick::Rouse { invocation }).unwrap();
    assert_eq!(run.status(), Status::Running, "one too many is no harm");
}

#[test]
fn a_blocked_step_counts_as_waiting_until_it_is_unblocked() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    let invocation = run.call(step).id;
    run.tick(Tick::Block { invocation }).unwrap();
    run.tick(Tick::Block { invocation }).unwrap();
    assert_eq!(run.status(), Status::Waiting);
    run.tick(Tick::Unblock { invocation }).unwrap();
    assert_eq!(run.status(), Status::Waiting);
    run.tick(Tick::Unblock { invocation }).unwrap();
    assert_eq!(run.status(), Status::Running);
    run.tick(Tick::Unblock { invocation }).unwrap();
    assert_eq!(run.status(), Status::Running, "one too many is no harm");
}

#[test]
fn an_attempt_that_failed_while_blocked_does_not_leave_the_run_waiting() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.add(Step { retry: attempts(3, 0), ..takes(&[start], &[]) });
    let mut run = flow.run();
    run.wait(&run.call(step), a);
    run.tick(Tick::Block { invocation: run.call(step).id }).unwrap();
    run.fail(&run.call(step));
    assert_eq!(run.status(), Status::Running);
    let wait = run.wait(&run.call(step), a);
    assert_eq!(run.status(), Status::Waiting, "what blocks the new attempt is counted anew");
    run.send(a, "a");
    assert_eq!((run.received(wait), run.status()), (Some("a"), Status::Running));
}

#[test]
fn a_step_that_ends_while_it_is_blocked_does_not_leave_the_run_waiting() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.step(&[start], &[a]);
    flow.step(&[a], &[stop]);
    let mut run = flow.run();
    let call = run.call(step);
    run.tick(Tick::Block { invocation: call.id }).unwrap();
    assert_eq!(run.status(), Status::Waiting);
    run.finish_empty(&call);
    assert_eq!(run.outcome, Some(Outcome::Stalled), "no step is left, and nothing can come from outside");
}

#[test]
fn the_end_of_a_sleep_does_not_stand_for_that_of_a_wait() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    let call = run.call(step);
    run.wait(&call, a);
    run.sleep(&call, 10);
    run.advance(10);
    assert_eq!(run.status(), Status::Waiting);
}

fn half_done() -> (Host, StepId, Vec<Call>) {
    let mut flow = Flow::new();
    let (start, stop, a, b) = (flow.start, flow.stop, flow.event(), flow.event());
    flow.step(&[start], &[a, b]);
    let step = flow.add(Step { workers: Some(2), retry: attempts(9, 100), ..takes(&[a], &[stop]) });
    flow.step(&[a, b], &[stop]);
    let mut run = flow.run();
    for nth in 1..=5 {
        run.send(a, nth);
    }
    let calls = run.calls(step);
    run.fail(&calls[0]);
    let waiting = run.calls(step);
    run.wait_with(&waiting[0], b, Asking { timeout: Some(50), ..Asking::default() });
    run.sleep(&waiting[1], 10);
    (run, step, waiting)
}

#[test]
fn cancelling_ends_the_run_and_refuses_everything_after() {
    let (mut run, _, calls) = half_done();
    let keys: Vec<_> = run.timers.keys().copied().collect();
    run.cancel();
    assert_eq!(run.outcome, Some(Outcome::Cancelled));
    assert_eq!(run.tick(Tick::Cancel), Err(Code::RunEnded));
    for call in calls {
        assert_eq!(run.try_wait(call.id, stepstream::engine::EventTypeId(0), Asking::default()), Err(Code::RunEnded));
    }
    for key in keys {
        run.tick(Tick::Timer { key }).unwrap();
    }
}

#[test]
fn a_run_that_ended_before_its_time_keeps_its_work_in_order() {
    let (mut run, step, _) = half_done();
    run.cancel();
    assert!(run.engine.in_flight().all(|at| !at.running));
    assert_eq!(run.engine.in_flight().filter(|at| at.step == step).count(), 5);
    // For a snapshot: what it waited for, and the pauses that only deadlines end.
    assert_eq!(run.engine.open_waits().count(), 1);
    assert!(format!("{:?}", run.engine.state()).contains("Backoff"));
}

#[test]
fn a_step_that_failed_for_good_keeps_its_event() {
    let mut flow = Flow::new();
    let start = flow.start;
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    run.fail(&run.call(step));
    let left: Vec<_> = run.engine.in_flight().collect();
    assert_eq!((left.len(), left[0].step, left[0].attempt, left[0].running), (1, step, 1, false));
}

#[test]
fn a_run_may_be_cancelled_before_it_begins() {
    let mut flow = Flow::new();
    let start = flow.start;
    flow.step(&[start], &[]);
    let mut run = flow.ready(RunOptions { timeout: Some(Millis(1)), ..RunOptions::default() });
    run.cancel();
    assert_eq!(run.commands, [Command::Settle { outcome: Outcome::Cancelled }]);
    let slot = run.put("start");
    assert_eq!(run.tick(Tick::Start { ty: start, slot }), Err(Code::RunEnded));
}

#[test]
fn the_limit_of_steps_counts_every_attempt() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.add(Step { retry: attempts(99, 0), ..takes(&[start], &[a]) });
    let mut run = flow.run_with(steps_at_most(3));
    run.fail(&run.call(step));
    run.fail(&run.call(step));
    assert_eq!(run.status(), Status::Running);
    run.fail(&run.call(step));
    assert_eq!(run.outcome, Some(Outcome::LimitReached));
    assert_eq!(run.begun.len(), 3);
}

#[test]
fn a_loop_ends_at_the_limit() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let enter = flow.step(&[start], &[a]);
    let turn = flow.step(&[a], &[a]);
    let mut run = flow.run_with(steps_at_most(100));
    run.finish(&run.call(enter), a, 0);
    while run.outcome.is_none() {
        run.finish(&run.call(turn), a, "on");
    }
    assert_eq!((run.outcome, run.begun.len()), (Some(Outcome::LimitReached), 100));
    assert_eq!(run.engine.in_flight().count(), 1, "the event that went over the limit is still there");
}

#[test]
fn a_limit_of_none_ends_the_run_as_it_begins() {
    let mut flow = Flow::new();
    let start = flow.start;
    flow.step(&[start], &[]);
    flow.step(&[start], &[]);
    let run = flow.run_with(steps_at_most(0));
    assert_eq!(run.outcome, Some(Outcome::LimitReached));
    assert_eq!(run.begun.len(), 0);
}

#[test]
fn a_long_run_holds_no_more_than_a_short_one() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    let enter = flow.step(&[start], &[a]);
    let turn = flow.step(&[a], &[a, b]);
    let mut run = flow.run_with(kept_at_most(2));
    run.finish(&run.call(enter), a, 0);
    let mut sizes = Vec::new();
    for nth in 0..300 {
        let call = run.call(turn);
        run.send_from(&call, b, "unread");
        run.sleep(&call, 1);
        run.advance(1);
        run.finish(&call, a, nth);
        sizes.push(format!("{:?}", run.engine.state().counts()).len());
    }
    assert_eq!(run.kept_payloads(), 3);
    assert!(sizes[10..].iter().all(|size| *size <= sizes[10] + 2), "{sizes:?}");
}
