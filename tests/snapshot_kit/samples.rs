//! One run for each kind of state that a run can be in: small, and always the same. The golden files are of these: a sample is not changed, but
//! another one may be added.

use stepstream::engine::{Limits, Millis, RetryPolicy, Stop, Tick, Verdict, Wait};

use super::{Action, Blueprint, End, HUMAN, Op, PLAIN, START, STOP, Sim, StepSpec, Ty};

const A: Ty = PLAIN;
const B: Ty = PLAIN + 1;
const C: Ty = PLAIN + 2;

/// A run in a certain state, with its journal.
pub struct Sample {
    pub name: &'static str,
    pub plan: Blueprint,
    pub sim: Sim,
}

/// What is done to a run before it is a sample.
enum Setup {
    Begin,
    /// The handlers go on as far as they can, the oldest first.
    Settle,
    /// Time goes by.
    Pass(u64),
    Send(Ty),
    Tick(Tick),
    /// The run is recovered from a snapshot, and its handlers are where they were.
    Recover,
}

use Setup::{Begin, Pass, Recover, Send, Settle};

fn step(inputs: &[Ty], program: &[Action], end: End) -> StepSpec {
    let inputs = inputs.iter().map(|ty| vec![*ty]).collect();
    StepSpec { inputs, program: program.to_vec(), end: Some(end), ..StepSpec::default() }
}

/// A step that gathers.
fn gathering(ty: Ty, take: Option<u32>, end: End) -> StepSpec {
    StepSpec { collect: Some(take), ..step(&[ty], &[Action::Sleep { span: 1 << 30 }], end) }
}

fn send(ty: Ty) -> Action {
    Action::Send { ty, target: None }
}

fn wait(ty: Ty) -> Action {
    Action::Wait { ty, named: false, span: None, picky: false }
}

fn failing(until: u32, pause: u64, most: u32, program: &[Action], end: End) -> StepSpec {
    let retry = Some(RetryPolicy { wait: Wait::Fixed(Millis(pause)), stop: Stop::Attempts(most) });
    let mut program = program.to_vec();
    program.push(Action::Fail { until, verdict: Verdict::Policy });
    StepSpec { retry, ..step(&[START], &program, end) }
}

/// Three types, of which the third is a kind of the first; a step takes what a person answers.
fn open(steps: Vec<StepSpec>) -> Blueprint {
    let mut plan = closed(steps);
    plan.steps.push(step(&[HUMAN], &[], End::Nothing));
    plan
}

fn closed(steps: Vec<StepSpec>) -> Blueprint {
    Blueprint { parents: vec![None, None, Some(A)], steps, ..Blueprint::default() }
}

fn sample(name: &'static str, mut plan: Blueprint, setup: &[Setup]) -> Sample {
    plan.options.seed = 42;
    let mut sim = Sim::new(&plan).with_journal();
    for action in setup {
        match action {
            Begin => sim.begin(),
            Settle => sim.settle(),
            Pass(span) => sim.pass(*span),
            Send(ty) => drop(sim.act(&Op::Outside { ty: *ty, target: None, nth: sim.ticks as u32 })),
            Setup::Tick(tick) => drop(sim.tick(tick.clone()).expect("samples are well made")),
            Recover => {
                sim = sim.restored(super::Order::Given, false).expect("what was written can be read");
                sim.resume();
                sim.settle();
            }
        }
        sim.check();
    }
    Sample { name, plan, sim }
}

/// All of them.
pub fn samples() -> Vec<Sample> {
    let fan = || step(&[START], &[send(A), send(A), send(A), wait(HUMAN)], End::Nothing);
    let ask = |named, span, picky| Action::Wait { ty: B, named, span, picky };
    let mut timed = open(vec![step(&[START], &[wait(A)], End::Return(STOP))]);
    timed.options.timeout = Some(Millis(60_000));
    let mut limited = closed(vec![step(&[START], &[send(A)], End::Nothing), step(&[A], &[], End::Return(A))]);
    limited.options.limits = Limits { steps: 4, ..Limits::default() };
    let worker = || StepSpec { workers: Some(1), ..step(&[A], &[wait(B)], End::Return(C)) };
    let once = [Action::Once { key: 0 }, Action::Once { key: 1 }, send(B), Action::Write { ty: C }, send(B), wait(A)];
    let mut second_attempt = failing(1, 700, 3, &[wait(A)], End::Return(B));
    second_attempt.program.push(wait(C));
    let handler = StepSpec { handler: Some((None, 3)), ..step(&[], &[wait(B)], End::Return(STOP)) };
    let race = |ty, span| Action::Race { ty, span, picky: false };
    let collect = |expected: &[Ty]| Action::Collect { ty: A, expected: expected.to_vec() };
    let into = |buffer, expected: &[Ty]| Action::CollectInto { ty: A, expected: expected.to_vec(), buffer };
    vec![
        sample("created", timed.clone(), &[]),
        sample("at-work", closed(vec![fan(), worker()]), &[Begin, Settle]),
        sample(
            "half-full-join",
            closed(vec![fan(), step(&[A, B, A], &[], End::Return(STOP))]),
            &[Begin, Settle, Send(C), Send(A)],
        ),
        sample(
            "open-waits",
            open(vec![
                step(&[START], &[ask(false, None, false)], End::Nothing),
                step(&[START], &[ask(true, Some(9000), false)], End::Nothing),
                step(&[START], &[ask(true, None, true)], End::Nothing),
            ]),
            &[Begin, Settle, Pass(3)],
        ),
        sample(
            "received",
            open(vec![step(&[START], &[wait(A), wait(A), wait(B)], End::Return(STOP))]),
            &[Begin, Send(A), Settle, Send(C), Settle],
        ),
        sample(
            "asleep",
            open(vec![step(
                &[START],
                &[Action::Sleep { span: 10 }, Action::Sleep { span: 1 << 40 }],
                End::Return(STOP),
            )]),
            &[Begin, Settle, Pass(20)],
        ),
        sample(
            "between-attempts",
            open(vec![failing(2, 700, 3, &[wait(A)], End::Return(STOP))]),
            &[Begin, Send(A), Settle, Pass(100)],
        ),
        sample("second-attempt", open(vec![second_attempt]), &[Begin, Send(A), Settle, Pass(700)]),
        sample(
            "half-full-collections",
            closed(vec![fan(), step(&[A], &[collect(&[A, A, B, C])], End::Nothing)]),
            &[Begin, Settle],
        ),
        sample("once-and-sent", open(vec![step(&[START], &once, End::Return(STOP))]), &[Begin, Settle]),
        sample(
            "kept-events",
            open(vec![step(&[START], &[wait(HUMAN)], End::Nothing)]),
            &[Begin, Settle, Send(A), Send(B), Send(C), Send(A)],
        ),
        sample("failure-handled", closed(vec![failing(9, 0, 1, &[], End::Nothing), handler]), &[Begin, Settle]),
        sample("completed", closed(vec![step(&[START], &[], End::Return(STOP))]), &[Begin, Settle]),
        sample(
            "step-failed",
            open(vec![failing(9, 0, 2, &[Action::Once { key: 7 }, wait(A)], End::Nothing), fan()]),
            &[Begin, Send(A), Settle],
        ),
        sample("timed-out", timed.clone(), &[Begin, Settle, Pass(60_000)]),
        sample("cancelled", timed.clone(), &[Begin, Settle, Setup::Tick(Tick::Cancel)]),
        sample("stalled", closed(vec![step(&[START], &[send(A)], End::Nothing)]), &[Begin, Settle]),
        sample("limit-reached", limited, &[Begin, Settle]),
        sample("second-life", timed, &[Begin, Settle, Pass(10_000), Recover, Send(B), Pass(5)]),
        sample(
            "withdrawn",
            open(vec![step(&[START], &[race(A, 9), send(A), wait(B)], End::Return(STOP))]),
            &[Begin, Settle, Pass(20), Settle],
        ),
        sample(
            "withdrawn-sleep",
            open(vec![step(&[START], &[race(A, 1 << 40), wait(B)], End::Return(STOP))]),
            &[Begin, Settle, Send(A), Settle, Recover],
        ),
        sample(
            "asked",
            open(vec![failing(1, 700, 3, &[Action::Ask { ty: A, span: None, picky: true }], End::Return(STOP))]),
            &[Begin, Settle, Send(A), Send(A), Settle, Pass(100)],
        ),
        sample(
            "lists",
            closed(vec![
                step(&[START], &[], End::List(&[A, A, B])),
                step(&[A], &[Action::Once { key: 1 }], End::List(&[B, B])),
                StepSpec { workers: Some(1), ..step(&[B], &[wait(C)], End::Return(C)) },
                gathering(B, Some(2), End::Return(C)),
                gathering(C, None, End::Return(STOP)),
            ]),
            &[Begin, Settle, Send(C), Settle],
        ),
        sample(
            "lists-at-work",
            closed(vec![
                step(&[START], &[], End::List(&[A, A])),
                step(&[A], &[], End::List(&[])),
                step(&[A, B], &[], End::Return(C)),
                StepSpec { workers: Some(1), ..gathering(B, None, End::Return(C)) },
                gathering(C, None, End::Return(STOP)),
            ]),
            &[Begin, Settle],
        ),
        sample(
            "written",
            open(vec![failing(1, 700, 3, &[Action::Write { ty: C }], End::Return(STOP)), fan()]),
            &[Begin, Settle, Pass(100)],
        ),
        sample(
            "buffers",
            closed(vec![
                fan(),
                step(
                    &[A],
                    &[collect(&[A, A, A, B]), into("a", &[A, A, A, B]), into("b", &[A, A]), into("a", &[B, C])],
                    End::Nothing,
                ),
            ]),
            &[Begin, Settle],
        ),
    ]
}
