//! Failed attempts that are repeated: how often, after which pause, and what the next attempt is handed back.
mod engine_kit;

use engine_kit::{Asking, Call, Flow, Host, WaitResult, attempts, takes};
use stepstream::engine::{
    EventTypeId, Millis, Outcome, RetryPolicy, RunOptions, Status, Step, StepId, Stop, Verdict, Wait,
};
use stepstream::error::Code;
use stepstream::random::seed_of;

/// A run whose one step has this policy, and a type that no step takes.
fn failing(retry: Option<RetryPolicy>) -> (Host, StepId, EventTypeId) {
    failing_with(retry, RunOptions::default())
}

fn failing_with(retry: Option<RetryPolicy>, options: RunOptions) -> (Host, StepId, EventTypeId) {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.add(Step { retry, ..takes(&[start], &[stop]) });
    (flow.run_with(options), step, a)
}

/// The pauses that follow each failure until the run ends.
fn pauses(run: &mut Host, step: StepId, spent: u64) -> Vec<u64> {
    let mut pauses = Vec::new();
    while run.outcome.is_none() {
        run.now += spent;
        let failed_at = run.now;
        run.fail(&run.call(step));
        if let Some(due) = run.timers.values().next().copied() {
            run.advance(due.0 - run.now);
        }
        if run.outcome.is_none() {
            pauses.push(run.now - failed_at);
        }
    }
    pauses
}

#[test]
fn without_a_policy_the_first_failure_ends_the_run() {
    let (mut run, step, _) = failing(None);
    run.fail(&run.call(step));
    let Status::Ended(Outcome::StepFailed { step: failed, slot }) = run.status() else { panic!("{:?}", run.status()) };
    assert_eq!((failed, run.payload(slot)), (step, "failure".into()));
    assert_eq!(run.stream, ["start"], "a failure without a handler is not an event of the run");
}

#[test]
fn a_policy_sets_the_number_of_attempts_and_the_pause() {
    let (mut run, step, _) = failing(attempts(3, 250));
    assert_eq!(pauses(&mut run, step, 10), [250, 250]);
    let made: Vec<_> = run.begun.iter().map(|call| (call.attempt, call.inputs[0].as_str())).collect();
    assert_eq!(made, [(1, "start"), (2, "start"), (3, "start")]);
}

#[test]
fn exponential_pauses_grow_up_to_their_limit() {
    let wait = Wait::Exponential { initial: Millis(100), factor: 2.0, max: Millis(350) };
    let (mut run, step, _) = failing(Some(RetryPolicy { wait, stop: Stop::Attempts(5) }));
    assert_eq!(pauses(&mut run, step, 0), [100, 200, 350, 350]);
}

#[test]
fn a_policy_may_stop_after_a_time_that_begins_with_the_first_attempt() {
    let policy = RetryPolicy { wait: Wait::Fixed(Millis(100)), stop: Stop::Delay(Millis(250)) };
    let (mut run, step, _) = failing(Some(policy));
    // Fails at 10, 120, 230 and 340.
    assert_eq!(pauses(&mut run, step, 10), [100, 100, 100]);
}

#[test]
fn jitter_depends_on_the_seed_and_on_nothing_else() {
    let drawn = |run_id: &str| {
        let wait = Wait::FullJitter { initial: Millis(10_000), factor: 2.0, max: Millis(1_000_000) };
        let policy = RetryPolicy { wait, stop: Stop::Attempts(6) };
        let options = RunOptions { seed: seed_of(run_id), ..RunOptions::default() };
        let (mut run, step, _) = failing_with(Some(policy), options);
        pauses(&mut run, step, 0)
    };
    assert_eq!(drawn("one"), drawn("one"));
    assert_ne!(drawn("one"), drawn("other"));
}

#[test]
fn two_events_of_one_run_draw_different_jitter() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    flow.step(&[start], &[a]);
    let wait = Wait::Random { min: Millis(0), max: Millis(1_000_000) };
    let step = flow.add(Step { retry: Some(RetryPolicy { wait, stop: Stop::Never }), ..takes(&[a], &[]) });
    let mut run = flow.run();
    run.send(a, 1);
    run.send(a, 2);
    for call in run.calls(step) {
        run.fail(&call);
    }
    let due: Vec<_> = run.timers.values().collect();
    assert_ne!(due[0], due[1]);
}

#[test]
fn the_host_may_overrule_the_policy() {
    let (mut run, step, _) = failing(attempts(9, 10));
    run.fail_with(&run.call(step), Verdict::Retry(Millis(70)));
    run.advance(69);
    assert_eq!(run.calls(step).len(), 0);
    run.advance(1);
    assert_eq!(run.call(step).attempt, 2);
    run.fail_with(&run.call(step), Verdict::GiveUp);
    assert!(matches!(run.status(), Status::Ended(Outcome::StepFailed { .. })));
}

#[test]
fn a_verdict_to_retry_needs_no_policy() {
    let (mut run, step, _) = failing(None);
    for attempt in 2..100 {
        run.fail_with(&run.call(step), Verdict::Retry(Millis(0)));
        assert_eq!(run.call(step).attempt, attempt);
    }
}

#[test]
fn an_attempt_that_has_failed_is_refused_for_ever() {
    let (mut run, step, a) = failing(attempts(9, 0));
    let first = run.call(step);
    run.fail(&first);
    assert_eq!(run.try_finish(first.id, a, "late"), Err(Code::AttemptEnded));
    assert_eq!(run.try_fail(first.id, Verdict::Policy), Err(Code::AttemptEnded));
    assert_eq!(run.try_send(Some(first.id), a, "late", None), Err(Code::AttemptEnded));
    assert_eq!(run.try_wait(first.id, a, Asking::default()), Err(Code::AttemptEnded));
    assert_eq!(run.write(Some(&first), "late"), Err(Code::AttemptEnded));
    let second = run.call(step);
    run.fail_with(&second, Verdict::Retry(Millis(5)));
    assert_eq!(run.try_finish(second.id, a, "during the pause"), Err(Code::AttemptEnded));
}

#[test]
fn the_run_sleeps_during_a_pause() {
    let (mut run, step, _) = failing(attempts(2, 1000));
    run.fail(&run.call(step));
    assert_eq!(run.status(), Status::Sleeping);
    assert_eq!(run.engine.next_deadline(), Some(Millis(1000)));
    run.advance(1000);
    assert_eq!((run.status(), run.engine.next_deadline()), (Status::Running, None));
}

/// Asks for `ty` and for a sleep, as a handler would in each attempt.
fn ask(run: &mut Host, call: &Call, ty: EventTypeId) -> Vec<Option<WaitResult>> {
    let first = run.wait(call, ty);
    let nap = run.sleep(call, 100);
    let second = run.wait(call, ty);
    [first, nap, second].map(|wait| run.wait_result(wait)).to_vec()
}

#[test]
fn received_events_are_handed_back_and_sleeps_begin_anew() {
    let (mut run, step, a) = failing(attempts(9, 0));
    run.send(a, "one");
    let received = Some(WaitResult::Event("one".into()));
    let call = run.call(step);
    assert_eq!(ask(&mut run, &call, a), [received.clone(), None, None]);
    run.advance(100);
    run.fail(&call);

    let call = run.call(step);
    assert_eq!(
        ask(&mut run, &call, a),
        [received.clone(), None, None],
        "the open wait was not answered, the sleep is new"
    );
    run.send(a, "two");
    run.fail(&call);

    let call = run.call(step);
    let both = [received, None, Some(WaitResult::Event("two".into()))];
    assert_eq!(ask(&mut run, &call, a), both);
    assert_eq!(run.engine.kept(a).len(), 0, "nothing was taken a second time");
    run.advance(100);
    let nap = stepstream::engine::WaitId(7);
    assert_eq!(run.wait_result(nap), Some(WaitResult::Woken));
}

#[test]
fn a_wait_that_ran_out_begins_anew() {
    let (mut run, step, a) = failing(attempts(9, 0));
    let asking = Asking { timeout: Some(50), ..Asking::default() };
    let first = run.wait_with(&run.call(step), a, asking.clone());
    run.advance(50);
    assert_eq!(run.wait_result(first), Some(WaitResult::Expired));
    run.fail(&run.call(step));
    let second = run.wait_with(&run.call(step), a, asking);
    assert_eq!(run.wait_result(second), None);
    run.advance(50);
    assert_eq!(run.wait_result(second), Some(WaitResult::Expired));
}

#[test]
fn an_attempt_that_asks_something_else_is_not_given_the_old_answer() {
    let (mut run, step, a) = failing(attempts(9, 0));
    let b = run.engine.graph().borrow_mut().add_type(Default::default(), &[]).unwrap();
    run.send(a, "a");
    run.send(b, "b");
    let call = run.call(step);
    run.wait(&call, a);
    run.fail(&call);
    let wait = run.wait(&run.call(step), b);
    assert_eq!(run.received(wait), Some("b"));
}

#[test]
fn a_wait_of_another_name_is_another_question() {
    let (mut run, step, a) = failing(attempts(9, 0));
    let named = |name| Asking { name: Some(name), ..Asking::default() };
    run.send(a, "one");
    run.send(a, "two");
    run.wait_with(&run.call(step), a, named("x"));
    run.fail(&run.call(step));
    let call = run.call(step);
    let wait = run.wait_with(&call, a, named("y"));
    assert_eq!(run.received(wait), Some("two"));
}

#[test]
fn a_handler_that_does_several_things_at_a_time_may_ask_in_another_order() {
    let (mut run, step, a) = failing(attempts(9, 0));
    let named = |name| Asking { name: Some(name), ..Asking::default() };
    run.send(a, "one");
    run.send(a, "two");
    let call = run.call(step);
    run.wait_with(&call, a, named("x"));
    run.wait_with(&call, a, named("y"));
    run.fail(&call);
    let call = run.call(step);
    let [new, y, x] = ["new", "y", "x"].map(|name| run.wait_with(&call, a, named(name)));
    assert_eq!(run.wait_result(new), None, "this wait was not asked for before");
    assert_eq!((run.received(x), run.received(y)), (Some("one"), Some("two")));
    run.send(a, "three");
    assert_eq!(run.received(new), Some("three"));
}

#[test]
fn questions_that_no_attempt_repeats_are_forgotten() {
    let (mut run, step, a) = failing(attempts(99, 0));
    const NAMES: [&str; 3] = ["x", "y", "z"];
    for nth in 0..90 {
        let call = run.call(step);
        run.wait_with(&call, a, Asking { name: Some(NAMES[nth % 3]), ..Asking::default() });
        run.fail(&call);
        assert!(run.engine.capture(Millis(0)).image.invocations[0].log.len() <= 2);
    }
}

#[test]
fn a_wait_left_open_by_a_failed_attempt_takes_no_event() {
    let (mut run, step, a) = failing(attempts(9, 100));
    let wait = run.wait_with(&run.call(step), a, Asking { timeout: Some(10), ..Asking::default() });
    run.fail(&run.call(step));
    run.send(a, "kept");
    run.advance(50);
    assert_eq!(run.wait_result(wait), None);
    assert_eq!(run.engine.kept(a).len(), 1);
    run.advance(50);
    let again = run.wait(&run.call(step), a);
    assert_eq!(run.received(again), Some("kept"));
}

#[test]
fn a_collection_that_was_complete_is_handed_back() {
    let (mut run, step, a) = failing(attempts(9, 0));
    let call = run.call(step);
    assert_eq!(run.collect(&call, a, "1", &[a, a]), None);
    assert_eq!(run.collect(&call, a, "2", &[a, a]), Some(vec!["1".into(), "2".into()]));
    run.fail(&call);
    let call = run.call(step);
    assert_eq!(run.collect(&call, a, "again 1", &[a, a]), None);
    assert_eq!(run.collect(&call, a, "again 2", &[a, a]), Some(vec!["1".into(), "2".into()]));
    assert_eq!(run.collect(&call, a, "3", &[a, a]), None, "nothing was put in twice");
}

#[test]
fn no_pause_begins_that_would_end_too_late() {
    let wait = Wait::Exponential { initial: Millis(100), factor: 2.0, max: Millis(10_000) };
    let policy = |stop| Some(RetryPolicy { wait: wait.clone(), stop });
    let (mut run, step, _) = failing(policy(Stop::BeforeDelay(Millis(800))));
    assert_eq!(pauses(&mut run, step, 10), [100, 200, 400], "730 ms have gone by, and 800 more would be too many");
    let (mut run, step, _) = failing(policy(Stop::BeforeDelay(Millis(100))));
    assert_eq!(pauses(&mut run, step, 0), [], "exactly then is too late");
    let (mut run, step, _) = failing(policy(Stop::Delay(Millis(800))));
    assert_eq!(pauses(&mut run, step, 10), [100, 200, 400, 800]);
}

#[test]
fn the_last_failure_is_kept_until_the_next_one() {
    let (mut run, step, _) = failing(attempts(3, 250));
    let before = run.call(step);
    assert_eq!(run.engine.failure(before.id), None);
    let failure = |run: &Host, call: &Call| run.engine.failure(call.id).map(|event| run.payload(event.slot));
    for nth in 1..3 {
        run.fail(&run.call(step));
        run.advance(250);
        assert_eq!(failure(&run, &run.call(step)).as_deref(), Some("failure"), "attempt {nth}");
        assert_eq!(run.kept_payloads(), 2, "the start event and one failure");
    }
    assert_eq!(run.engine.began(run.call(step).id), Some(Millis(0)), "when the first attempt began");
    run.finish_empty(&run.call(step));
    assert_eq!(run.kept_payloads(), 0);
}
