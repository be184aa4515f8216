//! The APIs of providers.

/// The APIs of providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// OpenAI Chat Completions, which many other servers have too.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini `generateContent`.
    Gemini,
}

impl Api {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Api::Chat => "chat",
            Api::Responses => "responses",
            Api::Anthropic => "anthropic",
            Api::Gemini => "gemini",
        }
    }

    /// The API with that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Api> {
        [Api::Chat, Api::Responses, Api::Anthropic, Api::Gemini].into_iter().find(|api| api.name() == name)
    }
}
