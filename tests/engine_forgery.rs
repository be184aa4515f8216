//! Ids that do not exist, are over, or belong to something else, in every place of every tick: refused with a code, and
//! nothing changes (the host of the kit compares the state around every refused tick).
mod engine_kit;

use engine_kit::{Call, Flow, Host, attempts, takes};
use stepstream::engine::{
    EventTypeId, InvocationId, Millis, Slot, Step, StepId, Tick, TickOutput, TimerKey, Verdict, WaitId,
};
use stepstream::error::Code;

struct Scene {
    run: Host,
    a: EventTypeId,
    /// At work.
    live: Call,
    /// Over, its place taken by another.
    stale: Call,
    queued: InvocationId,
    paused: InvocationId,
}

fn scene() -> Scene {
    let mut flow = Flow::new();
    let (start, a) = (flow.start, flow.event());
    let enter = flow.step(&[start], &[a]);
    let step = flow.add(Step { workers: Some(1), retry: attempts(9, 100), ..takes(&[a], &[]) });
    let mut run = flow.run();
    let stale = run.call(enter);
    run.finish(&stale, a, 1);
    run.fail(&run.call(step));
    run.send(a, 2);
    run.send(a, 3);
    let of = |run: &Host, running: bool, attempt| {
        let mut all = run.engine.in_flight().filter(|at| at.running == running && at.attempt == attempt);
        all.next().expect("the scene has one").invocation
    };
    let (queued, paused) = (of(&run, false, 0), of(&run, false, 1));
    Scene { live: run.call(step), stale, queued, paused, a, run }
}

impl Scene {
    /// Ids of attempts that are not at work.
    fn not_running(&self) -> Vec<InvocationId> {
        let InvocationId { index, generation } = self.live.id;
        let mut ids = vec![self.stale.id, self.queued, self.paused];
        for (index, generation) in [
            (index, generation + 1),
            (index, generation.wrapping_sub(1)),
            (index + 1, generation),
            (99, 0),
            (u32::MAX, u32::MAX),
        ] {
            ids.push(InvocationId { index, generation });
        }
        ids
    }

    fn refused(&mut self, tick: Tick, code: Code) {
        assert_eq!(self.run.tick(tick.clone()), Err(code), "{tick:?}");
    }

    /// A slot that may be handed over.
    fn fresh(&self) -> Slot {
        Slot(self.run.engine.state().counts().last().map_or(0, |(slot, _)| slot.0 + 1))
    }

    fn every_tick_by(&self, by: InvocationId, ty: EventTypeId, slot: Slot) -> Vec<Tick> {
        vec![
            Tick::Send { from: Some(by), ty, slot, target: None, matches: vec![] },
            Tick::Complete { invocation: by, output: Some((ty, slot)), matches: vec![] },
            Tick::Fail { invocation: by, ty, slot, verdict: Verdict::Policy },
            Tick::Fail { invocation: by, ty, slot, verdict: Verdict::Retry(Millis(0)) },
            Tick::Collect { invocation: by, ty, slot, expected: vec![ty] },
        ]
    }

    fn every_slotless_tick_by(&self, by: InvocationId, ty: EventTypeId) -> Vec<Tick> {
        vec![
            Tick::Complete { invocation: by, output: None, matches: vec![] },
            Tick::Wait { invocation: by, ty, id: None, timeout: None, predicated: false, claim: None },
            Tick::Sleep { invocation: by, delay: Millis(1) },
            Tick::Block { invocation: by },
            Tick::Unblock { invocation: by },
            Tick::Doze { invocation: by },
            Tick::Rouse { invocation: by },
        ]
    }
}

#[test]
fn an_attempt_that_is_not_at_work_can_do_nothing() {
    let mut scene = scene();
    let (a, slot) = (scene.a, scene.fresh());
    for by in scene.not_running() {
        let mut ticks = scene.every_tick_by(by, a, slot);
        ticks.extend(scene.every_slotless_tick_by(by, a));
        ticks.push(Tick::Write { from: Some(by), ty: EventTypeId(0), slot });
        for tick in ticks {
            scene.refused(tick, Code::AttemptEnded);
        }
    }
}

#[test]
fn a_type_that_does_not_exist_is_refused() {
    let mut scene = scene();
    let (live, slot) = (scene.live.id, scene.fresh());
    let next = EventTypeId(scene.run.engine.graph().borrow().types().len() as u32);
    for ty in [next, EventTypeId(u32::MAX)] {
        for tick in scene.every_tick_by(live, ty, slot) {
            scene.refused(tick, Code::StaleId);
        }
        scene.refused(Tick::Send { from: None, ty, slot, target: None, matches: vec![] }, Code::StaleId);
        let wait = Tick::Wait { invocation: live, ty, id: None, timeout: None, predicated: false, claim: None };
        scene.refused(wait, Code::StaleId);
        let expected = vec![scene.a, ty];
        scene.refused(Tick::Collect { invocation: live, ty: scene.a, slot, expected }, Code::StaleId);
    }
}

#[test]
fn a_slot_in_use_or_far_away_is_refused() {
    let mut scene = scene();
    let (a, live) = (scene.a, scene.live.id);
    let used = scene.run.engine.state().counts()[0].0;
    for slot in [used, Slot(1000), Slot(u32::MAX)] {
        for tick in scene.every_tick_by(live, a, slot) {
            scene.refused(tick, Code::StaleId);
        }
        scene.refused(Tick::Write { from: None, ty: EventTypeId(0), slot }, Code::StaleId);
        scene.refused(Tick::Send { from: None, ty: a, slot, target: None, matches: vec![] }, Code::StaleId);
    }
}

#[test]
fn a_run_does_not_begin_with_nonsense() {
    let mut flow = Flow::new();
    let start = flow.start;
    flow.step(&[start], &[]);
    let mut run = flow.ready(Default::default());
    let refusals = [
        (EventTypeId(99), Slot(0), Code::StaleId),
        (start, Slot(1), Code::StaleId),
        (EventTypeId(1), Slot(0), Code::NoStartStep),
    ];
    for (ty, slot, code) in refusals {
        assert_eq!(run.tick(Tick::Start { ty, slot }), Err(code));
    }
    for tick in [
        Tick::Timer { key: TimerKey(0) },
        Tick::Sleep { invocation: InvocationId { index: 0, generation: 0 }, delay: Millis(0) },
    ] {
        assert_eq!(run.tick(tick), Err(Code::StaleId));
    }
    run.begin();
}

#[test]
fn a_target_that_does_not_exist_or_takes_nothing_of_it_is_refused() {
    let mut scene = scene();
    let (a, slot) = (scene.a, scene.fresh());
    let send = |target: u32| Tick::Send { from: None, ty: a, slot, target: Some(StepId(target)), matches: vec![] };
    scene.refused(send(0), Code::EventNotTaken);
    scene.refused(send(2), Code::StaleId);
    scene.refused(send(u32::MAX), Code::StaleId);
}

#[test]
fn unknown_deadlines_and_waits_mean_nothing() {
    let mut scene = scene();
    let before = scene.run.commands.len();
    for key in [TimerKey(50), TimerKey(u32::MAX)] {
        assert_eq!(scene.run.tick(Tick::Timer { key }), Ok(TickOutput::None));
    }
    assert_eq!(scene.run.commands.len(), before);
    let slot = scene.run.put("x");
    let matches = vec![WaitId(0), WaitId(u32::MAX), WaitId(0)];
    let tick = Tick::Send { from: None, ty: scene.a, slot, target: None, matches };
    assert_eq!(scene.run.tick(tick), Ok(TickOutput::None));
}

#[test]
fn an_unblock_without_a_block_does_not_hide_an_open_wait() {
    let mut scene = scene();
    let (live, a) = (scene.live.clone(), scene.a);
    scene.run.tick(Tick::Unblock { invocation: live.id }).unwrap();
    let wait = scene.run.wait(&live, a);
    scene.run.tick(Tick::Unblock { invocation: live.id }).unwrap();
    scene.run.send(a, "x");
    assert_eq!(scene.run.received(wait), Some("x"));
}

#[test]
fn a_graph_that_does_not_know_an_id_says_so() {
    let scene = scene();
    let graph = scene.run.engine.graph().borrow();
    let (ty, step) = (EventTypeId(99), StepId(99));
    assert_eq!(graph.route(ty, StepId(0)), None);
    assert_eq!(graph.route(scene.a, step), None);
    assert!(!graph.is_kind_of(ty, scene.a) && !graph.is_kind_of(scene.a, ty));
    assert_eq!(graph.handler_of(step), None);
    assert!(scene.run.engine.kept(ty).is_empty());
}
