//! Events that are published: questions, once for all attempts, and what a step writes to the stream, anew in each attempt and after a reset.
mod engine_kit;

use engine_kit::{Asking, Call, Flow, Host, attempts, takes};
use stepstream::engine::{Command, EventTypeId, Millis, Status, Step, StepId, Tick, Verdict, WaitId};
use stepstream::error::Code;

/// A run whose one step is at work and may be repeated, and a type that no step takes.
fn working() -> (Host, StepId, EventTypeId) {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.add(Step { retry: attempts(9, 0), ..takes(&[start], &[stop]) });
    (flow.run(), step, a)
}

fn ask(run: &mut Host, call: &Call, ty: EventTypeId, name: &'static str) -> WaitId {
    let question = Some(format!("{name}?"));
    run.wait_with(call, ty, Asking { name: Some(name), question, ..Asking::default() })
}

fn ask_now(run: &mut Host, step: StepId, ty: EventTypeId) -> WaitId {
    let call = run.call(step);
    ask(run, &call, ty, "ready")
}

fn published(run: &Host, payload: &str) -> usize {
    run.stream.iter().filter(|published| *published == payload).count()
}

#[test]
fn a_question_is_published_before_the_run_waits() {
    let (mut run, step, a) = working();
    let wait = ask_now(&mut run, step, a);
    assert_eq!(run.stream, ["start", "ready?"]);
    assert_eq!(run.status(), Status::Waiting);
    let at = |wanted: fn(&Command) -> bool| run.commands.iter().position(wanted);
    let publish = run.commands.iter().rposition(|command| matches!(command, Command::Publish { .. }));
    assert!(publish < at(|command| *command == Command::Idle));
    run.send(a, "yes");
    assert_eq!(run.received(wait), Some("yes"));
    assert_eq!(run.kept_payloads(), 2, "the question is not held");
}

#[test]
fn a_question_whose_answer_is_there_already_is_published_too() {
    let (mut run, step, a) = working();
    run.send(a, "early");
    let wait = ask_now(&mut run, step, a);
    assert_eq!(run.received(wait), Some("early"));
    assert_eq!(published(&run, "ready?"), 1);
}

#[test]
fn a_question_is_published_once_over_all_attempts() {
    let (mut run, step, a) = working();
    for attempt in 0..4 {
        let call = run.call(step);
        let wait = ask(&mut run, &call, a, "ready");
        assert_eq!(run.wait_result(wait).is_some(), attempt > 2, "answered in the third attempt");
        if attempt == 2 {
            run.send(a, "yes");
        }
        run.fail(&call);
    }
    assert_eq!(published(&run, "ready?"), 1);
}

#[test]
fn an_attempt_that_does_not_come_to_the_question_does_not_make_it_new() {
    let (mut run, step, a) = working();
    ask_now(&mut run, step, a);
    for _ in 0..3 {
        run.fail(&run.call(step));
    }
    ask_now(&mut run, step, a);
    assert_eq!(published(&run, "ready?"), 1);
}

#[test]
fn several_questions_are_distinguished_by_what_they_ask_for() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    ask(&mut run, &call, a, "one");
    ask(&mut run, &call, a, "two");
    ask(&mut run, &call, a, "two");
    run.fail(&call);
    let call = run.call(step);
    ask(&mut run, &call, a, "two");
    ask(&mut run, &call, a, "three");
    ask(&mut run, &call, a, "one");
    assert_eq!(run.stream, ["start", "one?", "two?", "two?", "three?"]);
}

#[test]
fn a_question_that_was_withdrawn_is_not_published_again() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let wait = ask(&mut run, &call, a, "ready");
    run.withdraw(&call, wait);
    run.fail(&call);
    ask_now(&mut run, step, a);
    assert_eq!(published(&run, "ready?"), 1);
}

#[test]
fn a_question_is_refused_with_its_wait() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let slot = run.put("question");
    let tick = |question, ty, slot| {
        let (invocation, id, timeout) = (call.id, None, None);
        Tick::Ask { invocation, ty, id, timeout, predicated: false, claim: None, question, slot }
    };
    assert_eq!(run.tick(tick(EventTypeId(99), a, slot)), Err(Code::StaleId));
    assert_eq!(run.tick(tick(a, EventTypeId(99), slot)), Err(Code::StaleId));
    assert_eq!(run.tick(tick(a, a, run.engine.inputs(call.id)[0].slot)), Err(Code::StaleId), "the slot is in use");
    run.take_back(slot);
}

#[test]
fn what_is_written_is_reset_before_the_next_attempt_and_written_anew() {
    let (mut run, step, _) = working();
    let call = run.call(step);
    run.write(Some(&call), "one").expect("it is at work");
    run.write(Some(&call), "two").expect("it is at work");
    run.fail(&call);
    let call = run.call(step);
    assert_eq!(run.resets, [(step, 2)]);
    run.write(Some(&call), "one").expect("it is at work");
    assert_eq!(run.stream, ["start", "one", "two", "one"]);
    run.fail(&call);
    assert_eq!(run.resets, [(step, 2), (step, 3)]);
    run.fail(&run.call(step));
    assert_eq!(run.resets.len(), 2, "the third attempt has written nothing, and the second was reset");
}

#[test]
fn the_reset_comes_after_the_pause() {
    let (mut run, step, _) = working();
    let call = run.call(step);
    run.write(Some(&call), "one").expect("it is at work");
    run.fail_with(&call, Verdict::Retry(Millis(40)));
    assert!(run.resets.is_empty());
    run.advance(40);
    assert_eq!(run.resets, [(step, 2)]);
}

#[test]
fn what_the_outside_writes_and_what_is_asked_is_not_reset() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    run.write(None, "from outside").expect("the run is at work");
    ask(&mut run, &call, a, "ready");
    run.fail(&call);
    assert!(run.resets.is_empty());
}

#[test]
fn a_failure_that_is_handled_resets_nothing() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let step = flow.step(&[start], &[stop]);
    let handler = flow.handler(&[], 1);
    let mut run = flow.run();
    let call = run.call(step);
    run.write(Some(&call), "one").expect("it is at work");
    run.fail(&call);
    let call = run.call(handler);
    run.finish(&call, stop, "done");
    assert!(run.resets.is_empty());
}

#[test]
fn an_answer_goes_to_the_one_wait_that_it_is_for() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let (one, other) = (flow.step(&[start], &[stop]), flow.step(&[start], &[stop]));
    let taker = flow.step(&[a], &[stop]);
    let mut run = flow.run();
    let first = run.wait(&run.call(one), a);
    let second = run.wait(&run.call(other), a);
    let open: Vec<_> = run.engine.questions().map(|open| (open.wait, open.step, open.ty, open.order)).collect();
    assert_eq!(open, [(first, one, a, 0), (second, other, a, 1)]);
    run.answer(second, a, "yes").unwrap();
    assert_eq!((run.received(second), run.wait_result(first)), (Some("yes"), None));
    assert_eq!((run.stream.last().map(String::as_str), run.inputs(taker)), (Some("yes"), vec![]));
    assert_eq!(run.status(), Status::Running);
}

#[test]
fn an_answer_goes_past_the_condition() {
    let (mut run, step, a) = working();
    let picky = Asking { accepts: Some(|payload| payload == "yes"), ..Asking::default() };
    let wait = run.wait_with(&run.call(step), a, picky);
    run.send(a, "no");
    assert_eq!(run.wait_result(wait), None);
    run.answer(wait, a, "perhaps").unwrap();
    assert_eq!(run.received(wait), Some("perhaps"));
}

#[test]
fn an_answer_to_what_is_not_open_changes_nothing() {
    let (mut run, step, a) = working();
    let call = run.call(step);
    let wait = run.wait(&call, a);
    let nap = run.sleep(&call, 10);
    run.send(a, "first");
    for closed in [wait, nap, WaitId(7)] {
        let before = run.engine.state().clone();
        assert_eq!(run.answer(closed, a, "late"), Err(Code::StaleId));
        assert_eq!(*run.engine.state(), before);
    }
}

#[test]
fn an_answer_stays_with_the_invocation_over_attempts() {
    let (mut run, step, a) = working();
    let wait = ask_now(&mut run, step, a);
    run.answer(wait, a, "yes").unwrap();
    run.fail(&run.call(step));
    run.advance(0);
    let again = ask_now(&mut run, step, a);
    assert_eq!(run.received(again), Some("yes"));
}
