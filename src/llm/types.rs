//! What a call says to a model, in words that hold for every provider.

use super::provider::Api;

/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Instructions from the program.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// Results of tools that the model called.
    Tool,
}

/// A message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said, in order.
    pub content: Vec<Block>,
}

impl Message {
    /// A message of one text.
    #[must_use]
    #[inline(never)]
    pub fn text(role: Role, text: impl Into<String>) -> Message {
        Message { role, content: vec![Block::text(text)] }
    }
}

/// What a provider wants back unchanged with the block it came with: a signature of the reasoning, encrypted reasoning,
/// the name of an item. Nobody else understands it, so a block that moves to another provider travels without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The API that it came from.
    pub api: Api,
    /// How the provider calls the block.
    pub id: Option<String>,
    /// The signature, or the encrypted content.
    pub data: Option<String>,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// To be sent back with it.
        signature: Option<Signature>,
    },
    /// An image.
    Image(Image),
    /// The model asks for a tool to be called.
    ToolCall(ToolCall),
    /// What came of a call.
    ToolResult {
        /// The call's id.
        id: String,
        /// What the tool said: text and images.
        content: Vec<Block>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// What the model thought before it answered, as far as the provider shows it.
    Reasoning {
        /// The thoughts, or a summary of them; empty where the provider hides them.
        text: String,
        /// To be sent back with them.
        signature: Option<Signature>,
        /// Whether the provider hides the thoughts; their encrypted form is the signature's data.
        redacted: bool,
    },
    /// The model declined to answer, in these words.
    Refusal(String),
}

impl Block {
    /// Text without a signature.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Block {
        Block::Text { text: text.into(), signature: None }
    }
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// At an address that the provider can reach.
    Url(String),
    /// Here.
    Base64 {
        /// Such as `image/png`.
        media_type: String,
        /// The bytes in base64.
        data: String,
    },
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Ties the result to the call. Made up where the provider gives none.
    pub id: String,
    /// The tool.
    pub name: String,
    /// The arguments as JSON text, `{}` if there are none. A call that was cut off may end in the middle of it.
    pub arguments: String,
    /// To be sent back with the call.
    pub signature: Option<Signature>,
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name; most providers take letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its arguments, as JSON; empty for an object without members.
    pub parameters: String,
    /// Whether the provider is to hold the model to the schema, where it can.
    pub strict: Option<bool>,
}

/// Whether and which tools the model has to call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// None.
    None,
    /// At least one.
    Required,
    /// The one of that name.
    Named(String),
}

/// The answer has to be JSON of this schema.
///
/// Sent natively where the provider can do it. Anthropic and DeepSeek get a tool of this name whose arguments are the answer, as does
/// Gemini before its third version if there are other tools; its deltas arrive as text. Anthropic refuses a forced tool while it thinks, so with `thinking` in the options it gets its native form.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseFormat {
    /// A name for the schema: letters, digits, `_` and `-`.
    pub name: String,
    /// The JSON Schema, of an object, as JSON.
    pub schema: String,
    /// Whether the provider is to hold the model to it, where that can be chosen.
    pub strict: Option<bool>,
}

/// A request to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The provider's name of the model.
    pub model: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Which it has to call; the provider's default if not given.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once; Gemini has no such switch and ignores it.
    pub parallel_tool_calls: Option<bool>,
    /// How random the answer is, from 0; a JSON number, which is passed on as it is, or empty.
    pub temperature: String,
    /// How many tokens the answer may have, those of the reasoning included. Anthropic requires a number and gets 4096 if there is none.
    pub max_tokens: Option<u64>,
    /// Where to stop. The Responses API has no such thing and refuses them.
    pub stop: Vec<String>,
    /// The form of the answer.
    pub response_format: Option<ResponseFormat>,
    /// Merged into the body at the end, member by member, and stronger than everything else: a JSON object, or empty.
    pub options: String,
    /// Sent along, stronger than the headers that the provider needs anyway.
    pub headers: Vec<(String, String)>,
}
