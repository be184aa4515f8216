//! What happens to a run between the moment when it is recovered and the moment when its steps are where they were: case by case, what users may
//! rely on.
mod snapshot_kit;

use snapshot_kit::{Action, Blueprint, End, HUMAN, Op, Order, PLAIN, START, STOP, Sim, StepSpec, Ty};
use stepstream::engine::{Limits, Millis, Outcome, RetryPolicy, RunOptions, Status, Stop, Tick, Verdict, Wait};
use stepstream::error::Code;
use stepstream::snapshot::container;

const A: Ty = PLAIN;
const B: Ty = PLAIN + 1;

fn wait(ty: Ty) -> Action {
    Action::Wait { ty, named: false, span: None, picky: false }
}

fn picky(ty: Ty) -> Action {
    Action::Wait { ty, named: false, span: None, picky: true }
}

fn step(inputs: &[Ty], program: &[Action], end: End) -> StepSpec {
    let inputs = inputs.iter().map(|ty| vec![*ty]).collect();
    StepSpec { inputs, program: program.to_vec(), end: Some(end), ..StepSpec::default() }
}

/// Two types, and steps; a step takes what a person answers, so that no run is stalled.
fn workflow(steps: &[StepSpec]) -> Blueprint {
    let mut steps = steps.to_vec();
    steps.push(step(&[HUMAN], &[], End::Nothing));
    Blueprint { parents: vec![None; 2], steps, ..Blueprint::default() }
}

/// A workflow whose first step does this and returns the result.
fn doing(program: &[Action]) -> Blueprint {
    workflow(&[step(&[START], program, End::Return(STOP))])
}

/// A run that has come as far as it can without time.
fn run(plan: &Blueprint) -> Sim {
    let mut sim = Sim::new(plan);
    sim.begin();
    sim.settle();
    sim
}

/// Recovered; the handlers have been called and have done nothing yet.
fn resumed(sim: &Sim) -> Sim {
    let mut sim = sim.restored(Order::Mixed, false).expect("what was written can be read");
    sim.resume();
    sim
}

fn send(sim: &mut Sim, ty: Ty, nth: u32) {
    sim.act(&Op::Outside { ty, target: None, nth });
}

fn deadlines(sim: &Sim) -> Vec<u64> {
    let mut deadlines: Vec<u64> = sim.timers.values().copied().collect();
    deadlines.sort_unstable();
    deadlines
}

#[test]
fn time_stands_still_in_a_snapshot() {
    let napping = step(&[START], &[Action::Sleep { span: 5000 }], End::Nothing);
    let waiting = step(&[START], &[Action::Wait { ty: A, named: false, span: Some(5000), picky: false }], End::Nothing);
    let retry = RetryPolicy { wait: Wait::Fixed(Millis(3000)), stop: Stop::Never };
    let failing = [Action::Fail { until: 1, verdict: Verdict::Policy }];
    let failing = StepSpec { retry: Some(retry), ..step(&[START], &failing, End::Nothing) };
    let mut plan = workflow(&[napping, waiting, failing]);
    plan.options.timeout = Some(Millis(60_000));
    let mut sim = run(&plan);
    sim.pass(1);
    let before = deadlines(&sim);
    assert_eq!(before.len(), 4);
    let mut later = resumed(&sim);
    assert_eq!((later.now, deadlines(&later)), (sim.now, before.clone()));
    later.settle();
    assert_eq!(deadlines(&later), before, "asking again begins nothing anew");
}

#[test]
fn sleeps_that_end_at_one_time_end_in_the_order_in_which_they_began() {
    let fan = [Action::Send { ty: A, target: None }, Action::Send { ty: A, target: None }];
    let fan = step(&[START], &fan, End::Nothing);
    let plan =
        workflow(&[fan, step(&[A], &[Action::Sleep { span: 1 }, Action::Send { ty: B, target: None }], End::Nothing)]);
    let ends = |mut sim: Sim| {
        sim.settle();
        sim.pass(1);
        sim.stream
    };
    let straight = ends(run(&plan));
    assert_eq!(straight.len(), 5);
    assert_eq!(ends(resumed(&resumed(&run(&plan)))), straight);
}

#[test]
fn an_event_that_comes_before_the_step_has_asked_again_is_for_the_step() {
    let plan = doing(&[wait(A)]);
    let mut sim = resumed(&run(&plan));
    send(&mut sim, A, 0);
    assert_eq!(sim.engine.kept(sim.built.types[A]).len(), 0);
    // Not even another recovery loses it.
    let mut sim = resumed(&sim);
    sim.settle();
    assert!(sim.result.is_some());
}

#[test]
fn an_event_for_a_condition_that_is_not_there_yet_is_kept() {
    let plan = doing(&[picky(A)]);
    let mut sim = resumed(&run(&plan));
    for nth in 0..9 {
        send(&mut sim, A, nth);
    }
    assert_eq!(sim.engine.kept(sim.built.types[A]).len(), 9);
    sim.settle();
    assert!(sim.result.is_some(), "one of nine will do");
}

#[test]
fn a_run_that_keeps_nothing_keeps_what_a_condition_may_be_waiting_for() {
    let mut plan = doing(&[picky(A)]);
    plan.options.limits.kept_events = 0;
    let mut sim = run(&plan);
    send(&mut sim, B, 0);
    assert_eq!(sim.engine.all_kept().count(), 0);
    let mut sim = resumed(&sim);
    for nth in 0..9 {
        send(&mut sim, A, nth);
        send(&mut sim, B, nth);
    }
    assert_eq!(sim.engine.all_kept().count(), 9, "no step waits for the others");
    sim.settle();
    assert!(sim.result.is_some());
}

#[test]
fn what_was_at_work_begins_again_in_the_order_of_age() {
    let [a, b] = [A, B].map(|ty| step(&[ty], &[wait(HUMAN)], End::Nothing));
    let first = [B, A, B, A].map(|ty| Action::Send { ty, target: None });
    let sim = run(&workflow(&[a, b, step(&[START], &first, End::Nothing)]));
    let mut later = sim.restored(Order::Given, false).unwrap();
    later.tick(Tick::Resume).unwrap();
    let steps = |sim: &Sim| sim.begun.iter().map(|(step, inputs)| (*step, inputs.clone())).collect::<Vec<_>>();
    assert_eq!(steps(&later), steps(&sim)[1..], "all but the first step, which is over");
}

#[test]
fn an_event_that_a_step_takes_does_not_wait_for_a_condition_that_is_not_there_yet() {
    let plan = workflow(&[step(&[START], &[picky(A)], End::Return(STOP)), step(&[A], &[], End::Nothing)]);
    let all = |sim: &mut Sim| {
        for nth in 0..9 {
            send(sim, A, nth);
            sim.settle();
        }
    };
    let mut sim = run(&plan);
    all(&mut sim);
    assert!(sim.result.is_some());
    let mut sim = resumed(&run(&plan));
    let first = sim.ready()[0];
    for nth in 0..9 {
        send(&mut sim, A, nth);
    }
    sim.perform(first);
    assert!(sim.result.is_none(), "as if the step had asked later in the first place");
    sim.settle();
    all(&mut sim);
    assert!(sim.result.is_some());
}

#[test]
fn whether_any_event_will_do_is_for_the_handler_that_runs_now_to_say() {
    let (plain, choosy) = (doing(&[wait(A)]), doing(&[picky(A)]));
    let takes_one = |mut sim: Sim, nth| {
        send(&mut sim, A, nth);
        sim.settle();
        sim.result.is_some()
    };
    let refused = (0..).find(|nth| !takes_one(run(&choosy), *nth)).expect("not any event will do");
    let over = |before: &Blueprint, now: &Blueprint| {
        let mut sim = run(before).restored_for(now).expect("the steps take the same");
        sim.resume();
        sim.settle();
        takes_one(sim, refused)
    };
    assert!(over(&choosy, &plain));
    assert!(!over(&plain, &choosy));
}

#[test]
fn the_time_of_an_attempt_begins_anew() {
    let program = [Action::Hang];
    let plan = workflow(&[StepSpec { timeout: Some(1000), ..step(&[START], &program, End::Nothing) }]);
    let mut sim = run(&plan);
    sim.pass(900);
    let mut sim = resumed(&sim);
    sim.settle();
    sim.pass(900);
    assert_eq!(sim.outcome, None);
    sim.pass(100);
    sim.settle();
    assert!(matches!(sim.outcome, Some(Outcome::StepFailed { .. })));
}

#[test]
fn a_policy_that_stops_after_a_time_counts_from_the_first_attempt_of_all_lives() {
    let stop = Stop::Delay(Millis(1000));
    let retry = Some(RetryPolicy { wait: Wait::Fixed(Millis(0)), stop });
    let program = [wait(A), Action::Fail { until: 9, verdict: Verdict::Policy }];
    let plan = workflow(&[StepSpec { retry, ..step(&[START], &program, End::Nothing) }]);
    let mut sim = run(&plan);
    sim.pass(1000);
    let mut sim = resumed(&sim);
    send(&mut sim, A, 0);
    sim.settle();
    assert!(matches!(sim.outcome, Some(Outcome::StepFailed { .. })), "the time was over at the first failure");
}

#[test]
fn what_failed_for_good_is_tried_again_from_the_first_attempt() {
    let retry = Some(RetryPolicy { wait: Wait::Fixed(Millis(0)), stop: Stop::Attempts(2) });
    let fails = Action::Fail { until: 9, verdict: Verdict::Policy };
    let program = [Action::Once { key: 0 }, wait(A), Action::Send { ty: B, target: None }, fails];
    let failing = workflow(&[StepSpec { retry: retry.clone(), ..step(&[START], &program, End::Return(STOP)) }]);
    let repaired = workflow(&[StepSpec { retry, ..step(&[START], &program[..3], End::Return(STOP)) }]);
    let mut sim = run(&failing);
    send(&mut sim, A, 0);
    sim.settle();
    assert!(matches!(sim.outcome, Some(Outcome::StepFailed { .. })));
    let sent = sim.stream.len();
    let mut again = sim.restored_for(&failing).unwrap();
    again.resume();
    let attempts: Vec<u32> = again.fibers.values().map(|fiber| fiber.attempt).collect();
    assert_eq!(attempts, [1]);
    again.settle();
    assert!(matches!(again.outcome, Some(Outcome::StepFailed { .. })));
    let mut fixed = sim.restored_for(&repaired).unwrap();
    fixed.resume();
    fixed.settle();
    assert!(fixed.result.is_some(), "it was handed the event that it had received");
    assert_eq!(fixed.stream.len(), sent + 2, "each attempt that begins anew sends what it sends");
    assert!(fixed.effects.values().all(|times| *times == 1));
}

#[test]
fn a_run_whose_time_was_up_is_given_the_whole_of_it_again() {
    let mut plan = doing(&[wait(A)]);
    plan.options.timeout = Some(Millis(1000));
    let mut sim = run(&plan);
    sim.pass(400);
    let left = resumed(&sim);
    assert_eq!(deadlines(&left), [1000]);
    let mut fresh = sim.restored(Order::Given, true).unwrap();
    fresh.resume();
    assert_eq!(deadlines(&fresh), [1400]);
    sim.pass(600);
    assert_eq!(sim.outcome, Some(Outcome::TimedOut));
    let mut again = resumed(&sim);
    assert_eq!(deadlines(&again), [2000]);
    send(&mut again, A, 0);
    again.settle();
    assert!(again.result.is_some());
}

#[test]
fn a_run_that_reached_its_limit_goes_on_under_a_higher_one() {
    let program = [Action::Send { ty: A, target: None }];
    let mut plan = workflow(&[step(&[START], &program, End::Nothing), step(&[A], &[], End::Return(STOP))]);
    plan.options = RunOptions { limits: Limits { steps: 1, ..Limits::default() }, ..RunOptions::default() };
    let sim = run(&plan);
    assert_eq!(sim.outcome, Some(Outcome::LimitReached));
    let mut same = resumed(&sim);
    same.settle();
    assert_eq!(same.outcome, Some(Outcome::LimitReached));
    plan.options.limits.steps = 3;
    let mut more = sim.restored_for(&plan).unwrap();
    more.resume();
    more.settle();
    assert!(more.result.is_some());
}

#[test]
fn a_cancelled_run_goes_on_where_it_was() {
    let plan = doing(&[Action::Write { ty: B }, wait(A)]);
    let mut sim = run(&plan);
    sim.tick(Tick::Cancel).unwrap();
    let mut sim = resumed(&sim);
    sim.settle();
    send(&mut sim, A, 0);
    sim.settle();
    assert_eq!(sim.written.values().flatten().flatten().count(), 1, "what was written was reset and written again");
    assert!(sim.result.is_some());
}

#[test]
fn a_restored_run_may_be_resumed_or_cancelled_and_nothing_else() {
    let plan = doing(&[wait(A)]);
    let mut sim = run(&plan).restored(Order::Given, false).unwrap();
    let refused = [
        Tick::Start { ty: sim.built.types[START], slot: stepstream::engine::Slot(1) },
        Tick::Timer { key: stepstream::engine::TimerKey(0) },
        Tick::Complete { invocation: sim.engine.in_flight().next().unwrap().invocation, output: None, matches: vec![] },
    ];
    for tick in refused {
        assert_eq!(sim.tick(tick), Err(Code::StaleId));
    }
    let mut other = sim.restored(Order::Given, false).unwrap();
    sim.resume();
    assert_eq!(sim.tick(Tick::Resume), Err(Code::StaleId));
    other.tick(Tick::Cancel).unwrap();
    assert_eq!(other.outcome, Some(Outcome::Cancelled));
    sim.settle();
    assert_eq!(sim.engine.status(), Status::Waiting);
}

#[test]
fn invocations_keep_the_places_that_they_have_in_the_image() {
    let fan: Vec<Action> = (0..5).map(|_| Action::Send { ty: A, target: None }).collect();
    let worker = StepSpec { workers: Some(3), ..step(&[A], &[wait(B)], End::Nothing) };
    let mut sim = run(&workflow(&[step(&[START], &fan, End::Nothing), worker]));
    // The places are in disorder once an invocation has ended.
    send(&mut sim, B, 0);
    sim.settle();
    let frozen = sim.engine.capture(Millis(sim.now));
    let later = resumed(&sim);
    let places: Vec<u32> = later.engine.in_flight().map(|at| at.invocation.index).collect();
    assert_eq!(places, (0..frozen.invocations.len() as u32).collect::<Vec<_>>());
    for (place, id) in frozen.invocations.iter().enumerate() {
        let inputs =
            |sim: &Sim, id| -> Vec<_> { sim.engine.inputs(id).iter().map(|event| sim.payload(event.slot)).collect() };
        let at = later.engine.in_flight().nth(place).unwrap();
        assert_eq!(inputs(&later, at.invocation), inputs(&sim, *id));
        assert_eq!(at.running, frozen.image.invocations[place].running);
    }
}

#[test]
fn a_later_snapshot_has_a_higher_sequence() {
    let plan = doing(&[Action::Sleep { span: 100 }, wait(A)]);
    let sequence = |sim: &Sim| container::read(&sim.snapshot()).unwrap().header.sequence;
    let mut sim = run(&plan);
    let mut latest = sequence(&sim);
    for _ in 0..5 {
        sim = resumed(&sim);
        assert!(sequence(&sim) > latest);
        latest = sequence(&sim);
        sim.settle();
        assert!(sequence(&sim) > latest);
        latest = sequence(&sim);
    }
}

#[test]
fn an_attempt_after_a_recovery_knows_the_failure_before_it() {
    let retry = Some(RetryPolicy { wait: Wait::Fixed(Millis(700)), stop: Stop::Attempts(3) });
    let fails = Action::Fail { until: 1, verdict: Verdict::Policy };
    let program = [fails, wait(A)];
    let plan = workflow(&[StepSpec { retry, ..step(&[START], &program, End::Return(STOP)) }]);
    let failure = |sim: &Sim| {
        let invocation = sim.engine.in_flight().next().expect("one").invocation;
        (sim.engine.failure(invocation).map(|event| sim.payload(event.slot)), sim.engine.began(invocation))
    };
    let mut sim = run(&plan);
    sim.settle();
    let before = failure(&sim);
    assert!(before.0.is_some());
    let mut pausing = resumed(&sim);
    assert_eq!(failure(&pausing), before, "while it waits for the next attempt");
    pausing.pass(700);
    pausing.settle();
    assert_eq!(failure(&pausing), before, "in the next attempt");
    let mut again = resumed(&pausing);
    assert_eq!(failure(&again), before, "in the next attempt that runs again");
    send(&mut again, A, 0);
    again.settle();
    assert!(again.result.is_some());
}
