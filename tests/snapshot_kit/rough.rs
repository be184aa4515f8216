//! A host that treats a run roughly: it does anything at any time, and holds the engine to what every host may rely on. For runs of images that no
//! engine has written.

use std::collections::{BTreeMap, BTreeSet};

use stepstream::engine::{
    Command, Engine, EventTypeId, InvocationId, Millis, Outcome, Slot, Status, StepId, Tick, TimerKey, Verdict, WaitId,
};

pub struct Rough {
    pub engine: Engine,
    now: u64,
    chance: u64,
    filled: BTreeSet<u32>,
    running: BTreeSet<InvocationId>,
    /// Every id of an attempt so far.
    begun: BTreeSet<InvocationId>,
    timers: BTreeMap<TimerKey, u64>,
    /// Waits that were asked for and are open.
    open: BTreeMap<WaitId, InvocationId>,
    settled: BTreeSet<WaitId>,
    outcome: Option<Outcome>,
}

impl Rough {
    /// A restored run that was not resumed, with a payload for each slot that it refers to.
    pub fn new(engine: Engine, now: u64, chance: u64) -> Rough {
        let filled = engine.state().counts().iter().map(|(slot, _)| slot.0).collect();
        Rough {
            engine,
            now,
            chance,
            filled,
            running: BTreeSet::new(),
            begun: BTreeSet::new(),
            timers: BTreeMap::new(),
            open: BTreeMap::new(),
            settled: BTreeSet::new(),
            outcome: None,
        }
    }

    /// Lets so much happen.
    pub fn suffer(mut self, ticks: usize) -> Rough {
        self.check();
        let begin = match self.engine.status() {
            Status::Created => Tick::Start { ty: EventTypeId(0), slot: Slot(0) },
            _ => Tick::Resume,
        };
        self.tick(begin);
        for _ in 0..ticks {
            if self.outcome.is_some() {
                break;
            }
            let tick = self.any();
            self.tick(tick);
        }
        self
    }

    fn below(&mut self, most: usize) -> usize {
        // SplitMix64, so that it is the same everywhere.
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % most.max(1) as u64) as usize
    }

    fn any(&mut self) -> Tick {
        let types = self.engine.graph().borrow().types().len();
        let steps = self.engine.graph().borrow().steps().len();
        let nth = self.below(self.running.len());
        // One that does not exist, when no attempt is running.
        let invocation = self.running.iter().nth(nth).copied().unwrap_or(InvocationId { index: 0, generation: 0 });
        let ty = EventTypeId(self.below(types + 1) as u32);
        let free = (0..).find(|slot| !self.filled.contains(slot)).expect("there are more numbers than slots");
        let slot = Slot(if self.below(20) == 0 { self.below(40) as u32 } else { free });
        let matches: Vec<WaitId> = self.open.keys().filter(|wait| wait.0 % 2 == 0).copied().collect();
        let delay = Millis(self.below(100) as u64);
        match self.below(31) {
            0..4 => Tick::Complete { invocation, output: Some((ty, slot)), matches },
            4 => Tick::Complete { invocation, output: None, matches },
            5..8 => {
                let verdict = [Verdict::Policy, Verdict::Retry(delay), Verdict::Retry(Millis(0))][self.below(3)];
                Tick::Fail { invocation, ty, slot, verdict }
            }
            8..11 => Tick::Send { from: None, ty, slot, target: None, matches },
            11..13 => Tick::Send { from: Some(invocation), ty, slot, target: None, matches },
            13 => Tick::Send { from: None, ty, slot, target: Some(StepId(self.below(steps) as u32)), matches },
            14 => Tick::Write { from: Some(invocation), ty, slot },
            15..17 => {
                let timeout = (self.below(2) == 0).then_some(delay);
                let id = (self.below(3) == 0).then(|| "wait 0".into());
                let predicated = self.below(3) == 0;
                let claim = (self.below(2) == 0).then(|| Slot(self.below(20) as u32));
                Tick::Wait { invocation, ty, id, timeout, predicated, claim }
            }
            17 => Tick::Sleep { invocation, delay },
            18 => {
                let expected = (0..self.below(4)).map(|_| EventTypeId(self.below(types) as u32)).collect();
                match self.below(3) {
                    0 => Tick::Collect { invocation, ty, slot, expected },
                    nth => Tick::CollectInto { invocation, ty, slot, expected, buffer: ["a", "b"][nth - 1].into() },
                }
            }
            28..30 => {
                let count = self.below(4);
                let next = (0..).filter(|slot| !self.filled.contains(slot)).take(count);
                let slots: Vec<u32> = next.collect();
                let outputs = slots.into_iter().map(|slot| (EventTypeId(self.below(types + 1) as u32), Slot(slot)));
                let outputs: Vec<_> = outputs.collect();
                let matches = matches.into_iter().map(|wait| (self.below(4) as u32, wait)).collect();
                Tick::CompleteList { invocation, outputs, matches }
            }
            19 => Tick::Once { invocation, key: "key 0".into(), slot },
            20 => Tick::Block { invocation },
            21 => Tick::Unblock { invocation },
            23 => {
                let open = self.open.iter().filter(|(_, by)| **by == invocation).map(|(wait, _)| *wait);
                let open: Vec<WaitId> = open.collect();
                let nth = self.below(open.len());
                let wait = open.get(nth).copied().unwrap_or(WaitId(self.below(6) as u32));
                Tick::Withdraw { invocation, wait }
            }
            24 => {
                let (id, timeout) = ((self.below(3) == 0).then(|| "wait 0".into()), Some(delay));
                Tick::Ask { invocation, ty, id, timeout, predicated: false, claim: None, question: ty, slot }
            }
            22 => match self.timers.iter().map(|(key, at)| (*at, *key)).min() {
                Some((at, key)) => {
                    self.now = self.now.max(at);
                    Tick::Timer { key }
                }
                None => Tick::Timer { key: TimerKey(self.below(5) as u32) },
            },
            25 => Tick::Doze { invocation },
            26 => Tick::Rouse { invocation },
            27 => {
                let nth = self.below(self.open.len());
                let wait = self.open.keys().nth(nth).copied().unwrap_or(WaitId(self.below(6) as u32));
                Tick::Answer { wait, ty, slot }
            }
            _ => {
                if self.below(40) == 0 {
                    Tick::Cancel
                } else {
                    Tick::Resume
                }
            }
        }
    }

    fn tick(&mut self, tick: Tick) {
        let slots = match &tick {
            Tick::Start { slot, .. }
            | Tick::Send { slot, .. }
            | Tick::Write { slot, .. }
            | Tick::Complete { output: Some((_, slot)), .. }
            | Tick::Fail { slot, .. }
            | Tick::Collect { slot, .. }
            | Tick::CollectInto { slot, .. }
            | Tick::Once { slot, .. }
            | Tick::Answer { slot, .. }
            | Tick::Ask { slot, .. } => vec![slot.0],
            Tick::CompleteList { outputs, .. } => outputs.iter().map(|(_, slot)| slot.0).collect(),
            _ => vec![],
        };
        let fired = if let Tick::Timer { key } = &tick { Some(*key) } else { None };
        let asker = match &tick {
            Tick::Wait { invocation, .. } | Tick::Sleep { invocation, .. } | Tick::Ask { invocation, .. } => {
                Some(*invocation)
            }
            _ => None,
        };
        let withdrawn = match &tick {
            Tick::Withdraw { invocation, wait } => Some((*invocation, *wait)),
            _ => None,
        };
        let over = match &tick {
            Tick::Complete { invocation, .. }
            | Tick::CompleteList { invocation, .. }
            | Tick::Fail { invocation, .. } => Some(*invocation),
            _ => None,
        };
        let reply = self.engine.apply(tick, Millis(self.now));
        let commands: Vec<Command> = self.engine.drain().collect();
        let Ok(reply) = reply else {
            assert!(commands.is_empty(), "what is refused commands nothing");
            return;
        };
        for slot in slots {
            assert!(self.filled.insert(slot), "a slot that is in use is not taken");
        }
        if let Some(key) = fired {
            self.timers.remove(&key);
        }
        if let Some(over) = over {
            assert!(self.running.remove(&over), "only what is at work can end");
            self.open.retain(|_, by| *by != over);
        }
        if let Some((by, wait)) = withdrawn
            && self.open.get(&wait) == Some(&by)
        {
            self.open.remove(&wait);
            self.settled.insert(wait);
        }
        if let (Some(by), stepstream::engine::TickOutput::Wait(wait)) = (asker, reply) {
            assert!(!self.settled.contains(&wait), "a wait that is over is not opened again");
            assert!(self.open.insert(wait, by).is_none(), "a wait is asked for once");
        }
        commands.into_iter().for_each(|command| self.carry_out(command));
        self.check();
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Publish { slot } => assert!(self.filled.contains(&slot.0), "what is published is there"),
            Command::Release { slot } => assert!(self.filled.remove(&slot.0), "a slot is released once"),
            Command::Invoke { step, invocation, inputs, .. } => {
                let graph = self.engine.graph().borrow();
                let spec = &graph.steps()[step.index()];
                let wanted = if spec.collect.is_some() { inputs.len() } else { spec.inputs.len().max(1) };
                assert_eq!(inputs.len(), wanted, "an event for each input");
                assert!(self.begun.insert(invocation), "an attempt's id is used once");
                self.running.insert(invocation);
                assert!(inputs.iter().all(|slot| self.filled.contains(&slot.0)), "inputs are there");
            }
            Command::Resolve { wait, .. } | Command::Wake { wait } | Command::Expire { wait } => {
                assert!(self.open.remove(&wait).is_some(), "only a wait that was asked for is answered");
                self.settled.insert(wait);
            }
            Command::TimeOut { invocation } => assert!(self.running.contains(&invocation), "what is at work times out"),
            Command::SetTimer { key, deadline } => {
                assert!(self.timers.insert(key, deadline.0).is_none(), "a deadline's key is used once");
            }
            Command::ClearTimer { key } => {
                assert!(self.timers.remove(&key).is_some(), "only a deadline that was set is cleared");
            }
            Command::Settle { outcome } => {
                assert!(self.outcome.replace(outcome).is_none(), "a run settles once");
                self.running.clear();
            }
            _ => {}
        }
    }

    fn check(&self) {
        for join in self.engine.open_joins() {
            let wanted = self.engine.graph().borrow().steps()[join.step.index()].inputs.len();
            assert!((join.filled.count_ones() as usize) < wanted, "what is complete is on its way");
        }
        let state = self.engine.state();
        let mut counts = state.counts();
        match self.outcome {
            Some(Outcome::Completed(_)) => return,
            Some(Outcome::StepFailed { slot, .. }) => counts.retain(|(counted, _)| *counted != slot),
            _ => {}
        }
        assert_eq!(counts, state.recount(), "references, as counted and as there are");
        if self.outcome.is_none() {
            let held: BTreeSet<u32> = counts.iter().map(|(slot, _)| slot.0).collect();
            assert_eq!(held, self.filled, "the slots that the host fills are those that the engine refers to");
        }
        let in_flight = self.engine.in_flight().filter(|at| at.running).map(|at| at.invocation);
        assert_eq!(in_flight.collect::<BTreeSet<_>>(), self.running, "the attempts that the engine thinks are running");
    }
}
