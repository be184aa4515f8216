//! What the bodies of several APIs have in common.

use super::super::error::LlmError;
use super::super::json::{Tape, Writer};
use super::super::types::{Block, Image, Message, Request, ResponseFormat, Role, Tool, ToolCall, ToolChoice};
use crate::error::Code;

/// The name of the tool for structured output: that of the format, unless a tool of the program has it.
#[inline(never)]
pub(super) fn answer_tool_of(format: &ResponseFormat, tools: &[Tool]) -> String {
    let mut name = format.name.clone();
    while tools.iter().any(|tool| tool.name == name) {
        name.push('_');
    }
    name
}

/// The tool choice when structured output is a tool. With tools of the program, the model may call those first and
/// answer later.
#[inline(never)]
pub(super) fn choice_beside(output_tool: &str, request: &Request) -> ToolChoice {
    match &request.tool_choice {
        Some(ToolChoice::Named(name)) => ToolChoice::Named(name.clone()),
        Some(ToolChoice::None) => ToolChoice::Named(output_tool.to_owned()),
        _ if request.tools.is_empty() => ToolChoice::Named(output_tool.to_owned()),
        _ => ToolChoice::Required,
    }
}

pub(super) fn unsendable(message: &str) -> LlmError {
    LlmError::new(Code::LlmRequest, message)
}

/// The URL of an image; a data URL for one with data.
#[inline(never)]
pub(super) fn image_url(image: &Image) -> String {
    match image {
        Image::Url(url) => url.clone(),
        Image::Base64 { media_type, data } => ["data:", media_type, ";base64,", data].concat(),
    }
}

/// The schema, or that of an object without members.
pub(super) fn schema_or_empty(schema: &str) -> &str {
    if schema.is_empty() { r#"{"type":"object","properties":{}}"# } else { schema }
}

/// The string at a path in a JSON object.
#[inline(never)]
pub(super) fn string_in(json: &str, path: &[&str]) -> Option<String> {
    let mut tape = Tape::default();
    let value = tape.read(json).ok()?;
    path.iter().fold(value, |value, key| value.at(key)).string()
}

/// Writes the arguments of a call as an object. Incomplete arguments, which are not JSON, are written as a text in an
/// object.
#[inline(never)]
pub(super) fn write_arguments(arguments: &str, json: &mut Writer) {
    let is_object = Tape::default().read(arguments).is_ok_and(|value| value.is_object());
    if is_object {
        json.raw(arguments);
    } else {
        json.open('{');
        if !arguments.trim_ascii().is_empty() {
            json.text("arguments", arguments);
        }
        json.close('}');
    }
}

/// Writes stop sequences, if there are any.
#[inline(never)]
pub(super) fn write_stop(key: &str, stop: &[String], json: &mut Writer) {
    if !stop.is_empty() {
        json.key(key).open('[');
        for stop in stop {
            json.string(stop);
        }
        json.close(']');
    }
}

/// The call with that id; a result alone does not have its name.
#[inline(never)]
pub(super) fn call_of<'a>(messages: &'a [Message], id: &str) -> Option<&'a ToolCall> {
    for message in messages {
        for block in &message.content {
            match block {
                Block::ToolCall(call) if call.id == id => return Some(call),
                _ => {}
            }
        }
    }
    None
}

/// The system messages, for APIs that have a field of their own for them.
#[inline(never)]
pub(super) fn system_text(request: &Request) -> String {
    let mut all = String::new();
    for message in request.messages.iter().filter(|message| message.role == Role::System) {
        if !all.is_empty() {
            all.push_str("\n\n");
        }
        all.push_str(&text_of(&message.content));
    }
    all
}

/// The text of some blocks, in lines.
#[inline(never)]
pub(super) fn text_of(blocks: &[Block]) -> String {
    let mut all = String::new();
    for block in blocks {
        if let Block::Text { text, .. } = block {
            if !all.is_empty() {
                all.push('\n');
            }
            all.push_str(text);
        }
    }
    all
}
