//! Building requests: the uniform request becomes an address, headers and a body in the provider's words.
//!
//! - `mod.rs`: [`Provider`], [`HttpRequest`], and what all bodies share.
//! - `flavour.rs`: how servers that speak Chat Completions differ.
//! - `chat.rs`, `responses.rs`, `anthropic.rs`, `gemini.rs`: the bodies.

mod anthropic;
mod chat;
mod flavour;
mod gemini;
mod responses;

use super::ascii::{cut, find};
use super::decode::Expectation;
use super::error::LlmError;
use super::json::{Tape, Writer, merge};
use super::secret::Secret;
use super::types::{Block, Image, Message, Request, ResponseFormat, Role, Tool, ToolCall, ToolChoice};
use crate::error::Code;

pub use flavour::Flavour;

/// The languages that providers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// OpenAI Chat Completions, and the many servers that speak it.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini `generateContent`.
    Gemini,
}

impl Api {
    /// The name that stands in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Api::Chat => "chat",
            Api::Responses => "responses",
            Api::Anthropic => "anthropic",
            Api::Gemini => "gemini",
        }
    }

    /// The API of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Api> {
        [Api::Chat, Api::Responses, Api::Anthropic, Api::Gemini].into_iter().find(|api| api.name() == name)
    }
}

/// Where a model is, and how to be let in.
#[derive(Clone, Debug)]
pub struct Provider {
    /// What is spoken there.
    pub api: Api,
    /// The address up to and including the version, such as `https://api.openai.com/v1`; empty for the API's own. A query is kept.
    pub base_url: String,
    /// The key, for the header in which the API wants it.
    pub api_key: Option<Secret>,
    /// Sent with every request, stronger than the headers that the API needs. A browser's calls to Anthropic need
    /// `anthropic-dangerous-direct-browser-access: true` here.
    pub headers: Vec<(String, Secret)>,
    /// Which server it is, for [`Api::Chat`].
    pub flavour: Flavour,
}

/// A request ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    /// The address. It never holds a key.
    pub url: String,
    /// Always `POST`.
    pub method: &'static str,
    /// Names in lower case with their values, each name once. Values are secrets, so that printing the request gives nothing away.
    pub headers: Vec<(String, Secret)>,
    /// JSON in UTF-8.
    pub body: Vec<u8>,
}

/// A request with what its answer will look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// To be sent.
    pub http: HttpRequest,
    /// For the [`Decoder`](super::Decoder).
    pub expectation: Expectation,
}

impl Provider {
    /// A provider at an address; an empty one stands for the API's own. The flavour is guessed from it.
    ///
    /// ```
    /// use stepstream::llm::{Api, Provider};
    /// let provider = Provider::new(Api::Chat, "http://localhost:11434/v1", None);
    /// assert_eq!(provider.flavour, stepstream::llm::Flavour::Ollama);
    /// ```
    #[must_use]
    pub fn new(api: Api, base_url: &str, api_key: Option<Secret>) -> Provider {
        let flavour = Flavour::guess(base_url);
        Provider { api, base_url: base_url.to_owned(), api_key, headers: Vec::new(), flavour }
    }

    /// Puts a request into the provider's form.
    ///
    /// # Errors
    ///
    /// [`Code::LlmRequest`] for what the provider has no form for, or for a header that cannot be sent.
    pub fn build(&self, request: &Request, stream: bool) -> Result<Prepared, LlmError> {
        self.build_from(request, stream, "")
    }

    /// Whether an answer to that request that was cut off after some text can be gone on with by
    /// [`build_from`](Self::build_from). Anthropic can unless it thinks (its models from Claude 4.6 on refuse all the same), vLLM and
    /// Mistral can; OpenAI, Gemini and other servers cannot, or not reliably.
    #[must_use]
    pub fn can_resume(&self, request: &Request) -> bool {
        if request.response_format.is_some() {
            return false;
        }
        match self.api {
            Api::Anthropic => !anthropic::thinks(request),
            Api::Chat => self.flavour.quirks().prefill.is_some(),
            Api::Responses | Api::Gemini => false,
        }
    }

    /// As [`build`](Self::build), with the beginning of the answer already said, so that the model goes on from there.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_from(&self, request: &Request, stream: bool, said: &str) -> Result<Prepared, LlmError> {
        let mut output_tool = String::new();
        let (path, mut body) = match self.api {
            Api::Chat => {
                let quirks = self.flavour.quirks();
                ("/chat/completions".to_owned(), chat::body(request, stream, said, &quirks, &mut output_tool))
            }
            Api::Responses => ("/responses".to_owned(), responses::body(request, stream)?),
            Api::Anthropic => ("/messages".to_owned(), anthropic::body(request, stream, said, &mut output_tool)),
            Api::Gemini => (gemini::path(&request.model, stream), gemini::body(request, &mut output_tool)),
        };
        if !request.options.is_empty() {
            let merged = merge(&body, &request.options);
            body = merged.map_err(|_| unsendable("The options of the request, or a schema in it, are not JSON."))?;
        }
        let http = HttpRequest {
            url: self.address(&path),
            method: "POST",
            headers: self.headers_for(request)?,
            body: body.into_bytes(),
        };
        let lenient_end = self.api == Api::Chat && self.flavour != Flavour::OpenAi;
        let expectation = Expectation { api: self.api, output_tool, lenient_end, seed: 0 };
        Ok(Prepared { http, expectation })
    }

    /// `text` without the key, and without what else lets the program in: headers, and a password or a key in the address, which hosts
    /// repeat when they do not like it.
    pub(super) fn scrub(&self, request: &Request, text: String) -> String {
        let mut text = match &self.api_key {
            Some(key) => key.scrub(text),
            None => text,
        };
        let own = self.headers.iter().map(|(name, value)| (name, value.expose()));
        let more = request.headers.iter().map(|(name, value)| (name, value.as_str()));
        for (name, value) in own.chain(more) {
            if is_telling(name) {
                // Of `Bearer …` what follows.
                let (scheme, rest) = cut(value, b' ');
                text = Secret::new(if rest.is_empty() { scheme } else { rest }).scrub(text);
            }
        }
        let (address, mut query) = cut(&self.base_url, b'?');
        while !query.is_empty() {
            let (pair, rest) = cut(query, b'&');
            let (name, value) = cut(pair, b'=');
            if is_telling(name) {
                text = Secret::new(value).scrub(text);
            }
            query = rest;
        }
        let host = find(address, "://").and_then(|at| address.get(at + 3..)).unwrap_or(address);
        if let Some((person, _)) = cut(host, b'/').0.rsplit_once('@') {
            for part in [person, cut(person, b':').1] {
                text = Secret::new(part).scrub(text);
            }
        }
        text
    }

    fn address(&self, path: &str) -> String {
        let own = match self.api {
            Api::Chat | Api::Responses => "https://api.openai.com/v1",
            Api::Anthropic => "https://api.anthropic.com/v1",
            Api::Gemini => "https://generativelanguage.googleapis.com/v1beta",
        };
        let base = if self.base_url.is_empty() { own } else { &self.base_url };
        let (mut base, query) = cut(base, b'?');
        while let Some(shorter) = base.strip_suffix('/') {
            base = shorter;
        }
        let joint = match () {
            () if query.is_empty() => "",
            () if path.ends_with("?alt=sse") => "&",
            () => "?",
        };
        [base, path, joint, query].concat()
    }

    fn headers_for(&self, request: &Request) -> Result<Vec<(String, Secret)>, LlmError> {
        let mut headers = vec![("content-type".to_owned(), Secret::new("application/json"))];
        if self.api == Api::Anthropic {
            headers.push(("anthropic-version".to_owned(), Secret::new("2023-06-01")));
        }
        if let Some(key) = &self.api_key {
            headers.push(match self.api {
                Api::Chat | Api::Responses => {
                    ("authorization".to_owned(), Secret::new(["Bearer ", key.expose()].concat()))
                }
                Api::Anthropic => ("x-api-key".to_owned(), key.clone()),
                Api::Gemini => ("x-goog-api-key".to_owned(), key.clone()),
            });
        }
        let own = self.headers.iter().map(|(name, value)| (name, value.clone()));
        let more = request.headers.iter().map(|(name, value)| (name, Secret::new(value.as_str())));
        for (name, value) in own.chain(more) {
            let name = name.to_ascii_lowercase();
            headers.retain(|(other, _)| *other != name);
            headers.push((name, value));
        }
        for (name, value) in &headers {
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let is_text = |c: char| (c >= ' ' && c != '\u{7f}' && c <= '\u{ff}') || c == '\t';
            if name.is_empty() || !name.bytes().all(is_token) || !value.expose().chars().all(is_text) {
                let words = ["The header `", name, "` has a name or a value that HTTP does not allow."];
                return Err(unsendable(&words.concat()));
            }
        }
        Ok(headers)
    }
}

/// Whether what goes by that name lets somebody in.
fn is_telling(name: &str) -> bool {
    ["auth", "key", "token", "cookie", "secret"].iter().any(|part| find(name, part).is_some())
}

/// The name of the tool that stands for the form of the answer: that of the form, unless a tool of the program has it.
#[inline(never)]
fn answer_tool_of(format: &ResponseFormat, tools: &[Tool]) -> String {
    let mut name = format.name.clone();
    while tools.iter().any(|tool| tool.name == name) {
        name.push('_');
    }
    name
}

/// What has to be called where the answer is a tool. With tools of the program beside it, the model may call those first and answer later.
#[inline(never)]
fn choice_beside(output_tool: &str, request: &Request) -> ToolChoice {
    match &request.tool_choice {
        Some(ToolChoice::Named(name)) => ToolChoice::Named(name.clone()),
        Some(ToolChoice::None) => ToolChoice::Named(output_tool.to_owned()),
        _ if request.tools.is_empty() => ToolChoice::Named(output_tool.to_owned()),
        _ => ToolChoice::Required,
    }
}

fn unsendable(message: &str) -> LlmError {
    LlmError::new(Code::LlmRequest, message)
}

/// The address of an image, as a data URL if it is here.
#[inline(never)]
fn image_url(image: &Image) -> String {
    match image {
        Image::Url(url) => url.clone(),
        Image::Base64 { media_type, data } => ["data:", media_type, ";base64,", data].concat(),
    }
}

/// A schema, or that of an object without members.
fn schema_or_empty(schema: &str) -> &str {
    if schema.is_empty() { r#"{"type":"object","properties":{}}"# } else { schema }
}

/// The string at a path in a JSON object.
#[inline(never)]
fn string_in(json: &str, path: &[&str]) -> Option<String> {
    let mut tape = Tape::default();
    let value = tape.read(json).ok()?;
    path.iter().fold(value, |value, key| value.at(key)).string()
}

/// Writes the arguments of a call as an object. What was cut off in the middle, and so is none, is kept as text in one.
#[inline(never)]
fn write_arguments(arguments: &str, json: &mut Writer) {
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
fn write_stop(key: &str, stop: &[String], json: &mut Writer) {
    if !stop.is_empty() {
        json.key(key).open('[');
        for stop in stop {
            json.string(stop);
        }
        json.close(']');
    }
}

/// The call of that id, which a result alone does not tell of.
#[inline(never)]
fn call_of<'a>(messages: &'a [Message], id: &str) -> Option<&'a ToolCall> {
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

/// The system messages, for APIs that want them apart.
#[inline(never)]
fn system_text(request: &Request) -> String {
    let mut all = String::new();
    for message in request.messages.iter().filter(|message| message.role == Role::System) {
        if !all.is_empty() {
            all.push_str("\n\n");
        }
        all.push_str(&text_of(&message.content));
    }
    all
}

/// The text among some blocks, in lines.
#[inline(never)]
fn text_of(blocks: &[Block]) -> String {
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
