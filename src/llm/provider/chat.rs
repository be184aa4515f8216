//! Bodies for Chat Completions.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat/create>.

use super::super::ascii::find;
use super::super::json::Writer;
use super::super::types::{Block, Message, Request, Role, ToolChoice};
use super::flavour::{Prefill, Quirks};
use super::shared::{answer_tool_of, choice_beside, image_url, schema_or_empty, string_in, text_of, write_stop};

pub(super) fn body(request: &Request, stream: bool, begun: &str, quirks: &Quirks, output_tool: &mut String) -> String {
    let mut json = Writer::default();
    json.open('{').text("model", &request.model).key("messages").open('[');
    let mut images = Vec::new();
    for message in &request.messages {
        say(message, quirks, &mut images, &mut json);
    }
    show(&mut images, &mut json);
    if !begun.is_empty() {
        json.open('{').text("role", "assistant").text("content", begun);
        json.flag("prefix", (quirks.prefill == Some(Prefill::Prefix)).then_some(true)).close('}');
    }
    json.close(']');
    if !begun.is_empty() && quirks.prefill == Some(Prefill::Continue) {
        json.flag("continue_final_message", Some(true)).flag("add_generation_prompt", Some(false));
    }
    if stream {
        json.flag("stream", Some(true));
        if quirks.ask_usage {
            json.member("stream_options", r#"{"include_usage":true}"#);
        }
    }
    json.member("temperature", &request.temperature).number(quirks.max_tokens, request.max_tokens);
    write_stop("stop", &request.stop, &mut json);
    tools(request, quirks, &mut json, output_tool);
    json.close('}');
    json.finish()
}

fn function(name: &str, description: &str, parameters: &str, strict: Option<bool>, json: &mut Writer) {
    json.open('{').text("type", "function").key("function").open('{').text("name", name);
    if !description.is_empty() {
        json.text("description", description);
    }
    json.member("parameters", schema_or_empty(parameters)).flag("strict", strict).close('}').close('}');
}

fn tools(request: &Request, quirks: &Quirks, json: &mut Writer, output_tool: &mut String) {
    let format = request.response_format.as_ref();
    if let Some(format) = format.filter(|_| quirks.schema) {
        json.key("response_format").open('{').text("type", "json_schema").key("json_schema").open('{');
        json.text("name", &format.name).member("schema", &format.schema).flag("strict", format.strict);
        json.close('}').close('}');
    }
    let by_tool = format.filter(|_| !quirks.schema);
    if request.tools.is_empty() && by_tool.is_none() {
        return;
    }
    let mut choice = request.tool_choice.clone();
    // For a server that cannot be asked for a tool by its name, that tool is sent alone, with the choice "required".
    let only = match &choice {
        Some(ToolChoice::Named(name)) if !quirks.named => request.tools.iter().find(|tool| tool.name == *name),
        _ => None,
    };
    if only.is_some() {
        choice = Some(ToolChoice::Required);
    }
    json.key("tools").open('[');
    for tool in request.tools.iter().filter(|tool| only.is_none_or(|wanted| wanted.name == tool.name)) {
        function(&tool.name, &tool.description, &tool.parameters, tool.strict, json);
    }
    if let Some(format) = by_tool {
        *output_tool = answer_tool_of(format, &request.tools);
        function(output_tool, "Gives the answer. Call it to answer.", &format.schema, None, json);
        // While they think, DeepSeek's models refuse a request with a forced tool; most of them think unless that is
        // switched off.
        let thinks = string_in(&request.options, &["thinking", "type"])
            .map_or_else(|| find(&request.model, "chat").is_none(), |kind| kind != "disabled");
        choice = (!thinks).then(|| choice_beside(output_tool, request));
    }
    json.close(']');
    match choice {
        None => {}
        Some(ToolChoice::Named(name)) => {
            json.key("tool_choice").open('{').text("type", "function").key("function").open('{').text("name", &name);
            json.close('}').close('}');
        }
        Some(ToolChoice::Auto) => {
            json.text("tool_choice", "auto");
        }
        Some(ToolChoice::None) => {
            json.text("tool_choice", "none");
        }
        Some(ToolChoice::Required) => {
            json.text("tool_choice", quirks.required);
        }
    }
    json.flag("parallel_tool_calls", request.parallel_tool_calls);
}

/// Writes the images of results. A result cannot contain them, so they follow as a message of the user, after all
/// results.
fn show(images: &mut Vec<&Block>, json: &mut Writer) {
    if !images.is_empty() {
        json.open('{').text("role", "user").key("content");
        parts(core::mem::take(images), json);
        json.close('}');
    }
}

fn say<'a>(message: &'a Message, quirks: &Quirks, images: &mut Vec<&'a Block>, json: &mut Writer) {
    let is_image = |block: &&Block| matches!(block, Block::Image(_));
    for block in &message.content {
        if let Block::ToolResult { id, content, .. } = block {
            json.open('{').text("role", "tool").text("tool_call_id", &call_id(id, quirks));
            json.text("content", &text_of(content)).close('}');
            images.extend(content.iter().filter(is_image));
        }
    }
    let is_rest = |block: &Block| !matches!(block, Block::ToolResult { .. });
    if message.role != Role::Assistant && !message.content.iter().any(is_rest) {
        return;
    }
    show(images, json);
    if message.role == Role::Assistant {
        assistant(&message.content, quirks, json);
        return;
    }
    let role = if message.role == Role::System { "system" } else { "user" };
    if message.content.iter().any(|block| is_image(&block)) {
        json.open('{').text("role", role).key("content");
        parts(&message.content, json);
        json.close('}');
    } else if message.content.iter().any(|block| matches!(block, Block::Text { .. })) {
        // Every server takes plain text.
        json.open('{').text("role", role).text("content", &text_of(&message.content)).close('}');
    }
}

fn parts<'a>(blocks: impl IntoIterator<Item = &'a Block>, json: &mut Writer) {
    json.open('[');
    for block in blocks {
        match block {
            Block::Text { text, .. } => {
                json.open('{').text("type", "text").text("text", text).close('}');
            }
            Block::Image(image) => {
                json.open('{').text("type", "image_url").key("image_url").open('{');
                json.text("url", &image_url(image)).close('}').close('}');
            }
            _ => {}
        }
    }
    json.close(']');
}

fn assistant(blocks: &[Block], quirks: &Quirks, json: &mut Writer) {
    let (mut all_text, mut refused, mut thought, mut calls) =
        (String::new(), String::new(), String::new(), Writer::default());
    for block in blocks {
        match block {
            Block::Text { text, .. } => all_text.push_str(text),
            Block::Refusal(text) => refused.push_str(text),
            Block::Reasoning { text, .. } => thought.push_str(text),
            Block::ToolCall(call) => {
                let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
                calls.open('{').text("id", &call_id(&call.id, quirks)).text("type", "function").key("function");
                calls.open('{').text("name", &call.name).text("arguments", arguments).close('}').close('}');
            }
            Block::Image(_) | Block::ToolResult { .. } => {}
        }
    }
    json.open('{').text("role", "assistant");
    if all_text.is_empty() && !calls.is_empty() {
        json.member("content", "null");
    } else {
        json.text("content", &all_text);
    }
    if !refused.is_empty() {
        json.text("refusal", &refused);
    }
    if !calls.is_empty() {
        if quirks.reasoning_back && !thought.is_empty() {
            json.text("reasoning_content", &thought);
        }
        json.key("tool_calls").open('[').raw(&calls.finish()).close(']');
    }
    json.close('}');
}

/// The id of a call in the form that the server takes. The same id always gives the same one.
fn call_id(id: &str, quirks: &Quirks) -> String {
    if !quirks.short_ids || (id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return id.to_owned();
    }
    let hash = crate::random::seed_of(id);
    let digit = |place: u32| b"0123456789abcdefghijklmnopqrstuv"[(hash >> (place * 5) & 31) as usize];
    let short: [u8; 9] = core::array::from_fn(|place| digit(place as u32));
    String::from_utf8_lossy(&short).into_owned()
}
