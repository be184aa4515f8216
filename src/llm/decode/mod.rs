//! Decodes responses: bytes that are cut anywhere become deltas and a message, for every provider.
//!
//! The kind of a body (stream, JSON, page) is recognised by its first byte, not by its headers: some servers send JSON,
//! or an error, where a stream was requested, and streams with another content type. So one decoder reads streams and
//! complete responses.
//!
//! - `mod.rs`: [`Decoder`], the same for all providers.
//! - `sink.rs`: the response while it grows.
//! - `fault.rs`: errors, and bodies of errors.
//! - `chat.rs`, `responses.rs`, `anthropic.rs`, `gemini.rs`: the events of each API.

mod anthropic;
mod chat;
mod fault;
mod gemini;
mod responses;
mod sink;

use std::borrow::Cow;

use super::api::Api;
use super::delta::Deltas;
use super::error::LlmError;
use super::json::{Tape, Value};
use super::response::ModelResponse;
use super::sse::{EventTooLong, MAX_EVENT, SseReader};
use crate::error::Code;
use fault::Fault;
use sink::Sink;

pub use fault::refused;

/// The kind of a body.
#[derive(Debug)]
enum Body {
    /// Nothing but white space has arrived.
    Unknown,
    /// Server-sent events.
    Events(SseReader, Opening),
    /// One JSON document.
    Whole(Vec<u8>),
    /// A page of HTML.
    Foreign(Opening),
}

/// The beginning of a possible stream, kept for the message until the first event proves that it is one.
#[derive(Debug, Default)]
struct Opening {
    bytes: Vec<u8>,
    proven: bool,
}

impl Opening {
    /// How much of an unexpected response is quoted, in bytes.
    const KEPT: usize = 1024;

    fn keep(&mut self, chunk: &[u8]) {
        if !self.proven {
            self.bytes.extend_from_slice(&chunk[..chunk.len().min(Self::KEPT.saturating_sub(self.bytes.len()))]);
        }
    }

    /// Whether this may be a stream that was cut off before its first event.
    fn is_plausible(&self) -> bool {
        let fields: [&[u8]; 5] = [b":", b"data", b"event", b"id", b"retry"];
        self.proven || fields.iter().any(|field| self.bytes.starts_with(field) || field.starts_with(&self.bytes))
    }
}

/// How the response to a request has to be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The API.
    pub api: Api,
    /// The tool for structured output, whose arguments are the answer; empty if there is none.
    pub output_tool: String,
    /// Whether a stream with a reason to finish is complete without its end marker, which many servers with the Chat
    /// Completions API do not send.
    pub lenient_end: bool,
    /// Any number that differs between calls, for the ids of tool calls that come without one.
    pub seed: u64,
}

/// Decodes one response.
///
/// Push the bytes as they arrive, read the deltas and clear them, and call `finish` at the end. After an error, every
/// call returns the same error again.
///
/// ```
/// use stepstream::llm::{Api, Decoder, Delta, Expectation};
///
/// let mut decoder = Decoder::new(Expectation::of(Api::Chat));
/// decoder.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n").unwrap();
/// assert_eq!(decoder.deltas().iter().next(), Some(Delta::Text { index: 0, text: "Hi" }));
/// decoder.clear_deltas();
/// decoder.push(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n").unwrap();
/// decoder.finish().unwrap();
/// assert_eq!(decoder.response().text(), "Hi");
/// ```
pub struct Decoder {
    expectation: Expectation,
    body: Body,
    tape: Tape,
    sink: Sink,
    /// Whether the end marker has arrived. What follows it is ignored.
    complete: bool,
    failed: Option<Box<LlmError>>,
}

impl Expectation {
    /// For a response of that API to a plain request.
    #[must_use]
    pub fn of(api: Api) -> Expectation {
        Expectation { api, output_tool: String::new(), lenient_end: false, seed: 0 }
    }
}

impl Decoder {
    /// A decoder before the first byte.
    #[must_use]
    pub fn new(expectation: Expectation) -> Decoder {
        let sink = Sink::new(&expectation.output_tool, expectation.seed);
        Decoder { expectation, body: Body::Unknown, tape: Tape::default(), sink, complete: false, failed: None }
    }

    /// As [`new`](Self::new), for a response that continues another one that was cut off, with the unread deltas of
    /// that.
    #[must_use]
    pub fn resuming(expectation: Expectation, partial: ModelResponse, unread: Deltas) -> Decoder {
        let mut decoder = Decoder::new(expectation);
        decoder.sink.resume(partial);
        decoder.sink.deltas = unread;
        decoder
    }

    /// Decodes the next bytes.
    ///
    /// # Errors
    ///
    /// [`Code::LlmBadAnswer`] for what is not a response of this API, [`Code::LlmStreamError`] or a more exact code for
    /// an error that the provider reports in it. What had arrived is in [`response`](Self::response).
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), &LlmError> {
        if self.failed.is_none() {
            self.failed = self.take(chunk).err().map(|fault| fault.0);
        }
        self.failed.as_deref().map_or(Ok(()), Err)
    }

    /// Ends the bytes.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and [`Code::LlmStreamCut`] if the end marker is missing.
    pub fn finish(&mut self) -> Result<(), &LlmError> {
        if self.failed.is_none() {
            self.failed = self.end().err().map(|fault| fault.0);
        }
        self.failed.as_deref().map_or(Ok(()), Err)
    }

    /// The deltas since [`clear_deltas`](Self::clear_deltas).
    #[must_use]
    pub fn deltas(&self) -> &Deltas {
        &self.sink.deltas
    }

    /// Removes the deltas, after they were read.
    pub fn clear_deltas(&mut self) {
        self.sink.deltas.clear();
    }

    /// Moves the error out; the decoder is not used any more afterwards.
    pub(super) fn take_failure(&mut self) -> LlmError {
        self.failed.take().map_or_else(|| LlmError::new(Code::LlmBadAnswer, ""), |failed| *failed)
    }

    /// Moves the deltas out.
    pub(super) fn take_deltas(&mut self) -> Deltas {
        core::mem::take(&mut self.sink.deltas)
    }

    /// The response as far as it has arrived.
    #[must_use]
    pub fn response(&self) -> &ModelResponse {
        &self.sink.response
    }

    /// Moves the response out.
    pub fn take_response(&mut self) -> ModelResponse {
        core::mem::take(&mut self.sink.response)
    }

    /// Whether the end marker has arrived, so that the rest need not be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    fn take(&mut self, mut chunk: &[u8]) -> Result<(), Fault> {
        if let Body::Unknown = self.body {
            // White space and a byte order mark, which may come in pieces, are skipped before every kind of body.
            let blank = |byte: &u8| byte.is_ascii_whitespace() || [0xef, 0xbb, 0xbf].contains(byte);
            let start = chunk.iter().position(|byte| !blank(byte)).unwrap_or(chunk.len());
            chunk = &chunk[start..];
            self.body = match chunk.first() {
                None => return Ok(()),
                Some(b'{' | b'[') => Body::Whole(Vec::new()),
                Some(b'<') => Body::Foreign(Opening::default()),
                Some(_) => Body::Events(SseReader::new(), Opening::default()),
            };
        }
        match &mut self.body {
            Body::Events(reader, opening) => {
                opening.keep(chunk);
                while !self.complete {
                    let next = reader.next_event(&mut chunk).map_err(|EventTooLong| too_long())?;
                    let Some(data) = next else { break };
                    opening.proven = true;
                    event(data, &self.expectation, &mut self.tape, &mut self.sink, &mut self.complete)?;
                }
            }
            Body::Whole(body) => {
                if body.len() + chunk.len() > MAX_EVENT {
                    return Err(too_long());
                }
                body.extend_from_slice(chunk);
            }
            Body::Foreign(opening) => opening.keep(chunk),
            Body::Unknown => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.complete {
            return Ok(());
        }
        match &mut self.body {
            Body::Unknown => return Err(Fault::new(Code::LlmStreamCut, "The response is empty.")),
            Body::Foreign(opening) => return Err(foreign(opening)),
            Body::Whole(body) => {
                let text = String::from_utf8_lossy(body);
                let value = match self.tape.read(&text) {
                    Ok(value) => value,
                    Err(_) => {
                        return Err(Fault::new(Code::LlmStreamCut, "The JSON of the response is incomplete or wrong."));
                    }
                };
                whole(value, &self.expectation, &mut self.sink)?;
                self.complete = true;
                return Ok(());
            }
            Body::Events(reader, opening) => {
                if !opening.is_plausible() {
                    return Err(foreign(opening));
                }
                if let Some(data) = reader.finish().map_err(|EventTooLong| too_long())? {
                    let text = String::from_utf8_lossy(data);
                    if text.trim_ascii() != "[DONE]" && self.tape.read(&text).is_err() {
                        return Err(Fault::new(Code::LlmStreamCut, "The stream ended in the middle of an event."));
                    }
                    event(data, &self.expectation, &mut self.tape, &mut self.sink, &mut self.complete)?;
                }
            }
        }
        let finished = self.sink.response.finish != super::FinishReason::None;
        // Gemini has no end marker; usage may follow after its reason to finish.
        if self.complete || (finished && (self.expectation.lenient_end || self.expectation.api == Api::Gemini)) {
            // Calls may have begun after the reason to finish.
            self.sink.finish(super::FinishReason::Other, "");
            self.complete = true;
            return Ok(());
        }
        Err(Fault::new(Code::LlmStreamCut, "The stream ended without its end marker."))
    }
}

fn foreign(opening: &Opening) -> Fault {
    let text = String::from_utf8_lossy(&opening.bytes);
    Fault::unreadable("The response is neither JSON nor a stream of events", &text)
}

fn too_long() -> Fault {
    Fault::bad("An event, or the whole response, is longer than 32 MiB.")
}

/// One event of a stream.
fn event(
    data: &[u8],
    expectation: &Expectation,
    tape: &mut Tape,
    sink: &mut Sink,
    complete: &mut bool,
) -> Result<(), Fault> {
    // Invalid bytes become U+FFFD, as in the standard. Looking for them goes byte by byte, so it comes after a faster
    // check that there are none.
    let text = match core::str::from_utf8(data) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(data),
    };
    if text.is_empty() {
        return Ok(());
    }
    if text.starts_with("[DONE]") {
        if expectation.api == Api::Chat {
            chat::done(sink);
            *complete = true;
        }
        return Ok(());
    }
    let Ok(value) = tape.read(&text) else {
        return Err(Fault::unreadable("An event of the stream is not JSON", &text));
    };
    *complete = match expectation.api {
        Api::Chat => chat::event(value, sink)?,
        Api::Responses => responses::event(value, sink)?,
        Api::Anthropic => anthropic::event(value, sink)?,
        Api::Gemini => gemini::event(value, sink)?,
    };
    Ok(())
}

/// A complete response in one document. Gemini sends a list of chunks without `alt=sse`.
fn whole(value: Value<'_>, expectation: &Expectation, sink: &mut Sink) -> Result<(), Fault> {
    if let Some(error) = provider_error(value) {
        return Err(error);
    }
    match expectation.api {
        Api::Chat => chat::whole(value, sink),
        Api::Responses => responses::whole(value, sink),
        Api::Anthropic => anthropic::whole(value, sink),
        Api::Gemini => gemini::whole(value, sink),
    }
}

/// The error that a document reports instead of a response.
fn provider_error(value: Value<'_>) -> Option<Fault> {
    let value = if value.is_array() { value.items().next()? } else { value };
    let error = value.at("error");
    error.is_some().then(|| Fault::reported(error, value))
}
