//! Makes requests: URL, headers and body for a provider.
//!
//! - `mod.rs`: [`Provider`], [`HttpRequest`].
//! - `flavour.rs`: how servers with the Chat Completions API differ.
//! - `chat.rs`, `responses.rs`, `anthropic.rs`, `gemini.rs`: the bodies; `shared.rs`: what they have in common.

mod anthropic;
mod chat;
mod flavour;
mod gemini;
mod responses;
mod shared;

use super::api::Api;
use super::ascii::{cut, find};
use super::decode::Expectation;
use super::error::LlmError;
use super::json::merge;
use super::secret::Secret;
use super::types::Request;
use shared::unsendable;

pub use flavour::Flavour;

/// A provider: its API, URL and key.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its API.
    pub api: Api,
    /// The URL up to and including the version, such as `https://api.openai.com/v1`; empty for the API's own. A query
    /// is kept.
    pub base_url: String,
    /// The key, for the header of the API.
    pub api_key: Option<Secret>,
    /// Headers of every request, which replace those of the API. Calls to Anthropic from a browser need
    /// `anthropic-dangerous-direct-browser-access: true`.
    pub headers: Vec<(String, Secret)>,
    /// Which server it is, for [`Api::Chat`].
    pub flavour: Flavour,
}

/// A request, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    /// The URL. It never contains a key.
    pub url: String,
    /// Always `POST`.
    pub method: &'static str,
    /// Names in lower case with their values, each name once. The values are secrets, so that printing the request
    /// reveals none.
    pub headers: Vec<(String, Secret)>,
    /// JSON in UTF-8.
    pub body: Vec<u8>,
}

/// A request, and what its response will look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The request.
    pub http: HttpRequest,
    /// For the [`Decoder`](super::Decoder).
    pub expectation: Expectation,
}

impl Provider {
    /// A provider with a URL; an empty one is the API's own. The flavour is recognised by the URL.
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

    /// Makes the request for the provider.
    ///
    /// # Errors
    ///
    /// [`Code::LlmRequest`](crate::error::Code::LlmRequest) for what the provider does not support, or for a header
    /// that cannot be sent.
    pub fn build(&self, request: &Request, stream: bool) -> Result<Prepared, LlmError> {
        self.build_from(request, stream, "")
    }

    /// Whether a response that was cut off after some text can be resumed by [`build_from`](Self::build_from). It can
    /// with Anthropic unless it thinks (its models from Claude 4.6 on refuse it in any case), vLLM and Mistral; not, or
    /// not reliably, with OpenAI, Gemini and other servers.
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

    /// As [`build`](Self::build), with the beginning of the answer, which the model continues.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_from(&self, request: &Request, stream: bool, begun: &str) -> Result<Prepared, LlmError> {
        let mut output_tool = String::new();
        let (path, mut body) = match self.api {
            Api::Chat => {
                let quirks = self.flavour.quirks();
                ("/chat/completions".to_owned(), chat::body(request, stream, begun, &quirks, &mut output_tool))
            }
            Api::Responses => ("/responses".to_owned(), responses::body(request, stream)?),
            Api::Anthropic => ("/messages".to_owned(), anthropic::body(request, stream, begun, &mut output_tool)),
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

    /// `text` without the key and other credentials (headers, and a password or a key in the URL), which hosts repeat
    /// in their errors.
    pub(super) fn scrub(&self, request: &Request, text: String) -> String {
        let mut text = match &self.api_key {
            Some(key) => key.scrub(text),
            None => text,
        };
        let own = self.headers.iter().map(|(name, value)| (name, value.expose()));
        let more = request.headers.iter().map(|(name, value)| (name, value.as_str()));
        for (name, value) in own.chain(more) {
            if is_credential(name) {
                // The part after `Bearer `.
                let (scheme, rest) = cut(value, b' ');
                text = Secret::new(if rest.is_empty() { scheme } else { rest }).scrub(text);
            }
        }
        let (address, mut query) = cut(&self.base_url, b'?');
        while !query.is_empty() {
            let (pair, rest) = cut(query, b'&');
            let (name, value) = cut(pair, b'=');
            if is_credential(name) {
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

/// Whether a header or parameter with that name is a credential.
fn is_credential(name: &str) -> bool {
    ["auth", "key", "token", "cookie", "secret"].iter().any(|part| find(name, part).is_some())
}
