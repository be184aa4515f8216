//! Chat Completions, as OpenAI and many other servers send them, with the differences of each.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/streaming>. Differences that are handled here:
//! reasoning in `reasoning_content` (DeepSeek, xAI, vLLM, llama.cpp) or `reasoning` (Groq, Ollama, OpenRouter);
//! complete calls in one chunk (Mistral, xAI, Groq); calls without an index, or all with index 0, distinguished by
//! their ids (Ollama, Gemini's Chat Completions); names repeated as empty strings (Mistral); arguments as an object;
//! content as a list of parts (Mistral); usage in `x_groq`; output tokens without the reasoning (xAI).

use super::super::json::Value;
use super::super::response::{FinishReason, Usage};
use super::fault::Fault;
use super::sink::Sink;

/// The first key of calls without an index, above all indices.
const UNNUMBERED: u64 = 1 << 32;

/// One chunk. No chunk is the last one; the end is `[DONE]`.
pub(super) fn event(value: Value<'_>, sink: &mut Sink) -> Result<bool, Fault> {
    let error = value.at("error");
    if error.is_some() || value.at("object").str() == Some("error") {
        return Err(Fault::reported(error, value));
    }
    chunk(value, "delta", sink)?;
    Ok(false)
}

/// A complete response: a chunk with a message instead of a delta.
pub(super) fn whole(value: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let first = value.at("choices").items().next();
    if !first.is_some_and(|choice| choice.at("message").is_object()) {
        return Err(Fault::unreadable("The response has no message", value.raw().unwrap_or_default()));
    }
    chunk(value, "message", sink)?;
    done(sink);
    Ok(())
}

/// The end marker.
pub(super) fn done(sink: &mut Sink) {
    sink.finish(FinishReason::Other, "");
}

fn chunk(value: Value<'_>, carrier: &str, sink: &mut Sink) -> Result<(), Fault> {
    sink.identify(value, "id", "model");
    for usage in [value.at("x_groq").at("usage"), value.at("usage")] {
        if usage.is_object() {
            sink.cost(cost(usage));
        }
    }
    // More choices would be other answers to the same request, which are never requested.
    let Some(choice) = value.at("choices").items().find(|choice| choice.at("index").u64().unwrap_or(0) == 0) else {
        return Ok(());
    };
    let delta = choice.at(carrier);
    let reasoning = delta.at("reasoning_content").filled().or(delta.at("reasoning").filled());
    sink.reasoning(reasoning.unwrap_or_default())?;
    let content = delta.at("content");
    sink.text(content.text())?;
    for part in content.items() {
        for thought in part.at("thinking").items() {
            sink.reasoning(thought.at("text").text())?;
        }
        sink.text(part.at("text").text())?;
    }
    sink.refusal(delta.at("refusal").text())?;
    for call in delta.at("tool_calls").items() {
        piece_of_call(call, sink)?;
    }
    if let Some(raw) = choice.at("finish_reason").filled() {
        sink.finish(reason(raw), raw);
    }
    Ok(())
}

fn piece_of_call(call: Value<'_>, sink: &mut Sink) -> Result<(), Fault> {
    let function = call.at("function");
    let id = call.at("id").text();
    let name = function.at("name").text();
    let fresh = UNNUMBERED + sink.response.content.len() as u64;
    let key = match call.at("index").u64() {
        Some(index) => index.min(UNNUMBERED - 1),
        None if !id.is_empty() => sink.call_with_id(id).unwrap_or(fresh),
        None if !name.is_empty() => fresh,
        None => sink.last_call().unwrap_or(fresh),
    };
    let begins = match sink.call_id(key) {
        None => true,
        Some(known) => !id.is_empty() && !name.is_empty() && id != known,
    };
    if begins {
        sink.call(key, id, name)?;
    }
    sink.arguments_of(key, function.at("arguments"));
    Ok(())
}

fn cost(usage: Value<'_>) -> Usage {
    let input = usage.at("prompt_tokens").u64();
    let output = usage.at("completion_tokens").u64();
    let total = usage.at("total_tokens").u64().unwrap_or(0);
    let cached = usage.at("prompt_tokens_details").at("cached_tokens").u64();
    Usage {
        input,
        // The total always includes the reasoning.
        output: output.map(|output| output.max(total.saturating_sub(input.unwrap_or(total)))),
        reasoning: usage.at("completion_tokens_details").at("reasoning_tokens").u64(),
        cached: cached.or(usage.at("prompt_cache_hit_tokens").u64()),
        cache_written: None,
    }
}

fn reason(raw: &str) -> FinishReason {
    match raw {
        "stop" | "eos" | "end_turn" => FinishReason::Stop,
        "length" | "model_length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        "error" | "insufficient_system_resource" => FinishReason::Error,
        _ => FinishReason::Other,
    }
}
