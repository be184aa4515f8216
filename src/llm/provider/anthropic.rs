//! Bodies for Anthropic Messages.
//!
//! Source: <https://platform.claude.com/docs/en/api/messages>.

use super::super::api::Api;
use super::super::json::Writer;
use super::super::types::{Block, Image, Message, Request, Role, Signature, ToolChoice};
use super::shared::{
    answer_tool_of, choice_beside, schema_or_empty, string_in, system_text, write_arguments, write_stop,
};

/// The default of the limit of tokens, which the API requires.
const MAX_TOKENS: u64 = 4096;

/// Whether the options switch on thinking, with which the API refuses a forced tool and the beginning of an answer.
pub(super) fn thinks(request: &Request) -> bool {
    string_in(&request.options, &["thinking", "type"]).is_some_and(|kind| kind != "disabled")
}

pub(super) fn body(request: &Request, stream: bool, begun: &str, output_tool: &mut String) -> String {
    let mut json = Writer::default();
    json.open('{').text("model", &request.model).number("max_tokens", request.max_tokens.or(Some(MAX_TOKENS)));
    let system = system_text(request);
    if !system.is_empty() {
        json.text("system", &system);
    }
    messages(&request.messages, begun, &mut json);
    json.flag("stream", stream.then_some(true)).member("temperature", &request.temperature);
    write_stop("stop_sequences", &request.stop, &mut json);
    tools(request, &mut json, output_tool);
    json.close('}');
    json.finish()
}

fn tool(name: &str, description: &str, schema: &str, strict: Option<bool>, json: &mut Writer) {
    json.open('{').text("name", name);
    if !description.is_empty() {
        json.text("description", description);
    }
    json.member("input_schema", schema_or_empty(schema)).flag("strict", strict).close('}');
}

fn tools(request: &Request, json: &mut Writer, output_tool: &mut String) {
    let format = request.response_format.as_ref();
    let thinks = format.is_some() && thinks(request);
    if let Some(format) = format.filter(|_| thinks) {
        json.key("output_config").open('{').key("format").open('{').text("type", "json_schema");
        json.member("schema", &format.schema).close('}').close('}');
    }
    let by_tool = format.filter(|_| !thinks);
    if request.tools.is_empty() && by_tool.is_none() {
        return;
    }
    json.key("tools").open('[');
    for one in &request.tools {
        tool(&one.name, &one.description, &one.parameters, one.strict, json);
    }
    let mut choice = request.tool_choice.clone();
    if let Some(format) = by_tool {
        *output_tool = answer_tool_of(format, &request.tools);
        tool(output_tool, "Gives the answer.", &format.schema, None, json);
        choice = Some(choice_beside(output_tool, request));
    }
    json.close(']');
    let one_at_a_time = request.parallel_tool_calls == Some(false);
    let choice = choice.or(one_at_a_time.then_some(ToolChoice::Auto));
    let (kind, name) = match &choice {
        None => return,
        Some(ToolChoice::Auto) => ("auto", ""),
        Some(ToolChoice::None) => ("none", ""),
        Some(ToolChoice::Required) => ("any", ""),
        Some(ToolChoice::Named(name)) => ("tool", name.as_str()),
    };
    json.key("tool_choice").open('{').text("type", kind);
    if !name.is_empty() {
        json.text("name", name);
    }
    json.flag("disable_parallel_tool_use", (one_at_a_time && kind != "none").then_some(true)).close('}');
}

/// Roles alternate, and all results of a message's calls must be at the beginning of the next message.
fn messages(all: &[Message], begun: &str, json: &mut Writer) {
    json.key("messages").open('[');
    let (mut turn, mut results, mut others) = ("", Writer::default(), Writer::default());
    for message in all {
        let role = match message.role {
            Role::System => continue,
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        if role != turn {
            end_turn(turn, &mut results, &mut others, json);
            turn = role;
        }
        for one in &message.content {
            block(one, if let Block::ToolResult { .. } = one { &mut results } else { &mut others });
        }
    }
    if !begun.is_empty() {
        end_turn(turn, &mut results, &mut others, json);
        turn = "assistant";
        others.open('{').text("type", "text").text("text", begun).close('}');
    }
    end_turn(turn, &mut results, &mut others, json);
    json.close(']');
}

fn end_turn(role: &str, results: &mut Writer, others: &mut Writer, json: &mut Writer) {
    let (results, others) = (core::mem::take(results).finish(), core::mem::take(others).finish());
    if !(results.is_empty() && others.is_empty()) {
        json.open('{').text("role", role).key("content").open('[').raw(&results).raw(&others).close(']').close('}');
    }
}

fn own(signature: &Option<Signature>) -> Option<&str> {
    signature.as_ref().filter(|signature| signature.api == Api::Anthropic)?.data.as_deref()
}

fn block(block: &Block, json: &mut Writer) {
    match block {
        Block::Text { text, .. } | Block::Refusal(text) => {
            // The API refuses empty texts.
            if text.trim_ascii().is_empty() {
                return;
            }
            json.open('{').text("type", "text").text("text", text);
        }
        Block::Image(image) => {
            json.open('{').text("type", "image").key("source").open('{');
            match image {
                Image::Url(url) => json.text("type", "url").text("url", url),
                Image::Base64 { media_type, data } => {
                    json.text("type", "base64").text("media_type", media_type).text("data", data)
                }
            };
            json.close('}');
        }
        Block::ToolCall(call) => {
            json.open('{')
                .text("type", "tool_use")
                .text("id", &call_id(&call.id))
                .text("name", &call.name)
                .key("input");
            write_arguments(&call.arguments, json);
        }
        Block::ToolResult { id, content, is_error } => {
            json.open('{').text("type", "tool_result").text("tool_use_id", &call_id(id));
            let mut inner = Writer::default();
            for part in content {
                self::block(part, &mut inner);
            }
            if !inner.is_empty() {
                json.key("content").open('[').raw(&inner.finish()).close(']');
            }
            json.flag("is_error", is_error.then_some(true));
        }
        // The API refuses reasoning of other providers, and reasoning without its signature.
        Block::Reasoning { text, signature, redacted } => {
            let Some(data) = own(signature) else { return };
            if *redacted {
                json.open('{').text("type", "redacted_thinking").text("data", data);
            } else {
                json.open('{').text("type", "thinking").text("thinking", text).text("signature", data);
            }
        }
    }
    json.close('}');
}

/// The name with the characters that the API takes: letters, digits, `_` and `-`.
fn call_id(id: &str) -> String {
    let mut fitting = String::new();
    for byte in id.bytes() {
        fitting.push(if byte.is_ascii_alphanumeric() || byte == b'-' { char::from(byte) } else { '_' });
    }
    fitting
}
