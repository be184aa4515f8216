//! Images in version 2 of the format, read as images of the current version.
//!
//! Version 2 knew no groups: no step could gather what descends from one array. It had neither buffers nor failures.

use crate::engine::{Image, InvocationImage, JoinImage};
use crate::wire::{Reader, Wire};

/// An image. Of its parts, invocations and joins differ.
pub(super) fn image(reader: &mut Reader) -> Image {
    image_with(reader, invocation)
}

/// An image with invocations that are read by `invocation`.
#[inline(never)]
pub(super) fn image_with(reader: &mut Reader, invocation: fn(&mut Reader) -> InvocationImage) -> Image {
    Image {
        condition: Wire::get(reader),
        ticks: Wire::get(reader),
        now: Wire::get(reader),
        seed: Wire::get(reader),
        deadline: Wire::get(reader),
        arrivals: Wire::get(reader),
        invoked: Wire::get(reader),
        slots: Wire::get(reader),
        types: Wire::get(reader),
        steps: Wire::get(reader),
        invocations: reader.list(invocation),
        joins: reader.list(join),
        kept: Wire::get(reader),
        collections: Wire::get(reader),
        groups: Vec::new(),
        fanned: Vec::new(),
        buffers: Vec::new(),
        failures: Vec::new(),
    }
}

fn invocation(reader: &mut Reader) -> InvocationImage {
    InvocationImage {
        step: Wire::get(reader),
        order: Wire::get(reader),
        running: Wire::get(reader),
        backoff: Wire::get(reader),
        attempt: Wire::get(reader),
        began: Wire::get(reader),
        inputs: Wire::get(reader),
        log: Wire::get(reader),
        once: Wire::get(reader),
        sent: Wire::get(reader),
        wrote: Wire::get(reader),
        group: None,
        list: None,
    }
}

fn join(reader: &mut Reader) -> JoinImage {
    JoinImage { step: Wire::get(reader), set: Wire::get(reader), later: Wire::get(reader), group: None }
}
