//! Images in version 1 of the format, read as images of the current version.
//!
//! Version 1 counted the events that an attempt had written to the stream, and skipped as many when the attempt ran
//! again. It published the event of a question before the wait began, so every wait in an image has had its question
//! published.

use crate::engine::{EntryImage, Image, InvocationImage, RequestImage, SentImage};
use crate::wire::{Reader, Wire};

/// An image. Of its parts, only invocations differ.
pub(super) fn image(reader: &mut Reader) -> Image {
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
        joins: Wire::get(reader),
        kept: Wire::get(reader),
        collections: Wire::get(reader),
    }
}

fn invocation(reader: &mut Reader) -> InvocationImage {
    let mut invocation = InvocationImage {
        step: Wire::get(reader),
        order: Wire::get(reader),
        running: Wire::get(reader),
        backoff: Wire::get(reader),
        attempt: Wire::get(reader),
        began: Wire::get(reader),
        inputs: Wire::get(reader),
        log: reader.list(entry),
        once: Wire::get(reader),
        sent: Vec::new(),
        wrote: false,
    };
    for (image, written) in reader.list(sent) {
        if written {
            invocation.wrote = true;
        } else {
            invocation.sent.push(image);
        }
    }
    invocation
}

fn entry(reader: &mut Reader) -> EntryImage {
    let request = Wire::get(reader);
    let published = matches!(request, RequestImage::Event { .. });
    EntryImage { request, answer: Wire::get(reader), published }
}

/// What an attempt has sent of one type, and whether to the stream instead of to steps.
fn sent(reader: &mut Reader) -> (SentImage, bool) {
    let (ty, written) = Wire::get(reader);
    (SentImage { ty, count: Wire::get(reader) }, written)
}
