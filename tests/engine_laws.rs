//! The laws of the engine, held against random graphs and random runs: the invariants of `src/engine/mod.rs`, under the
//! names that are given there.
mod engine_kit;
// Here and not in the kit, so that the other tests need not be linked with proptest.
#[path = "engine_kit/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};

use engine_kit::{Call, Host, Turn};
use proptest::prelude::*;
use random::{Action, Plan, Random, actions, nonsense, plans};
use stepstream::engine::{
    Collect, Command, Engine, EventTypeId, InvocationId, Outcome, Slot, Status, Step, StepId, Tick, TickOutput,
    TimerKey, WaitId,
};

/// A run after all its actions.
fn played(plan: &Plan, actions: &[Action]) -> Random {
    let mut random = plan.run();
    for action in actions {
        random.act(action);
    }
    random
}

/// What happened to a run, as seen from outside: ticks, calls and answers alone.
struct Story<'a> {
    run: &'a Host,
    /// Every event that entered, in order: payload, type and target.
    entered: Vec<(&'a str, EventTypeId, Option<StepId>)>,
    /// What each step should have been given, in the order of arrival.
    given: BTreeMap<StepId, Vec<&'a str>>,
}

impl<'a> Story<'a> {
    fn of(run: &'a Host) -> Story<'a> {
        let mut story = Story { run, entered: Vec::new(), given: BTreeMap::new() };
        let graph = run.engine.graph().borrow();
        for turn in &run.turns {
            if let Tick::CompleteList { outputs, .. } = &turn.tick {
                // A run that has completed takes nothing of what stands behind the stop event.
                let stop = outputs.iter().position(|(ty, _)| *ty == run.stop).map_or(outputs.len(), |at| at + 1);
                let entered = outputs[..stop].iter().zip(&turn.payloads);
                entered.for_each(|((ty, _), payload)| story.enter(payload, *ty, None));
            }
            let Some(payload) = turn.payload.as_deref() else { continue };
            match &turn.tick {
                Tick::Start { ty, .. } => story.enter(payload, *ty, None),
                Tick::Complete { output: Some((ty, _)), .. } => story.enter(payload, *ty, None),
                Tick::Send { ty, target, .. } => story.enter(payload, *ty, *target),
                // A failure that is an event of the run has gone to a handler.
                Tick::Fail { invocation, .. } if run.stream.iter().any(|published| published == payload) => {
                    let handler = graph.handler_of(call_of(run, *invocation).step).expect("a handler took the failure");
                    story.given.entry(handler).or_default().push(payload);
                }
                _ => {}
            }
        }
        story
    }

    fn enter(&mut self, payload: &'a str, ty: EventTypeId, target: Option<StepId>) {
        self.entered.push((payload, ty, target));
        if ty == self.run.stop {
            return;
        }
        for step in takers(self.run, ty) {
            if target.is_none_or(|target| target == step) {
                self.given.entry(step).or_default().push(payload);
            }
        }
    }

    fn ty(&self, payload: &str) -> EventTypeId {
        self.entered.iter().find(|(entered, ..)| *entered == payload).expect("it entered").1
    }

    /// The sets of events that a step was invoked with, in the order of beginning.
    fn sets(&self, step: StepId) -> Vec<&'a [String]> {
        let first = self.run.begun.iter().filter(|call| call.step == step && call.attempt == 1);
        first.map(|call| call.inputs.as_slice()).collect()
    }
}

fn call_of(run: &Host, id: InvocationId) -> &Call {
    run.begun.iter().find(|call| call.id == id).expect("only what was begun is settled")
}

/// The steps that take a type, worked out from the declarations and not from the engine's routes.
fn takers(run: &Host, ty: EventTypeId) -> Vec<StepId> {
    let graph = run.engine.graph().borrow();
    let lineage = &graph.types()[ty.index()].lineage;
    let takes = |accepted: &Vec<EventTypeId>| accepted.iter().any(|ty| lineage.contains(ty));
    let takers = graph.steps().iter().zip(0..).filter(|(step, _)| step.inputs.iter().any(takes));
    takers.map(|(_, id)| StepId(id)).collect()
}

/// Whether every input can have an event of its own, by trying all ways.
fn completes(run: &Host, inputs: &[Vec<EventTypeId>], left: &[EventTypeId]) -> bool {
    let Some((first, rest)) = inputs.split_first() else { return true };
    let graph = run.engine.graph().borrow();
    let fits = |ty: EventTypeId| first.iter().any(|accepted| graph.is_kind_of(ty, *accepted));
    // Events of one type are alike.
    let types: BTreeSet<_> = left.iter().copied().filter(|ty| fits(*ty)).collect();
    types.into_iter().any(|ty| {
        let mut others = left.to_vec();
        let at = others.iter().position(|other| *other == ty).expect("it is one of them");
        others.remove(at);
        completes(run, rest, &others)
    })
}

fn inputs_of(run: &Host, step: StepId) -> Vec<Vec<EventTypeId>> {
    run.engine.graph().borrow().steps()[step.index()].inputs.clone()
}

fn collect_of(run: &Host, step: StepId) -> Option<Collect> {
    run.engine.graph().borrow().steps()[step.index()].collect
}

fn all_steps(run: &Host) -> Vec<StepId> {
    (0..run.engine.graph().borrow().steps().len() as u32).map(StepId).collect()
}

/// Steps are invoked with what they were given, each event once.
fn check_deliveries(story: &Story) {
    let run = story.run;
    let completed = matches!(run.outcome, Some(Outcome::Completed(_)));
    for step in all_steps(run) {
        let given = story.given.get(&step).cloned().unwrap_or_default();
        let sets = story.sets(step);
        let used: Vec<&str> = sets.iter().copied().flatten().map(String::as_str).collect();
        let unique: BTreeSet<&str> = used.iter().copied().collect();
        assert_eq!(unique.len(), used.len(), "{step:?} was given an event twice: {used:?}");
        assert!(unique.iter().all(|payload| given.contains(payload)), "{step:?} was given what was not for it");
        let inputs = inputs_of(run, step);
        if let Some(Collect { take }) = collect_of(run, step) {
            let graph = run.engine.graph().borrow();
            let fits = |payload: &&str| inputs[0].iter().any(|ty| graph.is_kind_of(story.ty(payload), *ty));
            assert!(used.iter().all(fits), "{step:?} was invoked with {used:?}");
            let queued = run.engine.in_flight().filter(|at| at.step == step && at.attempt == 0);
            let queued: usize = queued.map(|at| run.engine.inputs(at.invocation).len()).sum();
            let gathered: usize =
                run.engine.gathered_lists().filter(|(of, _)| *of == step).map(|(_, events)| events.len()).sum();
            let accounted = used.len() + queued + gathered;
            let is_whole = accounted == given.len() || take.is_some() && accounted < given.len();
            assert!(completed || is_whole, "{step:?} has used {used:?} of {given:?}");
            continue;
        }
        for set in sets.iter().filter(|_| !inputs.is_empty()) {
            let graph = run.engine.graph().borrow();
            let fits = |(payload, accepted): (&String, &Vec<EventTypeId>)| {
                accepted.iter().any(|ty| graph.is_kind_of(story.ty(payload), *ty))
            };
            assert!(
                set.len() == inputs.len() && set.iter().zip(&inputs).all(fits),
                "{step:?} was invoked with {set:?}"
            );
        }
        if completed {
            continue;
        }
        let queued = run.engine.in_flight().filter(|at| at.step == step && at.attempt == 0).count();
        let gathering = run.engine.open_joins().filter(|join| join.step == step);
        let gathered: usize = gathering.map(|join| join.filled.count_ones() as usize + join.later).sum();
        let accounted = used.len() + queued * inputs.len().max(1) + gathered;
        assert_eq!(accounted, given.len(), "{step:?} has used {used:?} of {given:?}");
        // Events of two arrays are no set; `tests/engine_lists_laws.rs` has the law for those.
        if run.outcome.is_none() && inputs.len() > 1 && queued == 0 && !run.engine.graph().borrow().gathers() {
            let left = given.iter().filter(|payload| !unique.contains(*payload)).map(|payload| story.ty(payload));
            assert!(!completes(run, &inputs, &left.collect::<Vec<_>>()), "{step:?} holds back a complete set");
        }
    }
}

/// A wait gets an event that no step takes; an event without a taker is kept for a later wait.
fn check_waits(story: &Story, limited: bool) {
    let run = story.run;
    let mut owners: BTreeMap<&str, BTreeSet<(StepId, &[String])>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (wait, payload) in run.turns.iter().flat_map(|turn| &turn.resolved) {
        let asker = run.askers[wait.index()];
        assert!(seen.insert((asker, payload)), "{asker:?} was given {payload} twice");
        let call = call_of(run, asker);
        owners.entry(payload).or_default().insert((call.step, &call.inputs));
    }
    for (payload, owners) in &owners {
        assert_eq!(owners.len(), 1, "{payload} was given to {owners:?}");
    }
    if run.outcome.is_some() {
        return;
    }
    let mut kept = BTreeSet::new();
    for ty in 0..run.engine.graph().borrow().types().len() as u32 {
        kept.extend(run.engine.kept(EventTypeId(ty)).iter().map(|event| run.payload(event.slot)));
    }
    for (payload, ty, _) in &story.entered {
        let (is_kept, is_received) = (kept.contains(*payload), owners.contains_key(payload));
        assert!(!(is_kept && is_received), "{payload} was given away and kept");
        let taken = !takers(run, *ty).is_empty();
        assert!(!(taken && is_kept), "{payload} was taken and kept");
        assert!(limited || taken || is_kept || is_received, "{payload} is lost");
    }
}

/// Everything that enters is published once, in order.
fn check_stream(story: &Story) {
    let published =
        |turn: &&Turn| !matches!(turn.tick, Tick::Collect { .. } | Tick::CollectInto { .. } | Tick::Once { .. });
    let payloads = story.run.turns.iter().filter(published).flat_map(|turn| {
        // A failure is published for a handler, and a question when it is new.
        let may_be_silent = matches!(turn.tick, Tick::Fail { .. } | Tick::Ask { .. });
        let shown = |payload: &&String| !may_be_silent || story.run.stream.contains(payload);
        turn.payloads.iter().filter(shown).collect::<Vec<_>>()
    });
    assert!(payloads.eq(&story.run.stream), "{:?}", story.run.stream);
}

/// No more run than there are workers, and the rest begins in the order of arrival as soon as it can.
fn check_workers(run: &Host) {
    let graph = run.engine.graph().borrow();
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    let mut running: BTreeMap<StepId, u32> = BTreeMap::new();
    let mut latest: BTreeMap<StepId, usize> = BTreeMap::new();
    for turn in &run.turns {
        for payload in &turn.payloads {
            arrived.insert(payload.clone(), arrived.len());
        }
        if let Tick::Complete { invocation, .. }
        | Tick::CompleteList { invocation, .. }
        | Tick::Fail { invocation, .. } = &turn.tick
        {
            *running.entry(call_of(run, *invocation).step).or_default() -= 1;
        }
        for call in &turn.begun {
            let count = running.entry(call.step).or_default();
            *count += 1;
            let workers = graph.steps()[call.step.index()].workers;
            assert!(workers.is_none_or(|most| *count <= most), "{:?} has {count} running", call.step);
            // A list is as old as its release, which is not seen from here.
            if call.attempt > 1 || graph.steps()[call.step.index()].collect.is_some() {
                continue;
            }
            let age = call.inputs.iter().filter_map(|payload| arrived.get(payload)).max().copied().unwrap_or(0);
            let before = latest.insert(call.step, age);
            assert!(before.is_none_or(|before| before < age), "{call:?} was begun before an older one");
        }
    }
}

/// Of two sets of a join, the one that begins first has the older events of each type.
fn check_joins(story: &Story) {
    let age = |payload: &str| story.entered.iter().position(|(entered, ..)| *entered == payload);
    if story.run.engine.graph().borrow().gathers() {
        return;
    }
    for step in all_steps(story.run) {
        let mut latest: BTreeMap<EventTypeId, Option<usize>> = BTreeMap::new();
        if inputs_of(story.run, step).len() < 2 {
            continue;
        }
        for set in story.sets(step) {
            let mut newest = latest.clone();
            for payload in set {
                let (ty, age) = (story.ty(payload), age(payload));
                assert!(latest.get(&ty).is_none_or(|before| *before < age), "{step:?} passed over an older {ty:?}");
                let at = newest.entry(ty).or_default();
                *at = (*at).max(age);
            }
            latest = newest;
        }
    }
}

/// A step with a free worker leaves nothing queued.
fn check_idle_workers(run: &Host) {
    if run.outcome.is_some() {
        return;
    }
    for step in all_steps(run) {
        let running = run.running.iter().filter(|call| call.step == step).count() as u32;
        let workers = run.engine.graph().borrow().steps()[step.index()].workers;
        let fresh = run.engine.in_flight().filter(|at| at.step == step && at.attempt == 0).count();
        assert!(fresh == 0 || workers.is_some_and(|most| running == most), "{step:?} lets {fresh} wait");
    }
}

/// A run in which nothing is at work waits if the outside alone can complete the inputs of a step, and has stalled otherwise.
fn check_stall(run: &Host) {
    if run.engine.in_flight().count() > 0 || run.outcome.is_some_and(|outcome| outcome != Outcome::Stalled) {
        return;
    }
    let graph = run.engine.graph().borrow();
    // A join of an array may have its events from several places.
    if graph.gathers() {
        return;
    }
    let related = |one, other| graph.is_kind_of(one, other) || graph.is_kind_of(other, one);
    let is_made = |ty: EventTypeId| {
        let mut outputs = graph.steps().iter().filter_map(|step| step.outputs.as_ref()).flatten();
        ty == run.start || ty != run.human && outputs.any(|output| related(*output, ty))
    };
    let joins: Vec<_> = run.engine.open_joins().collect();
    let can_begin = |(step, id): (&Step, u32)| {
        let filled = joins.iter().find(|join| join.step == StepId(id)).map_or(0, |join| join.filled);
        let from_outside = |accepted: &Vec<EventTypeId>| accepted.iter().any(|ty| !is_made(*ty));
        let mut inputs = step.inputs.iter().enumerate();
        !step.inputs.is_empty() && inputs.all(|(nth, accepted)| filled & (1 << nth) != 0 || from_outside(accepted))
    };
    let can_move = graph.steps().iter().zip(0..).any(can_begin);
    assert_eq!(run.outcome.is_some(), !can_move, "filled: {joins:?}");
}

fn replay(engine: &mut Engine, run: &Host, nth: usize) -> (bool, Vec<Command>) {
    let (tick, now) = run.ticks[nth].clone();
    let taken = engine.apply(tick, now).is_ok();
    (taken, engine.drain().collect())
}

proptest! {
    // Half of what PROPTEST_CASES asks for: a case is a whole run.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 2,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn same_ticks_same_state(plan in plans(), actions in actions()) {
        let run = played(&plan, &actions).run;
        let engine = || Engine::new(run.engine.graph().clone(), plan.options());
        let (mut one, mut other, mut accepting) = (engine(), engine(), engine());
        let (mut commands, mut accepted) = (Vec::new(), Vec::new());
        for nth in 0..run.ticks.len() {
            let (taken, out) = replay(&mut one, &run, nth);
            prop_assert_eq!((taken, &out), { let (taken, out) = replay(&mut other, &run, nth); (taken, &out.clone()) });
            prop_assert!(one.state() == other.state());
            commands.extend(out);
            // Leaving out what was refused makes no difference.
            if taken {
                accepted.extend(replay(&mut accepting, &run, nth).1);
            }
        }
        prop_assert!(one.state() == run.engine.state() && accepting.state() == run.engine.state());
        prop_assert_eq!(&commands, &run.commands);
        prop_assert_eq!(&accepted, &run.commands);
    }

    #[test]
    fn no_event_is_lost_or_delivered_twice(plan in plans(), actions in actions()) {
        let mut random = played(&plan, &actions);
        for _ in 0..2 {
            let story = Story::of(&random.run);
            check_deliveries(&story);
            check_waits(&story, plan.kept < 4096);
            check_stream(&story);
            random.drain();
        }
        let story = Story::of(&random.run);
        check_deliveries(&story);
        if random.run.outcome.is_none() {
            prop_assert_eq!(random.run.status(), Status::Waiting);
            prop_assert_eq!(random.run.engine.in_flight().count(), 0);
        }
    }

    #[test]
    fn a_run_stalls_when_no_event_that_is_possible_can_move_it(plan in plans(), actions in actions()) {
        let mut random = plan.run();
        for action in &actions {
            random.act(action);
            check_stall(&random.run);
        }
        random.drain();
        check_stall(&random.run);
    }

    #[test]
    fn workers_are_respected_and_queues_are_fair(plan in plans(), actions in actions()) {
        let mut random = plan.run();
        for action in &actions {
            random.act(action);
            check_idle_workers(&random.run);
        }
        random.drain();
        check_workers(&random.run);
        check_joins(&Story::of(&random.run));
    }

    #[test]
    fn every_slot_is_released_once(plan in plans(), actions in actions(), cancel in any::<bool>()) {
        // The host checks the counts after every tick, and that no slot is released twice.
        let mut random = played(&plan, &actions);
        random.drain();
        if cancel {
            random.act(&Action::Cancel);
        }
        let run = random.run;
        let adopted = run.turns.iter().map(|turn| turn.payloads.len()).sum::<usize>();
        let released = run.commands.iter().filter(|command| matches!(command, Command::Release { .. })).count();
        let held = run.engine.state().counts().len();
        if let Some(Outcome::Completed(_)) = run.outcome {
            prop_assert_eq!(held, 0);
            prop_assert!(released < adopted);
        } else {
            prop_assert_eq!(released + held, adopted);
        }
    }

    #[test]
    fn forged_ids_are_refused(plan in plans(), actions in actions(), forged in nonsense(), far in 10_000..=u32::MAX) {
        let mut random = played(&plan, &actions);
        // A deadline that was not set changes nothing.
        random.run.nonsense(&Tick::Timer { key: TimerKey(u32::MAX) }, String::new());
        let next = random.run.engine.state().counts().last().map_or(0, |(slot, _)| slot.0 + 1);
        for tick in with_forged_id(forged, far, Slot(next)) {
            let before = random.run.engine.state().clone();
            let reply = random.run.tick(tick.clone());
            match tick {
                Tick::Timer { .. } => prop_assert_eq!(reply, Ok(TickOutput::None)),
                _ => prop_assert!(reply.is_err(), "{:?} was taken in", tick),
            }
            prop_assert!(*random.run.engine.state() == before);
        }
    }
}

/// The tick, once for each id in it, with that id replaced by one that does not exist.
fn with_forged_id(tick: Tick, far: u32, free: Slot) -> Vec<Tick> {
    let unknown = InvocationId { index: far, generation: far };
    let (far_ty, far_slot, far_step) = (EventTypeId(far), Slot(far), StepId(far));
    match tick {
        Tick::Start { ty, slot } => {
            vec![Tick::Start { ty: far_ty, slot }, Tick::Start { ty, slot: far_slot }, Tick::Start { ty, slot: free }]
        }
        Tick::Send { from, ty, slot, target, matches } => {
            let send = |from, ty, slot, target| Tick::Send { from, ty, slot, target, matches: matches.clone() };
            vec![
                send(Some(unknown), ty, slot, target),
                send(from, far_ty, slot, target),
                send(from, ty, far_slot, target),
                send(None, EventTypeId(0), free, Some(far_step)),
            ]
        }
        Tick::Write { from, ty, slot } => {
            vec![
                Tick::Write { from: Some(unknown), ty, slot },
                Tick::Write { from, ty: far_ty, slot },
                Tick::Write { from, ty, slot: far_slot },
            ]
        }
        Tick::Complete { invocation, output, matches } => {
            let complete = |invocation, output| Tick::Complete { invocation, output, matches: matches.clone() };
            let (ty, slot) = output.unwrap_or((EventTypeId(0), free));
            vec![
                complete(unknown, output),
                complete(invocation, Some((far_ty, slot))),
                complete(invocation, Some((ty, far_slot))),
            ]
        }
        Tick::CompleteList { invocation, outputs, matches } => {
            let complete = |invocation, outputs| Tick::CompleteList { invocation, outputs, matches: matches.clone() };
            let with = |event| outputs.iter().copied().chain([event]).collect::<Vec<_>>();
            vec![
                complete(unknown, outputs.clone()),
                complete(invocation, with((far_ty, free))),
                complete(invocation, with((EventTypeId(0), far_slot))),
            ]
        }
        Tick::Fail { invocation, ty, slot, verdict } => {
            let fail = |invocation, ty, slot| Tick::Fail { invocation, ty, slot, verdict };
            vec![fail(unknown, ty, slot), fail(invocation, far_ty, slot), fail(invocation, ty, far_slot)]
        }
        Tick::Wait { invocation, ty, predicated, claim, .. } => {
            let wait = |invocation, ty| Tick::Wait { invocation, ty, id: None, timeout: None, predicated, claim };
            vec![wait(unknown, ty), wait(invocation, far_ty)]
        }
        Tick::Collect { invocation, ty, slot, mut expected } => {
            let collect = |invocation, ty, slot, expected| Tick::Collect { invocation, ty, slot, expected };
            let mut ticks = vec![
                collect(unknown, ty, slot, expected.clone()),
                collect(invocation, far_ty, slot, expected.clone()),
                collect(invocation, ty, far_slot, expected.clone()),
            ];
            expected.push(far_ty);
            ticks.push(collect(invocation, ty, slot, expected));
            ticks
        }
        Tick::CollectInto { invocation, ty, slot, expected, buffer } => {
            let collect = |invocation, ty, slot, buffer: &str| {
                let (expected, buffer) = (expected.clone(), buffer.into());
                Tick::CollectInto { invocation, ty, slot, expected, buffer }
            };
            vec![
                collect(unknown, ty, slot, &buffer),
                collect(invocation, far_ty, slot, &buffer),
                collect(invocation, ty, far_slot, &buffer),
                collect(invocation, ty, slot, ""),
            ]
        }
        Tick::Once { invocation, key, slot } => vec![
            Tick::Once { invocation: unknown, key: key.clone(), slot },
            Tick::Once { invocation, key, slot: far_slot },
        ],
        Tick::Resume => vec![Tick::Resume],
        Tick::Sleep { delay, .. } => vec![Tick::Sleep { invocation: unknown, delay }],
        Tick::Block { .. } => vec![Tick::Block { invocation: unknown }],
        Tick::Unblock { .. } => vec![Tick::Unblock { invocation: unknown }],
        Tick::Answer { wait, ty, slot } => vec![
            Tick::Answer { wait: WaitId(far), ty, slot },
            Tick::Answer { wait, ty: far_ty, slot },
            Tick::Answer { wait, ty, slot: far_slot },
        ],
        Tick::Doze { .. } => vec![Tick::Doze { invocation: unknown }],
        Tick::Rouse { .. } => vec![Tick::Rouse { invocation: unknown }],
        _ => vec![Tick::Timer { key: TimerKey(far) }],
    }
}
