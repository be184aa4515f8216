//! Images in version 1 of the format, read as images of the current version.
//!
//! Version 1 counted the events that an attempt had written to the stream, and skipped as many when the attempt ran
//! again. It published the event of a question before the wait began, so every wait in an image has had its question
//! published.

use super::v2;
use crate::engine::{EntryImage, Image, InvocationImage, RequestImage, SentImage};
use crate::wire::{Reader, Wire};

/// An image. It differs from one of version 2 in its invocations.
pub(super) fn image(reader: &mut Reader) -> Image {
    v2::image_with(reader, invocation)
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
        group: None,
        list: None,
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
