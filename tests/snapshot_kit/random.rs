//! Random blueprints whose steps do anything at any time, and what a host does with them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use stepstream::engine::{Limits, Millis, RetryPolicy, RunOptions, Stop, Verdict, Wait};

use crate::snapshot_kit::{Action, Blueprint, End, HUMAN, Op, PLAIN, START, STOP, Sim, StepSpec, Ty};

/// The number of plain types is not known yet when one is picked, so a type is picked by a number that is cut down later.
type Pick = u8;

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        12 => Just(Verdict::Policy),
        1 => Just(Verdict::GiveUp),
        4 => (0..5000u64).prop_map(|delay| Verdict::Retry(Millis(delay))),
    ]
}

fn actions() -> impl Strategy<Value = Action> {
    let ty = || any::<Pick>().prop_map(Ty::from);
    prop_oneof![
        6 => (ty(), any::<bool>(), option::weighted(0.4, 1..60_000u64), prop::bool::weighted(0.35))
            .prop_map(|(ty, named, span, picky)| Action::Wait { ty, named, span, picky }),
        3 => (ty(), option::weighted(0.4, 1..60_000u64), prop::bool::weighted(0.35))
            .prop_map(|(ty, span, picky)| Action::Ask { ty, span, picky }),
        4 => (ty(), 1..60_000u64, prop::bool::weighted(0.35))
            .prop_map(|(ty, span, picky)| Action::Race { ty, span, picky }),
        3 => (1..60_000u64).prop_map(|span| Action::Sleep { span }),
        2 => (0..3u8).prop_map(|key| Action::Once { key }),
        2 => (ty(), vec(ty(), 1..4)).prop_map(|(ty, expected)| Action::Collect { ty, expected }),
        2 => (ty(), vec(ty(), 1..4), prop_oneof![Just("a"), Just("b")])
            .prop_map(|(ty, expected, buffer)| Action::CollectInto { ty, expected, buffer }),
        4 => (ty(), option::weighted(0.2, 0..6usize)).prop_map(|(ty, target)| Action::Send { ty, target }),
        3 => ty().prop_map(|ty| Action::Write { ty }),
        2 => (1..3u32, verdicts()).prop_map(|(until, verdict)| Action::Fail { until, verdict }),
        1 => Just(Action::Block),
        1 => Just(Action::Unblock),
        1 => Just(Action::Doze),
        1 => Just(Action::Rouse),
    ]
}

fn retries() -> impl Strategy<Value = RetryPolicy> {
    let stop = prop_oneof![
        3 => (2..5u32).prop_map(Stop::Attempts),
        1 => (1..40_000u64).prop_map(|most| Stop::Any(vec![Stop::Attempts(6), Stop::Delay(Millis(most))])),
    ];
    let wait = prop_oneof![
        1 => Just(Wait::Fixed(Millis(0))),
        1 => (1..20_000u64).prop_map(|pause| Wait::Fixed(Millis(pause))),
        4 => (1..50_000u64).prop_map(|max| Wait::Random { min: Millis(0), max: Millis(max) }),
    ];
    (wait, stop).prop_map(|(wait, stop)| RetryPolicy { wait, stop })
}

/// Arrays that steps return: every blueprint has these types.
const LISTS: [&[Ty]; 5] = [&[], &[PLAIN], &[PLAIN + 1, PLAIN], &[PLAIN, PLAIN, PLAIN + 1], &[PLAIN + 1, STOP, PLAIN]];

fn steps() -> impl Strategy<Value = StepSpec> {
    let ty = || any::<Pick>().prop_map(Ty::from);
    let end = prop_oneof![
        20 => ty().prop_map(|ty| Some(End::Return(PLAIN + ty))),
        5 => Just(Some(End::Nothing)),
        7 => (0..LISTS.len()).prop_map(|nth| Some(End::List(LISTS[nth]))),
        1 => Just(Some(End::Return(STOP))),
    ];
    (
        vec(vec(ty(), 1..=2), 1..=3),
        option::of(1..=2u32),
        option::weighted(0.9, retries()),
        option::weighted(0.25, 1..80_000u64),
        vec(actions(), 0..6),
        end,
        (option::weighted(0.3, option::weighted(0.4, 1..4u32)), prop::bool::weighted(0.2)),
    )
        .prop_map(|(inputs, workers, retry, timeout, program, end, (collect, fans_out))| StepSpec {
            inputs: if collect.is_some() { inputs[..1].to_vec() } else { inputs },
            collect,
            fans_out,
            workers,
            retry,
            timeout,
            program,
            end,
            ..StepSpec::default()
        })
}

pub fn blueprints() -> impl Strategy<Value = Blueprint> {
    let handlers = vec((option::weighted(0.4, 0..6usize), 0..=3u32, steps()), 0..=2);
    let options = (
        any::<u64>(),
        option::weighted(0.15, 1..400_000u64),
        option::weighted(0.05, 3..40u64),
        prop_oneof![9 => Just(4096u32), 1 => 0..=2u32],
    );
    (vec(option::weighted(0.3, any::<Pick>()), 2..=4), vec(steps(), 2..=4), handlers, any::<bool>(), options).prop_map(
        |(parents, mut steps, handlers, open, (seed, timeout, limit, kept_events))| {
            let parents: Vec<Option<Ty>> = parents.iter().zip(0..).map(|(parent, nth)| cut(*parent, nth)).collect();
            let plain = parents.len();
            if open {
                steps.push(StepSpec { inputs: vec![vec![HUMAN]], end: Some(End::Nothing), ..StepSpec::default() });
            }
            let count = steps.len();
            for (step, nth) in steps.iter_mut().zip(0..) {
                fit(step, plain, count);
                if nth == 0 {
                    step.inputs = vec![vec![START]];
                    step.collect = None;
                }
            }
            for (handled, recoveries, mut step) in unlike(handlers, count) {
                fit(&mut step, plain, count);
                step.inputs.clear();
                step.collect = None;
                step.handler = Some((handled.map(|step| step % count), recoveries));
                steps.push(step);
            }
            let limits = Limits { steps: limit.unwrap_or(u64::MAX), kept_events };
            Blueprint { parents, steps, options: RunOptions { seed, timeout: timeout.map(Millis), limits } }
        },
    )
}

/// No two handlers for the same step.
fn unlike(handlers: Vec<(Option<usize>, u32, StepSpec)>, count: usize) -> Vec<(Option<usize>, u32, StepSpec)> {
    let mut handled = Vec::new();
    let mut fresh = |step: Option<usize>| {
        let step = step.map(|step| step % count);
        let fresh = !handled.contains(&step);
        handled.push(step);
        fresh
    };
    handlers.into_iter().filter(|(step, ..)| fresh(*step)).collect()
}

/// A parent among the earlier types.
fn cut(parent: Option<Pick>, nth: usize) -> Option<Ty> {
    parent.filter(|_| nth > 0).map(|parent| PLAIN + parent as usize % nth)
}

fn fit(step: &mut StepSpec, plain: usize, count: usize) {
    let plain = |ty: &mut Ty| *ty = PLAIN + *ty % plain;
    step.inputs.iter_mut().flatten().for_each(plain);
    if let Some(End::Return(ty)) = &mut step.end
        && *ty != STOP
    {
        plain(ty);
    }
    for action in &mut step.program {
        match action {
            Action::Wait { ty, .. } | Action::Ask { ty, .. } | Action::Race { ty, .. } | Action::Write { ty } => {
                plain(ty)
            }
            Action::Send { ty, target } => {
                plain(ty);
                *target = target.map(|step| step % count);
            }
            Action::Collect { ty, expected } | Action::CollectInto { ty, expected, .. } => {
                plain(ty);
                expected.iter_mut().for_each(plain);
            }
            _ => {}
        }
    }
}

/// What a host does next, as a choice among what there is to do.
pub fn choices() -> impl Strategy<Value = Vec<(u8, u8)>> {
    vec((any::<u8>(), any::<u8>()), 0..60)
}

impl Sim {
    /// Something that may be done now: mostly by a handler, sometimes by the outside or by time. `None` when there is nothing.
    pub fn choose(&self, (kind, which): (u8, u8), nth: u32) -> Option<Op> {
        let ready = self.ready();
        let pick = |length: usize| which as usize % length;
        let due = self.timers.iter().min_by_key(|(key, deadline)| (**deadline, **key));
        match kind {
            0..60 => {
                let ty = PLAIN + pick(self.plan.parents.len());
                let target = (kind < 6).then(|| pick(self.plan.steps.len()));
                Some(Op::Outside { ty, target, nth })
            }
            60..64 => Some(Op::Outside { ty: HUMAN, target: None, nth }),
            64..110 if due.is_some() => due.map(|(key, deadline)| self.firing(*key, *deadline)),
            _ if !ready.is_empty() => Some(Op::Perform(ready[pick(ready.len())])),
            _ => {
                let ty = PLAIN + pick(self.plan.parents.len());
                let sent = Op::Outside { ty, target: None, nth };
                Some(due.map_or(sent, |(key, deadline)| self.firing(*key, *deadline)))
            }
        }
    }

    fn firing(&self, key: stepstream::engine::TimerKey, deadline: u64) -> Op {
        Op::Fire { deadline, step_of: self.step_of(key) }
    }
}
