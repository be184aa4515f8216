//! The error of a failed call, with everything that the provider reported.

use core::fmt;

use super::response::ModelResponse;
use crate::error::Code;
use crate::time::Millis;

/// A failed call.
#[derive(Clone, Debug, PartialEq)]
pub struct LlmError {
    /// The code of the failure.
    pub code: Code,
    /// The provider's message if there is one, otherwise ours. It contains no API key.
    pub message: String,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// The provider's type of the error, such as `overloaded_error`.
    pub kind: Option<String>,
    /// The provider's code of the error, such as `model_not_found`.
    pub provider_code: Option<String>,
    /// How long the provider asks to wait before the next request.
    pub retry_after: Option<Millis>,
    /// What had arrived of the response; added by a [`Call`](super::Call).
    pub partial: Option<Box<ModelResponse>>,
}

impl LlmError {
    /// An error with nothing but a code and a message.
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
