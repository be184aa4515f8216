//! Finding mistakes in a graph before anything runs.
//!
//! A step that does not declare its outputs may make any event, so nothing that depends on them counts as a mistake.

use super::graph::{Graph, Role, Step};
use super::ids::{EventTypeId, StepId};
use crate::error::Code;

/// A mistake, or what looks like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// The step it is about, if it is about one.
    pub step: Option<StepId>,
    /// The event type it is about, if it is about one.
    pub ty: Option<EventTypeId>,
}

impl Finding {
    const fn whole(code: Code) -> Finding {
        Finding { code, step: None, ty: None }
    }

    const fn step(code: Code, step: usize) -> Finding {
        Finding { code, step: Some(StepId(step as u32)), ty: None }
    }

    const fn with(self, ty: EventTypeId) -> Finding {
        Finding { ty: Some(ty), ..self }
    }

    /// Whether a run of such a graph cannot work, whatever the handlers do. Everything else may be intended.
    #[must_use]
    pub const fn is_definite(&self) -> bool {
        matches!(self.code, Code::NoSteps | Code::NoStartStep | Code::StepTakesStop)
    }
}

/// What can be reached from `sources`, themselves included.
fn spread(sources: impl Iterator<Item = usize>, next: &[Vec<usize>]) -> Vec<bool> {
    let mut found = vec![false; next.len()];
    let mut open: Vec<usize> = sources.collect();
    while let Some(at) = open.pop() {
        if !core::mem::replace(&mut found[at], true) {
            open.extend_from_slice(&next[at]);
        }
    }
    found
}

impl Graph {
    /// Everything that looks wrong, definite mistakes first.
    #[must_use]
    pub fn validate(&self) -> Vec<Finding> {
        if self.steps().is_empty() {
            return vec![Finding::whole(Code::NoSteps)];
        }
        let mut findings = Vec::new();
        self.find_ends(&mut findings);
        self.find_unmatched_events(&mut findings);
        self.find_cut_off_steps(&mut findings);
        let definite = findings.iter().filter(|finding| finding.is_definite());
        definite.chain(findings.iter().filter(|finding| !finding.is_definite())).copied().collect()
    }

    fn role(&self, ty: EventTypeId) -> Role {
        self.types()[ty.index()].role
    }

    /// Whether one of the step's inputs takes a type of this role.
    fn takes(&self, step: usize, role: Role) -> bool {
        let of_role = |kind: &EventTypeId| self.role(*kind) == role;
        self.steps()[step].inputs.iter().flatten().any(|ty| self.types()[ty.index()].kinds.iter().any(of_role))
    }

    fn makes(&self, step: usize, role: Role) -> bool {
        match &self.steps()[step].outputs {
            None => true,
            Some(outputs) => outputs.iter().any(|ty| self.role(*ty) == role),
        }
    }

    fn find_ends(&self, findings: &mut Vec<Finding>) {
        // A step that takes an ancestor of the start event takes it too.
        let start_is_taken = self.types().iter().any(|ty| ty.role == Role::Start && !ty.routes.is_empty());
        if !start_is_taken {
            findings.push(Finding::whole(Code::NoStartStep));
        }
        if !(0..self.steps().len()).any(|step| self.makes(step, Role::Stop)) {
            findings.push(Finding::whole(Code::NoStopStep));
        }
        for (id, step) in self.steps().iter().enumerate() {
            for ty in step.inputs.iter().flatten().filter(|ty| self.role(**ty) == Role::Stop) {
                findings.push(Finding::step(Code::StepTakesStop, id).with(*ty));
            }
        }
    }

    fn find_unmatched_events(&self, findings: &mut Vec<Finding>) {
        let all_declared = self.steps().iter().all(|step| step.outputs.is_some());
        if all_declared {
            for (step, accepted) in self.unmade_inputs() {
                let from_outside = accepted.iter().any(|ty| self.role(*ty) == Role::HumanResponse);
                if self.steps()[step.index()].collect.is_some() {
                    continue;
                }
                let missing = accepted.iter().find(|ty| self.role(**ty) != Role::Stop);
                if let Some(ty) = missing.copied().filter(|_| !from_outside) {
                    findings.push(Finding::step(Code::NeverProduced, step.index()).with(ty));
                }
            }
        }
        if all_declared {
            self.find_lists_of_no_array(findings);
        }
        for (id, step) in self.steps().iter().enumerate() {
            for ty in step.outputs.iter().flatten() {
                let for_outside = matches!(self.role(*ty), Role::Stop | Role::InputRequired);
                let consumed =
                    self.types()[ty.index()].kinds.iter().any(|kind| !self.types()[kind.index()].routes.is_empty());
                if !for_outside && !consumed && !self.is_awaited(*ty) {
                    findings.push(Finding::step(Code::NeverConsumed, id).with(*ty));
                }
            }
        }
    }

    /// Steps that gather what no step returns. Only what a step returns descends from an array.
    fn find_lists_of_no_array(&self, findings: &mut Vec<Finding>) {
        let gathering = self.steps().iter().enumerate().filter(|(_, step)| step.collect.is_some());
        for (id, step) in gathering {
            let returned = |from: &Step| {
                let kinds = from.outputs.iter().flatten().flat_map(|ty| &self.types()[ty.index()].kinds);
                kinds.into_iter().any(|kind| self.route(*kind, StepId(id as u32)).is_some())
            };
            let first = step.inputs.iter().flatten().next().filter(|_| !self.steps().iter().any(returned));
            if let Some(ty) = first {
                findings.push(Finding::step(Code::NoFanOut, id).with(*ty));
            }
        }
    }

    /// Steps that no run reaches, and steps from which no run reaches its end.
    fn find_cut_off_steps(&self, findings: &mut Vec<Finding>) {
        let count = self.steps().len();
        let mut after = vec![Vec::new(); count];
        let mut before = vec![Vec::new(); count];
        let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        for (from, to) in pairs.filter(|(from, to)| self.leads(*from, *to)) {
            after[from].push(to);
            before[to].push(from);
        }
        // What a step waits for does not invoke it, but lets it go on.
        let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        for (from, to) in pairs.filter(|(from, to)| self.answers(*from, *to)) {
            before[to].push(from);
        }
        let reached = spread((0..count).filter(|step| self.is_entry(*step)), &after);
        let ending = spread((0..count).filter(|step| self.makes(*step, Role::Stop)), &before);
        for step in 0..count {
            if !reached[step] {
                findings.push(Finding::step(Code::UnreachableStep, step));
            }
            if !ending[step] {
                findings.push(Finding::step(Code::DeadEnd, step));
            }
        }
    }

    /// Whether some step waits for events of a type, or of a kind of it.
    fn is_awaited(&self, ty: EventTypeId) -> bool {
        self.steps().iter().flat_map(|step| &step.waits).any(|awaited| self.may_be(ty, *awaited))
    }

    /// Whether an event of a type may be one of another type too.
    fn may_be(&self, ty: EventTypeId, other: EventTypeId) -> bool {
        self.types()[ty.index()].kinds.iter().any(|kind| self.is_kind_of(*kind, other))
    }

    /// Whether a step returns something that another step waits for.
    fn answers(&self, from: usize, to: usize) -> bool {
        let outputs = self.steps()[from].outputs.iter().flatten();
        outputs.into_iter().any(|ty| self.steps()[to].waits.iter().any(|awaited| self.may_be(*ty, *awaited)))
    }

    fn is_entry(&self, step: usize) -> bool {
        self.takes(step, Role::Start) || self.takes(step, Role::HumanResponse)
    }

    fn leads(&self, from: usize, to: usize) -> bool {
        let handles = self.handler_of(StepId(from as u32)) == Some(StepId(to as u32));
        // The outside replies to questions.
        let answers = self.makes(from, Role::InputRequired) && self.takes(to, Role::HumanResponse);
        handles
            || answers
            || match &self.steps()[from].outputs {
                None => self.steps()[to].handler.is_none(),
                Some(outputs) => outputs.iter().any(|ty| {
                    let kinds = &self.types()[ty.index()].kinds;
                    kinds.iter().any(|kind| self.route(*kind, StepId(to as u32)).is_some())
                }),
            }
    }
}
