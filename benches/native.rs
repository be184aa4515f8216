//! The engine alone, without JavaScript and without wasm: what a tick costs natively, so that the price of the
//! boundary and of the promises can be separated from the engine's own. `cargo bench --bench native` prints a table, and
//! with `-- --json` one line of JSON (nanoseconds per tick).
//!
//! The host here does the least that a host must: payloads in a vector of slots, invocations in a queue. A plain timing
//! loop is enough, because what is looked for is a factor, not a percent; each figure is the median of several runs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

use stepstream::engine::{
    Command, Engine, EventTypeId, Graph, InvocationId, Limits, Millis, Outcome, Role, RunOptions, Slot, Status, Step,
    StepId, Tick,
};

/// Runs until this many ticks have been timed, and at least three times.
const TICKS: usize = 3_000_000;

/// Payloads by slot, and the invocations that the engine has asked for.
#[derive(Default)]
struct Host {
    payloads: Vec<u64>,
    free: Vec<Slot>,
    queue: VecDeque<(StepId, InvocationId, u64)>,
    result: Option<u64>,
    ticks: usize,
}

impl Host {
    fn put(&mut self, payload: u64) -> Slot {
        if let Some(slot) = self.free.pop() {
            self.payloads[slot.index()] = payload;
            return slot;
        }
        self.payloads.push(payload);
        Slot(self.payloads.len() as u32 - 1)
    }

    fn tick(&mut self, engine: &mut Engine, tick: Tick) {
        self.ticks += 1;
        engine.apply(tick, Millis(0)).expect("the benchmark sends only ticks that the engine takes");
        for command in engine.drain() {
            match command {
                Command::Invoke { step, invocation, inputs, .. } => {
                    let sum = inputs.iter().map(|slot| self.payloads[slot.index()]).sum();
                    self.queue.push_back((step, invocation, sum));
                }
                Command::Release { slot } => self.free.push(slot),
                Command::Settle { outcome: Outcome::Completed(slot) } => {
                    self.result = Some(self.payloads[slot.index()]);
                }
                other => {
                    black_box(other);
                }
            }
        }
    }

    fn send(&mut self, engine: &mut Engine, from: InvocationId, ty: EventTypeId, payload: u64) {
        let slot = self.put(payload);
        self.tick(engine, Tick::Send { from: Some(from), ty, slot, target: None, matches: Vec::new() });
    }

    fn complete(&mut self, engine: &mut Engine, invocation: InvocationId, output: Option<(EventTypeId, u64)>) {
        let output = output.map(|(ty, payload)| (ty, self.put(payload)));
        self.tick(engine, Tick::Complete { invocation, output, matches: Vec::new() });
    }
}

/// A graph of events `start`, `work`, `done`, `other` and `stop`, with the steps that a case adds.
struct Case {
    graph: Rc<RefCell<Graph>>,
    start: EventTypeId,
    work: EventTypeId,
    done: EventTypeId,
    other: EventTypeId,
    stop: EventTypeId,
}

impl Case {
    fn new(steps: impl FnOnce(&Case) -> Vec<Step>) -> Case {
        let mut graph = Graph::new();
        let mut ty = |role| graph.add_type(role, &[]).expect("it has no parents that could be missing");
        let (start, work, done) = (ty(Role::Start), ty(Role::Plain), ty(Role::Plain));
        let (other, stop) = (ty(Role::Plain), ty(Role::Stop));
        let case = Case { graph: Rc::new(RefCell::new(graph)), start, work, done, other, stop };
        for step in steps(&case) {
            case.graph.borrow_mut().add_step(step).expect("the benchmark's steps are well formed");
        }
        case
    }

    /// One run; `step` carries out an invocation. Gives the number of ticks.
    fn run(&self, input: u64, expected: u64, mut step: impl FnMut(&mut Host, &mut Engine, Invoked)) -> usize {
        let options = RunOptions { seed: 0, timeout: Some(Millis(60_000)), limits: Limits::default() };
        let mut engine = Engine::new(Rc::clone(&self.graph), options);
        let mut host = Host::default();
        let slot = host.put(input);
        host.tick(&mut engine, Tick::Start { ty: self.start, slot });
        while let Some((id, invocation, payload)) = host.queue.pop_front() {
            step(&mut host, &mut engine, Invoked { step: id.0, invocation, payload });
        }
        assert!(matches!(engine.status(), Status::Ended(_)), "the run did not end");
        assert_eq!(host.result, Some(expected), "the run came to a wrong result");
        host.ticks
    }
}

struct Invoked {
    step: u32,
    invocation: InvocationId,
    payload: u64,
}

fn one(inputs: &[EventTypeId], outputs: &[EventTypeId]) -> Step {
    Step { inputs: inputs.iter().map(|ty| vec![*ty]).collect(), outputs: Some(outputs.to_vec()), ..Step::default() }
}

fn chain(n: u64) -> usize {
    let case = Case::new(|case| vec![one(&[case.start], &[case.work]), one(&[case.work], &[case.work, case.stop])]);
    case.run(n, 0, |host, engine, Invoked { invocation, payload, .. }| {
        let output = if payload == 0 { (case.stop, 0) } else { (case.work, payload - 1) };
        host.complete(engine, invocation, Some(output));
    })
}

/// n items at once, at most `workers` of them in work, added up by a last step.
fn fan_out(n: u64, workers: Option<u32>) -> usize {
    let case = Case::new(|case| {
        let worker = Step { workers, ..one(&[case.work], &[case.done]) };
        vec![one(&[case.start], &[case.work]), worker, one(&[case.done], &[case.stop])]
    });
    let (mut left, mut sum) = (n, 0);
    case.run(n, n * (n - 1), |host, engine, Invoked { step, invocation, payload }| match step {
        0 => {
            (0..n).for_each(|i| host.send(engine, invocation, case.work, i));
            host.complete(engine, invocation, None);
        }
        1 => host.complete(engine, invocation, Some((case.done, payload * 2))),
        _ => {
            left -= 1;
            sum += payload;
            host.complete(engine, invocation, (left == 0).then_some((case.stop, sum)));
        }
    })
}

/// n pairs of events, joined by a step with two inputs; all of the first kind come before all of the second.
fn join(n: u64) -> usize {
    let case = Case::new(|case| {
        vec![one(&[case.start], &[case.done, case.other]), one(&[case.done, case.other], &[case.stop])]
    });
    let mut left = n;
    case.run(n, n, |host, engine, Invoked { step, invocation, payload }| {
        if step == 0 {
            (0..n).for_each(|i| host.send(engine, invocation, case.done, i));
            (0..n).for_each(|i| host.send(engine, invocation, case.other, n - i));
            return host.complete(engine, invocation, None);
        }
        assert_eq!(payload, n, "events of different pairs were joined");
        left -= 1;
        host.complete(engine, invocation, (left == 0).then_some((case.stop, n)));
    })
}

/// n runs of one step, from nothing to settled.
fn runs(n: u64) -> usize {
    let case = Case::new(|case| vec![one(&[case.start], &[case.stop])]);
    let run = |i| {
        case.run(i, i + 1, |host, engine, Invoked { invocation, payload, .. }| {
            host.complete(engine, invocation, Some((case.stop, payload + 1)));
        })
    };
    (0..n).map(run).sum()
}

/// Nanoseconds per tick: the median of several runs after one that warms the caches.
fn measure(work: impl Fn() -> usize) -> f64 {
    let ticks = work();
    let samples = (TICKS / ticks).clamp(3, 200);
    let mut costs: Vec<f64> = (0..samples)
        .map(|_| {
            let start = Instant::now();
            let ticks = black_box(work());
            start.elapsed().as_nanos() as f64 / ticks as f64
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}

fn main() {
    const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
    type Work = fn(u64) -> usize;
    let cases: [(&str, Work); 5] = [
        ("chain", chain),
        ("fan-out", |n| fan_out(n, None)),
        ("fan-out, 8 workers", |n| fan_out(n, Some(8))),
        ("join of two", join),
        ("runs of one step", runs),
    ];
    let rows = cases.map(|(name, work)| (name, SIZES.map(|n| measure(|| work(n)))));
    if std::env::args().any(|arg| arg == "--json") {
        let fields = rows.map(|(name, costs)| format!("{name:?}:{costs:?}"));
        println!("{{{}}}", fields.join(","));
        return;
    }
    println!("{:20}{}", "ns per tick, n =", SIZES.map(|n| format!("{n:>12}")).concat());
    for (name, costs) in rows {
        println!("{name:20}{}", costs.map(|ns| format!("{ns:>12.1}")).concat());
    }
}
