//! Requests from JSON: a host passes one string, not hundreds of small values.
//!
//! The shape is that of the types, in camel case; see [`Request::from_json`].

use super::api::Api;
use super::call::CallOptions;
use super::error::LlmError;
use super::json::{Tape, Value, decimal};
use super::provider::{Flavour, Provider};
use super::secret::Secret;
use super::types::{Block, Image, Message, Request, ResponseFormat, Role, Signature, Tool, ToolCall, ToolChoice};
use crate::error::Code;
use crate::time::Millis;

/// The error, boxed: with an unboxed [`LlmError`] in every result, the parser would be several times larger.
type Wrong = Box<LlmError>;

#[cold]
#[inline(never)]
fn wrong(what: &[&str]) -> Wrong {
    Box::new(LlmError::new(Code::LlmRequest, what.concat()))
}

impl Request {
    /// Parses a request.
    ///
    /// ```text
    /// { "model": string,
    ///   "messages": [{ "role": "system" | "user" | "assistant" | "tool", "content": string | Block[] }],
    ///   "tools"?: [{ "name", "description"?, "parameters"?: schema, "strict"? }],
    ///   "toolChoice"?: "auto" | "none" | "required" | { "name" }, "parallelToolCalls"?: boolean,
    ///   "temperature"?, "maxTokens"?: number, "stop"?: string | string[],
    ///   "responseFormat"?: { "name", "schema", "strict"? }, "options"?: object, "headers"?: { name: value } }
    /// Block = { "type": "text", "text", "signature"? }
    ///   | { "type": "image", "url" } | { "type": "image", "data", "mediaType" }
    ///   | { "type": "toolCall", "id", "name", "arguments": string | object, "signature"? }
    ///   | { "type": "toolResult", "id", "content": string | Block[], "isError"? }
    ///   | { "type": "reasoning", "text", "signature"?, "redacted"? } | { "type": "refusal", "text" }
    /// signature = { "api", "id"?, "data"? }
    /// ```
    ///
    /// ```
    /// use stepstream::llm::{Message, Request, Role};
    /// let request = Request::from_json(r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#).unwrap();
    /// assert_eq!(request.messages, [Message::text(Role::User, "Hi")]);
    /// ```
    ///
    /// # Errors
    ///
    /// [`Code::LlmRequest`], with the part that is missing or wrong.
    pub fn from_json(text: &str) -> Result<Request, LlmError> {
        let mut request = Request::default();
        match request.fill(text) {
            Ok(()) => Ok(request),
            Err(wrong) => Err(*wrong),
        }
    }

    fn fill(&mut self, text: &str) -> Result<(), Wrong> {
        let mut tape = Tape::default();
        let value = tape.read(text).map_err(|_| wrong(&["The request is not JSON."]))?;
        for (name, value) in value.entries() {
            match name {
                "model" => self.model = owned(value),
                "messages" => value.items().try_for_each(|item| message(item, &mut self.messages))?,
                "tools" => value.items().try_for_each(|item| tool(item, &mut self.tools))?,
                "toolChoice" if value.is_some() => self.tool_choice = Some(tool_choice(value)?),
                "parallelToolCalls" => self.parallel_tool_calls = value.bool(),
                "temperature" => self.temperature = value.number().unwrap_or_default().to_owned(),
                "maxTokens" => self.max_tokens = value.u64(),
                "stop" => {
                    let single = value.str().map(|_| value);
                    self.stop = single.into_iter().chain(value.items()).map(owned).collect();
                }
                "responseFormat" if value.is_some() => self.response_format = Some(response_format(value)?),
                "options" => self.options = object(value),
                "headers" => self.headers = pairs(value),
                _ => {}
            }
        }
        if self.model.is_empty() || self.messages.is_empty() {
            return Err(wrong(&["The request has no `model` or no `messages`."]));
        }
        Ok(())
    }
}

impl Provider {
    /// Parses a provider: `{ "api": "chat" | "responses" | "anthropic" | "gemini", "baseURL"?, "apiKey"?, "headers"?,
    /// "flavour"? }`. The flavour is one of `openai`, `generic`, `ollama`, `vllm`, `llamacpp`, `groq`, `deepseek`,
    /// `mistral`, `xai`; if it is left out, it is recognised by the URL.
    ///
    /// # Errors
    ///
    /// [`Code::LlmRequest`].
    pub fn from_json(text: &str) -> Result<Provider, LlmError> {
        let mut tape = Tape::default();
        let value = tape.read(text).map_err(|_| *wrong(&["The provider is not JSON."]))?;
        let unknown = |what: &str| *wrong(&["`", what, "` is not one of those there are."]);
        let api = Api::of_name(value.at("api").text()).ok_or_else(|| unknown("api"))?;
        let mut provider = Provider::new(api, value.at("baseURL").text(), value.at("apiKey").filled().map(Secret::new));
        if let Some(name) = value.at("flavour").filled() {
            provider.flavour = Flavour::of_name(name).ok_or_else(|| unknown("flavour"))?;
        }
        let headers = pairs(value.at("headers")).into_iter();
        provider.headers = headers.map(|(name, text)| (name, Secret::new(text))).collect();
        Ok(provider)
    }
}

impl CallOptions {
    /// Parses options: `{ "connect"?, "firstToken"?, "betweenTokens"?, "total"?, "maxRetries"?, "baseBackoff"?,
    /// "maxBackoff"?, "maxRetryAfter"?, "resumeOnDrop"? }`. Times are in seconds, `null` for none. Options that are
    /// left out have their defaults.
    ///
    /// # Errors
    ///
    /// [`Code::LlmRequest`].
    pub fn from_json(text: &str, seed: u64) -> Result<CallOptions, LlmError> {
        let mut options = CallOptions { seed, ..CallOptions::default() };
        options.fill(text).map_err(|wrong| *wrong)?;
        Ok(options)
    }

    fn fill(&mut self, text: &str) -> Result<(), Wrong> {
        let mut tape = Tape::default();
        let value = tape.read(text).map_err(|_| wrong(&["The options of the call are not JSON."]))?;
        for (name, given) in value.entries() {
            let number = given.number().and_then(decimal).filter(|number| *number >= 0.0);
            let millis = number.map(|seconds| Millis::from_f64(seconds * 1000.0));
            let limit = match name {
                "connect" => &mut self.connect,
                "firstToken" => &mut self.first_token,
                "betweenTokens" => &mut self.between_tokens,
                "total" => &mut self.total,
                "resumeOnDrop" => {
                    self.resume_on_drop = given.bool() == Some(true);
                    continue;
                }
                _ => {
                    let Some(millis) = millis else {
                        return Err(wrong(&["`", name, "` is not a number from 0."]));
                    };
                    match name {
                        "baseBackoff" => self.base_backoff = millis,
                        "maxBackoff" => self.max_backoff = millis,
                        "maxRetryAfter" => self.max_retry_after = millis,
                        "maxRetries" => self.max_retries = number.unwrap_or_default() as u32,
                        _ => return Err(wrong(&["There is no option `", name, "`."])),
                    }
                    continue;
                }
            };
            if given.is_some() && millis.is_none() {
                return Err(wrong(&["`", name, "` is not a number of seconds from 0."]));
            }
            *limit = millis;
        }
        Ok(())
    }
}

/// The text of a string; empty for anything else.
fn owned(value: Value<'_>) -> String {
    value.string().unwrap_or_default()
}

/// The JSON of an object; empty for anything else.
fn object(value: Value<'_>) -> String {
    value.raw().filter(|_| value.is_object()).unwrap_or_default().to_owned()
}

#[inline(never)]
fn pairs(value: Value<'_>) -> Vec<(String, String)> {
    value.entries().filter_map(|(name, value)| Some((name.to_owned(), value.string()?))).collect()
}

fn tool(value: Value<'_>, tools: &mut Vec<Tool>) -> Result<(), Wrong> {
    if value.at("name").filled().is_none() {
        return Err(wrong(&["A tool has no `name`."]));
    }
    tools.push(Tool {
        name: owned(value.at("name")),
        description: owned(value.at("description")),
        parameters: object(value.at("parameters")),
        strict: value.at("strict").bool(),
    });
    Ok(())
}

fn tool_choice(value: Value<'_>) -> Result<ToolChoice, Wrong> {
    match (value.text(), value.at("name").filled()) {
        ("auto", _) => Ok(ToolChoice::Auto),
        ("none", _) => Ok(ToolChoice::None),
        ("required", _) => Ok(ToolChoice::Required),
        (_, Some(name)) => Ok(ToolChoice::Named(name.to_owned())),
        _ => Err(wrong(&["`toolChoice` is not \"auto\", \"none\", \"required\" or { name }."])),
    }
}

fn response_format(value: Value<'_>) -> Result<ResponseFormat, Wrong> {
    if !value.at("schema").is_object() {
        return Err(wrong(&["`responseFormat` has no `schema`."]));
    }
    let name = value.at("name").filled().unwrap_or("answer").to_owned();
    Ok(ResponseFormat { name, schema: object(value.at("schema")), strict: value.at("strict").bool() })
}

fn message(value: Value<'_>, messages: &mut Vec<Message>) -> Result<(), Wrong> {
    let role = match value.at("role").text() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => return Err(wrong(&["A message has the unknown `role` \"", other, "\"."])),
    };
    if !value.at("content").is_some() {
        return Err(wrong(&["A message has no `content`."]));
    }
    let mut blocks = Vec::new();
    content(value.at("content"), &mut blocks)?;
    if role == Role::Tool && !blocks.iter().any(|block| matches!(block, Block::ToolResult { .. })) {
        return Err(wrong(&["A message with the `role` \"tool\" has no block of type \"toolResult\"."]));
    }
    messages.push(Message { role, content: blocks });
    Ok(())
}

#[inline(never)]
fn content(value: Value<'_>, blocks: &mut Vec<Block>) -> Result<(), Wrong> {
    if let Some(text) = value.str() {
        blocks.push(Block::text(text));
    } else if value.is_some() && !value.is_array() {
        return Err(wrong(&["The `content` of a message or a result is neither a string nor a list of blocks."]));
    }
    value.items().try_for_each(|item| block(item, blocks))
}

fn block(value: Value<'_>, blocks: &mut Vec<Block>) -> Result<(), Wrong> {
    let kind = value.at("type").text();
    let member = |key: &str| owned(value.at(key));
    let needed: &[&str] = match kind {
        "text" | "reasoning" | "refusal" => &["text"],
        "image" if value.at("url").is_some() => &["url"],
        "image" => &["mediaType", "data"],
        "toolCall" => &["id", "name"],
        "toolResult" => &["id"],
        _ => return Err(wrong(&["A block has the unknown `type` \"", kind, "\"."])),
    };
    for key in needed {
        if value.at(key).str().is_none() {
            return Err(wrong(&["A block of type \"", kind, "\" has no `", key, "`."]));
        }
    }
    let signature = signature(value.at("signature"));
    blocks.push(match kind {
        "text" => Block::Text { text: member("text"), signature },
        "reasoning" => {
            Block::Reasoning { text: member("text"), signature, redacted: value.at("redacted").bool() == Some(true) }
        }
        "refusal" => Block::Refusal(member("text")),
        "image" if value.at("url").is_some() => Block::Image(Image::Url(member("url"))),
        "image" => Block::Image(Image::Base64 { media_type: member("mediaType"), data: member("data") }),
        "toolCall" => {
            let arguments = value.at("arguments").string().unwrap_or_else(|| object(value.at("arguments")));
            Block::ToolCall(ToolCall { id: member("id"), name: member("name"), arguments, signature })
        }
        _ => {
            let mut inner = Vec::new();
            content(value.at("content"), &mut inner)?;
            Block::ToolResult { id: member("id"), content: inner, is_error: value.at("isError").bool() == Some(true) }
        }
    });
    Ok(())
}

fn signature(value: Value<'_>) -> Option<Signature> {
    let api = value.at("api").str().and_then(Api::of_name)?;
    Some(Signature { api, id: value.at("id").string(), data: value.at("data").string() })
}
