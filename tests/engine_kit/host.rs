//! The other side of the engine, as JavaScript plays it: payloads in numbered slots, handlers that are "running" until
//! the test settles them, deadlines. It checks every command against what a host may rely on.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use stepstream::engine::{
    Command, Engine, EventTypeId, Graph, InvocationId, Millis, Outcome, RunOptions, Slot, Status, StepId, Tick,
    TickOutput, TimerKey, Trace, Verdict, WaitId,
};
use stepstream::error::Code;

/// An attempt that a command made the host begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub step: StepId,
    pub id: InvocationId,
    pub attempt: u32,
    pub inputs: Vec<String>,
}

/// How a wait or a sleep ended.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitResult {
    Event(String),
    Expired,
    Woken,
}

/// What a step asks for; `accepts` makes it a predicated wait, and `question` is published with it.
#[derive(Clone, Default)]
pub struct Asking {
    pub name: Option<&'static str>,
    pub question: Option<String>,
    pub timeout: Option<u64>,
    pub accepts: Option<fn(&str) -> bool>,
}

/// A tick that was taken in.
#[derive(Clone, Debug)]
pub struct Turn {
    pub tick: Tick,
    /// The payload that the tick handed over, unless that was an array.
    pub payload: Option<String>,
    /// All payloads that the tick handed over, in order.
    pub payloads: Vec<String>,
    /// The attempts that it began.
    pub begun: Vec<Call>,
    /// The waits that it answered with an event.
    pub resolved: Vec<(WaitId, String)>,
}

/// The slot that a tick hands over.
pub fn slot_of(tick: &Tick) -> Option<Slot> {
    match tick {
        Tick::Start { slot, .. }
        | Tick::Send { slot, .. }
        | Tick::Write { slot, .. }
        | Tick::Complete { output: Some((_, slot)), .. }
        | Tick::Fail { slot, .. }
        | Tick::Collect { slot, .. }
        | Tick::Answer { slot, .. }
        | Tick::CollectInto { slot, .. }
        | Tick::Once { slot, .. }
        | Tick::Ask { slot, .. } => Some(*slot),
        _ => None,
    }
}

/// The slots that a tick hands over, in order.
pub fn slots_of(tick: &Tick) -> Vec<Slot> {
    match tick {
        Tick::CompleteList { outputs, .. } => outputs.iter().map(|(_, slot)| *slot).collect(),
        _ => slot_of(tick).into_iter().collect(),
    }
}

pub struct Host {
    pub engine: Engine,
    pub now: u64,
    pub start: EventTypeId,
    pub stop: EventTypeId,
    pub failed: EventTypeId,
    pub human: EventTypeId,
    /// What was published, in order.
    pub stream: Vec<String>,
    /// Every command so far, in order.
    pub commands: Vec<Command>,
    /// Every record so far, of a run that is traced.
    pub traces: Vec<Trace>,
    /// Every tick so far with its time, refused ones too.
    pub ticks: Vec<(Tick, Millis)>,
    /// Every tick that was not refused, and what came of it.
    pub turns: Vec<Turn>,
    /// Who asked for each wait and sleep, by its number.
    pub askers: Vec<InvocationId>,
    /// The attempts begun and not settled, in the order of beginning.
    pub running: Vec<Call>,
    /// Every attempt ever begun.
    pub begun: Vec<Call>,
    pub timed_out: Vec<InvocationId>,
    /// The attempts that began with a reset of what an earlier one had written.
    pub resets: Vec<(StepId, u32)>,
    /// The reset that the next command must make good.
    reset: Option<(StepId, u32)>,
    /// The places of invocations that have written to the stream since their attempt began.
    wrote: BTreeSet<u32>,
    pub timers: BTreeMap<TimerKey, Millis>,
    pub outcome: Option<Outcome>,
    pub slots: Vec<Option<String>>,
    /// The lowest goes first: the engine takes a number that was never used only after all lower ones were.
    pub free: BTreeSet<u32>,
    answers: BTreeMap<WaitId, WaitResult>,
    /// Open waits: the type and, for a predicated one, the predicate.
    open: BTreeMap<WaitId, Open>,
    /// What the last command about it has said: running, sleeping or waiting.
    status: Status,
}

/// A wait or sleep that has not been settled.
pub struct Open {
    pub ty: Option<EventTypeId>,
    pub accepts: Option<fn(&str) -> bool>,
    pub by: InvocationId,
}

impl Host {
    pub fn new(graph: Rc<RefCell<Graph>>, options: RunOptions, [start, stop, failed, human]: [EventTypeId; 4]) -> Host {
        Host {
            engine: Engine::new(graph, options),
            now: 0,
            start,
            stop,
            failed,
            human,
            stream: Vec::new(),
            commands: Vec::new(),
            traces: Vec::new(),
            ticks: Vec::new(),
            turns: Vec::new(),
            askers: Vec::new(),
            running: Vec::new(),
            begun: Vec::new(),
            timed_out: Vec::new(),
            resets: Vec::new(),
            reset: None,
            wrote: BTreeSet::new(),
            timers: BTreeMap::new(),
            outcome: None,
            slots: Vec::new(),
            free: BTreeSet::new(),
            answers: BTreeMap::new(),
            open: BTreeMap::new(),
            status: Status::Running,
        }
    }

    /// Gives a tick to the engine and does what it commands.
    pub fn tick(&mut self, tick: Tick) -> Result<TickOutput, Code> {
        let before = self.engine.state().clone();
        let was_over = self.outcome.is_some();
        self.ticks.push((tick.clone(), Millis(self.now)));
        let reply = self.engine.apply(tick.clone(), Millis(self.now));
        let commands: Vec<Command> = self.engine.drain().collect();
        if reply.is_err() {
            assert!(commands.is_empty(), "{tick:?} was refused, yet commands {commands:?}");
            assert!(*self.engine.state() == before, "{tick:?} was refused, yet changed the state");
            return reply;
        }
        assert!(!was_over || commands.is_empty(), "an ended run commands {commands:?}");
        let settle = commands.iter().position(|command| matches!(command, Command::Settle { .. }));
        let ended = matches!(self.engine.status(), Status::Ended(_));
        assert_eq!(settle.is_some() || was_over, ended, "a run settles when it ends");
        self.settle_call(&tick);
        if let Tick::Write { from: Some(from), .. } = &tick {
            self.wrote.insert(from.index);
        }
        let payload = slot_of(&tick).map(|slot| self.payload(slot));
        let payloads = slots_of(&tick).iter().map(|slot| self.payload(*slot)).collect();
        self.turns.push(Turn { tick, payload, payloads, begun: Vec::new(), resolved: Vec::new() });
        for command in commands {
            self.carry_out(command);
        }
        self.check();
        reply
    }

    /// What the host knows of an attempt when it settles it.
    fn settle_call(&mut self, tick: &Tick) {
        if let Tick::Timer { key } = tick {
            self.timers.remove(key);
        }
        let over = match tick {
            Tick::Complete { invocation, .. }
            | Tick::CompleteList { invocation, .. }
            | Tick::Fail { invocation, .. } => invocation,
            _ => return,
        };
        let at = self.running.iter().position(|call| call.id == *over);
        self.running.remove(at.expect("only a running attempt is settled"));
        // What it asked for and was not given is void.
        self.open.retain(|_, open| open.by != *over);
    }

    fn carry_out(&mut self, command: Command) {
        self.commands.push(command.clone());
        let reset = self.reset.take();
        assert!(reset.is_none() || matches!(command, Command::Invoke { .. }), "a reset comes right before its attempt");
        match command {
            Command::Publish { slot } => {
                let payload = self.payload(slot);
                self.stream.push(payload);
            }
            Command::Release { slot } => {
                self.slots[slot.index()].take().expect("a slot is released once");
                self.free.insert(slot.0);
            }
            Command::Invoke { step, invocation, attempt, inputs } => {
                let inputs = inputs.into_iter().map(|slot| self.payload(slot)).collect();
                assert!(self.begun.iter().all(|call| call.id != invocation), "an attempt's id is used once");
                let wrote = self.wrote.remove(&invocation.index) && attempt > 1;
                assert_eq!(
                    reset,
                    wrote.then_some((step, attempt)),
                    "what was written before is reset, and nothing else"
                );
                let call = Call { step, id: invocation, attempt, inputs };
                self.running.push(call.clone());
                self.turn().begun.push(call.clone());
                self.begun.push(call);
            }
            Command::Resolve { wait, slot } => {
                let payload = self.payload(slot);
                self.turn().resolved.push((wait, payload.clone()));
                self.settle_wait(wait, WaitResult::Event(payload));
            }
            Command::Reset { step, attempt } => {
                self.resets.push((step, attempt));
                self.reset = Some((step, attempt));
            }
            Command::Wake { wait } => self.settle_wait(wait, WaitResult::Woken),
            Command::Expire { wait } => self.settle_wait(wait, WaitResult::Expired),
            Command::TimeOut { invocation } => {
                assert!(self.running.iter().any(|call| call.id == invocation), "only a running attempt times out");
                self.timed_out.push(invocation);
            }
            Command::SetTimer { key, deadline } => {
                assert!(self.timers.insert(key, deadline).is_none(), "a deadline's key is used once");
            }
            Command::ClearTimer { key } => {
                self.timers.remove(&key).expect("only a deadline that was set is cleared");
            }
            Command::Idle => self.changes(Status::Waiting),
            Command::Doze => self.changes(Status::Sleeping),
            Command::Busy => self.changes(Status::Running),
            Command::Settle { outcome } => {
                assert!(self.outcome.replace(outcome).is_none(), "a run settles once");
                self.timers.clear();
                self.running.clear();
                self.open.clear();
            }
            Command::Trace(trace) => self.traces.push(trace),
            other => panic!("the host does not know {other:?}"),
        }
    }

    /// The run is running, sleeping or waiting from now on, and was not before.
    fn changes(&mut self, status: Status) {
        assert_ne!(std::mem::replace(&mut self.status, status), status, "a command says what is new");
    }

    /// Begins to trace the run.
    pub fn trace(&mut self) {
        self.engine.trace(true);
        let commands: Vec<Command> = self.engine.drain().collect();
        commands.into_iter().for_each(|command| self.carry_out(command));
    }

    fn turn(&mut self) -> &mut Turn {
        self.turns.last_mut().expect("commands come of a turn")
    }

    fn settle_wait(&mut self, wait: WaitId, answer: WaitResult) {
        self.open.remove(&wait);
        assert!(self.answers.insert(wait, answer).is_none(), "a wait is settled once");
    }

    /// What must hold after every tick.
    fn check(&self) {
        let state = self.engine.state();
        if let Some(outcome) = self.outcome {
            // A completed run holds nothing. Any other can be resumed: what it refers to is still there, and
            // nothing else but the event that reports the failure.
            let mut counts = state.counts();
            match outcome {
                Outcome::Completed(slot) => assert!(self.slots[slot.index()].is_some()),
                Outcome::StepFailed { slot, .. } => counts.retain(|(counted, _)| *counted != slot),
                _ => {}
            }
            assert_eq!(counts, state.recount(), "references, after the end");
            return;
        }
        assert_eq!(state.counts(), state.recount(), "references to slots, as kept and as counted");
        let held: Vec<u32> = state.counts().iter().map(|(slot, _)| slot.0).collect();
        let filled: Vec<u32> = (0..).zip(&self.slots).filter(|(_, at)| at.is_some()).map(|(nth, _)| nth).collect();
        assert_eq!(held, filled, "the slots that the host fills are those that the engine refers to");
        let status = self.engine.status();
        let is_known = matches!(status, Status::Running | Status::Sleeping | Status::Waiting);
        assert!(
            !is_known || status == self.status,
            "the commands have said {:?}, the status is {status:?}",
            self.status
        );
        let in_flight: Vec<_> = self.engine.in_flight().filter(|at| at.running).map(|at| at.invocation).collect();
        let mut running: Vec<_> = self.running.iter().map(|call| call.id).collect();
        running.sort_unstable();
        assert_eq!(in_flight, running, "the attempts that the engine thinks are running");
        let mut waits: BTreeSet<_> = self.engine.open_waits().map(|open| open.wait).collect();
        assert!(waits.iter().all(|wait| self.open.contains_key(wait)), "only what was asked for is open");
        // A sleep that was withdrawn before is like a wait to which nothing comes.
        waits.retain(|wait| self.open[wait].ty.is_some());
        let open: BTreeSet<_> = self.open.iter().filter(|(_, open)| open.ty.is_some()).map(|(wait, _)| *wait).collect();
        assert_eq!(waits, open, "the waits that are open");
    }

    /// Puts a payload into a slot that is free.
    pub fn put(&mut self, payload: impl ToString) -> Slot {
        let slot = self.free.pop_first().unwrap_or(self.slots.len() as u32);
        if slot as usize == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[slot as usize] = Some(payload.to_string());
        Slot(slot)
    }

    pub fn take_back(&mut self, slot: Slot) {
        self.slots[slot.index()] = None;
        self.free.insert(slot.0);
    }

    pub fn payload(&self, slot: Slot) -> String {
        self.slots[slot.index()].clone().expect("the engine names only slots that are filled")
    }

    /// How many payloads the host keeps.
    pub fn kept_payloads(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    fn tick_with(&mut self, slot: Slot, tick: Tick) -> Result<TickOutput, Code> {
        let reply = self.tick(tick);
        if reply.is_err() {
            self.take_back(slot);
        }
        reply
    }

    /// The predicated waits that accept an event.
    fn matches(&self, ty: EventTypeId, payload: &str) -> Vec<WaitId> {
        let graph = self.engine.graph().borrow();
        let accepts = |open: &Open| {
            open.ty.is_some_and(|wanted| graph.is_kind_of(ty, wanted)) && open.accepts.is_some_and(|f| f(payload))
        };
        self.open.iter().filter(|(_, open)| accepts(open)).map(|(wait, _)| *wait).collect()
    }

    pub fn begin(&mut self) {
        let (ty, slot) = (self.start, self.put("start"));
        self.tick_with(slot, Tick::Start { ty, slot }).expect("the run begins");
    }

    pub fn try_send(
        &mut self,
        from: Option<InvocationId>,
        ty: EventTypeId,
        payload: impl ToString,
        target: Option<StepId>,
    ) -> Result<TickOutput, Code> {
        let slot = self.put(payload);
        let matches = self.matches(ty, &self.payload(slot));
        self.tick_with(slot, Tick::Send { from, ty, slot, target, matches })
    }

    /// Answers one wait, whatever its condition.
    pub fn answer(&mut self, wait: WaitId, ty: EventTypeId, payload: impl ToString) -> Result<TickOutput, Code> {
        let slot = self.put(payload);
        self.tick_with(slot, Tick::Answer { wait, ty, slot })
    }

    pub fn send(&mut self, ty: EventTypeId, payload: impl ToString) {
        self.try_send(None, ty, payload, None).expect("the event is taken in");
    }

    pub fn send_from(&mut self, call: &Call, ty: EventTypeId, payload: impl ToString) {
        self.try_send(Some(call.id), ty, payload, None).expect("the event is taken in");
    }

    pub fn send_to(&mut self, step: StepId, ty: EventTypeId, payload: impl ToString) {
        self.try_send(None, ty, payload, Some(step)).expect("the event is taken in");
    }

    pub fn write(&mut self, from: Option<&Call>, payload: impl ToString) -> Result<TickOutput, Code> {
        let slot = self.put(payload);
        self.tick_with(slot, Tick::Write { from: from.map(|call| call.id), ty: EventTypeId(0), slot })
    }

    pub fn try_finish(
        &mut self,
        id: InvocationId,
        ty: EventTypeId,
        payload: impl ToString,
    ) -> Result<TickOutput, Code> {
        let slot = self.put(payload);
        let matches = self.matches(ty, &self.payload(slot));
        self.tick_with(slot, Tick::Complete { invocation: id, output: Some((ty, slot)), matches })
    }

    /// The attempt returns an event.
    pub fn finish(&mut self, call: &Call, ty: EventTypeId, payload: impl ToString) {
        self.try_finish(call.id, ty, payload).expect("the attempt is running");
    }

    /// The attempt returns an array.
    pub fn finish_list(&mut self, call: &Call, events: &[(EventTypeId, &str)]) {
        self.try_finish_list(call.id, events).expect("the attempt is running");
    }

    pub fn try_finish_list(
        &mut self,
        id: InvocationId,
        events: &[(EventTypeId, impl ToString)],
    ) -> Result<TickOutput, Code> {
        let outputs: Vec<_> = events.iter().map(|(ty, payload)| (*ty, self.put(payload.to_string()))).collect();
        let matches = outputs.iter().zip(0..).flat_map(|((ty, slot), nth)| {
            let waits = self.matches(*ty, &self.payload(*slot));
            waits.into_iter().map(move |wait| (nth, wait))
        });
        let tick = Tick::CompleteList { invocation: id, matches: matches.collect(), outputs: outputs.clone() };
        let reply = self.tick(tick);
        if reply.is_err() {
            outputs.iter().for_each(|(_, slot)| self.take_back(*slot));
        }
        reply
    }

    /// The attempt returns nothing.
    pub fn finish_empty(&mut self, call: &Call) {
        let tick = Tick::Complete { invocation: call.id, output: None, matches: vec![] };
        self.tick(tick).expect("the attempt is running");
    }

    pub fn try_fail(&mut self, id: InvocationId, verdict: Verdict) -> Result<TickOutput, Code> {
        self.try_fail_with(id, verdict, "failure")
    }

    pub fn try_fail_with(
        &mut self,
        id: InvocationId,
        verdict: Verdict,
        payload: impl ToString,
    ) -> Result<TickOutput, Code> {
        let (ty, slot) = (self.failed, self.put(payload));
        self.tick_with(slot, Tick::Fail { invocation: id, ty, slot, verdict })
    }

    pub fn fail(&mut self, call: &Call) {
        self.try_fail(call.id, Verdict::Policy).expect("the attempt is running");
    }

    pub fn fail_with(&mut self, call: &Call, verdict: Verdict) {
        self.try_fail(call.id, verdict).expect("the attempt is running");
    }

    pub fn wait(&mut self, call: &Call, ty: EventTypeId) -> WaitId {
        self.wait_with(call, ty, Asking::default())
    }

    pub fn wait_with(&mut self, call: &Call, ty: EventTypeId, asking: Asking) -> WaitId {
        self.try_wait(call.id, ty, asking).expect("the attempt is running")
    }

    pub fn try_wait(&mut self, by: InvocationId, ty: EventTypeId, asking: Asking) -> Result<WaitId, Code> {
        let Asking { name, timeout, accepts, question } = asking;
        let claim = accepts.and_then(|accepts| {
            let kept = self.engine.kept(ty);
            kept.into_iter().map(|event| event.slot).find(|slot| accepts(&self.payload(*slot)))
        });
        let (invocation, id) = (by, name.map(Into::into));
        let (timeout, predicated) = (timeout.map(Millis), accepts.is_some());
        let open = Open { ty: Some(ty), accepts, by };
        let Some(payload) = question else {
            return self.ask(open, Tick::Wait { invocation, ty, id, timeout, predicated, claim });
        };
        let slot = self.put(payload);
        // Any type will do for what is only published.
        let question = EventTypeId(0);
        let tick = Tick::Ask { invocation, ty, id, timeout, predicated, claim, question, slot };
        let wait = self.ask(open, tick);
        if wait.is_err() {
            self.take_back(slot);
        }
        wait
    }

    /// The attempt takes a wait or sleep back.
    pub fn withdraw(&mut self, call: &Call, wait: WaitId) {
        self.try_withdraw(call.id, wait).expect("the attempt is running");
    }

    pub fn try_withdraw(&mut self, by: InvocationId, wait: WaitId) -> Result<TickOutput, Code> {
        let was_open = self.open.get(&wait).is_some_and(|open| open.by == by);
        let open = if was_open { self.open.remove(&wait) } else { None };
        let before = self.commands.len();
        let state = self.engine.state().clone();
        match self.tick(Tick::Withdraw { invocation: by, wait }) {
            Ok(reply) => {
                assert!(was_open || *self.engine.state() == state, "to withdraw what is closed changes nothing");
                let settles = |command: &Command| matches!(command, Command::Resolve { .. } | Command::Expire { .. });
                assert!(!self.commands[before..].iter().any(settles), "what is withdrawn is not answered");
                Ok(reply)
            }
            Err(code) => {
                self.open.extend(open.map(|open| (wait, open)));
                Err(code)
            }
        }
    }

    pub fn sleep(&mut self, call: &Call, delay: u64) -> WaitId {
        self.try_sleep(call.id, delay).expect("the attempt is running")
    }

    pub fn try_sleep(&mut self, by: InvocationId, delay: u64) -> Result<WaitId, Code> {
        let tick = Tick::Sleep { invocation: by, delay: Millis(delay) };
        self.ask(Open { ty: None, accepts: None, by }, tick)
    }

    /// Waits and sleeps are numbered in the order of asking. The host notes one before the tick, since the commands of
    /// that very tick may settle it.
    pub fn ask(&mut self, open: Open, tick: Tick) -> Result<WaitId, Code> {
        let wait = WaitId(self.askers.len() as u32);
        self.askers.push(open.by);
        self.open.insert(wait, open);
        match self.tick(tick) {
            Ok(reply) => {
                assert_eq!(reply, TickOutput::Wait(wait));
                Ok(wait)
            }
            Err(code) => {
                self.askers.pop();
                self.open.remove(&wait);
                Err(code)
            }
        }
    }

    /// The waits and sleeps of an attempt that are open.
    pub fn open_waits(&self, by: InvocationId) -> Vec<WaitId> {
        self.open.iter().filter(|(_, open)| open.by == by).map(|(wait, _)| *wait).collect()
    }

    /// How a wait ended, if it has.
    pub fn wait_result(&self, wait: WaitId) -> Option<WaitResult> {
        self.answers.get(&wait).cloned()
    }

    pub fn received(&self, wait: WaitId) -> Option<&str> {
        match self.answers.get(&wait)? {
            WaitResult::Event(payload) => Some(payload),
            other => panic!("{wait:?} ended with {other:?}"),
        }
    }

    pub fn collect(
        &mut self,
        call: &Call,
        ty: EventTypeId,
        payload: impl ToString,
        expected: &[EventTypeId],
    ) -> Option<Vec<String>> {
        self.collect_into(None, call, ty, payload, expected)
    }

    pub fn collect_into(
        &mut self,
        buffer: Option<&str>,
        call: &Call,
        ty: EventTypeId,
        payload: impl ToString,
        expected: &[EventTypeId],
    ) -> Option<Vec<String>> {
        let slot = self.put(payload);
        let (invocation, expected) = (call.id, expected.to_vec());
        let tick = match buffer {
            None => Tick::Collect { invocation, ty, slot, expected },
            Some(buffer) => Tick::CollectInto { invocation, ty, slot, expected, buffer: buffer.into() },
        };
        let reply = self.tick_with(slot, tick).expect("the attempt is running");
        let TickOutput::Collected(found) = reply else { panic!("collect answers {reply:?}") };
        found.map(|events| events.iter().map(|event| self.payload(event.slot)).collect())
    }

    pub fn try_once(&mut self, by: InvocationId, key: &str, result: impl ToString) -> Result<TickOutput, Code> {
        let slot = self.put(result);
        self.tick_with(slot, Tick::Once { invocation: by, key: key.into(), slot })
    }

    /// The one attempt of a step that is running.
    pub fn call(&self, step: StepId) -> Call {
        let calls = self.calls(step);
        assert_eq!(calls.len(), 1, "one attempt of {step:?} is running: {calls:?}");
        calls[0].clone()
    }

    /// The attempts of a step that are running, in the order of beginning.
    pub fn calls(&self, step: StepId) -> Vec<Call> {
        self.running.iter().filter(|call| call.step == step).cloned().collect()
    }

    /// The inputs of the running attempts of a step, each joined with `+`.
    pub fn inputs(&self, step: StepId) -> Vec<String> {
        self.calls(step).iter().map(|call| call.inputs.join("+")).collect()
    }

    /// Time goes by; deadlines are reported when they are due, the earliest first.
    pub fn advance(&mut self, by: u64) {
        let until = self.now + by;
        while let Some((key, deadline)) = self.timers.iter().map(|(key, at)| (*key, *at)).min_by_key(|(_, at)| *at) {
            if deadline.0 > until {
                break;
            }
            self.now = self.now.max(deadline.0);
            self.fire(key);
        }
        self.now = until;
    }

    pub fn fire(&mut self, key: TimerKey) {
        self.tick(Tick::Timer { key }).expect("a deadline is never refused in a run that has begun");
    }

    pub fn cancel(&mut self) {
        self.tick(Tick::Cancel).expect("the run is not over");
    }

    pub fn status(&self) -> Status {
        self.engine.status()
    }

    /// What the run has returned.
    pub fn result(&self) -> Option<String> {
        match self.outcome? {
            Outcome::Completed(slot) => Some(self.payload(slot)),
            _ => None,
        }
    }
}
