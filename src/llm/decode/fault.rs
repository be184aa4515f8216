//! Errors of responses: what is wrong inside of one, and what the bodies of errors mean.

use super::super::ascii::{find, push_number};
use super::super::error::LlmError;
use super::super::json::{Tape, Value};
use crate::error::Code;

/// How much of an unexpected body is quoted, in bytes.
const EXCERPT: usize = 200;

/// An error on its way out of a decoder.
#[derive(Debug)]
pub(super) struct Fault(pub(super) Box<LlmError>);

impl Fault {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Fault {
        Fault(Box::new(LlmError::new(code, message)))
    }

    pub(super) fn bad(message: &str) -> Fault {
        Fault::new(Code::LlmBadAnswer, message)
    }

    /// Something unexpected, with its beginning.
    pub(super) fn unreadable(what: &str, text: &str) -> Fault {
        Fault::bad(&[what, ": ", &excerpt(text)].concat())
    }

    /// An error that the provider reports inside of a successful response.
    #[inline(never)]
    pub(super) fn reported(error: Value<'_>, whole: Value<'_>) -> Fault {
        let mut fault = describe(None, error, whole);
        // A more exact code is kept: it decides about retries.
        if matches!(fault.code, Code::LlmHttp | Code::LlmBadRequest) {
            fault.code = Code::LlmStreamError;
        }
        Fault(Box::new(fault))
    }
}

/// The beginning of a text on one line.
#[inline(never)]
fn excerpt(text: &str) -> String {
    let mut line = String::new();
    for c in text.trim_ascii().chars() {
        if line.len() >= EXCERPT {
            line.push('…');
            break;
        }
        if !c.is_ascii_whitespace() {
            line.push(c);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line
}

/// The error for a response with a status other than success.
///
/// All providers send `{"error": {"message", "type" | "status", "code"}}`. Other servers with their APIs also send
/// `{"error": "…"}`, `{"message": "…"}`, `{"detail": "…"}`, a list with one of these, or a page of HTML.
#[must_use]
pub fn refused(status: u16, body: &[u8]) -> LlmError {
    let text = String::from_utf8_lossy(body);
    let mut tape = Tape::default();
    match tape.read(&text) {
        Ok(value) => {
            let whole = value.items().next().unwrap_or(value);
            describe(Some(status), whole.at("error"), whole)
        }
        Err(_) => {
            let mut message = excerpt(&text);
            if message.is_empty() {
                message.push_str("The response is empty, with the status ");
                push_number(status.into(), &mut message);
                message.push('.');
            }
            let mut error = LlmError::new(code_of(Some(status), "", "", &text), message);
            error.status = Some(status);
            error
        }
    }
}

#[inline(never)]
fn describe(status: Option<u16>, error: Value<'_>, whole: Value<'_>) -> LlmError {
    let (inner, outer) = (if error.is_object() { error } else { whole }, whole);
    let message = [inner.at("message"), error, outer.at("message"), outer.at("detail"), outer.at("error")]
        .into_iter()
        .find_map(Value::filled)
        .map_or_else(|| excerpt(outer.raw().unwrap_or_default()), str::to_owned);
    // Gemini has a name in `status` and a number in `code`; the others have a name in `type`, and often one in `code`.
    let kind = inner.at("status").filled().or(inner.at("type").filled()).unwrap_or_default();
    let provider_code = inner.at("code").filled().unwrap_or_default();
    let code =
        inner.at("code").u64().and_then(|code| u16::try_from(code).ok()).filter(|code| (400..600).contains(code));
    let mut described = LlmError::new(code_of(status.or(code), kind, provider_code, &message), message);
    described.status = status;
    described.kind = Some(kind).filter(|kind| !kind.is_empty()).map(str::to_owned);
    described.provider_code = Some(provider_code).filter(|code| !code.is_empty()).map(str::to_owned);
    described
}

#[inline(never)]
fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| find(text, word).is_some())
}

fn code_of(status: Option<u16>, kind: &str, provider_code: &str, message: &str) -> Code {
    let names = [kind, provider_code];
    let named = |words: &[&str]| names.iter().any(|name| has(name, words));
    const TOO_LONG: &[&str] = &[
        "context length",
        "context window",
        "context size",
        "maximum context",
        "prompt is too long",
        "input is too long",
        "maximum number of tokens",
        "maximum prompt length",
    ];
    if named(&["insufficient_quota", "billing"]) || status == Some(402) {
        return Code::LlmQuota;
    }
    if named(&["context_length", "exceed_context"])
        || (matches!(status, Some(400 | 413 | 422)) && has(message, TOO_LONG))
    {
        return Code::LlmContextLength;
    }
    if named(&["content_filter", "content_policy"]) {
        return Code::LlmContentFilter;
    }
    match status {
        Some(401 | 403) => Code::LlmAuth,
        Some(404) => Code::LlmNotFound,
        Some(429) => Code::LlmRateLimit,
        Some(500..) => Code::LlmServer,
        Some(400 | 405 | 409 | 413 | 415 | 422) => Code::LlmBadRequest,
        Some(_) => Code::LlmHttp,
        // An error inside of a response: only its names decide.
        None if named(&["rate_limit", "resource_exhausted", "too_many_requests"]) => Code::LlmRateLimit,
        None if named(&["overloaded", "server_error", "api_error", "internal", "unavailable", "timeout"]) => {
            Code::LlmServer
        }
        None if named(&["authentication", "permission", "unauthenticated", "invalid_api_key"]) => Code::LlmAuth,
        None if named(&["not_found"]) => Code::LlmNotFound,
        None if named(&["invalid"]) => Code::LlmBadRequest,
        None => Code::LlmHttp,
    }
}
