//! Random workflows whose outcome does not depend on who is quicker: every event that is waited for or taken is made once, nothing that fails
//! has sent anything before, and the last step joins what all others return. Whatever such a run does, it must do over any number of lives.

use std::iter::repeat_n;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use stepstream::engine::{Millis, RetryPolicy, Stop, Verdict, Wait};

use crate::snapshot_kit::{Action, Blueprint, End, PLAIN, START, STOP, Sending, StepSpec, Ty};

/// An action of a step, without the types of its events.
#[derive(Clone, Debug)]
enum ActionKind {
    Work {
        span: u64,
    },
    Sleep {
        span: u64,
    },
    Once {
        key: u8,
    },
    Write,
    /// Sends an event that later steps may take.
    Send,
    /// Sends an event that a later step may wait for.
    Leave,
    /// Waits for what an earlier step has left, if there is anything.
    Fetch {
        named: bool,
    },
    /// Waits for what the outside sends; picky, for one of several.
    Ask {
        named: bool,
        picky: bool,
        at: u64,
    },
    /// Waits for what the outside sends at several times, in several places at a time.
    Several {
        at: Vec<[u64; 2]>,
    },
    /// Waits for what the outside sends, with a question.
    Question {
        picky: bool,
        at: u64,
    },
    /// Waits for what never comes.
    Expire {
        span: u64,
    },
    /// Waits for an event and sleeps at a time; the sleep is over first. What comes then is for the next wait.
    Lose {
        span: u64,
    },
    /// Fetches what an earlier step has left, before a sleep is over.
    Win,
    Nest {
        span: u64,
    },
}

/// What goes wrong with a step.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    None,
    /// It fails at first.
    Fails {
        until: u32,
        verdict: Verdict,
    },
    /// It fails, and a handler takes over.
    FailsForGood,
    /// Its time is up at first.
    Hangs {
        timeout: u64,
    },
}

#[derive(Clone, Debug)]
struct Draft {
    takes: Vec<u8>,
    workers: Option<u32>,
    trouble: Trouble,
    before: Vec<ActionKind>,
    after: Vec<ActionKind>,
    pause: u64,
}

fn kinds(most: usize) -> impl Strategy<Value = Vec<ActionKind>> {
    let kind = prop_oneof![
        3 => (1..5000u64).prop_map(|span| ActionKind::Work { span }),
        2 => (1..5000u64).prop_map(|span| ActionKind::Sleep { span }),
        2 => (0..3u8).prop_map(|key| ActionKind::Once { key }),
        2 => Just(ActionKind::Write),
        3 => Just(ActionKind::Send),
        2 => Just(ActionKind::Leave),
        3 => any::<bool>().prop_map(|named| ActionKind::Fetch { named }),
        3 => (any::<bool>(), any::<bool>(), 0..20_000u64)
            .prop_map(|(named, picky, at)| ActionKind::Ask { named, picky, at }),
        3 => vec([0..20_000u64, 0..20_000u64], 1..=3).prop_map(|at| ActionKind::Several { at }),
        2 => (any::<bool>(), 0..20_000u64).prop_map(|(picky, at)| ActionKind::Question { picky, at }),
        1 => (1..5000u64).prop_map(|span| ActionKind::Expire { span }),
        2 => (1..5000u64).prop_map(|span| ActionKind::Lose { span }),
        2 => Just(ActionKind::Win),
        1 => (1..5000u64).prop_map(|span| ActionKind::Nest { span }),
    ];
    vec(kind, 0..=most)
}

fn drafts() -> impl Strategy<Value = Draft> {
    let trouble = prop_oneof![
        4 => Just(Trouble::None),
        2 => (1..3u32).prop_map(|until| Trouble::Fails { until, verdict: Verdict::Policy }),
        1 => (0..4000u64).prop_map(|delay| Trouble::Fails { until: 1, verdict: Verdict::Retry(Millis(delay)) }),
        2 => Just(Trouble::FailsForGood),
        1 => (1..4000u64).prop_map(|timeout| Trouble::Hangs { timeout }),
    ];
    (vec(any::<u8>(), 1..=3), option::of(1..=2u32), trouble, kinds(3), kinds(4), 0..3000u64).prop_map(
        |(takes, workers, trouble, before, after, pause)| Draft { takes, workers, trouble, before, after, pause },
    )
}

/// A workflow and what the outside sends to it.
pub fn certain() -> impl Strategy<Value = (Blueprint, Vec<Sending>)> {
    (vec(drafts(), 1..=4), option::of((1..=4usize, any::<bool>(), drafts())), any::<u64>()).prop_map(
        |(drafts, map, seed)| {
            let mut making = Making::default();
            making.blueprint.options.seed = seed;
            let start = making.offered.len();
            making.offered.push(START);
            assert_eq!(start, 0);
            let mut last = Vec::new();
            for draft in &drafts {
                last.push(making.step(draft));
            }
            if let Some((count, by_list, draft)) = map {
                last.push(making.map(count, by_list, &draft));
            }
            let inputs = last.into_iter().map(|ty| vec![ty]).collect();
            making.add(StepSpec { inputs, end: Some(End::Return(STOP)), ..StepSpec::default() });
            making.outside.sort_by_key(|sending| sending.at);
            (making.blueprint, making.outside)
        },
    )
}

#[derive(Default)]
struct Making {
    blueprint: Blueprint,
    outside: Vec<Sending>,
    /// What steps may take.
    offered: Vec<Ty>,
    /// What steps may wait for, once.
    left: Vec<Ty>,
}

impl Making {
    fn ty(&mut self) -> Ty {
        self.blueprint.parents.push(None);
        PLAIN + self.blueprint.parents.len() - 1
    }

    fn add(&mut self, step: StepSpec) -> usize {
        self.blueprint.steps.push(step);
        self.blueprint.steps.len() - 1
    }

    /// A step with everything that belongs to it; returns what it returns.
    fn step(&mut self, draft: &Draft) -> Ty {
        let returned = self.ty();
        let mut taken: Vec<Ty> =
            draft.takes.iter().map(|nth| self.offered[*nth as usize % self.offered.len()]).collect();
        taken.sort_unstable();
        taken.dedup();
        let mut step = StepSpec {
            inputs: taken.into_iter().map(|ty| vec![ty]).collect(),
            workers: draft.workers,
            end: Some(End::Return(returned)),
            ..StepSpec::default()
        };
        let attempts = |most| {
            let wait = Wait::Random { min: Millis(0), max: Millis(draft.pause) };
            Some(RetryPolicy { wait, stop: Stop::Attempts(most) })
        };
        match draft.trouble {
            Trouble::None => {
                step.program = self.program(&draft.before);
                step.program.extend(self.program(&draft.after));
            }
            Trouble::Fails { until, verdict } => {
                step.retry = attempts(until + 1);
                step.program = self.program(&harmless(&draft.before));
                step.program.push(Action::Fail { until, verdict });
                step.program.extend(self.program(&draft.after));
            }
            Trouble::FailsForGood => {
                step.retry = attempts(2);
                step.program = self.program(&harmless(&draft.before));
                step.program.push(Action::Fail { until: u32::MAX, verdict: Verdict::Policy });
                let failing = self.add(step);
                let program = self.program(&draft.after);
                let end = Some(End::Return(returned));
                self.add(StepSpec { handler: Some((Some(failing), 99)), program, end, ..StepSpec::default() });
                self.offered.push(returned);
                return returned;
            }
            Trouble::Hangs { timeout } => {
                step.retry = attempts(2);
                step.timeout = Some(timeout);
                step.program = vec![Action::Hang];
                step.program.extend(self.program(&timeless(&draft.after)));
            }
        }
        self.add(step);
        self.offered.push(returned);
        returned
    }

    /// Several events of one type, each of which is worked on for itself, and what is gathered of that: an array and
    /// its list, or events that are sent and collected.
    fn map(&mut self, count: usize, by_list: bool, draft: &Draft) -> Ty {
        let (item, done, gathered) = (self.ty(), self.ty(), self.ty());
        if by_list {
            let end = Some(End::List(repeat_n(item, count).collect::<Vec<_>>().leak()));
            self.add(StepSpec { inputs: vec![vec![START]], end, ..StepSpec::default() });
        } else {
            let program = (0..count).map(|_| Action::Send { ty: item, target: None }).collect();
            let end = Some(End::Nothing);
            self.add(StepSpec { inputs: vec![vec![START]], program, end, ..StepSpec::default() });
        }
        // What is waited for is made once, so none of several may ask for it.
        let alone = |kind: &ActionKind| {
            matches!(
                kind,
                ActionKind::Work { .. } | ActionKind::Sleep { .. } | ActionKind::Once { .. } | ActionKind::Write
            )
        };
        let program: Vec<ActionKind> =
            draft.before.iter().chain(&draft.after).filter(|kind| alone(kind)).cloned().collect();
        let mut step = StepSpec { inputs: vec![vec![item]], workers: draft.workers, ..StepSpec::default() };
        step.program = self.program(&program);
        if let Trouble::Fails { until, verdict } = draft.trouble {
            let wait = Wait::Fixed(Millis(draft.pause));
            step.retry = Some(RetryPolicy { wait, stop: Stop::Never });
            step.program.push(Action::Fail { until, verdict });
        }
        step.end = Some(End::Return(done));
        self.add(step);
        let end = Some(End::Return(gathered));
        let (program, collect) =
            if by_list { (vec![Action::Sort], Some(None)) } else { (vec![Action::Gather { ty: done, count }], None) };
        self.add(StepSpec { inputs: vec![vec![done]], program, collect, end, ..StepSpec::default() });
        gathered
    }

    fn program(&mut self, kinds: &[ActionKind]) -> Vec<Action> {
        let mut program = Vec::new();
        for kind in kinds {
            match kind.clone() {
                ActionKind::Work { span } => program.push(Action::Work { span }),
                ActionKind::Sleep { span } => program.push(Action::Sleep { span }),
                ActionKind::Once { key } => program.push(Action::Once { key }),
                ActionKind::Write => {
                    let ty = self.ty();
                    program.push(Action::Write { ty });
                }
                ActionKind::Send => {
                    let ty = self.ty();
                    self.offered.push(ty);
                    program.push(Action::Send { ty, target: None });
                }
                ActionKind::Leave => {
                    let ty = self.ty();
                    self.left.push(ty);
                    program.push(Action::Send { ty, target: None });
                }
                ActionKind::Fetch { named } => {
                    // The newest may be this step's own, which is as good.
                    if let Some(ty) = self.left.pop() {
                        program.push(Action::Wait { ty, named, span: None, picky: false });
                    }
                }
                ActionKind::Ask { named, picky, at } => {
                    let ty = self.ty();
                    // One of twelve will do even for the picky.
                    let several = if picky { 12 } else { 1 };
                    self.outside.extend((0..several).map(|nth| Sending { at: at + nth * 100, ty }));
                    program.push(Action::Wait { ty, named, span: None, picky });
                }
                ActionKind::Question { picky, at } => {
                    let ty = self.ty();
                    let several = if picky { 12 } else { 1 };
                    self.outside.extend((0..several).map(|nth| Sending { at: at + nth * 100, ty }));
                    program.push(Action::Ask { ty, span: None, picky });
                }
                ActionKind::Lose { span } => {
                    let ty = self.ty();
                    let wait = Action::Wait { ty, named: false, span: None, picky: false };
                    program.extend([Action::Race { ty, span, picky: false }, Action::Send { ty, target: None }, wait]);
                }
                ActionKind::Win => {
                    if let Some(ty) = self.left.pop() {
                        program.push(Action::Race { ty, span: 1 << 50, picky: false });
                    }
                }
                ActionKind::Several { at } => {
                    let parts: Vec<[Ty; 2]> = at.iter().map(|_| [self.ty(), self.ty()]).collect();
                    let sendings = parts.iter().flatten().zip(at.iter().flatten());
                    self.outside.extend(sendings.map(|(ty, at)| Sending { at: *at, ty: *ty }));
                    program.push(Action::Several { parts });
                }
                ActionKind::Expire { span } => {
                    let ty = self.ty();
                    program.push(Action::Wait { ty, named: false, span: Some(span), picky: false });
                }
                ActionKind::Nest { span } => program.extend([Action::Block, Action::Work { span }, Action::Unblock]),
            }
        }
        program
    }
}

/// What may be done before a failure: an event that is sent would be sent again by the next attempt.
fn harmless(kinds: &[ActionKind]) -> Vec<ActionKind> {
    kinds
        .iter()
        .filter(|kind| !matches!(kind, ActionKind::Send | ActionKind::Leave | ActionKind::Lose { .. }))
        .cloned()
        .collect()
}

/// What takes no time.
fn timeless(kinds: &[ActionKind]) -> Vec<ActionKind> {
    kinds
        .iter()
        .filter(|kind| {
            matches!(kind, ActionKind::Once { .. } | ActionKind::Write | ActionKind::Send | ActionKind::Leave)
        })
        .cloned()
        .collect()
}
