//! Calls of language models, without the network: requests as bytes, answers out of bytes, and when to do what.
pub mod json;
pub mod sse;

mod answer;
mod ascii;
mod call;
mod decode;
mod delta;
mod error;
mod intake;
mod provider;
mod report;
mod secret;
mod types;

pub use answer::{Answer, FinishReason, Usage};
pub use call::{Attempt, Call, CallOptions, Head, Todo, parse_http_date};
pub use decode::{Decoder, Expectation, refused};
pub use delta::{Delta, DeltaKind, Deltas, Record};
pub use error::LlmError;
pub use provider::{Api, Flavour, HttpRequest, Prepared, Provider};
pub use secret::Secret;
pub use types::{Block, Image, Message, Request, ResponseFormat, Role, Signature, Tool, ToolCall, ToolChoice};
