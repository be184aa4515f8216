//! Gemini: every chunk is a response of its own, with the new parts.
//!
//! Source: <https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>, and for signatures
//! <https://ai.google.dev/gemini-api/docs/thought-signatures>.

use super::super::api::Api;
use super::super::json::Value;
use super::super::response::{FinishReason, Usage};
use super::super::types::{Block, Image, Signature};
use super::fault::Fault;
use super::sink::Sink;
use crate::error::Code;

/// One chunk. No chunk is marked as the last one: usage may follow after the reason to finish.
pub(super) fn event(value: Value<'_>, sink: &mut Sink) -> Result<bool, Fault> {
    let error = value.at("error");
    if error.is_some() {
        return Err(Fault::reported(error, value));
    }
    sink.identify(value, "responseId", "modelVersion");
    let usage = value.at("usageMetadata");
    if usage.is_object() {
        sink.cost(cost(usage));
    }
    let Some(candidate) = value.at("candidates").items().next() else {
        return match value.at("promptFeedback").at("blockReason").filled() {
            Some(reason) => Err(Fault::new(Code::LlmContentFilter, ["The prompt was blocked: ", reason, "."].concat())),
            None => Ok(false),
        };
    };
    for part in candidate.at("content").at("parts").items() {
        take(part, sink)?;
    }
    if let Some(raw) = candidate.at("finishReason").filled() {
        sink.finish(reason(raw), raw);
    }
    Ok(false)
}

/// A complete response, or the list of all chunks, which is sent without `alt=sse`.
pub(super) fn whole(value: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let single = value.is_object().then_some(value);
    let mut found = false;
    for answer in value.items().chain(single) {
        found |= answer.at("candidates").is_some();
        event(answer, sink)?;
    }
    if !found {
        return Err(Fault::unreadable("The response has no candidates", value.raw().unwrap_or_default()));
    }
    if value.is_array() && sink.response.finish == FinishReason::None {
        return Err(Fault::new(Code::LlmStreamCut, "The last chunk has no reason to finish."));
    }
    sink.finish(FinishReason::Other, "");
    Ok(())
}

fn take(part: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let signature = part.at("thoughtSignature").filled();
    let call = part.at("functionCall");
    if call.is_object() {
        let key = sink.response.content.len() as u64;
        let id = call.at("id").filled();
        let at = sink.call(key, id.unwrap_or_default(), call.at("name").text())?;
        sink.arguments_of(key, call.at("args"));
        // Structured output that came as a call is text, which needs no signature.
        let is_call = matches!(sink.response.content.get(at), Some(Block::ToolCall(_)));
        if is_call && (id.is_some() || signature.is_some()) {
            sign(at, id, signature, sink);
        }
        sink.call_done(key);
        return Ok(());
    }
    let blob = part.at("inlineData");
    if let (Some(media_type), Some(data)) = (blob.at("mimeType").string(), blob.at("data").string()) {
        sink.open(Block::Image(Image::Base64 { media_type, data }))?;
        return Ok(());
    }
    let text = part.at("text").text();
    if part.at("thought").bool() == Some(true) {
        sink.reasoning(text)?;
    } else {
        sink.text(text)?;
    }
    if signature.is_some() {
        // It belongs to the text before it, even if it comes alone.
        let at = match sink.response.content.last() {
            Some(Block::Text { signature: None, .. } | Block::Reasoning { signature: None, .. }) => {
                sink.response.content.len() - 1
            }
            _ => sink.open(Block::text(""))?,
        };
        sign(at, None, signature, sink);
    }
    Ok(())
}

fn sign(at: usize, id: Option<&str>, data: Option<&str>, sink: &mut Sink) {
    if let Some(signature) = sink.signature(at) {
        *signature = Some(Signature { api: Api::Gemini, id: id.map(str::to_owned), data: data.map(str::to_owned) });
    }
}

fn cost(usage: Value<'_>) -> Usage {
    let count = |key: &str| usage.at(key).u64();
    let plus = |a: Option<u64>, b: Option<u64>| a.map(|a| a.saturating_add(b.unwrap_or(0))).or(b);
    Usage {
        input: plus(count("promptTokenCount"), count("toolUsePromptTokenCount")),
        output: plus(count("candidatesTokenCount"), count("thoughtsTokenCount")),
        reasoning: count("thoughtsTokenCount"),
        cached: count("cachedContentTokenCount"),
        cache_written: None,
    }
}

fn reason(raw: &str) -> FinishReason {
    match raw {
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY" => {
            FinishReason::ContentFilter
        }
        "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" => FinishReason::Error,
        _ => FinishReason::Other,
    }
}
