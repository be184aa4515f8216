//! The cost of a tick depends neither on history nor on what is pending. Measured as a ratio: the same ticks in a run
//! with little and with five hundred times as much. Linear cost would show as a factor of some hundreds, so a bound of
//! fifty is safe on a machine that is busy.
mod engine_kit;

use std::time::{Duration, Instant};

use engine_kit::{Flow, takes};
use stepstream::engine::{
    Command, Engine, EventTypeId, InvocationId, Limits, Millis, RunOptions, Slot, Step, StepId, Tick,
};

const LITTLE: usize = 100;
const MUCH: usize = 50_000;
const TICKS: usize = 200;
const BOUND: u32 = 50;

/// An engine with the least of a host: free slots and the attempts that run.
struct Bare {
    engine: Engine,
    free: Vec<Slot>,
    next: u32,
    begun: Vec<(StepId, InvocationId)>,
}

impl Bare {
    fn new(flow: Flow, options: RunOptions) -> Bare {
        let start = flow.start;
        let engine = flow.ready(options).engine;
        let mut bare = Bare { engine, free: Vec::new(), next: 0, begun: Vec::new() };
        let slot = bare.slot();
        bare.tick(Tick::Start { ty: start, slot });
        bare
    }

    fn slot(&mut self) -> Slot {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            Slot(self.next - 1)
        })
    }

    fn tick(&mut self, tick: Tick) {
        self.engine.apply(tick, Millis(0)).expect("the tick fits");
        for command in self.engine.drain() {
            match command {
                Command::Release { slot } => self.free.push(slot),
                Command::Invoke { step, invocation, .. } => self.begun.push((step, invocation)),
                _ => {}
            }
        }
    }

    fn send(&mut self, ty: EventTypeId) {
        let slot = self.slot();
        self.tick(Tick::Send { from: None, ty, slot, target: None, matches: Vec::new() });
    }

    fn complete(&mut self, invocation: InvocationId, output: Option<EventTypeId>) {
        let output = output.map(|ty| (ty, self.slot()));
        self.tick(Tick::Complete { invocation, output, matches: Vec::new() });
    }

    fn wait(&mut self, invocation: InvocationId, ty: EventTypeId, timeout: Option<u64>, predicated: bool) {
        let timeout = timeout.map(Millis);
        self.tick(Tick::Wait { invocation, ty, id: None, timeout, predicated, claim: None });
    }

    /// An attempt of the step that was begun last.
    fn last(&self) -> InvocationId {
        self.begun.last().expect("one was begun").1
    }
}

/// A run in which events of `work` bring about `work`, with a step that gathers and a step of one worker.
struct Busy {
    run: Bare,
    work: EventTypeId,
    held: EventTypeId,
    other: EventTypeId,
    joined: EventTypeId,
    queued: EventTypeId,
    first: InvocationId,
}

fn busy() -> Busy {
    let mut flow = Flow::new();
    let [work, held, other, joined, queued] = [0; 5].map(|_| flow.event());
    let (start, human) = (flow.start, flow.human);
    flow.step(&[start], &[]);
    flow.step(&[work], &[work]);
    flow.step(&[joined, other], &[]);
    flow.add(Step { workers: Some(1), ..takes(&[queued], &[]) });
    flow.step(&[human], &[]);
    let limits = Limits { kept_events: u32::MAX, ..Limits::default() };
    let run = Bare::new(flow, RunOptions { limits, ..RunOptions::default() });
    let first = run.last();
    Busy { run, work, held, other, joined, queued, first }
}

/// Ticks of all the usual kinds. They leave the run as it was.
fn usual(at: &mut Busy) {
    for _ in 0..TICKS {
        at.run.send(at.work);
        let (nth, invocation) = (at.run.begun.len(), at.run.last());
        at.run.complete(invocation, Some(at.work));
        let next = at.run.last();
        at.run.complete(next, None);
        at.run.begun.truncate(nth - 1);
    }
}

fn fastest(mut work: impl FnMut()) -> Duration {
    let time = |work: &mut dyn FnMut()| {
        let begin = Instant::now();
        work();
        begin.elapsed()
    };
    (0..7).map(|_| time(&mut work)).min().expect("there are seven")
}

/// Compares the usual ticks in a run with little and in one with much.
fn compare(what: &str, fill: impl Fn(&mut Busy)) {
    let measure = |amount: usize| {
        let mut at = busy();
        for _ in 0..amount {
            fill(&mut at);
        }
        fastest(|| usual(&mut at))
    };
    let (little, much) = (measure(LITTLE), measure(MUCH));
    assert!(much < little * BOUND, "with {MUCH} {what} {TICKS} ticks take {much:?}, with {LITTLE} {little:?}");
}

#[test]
fn a_tick_costs_the_same_whatever_was_before() {
    compare("finished invocations", |at| {
        at.run.send(at.work);
        let last = at.run.last();
        at.run.complete(last, None);
        at.run.begun.pop();
    });
}

#[test]
fn a_tick_costs_the_same_whatever_is_pending() {
    compare("running attempts", |at| at.run.send(at.work));
    compare("queued events", |at| at.run.send(at.queued));
    compare("kept events", |at| at.run.send(at.held));
    compare("events at a join", |at| at.run.send(at.joined));
    compare("open waits", |at| at.run.wait(at.first, at.held, None, false));
    compare("open waits with conditions", |at| at.run.wait(at.first, at.held, None, true));
    compare("deadlines", |at| at.run.wait(at.first, at.held, Some(1000), false));
    compare("events of a collection", |at| {
        let slot = at.run.slot();
        let (ty, invocation, expected) = (at.other, at.first, vec![at.other, at.held]);
        at.run.tick(Tick::Collect { invocation, ty, slot, expected });
    });
    let nth = std::cell::Cell::new(0);
    compare("buffers of collections", |at| {
        let slot = at.run.slot();
        let (ty, invocation, expected) = (at.other, at.first, vec![at.other, at.held]);
        let buffer = format!("request {}", nth.replace(nth.get() + 1)).into();
        at.run.tick(Tick::CollectInto { invocation, ty, slot, expected, buffer });
    });
}

#[test]
fn what_is_pending_is_worked_off_at_the_same_cost() {
    // Each takes one of the pending things away and puts another there.
    let compare = |what: &str, fill: &dyn Fn(&mut Busy), turn: &dyn Fn(&mut Busy)| {
        let measure = |amount: usize| {
            let mut at = busy();
            (0..amount).for_each(|_| fill(&mut at));
            fastest(|| (0..TICKS).for_each(|_| turn(&mut at)))
        };
        let (little, much) = (measure(LITTLE), measure(MUCH));
        assert!(much < little * BOUND, "with {MUCH} {what} {TICKS} turns take {much:?}, with {LITTLE} {little:?}");
    };
    compare("queued events", &|at| at.run.send(at.queued), &|at| {
        at.run.send(at.queued);
        let last = at.run.last();
        at.run.complete(last, None);
    });
    compare("kept events", &|at| at.run.send(at.held), &|at| {
        at.run.send(at.held);
        at.run.wait(at.first, at.held, None, false);
    });
    compare("open waits", &|at| at.run.wait(at.first, at.held, None, false), &|at| {
        at.run.wait(at.first, at.held, None, false);
        at.run.send(at.held);
    });
    compare("events at a join", &|at| at.run.send(at.joined), &|at| {
        at.run.send(at.joined);
        at.run.send(at.other);
        let last = at.run.last();
        at.run.complete(last, None);
    });
}

#[test]
fn a_branch_costs_the_same_however_large_its_array_is_and_however_many_there_are() {
    // A branch of one of the arrays ends in an event that is gathered; so the list grows, and the array shrinks.
    let measure = |arrays: usize, members: usize| {
        let mut flow = Flow::new();
        let (start, page, text) = (flow.start, flow.event(), flow.event());
        let (fan, other) = (flow.event(), flow.step(&[start], &[]));
        let split = flow.step(&[fan], &[page]);
        let read = flow.step(&[page], &[text]);
        flow.collect(text, None, &[]);
        let mut run = Bare::new(flow, RunOptions::default());
        assert_eq!(run.begun.pop().map(|(step, _)| step), Some(other));
        for _ in 0..arrays {
            run.send(fan);
            let Some((step, invocation)) = run.begun.pop() else { panic!("it is begun") };
            assert_eq!(step, split);
            let outputs = (0..members).map(|_| (page, run.slot())).collect();
            run.tick(Tick::CompleteList { invocation, outputs, matches: Vec::new() });
        }
        assert!(run.begun.iter().all(|(step, _)| *step == read));
        fastest(|| {
            for _ in 0..TICKS {
                let Some((_, invocation)) = run.begun.pop() else { panic!("one is at work") };
                run.complete(invocation, Some(text));
            }
        })
    };
    let little = measure(1, 20 * LITTLE);
    for much in [measure(1, MUCH), measure(MUCH / 20, 20)] {
        assert!(much < little * BOUND, "{TICKS} branches take {much:?} among many, {little:?} among few");
    }
}
