//! Waits and sleeps that are taken back: nothing comes to them any more, in no attempt.
mod engine_kit;

use engine_kit::{Asking, Call, Flow, Host, WaitResult, attempts, takes};
use stepstream::engine::{EventTypeId, Status, Step, StepId, Tick, TickOutput, Verdict, WaitId};
use stepstream::error::Code;

/// A run whose one step is at work and may be repeated, and a type that no step takes.
fn working() -> (Host, StepId, EventTypeId) {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.add(Step { retry: attempts(5, 0), ..takes(&[start], &[stop]) });
    (flow.run(), step, a)
}

/// A race between a wait and a sleep.
fn race(run: &mut Host, call: &Call, ty: EventTypeId) -> (WaitId, WaitId) {
    (run.wait(call, ty), run.sleep(call, 10))
}

#[test]
fn the_next_event_goes_to_the_live_wait() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let (lost, late) = race(&mut run, &call, a);
    run.advance(10);
    assert_eq!(run.wait_result(late), Some(WaitResult::Woken));
    run.withdraw(&call, lost);
    let live = run.wait(&call, a);
    run.send(a, "answer");
    assert_eq!((run.wait_result(lost), run.received(live)), (None, Some("answer")));
}

#[test]
fn an_event_that_comes_when_the_only_wait_was_withdrawn_is_kept() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let lost = run.wait(&call, a);
    run.withdraw(&call, lost);
    run.send(a, "later");
    assert_eq!(run.engine.kept(a).len(), 1);
    let live = run.wait(&call, a);
    assert_eq!(run.received(live), Some("later"));
}

#[test]
fn a_condition_that_accepts_does_not_bring_a_withdrawn_wait_back() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let lost = run.wait_with(&call, a, Asking { accepts: Some(|_| true), ..Asking::default() });
    run.withdraw(&call, lost);
    let slot = run.put("event");
    run.tick(Tick::Send { from: None, ty: a, slot, target: None, matches: vec![lost] }).expect("it is taken in");
    assert_eq!(run.wait_result(lost), None);
    assert_eq!(run.engine.kept(a).len(), 1);
}

#[test]
fn the_deadline_of_what_is_withdrawn_is_cleared() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let wait = run.wait_with(&call, a, Asking { timeout: Some(50), ..Asking::default() });
    let sleep = run.sleep(&call, 50);
    assert_eq!(run.timers.len(), 2);
    run.withdraw(&call, wait);
    run.withdraw(&call, sleep);
    assert!(run.timers.is_empty());
    run.advance(100);
    assert_eq!((run.wait_result(wait), run.wait_result(sleep)), (None, None));
}

#[test]
fn a_run_is_at_work_again_when_its_open_wait_is_withdrawn() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let first = run.wait(&call, a);
    let second = run.wait(&call, a);
    run.withdraw(&call, first);
    assert_eq!(run.status(), Status::Waiting, "the second is open");
    run.withdraw(&call, second);
    assert_eq!(run.status(), Status::Running);
    assert_eq!(run.engine.open_waits().count(), 0);
}

#[test]
fn to_withdraw_what_is_closed_changes_nothing() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let answered = run.wait(&call, a);
    run.send(a, "answer");
    let twice = run.wait(&call, a);
    run.withdraw(&call, twice);
    // The host compares the state before and after.
    for wait in [answered, twice, WaitId(77), WaitId(u32::MAX)] {
        assert_eq!(run.try_withdraw(call.id, wait), Ok(TickOutput::None));
    }
    assert_eq!(run.received(answered), Some("answer"));
}

#[test]
fn only_the_attempt_that_asked_may_withdraw() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let steps = [flow.step(&[start], &[stop]), flow.step(&[start], &[stop])];
    let mut run = flow.run();
    let [one, other] = steps.map(|step| run.call(step));
    let wait = run.wait(&one, a);
    run.withdraw(&other, wait);
    run.send(a, "answer");
    assert_eq!(run.received(wait), Some("answer"));
    let open = run.wait(&one, a);
    run.finish_empty(&one);
    assert_eq!(run.try_withdraw(one.id, open), Err(Code::AttemptEnded));
}

#[test]
fn what_an_attempt_withdrew_stays_open_for_nothing_in_the_next() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let lost = run.wait(&call, a);
    run.withdraw(&call, lost);
    let live = run.wait(&call, a);
    run.send(a, "one");
    assert_eq!(run.received(live), Some("one"));
    run.fail(&call);

    let call = run.call(step);
    run.send(a, "two");
    let again = run.wait(&call, a);
    assert_eq!(run.wait_result(again), None, "not what is kept");
    assert_eq!(run.status(), Status::Waiting, "it counts as open");
    run.send(a, "three");
    assert_eq!(run.wait_result(again), None, "not what comes");
    run.withdraw(&call, again);
    assert_eq!(run.status(), Status::Running);
    let live = run.wait(&call, a);
    assert_eq!(run.received(live), Some("one"), "what the first attempt was given");
    let next = run.wait(&call, a);
    assert_eq!(run.received(next), Some("two"), "nothing is lost");
}

#[test]
fn a_sleep_that_lost_stays_open_without_a_deadline_in_the_next_attempt() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let (won, lost) = race(&mut run, &call, a);
    run.send(a, "quick");
    assert_eq!(run.received(won), Some("quick"));
    run.withdraw(&call, lost);
    run.fail(&call);

    let call = run.call(step);
    let (won, lost) = race(&mut run, &call, a);
    assert_eq!(run.received(won), Some("quick"));
    assert!(run.timers.is_empty());
    run.advance(1000);
    assert_eq!(run.wait_result(lost), None);
    assert_eq!(run.status(), Status::Waiting, "nothing goes on by itself");
    run.withdraw(&call, lost);
    assert_eq!(run.status(), Status::Running);
}

#[test]
fn the_end_of_an_attempt_closes_what_is_open_for_nothing() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let lost = run.wait(&call, a);
    run.withdraw(&call, lost);
    for _ in 0..2 {
        run.fail(&run.call(step));
        run.wait(&run.call(step), a);
    }
    let stop = run.stop;
    run.finish(&run.call(step), stop, "done");
    assert_eq!(run.result().as_deref(), Some("done"));
}

#[test]
fn an_expired_wait_and_a_sleep_begin_anew_in_a_race_that_is_repeated() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let (lost, _) = race(&mut run, &call, a);
    run.advance(10);
    run.withdraw(&call, lost);
    run.fail_with(&call, Verdict::Retry(stepstream::engine::Millis(0)));
    let call = run.call(step);
    let (_, late) = race(&mut run, &call, a);
    assert_eq!(run.wait_result(late), None);
    run.advance(10);
    assert_eq!(run.wait_result(late), Some(WaitResult::Woken));
}
