//! What a model has said: the message as it grows with the deltas, why it ended, and what it cost.

use super::types::{Block, Message, Role};

/// Why the model stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum FinishReason {
    /// It has not, as far as is known.
    #[default]
    None = 0,
    /// It was done, or met a stop sequence.
    Stop = 1,
    /// It reached the limit of tokens.
    Length = 2,
    /// It wants tools to be called.
    ToolCalls = 3,
    /// A filter of the provider stopped it.
    ContentFilter = 4,
    /// It declined to answer.
    Refusal = 5,
    /// The provider paused a long turn; send the answer back to go on.
    Pause = 6,
    /// It failed, for instance to write a call in the form of the tool.
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

/// Tokens, as far as the provider has told them; those of a call that was cut off are what was known by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// What was sent, those from a cache included.
    pub input: Option<u64>,
    /// What came back, reasoning included.
    pub output: Option<u64>,
    /// The part of the output that was reasoning.
    pub reasoning: Option<u64>,
    /// The part of the input that was read from a cache.
    pub cached: Option<u64>,
    /// The part of the input that was written to a cache.
    pub cache_written: Option<u64>,
}

impl Usage {
    /// The sum of two requests of one call.
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

/// What a model has said so far, or in the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelResponse {
    /// The provider's id of the response; empty if it gave none.
    pub id: String,
    /// The model that answered; empty if it was not told.
    pub model: String,
    /// Text, reasoning, calls and refusals, in the order in which they began.
    pub content: Vec<Block>,
    /// Why the model stopped.
    pub finish: FinishReason,
    /// The same in the provider's words.
    pub finish_raw: String,
    /// What it cost.
    pub usage: Usage,
}

impl ModelResponse {
    /// All text, without reasoning and refusals.
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

    /// Whether there is anything to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// The message that goes back into the conversation.
    #[must_use]
    pub fn message(&self) -> Message {
        Message { role: Role::Assistant, content: self.content.clone() }
    }
}
