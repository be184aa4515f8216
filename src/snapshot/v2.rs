//! Images in version 2 of the format, as far as they differ from the current version, and their conversion.
//!
//! Version 2 knew no groups: no step could gather what descends from one array.

use crate::engine::{
    CollectionImage, Condition, EntryImage, EventImage, Image as Current, InvocationImage, JoinImage, KeptImage,
    SentImage,
};
use crate::wire::wire_struct;

/// See [`Current`].
pub(super) struct Image {
    pub condition: Condition,
    pub ticks: u64,
    pub now: u64,
    pub seed: u64,
    pub deadline: Option<u64>,
    pub arrivals: u64,
    pub invoked: u64,
    pub slots: u32,
    pub types: Vec<String>,
    pub steps: Vec<String>,
    pub invocations: Vec<Invocation>,
    pub joins: Vec<Join>,
    pub kept: Vec<KeptImage>,
    pub collections: Vec<CollectionImage>,
}

/// See [`InvocationImage`].
pub(super) struct Invocation {
    pub step: u32,
    pub order: u64,
    pub running: bool,
    pub backoff: Option<u64>,
    pub attempt: u32,
    pub began: u64,
    pub inputs: Vec<EventImage>,
    pub log: Vec<EntryImage>,
    pub once: Vec<(String, u32)>,
    pub sent: Vec<SentImage>,
    pub wrote: bool,
}

/// See [`JoinImage`].
pub(super) struct Join {
    pub step: u32,
    pub set: Vec<Option<KeptImage>>,
    pub later: Vec<KeptImage>,
}

wire_struct!(Image {
    condition,
    ticks,
    now,
    seed,
    deadline,
    arrivals,
    invoked,
    slots,
    types,
    steps,
    invocations,
    joins,
    kept,
    collections
});
wire_struct!(Invocation { step, order, running, backoff, attempt, began, inputs, log, once, sent, wrote });
wire_struct!(Join { step, set, later });

impl From<Image> for Current {
    fn from(old: Image) -> Current {
        Current {
            condition: old.condition,
            ticks: old.ticks,
            now: old.now,
            seed: old.seed,
            deadline: old.deadline,
            arrivals: old.arrivals,
            invoked: old.invoked,
            slots: old.slots,
            types: old.types,
            steps: old.steps,
            invocations: old.invocations.into_iter().map(InvocationImage::from).collect(),
            joins: old.joins.into_iter().map(JoinImage::from).collect(),
            kept: old.kept,
            collections: old.collections,
            groups: Vec::new(),
            fanned: Vec::new(),
        }
    }
}

impl From<Invocation> for InvocationImage {
    fn from(old: Invocation) -> InvocationImage {
        InvocationImage {
            step: old.step,
            order: old.order,
            running: old.running,
            backoff: old.backoff,
            attempt: old.attempt,
            began: old.began,
            inputs: old.inputs,
            log: old.log,
            once: old.once,
            sent: old.sent,
            wrote: old.wrote,
            group: None,
            list: None,
        }
    }
}

impl From<Join> for JoinImage {
    fn from(Join { step, set, later }: Join) -> JoinImage {
        JoinImage { step, set, later, group: None }
    }
}
