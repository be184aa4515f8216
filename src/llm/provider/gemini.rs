//! Bodies for Gemini.
//!
//! Source: <https://ai.google.dev/api/generate-content>.

use super::super::api::Api;
use super::super::ascii::{find, number};
use super::super::json::Writer;
use super::super::types::{Block, Image, Message, Request, ResponseFormat, Role, Signature, ToolCall, ToolChoice};
use super::shared::{answer_tool_of, call_of, choice_beside, system_text, text_of, write_arguments, write_stop};

/// What Gemini 3 takes in place of the signature of a call that it did not make itself; it refuses a call without one.
/// Source: <https://ai.google.dev/gemini-api/docs/thought-signatures>.
const UNSIGNED: &str = "skip_thought_signature_validator";

pub(super) fn path(model: &str, stream: bool) -> String {
    let mut path = String::from(if model.contains('/') { "/" } else { "/models/" });
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            for digit in [byte >> 4, byte & 15] {
                path.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    path.push_str(if stream { ":streamGenerateContent?alt=sse" } else { ":generateContent" });
    path
}

pub(super) fn body(request: &Request, output_tool: &mut String) -> String {
    let mut json = Writer::default();
    json.open('{');
    let system = system_text(request);
    if !system.is_empty() {
        json.key("systemInstruction").open('{').key("parts").open('[').open('{').text("text", &system);
        json.close('}').close(']').close('}');
    }
    contents(request, &mut json);
    json.key("generationConfig").open('{');
    json.member("temperature", &request.temperature).number("maxOutputTokens", request.max_tokens);
    write_stop("stopSequences", &request.stop, &mut json);
    // Models before Gemini 3 refuse a format beside tools; for them the format is one more tool.
    let by_tool = !request.tools.is_empty() && !is_third(&request.model);
    let format = request.response_format.as_ref();
    if let Some(format) = format.filter(|_| !by_tool) {
        json.text("responseMimeType", "application/json").member("responseJsonSchema", &format.schema);
    }
    json.close('}');
    tools(request, format.filter(|_| by_tool), &mut json, output_tool);
    json.close('}');
    json.finish()
}

fn tools(request: &Request, by_tool: Option<&ResponseFormat>, json: &mut Writer, output_tool: &mut String) {
    if request.tools.is_empty() {
        return;
    }
    json.key("tools").open('[').open('{').key("functionDeclarations").open('[');
    for tool in &request.tools {
        json.open('{').text("name", &tool.name).text("description", &tool.description);
        json.member("parametersJsonSchema", &tool.parameters).close('}');
    }
    let mut choice = request.tool_choice.clone();
    if let Some(format) = by_tool {
        *output_tool = answer_tool_of(format, &request.tools);
        json.open('{').text("name", output_tool).text("description", "Gives the answer.");
        json.member("parametersJsonSchema", &format.schema).close('}');
        choice = Some(choice_beside(output_tool, request));
    }
    json.close(']').close('}').close(']');
    let (mode, name) = match &choice {
        None => return,
        Some(ToolChoice::Auto) => ("AUTO", None),
        Some(ToolChoice::None) => ("NONE", None),
        Some(ToolChoice::Required) => ("ANY", None),
        Some(ToolChoice::Named(name)) => ("ANY", Some(name)),
    };
    json.key("toolConfig").open('{').key("functionCallingConfig").open('{').text("mode", mode);
    if let Some(name) = name {
        json.key("allowedFunctionNames").open('[').string(name).close(']');
    }
    json.close('}').close('}');
}

fn contents(request: &Request, json: &mut Writer) {
    json.key("contents").open('[');
    let (mut turn, mut content) = ("", Writer::default());
    for message in &request.messages {
        let role = match message.role {
            Role::System => continue,
            Role::Assistant => "model",
            Role::User | Role::Tool => "user",
        };
        if role != turn {
            end_turn(turn, &mut content, json);
            turn = role;
        }
        parts(message, request, &mut content);
    }
    end_turn(turn, &mut content, json);
    json.close(']');
}

fn end_turn(role: &str, content: &mut Writer, json: &mut Writer) {
    if !content.is_empty() {
        let parts = core::mem::take(content).finish();
        json.open('{').text("role", role).key("parts").open('[').raw(&parts).close(']').close('}');
    }
}

fn own(signature: &Option<Signature>) -> Option<&Signature> {
    signature.as_ref().filter(|signature| signature.api == Api::Gemini)
}

fn seal(signature: &Option<Signature>) -> Option<&str> {
    own(signature)?.data.as_deref()
}

/// The id that the model gave to a call. A generated id means nothing to the model.
fn native_id(call: &ToolCall) -> Option<&str> {
    own(&call.signature)?.id.as_deref()
}

/// Whether the model is of Gemini 3 or later, which needs signatures, and takes a format beside tools.
fn is_third(model: &str) -> bool {
    let version = find(model, "gemini-").and_then(|at| model.get(at + 7..)).unwrap_or_default();
    let digits = version.bytes().take_while(u8::is_ascii_digit).count();
    version.get(..digits).and_then(number).is_some_and(|major| major >= 3)
}

fn parts(message: &Message, request: &Request, json: &mut Writer) {
    let mut first_call = true;
    for block in &message.content {
        let signature = match block {
            Block::Text { text, signature } => {
                let seal = seal(signature);
                if text.is_empty() && seal.is_none() {
                    continue;
                }
                json.open('{').text("text", text);
                seal
            }
            Block::Refusal(text) => {
                json.open('{').text("text", text);
                None
            }
            Block::Reasoning { text, signature, .. } => {
                // The provider takes reasoning only with its signature.
                let Some(seal) = seal(signature) else { continue };
                json.open('{').text("text", text).flag("thought", Some(true));
                Some(seal)
            }
            Block::Image(image) => {
                picture(image, json);
                continue;
            }
            Block::ToolCall(call) => {
                json.open('{').key("functionCall").open('{');
                if let Some(id) = native_id(call) {
                    json.text("id", id);
                }
                json.text("name", &call.name).key("args");
                write_arguments(&call.arguments, json);
                json.close('}');
                // Of parallel calls, only the first has a signature.
                let needed = core::mem::take(&mut first_call) && is_third(&request.model);
                seal(&call.signature).or(needed.then_some(UNSIGNED))
            }
            Block::ToolResult { id, content, is_error } => {
                result(id, content, *is_error, request, json);
                for block in content {
                    if let Block::Image(image) = block {
                        picture(image, json);
                    }
                }
                continue;
            }
        };
        if let Some(signature) = signature {
            json.text("thoughtSignature", signature);
        }
        json.close('}');
    }
}

fn picture(image: &Image, json: &mut Writer) {
    json.open('{');
    match image {
        Image::Url(url) => json.key("fileData").open('{').text("fileUri", url),
        Image::Base64 { media_type, data } => {
            json.key("inlineData").open('{').text("mimeType", media_type).text("data", data)
        }
    };
    json.close('}').close('}');
}

/// A result needs the name of its tool here, which only the call has.
fn result(id: &str, content: &[Block], is_error: bool, request: &Request, json: &mut Writer) {
    let call = call_of(&request.messages, id);
    json.open('{').key("functionResponse").open('{');
    if let Some(id) = call.and_then(native_id) {
        json.text("id", id);
    }
    json.text("name", call.map_or(id, |call| &call.name)).key("response").open('{');
    json.text(if is_error { "error" } else { "output" }, &text_of(content)).close('}').close('}').close('}');
}
