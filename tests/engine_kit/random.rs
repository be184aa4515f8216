//! Random graphs and random runs of them, for the laws. A run is a list of actions; each names what it acts on by a
//! number that is taken modulo what there is, so that every list is a valid run and shrinks well.

use proptest::collection::vec;
use proptest::prelude::*;
use stepstream::engine::{
    Collect, EventTypeId, Handler, InvocationId, Limits, Millis, RetryPolicy, RunOptions, Slot, Step, StepId, Stop,
    Tick, TimerKey, Verdict, Wait, WaitId,
};

use crate::engine_kit::{Asking, Flow, Host, Open, slots_of};

/// A number that picks one of what there is.
pub type Pick = u8;

#[derive(Clone, Debug)]
pub struct StepPlan {
    /// For each input the types that it takes.
    pub inputs: Vec<Vec<Pick>>,
    pub workers: Option<u32>,
    /// What it says that it returns; it may return anything all the same.
    pub outputs: Option<Vec<Pick>>,
    pub attempts: Option<u32>,
    pub pause: u64,
    pub timeout: Option<u64>,
    /// Whether it gathers its first input, and how many of an array.
    pub collect: Option<Option<u32>>,
    pub fans_out: bool,
}

#[derive(Clone, Debug)]
pub struct Plan {
    /// For each plain type its parent among the earlier ones, if it has one.
    pub parents: Vec<Option<Pick>>,
    pub steps: Vec<StepPlan>,
    /// For each handler the step that it is for, or none for a fallback, and its recoveries.
    pub handlers: Vec<(Option<Pick>, u32)>,
    pub open: bool,
    pub kept: u32,
    pub limit: Option<u64>,
    pub seed: u64,
}

#[derive(Clone, Debug)]
pub enum Action {
    Finish {
        by: Pick,
        ty: Option<Pick>,
    },
    FinishList {
        by: Pick,
        types: Vec<Pick>,
    },
    Stop {
        by: Pick,
    },
    Fail {
        by: Pick,
        verdict: Verdict,
    },
    Send {
        by: Option<Pick>,
        ty: Pick,
        target: Option<Pick>,
    },
    Write {
        by: Option<Pick>,
    },
    Wait {
        by: Pick,
        ty: Pick,
        timeout: Option<u64>,
        picky: bool,
        asks: bool,
    },
    /// Takes back one of the waits and sleeps so far, which may be closed or another's.
    Answer {
        nth: Pick,
        ty: Pick,
    },
    Withdraw {
        by: Pick,
        nth: Pick,
    },
    /// Takes back a wait or sleep of its own that is open.
    Lose {
        by: Pick,
        nth: Pick,
    },
    Sleep {
        by: Pick,
        delay: u64,
    },
    Collect {
        by: Pick,
        ty: Pick,
        expected: Vec<Pick>,
    },
    Once {
        by: Pick,
        key: Pick,
    },
    Block {
        by: Pick,
    },
    Unblock {
        by: Pick,
    },
    Doze {
        by: Pick,
    },
    Rouse {
        by: Pick,
    },
    Advance {
        by: u64,
    },
    Cancel,
    Nonsense(Box<Tick>),
}

pub fn plans() -> impl Strategy<Value = Plan> {
    let input = vec(any::<Pick>(), 1..=2);
    let step = (
        vec(input, 1..=3),
        proptest::option::weighted(0.8, vec(any::<Pick>(), 0..=2)),
        proptest::option::of(1..=3u32),
        proptest::option::of(1..=4u32),
        prop_oneof![Just(0), 1..50u64],
        proptest::option::weighted(0.2, 1..100u64),
        (proptest::option::weighted(0.3, proptest::option::weighted(0.4, 1..4u32)), proptest::bool::weighted(0.2)),
    )
        .prop_map(|(inputs, outputs, workers, attempts, pause, timeout, (collect, fans_out))| StepPlan {
            inputs,
            outputs,
            workers,
            attempts,
            pause,
            timeout,
            collect,
            fans_out,
        });
    (
        vec(proptest::option::weighted(0.3, any::<Pick>()), 2..=5),
        vec(step, 1..=5),
        vec((proptest::option::weighted(0.6, any::<Pick>()), 0..=2u32), 0..=2),
        any::<bool>(),
        prop_oneof![3 => Just(4096u32), 1 => 0..=3u32],
        proptest::option::weighted(0.1, 0..40u64),
        any::<u64>(),
    )
        .prop_map(|(parents, steps, handlers, open, kept, limit, seed)| Plan {
            parents,
            steps,
            handlers,
            open,
            kept,
            limit,
            seed,
        })
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        4 => Just(Verdict::Policy),
        1 => Just(Verdict::GiveUp),
        2 => (0..40u64).prop_map(|delay| Verdict::Retry(Millis(delay))),
    ]
}

/// Ticks with ids out of thin air: small ones, which may exist, and large ones.
pub fn nonsense() -> impl Strategy<Value = Tick> {
    let number = || prop_oneof![4 => 0..12u32, 1 => any::<u32>()];
    let invocation = (number(), number()).prop_map(|(index, generation)| InvocationId { index, generation });
    let from = proptest::option::of(invocation.clone());
    let event = (number().prop_map(EventTypeId), number().prop_map(Slot));
    let matches = || vec(number().prop_map(WaitId), 0..3);
    prop_oneof![
        event.clone().prop_map(|(ty, slot)| Tick::Start { ty, slot }),
        (from.clone(), event.clone(), proptest::option::of(number().prop_map(StepId)), matches())
            .prop_map(|(from, (ty, slot), target, matches)| Tick::Send { from, ty, slot, target, matches }),
        (from, number().prop_map(EventTypeId), number().prop_map(Slot)).prop_map(|(from, ty, slot)| Tick::Write {
            from,
            ty,
            slot
        }),
        (invocation.clone(), proptest::option::of(event.clone()), matches())
            .prop_map(|(invocation, output, matches)| Tick::Complete { invocation, output, matches }),
        (invocation.clone(), vec(event.clone(), 0..4), vec((0..4u32, number().prop_map(WaitId)), 0..3))
            .prop_map(|(invocation, outputs, matches)| Tick::CompleteList { invocation, outputs, matches }),
        (invocation.clone(), event.clone(), verdicts()).prop_map(|(invocation, (ty, slot), verdict)| Tick::Fail {
            invocation,
            ty,
            slot,
            verdict
        }),
        (invocation.clone(), number(), any::<bool>(), proptest::option::of(number().prop_map(Slot))).prop_map(
            |(invocation, ty, predicated, claim)| Tick::Wait {
                invocation,
                ty: EventTypeId(ty),
                id: None,
                timeout: None,
                predicated,
                claim
            }
        ),
        (invocation.clone(), any::<u64>())
            .prop_map(|(invocation, delay)| Tick::Sleep { invocation, delay: Millis(delay) }),
        (invocation.clone(), number(), 0..3u8).prop_map(|(invocation, slot, key)| Tick::Once {
            invocation,
            key: format!("key {key}").into(),
            slot: Slot(slot)
        }),
        Just(Tick::Resume),
        (invocation.clone(), number()).prop_map(|(invocation, wait)| Tick::Withdraw { invocation, wait: WaitId(wait) }),
        (invocation.clone(), number(), any::<bool>(), event.clone()).prop_map(
            |(invocation, ty, predicated, (question, slot))| Tick::Ask {
                invocation,
                ty: EventTypeId(ty),
                id: Some("nonsense".into()),
                timeout: None,
                predicated,
                claim: None,
                question,
                slot
            }
        ),
        (invocation.clone(), event.clone(), vec(number().prop_map(EventTypeId), 0..3))
            .prop_map(|(invocation, (ty, slot), expected)| Tick::Collect { invocation, ty, slot, expected }),
        (invocation.clone(), event, vec(number().prop_map(EventTypeId), 0..3), "b{0,2}").prop_map(
            |(invocation, (ty, slot), expected, buffer)| Tick::CollectInto {
                invocation,
                ty,
                slot,
                expected,
                buffer: buffer.into()
            }
        ),
        invocation.clone().prop_map(|invocation| Tick::Block { invocation }),
        invocation.clone().prop_map(|invocation| Tick::Unblock { invocation }),
        invocation.clone().prop_map(|invocation| Tick::Doze { invocation }),
        invocation.prop_map(|invocation| Tick::Rouse { invocation }),
        number().prop_map(|key| Tick::Timer { key: TimerKey(key) }),
    ]
}

/// A run's actions; those that end it are rare.
pub fn actions() -> impl Strategy<Value = Vec<Action>> {
    let by = any::<Pick>;
    let sender = || proptest::option::of(any::<Pick>());
    let action = prop_oneof![
        12 => (by(), proptest::option::weighted(0.8, any::<Pick>())).prop_map(|(by, ty)| Action::Finish { by, ty }),
        5 => (by(), vec(any::<Pick>(), 0..5)).prop_map(|(by, types)| Action::FinishList { by, types }),
        4 => (by(), verdicts()).prop_map(|(by, verdict)| Action::Fail { by, verdict }),
        10 => (sender(), by(), proptest::option::weighted(0.2, by()))
            .prop_map(|(by, ty, target)| Action::Send { by, ty, target }),
        1 => sender().prop_map(|by| Action::Write { by }),
        6 => (
            by(),
            by(),
            proptest::option::weighted(0.4, 0..60u64),
            proptest::bool::weighted(0.3),
            proptest::bool::weighted(0.3),
        )
            .prop_map(|(by, ty, timeout, picky, asks)| Action::Wait { by, ty, timeout, picky, asks }),
        2 => (by(), by()).prop_map(|(nth, ty)| Action::Answer { nth, ty }),
        1 => (by(), by()).prop_map(|(by, nth)| Action::Withdraw { by, nth }),
        4 => (by(), by()).prop_map(|(by, nth)| Action::Lose { by, nth }),
        3 => (by(), 0..60u64).prop_map(|(by, delay)| Action::Sleep { by, delay }),
        3 => (by(), by(), vec(by(), 0..4)).prop_map(|(by, ty, expected)| Action::Collect { by, ty, expected }),
        2 => (by(), 0..3u8).prop_map(|(by, key)| Action::Once { by, key }),
        1 => by().prop_map(|by| Action::Block { by }),
        1 => by().prop_map(|by| Action::Unblock { by }),
        1 => by().prop_map(|by| Action::Doze { by }),
        1 => by().prop_map(|by| Action::Rouse { by }),
        5 => (0..80u64).prop_map(|by| Action::Advance { by }),
        2 => nonsense().prop_map(|tick| Action::Nonsense(Box::new(tick))),
    ];
    let ending = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Action::Cancel)),
        1 => any::<Pick>().prop_map(|by| Some(Action::Stop { by })),
    ];
    (vec(action, 0..120), ending).prop_map(|(mut actions, ending)| {
        actions.extend(ending);
        actions
    })
}

/// A run of a random graph.
pub struct Random {
    pub run: Host,
    /// Every plain type.
    pub types: Vec<EventTypeId>,
    /// The steps that have inputs.
    pub steps: Vec<StepId>,
    /// Numbers the payloads, so that each event is known by its own.
    pub events: u32,
}

impl Host {
    /// Gives any tick to the engine, which may even accept it: some of the ids may exist.
    pub fn nonsense(&mut self, tick: &Tick, payload: String) {
        // A slot that is free may be handed over, so then there must be something in it.
        let mut handed: Vec<Slot> = Vec::new();
        for slot in slots_of(tick) {
            if slot.index() == self.slots.len() {
                self.slots.push(None);
            } else if !self.free.remove(&slot.0) {
                continue;
            }
            self.slots[slot.index()] = Some(format!("{payload}{}", ".".repeat(handed.len())));
            handed.push(slot);
        }
        let reply = match tick {
            Tick::Wait { invocation, ty, predicated, .. } => {
                let accepts: Option<fn(&str) -> bool> = predicated.then_some(|_| false);
                self.ask(Open { ty: Some(*ty), accepts, by: *invocation }, tick.clone()).map(|_| ())
            }
            Tick::Sleep { invocation, .. } => {
                self.ask(Open { ty: None, accepts: None, by: *invocation }, tick.clone()).map(|_| ())
            }
            Tick::Ask { invocation, ty, predicated, .. } => {
                let accepts: Option<fn(&str) -> bool> = predicated.then_some(|_| false);
                self.ask(Open { ty: Some(*ty), accepts, by: *invocation }, tick.clone()).map(|_| ())
            }
            Tick::Withdraw { invocation, wait } => self.try_withdraw(*invocation, *wait).map(|_| ()),
            _ => self.tick(tick.clone()).map(|_| ()),
        };
        if reply.is_err() {
            handed.into_iter().for_each(|slot| self.take_back(slot));
        }
    }
}

fn pick<T: Copy>(from: &[T], nth: Pick) -> Option<T> {
    from.get(nth as usize % from.len().max(1)).copied()
}

impl Plan {
    /// The run, begun.
    pub fn run(&self) -> Random {
        let mut flow = Flow::new();
        let mut types: Vec<EventTypeId> = Vec::new();
        for parent in &self.parents {
            let parent = parent.and_then(|nth| pick(&types, nth));
            let ty = match parent {
                Some(parent) => flow.kind_of(parent),
                None => flow.event(),
            };
            types.push(ty);
        }
        let start = flow.start;
        let mut steps = vec![flow.add(Step { inputs: vec![vec![start]], ..Step::default() })];
        for plan in &self.steps {
            let input = |input: &Vec<Pick>| input.iter().filter_map(|nth| pick(&types, *nth)).collect();
            let retry = plan.attempts.map(|most| RetryPolicy {
                wait: Wait::Random { min: Millis(plan.pause / 2), max: Millis(plan.pause) },
                stop: Stop::Attempts(most),
            });
            let gathered = plan.collect.map_or(plan.inputs.len(), |_| 1);
            steps.push(flow.add(Step {
                inputs: plan.inputs.iter().take(gathered).map(input).collect(),
                collect: plan.collect.map(|take| Collect { take }),
                fans_out: plan.fans_out,
                outputs: plan.outputs.as_ref().map(input),
                workers: plan.workers,
                retry,
                timeout: plan.timeout.map(Millis),
                ..Step::default()
            }));
        }
        for (step, max_recoveries) in &self.handlers {
            let handled = step.and_then(|nth| pick(&steps, nth)).into_iter().collect();
            let handler = Some(Handler { steps: handled, max_recoveries: *max_recoveries });
            // Two for one step are refused, which is as good a graph as any.
            let _ = flow.graph.add_step(Step { handler, ..Step::default() });
        }
        if self.open {
            flow.add(Step { inputs: vec![vec![flow.human]], ..Step::default() });
        }
        Random { run: flow.run_with(self.options()), types, steps, events: 0 }
    }

    pub fn options(&self) -> RunOptions {
        let limits = Limits { kept_events: self.kept, steps: self.limit.unwrap_or(u64::MAX) };
        RunOptions { seed: self.seed, timeout: None, limits }
    }
}

impl Random {
    fn by(&self, nth: Pick) -> Option<InvocationId> {
        let at = nth as usize % self.run.running.len().max(1);
        self.run.running.get(at).map(|call| call.id)
    }

    fn ty(&self, nth: Pick) -> EventTypeId {
        pick(&self.types, nth).expect("a plan has types")
    }

    /// A payload of its own: its type, then its number.
    fn payload(&mut self, ty: EventTypeId) -> String {
        self.events += 1;
        format!("{}.{}", ty.0, self.events)
    }

    /// Does it, if there is anything to do it to. Refusals are for the host to judge.
    pub fn act(&mut self, action: &Action) {
        if self.run.outcome.is_some() {
            return;
        }
        // Only an action by an attempt that does not exist is left out.
        let _ = self.try_act(action);
    }

    fn try_act(&mut self, action: &Action) -> Option<()> {
        match action {
            Action::Finish { by, ty } => {
                let by = self.by(*by)?;
                match ty {
                    Some(ty) => {
                        let ty = self.ty(*ty);
                        let payload = self.payload(ty);
                        self.run.try_finish(by, ty, payload).ok()?;
                    }
                    None => {
                        self.run.tick(Tick::Complete { invocation: by, output: None, matches: vec![] }).ok()?;
                    }
                }
            }
            Action::FinishList { by, types } => {
                let by = self.by(*by)?;
                let types: Vec<_> = types.iter().map(|ty| self.ty(*ty)).collect();
                let events: Vec<_> = types.into_iter().map(|ty| (ty, self.payload(ty))).collect();
                self.run.try_finish_list(by, &events).ok()?;
            }
            Action::Stop { by } => {
                let (by, stop) = (self.by(*by)?, self.run.stop);
                let payload = self.payload(stop);
                self.run.try_finish(by, stop, payload).ok()?;
            }
            Action::Fail { by, verdict } => {
                let by = self.by(*by)?;
                let payload = self.payload(self.run.failed);
                self.run.try_fail_with(by, *verdict, payload).ok()?;
            }
            Action::Send { by, ty, target } => {
                let from = by.and_then(|by| self.by(by));
                let target = target.and_then(|nth| pick(&self.steps, nth));
                let ty = self.ty(*ty);
                let payload = self.payload(ty);
                self.run.try_send(from, ty, payload, target).ok()?;
            }
            Action::Write { by } => {
                let by = by.and_then(|by| self.by(by));
                let call = by.and_then(|by| self.run.running.iter().find(|call| call.id == by).cloned());
                self.run.write(call.as_ref(), "written").ok()?;
            }
            Action::Answer { nth, ty } => {
                let wait = *nth as usize % (self.run.askers.len() + 1);
                let ty = self.ty(*ty);
                let payload = self.payload(ty);
                self.run.answer(WaitId(wait as u32), ty, payload).ok()?;
            }
            Action::Withdraw { by, nth } => {
                let wait = *nth as usize % (self.run.askers.len() + 1);
                self.run.try_withdraw(self.by(*by)?, WaitId(wait as u32)).ok()?;
            }
            Action::Lose { by, nth } => {
                let by = self.by(*by)?;
                let own: Vec<WaitId> = self.run.open_waits(by);
                self.run.try_withdraw(by, pick(&own, *nth)?).ok()?;
            }
            Action::Wait { by, ty, timeout, picky, asks } => {
                let by = self.by(*by)?;
                let accepts: Option<fn(&str) -> bool> = picky.then_some(|payload| payload.ends_with(['1', '4', '7']));
                let question = asks.then(|| self.payload(self.run.start));
                self.run
                    .try_wait(by, self.ty(*ty), Asking { name: None, timeout: *timeout, accepts, question })
                    .ok()?;
            }
            Action::Sleep { by, delay } => {
                self.run.try_sleep(self.by(*by)?, *delay).ok()?;
            }
            Action::Collect { by, ty, expected } => {
                let by = self.by(*by)?;
                let call = self.run.running.iter().find(|call| call.id == by).cloned()?;
                let expected: Vec<_> = expected.iter().map(|nth| self.ty(*nth)).collect();
                let ty = self.ty(*ty);
                let payload = self.payload(ty);
                self.run.collect(&call, ty, payload, &expected);
            }
            Action::Once { by, key } => {
                let by = self.by(*by)?;
                self.events += 1;
                let result = format!("result {}", self.events);
                self.run.try_once(by, &format!("key {key}"), result).ok()?;
            }
            Action::Block { by } => {
                self.run.tick(Tick::Block { invocation: self.by(*by)? }).ok()?;
            }
            Action::Unblock { by } => {
                self.run.tick(Tick::Unblock { invocation: self.by(*by)? }).ok()?;
            }
            Action::Doze { by } => {
                self.run.tick(Tick::Doze { invocation: self.by(*by)? }).ok()?;
            }
            Action::Rouse { by } => {
                self.run.tick(Tick::Rouse { invocation: self.by(*by)? }).ok()?;
            }
            Action::Advance { by } => self.run.advance(*by),
            Action::Cancel => self.run.cancel(),
            Action::Nonsense(tick) => {
                self.events += 1;
                self.run.nonsense(tick, format!("nonsense {}", self.events));
            }
        }
        Some(())
    }

    /// Lets everything that is at work come to its end, without new events.
    pub fn drain(&mut self) {
        while self.run.outcome.is_none() {
            if let Some(call) = self.run.running.first() {
                let tick = Tick::Complete { invocation: call.id, output: None, matches: vec![] };
                self.run.tick(tick).expect("the attempt is running");
            } else if self.run.timers.is_empty() {
                return;
            } else {
                self.run.advance(1000);
            }
        }
    }
}
