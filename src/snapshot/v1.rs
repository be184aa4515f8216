//! Images in version 1 of the format, as far as they differ from the current version, and their conversion.
//!
//! Version 1 counted the events that an attempt had written to the stream, and skipped as many when the attempt ran
//! again. It published the event of a question before the wait began, so every wait in an image has had its question
//! published.

use crate::engine::{
    AnswerImage, CollectionImage, Condition, EntryImage, EventImage, Image as Current, InvocationImage, JoinImage,
    KeptImage, RequestImage, SentImage,
};
use crate::wire::wire_struct;

/// See [`Current`].
pub(super) struct Image {
    condition: Condition,
    ticks: u64,
    now: u64,
    seed: u64,
    deadline: Option<u64>,
    arrivals: u64,
    invoked: u64,
    slots: u32,
    types: Vec<String>,
    steps: Vec<String>,
    invocations: Vec<Invocation>,
    joins: Vec<JoinImage>,
    kept: Vec<KeptImage>,
    collections: Vec<CollectionImage>,
}

/// See [`InvocationImage`].
struct Invocation {
    step: u32,
    order: u64,
    running: bool,
    backoff: Option<u64>,
    attempt: u32,
    began: u64,
    inputs: Vec<EventImage>,
    log: Vec<Entry>,
    once: Vec<(String, u32)>,
    sent: Vec<Sent>,
}

/// See [`EntryImage`].
struct Entry {
    request: RequestImage,
    answer: AnswerImage,
}

/// See [`SentImage`].
struct Sent {
    ty: u32,
    /// Whether the events were written to the stream, and not sent to steps.
    written: bool,
    count: u32,
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
wire_struct!(Invocation { step, order, running, backoff, attempt, began, inputs, log, once, sent });
wire_struct!(Entry { request, answer });
wire_struct!(Sent { ty, written, count });

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
            joins: old.joins,
            kept: old.kept,
            collections: old.collections,
            buffers: Vec::new(),
            failures: Vec::new(),
        }
    }
}

impl From<Invocation> for InvocationImage {
    fn from(old: Invocation) -> InvocationImage {
        let wrote = old.sent.iter().any(|sent| sent.written);
        let sent = old.sent.into_iter().filter(|sent| !sent.written);
        InvocationImage {
            step: old.step,
            order: old.order,
            running: old.running,
            backoff: old.backoff,
            attempt: old.attempt,
            began: old.began,
            inputs: old.inputs,
            log: old.log.into_iter().map(EntryImage::from).collect(),
            once: old.once,
            sent: sent.map(|sent| SentImage { ty: sent.ty, count: sent.count }).collect(),
            wrote,
        }
    }
}

impl From<Entry> for EntryImage {
    fn from(Entry { request, answer }: Entry) -> EntryImage {
        let published = matches!(request, RequestImage::Event { .. });
        EntryImage { request, answer, published }
    }
}
