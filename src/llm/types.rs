//! The request of a call: messages, tools and options, the same for every provider.

use super::api::Api;

/// The author of a message.
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
    /// The author.
    pub role: Role,
    /// The content, in order.
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

/// Data that a provider wants back unchanged with the block it came with: a signature of the reasoning, encrypted
/// reasoning, the id of an item. It means nothing to other providers, so it is not sent to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The API that it came from.
    pub api: Api,
    /// The provider's id of the block.
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
        /// Sent back with the text.
        signature: Option<Signature>,
    },
    /// An image.
    Image(Image),
    /// A call of a tool that the model asks for.
    ToolCall(ToolCall),
    /// The result of a call of a tool.
    ToolResult {
        /// The call's id.
        id: String,
        /// The result: text and images.
        content: Vec<Block>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// The model's reasoning before its answer, as far as the provider shows it.
    Reasoning {
        /// The reasoning, or a summary of it; empty where the provider hides it.
        text: String,
        /// Sent back with the reasoning.
        signature: Option<Signature>,
        /// Whether the provider hides the reasoning; its encrypted form is the signature's data.
        redacted: bool,
    },
    /// The model declined to answer, with this text.
    Refusal(String),
}

impl Block {
    /// Text without a signature.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Block {
        Block::Text { text: text.into(), signature: None }
    }
}

/// The source of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    /// A URL that the provider can reach.
    Url(String),
    /// The data.
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
    /// The result of the call has the same id. Generated where the provider gives none.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments as JSON text, `{}` if there are none. Incomplete when the response was cut off.
    pub arguments: String,
    /// Sent back with the call.
    pub signature: Option<Signature>,
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name; most providers take 1 to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its arguments, as JSON; empty for an object without members.
    pub parameters: String,
    /// Whether the provider must enforce the schema, where it can.
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
    /// The one with this name.
    Named(String),
}

/// Structured output: the answer must be JSON of this schema.
///
/// Most providers support it natively. Anthropic and DeepSeek get a tool of this name whose arguments are the answer,
/// and so does Gemini before version 3 if there are other tools; the deltas of that tool are reported as text.
/// Anthropic refuses a forced tool while it thinks, so with `thinking` in the options it gets its native form.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseFormat {
    /// A name for the schema: letters, digits, `_` and `-`.
    pub name: String,
    /// The JSON Schema, of an object, as JSON.
    pub schema: String,
    /// Whether the provider must enforce it, where that can be chosen.
    pub strict: Option<bool>,
}

/// A request to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The provider's name of the model.
    pub model: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The tools that the model may call.
    pub tools: Vec<Tool>,
    /// Whether and which tools it has to call; the provider's default if not given.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several tools at once; Gemini has no such option and ignores it.
    pub parallel_tool_calls: Option<bool>,
    /// The temperature, a JSON number that is sent as it is, or empty.
    pub temperature: String,
    /// The highest number of tokens in the answer, those of the reasoning included. Anthropic requires a number; the
    /// default is 4096.
    pub max_tokens: Option<u64>,
    /// Texts at which the model stops. The Responses API has no such option, and refuses them.
    pub stop: Vec<String>,
    /// The format of the answer.
    pub response_format: Option<ResponseFormat>,
    /// Merged into the body last, member by member, replacing other members: a JSON object, or empty.
    pub options: String,
    /// Headers, which replace those that the provider needs.
    pub headers: Vec<(String, String)>,
}
