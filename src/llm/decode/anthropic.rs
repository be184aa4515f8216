//! Anthropic Messages: numbered blocks that begin, grow and end.
//!
//! Source: <https://platform.claude.com/docs/en/build-with-claude/streaming>.

use super::super::api::Api;
use super::super::json::Value;
use super::super::response::{FinishReason, Usage};
use super::super::types::{Block, Signature};
use super::fault::Fault;
use super::sink::Sink;

/// One event; true for the last one. Unknown kinds of events and blocks (pings, citations, the provider's own tools)
/// are ignored.
pub(super) fn event(value: Value<'_>, sink: &mut Sink) -> Result<bool, Fault> {
    let number = value.at("index").u64().unwrap_or(0);
    match value.at("type").text() {
        "message_start" => {
            let message = value.at("message");
            sink.identify(message, "id", "model");
            sink.cost(cost(message.at("usage"), Usage::default()));
        }
        "content_block_start" => begin(number, value.at("content_block"), sink)?,
        "content_block_delta" => more(number, value.at("delta"), sink),
        "content_block_stop" => sink.call_done(number),
        "message_delta" => {
            let known = sink.latest_cost();
            sink.cost(cost(value.at("usage"), known));
            end(value.at("delta"), sink)?;
        }
        "message_stop" => {
            sink.finish(FinishReason::Other, "");
            return Ok(true);
        }
        "error" => return Err(Fault::reported(value.at("error"), value)),
        _ if value.at("error").is_some() => return Err(Fault::reported(value.at("error"), value)),
        _ => {}
    }
    Ok(false)
}

/// A complete response: the same blocks, complete.
pub(super) fn whole(value: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let content = value.at("content");
    if !content.is_array() {
        return Err(Fault::unreadable("The response has no content", value.raw().unwrap_or_default()));
    }
    sink.identify(value, "id", "model");
    sink.cost(cost(value.at("usage"), Usage::default()));
    for (number, block) in (0..).zip(content.items()) {
        begin(number, block, sink)?;
        sink.call_done(number);
    }
    end(value, sink)?;
    sink.finish(FinishReason::Other, "");
    Ok(())
}

fn begin(number: u64, block: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    match block.at("type").text() {
        "text" => {
            let at = sink.open_text(number)?;
            sink.append(at, block.at("text").text());
        }
        "thinking" => {
            let reasoning = Block::Reasoning { text: String::new(), signature: None, redacted: false };
            let at = sink.open_numbered(number, reasoning)?;
            sink.append(at, block.at("thinking").text());
            sign(at, block.at("signature").filled(), sink);
        }
        "redacted_thinking" => {
            let reasoning = Block::Reasoning { text: String::new(), signature: None, redacted: true };
            let at = sink.open_numbered(number, reasoning)?;
            sign(at, block.at("data").filled(), sink);
        }
        "tool_use" => {
            sink.call(number, block.at("id").text(), block.at("name").text())?;
            // A stream begins with `{}` here, and sends the arguments as text afterwards.
            let input = block.at("input");
            if input.entries().next().is_some() {
                sink.arguments_of(number, input);
            }
        }
        _ => {}
    }
    Ok(())
}

fn more(number: u64, delta: Value<'_>, sink: &mut Sink) {
    let text = |key: &str| delta.at(key).text();
    match delta.at("type").text() {
        "text_delta" => append(number, text("text"), sink),
        "thinking_delta" => append(number, text("thinking"), sink),
        "input_json_delta" => sink.arguments(number, text("partial_json")),
        "signature_delta" => {
            if let Some(at) = sink.numbered(number) {
                sign(at, delta.at("signature").filled(), sink);
            }
        }
        _ => {}
    }
}

fn append(number: u64, text: &str, sink: &mut Sink) {
    if let Some(at) = sink.numbered(number) {
        sink.append(at, text);
    }
}

/// A signature may come in pieces.
fn sign(at: usize, data: Option<&str>, sink: &mut Sink) {
    if let (Some(data), Some(signature)) = (data, sink.signature(at)) {
        let signature = signature.get_or_insert(Signature { api: Api::Anthropic, id: None, data: None });
        signature.data.get_or_insert_default().push_str(data);
    }
}

fn end(delta: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let Some(raw) = delta.at("stop_reason").filled() else { return Ok(()) };
    // The provider's explanation of a refusal, if it gives one.
    sink.refusal(delta.at("stop_details").at("explanation").text())?;
    let reason = match raw {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::Refusal,
        "pause_turn" => FinishReason::Pause,
        _ => FinishReason::Other,
    };
    sink.finish(reason, raw);
    Ok(())
}

/// Each report replaces the one before, as far as it has numbers.
fn cost(usage: Value<'_>, known: Usage) -> Usage {
    let read = usage.at("cache_read_input_tokens").u64();
    let written = usage.at("cache_creation_input_tokens").u64();
    // `input_tokens` does not include cached tokens.
    let input = usage.at("input_tokens").u64().map(|rest| {
        rest.saturating_add(read.or(known.cached).unwrap_or(0))
            .saturating_add(written.or(known.cache_written).unwrap_or(0))
    });
    Usage {
        input: input.or(known.input),
        output: usage.at("output_tokens").u64().or(known.output),
        reasoning: known.reasoning,
        cached: read.or(known.cached),
        cache_written: written.or(known.cache_written),
    }
}
