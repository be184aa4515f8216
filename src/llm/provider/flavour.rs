//! How servers with the Chat Completions API differ from OpenAI in what they accept.
//!
//! Their responses are parsed without knowing the server; see `decode/chat.rs`.

use super::super::ascii::{cut, find};

/// A server with the Chat Completions API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// OpenAI itself, or Azure.
    OpenAi,
    /// Any other.
    Generic,
    /// Ollama.
    Ollama,
    /// vLLM.
    Vllm,
    /// llama.cpp's server.
    LlamaCpp,
    /// Groq.
    Groq,
    /// DeepSeek.
    DeepSeek,
    /// Mistral.
    Mistral,
    /// xAI.
    Xai,
}

/// How a server takes the beginning of an answer to continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefill {
    /// The last message says `"prefix": true`.
    Prefix,
    /// The body says `"continue_final_message": true`.
    Continue,
}

/// The differences of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quirks {
    /// The name of the limit of tokens: OpenAI's reasoning models take only the new one, most others only the old one.
    pub(super) max_tokens: &'static str,
    /// Whether usage in a stream must be requested. Mistral always sends it, and refuses unknown members.
    pub(super) ask_usage: bool,
    /// The tool choice for "call at least one tool".
    pub(super) required: &'static str,
    /// Whether a tool can be requested by its name. llama.cpp silently takes such a choice for "auto".
    pub(super) named: bool,
    /// Whether it takes a JSON schema for the answer.
    pub(super) schema: bool,
    /// Whether ids of calls must have nine letters or digits.
    pub(super) short_ids: bool,
    /// Whether reasoning is sent back with the calls that followed it, as DeepSeek requires.
    pub(super) reasoning_back: bool,
    /// How an answer can be continued, if it can.
    pub(super) prefill: Option<Prefill>,
}

impl Flavour {
    /// The flavour with that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Flavour> {
        Some(match name {
            "openai" => Flavour::OpenAi,
            "generic" => Flavour::Generic,
            "ollama" => Flavour::Ollama,
            "vllm" => Flavour::Vllm,
            "llamacpp" => Flavour::LlamaCpp,
            "groq" => Flavour::Groq,
            "deepseek" => Flavour::DeepSeek,
            "mistral" => Flavour::Mistral,
            "xai" => Flavour::Xai,
            _ => return None,
        })
    }

    /// The flavour, recognised by the URL.
    #[must_use]
    pub fn guess(base_url: &str) -> Flavour {
        if base_url.is_empty() {
            return Flavour::OpenAi;
        }
        let rest = find(base_url, "://").and_then(|at| base_url.get(at + 3..)).unwrap_or(base_url);
        let host = cut(cut(rest, b'/').0, b'?').0;
        let name = cut(host, b':').0;
        let known = [
            ("openai.com", Flavour::OpenAi),
            ("openai.azure.com", Flavour::OpenAi),
            ("groq.com", Flavour::Groq),
            ("deepseek.com", Flavour::DeepSeek),
            ("mistral.ai", Flavour::Mistral),
            ("x.ai", Flavour::Xai),
        ];
        let belongs =
            |domain: &str| name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        match known.into_iter().find(|(domain, _)| belongs(domain)) {
            Some((_, flavour)) => flavour,
            None if host.ends_with(":11434") => Flavour::Ollama,
            None => Flavour::Generic,
        }
    }

    pub(super) const fn quirks(self) -> Quirks {
        let usual = Quirks {
            max_tokens: "max_tokens",
            ask_usage: true,
            required: "required",
            named: true,
            schema: true,
            short_ids: false,
            reasoning_back: false,
            prefill: None,
        };
        match self {
            Flavour::OpenAi => Quirks { max_tokens: "max_completion_tokens", ..usual },
            Flavour::DeepSeek => Quirks { schema: false, reasoning_back: true, ..usual },
            Flavour::Mistral => {
                Quirks { ask_usage: false, required: "any", short_ids: true, prefill: Some(Prefill::Prefix), ..usual }
            }
            Flavour::Vllm => Quirks { prefill: Some(Prefill::Continue), ..usual },
            Flavour::LlamaCpp => Quirks { named: false, ..usual },
            Flavour::Generic | Flavour::Ollama | Flavour::Groq | Flavour::Xai => usual,
        }
    }
}
