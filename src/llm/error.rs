//! Why a call failed, with everything that the provider said about it.

use core::fmt;

use super::response::ModelResponse;
use crate::error::Code;
use crate::time::Millis;

/// A failed call.
#[derive(Clone, Debug, PartialEq)]
pub struct LlmError {
    /// What kind of failure.
    pub code: Code,
    /// In the provider's words if there are any, otherwise in ours. Holds no API key.
    pub message: String,
    /// The HTTP status, if an answer came.
    pub status: Option<u16>,
    /// The provider's type of the error, such as `overloaded_error`.
    pub kind: Option<String>,
    /// The provider's code of the error, such as `model_not_found`.
    pub provider_code: Option<String>,
    /// How long the provider asks to wait.
    pub retry_after: Option<Millis>,
    /// What had arrived before; a [`Call`](super::Call) attaches it.
    pub partial: Option<Box<ModelResponse>>,
}

impl LlmError {
    /// An error with nothing but a code and words.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> LlmError {
        LlmError {
            code,
            message: message.into(),
            status: None,
            kind: None,
            provider_code: None,
            retry_after: None,
            partial: None,
        }
    }
}

impl fmt::Display for LlmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for LlmError {}
