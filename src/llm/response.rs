//! The response of a model: the message as it grows with the deltas, why it ended, and the tokens it used.

use super::types::{Block, Message, Role};

/// Why the model stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum FinishReason {
    /// It has not stopped, as far as is known.
    #[default]
    None = 0,
    /// It was done, or wrote a stop sequence.
    Stop = 1,
    /// It reached the limit of tokens.
    Length = 2,
    /// It calls tools.
    ToolCalls = 3,
    /// A filter of the provider stopped it.
    ContentFilter = 4,
    /// It declined to answer.
    Refusal = 5,
    /// The provider paused a long turn; send the response back to continue.
    Pause = 6,
    /// It failed, for instance to write a valid call of a tool.
    Error = 7,
    /// Something else; see the raw reason.
    Other = 8,
}

impl FinishReason {
    /// The name that TypeScript uses.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            FinishReason::None => return None,
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::ToolCalls => "toolCalls",
            FinishReason::ContentFilter => "contentFilter",
            FinishReason::Refusal => "refusal",
            FinishReason::Pause => "pause",
            FinishReason::Error => "error",
            FinishReason::Other => "other",
        })
    }
}

/// The tokens of a call, as far as the provider reports them. For a call that was cut off, the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens, those from a cache included.
    pub input: Option<u64>,
    /// Output tokens, those of the reasoning included.
    pub output: Option<u64>,
    /// The output tokens of the reasoning.
    pub reasoning: Option<u64>,
    /// The input tokens that were read from a cache.
    pub cached: Option<u64>,
    /// The input tokens that were written to a cache.
    pub cache_written: Option<u64>,
}

impl Usage {
    /// The sum for two requests of one call.
    #[must_use]
    pub fn plus(self, other: Usage) -> Usage {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        Usage {
            input: sum(self.input, other.input),
            output: sum(self.output, other.output),
            reasoning: sum(self.reasoning, other.reasoning),
            cached: sum(self.cached, other.cached),
            cache_written: sum(self.cache_written, other.cache_written),
        }
    }
}

/// The response of a model, complete or as far as it has arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelResponse {
    /// The provider's id of the response; empty if it gave none.
    pub id: String,
    /// The model that answered; empty if the provider does not say.
    pub model: String,
    /// Text, reasoning, calls and refusals, in the order in which they began.
    pub content: Vec<Block>,
    /// Why the model stopped.
    pub finish: FinishReason,
    /// The same in the provider's words.
    pub finish_raw: String,
    /// The tokens it used.
    pub usage: Usage,
}

impl ModelResponse {
    /// The text of all text blocks.
    #[must_use]
    pub fn text(&self) -> String {
        let mut all = String::new();
        for block in &self.content {
            if let Block::Text { text, .. } = block {
                all.push_str(text);
            }
        }
        all
    }

    /// Whether there is any content.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// The message, for the conversation.
    #[must_use]
    pub fn message(&self) -> Message {
        Message { role: Role::Assistant, content: self.content.clone() }
    }
}
