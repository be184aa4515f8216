//! Lists: a step returns an array, and another gathers what comes of it.
mod engine_kit;

use engine_kit::{Flow, Host, attempts, steps_at_most, takes};
use stepstream::engine::{EventTypeId, Outcome, RunOptions, Slot, Status, Step, StepId, Tick, Verdict};
use stepstream::error::Code;

/// `start` returns an array of A, each A becomes a B, and the Bs are gathered.
struct Fan {
    a: EventTypeId,
    b: EventTypeId,
    stop: EventTypeId,
    first: StepId,
    work: StepId,
    sum: StepId,
}

fn fan(take: Option<u32>, change: impl FnOnce(&mut Step)) -> (Fan, Flow) {
    let mut flow = Flow::new();
    let (start, stop, a, b) = (flow.start, flow.stop, flow.event(), flow.event());
    let first = flow.step(&[start], &[a]);
    let mut work = takes(&[a], &[b]);
    change(&mut work);
    let work = flow.add(work);
    let sum = flow.collect(b, take, &[stop]);
    (Fan { a, b, stop, first, work, sum }, flow)
}

fn begun(fan: &Fan, flow: Flow, names: &[&str]) -> Host {
    let mut run = flow.run();
    let events: Vec<_> = names.iter().map(|name| (fan.a, *name)).collect();
    run.finish_list(&run.call(fan.first), &events);
    run
}

#[test]
fn a_list_is_gathered_in_the_order_of_arrival() {
    let (fan, flow) = fan(None, |_| ());
    let mut run = begun(&fan, flow, &["1", "2", "3"]);
    assert_eq!(run.inputs(fan.work), ["1", "2", "3"]);
    let calls = run.calls(fan.work);
    for nth in [2, 0, 1] {
        assert_eq!(run.inputs(fan.sum), [""; 0]);
        run.finish(&calls[nth], fan.b, format!("b{}", nth + 1));
    }
    assert_eq!(run.call(fan.sum).inputs, ["b3", "b1", "b2"]);
    run.finish(&run.call(fan.sum), fan.stop, "done");
    assert_eq!(run.result().as_deref(), Some("done"));
}

#[test]
fn an_empty_array_is_an_empty_list() {
    let (fan, flow) = fan(None, |_| ());
    let run = begun(&fan, flow, &[]);
    assert_eq!(run.call(fan.sum).inputs, [""; 0]);
    assert_eq!(run.engine.open_lists().count(), 0);
}

#[test]
fn a_branch_without_an_event_counts_as_done() {
    let (fan, flow) = fan(None, |_| ());
    let mut run = begun(&fan, flow, &["1", "2", "3"]);
    run.finish_empty(&run.calls(fan.work)[0].clone());
    run.finish(&run.calls(fan.work)[0].clone(), fan.b, "b2");
    run.finish_empty(&run.call(fan.work));
    assert_eq!(run.call(fan.sum).inputs, ["b2"]);
}

#[test]
fn an_array_of_which_nothing_is_left_is_an_empty_list() {
    let (fan, flow) = fan(None, |_| ());
    let mut run = begun(&fan, flow, &["1", "2"]);
    run.finish_empty(&run.calls(fan.work)[0].clone());
    run.finish_empty(&run.call(fan.work));
    assert_eq!(run.call(fan.sum).inputs, [""; 0]);
}

#[test]
fn events_that_a_branch_sends_belong_to_it() {
    let (fan, flow) = fan(None, |_| ());
    let mut run = begun(&fan, flow, &["1", "2"]);
    let calls = run.calls(fan.work);
    run.send_from(&calls[0], fan.b, "sent");
    run.send_from(&calls[0], fan.a, "again");
    run.finish_empty(&calls[0]);
    run.finish(&calls[1], fan.b, "b2");
    assert_eq!(run.inputs(fan.sum), [""; 0], "what was sent is at work");
    run.finish(&run.call(fan.work), fan.b, "b3");
    assert_eq!(run.call(fan.sum).inputs, ["sent", "b2", "b3"]);
}

#[test]
fn two_arrays_are_never_mixed() {
    let mut flow = Flow::new();
    let (start, stop, doc, a, b, c) = (flow.start, flow.stop, flow.event(), flow.event(), flow.event(), flow.event());
    let first = flow.step(&[start], &[doc]);
    let split = flow.add(Step { fans_out: true, ..takes(&[doc], &[a]) });
    let work = flow.step(&[a], &[b]);
    let sum = flow.collect(b, None, &[c]);
    let all = flow.collect(c, None, &[stop]);
    let mut run = flow.run();
    run.finish_list(&run.call(first), &[(doc, "x"), (doc, "y")]);
    for call in run.calls(split) {
        let name = call.inputs[0].clone();
        run.finish_list(&call, &[(a, &format!("{name}1")), (a, &format!("{name}2"))]);
    }
    // By turns, the last first.
    for name in ["y2", "x1", "x2", "y1"] {
        let call = run.calls(work).into_iter().find(|call| call.inputs == [name]).expect("it is at work");
        run.finish(&call, b, name);
    }
    assert_eq!(run.inputs(sum), ["x1+x2", "y2+y1"]);
    assert_eq!(run.inputs(all), [""; 0], "both are at work inside the outer array");
    let [x, y] = &run.calls(sum)[..] else { panic!("two lists") };
    run.finish(y, c, "Y");
    run.finish(x, c, "X");
    assert_eq!(run.call(all).inputs, ["Y", "X"]);
}

#[test]
fn an_empty_array_inside_and_around_is_the_list_of_its_own_step() {
    let nested = |outer: &[&str]| {
        let mut flow = Flow::new();
        let (start, stop, doc, a, c) = (flow.start, flow.stop, flow.event(), flow.event(), flow.event());
        let first = flow.step(&[start], &[doc]);
        let split = flow.add(Step { fans_out: true, ..takes(&[doc], &[a]) });
        let sum = flow.collect(a, None, &[c]);
        let all = flow.collect(c, None, &[stop]);
        let mut run = flow.run();
        let outer: Vec<_> = outer.iter().map(|name| (doc, *name)).collect();
        run.finish_list(&run.call(first), &outer);
        for call in run.calls(split) {
            run.finish_list(&call, &[]);
        }
        (run, sum, all, c)
    };
    let (mut run, sum, all, c) = nested(&["x", "y"]);
    assert_eq!(run.inputs(sum), ["", ""]);
    assert_eq!(run.inputs(all), [""; 0]);
    run.finish(&run.calls(sum)[0].clone(), c, "X");
    run.finish_empty(&run.call(sum));
    assert_eq!(run.inputs(all), ["X"]);
    // No document at all: the step that gathers pages has nothing to do with it.
    let (run, sum, all, _) = nested(&[]);
    assert_eq!(run.inputs(sum), [""; 0]);
    assert_eq!(run.call(all).inputs, [""; 0]);
}

#[test]
fn a_step_that_has_returned_an_array_is_known_as_one_that_does() {
    // As above, but nothing is said beforehand.
    let mut flow = Flow::new();
    let (start, stop, doc, a, c) = (flow.start, flow.stop, flow.event(), flow.event(), flow.event());
    let first = flow.step(&[start], &[doc]);
    let split = flow.step(&[doc], &[a]);
    let sum = flow.collect(a, None, &[c]);
    let all = flow.collect(c, None, &[stop]);
    let mut run = flow.run();
    run.finish_list(&run.call(first), &[(doc, "x"), (doc, "y")]);
    run.finish_list(&run.calls(split)[0].clone(), &[(a, "x1")]);
    run.finish_empty(&run.call(split));
    run.finish(&run.call(sum), c, "X");
    assert_eq!(run.call(all).inputs, ["X"]);
    assert_eq!(run.inputs(sum), [""; 0], "the outer array is not one of pages");
}

#[test]
fn the_first_are_taken_once_and_the_rest_is_dropped() {
    let (fan, flow) = fan(Some(2), |_| ());
    let mut run = begun(&fan, flow, &["1", "2", "3", "4"]);
    let calls = run.calls(fan.work);
    run.finish(&calls[3], fan.b, "b4");
    run.finish(&calls[0], fan.b, "b1");
    assert_eq!(run.call(fan.sum).inputs, ["b4", "b1"]);
    run.finish(&calls[1], fan.b, "b2");
    run.finish_empty(&calls[2]);
    assert_eq!(run.calls(fan.sum).len(), 1, "it is invoked once");
    assert_eq!(run.engine.all_kept().count(), 0, "what is dropped is not kept for a wait");
    assert_eq!(run.engine.open_lists().count(), 0);
}

#[test]
fn fewer_than_asked_for_are_given_when_no_more_can_come() {
    let (fan, flow) = fan(Some(5), |_| ());
    let mut run = begun(&fan, flow, &["1", "2"]);
    run.finish(&run.calls(fan.work)[0].clone(), fan.b, "b1");
    assert_eq!(run.inputs(fan.sum), [""; 0]);
    run.finish_empty(&run.call(fan.work));
    assert_eq!(run.inputs(fan.sum), ["b1"]);
}

#[test]
fn an_outer_list_waits_for_what_an_inner_one_drops() {
    let mut flow = Flow::new();
    let (start, stop, doc, a, c) = (flow.start, flow.stop, flow.event(), flow.event(), flow.event());
    let (b, first) = (flow.event(), flow.step(&[start], &[doc]));
    let split = flow.step(&[doc], &[a]);
    let work = flow.step(&[a], &[b]);
    let quick = flow.collect(b, Some(1), &[c]);
    let all = flow.collect(c, None, &[stop]);
    let mut run = flow.run();
    run.finish_list(&run.call(first), &[(doc, "x")]);
    run.finish_list(&run.call(split), &[(a, "1"), (a, "2")]);
    run.finish(&run.calls(work)[1].clone(), b, "b2");
    run.finish(&run.call(quick), c, "X");
    assert_eq!(run.inputs(all), [""; 0]);
    run.finish(&run.call(work), b, "late");
    assert_eq!(run.inputs(all), ["X"]);
}

#[test]
fn two_steps_gather_the_same_events() {
    let (fan, mut flow) = fan(None, |_| ());
    let other = flow.collect(fan.b, Some(1), &[]);
    let mut run = begun(&fan, flow, &["1", "2"]);
    run.finish(&run.calls(fan.work)[0].clone(), fan.b, "b1");
    assert_eq!((run.inputs(other), run.inputs(fan.sum)), (vec!["b1".into()], vec![]));
    run.finish(&run.call(fan.work), fan.b, "b2");
    assert_eq!((run.inputs(other), run.inputs(fan.sum)), (vec!["b1".into()], vec!["b1+b2".into()]));
}

#[test]
fn an_event_that_descends_from_no_array_is_a_list_of_its_own() {
    let (fan, flow) = fan(Some(3), |_| ());
    let mut run = begun(&fan, flow, &["1"]);
    run.send(fan.b, "outside");
    assert_eq!(run.inputs(fan.sum), ["outside"]);
    run.send_to(fan.sum, fan.b, "for it");
    assert_eq!(run.inputs(fan.sum), ["outside", "for it"]);
    run.finish(&run.call(fan.work), fan.b, "b1");
    assert_eq!(run.inputs(fan.sum), ["outside", "for it", "b1"]);
}

#[test]
fn retries_keep_a_branch_open_and_an_array_of_a_later_attempt_counts() {
    let (fan, flow) = fan(None, |work| work.retry = attempts(3, 50));
    let mut run = begun(&fan, flow, &["1", "2"]);
    let calls = run.calls(fan.work);
    run.finish(&calls[1], fan.b, "b2");
    run.fail(&calls[0]);
    assert_eq!(run.inputs(fan.sum), [""; 0], "it is between two attempts");
    run.advance(50);
    // An array inside the branch is a list of its own; what is gathered of it is inside the branch again.
    run.finish_list(&run.call(fan.work), &[(fan.b, "b1"), (fan.b, "b3")]);
    assert_eq!(run.inputs(fan.sum), ["b1+b3", "b2"].map(String::from)[..1], "the outer one is open");
    run.finish_empty(&run.call(fan.sum));
    assert_eq!(run.inputs(fan.sum), ["b2"]);
}

#[test]
fn a_failure_that_is_handled_stays_in_its_branch() {
    let (fan, mut flow) = fan(None, |_| ());
    let handler = flow.handler(&[fan.work], 1);
    let mut run = begun(&fan, flow, &["1", "2", "3"]);
    let calls = run.calls(fan.work);
    run.finish(&calls[1], fan.b, "b2");
    run.fail_with(&calls[0], Verdict::GiveUp);
    run.fail_with(&calls[2], Verdict::GiveUp);
    let [one, three] = &run.calls(handler)[..] else { panic!("two failures") };
    run.finish(one, fan.b, "instead");
    assert_eq!(run.inputs(fan.sum), [""; 0]);
    run.finish_empty(three);
    assert_eq!(run.inputs(fan.sum), ["b2+instead"]);
}

#[test]
fn a_branch_whose_event_went_into_a_wait_is_done() {
    let (fan, mut flow) = fan(None, |_| ());
    let (news, wants) = (flow.event(), flow.event());
    let waiter = flow.step(&[wants], &[]);
    let mut run = begun(&fan, flow, &["1", "2"]);
    run.send(wants, "w");
    let wait = run.wait(&run.call(waiter), news);
    run.finish(&run.calls(fan.work)[0].clone(), news, "news");
    assert_eq!(run.received(wait), Some("news"));
    // Another is kept, for a wait that may come.
    run.finish(&run.call(fan.work), news, "kept");
    assert_eq!(run.call(fan.sum).inputs, [""; 0]);
    assert_eq!(run.engine.kept(news).len(), 1);
}

#[test]
fn a_branch_that_waits_or_sleeps_is_open() {
    let (fan, flow) = fan(None, |_| ());
    let mut run = begun(&fan, flow, &["1", "2"]);
    let calls = run.calls(fan.work);
    run.wait(&calls[0], fan.a);
    run.sleep(&calls[1], 10);
    run.advance(10);
    run.finish(&calls[1], fan.b, "b2");
    assert_eq!((run.inputs(fan.sum), run.status()), (vec![], Status::Waiting));
    run.finish(&calls[0], fan.b, "b1");
    assert_eq!(run.inputs(fan.sum), ["b2+b1"]);
}

#[test]
fn workers_limit_a_list_as_they_limit_everything() {
    let (fan, flow) = fan(None, |work| work.workers = Some(2));
    let mut run = begun(&fan, flow, &["1", "2", "3"]);
    assert_eq!(run.inputs(fan.work), ["1", "2"]);
    for nth in 0..3 {
        assert_eq!(run.inputs(fan.sum), [""; 0]);
        run.finish(&run.calls(fan.work)[0].clone(), fan.b, nth);
    }
    assert_eq!(run.inputs(fan.sum), ["0+1+2"]);
}

#[test]
fn what_waits_in_a_join_keeps_its_branch_open() {
    let mut flow = Flow::new();
    let (start, stop, a, b, c) = (flow.start, flow.stop, flow.event(), flow.event(), flow.event());
    let first = flow.step(&[start], &[a]);
    let join = flow.step(&[a, b], &[c]);
    let all = flow.collect(c, None, &[stop]);
    let mut run = flow.run_with(RunOptions::default());
    run.finish_list(&run.call(first), &[(a, "1"), (a, "2")]);
    assert_eq!(run.engine.open_lists().map(|open| open.live).collect::<Vec<_>>(), [2]);
    // What comes from outside has no group, and does not change that of the others.
    run.send(b, "x");
    run.send(b, "y");
    assert_eq!(run.inputs(join), ["1+x", "2+y"]);
    for call in run.calls(join) {
        let name = call.inputs.concat();
        run.finish(&call, c, name);
    }
    assert_eq!(run.inputs(all), ["1x+2y"]);
}

#[test]
fn a_join_does_not_mix_two_arrays() {
    let mut flow = Flow::new();
    let (start, doc, a, b, c) = (flow.start, flow.event(), flow.event(), flow.event(), flow.event());
    let first = flow.step(&[start], &[doc]);
    let split = flow.step(&[doc], &[a, b]);
    let join = flow.step(&[a, b], &[c]);
    let sum = flow.collect(c, None, &[]);
    let mut run = flow.run();
    run.finish_list(&run.call(first), &[(doc, "x"), (doc, "y")]);
    let [x, y] = &run.calls(split)[..] else { panic!("two documents") };
    run.finish_list(x, &[(a, "xa")]);
    run.finish_list(y, &[(b, "yb"), (b, "yc"), (a, "ya")]);
    assert_eq!(run.inputs(join), ["ya+yb"]);
    // What has no group completes what is open, the oldest first.
    run.send(a, "za");
    assert_eq!(run.inputs(join), ["ya+yb", "za+yc"]);
    run.send(b, "zb");
    assert_eq!(run.inputs(join), ["ya+yb", "za+yc", "xa+zb"]);
    for call in run.calls(join) {
        run.finish(&call, c, call.inputs.concat());
    }
    assert_eq!(run.inputs(sum), ["yayb+zayc", "xazb"]);
}

#[test]
fn a_join_inside_takes_what_is_held_around_it() {
    let mut flow = Flow::new();
    let (start, a, b, c) = (flow.start, flow.event(), flow.event(), flow.event());
    let first = flow.step(&[start], &[a]);
    let join = flow.step(&[a, b, c], &[]);
    flow.collect(c, None, &[]);
    let mut run = flow.run();
    run.send(b, "b1");
    run.send(b, "b2");
    run.send(c, "c1");
    run.finish_list(&run.call(first), &[(a, "1"), (a, "2")]);
    assert_eq!(run.inputs(join), ["1+b1+c1"]);
    assert_eq!(run.engine.open_joins().map(|open| open.filled).collect::<Vec<_>>(), [0b10, 0b1]);
    run.send(c, "c2");
    assert_eq!(run.inputs(join), ["1+b1+c1", "2+b2+c2"]);
}

#[test]
fn a_stop_event_in_an_array_ends_the_run() {
    let (fan, flow) = fan(None, |_| ());
    let mut run = flow.run();
    run.finish_list(&run.call(fan.first), &[(fan.a, "1"), (fan.stop, "done"), (fan.a, "2")]);
    assert_eq!(run.result().as_deref(), Some("done"));
    assert_eq!(run.stream, ["start", "1", "done"]);
}

#[test]
fn an_array_that_reaches_the_limit_is_published_whole() {
    let (fan, flow) = fan(None, |_| ());
    let mut run = flow.run_with(steps_at_most(3));
    run.finish_list(&run.call(fan.first), &[(fan.a, "1"), (fan.a, "2"), (fan.a, "3"), (fan.a, "4")]);
    assert_eq!(run.outcome, Some(Outcome::LimitReached));
    assert_eq!(run.stream, ["start", "1", "2", "3", "4"]);
    assert_eq!(run.engine.in_flight().count(), 4, "all of it is in a snapshot");
}

#[test]
fn an_array_is_refused_whole() {
    let (fan, flow) = fan(None, |_| ());
    let mut run = flow.run();
    let (call, free) = (run.call(fan.first), run.slots.len() as u32);
    let mut refused = |outputs: Vec<(EventTypeId, Slot)>| {
        let reply = run.tick(Tick::CompleteList { invocation: call.id, outputs, matches: vec![] });
        assert_eq!(reply, Err(Code::StaleId));
    };
    let new = |nth| (fan.a, Slot(free + nth));
    refused(vec![new(0), (EventTypeId(99), Slot(free + 1))]);
    refused(vec![new(0), new(0)]);
    refused(vec![new(1), new(0)]);
    refused(vec![new(0), (fan.a, Slot(0))]);
}

#[test]
fn without_a_step_that_gathers_an_array_is_so_many_events() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let first = flow.step(&[start], &[a]);
    let work = flow.step(&[a], &[stop]);
    let mut run = flow.run();
    run.finish_list(&run.call(first), &[(a, "1"), (a, "2")]);
    assert_eq!(run.inputs(work), ["1", "2"]);
    assert_eq!(run.engine.open_lists().count(), 0);
}

#[test]
fn recoveries_are_counted_through_a_list_also_an_empty_one() {
    let mut flow = Flow::new();
    let (start, a, b) = (flow.start, flow.event(), flow.event());
    let first = flow.step(&[start], &[a]);
    let handler = flow.add(Step { outputs: Some(vec![b]), ..Step { handler: None, ..takes(&[a], &[b]) } });
    let sum = flow.collect(b, None, &[a]);
    let rescue = flow.handler(&[], 1);
    let mut run = flow.run();
    run.fail(&run.call(first));
    // The failure was handled once on the way to this array.
    run.finish_list(&run.call(rescue), &[(a, "1")]);
    run.finish_empty(&run.call(handler));
    let list = run.calls(sum);
    if let [list] = &list[..] {
        run.fail(&list.clone());
        assert!(matches!(run.outcome, Some(Outcome::StepFailed { .. })), "a second recovery is one too many");
    }
}

#[test]
fn a_step_that_gathers_has_one_input_and_takes_something() {
    let mut flow = Flow::new();
    let (a, b) = (flow.event(), flow.event());
    let collect = |take, inputs: &[EventTypeId]| Step {
        collect: Some(stepstream::engine::Collect { take }),
        ..takes(inputs, &[])
    };
    assert_eq!(flow.graph.add_step(collect(None, &[a, b])), Err(Code::InvalidStep));
    assert_eq!(flow.graph.add_step(collect(Some(0), &[a])), Err(Code::InvalidStep));
    assert!(flow.graph.add_step(collect(Some(1), &[a])).is_ok());
}

#[test]
fn chains_of_arrays_inside_arrays_end_without_recursion() {
    let mut flow = Flow::new();
    let (start, stop, page) = (flow.start, flow.stop, flow.event());
    let first = flow.step(&[start], &[page]);
    let follow = flow.step(&[page], &[page]);
    let found = flow.event();
    flow.collect(found, None, &[stop]);
    let mut run = flow.ready(RunOptions::default());
    // Not through the host, whose checks look at everything after each tick.
    let engine = &mut run.engine;
    let graph = engine.graph().borrow().types().len();
    assert!(graph > 0);
    let now = stepstream::engine::Millis(0);
    engine.apply(Tick::Start { ty: start, slot: Slot(0) }, now).expect("it begins");
    let mut slot = 1;
    for _ in 0..100_000 {
        let invocation = engine.in_flight().next().expect("one is at work").invocation;
        drop(engine.drain());
        let outputs = vec![(page, Slot(slot))];
        engine.apply(Tick::CompleteList { invocation, outputs, matches: vec![] }, now).expect("it is at work");
        slot = 1 - slot;
    }
    assert_eq!(engine.open_lists().count(), 100_000);
    let last = engine.in_flight().next().expect("one is at work");
    assert_eq!((last.step, first == follow), (follow, false));
    engine.apply(Tick::Complete { invocation: last.invocation, output: None, matches: vec![] }, now).expect("at work");
    assert_eq!(engine.open_lists().count(), 0);
}
