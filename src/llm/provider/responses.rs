//! Bodies for the Responses API.
//!
//! Source: <https://platform.openai.com/docs/api-reference/responses/create>. Each request has the whole conversation.
//! Reasoning is sent back by its item's id, which the provider knows unless it must not store; with `store: false` in
//! the options it is sent back only if it came encrypted, for which `include: ["reasoning.encrypted_content"]` is
//! needed too.

use super::super::api::Api;
use super::super::error::LlmError;
use super::super::json::{Tape, Writer};
use super::super::types::{Block, Message, Request, Role, Signature, ToolCall, ToolChoice};
use super::shared::{call_of, image_url, schema_or_empty, text_of, unsendable};

pub(super) fn body(request: &Request, stream: bool) -> Result<String, LlmError> {
    if !request.stop.is_empty() {
        return Err(unsendable("The Responses API has no stop sequences."));
    }
    let stored =
        Tape::default().read(&request.options).map_or(true, |options| options.at("store").bool() != Some(false));
    let mut json = Writer::default();
    json.open('{').text("model", &request.model).key("input").open('[');
    for message in &request.messages {
        say(message, stored, &request.messages, &mut json);
    }
    json.close(']').flag("stream", stream.then_some(true));
    json.member("temperature", &request.temperature).number("max_output_tokens", request.max_tokens);
    tools(request, &mut json);
    if let Some(format) = &request.response_format {
        json.key("text").open('{').key("format").open('{').text("type", "json_schema").text("name", &format.name);
        json.member("schema", &format.schema).flag("strict", format.strict).close('}').close('}');
    }
    json.close('}');
    Ok(json.finish())
}

fn tools(request: &Request, json: &mut Writer) {
    if request.tools.is_empty() {
        return;
    }
    json.key("tools").open('[');
    for tool in &request.tools {
        json.open('{').text("type", "function").text("name", &tool.name);
        if !tool.description.is_empty() {
            json.text("description", &tool.description);
        }
        // If left out, `strict` is true here, which most schemas do not support.
        json.member("parameters", schema_or_empty(&tool.parameters))
            .flag("strict", tool.strict.or(Some(false)))
            .close('}');
    }
    json.close(']');
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Named(name)) => {
            json.key("tool_choice").open('{').text("type", "function").text("name", name).close('}');
        }
        Some(ToolChoice::Auto) => {
            json.text("tool_choice", "auto");
        }
        Some(ToolChoice::None) => {
            json.text("tool_choice", "none");
        }
        Some(ToolChoice::Required) => {
            json.text("tool_choice", "required");
        }
    }
    json.flag("parallel_tool_calls", request.parallel_tool_calls);
}

fn own(signature: &Option<Signature>) -> Option<&Signature> {
    signature.as_ref().filter(|signature| signature.api == Api::Responses)
}

/// Whether a call is one of a tool with free text as input.
fn is_custom(call: &ToolCall) -> bool {
    own(&call.signature).is_some_and(|signature| signature.data.as_deref() == Some("custom"))
}

fn say(message: &Message, stored: bool, all: &[Message], json: &mut Writer) {
    let role = match message.role {
        Role::System => "system",
        Role::Assistant => "assistant",
        Role::User | Role::Tool => "user",
    };
    let mut parts = Writer::default();
    for block in &message.content {
        if !part(block, message.role == Role::Assistant, &mut parts) {
            // Items keep their order relative to the text before them.
            close(role, &mut parts, json);
            item(block, stored, all, json);
        }
    }
    close(role, &mut parts, json);
}

fn close(role: &str, parts: &mut Writer, json: &mut Writer) {
    if !parts.is_empty() {
        let parts = core::mem::take(parts).finish();
        json.open('{').text("role", role).key("content").open('[').raw(&parts).close(']').close('}');
    }
}

/// Writes a block inside of a message or a result; false if the block is an item of its own.
fn part(block: &Block, of_model: bool, json: &mut Writer) -> bool {
    match block {
        Block::Text { text, .. } => {
            json.open('{').text("type", if of_model { "output_text" } else { "input_text" }).text("text", text);
        }
        Block::Refusal(text) => {
            json.open('{').text("type", "refusal").text("refusal", text);
        }
        Block::Image(image) => {
            json.open('{').text("type", "input_image").text("image_url", &image_url(image));
        }
        _ => return false,
    }
    json.close('}');
    true
}

fn item(block: &Block, stored: bool, all: &[Message], json: &mut Writer) {
    match block {
        Block::ToolCall(call) => {
            let custom = is_custom(call);
            json.open('{').text("type", if custom { "custom_tool_call" } else { "function_call" });
            json.text("call_id", &call.id).text("name", &call.name);
            if custom {
                let mut tape = Tape::default();
                let input = tape.read(&call.arguments).ok().and_then(|value| value.str());
                json.text("input", input.unwrap_or(&call.arguments));
            } else {
                json.text("arguments", if call.arguments.is_empty() { "{}" } else { &call.arguments });
            }
        }
        Block::ToolResult { id, content, .. } => {
            let custom = call_of(all, id).is_some_and(is_custom);
            json.open('{').text("type", if custom { "custom_tool_call_output" } else { "function_call_output" });
            json.text("call_id", id);
            if content.iter().any(|block| matches!(block, Block::Image(_))) {
                json.key("output").open('[');
                for block in content {
                    part(block, false, json);
                }
                json.close(']');
            } else {
                json.text("output", &text_of(content));
            }
        }
        Block::Reasoning { text, signature, .. } => {
            let Some(signature) = own(signature) else { return };
            if !stored && signature.data.is_none() {
                return;
            }
            json.open('{').text("type", "reasoning");
            if let Some(id) = &signature.id {
                json.text("id", id);
            }
            json.key("summary").open('[');
            if !text.is_empty() {
                json.open('{').text("type", "summary_text").text("text", text).close('}');
            }
            json.close(']');
            if let Some(data) = &signature.data {
                json.text("encrypted_content", data);
            }
        }
        _ => return,
    }
    json.close('}');
}
