//! OpenAI Responses: numbered items with numbered parts, which are sent when they begin, grow and end, and once more at
//! the end.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses-streaming>.

use super::super::api::Api;
use super::super::json::Value;
use super::super::response::{FinishReason, Usage};
use super::super::types::{Block, Signature};
use super::fault::Fault;
use super::sink::Sink;

/// The number under which a part of an item is stored.
fn part(item: u64, part: u64) -> u64 {
    (item << 32) | (part & 0xffff_ffff)
}

/// One event; true for the last one. Unknown kinds (the provider's own tools, annotations, audio) are ignored.
pub(super) fn event(value: Value<'_>, sink: &mut Sink) -> Result<bool, Fault> {
    let item = value.at("output_index").u64().unwrap_or(0);
    let index = value.at("content_index").u64().unwrap_or(0);
    let delta = value.at("delta").text();
    match value.at("type").text() {
        "response.created" | "response.in_progress" => {
            sink.identify(value.at("response"), "id", "model");
        }
        "response.output_text.delta" => {
            let at = text(part(item, index), Block::text(""), value.at("item_id"), sink)?;
            sink.append(at, delta);
        }
        "response.refusal.delta" => {
            let at = text(part(item, index), Block::Refusal(String::new()), value.at("item_id"), sink)?;
            sink.append(at, delta);
        }
        "response.reasoning_summary_part.added" => {
            let at = reasoning(item, sink)?;
            if matches!(sink.response.content.get(at), Some(Block::Reasoning { text, .. }) if !text.is_empty()) {
                sink.append(at, "\n\n");
            }
        }
        "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
            let at = reasoning(item, sink)?;
            sink.append(at, delta);
        }
        "response.output_item.added" => begin(item, value.at("item"), sink)?,
        "response.function_call_arguments.delta" => sink.arguments(item, delta),
        "response.custom_tool_call_input.delta" => sink.quoted_arguments(item, delta),
        "response.output_item.done" => complete(item, value.at("item"), sink)?,
        "response.completed" | "response.incomplete" | "response.failed" => {
            end(value.at("response"), sink)?;
            return Ok(true);
        }
        "error" => return Err(Fault::reported(value.at("error"), value)),
        _ if value.at("error").is_some() => return Err(Fault::reported(value.at("error"), value)),
        _ => {}
    }
    Ok(false)
}

/// A complete response: its items are those that a stream sends at their ends.
pub(super) fn whole(value: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let output = value.at("output");
    if !output.is_array() {
        return Err(Fault::unreadable("The response has no output", value.raw().unwrap_or_default()));
    }
    sink.identify(value, "id", "model");
    for (number, item) in (0..).zip(output.items()) {
        complete(number, item, sink)?;
    }
    end(value, sink)
}

fn sign(at: usize, id: Value<'_>, data: Value<'_>, sink: &mut Sink) {
    if let (true, Some(signature)) = (id.is_some(), sink.signature(at)) {
        *signature = Some(Signature { api: Api::Responses, id: id.string(), data: data.string() });
    }
}

/// The block of a part of a message, opened if it is new.
fn text(number: u64, block: Block, id: Value<'_>, sink: &mut Sink) -> Result<usize, Fault> {
    match sink.numbered(number) {
        Some(at) => Ok(at),
        None => {
            let at = sink.open_numbered(number, block)?;
            sign(at, id, id.at(""), sink);
            Ok(at)
        }
    }
}

/// The block of an item of reasoning, opened if it is new.
fn reasoning(item: u64, sink: &mut Sink) -> Result<usize, Fault> {
    let block = Block::Reasoning { text: String::new(), signature: None, redacted: false };
    match sink.numbered(part(item, 0)) {
        Some(at) => Ok(at),
        None => sink.open_numbered(part(item, 0), block),
    }
}

fn begin(number: u64, item: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let kind = item.at("type").text();
    match kind {
        "reasoning" => {
            let at = reasoning(number, sink)?;
            sign(at, item.at("id"), item.at("encrypted_content"), sink);
        }
        "function_call" | "custom_tool_call" => {
            let id = item.at("call_id").text();
            let at = sink.call(number, id, item.at("name").text())?;
            sign(at, item.at("id"), item.at("id").at(""), sink);
            if kind == "custom_tool_call" {
                // Its input is free text; as an argument it is a JSON string.
                if let Some(Some(signature)) = sink.signature(at) {
                    signature.data = Some("custom".to_owned());
                }
                sink.arguments(number, "\"");
            }
        }
        _ => {}
    }
    Ok(())
}

/// A complete item. What its deltas had already is not added again, but all of it may be new.
fn complete(number: u64, item: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let kind = item.at("type").text();
    match kind {
        "reasoning" => {
            let is_new = sink.numbered(part(number, 0)).is_none();
            let at = reasoning(number, sink)?;
            let untold = is_new
                || matches!(sink.response.content.get(at), Some(Block::Reasoning { text, .. }) if text.is_empty());
            if untold {
                for (index, piece) in item.at("summary").items().chain(item.at("content").items()).enumerate() {
                    if index > 0 {
                        sink.append(at, "\n\n");
                    }
                    sink.append(at, piece.at("text").text());
                }
            }
            sign(at, item.at("id"), item.at("encrypted_content"), sink);
        }
        "function_call" | "custom_tool_call" => {
            if sink.call_index(number).is_none() {
                begin(number, item, sink)?;
            }
            if kind == "function_call" {
                if sink.call_arguments(number).is_empty() {
                    sink.arguments_of(number, item.at("arguments"));
                }
            } else {
                if sink.call_arguments(number) == "\"" {
                    sink.quoted_arguments(number, item.at("input").text());
                }
                sink.arguments(number, "\"");
            }
            sink.call_done(number);
        }
        "message" => {
            for (index, piece) in (0..).zip(item.at("content").items()) {
                if sink.numbered(part(number, index)).is_none() {
                    let refusal = piece.at("refusal").filled();
                    let block = if refusal.is_some() { Block::Refusal(String::new()) } else { Block::text("") };
                    let at = text(part(number, index), block, item.at("id"), sink)?;
                    sink.append(at, refusal.or(piece.at("text").str()).unwrap_or_default());
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn end(response: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    sink.identify(response, "id", "model");
    let usage = response.at("usage");
    if usage.is_object() {
        sink.cost(Usage {
            input: usage.at("input_tokens").u64(),
            output: usage.at("output_tokens").u64(),
            reasoning: usage.at("output_tokens_details").at("reasoning_tokens").u64(),
            cached: usage.at("input_tokens_details").at("cached_tokens").u64(),
            cache_written: None,
        });
    }
    let status = response.at("status").str().unwrap_or("completed");
    let raw = response.at("incomplete_details").at("reason").filled().unwrap_or(status);
    let reason = match raw {
        "completed" => FinishReason::Stop,
        "max_output_tokens" => FinishReason::Length,
        "content_filter" => FinishReason::ContentFilter,
        "failed" => return Err(Fault::reported(response.at("error"), response)),
        _ => FinishReason::Other,
    };
    sink.finish(reason, raw);
    Ok(())
}
