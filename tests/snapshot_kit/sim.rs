//! The host of a run of programs, as JavaScript is one: payloads in slots, handlers that run from their beginning, deadlines.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use stepstream::engine::{
    Captured, Command, Engine, EventTypeId, InvocationId, Millis, Outcome, Refusal, RestoreOptions, Slot, Status,
    StepId, Tick, TickOutput, TimerKey, Trace, Verdict, WaitId,
};
use stepstream::error::Code;
use stepstream::snapshot::container;
use stepstream::snapshot::journal::Journal;

use super::{Action, Blueprint, Built, End, FAILED, Order, START, STOP, Ty, describe, type_name};

/// What a handler is doing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    /// It can go on.
    Ready,
    /// It waits for an event or sleeps.
    Asking(WaitId),
    /// It works without the engine, until then.
    Working(u64),
    /// It does several things at a time, and has asked for all that it can ask for now.
    Several,
}

/// A handler at work: one attempt. It is known by the number of its birth, which it keeps when it runs again after a recovery.
#[derive(Clone, Debug)]
pub struct Fiber {
    pub step: usize,
    pub id: InvocationId,
    pub attempt: u32,
    pub inputs: Vec<String>,
    /// The next action.
    pub at: usize,
    /// Everything that it was answered so far. What it makes depends on this, so a wrong answer shows in all that comes after.
    pub heard: u64,
    pub state: State,
    /// Of several things at a time: how far each has come.
    pub parts: Vec<Part>,
    /// The engine said that its time is up.
    pub timed_out: bool,
    timer: Option<TimerKey>,
}

/// How far a handler has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    pub at: usize,
    pub is_asking: bool,
    /// It has asked for several things at a time.
    pub has_asked: bool,
    pub heard: u64,
    pub timed_out: bool,
}

/// One of several things that a handler does at a time: two waits, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    pub is_asking: bool,
    /// The number of what it has asked for, where it may be withdrawn.
    pub wait: Option<WaitId>,
    pub answers: Vec<String>,
}

impl Fiber {
    pub fn position(&self) -> Position {
        let is_asking = matches!(self.state, State::Asking(_));
        let has_asked = !self.parts.is_empty();
        Position { at: self.at, is_asking, has_asked, heard: self.heard, timed_out: self.timed_out }
    }

    pub(super) fn hear(&mut self, answer: &str) {
        self.heard = hash(&(self.heard, answer));
    }
}

/// Something that the host does. Handlers and deadlines are identified by what they have in common in every life of the run.
#[derive(Clone, Debug)]
pub enum Op {
    /// The handler of this birth does its next action.
    Perform(u32),
    /// A deadline comes: of the step of this birth's handler, or of something else.
    Fire { deadline: u64, step_of: Option<u32> },
    /// The outside sends an event.
    Outside { ty: Ty, target: Option<usize>, nth: u32 },
}

/// Something that the outside sends at a time of its own.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    pub at: u64,
    pub ty: Ty,
}

pub(super) struct Asked {
    pub by: u32,
    /// Which of several things that the handler does at a time.
    pub part: Option<usize>,
    pub ty: Option<Ty>,
    pub picky: bool,
}

pub struct Sim {
    pub plan: Rc<Blueprint>,
    pub built: Built,
    pub engine: Engine,
    pub now: u64,
    pub fibers: BTreeMap<u32, Fiber>,
    pub births: u32,
    pub timers: BTreeMap<TimerKey, u64>,
    /// Every call of a handler in this life: the step, and its events.
    pub begun: Vec<(usize, Vec<String>)>,
    /// What was published, in order, without what handlers wrote.
    pub stream: Vec<String>,
    /// What each handler wrote to the stream, as far as it was not reset: a list for each invocation, sorted. Two
    /// invocations that gather nothing are told apart by nothing else.
    pub written: BTreeMap<String, Vec<Vec<String>>>,
    /// What was published, for each step that published something, with its events.
    pub by_sender: BTreeMap<String, Vec<String>>,
    /// How often each thing that must happen once has happened.
    pub effects: BTreeMap<String, u32>,
    pub outcome: Option<Outcome>,
    /// What the run has returned.
    pub result: Option<String>,
    pub journal: Option<Journal>,
    /// The records of a run that is traced.
    pub traces: Vec<Trace>,
    /// What decides in which order a handler does several things at a time; another one in each life.
    pub lot: u64,
    /// How many ticks there were in this life.
    pub ticks: u64,
    /// How much of what the outside sends has been sent.
    pub sent: usize,
    pub(super) acting: String,
    /// The place of the invocation that is writing to the stream.
    pub(super) writing: Option<u32>,
    /// What invocations have written since they began, by their places.
    wrote: BTreeMap<u32, Vec<String>>,
    /// The reset that the next command must make good.
    reset: Option<(StepId, u32)>,
    pub(super) slots: Vec<Option<String>>,
    free: BTreeSet<u32>,
    by_id: BTreeMap<InvocationId, u32>,
    /// Births of handlers that were at work, by the place of their invocation in the image.
    known: BTreeMap<u32, u32>,
    pub(super) asked: BTreeMap<WaitId, Asked>,
    /// What waits were answered in the very tick that opened them.
    pub(super) prompt: BTreeMap<WaitId, String>,
    /// Deadlines of attempts that begin in this tick, in their order.
    step_timers: VecDeque<TimerKey>,
    /// What the last command about it has said: running, sleeping or waiting.
    status: Status,
}

/// What a handler is called in every life of the run, through all its attempts.
pub(super) fn sender(step: usize, inputs: &[String]) -> String {
    format!("{step} {inputs:?}")
}

pub fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Whether a picky wait takes an event.
pub(super) fn accepts(payload: &str) -> bool {
    !hash(&payload).is_multiple_of(3)
}

impl Sim {
    pub(super) fn over(plan: Rc<Blueprint>, built: Built, engine: Engine) -> Sim {
        Sim {
            plan,
            built,
            engine,
            now: 0,
            fibers: BTreeMap::new(),
            births: 0,
            timers: BTreeMap::new(),
            begun: Vec::new(),
            stream: Vec::new(),
            written: BTreeMap::new(),
            by_sender: BTreeMap::new(),
            effects: BTreeMap::new(),
            outcome: None,
            result: None,
            journal: None,
            traces: Vec::new(),
            lot: 0,
            ticks: 0,
            sent: 0,
            acting: String::new(),
            writing: None,
            wrote: BTreeMap::new(),
            reset: None,
            slots: Vec::new(),
            free: BTreeSet::new(),
            by_id: BTreeMap::new(),
            known: BTreeMap::new(),
            asked: BTreeMap::new(),
            prompt: BTreeMap::new(),
            step_timers: VecDeque::new(),
            status: Status::Running,
        }
    }

    /// A run that has not begun.
    pub fn new(plan: &Blueprint) -> Sim {
        let built = plan.build(Order::Given);
        let engine = Engine::new(built.graph.clone(), plan.options);
        Sim::over(Rc::new(plan.clone()), built, engine)
    }

    pub fn with_journal(mut self) -> Sim {
        self.journal = Some(Journal::new(&self.engine, self.plan.options, None));
        self
    }

    /// The payloads of an image's slots.
    pub fn payloads(&self, frozen: &Captured) -> Vec<String> {
        frozen.slots.iter().map(|slot| self.payload(*slot)).collect()
    }

    /// A description of the run as it is now.
    pub fn description(&self) -> Vec<String> {
        let frozen = self.engine.capture(Millis(self.now));
        describe(&frozen.image, &self.payloads(&frozen))
    }

    /// A snapshot; the host's part is the payloads, one a line.
    pub fn snapshot(&self) -> Vec<u8> {
        let frozen = self.engine.capture(Millis(self.now));
        let fingerprint = self.built.graph.borrow().fingerprint();
        container::write(fingerprint, &frozen.image, self.payloads(&frozen).join("\n").as_bytes()).expect("it is short")
    }

    /// The run restored from its snapshot, over a graph that was built anew. Nothing is taken from this host but the bytes, and what the outside knows
    /// too: the stream so far, the effects, the births.
    pub fn restored(&self, order: Order, fresh_timeout: bool) -> Result<Sim, Code> {
        self.restored_on(&self.plan, order, fresh_timeout).map_err(|refusal| refusal.code)
    }

    /// The same, over another version of the workflow.
    pub fn restored_for(&self, plan: &Blueprint) -> Result<Sim, Refusal> {
        self.restored_on(&Rc::new(plan.clone()), Order::Given, false)
    }

    pub(super) fn restored_on(&self, plan: &Rc<Blueprint>, order: Order, fresh_timeout: bool) -> Result<Sim, Refusal> {
        let bytes = self.snapshot();
        let mut snapshot = container::read(&bytes)?;
        let payloads: Vec<String> = match snapshot.host {
            [] => Vec::new(),
            host => std::str::from_utf8(host).expect("as written").split('\n').map(String::from).collect(),
        };
        let built = plan.build(order);
        let types: Vec<Option<EventTypeId>> = payloads.iter().map(|payload| built.type_of(payload)).collect();
        let options = plan.options;
        let how = RestoreOptions { options, fresh_timeout };
        let engine = Engine::restore(built.graph.clone(), &snapshot.image, &types, how)?;
        let mut sim = Sim::over(Rc::clone(plan), built, engine);
        if self.journal.is_some() {
            sim.journal = Some(Journal::new(&sim.engine, options, Some(&mut snapshot.image)));
        }
        sim.now = snapshot.image.now;
        sim.slots = payloads.into_iter().map(Some).collect();
        sim.stream.clone_from(&self.stream);
        sim.by_sender.clone_from(&self.by_sender);
        sim.written.clone_from(&self.written);
        sim.sent = self.sent;
        sim.effects.clone_from(&self.effects);
        sim.births = self.births;
        let frozen = self.engine.capture(Millis(self.now));
        let places = frozen.invocations.iter().zip(0..);
        let wrote = places.clone().filter_map(|(id, place)| Some((place, self.wrote.get(&id.index)?.clone())));
        sim.wrote = wrote.collect();
        sim.known = places.filter_map(|(id, place)| Some((place, *self.by_id.get(id)?))).collect();
        if self.outcome.is_some() {
            sim.known.clear();
        }
        Ok(sim)
    }

    pub fn resume(&mut self) {
        self.tick(Tick::Resume).expect("the run was restored and not resumed");
    }

    pub fn begin(&mut self) {
        let (ty, slot) = (self.built.types[START], self.put("start.0".into()));
        self.tick(Tick::Start { ty, slot }).expect("a step takes the start");
    }

    /// The deadlines of the attempts that begin, in their order. They are the last that a tick sets.
    fn find_step_timers(&self, commands: &[Command]) -> VecDeque<TimerKey> {
        let mut set = VecDeque::new();
        let mut timed = 0;
        for command in commands {
            match command {
                Command::SetTimer { key, .. } => set.push_back(*key),
                Command::Invoke { step, .. } => {
                    timed += usize::from(self.engine.graph().borrow().steps()[step.index()].timeout.is_some());
                }
                _ => {}
            }
        }
        set.split_off(set.len() - timed)
    }

    /// Gives a tick to the engine and does what it commands.
    pub fn tick(&mut self, tick: Tick) -> Result<TickOutput, Code> {
        let noted = self.journal.is_some().then(|| tick.clone());
        let reply = self.engine.apply(tick, Millis(self.now))?;
        self.ticks += 1;
        if let (Some(journal), Some(tick)) = (&mut self.journal, noted) {
            journal.tick(tick, Millis(self.now));
        }
        let commands: Vec<Command> = self.engine.drain().collect();
        self.step_timers = self.find_step_timers(&commands);
        for command in commands {
            self.carry_out(command);
        }
        Ok(reply)
    }

    /// The run is running, sleeping or waiting from now on, and was not before.
    fn changes(&mut self, status: Status) {
        assert_ne!(std::mem::replace(&mut self.status, status), status, "a command says what is new");
    }

    /// An invocation has written one thing more, or its reset takes all that it has written.
    fn rewrite(&mut self, sender: String, place: u32, more: Option<String>) {
        let own = self.wrote.remove(&place).unwrap_or_default();
        let lists = self.written.entry(sender.clone()).or_default();
        if !own.is_empty() {
            let at = lists.iter().position(|list| *list == own).expect("it was written");
            lists.remove(at);
        }
        if let Some(more) = more {
            let own = [own, vec![more]].concat();
            lists.push(own.clone());
            lists.sort();
            self.wrote.insert(place, own);
        } else if lists.is_empty() {
            self.written.remove(&sender);
        }
    }

    pub(super) fn carry_out(&mut self, command: Command) {
        let reset = self.reset.take();
        assert!(reset.is_none() || matches!(command, Command::Invoke { .. }), "a reset comes right before its attempt");
        match command {
            Command::Publish { slot } => {
                let payload = self.payload(slot);
                if let Some(place) = self.writing {
                    return self.rewrite(self.acting.clone(), place, Some(payload));
                }
                if !self.acting.is_empty() {
                    self.by_sender.entry(self.acting.clone()).or_default().push(payload.clone());
                }
                self.stream.push(payload);
            }
            Command::Release { slot } => {
                self.slots[slot.index()].take().expect("a slot is released once");
                self.free.insert(slot.0);
            }
            Command::Reset { step, attempt } => self.reset = Some((step, attempt)),
            Command::Invoke { step, invocation, attempt, inputs } => {
                let wrote = self.wrote.contains_key(&invocation.index);
                assert!(reset.is_none_or(|reset| wrote && reset == (step, attempt)), "only what was written is reset");
                let begins_again = attempt > 1 || self.known.contains_key(&invocation.index);
                assert!(!begins_again || reset.is_some() == wrote, "what was written is reset");
                let step = self.built.steps.iter().position(|id| *id == step).expect("only steps of the blueprint run");
                let inputs: Vec<_> = inputs.into_iter().map(|slot| self.payload(slot)).collect();
                self.begun.push((step, inputs.clone()));
                if reset.is_some() {
                    self.rewrite(sender(step, &inputs), invocation.index, None);
                }
                self.wrote.remove(&invocation.index);
                let birth = self.known.remove(&invocation.index).unwrap_or_else(|| {
                    self.births += 1;
                    self.births - 1
                });
                let is_timed = self.plan.steps[step].timeout.is_some();
                let timer = if is_timed { self.step_timers.pop_front() } else { None };
                let (state, heard) = (State::Ready, 0);
                let fiber = Fiber {
                    step,
                    id: invocation,
                    attempt,
                    inputs,
                    at: 0,
                    parts: Vec::new(),
                    heard,
                    state,
                    timed_out: false,
                    timer,
                };
                assert!(self.fibers.insert(birth, fiber).is_none(), "an invocation runs once at a time");
                assert!(self.by_id.insert(invocation, birth).is_none(), "an attempt's id is used once");
            }
            Command::Resolve { wait, slot } => self.answer(wait, self.payload(slot)),
            Command::Wake { wait } => self.answer(wait, "woken".into()),
            Command::Expire { wait } => self.answer(wait, "expired".into()),
            Command::TimeOut { invocation } => {
                let fiber = self.by_id.get(&invocation).and_then(|birth| self.fibers.get_mut(birth));
                let fiber = fiber.expect("only a handler at work is out of time");
                (fiber.timed_out, fiber.timer) = (true, None);
            }
            Command::SetTimer { key, deadline } => {
                assert!(self.timers.insert(key, deadline.0).is_none(), "a deadline's key is used once");
            }
            Command::ClearTimer { key } => {
                self.timers.remove(&key).expect("only a deadline that was set is cleared");
            }
            Command::Idle => self.changes(Status::Waiting),
            Command::Doze => self.changes(Status::Sleeping),
            Command::Busy => self.changes(Status::Running),
            Command::Settle { outcome } => {
                assert!(self.outcome.replace(outcome).is_none(), "a run settles once");
                if let Outcome::Completed(slot) = outcome {
                    self.result = Some(self.payload(slot));
                }
                self.timers.clear();
                self.fibers.clear();
                self.asked.clear();
            }
            Command::Trace(trace) => self.traces.push(trace),
            other => panic!("the host does not know {other:?}"),
        }
    }

    /// What must hold between any two ticks.
    pub fn check(&self) {
        let state = self.engine.state();
        let mut counts = state.counts();
        match self.outcome {
            Some(Outcome::Completed(_)) => return,
            Some(Outcome::StepFailed { slot, .. }) => counts.retain(|(counted, _)| *counted != slot),
            _ => {}
        }
        assert_eq!(counts, state.recount(), "references, as counted and as there are");
        if self.outcome.is_some() {
            return;
        }
        let held: Vec<u32> = counts.iter().map(|(slot, _)| slot.0).collect();
        let filled: Vec<u32> = (0..).zip(&self.slots).filter(|(_, at)| at.is_some()).map(|(nth, _)| nth).collect();
        assert_eq!(held, filled, "the host's slots are those that the engine refers to");
        let status = self.engine.status();
        let is_known = matches!(status, Status::Running | Status::Sleeping | Status::Waiting);
        assert!(
            !is_known || status == self.status,
            "the commands have said {:?}, the status is {status:?}",
            self.status
        );
        if self.engine.status() != Status::Restored {
            let mut running: Vec<_> = self.fibers.values().map(|fiber| fiber.id).collect();
            running.sort_unstable();
            let in_flight: Vec<_> = self.engine.in_flight().filter(|at| at.running).map(|at| at.invocation).collect();
            assert_eq!(in_flight, running, "the handlers that the engine thinks are at work");
        }
        let open: BTreeSet<_> = self.engine.open_waits().map(|open| open.wait).collect();
        let events = self.asked.iter().filter(|(_, asked)| asked.ty.is_some());
        assert!(events.map(|(wait, _)| *wait).all(|wait| open.contains(&wait)), "every wait is known to the engine");
    }

    pub(super) fn answer(&mut self, wait: WaitId, answer: String) {
        match self.asked.remove(&wait) {
            Some(asked) => self.deliver(asked.by, asked.part, &answer),
            None => assert!(self.prompt.insert(wait, answer).is_none(), "a wait is settled once"),
        }
    }

    pub(super) fn deliver(&mut self, birth: u32, part: Option<usize>, answer: &str) {
        let fiber = self.fibers.get_mut(&birth).expect("a handler at work asked");
        fiber.state = State::Ready;
        match part {
            Some(nth) => {
                fiber.parts[nth].is_asking = false;
                fiber.parts[nth].answers.push(answer.into());
            }
            None => {
                fiber.hear(answer);
                fiber.at += 1;
            }
        }
    }

    pub(super) fn put(&mut self, payload: String) -> Slot {
        let slot = self.free.pop_first().unwrap_or(self.slots.len() as u32);
        if slot as usize == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[slot as usize] = Some(payload);
        Slot(slot)
    }

    pub fn payload(&self, slot: Slot) -> String {
        self.slots[slot.index()].clone().expect("the engine names only slots that are filled")
    }

    pub fn ready(&self) -> Vec<u32> {
        let is_ready = |fiber: &Fiber| match fiber.state {
            State::Ready => true,
            State::Asking(_) | State::Several => fiber.timed_out,
            State::Working(until) => fiber.timed_out || until <= self.now,
        };
        self.fibers.iter().filter(|(_, fiber)| is_ready(fiber)).map(|(birth, _)| *birth).collect()
    }

    /// Does something. `None` when it is not clear what is meant: two deadlines at one time.
    pub fn act(&mut self, op: &Op) -> Option<()> {
        match *op {
            Op::Perform(birth) => self.perform(birth),
            Op::Outside { ty, target, nth } => {
                let (id, slot, matches) = self.event(ty, &("outside", nth));
                let target = target.map(|step| self.built.steps[step]);
                let tick = Tick::Send { from: None, ty: id, slot, target, matches };
                if self.tick(tick).is_err() {
                    self.take_back(slot);
                }
            }
            Op::Fire { deadline, step_of } => {
                let key = match step_of {
                    Some(birth) => self.fibers.get(&birth)?.timer?,
                    None => {
                        let due =
                            self.timers.iter().filter(|(key, at)| **at == deadline && self.step_of(**key).is_none());
                        let due: Vec<_> = due.map(|(key, _)| *key).collect();
                        let [key] = due[..] else { return None };
                        key
                    }
                };
                self.now = self.now.max(deadline);
                self.fire(key);
            }
        }
        self.check();
        Some(())
    }

    pub fn fire(&mut self, key: TimerKey) {
        self.timers.remove(&key);
        self.tick(Tick::Timer { key }).expect("a deadline is never refused");
    }

    /// Whose step's deadline it is.
    pub fn step_of(&self, key: TimerKey) -> Option<u32> {
        self.fibers.iter().find(|(_, fiber)| fiber.timer == Some(key)).map(|(birth, _)| *birth)
    }

    pub(super) fn take_back(&mut self, slot: Slot) {
        self.slots[slot.index()] = None;
        self.free.insert(slot.0);
    }

    /// Lets the handlers go on as far as they can without time, the oldest first.
    pub fn settle(&mut self) {
        while let Some(birth) = self.ready().first().copied() {
            self.perform(birth);
        }
    }

    /// Time goes by.
    pub fn pass(&mut self, span: u64) {
        let until = self.now + span;
        while let Some((at, key)) = self.timers.iter().map(|(key, at)| (*at, *key)).min().filter(|(at, _)| *at <= until)
        {
            self.now = at;
            self.fire(key);
            self.settle();
        }
        self.now = until;
    }

    /// Lets time go by and handlers work until the run is over, waits for ever, or has taken so many ticks in this life.
    pub fn live(&mut self, outside: &[Sending], most: u64, chance: u64) {
        self.lot = chance;
        while self.outcome.is_none() && self.ticks < most {
            let ready = self.ready();
            if !ready.is_empty() {
                let lot = hash(&(chance, self.ticks)) as usize;
                self.perform(ready[lot % ready.len()]);
                continue;
            }
            let working = self.fibers.values().filter_map(|fiber| match fiber.state {
                State::Working(until) => Some(until),
                _ => None,
            });
            let due = self.timers.iter().map(|(key, at)| (*at, *key)).min();
            let sending = outside.get(self.sent).copied();
            let moments = working.chain(due.map(|(at, _)| at)).chain(sending.map(|sending| sending.at.max(self.now)));
            let Some(next) = moments.min() else { return };
            self.now = self.now.max(next);
            self.acting.clear();
            match (due, sending) {
                (_, Some(sending)) if sending.at <= self.now => {
                    let (nth, ty) = (self.sent as u32, sending.ty);
                    self.sent += 1;
                    self.act(&Op::Outside { ty, target: None, nth });
                }
                (Some((at, key)), _) if at <= self.now => self.fire(key),
                _ => {}
            }
        }
    }
}

impl Built {
    /// The type of an event, as its payload says; `None` for what is no event.
    pub fn type_of(&self, payload: &str) -> Option<EventTypeId> {
        let (name, _) = payload.split_once('.')?;
        self.graph.borrow().type_named(name)
    }
}
