//! Records of what happens in a run: what each kind says, in which order they come, and that nothing else depends on them.
mod engine_kit;
#[path = "engine_kit/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use engine_kit::{Asking, Flow, Host, attempts, kept_at_most, takes};
use proptest::prelude::*;
use random::{Action, Plan, actions, plans};
use stepstream::engine::{Command, Engine, Millis, RunOptions, Step, Tick, Trace, TraceKind, Verdict};

/// A record in short: its kind, step, invocation, attempt, payload, value and list, as far as it has them.
fn short(trace: &Trace, payloads: &BTreeMap<u32, &str>) -> String {
    let mut text = format!("{:?}", trace.kind);
    let mut add = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &format!(" {what}{value}");
        }
    };
    add("s", trace.step.map(|step| step.0.to_string()));
    add("i", trace.invocation.map(|invocation| invocation.to_string()));
    add("a", (trace.attempt > 0).then(|| trace.attempt.to_string()));
    add("", trace.slot.map(|slot| payloads.get(&slot.0).map_or_else(|| format!("#{}", slot.0), ToString::to_string)));
    let is_place = matches!(trace.kind, TraceKind::StepStarted | TraceKind::StepRunning);
    add("=", trace.value.filter(|_| !is_place).map(|value| value.to_string()));
    add("", (!trace.inputs.is_empty()).then(|| format!("{:?}", trace.inputs)));
    text
}

/// The records since the last call, in short.
fn told(run: &mut Host) -> Vec<String> {
    let payloads = (0..).zip(&run.slots).filter_map(|(slot, payload)| Some((slot, payload.as_deref()?))).collect();
    let told = run.traces.iter().map(|trace| short(trace, &payloads)).collect();
    run.traces.clear();
    told
}

/// A run that is traced from its beginning.
fn traced(flow: Flow, options: RunOptions) -> Host {
    let mut run = flow.ready(options);
    run.trace();
    run.begin();
    run
}

#[test]
fn a_step_that_returns_an_event_and_one_that_ends_the_run() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let (first, second) = (flow.step(&[start], &[a]), flow.step(&[a], &[stop]));
    let mut run = traced(flow, RunOptions::default());
    assert_eq!(
        told(&mut run),
        [
            "RunStarted =0",
            "EventSent start =1",
            "EventDelivered s0 i0 start",
            "StepQueued s0 i0 start [0]",
            "StepStarted s0 i0 a1"
        ]
    );
    run.now = 7;
    run.finish(&run.call(first), a, "of a");
    assert!(run.traces.iter().all(|trace| trace.time == Millis(7)));
    assert_eq!(
        told(&mut run),
        [
            "StepSucceeded s0 i0 a1",
            "EventSent s0 i0 a1 of a =2",
            "EventDelivered s1 i1 of a",
            "StepQueued s1 i1 of a [1]",
            "StepStarted s1 i1 a1"
        ]
    );
    run.finish(&run.call(second), stop, "done");
    assert_eq!(told(&mut run), ["StepSucceeded s1 i1 a1", "EventSent s1 i1 a1 done =3", "RunEnded done"]);
}

#[test]
fn a_join_is_queued_with_all_its_events_and_the_last_one() {
    let mut flow = Flow::new();
    let (start, stop, a, b) = (flow.start, flow.stop, flow.event(), flow.event());
    let step = flow.step(&[start], &[a, b]);
    flow.step(&[a, b], &[stop]);
    let mut run = traced(flow, RunOptions::default());
    told(&mut run);
    run.send_from(&run.call(step), b, "of b");
    assert_eq!(told(&mut run), ["EventSent s0 i0 a1 of b =2", "EventDelivered s1 of b"]);
    run.finish(&run.call(step), a, "of a");
    assert_eq!(
        told(&mut run)[1..],
        [
            "EventSent s0 i0 a1 of a =3",
            "EventDelivered s1 i2 of a",
            "StepQueued s1 i2 of a [2, 1]",
            "StepStarted s1 i2 a1"
        ]
    );
}

#[test]
fn an_invocation_is_queued_until_a_worker_is_free() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    flow.step(&[start], &[a]);
    let step = flow.add(Step { workers: Some(1), ..takes(&[a], &[stop]) });
    let mut run = traced(flow, RunOptions::default());
    run.send(a, "one");
    told(&mut run);
    run.send(a, "two");
    assert_eq!(told(&mut run), ["EventSent two =3", "EventDelivered s1 i2 two", "StepQueued s1 i2 two [2]"]);
    run.finish_empty(&run.call(step));
    assert_eq!(told(&mut run), ["StepSucceeded s1 i1 a1", "StepStarted s1 i2 a1"]);
}

#[test]
fn attempts_that_fail_are_retried_and_then_fail_for_good() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let step = flow.add(Step { retry: attempts(2, 250), ..takes(&[start], &[stop]) });
    let mut run = traced(flow, RunOptions::default());
    told(&mut run);
    run.fail(&run.call(step));
    assert_eq!(told(&mut run), ["StepRetrying s0 i0 a1 failure =250", "RunSleeping"]);
    run.advance(250);
    assert_eq!(told(&mut run), ["StepStarted s0 i0 a2", "RunWoke"]);
    run.fail(&run.call(step));
    assert_eq!(told(&mut run), ["StepFailed s0 i0 a2 failure", "RunEnded failure"]);
}

#[test]
fn a_failure_goes_to_its_handler_as_an_event() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    let step = flow.step(&[start], &[stop]);
    flow.handler(&[], 1);
    let mut run = traced(flow, RunOptions::default());
    told(&mut run);
    run.fail_with(&run.call(step), Verdict::GiveUp);
    assert_eq!(
        told(&mut run),
        [
            "StepFailed s0 i0 a1 failure",
            "EventSent s0 i0 a1 failure =2",
            "EventDelivered s1 i1 failure",
            "StepQueued s1 i1 failure [1]",
            "StepStarted s1 i1 a1"
        ]
    );
}

#[test]
fn an_attempt_times_out() {
    let mut flow = Flow::new();
    let (start, stop) = (flow.start, flow.stop);
    flow.add(Step { timeout: Some(Millis(30)), ..takes(&[start], &[stop]) });
    let mut run = traced(flow, RunOptions::default());
    told(&mut run);
    run.advance(30);
    assert_eq!(told(&mut run), ["StepTimedOut s0 i0 a1"]);
}

#[test]
fn waits_and_sleeps_say_how_long_and_the_run_waits_and_wakes() {
    let mut flow = Flow::new();
    let (start, stop, human) = (flow.start, flow.stop, flow.human);
    let step = flow.step(&[start], &[stop]);
    let mut run = traced(flow, RunOptions::default());
    let call = run.call(step);
    told(&mut run);
    run.try_sleep(call.id, 40).expect("the attempt is running");
    assert_eq!(told(&mut run), ["StepWaiting s0 i0 a1 =40", "RunSleeping"]);
    run.advance(40);
    assert_eq!(told(&mut run), ["RunWoke"]);
    run.wait_with(&call, human, Asking { timeout: Some(90), ..Asking::default() });
    assert_eq!(told(&mut run), [format!("StepWaiting s0 i0 a1 =90 [{}]", human.0), "RunWaiting".into()]);
    run.send(human, "answer");
    assert_eq!(told(&mut run), ["EventSent answer =5", "EventDelivered s0 i0 a1 answer", "RunWoke"]);
    run.wait(&call, human);
    assert_eq!(told(&mut run), [format!("StepWaiting s0 i0 a1 [{}]", human.0), "RunWaiting".into()]);
}

#[test]
fn an_event_that_no_step_takes_is_kept_and_delivered_later_or_dropped() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.step(&[start], &[stop]);
    let mut run = traced(flow, kept_at_most(1));
    told(&mut run);
    run.send(a, "one");
    assert_eq!(told(&mut run), ["EventSent one =2", "EventKept one"]);
    run.send(a, "two");
    assert_eq!(told(&mut run)[..2], ["EventSent two =3", "EventKept two"]);
    assert_eq!(run.kept_payloads(), 2, "the first was dropped");
    run.wait(&run.call(step), a);
    assert_eq!(told(&mut run)[0], "EventDelivered s0 i0 a1 two");
}

#[test]
fn a_run_that_keeps_nothing_drops_at_once() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    flow.step(&[start], &[stop]);
    let mut run = traced(flow, kept_at_most(0));
    told(&mut run);
    run.send(a, "one");
    assert_eq!(told(&mut run), ["EventSent #1 =2", "EventDropped #1"]);
}

#[test]
fn tracing_that_begins_later_says_what_is_running() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.step(&[start], &[a]);
    flow.add(Step { workers: Some(1), ..takes(&[a], &[stop]) });
    let mut run = flow.run();
    run.send(a, "one");
    run.send(a, "queued");
    run.trace();
    let call = run.call(step);
    let place = u64::from(call.id.generation) << 32 | u64::from(call.id.index);
    assert_eq!(run.traces[0].value, Some(place));
    assert_eq!(told(&mut run), ["StepRunning s0 i0 a1", "StepRunning s1 i1 a1"]);
    run.engine.trace(false);
    run.finish(&call, a, "two");
    assert_eq!(told(&mut run), [""; 0]);
}

#[test]
fn a_run_that_resumes_says_so_and_keeps_its_invocations() {
    let mut flow = Flow::new();
    let (start, stop, human) = (flow.start, flow.stop, flow.human);
    let step = flow.step(&[start], &[stop]);
    let mut run = traced(flow, RunOptions::default());
    let call = run.call(step);
    run.wait_with(&call, human, Asking { timeout: Some(90), ..Asking::default() });
    let captured = run.engine.capture(Millis(50));
    let graph = Rc::clone(run.engine.graph());
    let mut engine = Engine::restore_alone(graph, &captured.image, Default::default()).expect("it was captured");
    engine.trace(true);
    engine.apply(Tick::Resume, Millis(50)).expect("it was restored");
    let records = |engine: &mut Engine| -> Vec<String> {
        let traces = engine.drain().filter_map(|command| match command {
            Command::Trace(trace) => Some(short(&trace, &BTreeMap::new())),
            _ => None,
        });
        traces.collect()
    };
    assert_eq!(records(&mut engine), ["RunStarted =1", "StepStarted s0 i0 a1"]);
    let invocation = engine.in_flight().next().expect("it runs again").invocation;
    let wait =
        Tick::Wait { invocation, ty: human, id: None, timeout: Some(Millis(90)), predicated: false, claim: None };
    engine.apply(wait, Millis(60)).expect("the attempt is running");
    let waiting = format!("StepWaiting s0 i0 a1 =30 [{}]", human.0);
    assert_eq!(records(&mut engine), [waiting, "RunWaiting".into()], "its deadline stays");
}

/// A run that is traced, with its commands.
fn play(plan: &Plan, actions: &[Action]) -> Host {
    let mut random = plan.run();
    actions.iter().for_each(|action| random.act(action));
    random.drain();
    random.run
}

/// What a tick of a traced run has come to: its commands with the records among them.
fn retrace(run: &Host, options: RunOptions) -> Vec<Vec<Command>> {
    let mut engine = Engine::new(Rc::clone(run.engine.graph()), options);
    engine.trace(true);
    let tick = |(tick, now): &(Tick, Millis)| {
        let _ = engine.apply(tick.clone(), *now);
        engine.drain().collect()
    };
    run.ticks.iter().map(tick).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tracing_changes_nothing_else(plan in plans(), actions in actions(), from in 0..20usize) {
        let run = play(&plan, &actions);
        let new = || Engine::new(Rc::clone(run.engine.graph()), plan.options());
        let (mut plain, mut traced) = (new(), new());
        for (nth, (tick, now)) in run.ticks.iter().enumerate() {
            // Tracing begins at any tick, and ends again.
            if nth % 20 == from || nth % 20 == (from + 10) % 20 {
                traced.trace(nth % 20 == from);
                drop(traced.drain());
            }
            prop_assert_eq!(traced.apply(tick.clone(), *now), plain.apply(tick.clone(), *now));
            let commands: Vec<Command> = plain.drain().collect();
            let others = traced.drain().filter(|command| !matches!(command, Command::Trace(_)));
            prop_assert_eq!(others.collect::<Vec<_>>(), commands, "the commands of {:?}", tick);
            prop_assert!(traced.state() == plain.state(), "the state after {tick:?}");
            prop_assert_eq!(traced.capture(*now), plain.capture(*now));
        }
    }

    /// Each attempt is queued, starts right before its invocation is commanded, and ends once.
    #[test]
    fn an_attempt_starts_and_ends_once(plan in plans(), actions in actions()) {
        let run = play(&plan, &actions);
        let (mut queued, mut running) = (BTreeMap::new(), BTreeSet::new());
        let mut commands = retrace(&run, plan.options()).concat();
        // Each is looked at with the one behind it.
        commands.push(Command::Idle);
        for command in commands.windows(2) {
            let Command::Trace(trace) = &command[0] else {
                if let Command::Invoke { .. } = &command[1] {
                    prop_assert!(matches!(command[0], Command::Reset { .. }), "an attempt without a record");
                }
                continue;
            };
            let of = (trace.invocation, trace.attempt);
            match trace.kind {
                TraceKind::StepQueued => prop_assert!(queued.insert(trace.invocation, trace.inputs.clone()).is_none()),
                TraceKind::StepStarted => {
                    prop_assert!(running.insert(of));
                    if let Command::Invoke { step, inputs, attempt, invocation } = &command[1] {
                        let slots: Vec<u32> = inputs.iter().map(|slot| slot.0).collect();
                        prop_assert_eq!(Some(&slots), queued.get(&trace.invocation));
                        prop_assert_eq!((Some(*step), *attempt), (trace.step, trace.attempt));
                        let place = u64::from(invocation.generation) << 32 | u64::from(invocation.index);
                        prop_assert_eq!(trace.value, Some(place));
                    } else {
                        let resets = matches!(command[1], Command::Reset { .. });
                        prop_assert!(resets, "an attempt does not start");
                    }
                }
                TraceKind::StepRetrying | TraceKind::StepSucceeded | TraceKind::StepFailed => {
                    prop_assert!(running.remove(&of));
                }
                TraceKind::StepWaiting | TraceKind::StepTimedOut => prop_assert!(running.contains(&of)),
                _ => {}
            }
        }
        prop_assert!(run.outcome.is_some() || running.len() == run.running.len());
    }

    /// Each event that is sent is delivered, kept or dropped in the same tick, or ends the run; and only such events are.
    /// What stands behind an event that ends the run has no fate any more.
    #[test]
    fn every_event_has_a_fate(plan in plans(), actions in actions()) {
        let run = play(&plan, &actions);
        let mut alive = BTreeSet::new();
        for commands in retrace(&run, plan.options()) {
            let mut sent = BTreeSet::new();
            let mut fates = BTreeSet::new();
            for command in &commands {
                match command {
                    Command::Trace(Trace { kind: TraceKind::EventSent, slot, .. }) => {
                        prop_assert!(sent.insert(*slot), "an event is sent once");
                        alive.insert(*slot);
                    }
                    Command::Trace(Trace { kind, slot, .. }) if *kind > TraceKind::EventSent && slot.is_some() => {
                        let is_known = alive.contains(slot) || *kind == TraceKind::RunEnded;
                        prop_assert!(is_known, "{kind:?} of an event that nobody has sent");
                        fates.insert(*slot);
                    }
                    Command::Release { slot } => {
                        alive.remove(&Some(*slot));
                    }
                    _ => {}
                }
            }
            prop_assert!(sent.is_subset(&fates), "an event without a fate: {commands:?}");
        }
    }

    /// The records of the run itself stand before the commands that say the same, and time does not go back.
    #[test]
    fn the_run_tells_what_it_does(plan in plans(), actions in actions()) {
        let run = play(&plan, &actions);
        let commands = retrace(&run, plan.options()).concat();
        let kind = |nth: usize| match nth.checked_sub(1).map(|nth| &commands[nth]) {
            Some(Command::Trace(trace)) => Some(trace.kind),
            _ => None,
        };
        let mut now = Millis(0);
        let mut told = 0;
        for (nth, command) in commands.iter().enumerate() {
            match command {
                Command::Idle => prop_assert_eq!(kind(nth), Some(TraceKind::RunWaiting)),
                Command::Doze => prop_assert_eq!(kind(nth), Some(TraceKind::RunSleeping)),
                Command::Busy => prop_assert_eq!(kind(nth), Some(TraceKind::RunWoke)),
                Command::Settle { .. } => prop_assert_eq!(kind(nth), Some(TraceKind::RunEnded)),
                Command::Trace(trace) => {
                    prop_assert!(trace.time >= now);
                    now = trace.time;
                    told += usize::from(trace.kind >= TraceKind::RunWaiting);
                    prop_assert_eq!(trace.kind == TraceKind::RunStarted, nth == 0);
                }
                _ => {}
            }
        }
        let is_own = |command: &&Command| {
            matches!(command, Command::Idle | Command::Doze | Command::Busy | Command::Settle { .. })
        };
        prop_assert_eq!(told, commands.iter().filter(is_own).count());
    }
}
