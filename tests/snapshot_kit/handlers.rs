//! Handlers at work: what each action of a program does.

use std::hash::Hash;
use std::rc::Rc;

use stepstream::engine::{EventTypeId, InvocationId, Millis, Slot, Tick, TickOutput, Verdict, WaitId};
use stepstream::error::Code;

use super::sim::{Asked, Fiber, Part, Sim, State, accepts, hash, sender};
use super::{ASK, Action, End, FAILED, STOP, Ty, type_name};

impl Sim {
    /// The picky waits of this life that take an event.
    fn matches(&self, ty: EventTypeId, payload: &str) -> Vec<WaitId> {
        let graph = self.built.graph.borrow();
        let takes = |asked: &Asked| {
            let fits = asked.ty.is_some_and(|wanted| graph.is_kind_of(ty, self.built.types[wanted]));
            fits && asked.picky && accepts(payload)
        };
        self.asked.iter().filter(|(_, asked)| takes(asked)).map(|(wait, _)| *wait).collect()
    }

    pub(super) fn event(&mut self, ty: Ty, of: &impl Hash) -> (EventTypeId, Slot, Vec<WaitId>) {
        let payload = format!("{}.{:016x}", type_name(ty), hash(of));
        let id = self.built.types[ty];
        let matches = self.matches(id, &payload);
        (id, self.put(payload), matches)
    }

    /// Who a handler is, and what it knows: everything that it makes is a function of this.
    fn identity(&self, birth: u32) -> (usize, u32, Vec<String>, usize, u64) {
        let Fiber { step, attempt, inputs, at, heard, .. } = &self.fibers[&birth];
        (*step, *attempt, inputs.clone(), *at, *heard)
    }

    /// A duration between 1 and the span.
    fn span(&self, birth: u32, span: u64) -> u64 {
        1 + hash(&self.identity(birth)) % span.max(1)
    }

    /// A handler does its next action.
    pub fn perform(&mut self, birth: u32) {
        let fiber = self.fibers.get_mut(&birth).expect("only a handler at work does something");
        self.acting = sender(fiber.step, &fiber.inputs);
        let id = fiber.id;
        if fiber.timed_out {
            return self.fail(birth, Verdict::Policy);
        }
        assert!(!matches!(fiber.state, State::Asking(_)), "a handler that waits does nothing");
        let plan = Rc::clone(&self.plan);
        let spec = &plan.steps[fiber.step];
        let Some(action) = spec.program.get(fiber.at) else { return self.end(birth, spec.end) };
        match action {
            Action::Wait { ty, named, span, picky } => {
                let id = named.then(|| format!("wait {}", self.fibers[&birth].at).into_boxed_str());
                self.wait(birth, *ty, id, *span, *picky);
                return;
            }
            Action::Ask { ty, span, picky } => return self.ask(birth, *ty, *span, *picky),
            Action::Race { ty, span, picky } => return self.race(birth, *ty, *span, *picky),
            Action::Several { parts } => return self.several(birth, parts),
            Action::Hang if fiber.attempt > 1 => {}
            Action::Hang => return self.wait(birth, STOP, None, None, false),
            Action::Sleep { span } => {
                let delay = Millis(self.span(birth, *span));
                let reply = self.tick(Tick::Sleep { invocation: id, delay });
                return self.asked(birth, None, None, false, &reply.expect("it is at work"));
            }
            Action::Once { key } => self.once(birth, &format!("key {key}")),
            Action::Collect { ty, expected } => {
                let identity = self.identity(birth);
                let found = self.collect(birth, *ty, expected, &identity, None);
                let answer = found.map_or("nothing".into(), |found| found.join(" "));
                self.hear(birth, &answer);
            }
            Action::CollectInto { ty, expected, buffer } => {
                let identity = self.identity(birth);
                let found = self.collect(birth, *ty, expected, &identity, Some(buffer));
                let answer = found.map_or("nothing".into(), |found| found.join(" "));
                self.hear(birth, &answer);
            }
            Action::Gather { ty, count } => {
                let input = fiber.inputs[0].clone();
                let found = self.collect_payload(birth, *ty, &vec![*ty; *count], input, None);
                let Some(mut found) = found else { return self.end(birth, Some(End::Nothing)) };
                found.sort();
                let fiber = self.fibers.get_mut(&birth).expect("at work");
                (fiber.inputs, fiber.heard, fiber.attempt) = (found, 0, 1);
            }
            Action::Sort => {
                let fiber = self.fibers.get_mut(&birth).expect("at work");
                fiber.inputs.sort();
                fiber.attempt = 1;
            }
            Action::Send { ty, target } => {
                let identity = self.identity(birth);
                let (ty, slot, matches) = self.event(*ty, &identity);
                let target = target.map(|step| self.built.steps[step]);
                let tick = Tick::Send { from: Some(id), ty, slot, target, matches };
                if let Err(code) = self.tick(tick) {
                    assert_eq!(code, Code::EventNotTaken);
                    self.take_back(slot);
                }
            }
            Action::Write { ty } => {
                let identity = self.identity(birth);
                let (ty, slot, _) = self.event(*ty, &identity);
                self.writing = Some(id.index);
                self.tick(Tick::Write { from: Some(id), ty, slot }).expect("it is at work");
                self.writing = None;
            }
            Action::Fail { until, verdict } => {
                if fiber.attempt <= *until {
                    return self.fail(birth, *verdict);
                }
            }
            Action::Block => drop(self.tick(Tick::Block { invocation: id }).expect("it is at work")),
            Action::Unblock => drop(self.tick(Tick::Unblock { invocation: id }).expect("it is at work")),
            Action::Doze => drop(self.tick(Tick::Doze { invocation: id }).expect("it is at work")),
            Action::Rouse => drop(self.tick(Tick::Rouse { invocation: id }).expect("it is at work")),
            Action::Work { span } => {
                if fiber.state == State::Ready {
                    fiber.state = State::Working(0);
                    let until = self.now + self.span(birth, *span);
                    self.fibers.get_mut(&birth).expect("at work").state = State::Working(until);
                    return;
                }
                fiber.state = State::Ready;
            }
        }
        // Whatever it did may have ended the run.
        if let Some(fiber) = self.fibers.get_mut(&birth) {
            fiber.at += 1;
        }
    }

    fn hear(&mut self, birth: u32, answer: &str) {
        if let Some(fiber) = self.fibers.get_mut(&birth) {
            fiber.hear(answer);
        }
    }

    fn wait(&mut self, birth: u32, ty: Ty, name: Option<Box<str>>, span: Option<u64>, picky: bool) {
        let (invocation, id) = (self.fibers[&birth].id, self.built.types[ty]);
        let claim = self.claim(id, picky);
        let timeout = span.map(|span| Millis(self.span(birth, span)));
        let tick = Tick::Wait { invocation, ty: id, id: name, timeout, predicated: picky, claim };
        let reply = self.tick(tick).expect("it is at work");
        self.asked(birth, None, Some(ty), picky, &reply);
    }

    /// The first kept event that a picky wait takes.
    fn claim(&self, ty: EventTypeId, picky: bool) -> Option<Slot> {
        let kept = self.engine.kept(ty).into_iter().map(|event| event.slot);
        if picky { kept.into_iter().find(|slot| accepts(&self.payload(*slot))) } else { None }
    }

    fn ask(&mut self, birth: u32, ty: Ty, span: Option<u64>, picky: bool) {
        let identity = self.identity(birth);
        let (invocation, wanted) = (self.fibers[&birth].id, self.built.types[ty]);
        let claim = self.claim(wanted, picky);
        let id = Some(format!("ask {}", self.fibers[&birth].at).into_boxed_str());
        let timeout = span.map(|span| Millis(self.span(birth, span)));
        let (question, slot, _) = self.event(ASK, &identity);
        let tick = Tick::Ask { invocation, ty: wanted, id, timeout, predicated: picky, claim, question, slot };
        let reply = self.tick(tick).expect("it is at work");
        self.asked(birth, None, Some(ty), picky, &reply);
    }

    /// Asks for an event and for time; or, when one of them is there, takes it and withdraws the other. Of two the event wins, in every life.
    fn race(&mut self, birth: u32, ty: Ty, span: u64, picky: bool) {
        let fiber = self.fibers.get_mut(&birth).expect("at work");
        let (invocation, at) = (fiber.id, fiber.at);
        if fiber.parts.is_empty() {
            fiber.parts = vec![Part { is_asking: true, ..Part::default() }; 2];
            let delay = Millis(self.span(birth, span));
            let wanted = self.built.types[ty];
            let (id, claim) = (Some(format!("race {at}").into_boxed_str()), self.claim(wanted, picky));
            let tick = Tick::Wait { invocation, ty: wanted, id, timeout: None, predicated: picky, claim };
            let event = self.tick(tick).expect("it is at work");
            self.asked(birth, Some(0), Some(ty), picky, &event);
            let time = self.tick(Tick::Sleep { invocation, delay }).expect("it is at work");
            self.asked(birth, Some(1), None, false, &time);
            let fiber = self.fibers.get_mut(&birth).expect("asking ends nothing");
            for (part, reply) in fiber.parts.iter_mut().zip([event, time]) {
                let TickOutput::Wait(wait) = reply else { panic!("a question is answered with {reply:?}") };
                part.wait = Some(wait);
                if part.is_asking && fiber.state == State::Ready {
                    fiber.state = State::Asking(wait);
                }
            }
            if fiber.parts.iter().any(|part| !part.is_asking) {
                fiber.state = State::Ready;
            }
            return;
        }
        let parts = std::mem::take(&mut fiber.parts);
        let winner = parts.iter().position(|part| !part.is_asking).expect("a handler is ready when one is there");
        fiber.hear(&parts[winner].answers[0]);
        fiber.at += 1;
        let wait = parts[1 - winner].wait.expect("both were asked for");
        self.asked.remove(&wait);
        self.tick(Tick::Withdraw { invocation, wait }).expect("it is at work");
    }

    fn asked(&mut self, birth: u32, part: Option<usize>, ty: Option<Ty>, picky: bool, reply: &TickOutput) {
        let TickOutput::Wait(wait) = *reply else { panic!("a question is answered with {reply:?}") };
        match self.prompt.remove(&wait) {
            Some(answer) => self.deliver(birth, part, &answer),
            None => {
                self.asked.insert(wait, Asked { by: birth, part, ty, picky });
                if part.is_none() {
                    self.fibers.get_mut(&birth).expect("asking ends nothing").state = State::Asking(wait);
                }
            }
        }
    }

    /// Does the next of several things at a time, in an order of this life's.
    fn several(&mut self, birth: u32, types: &[[Ty; 2]]) {
        let lot = self.lot;
        let fiber = self.fibers.get_mut(&birth).expect("at work");
        fiber.parts.resize(types.len(), Part::default());
        if fiber.parts.iter().all(|part| part.answers.len() == 2) {
            let answers: Vec<String> = fiber.parts.drain(..).flat_map(|part| part.answers).collect();
            fiber.hear(&answers.join(" "));
            fiber.at += 1;
            return;
        }
        let can_ask = |nth: &usize| !fiber.parts[*nth].is_asking && fiber.parts[*nth].answers.len() < 2;
        let Some(nth) = (0..types.len()).filter(can_ask).min_by_key(|nth| hash(&(lot, nth))) else {
            fiber.state = State::Several;
            return;
        };
        fiber.parts[nth].is_asking = true;
        let (invocation, second) = (fiber.id, fiber.parts[nth].answers.len());
        let ty = types[nth][second];
        let id = Some(format!("part {nth} {second}").into());
        let tick =
            Tick::Wait { invocation, ty: self.built.types[ty], id, timeout: None, predicated: false, claim: None };
        let reply = self.tick(tick).expect("it is at work");
        self.asked(birth, Some(nth), Some(ty), false, &reply);
    }

    fn once(&mut self, birth: u32, key: &str) {
        let Fiber { id, step, inputs, .. } = self.fibers[&birth].clone();
        let answer = match self.engine.once(id, key) {
            Some(slot) => self.payload(slot),
            None => {
                let what = format!("{key} of {step} for {inputs:?}");
                *self.effects.entry(what.clone()).or_default() += 1;
                let result = format!("result.{:x}", hash(&what));
                let slot = self.put(result.clone());
                self.tick(Tick::Once { invocation: id, key: key.into(), slot }).expect("it is at work");
                result
            }
        };
        self.hear(birth, &answer);
    }

    fn collect(
        &mut self,
        birth: u32,
        ty: Ty,
        expected: &[Ty],
        of: &impl Hash,
        buffer: Option<&str>,
    ) -> Option<Vec<String>> {
        let payload = format!("{}.{:016x}", type_name(ty), hash(of));
        self.collect_payload(birth, ty, expected, payload, buffer)
    }

    fn collect_payload(
        &mut self,
        birth: u32,
        ty: Ty,
        expected: &[Ty],
        payload: String,
        buffer: Option<&str>,
    ) -> Option<Vec<String>> {
        let slot = self.put(payload);
        let expected = expected.iter().map(|ty| self.built.types[*ty]).collect();
        let (invocation, ty) = (self.fibers[&birth].id, self.built.types[ty]);
        let tick = match buffer {
            None => Tick::Collect { invocation, ty, slot, expected },
            Some(buffer) => Tick::CollectInto { invocation, ty, slot, expected, buffer: buffer.into() },
        };
        let reply = self.tick(tick).expect("it is at work");
        let TickOutput::Collected(found) = reply else { panic!("collect answers {reply:?}") };
        found.map(|events| events.iter().map(|event| self.payload(event.slot)).collect())
    }

    /// The attempt is over: nothing that it asked for is of interest any more.
    fn leave(&mut self, birth: u32) -> InvocationId {
        self.asked.retain(|_, asked| asked.by != birth);
        self.fibers.remove(&birth).expect("it is at work").id
    }

    fn fail(&mut self, birth: u32, verdict: Verdict) {
        let identity = self.identity(birth);
        let invocation = self.leave(birth);
        let (ty, slot, _) = self.event(FAILED, &identity);
        self.tick(Tick::Fail { invocation, ty, slot, verdict }).expect("it is at work");
    }

    fn end(&mut self, birth: u32, end: Option<End>) {
        let identity = self.identity(birth);
        let invocation = self.leave(birth);
        if let Some(End::List(types)) = end {
            let events = types.iter().zip(0u32..).map(|(ty, nth)| (nth, self.event(*ty, &(&identity, nth))));
            let events: Vec<_> = events.collect();
            let outputs = events.iter().map(|(_, (ty, slot, _))| (*ty, *slot)).collect();
            let matches =
                events.into_iter().flat_map(|(nth, (.., waits))| waits.into_iter().map(move |wait| (nth, wait)));
            let tick = Tick::CompleteList { invocation, outputs, matches: matches.collect() };
            self.tick(tick).expect("it is at work");
            return;
        }
        let (output, matches) = match end {
            Some(End::Return(ty)) => {
                let (ty, slot, matches) = self.event(ty, &identity);
                (Some((ty, slot)), matches)
            }
            _ => (None, Vec::new()),
        };
        self.tick(Tick::Complete { invocation, output, matches }).expect("it is at work");
    }
}
