//! Decoding answers: bytes that are cut anywhere become deltas and a message, whoever sent them.
//!
//! Which form an answer has is seen from its first byte, not from its headers: servers are known to send JSON, or an error, where a
//! stream was asked for, and to call a stream by other names. So one decoder takes streams and whole answers.
//!
//! - `mod.rs`: [`Decoder`], the same for all.
//! - `sink.rs`: the answer as it grows.
//! - `fault.rs`: what goes wrong; bodies of errors.
//! - `chat.rs`, `responses.rs`, `anthropic.rs`, `gemini.rs`: what each provider's events mean.

mod anthropic;
mod chat;
mod fault;
mod gemini;
mod responses;
mod sink;

use super::delta::Deltas;
use super::error::LlmError;
use super::json::{Tape, Value};
use super::provider::Api;
use super::response::ModelResponse;
use super::sse::{EventTooLong, MAX_EVENT, SseReader};
use crate::error::Code;
use fault::Fault;
use sink::Sink;

pub use fault::refused;

/// What the bytes turned out to be.
#[derive(Debug)]
enum Form {
    /// Nothing has come but white space.
    Unknown,
    /// Server-sent events.
    Events(SseReader, Opening),
    /// One document, complete at the end.
    Whole(Vec<u8>),
    /// A page.
    Foreign(Opening),
}

/// The beginning of what may be a stream, kept until its first event proves that it is one.
#[derive(Debug, Default)]
struct Opening {
    bytes: Vec<u8>,
    proven: bool,
}

impl Opening {
    /// Enough of an unexpected answer to show.
    const KEPT: usize = 1024;

    fn keep(&mut self, chunk: &[u8]) {
        if !self.proven {
            self.bytes.extend_from_slice(&chunk[..chunk.len().min(Self::KEPT.saturating_sub(self.bytes.len()))]);
        }
    }

    /// Whether this can be how a stream begins that was cut off before its first event.
    fn is_plausible(&self) -> bool {
        let fields: [&[u8]; 5] = [b":", b"data", b"event", b"id", b"retry"];
        self.proven || fields.iter().any(|field| self.bytes.starts_with(field) || field.starts_with(&self.bytes))
    }
}

/// What an answer is expected to look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Whose words it is in.
    pub api: Api,
    /// The tool whose arguments are the answer; empty if there is none. [`Provider::build`](super::Provider::build) tells it.
    pub output_tool: String,
    /// Whether a stream that ends with a reason to finish, but without its end marker, is complete. Servers that only imitate the
    /// Chat Completions API often leave the marker out.
    pub lenient_end: bool,
    /// Anything that differs between calls; goes into the ids of tool calls that come without one.
    pub seed: u64,
}

/// One answer being decoded.
///
/// Push the bytes as they come, read the deltas and clear them, and call `finish` at the end. After an error every call gives that same
/// error again. Two decoders share nothing.
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
    form: Form,
    tape: Tape,
    sink: Sink,
    /// Whether the end marker has come. What follows it is not looked at.
    complete: bool,
    failed: Option<Box<LlmError>>,
}

impl Expectation {
    /// An answer of that API to a plain request.
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
        Decoder { expectation, form: Form::Unknown, tape: Tape::default(), sink, complete: false, failed: None }
    }

    /// As [`new`](Self::new), for an answer that goes on where another was cut off, with the deltas of that which nobody has read yet.
    #[must_use]
    pub fn resuming(expectation: Expectation, partial: ModelResponse, unread: Deltas) -> Decoder {
        let mut decoder = Decoder::new(expectation);
        decoder.sink.resume(partial);
        decoder.sink.deltas = unread;
        decoder
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// [`Code::LlmBadAnswer`] for what is no answer of this API, [`Code::LlmStreamError`] or a more exact code for an error that the
    /// provider reports inside of it. What had arrived is in [`answer`](Self::answer).
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), &LlmError> {
        if self.failed.is_none() {
            self.failed = self.take(chunk).err().map(|fault| fault.0);
        }
        self.failed.as_deref().map_or(Ok(()), Err)
    }

    /// The bytes have ended.
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

    /// What is new since [`clear_deltas`](Self::clear_deltas).
    #[must_use]
    pub fn deltas(&self) -> &Deltas {
        &self.sink.deltas
    }

    /// Forgets the deltas, because they were read.
    pub fn clear_deltas(&mut self) {
        self.sink.deltas.clear();
    }

    /// Takes the error out, for the one who will not ask again.
    pub(super) fn take_failure(&mut self) -> LlmError {
        self.failed.take().map_or_else(|| LlmError::new(Code::LlmBadAnswer, ""), |failed| *failed)
    }

    /// Takes the deltas out, which leaves none.
    pub(super) fn take_deltas(&mut self) -> Deltas {
        core::mem::take(&mut self.sink.deltas)
    }

    /// The answer as far as it has come.
    #[must_use]
    pub fn response(&self) -> &ModelResponse {
        &self.sink.response
    }

    /// Takes the answer out, which leaves an empty one.
    pub fn take_response(&mut self) -> ModelResponse {
        core::mem::take(&mut self.sink.response)
    }

    /// Whether the end marker has come, so that nothing more needs to be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    fn take(&mut self, mut chunk: &[u8]) -> Result<(), Fault> {
        if let Form::Unknown = self.form {
            // White space and a byte order mark, which may come in pieces, stand before all forms alike and mean nothing.
            let blank = |byte: &u8| byte.is_ascii_whitespace() || [0xef, 0xbb, 0xbf].contains(byte);
            let start = chunk.iter().position(|byte| !blank(byte)).unwrap_or(chunk.len());
            chunk = &chunk[start..];
            self.form = match chunk.first() {
                None => return Ok(()),
                Some(b'{' | b'[') => Form::Whole(Vec::new()),
                Some(b'<') => Form::Foreign(Opening::default()),
                Some(_) => Form::Events(SseReader::new(), Opening::default()),
            };
        }
        match &mut self.form {
            Form::Events(reader, opening) => {
                opening.keep(chunk);
                while !self.complete {
                    let next = reader.next_event(&mut chunk).map_err(|EventTooLong| too_long())?;
                    let Some(data) = next else { break };
                    opening.proven = true;
                    event(data, &self.expectation, &mut self.tape, &mut self.sink, &mut self.complete)?;
                }
            }
            Form::Whole(body) => {
                if body.len() + chunk.len() > MAX_EVENT {
                    return Err(too_long());
                }
                body.extend_from_slice(chunk);
            }
            Form::Foreign(opening) => opening.keep(chunk),
            Form::Unknown => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.complete {
            return Ok(());
        }
        match &mut self.form {
            Form::Unknown => return Err(Fault::new(Code::LlmStreamCut, "The answer is empty.")),
            Form::Foreign(opening) => return Err(foreign(opening)),
            Form::Whole(body) => {
                let text = String::from_utf8_lossy(body);
                let value = match self.tape.read(&text) {
                    Ok(value) => value,
                    Err(_) => {
                        return Err(Fault::new(Code::LlmStreamCut, "The JSON of the answer is incomplete or wrong."));
                    }
                };
                whole(value, &self.expectation, &mut self.sink)?;
                self.complete = true;
                return Ok(());
            }
            Form::Events(reader, opening) => {
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
        // Gemini has no end marker but the reason to finish itself, after which usage may follow.
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
    Fault::unreadable("The answer is neither JSON nor a stream of events", &text)
}

fn too_long() -> Fault {
    Fault::bad("An event, or the whole answer, is longer than 32 MiB.")
}

/// One event of a stream.
fn event(
    data: &[u8],
    expectation: &Expectation,
    tape: &mut Tape,
    sink: &mut Sink,
    complete: &mut bool,
) -> Result<(), Fault> {
    // Ill-formed bytes become U+FFFD, as the standard has it.
    let text = String::from_utf8_lossy(data);
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

/// A whole answer in one document; a list of chunks is what Gemini sends without `alt=sse`.
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

/// The error that a document reports in place of an answer.
fn provider_error(value: Value<'_>) -> Option<Fault> {
    let value = if value.is_array() { value.items().next()? } else { value };
    let error = value.at("error");
    error.is_some().then(|| Fault::reported(error, value))
}
