//! Every way into the engine comes to the same. A tick may be a `Tick` or a call of its own (`complete`, `send`,
//! `collect`), and the usual cases of both are done in one go, past the general way. Random runs go through all four
//! combinations side by side.
mod engine_kit;
#[path = "engine_kit/random.rs"]
mod random;

use std::cell::RefCell;
use std::rc::Rc;

use engine_kit::{Flow, Host};
use proptest::prelude::*;
use random::{Action, Plan, Random, actions, plans};
use stepstream::engine::{Captured, Command, Engine, Graph, Millis, RunOptions, Slot, State, Tick, TickOutput};
use stepstream::error::Code;

/// A run that is given the same ticks as others, in its own way.
struct Lane {
    engine: Engine,
    /// By a call of its own, where a tick has one.
    calls: bool,
}

/// What a tick has come to.
#[derive(Debug, PartialEq)]
struct Outcome {
    reply: Result<TickOutput, Code>,
    commands: Vec<Command>,
    state: State,
    frozen: Captured,
}

impl Lane {
    fn all(graph: &Rc<RefCell<Graph>>, options: RunOptions) -> Vec<Lane> {
        let lane = |shortcuts: bool, calls| {
            let engine = Engine::new(Rc::clone(graph), options);
            Lane { engine: if shortcuts { engine } else { engine.without_shortcuts() }, calls }
        };
        vec![lane(false, false), lane(true, false), lane(false, true), lane(true, true)]
    }

    fn tick(&mut self, tick: &Tick, now: Millis) -> Outcome {
        let reply = if self.calls { self.call(tick, now) } else { self.engine.apply(tick.clone(), now) };
        Outcome {
            reply,
            commands: self.engine.drain().collect(),
            state: self.engine.state().clone(),
            frozen: self.engine.capture(now),
        }
    }

    fn call(&mut self, tick: &Tick, now: Millis) -> Result<TickOutput, Code> {
        let engine = &mut self.engine;
        match tick {
            Tick::Complete { invocation, output, matches } => {
                engine.complete(*invocation, *output, matches, now).map(|()| TickOutput::None)
            }
            Tick::Send { from, ty, slot, target, matches } => {
                engine.send(*from, (*ty, *slot), *target, matches, now).map(|()| TickOutput::None)
            }
            Tick::Collect { invocation, ty, slot, expected } => match engine.pattern(expected.clone()) {
                Ok(pattern) => engine.collect(*invocation, (*ty, *slot), &pattern, None, now),
                // A list that cannot be made ready cannot be collected by either; which fault of several is named may differ.
                Err(_) => engine.apply(tick.clone(), now),
            },
            Tick::CollectInto { invocation, ty, slot, expected, buffer } if !buffer.is_empty() => {
                match engine.pattern(expected.clone()) {
                    Ok(pattern) => {
                        let buffer = Some(buffer.clone().into());
                        engine.collect(*invocation, (*ty, *slot), &pattern, buffer, now)
                    }
                    Err(_) => engine.apply(tick.clone(), now),
                }
            }
            _ => engine.apply(tick.clone(), now),
        }
    }
}

/// Gives the ticks of a run to all lanes, which must agree after each.
fn compare(run: &Host, options: RunOptions) -> Result<(), TestCaseError> {
    let mut lanes = Lane::all(run.engine.graph(), options);
    for (tick, now) in &run.ticks {
        let (general, others) = lanes.split_first_mut().expect("there are four");
        let expected = general.tick(tick, *now);
        for other in others {
            let found = other.tick(tick, *now);
            prop_assert_eq!(&found.reply, &expected.reply, "the reply to {:?}", tick);
            prop_assert_eq!(&found.commands, &expected.commands, "the commands of {:?}", tick);
            prop_assert_eq!(&found.frozen, &expected.frozen, "the image after {:?}", tick);
            prop_assert!(found.state == expected.state, "the state after {tick:?}");
        }
    }
    Ok(())
}

/// A graph in which nearly every step has one input, any number of workers and no deadline: what the short ways are for.
fn plain(mut plan: Plan) -> Plan {
    for (nth, step) in plan.steps.iter_mut().enumerate() {
        step.inputs.truncate(1);
        step.timeout = None;
        if nth > 0 {
            step.workers = None;
        }
    }
    plan
}

/// Of what happens, mostly that attempts complete and events are sent.
fn busy(actions: Vec<Action>) -> Vec<Action> {
    let mut nth = 0;
    let usual = |action: &Action| matches!(action, Action::Finish { .. } | Action::Send { .. });
    actions
        .into_iter()
        .filter(|action| {
            nth += 1;
            usual(action) || nth % 8 == 0
        })
        .collect()
}

fn play(plan: &Plan, actions: &[Action]) -> Random {
    let mut random = plan.run();
    actions.iter().for_each(|action| random.act(action));
    random.drain();
    random
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 2,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn all_ways_are_the_same_in_any_run(plan in plans(), actions in actions()) {
        let random = play(&plan, &actions);
        compare(&random.run, plan.options())?;
    }

    #[test]
    fn all_ways_are_the_same_in_plain_runs(plan in plans(), actions in actions()) {
        let plan = plain(plan);
        let random = play(&plan, &busy(actions));
        compare(&random.run, plan.options())?;
    }
}

#[test]
fn all_ways_are_the_same_where_the_shortest_begins_and_ends() {
    let mut flow = Flow::new();
    let (start, stop, a, b, c) = (flow.start, flow.stop, flow.event(), flow.event(), flow.event());
    let first = flow.step(&[start], &[a]);
    let (of_a, of_b) = (flow.step(&[a], &[b, a]), flow.step(&[b], &[a]));
    let both = [flow.step(&[c], &[stop]), flow.step(&[c], &[stop])];
    let mut run = flow.run();
    run.finish(&run.call(first), a, "1");
    // A chain, alone and beside others; a failure in between leaves a place in the table free.
    for nth in 0..4 {
        run.finish(&run.call(of_a), b, format!("b{nth}"));
        run.finish(&run.call(of_b), a, format!("a{nth}"));
    }
    run.send(b, "beside");
    run.send(b, "beside it too");
    run.finish_empty(&run.calls(of_b)[0].clone());
    run.finish(&run.call(of_a), a, "again");
    // An open wait takes events that a step takes too.
    let waiting = run.calls(of_b)[0].clone();
    let wait = run.wait(&waiting, a);
    run.finish(&run.call(of_a), a, "for both");
    assert_eq!(run.received(wait), Some("for both"));
    run.finish(&waiting, c, "two routes");
    run.finish_empty(&run.call(of_a));
    run.finish_empty(&run.call(both[0]));
    run.finish(&run.call(both[1]), stop, "done");
    assert_eq!(run.result().as_deref(), Some("done"));
    compare(&run, RunOptions::default()).expect("all ways are the same");
}

#[test]
fn ticks_of_a_run_that_is_over_or_has_not_begun_are_refused_alike() {
    let mut flow = Flow::new();
    let (start, stop, a) = (flow.start, flow.stop, flow.event());
    let step = flow.step(&[start], &[stop]);
    flow.step(&[a], &[stop]);
    let mut run = flow.ready(RunOptions::default());
    let early = run.try_send(None, a, "early", None);
    assert_eq!(early, Err(Code::StaleId));
    run.begin();
    let call = run.call(step);
    run.finish(&call, stop, "done");
    assert_eq!(run.try_send(None, a, "late", None), Err(Code::RunEnded));
    assert_eq!(run.try_finish(call.id, a, "late"), Err(Code::RunEnded));
    let collect = Tick::Collect { invocation: call.id, ty: a, slot: Slot(9), expected: vec![a] };
    assert_eq!(run.tick(collect), Err(Code::RunEnded));
    compare(&run, RunOptions::default()).expect("all ways are the same");
}
