//! What a running step asks for: events, with and without a predicate.
mod engine_kit;

use engine_kit::{Asking, Flow, Host, WaitResult, takes};
use stepstream::engine::{EventTypeId, OpenWait, Slot, Status, Step, StepId, Tick, TickOutput, WaitId};
use stepstream::error::Code;

/// A run with one step at work and a type that no step takes.
fn asking() -> (Host, StepId, EventTypeId) {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.step(&[start], &[stop]);
    (flow.run(), step, a)
}

fn where_(accepts: fn(&str) -> bool) -> Asking {
    Asking { accepts: Some(accepts), ..Asking::default() }
}

#[test]
fn an_event_that_came_before_is_given_at_once() {
    let (mut run, step, a) = asking();
    run.send(a, "early");
    let wait = run.wait(&run.call(step), a);
    assert_eq!(run.received(wait), Some("early"));
    assert_eq!(run.status(), Status::Running);
}

#[test]
fn an_event_that_comes_later_is_given_then() {
    let (mut run, step, a) = asking();
    let wait = run.wait(&run.call(step), a);
    assert_eq!(run.wait_result(wait), None);
    assert_eq!(run.engine.open_waits().collect::<Vec<_>>(), [OpenWait { wait, step, ty: Some(a) }]);
    run.send(a, "late");
    assert_eq!(run.received(wait), Some("late"));
}

#[test]
fn an_event_satisfies_one_wait_and_the_oldest_first() {
    let (mut run, step, a) = asking();
    let call = run.call(step);
    let waits = [run.wait(&call, a), run.wait(&call, a), run.wait(&call, a)];
    run.send(a, 1);
    run.send(a, 2);
    assert_eq!(waits.map(|wait| run.received(wait)), [Some("1"), Some("2"), None]);
    assert!(run.engine.kept(a).is_empty());
}

#[test]
fn waits_for_a_type_and_for_an_ancestor_queue_together() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let a1 = flow.kind_of(a);
    let step = flow.step(&[start], &[]);
    let mut run = flow.run();
    let call = run.call(step);
    let waits = [run.wait(&call, a), run.wait(&call, a1), run.wait(&call, a)];
    run.send(a1, 1);
    run.send(a1, 2);
    run.send(a1, 3);
    assert_eq!(waits.map(|wait| run.received(wait)), [Some("1"), Some("2"), Some("3")]);
    let wait = run.wait(&call, a1);
    run.send(a, "no kind of it");
    assert_eq!(run.wait_result(wait), None);
}

#[test]
fn an_event_that_a_step_takes_also_satisfies_a_pending_wait_but_is_not_kept() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.step(&[start], &[]);
    let taker = flow.step(&[a], &[]);
    let mut run = flow.run();
    let call = run.call(step);
    run.send(a, "before");
    let wait = run.wait(&call, a);
    assert_eq!(run.wait_result(wait), None);
    run.send(a, "now");
    assert_eq!(run.received(wait), Some("now"));
    assert_eq!(run.inputs(taker), ["before", "now"]);
}

#[test]
fn an_output_satisfies_waits_too() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let one = flow.step(&[start], &[]);
    let other = flow.step(&[start], &[a]);
    let mut run = flow.run();
    let plain = run.wait(&run.call(one), a);
    let picky = run.wait_with(&run.call(one), a, where_(|payload| payload == "p"));
    run.send(a, "first");
    run.finish(&run.call(other), a, "p");
    assert_eq!((run.received(plain), run.received(picky)), (Some("first"), Some("p")));
}

#[test]
fn a_predicate_lets_others_pass() {
    let (mut run, step, a) = asking();
    let call = run.call(step);
    let picky = run.wait_with(&call, a, where_(|payload| payload == "yes"));
    run.send(a, "no");
    assert_eq!(run.wait_result(picky), None);
    assert_eq!(run.engine.kept(a).len(), 1, "it is kept for another wait");
    run.send(a, "yes");
    assert_eq!(run.received(picky), Some("yes"));
}

#[test]
fn predicated_and_plain_waits_queue_together() {
    let (mut run, step, a) = asking();
    let call = run.call(step);
    let picky = run.wait_with(&call, a, where_(|payload| payload == "yes"));
    let plain = run.wait(&call, a);
    run.send(a, "yes");
    assert_eq!((run.received(picky), run.wait_result(plain)), (Some("yes"), None), "the older one is served");
    let late = run.wait_with(&call, a, where_(|payload| payload == "yes"));
    run.send(a, "yes");
    assert_eq!((run.received(plain), run.wait_result(late)), (Some("yes"), None));
}

#[test]
fn a_predicated_wait_claims_the_kept_event_that_the_host_chose() {
    let (mut run, step, a) = asking();
    for payload in ["no", "yes 1", "yes 2"] {
        run.send(a, payload);
    }
    let call = run.call(step);
    let picky = run.wait_with(&call, a, where_(|payload| payload.starts_with("yes")));
    assert_eq!(run.received(picky), Some("yes 1"));
    let plain = [run.wait(&call, a), run.wait(&call, a)];
    assert_eq!(plain.map(|wait| run.received(wait)), [Some("no"), Some("yes 2")], "the rest keeps its order");
}

#[test]
fn a_claim_of_what_is_not_kept_opens_the_wait() {
    let (mut run, step, a) = asking();
    let b = run.engine.graph().borrow_mut().add_type(Default::default(), &[]).unwrap();
    run.send(a, "kept");
    run.send(b, "of another type");
    let slot = run.engine.kept(b)[0].slot;
    let id = run.call(step).id;
    for claim in [Some(slot), Some(Slot(0)), Some(Slot(999)), None] {
        let state = run.engine.state().clone();
        let tick = Tick::Wait { invocation: id, ty: a, id: None, timeout: None, predicated: true, claim };
        let reply = run.engine.apply(tick, stepstream::engine::Millis(0));
        assert!(matches!(reply, Ok(TickOutput::Wait(_))), "{claim:?}");
        assert!(*run.engine.state() != state);
        assert_eq!(run.engine.kept(a).len(), 1);
    }
    assert_eq!(run.engine.open_waits().count(), 4);
}

#[test]
fn a_plain_wait_takes_the_oldest_whatever_is_claimed() {
    let (mut run, step, a) = asking();
    run.send(a, "older");
    run.send(a, "younger");
    let claim = Some(run.engine.kept(a)[1].slot);
    let invocation = run.call(step).id;
    run.engine
        .apply(
            Tick::Wait { invocation, ty: a, id: None, timeout: None, predicated: false, claim },
            stepstream::engine::Millis(0),
        )
        .unwrap();
    assert_eq!(run.payload(run.engine.kept(a)[0].slot), "younger");
}

#[test]
fn matches_that_name_nonsense_satisfy_nothing() {
    let (mut run, step, a) = asking();
    let b = run.engine.graph().borrow_mut().add_type(Default::default(), &[]).unwrap();
    let call = run.call(step);
    let nap = run.sleep(&call, 10);
    let other = run.wait_with(&call, b, where_(|_| false));
    let slot = run.put("a");
    let matches = vec![nap, other, WaitId(99), WaitId(u32::MAX)];
    run.tick(Tick::Send { from: None, ty: a, slot, target: None, matches }).unwrap();
    assert_eq!((run.wait_result(nap), run.wait_result(other)), (None, None));
    assert_eq!(run.engine.kept(a).len(), 1);
}

#[test]
fn the_end_of_a_step_closes_its_waits() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    let step = flow.step(&[start], &[b]);
    let other = flow.step(&[b], &[]);
    let mut run = flow.run();
    let call = run.call(step);
    let wait = run.wait_with(&call, a, Asking { timeout: Some(100), ..Asking::default() });
    let nap = run.sleep(&call, 50);
    run.finish(&call, b, "b");
    assert!(run.timers.is_empty());
    run.send(a, "a");
    assert_eq!((run.wait_result(wait), run.wait_result(nap)), (None, None));
    assert_eq!(run.call(other).inputs, ["b"]);
    assert_eq!(run.engine.kept(a).len(), 1);
}

#[test]
fn what_a_step_received_is_held_until_it_ends() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    let step = flow.step(&[start], &[b]);
    flow.step(&[b], &[]);
    let mut run = flow.run();
    run.send(a, "a");
    let call = run.call(step);
    run.wait(&call, a);
    assert_eq!(run.kept_payloads(), 2, "another attempt might need it");
    run.finish(&call, b, "b");
    assert_eq!(run.kept_payloads(), 1);
}

#[test]
fn a_step_cannot_wait_before_it_runs_or_after_it_has_ended() {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let step = flow.add(Step { workers: Some(1), ..takes(&[start, a], &[]) });
    flow.step(&[start], &[]);
    let mut run = flow.run();
    run.send(a, 1);
    let call = run.call(step);
    run.finish_empty(&call);
    assert_eq!(run.try_wait(call.id, a, Asking::default()), Err(Code::AttemptEnded));
    assert_eq!(run.try_sleep(call.id, 1), Err(Code::AttemptEnded));
}

#[test]
fn sleeps_end_when_they_are_due() {
    let (mut run, step, _) = asking();
    let call = run.call(step);
    let (long, short) = (run.sleep(&call, 200), run.sleep(&call, 100));
    run.advance(99);
    assert_eq!(run.wait_result(short), None);
    run.advance(1);
    assert_eq!((run.wait_result(short), run.wait_result(long)), (Some(WaitResult::Woken), None));
    run.advance(100);
    assert_eq!(run.wait_result(long), Some(WaitResult::Woken));
    assert_eq!(run.status(), Status::Running, "both are over");
}
