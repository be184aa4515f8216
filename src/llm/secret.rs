//! Keeps API keys out of logs and messages.

use core::fmt;

use super::ascii::find;

/// A text that no formatting reveals.
///
/// ```
/// use stepstream::llm::Secret;
///
/// let key = Secret::new("sk-very-secret");
/// assert_eq!(format!("{key:?} {key}"), "[secret] [secret]");
/// assert_eq!(key.expose(), "sk-very-secret");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the request only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with every occurrence of the secret replaced: servers often repeat a key that they refuse.
    #[must_use]
    pub fn scrub(&self, text: String) -> String {
        // A short secret would also replace ordinary words, and protects nothing.
        if self.0.len() < 8 {
            return text;
        }
        let (mut clean, mut rest) = (String::new(), text.as_str());
        while let Some(at) = find(rest, &self.0) {
            clean.push_str(rest.get(..at).unwrap_or_default());
            clean.push_str("[secret]");
            rest = rest.get(at + self.0.len()..).unwrap_or_default();
        }
        clean.push_str(rest);
        clean
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
