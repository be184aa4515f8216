//! Responses and errors to JSON, for the host. Blocks have the shape that [`Request::from_json`] parses.
//!
//! [`Request::from_json`]: super::Request::from_json

use super::error::LlmError;
use super::json::Writer;
use super::response::ModelResponse;
use super::types::{Block, Image, Signature};

impl ModelResponse {
    /// `{ id, model, content: Block[], finishReason?, finishRaw, usage: { input?, output?, reasoning?, cached?,
    /// cacheWritten? } }`; unknown members are left out.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Writer::default();
        self.write(&mut json);
        json.finish()
    }

    fn write(&self, json: &mut Writer) {
        json.open('{').text("id", &self.id).text("model", &self.model).key("content");
        blocks(&self.content, json);
        if let Some(name) = self.finish.name() {
            json.text("finishReason", name);
        }
        json.text("finishRaw", &self.finish_raw).key("usage").open('{');
        json.number("input", self.usage.input).number("output", self.usage.output);
        json.number("reasoning", self.usage.reasoning).number("cached", self.usage.cached);
        json.number("cacheWritten", self.usage.cache_written).close('}').close('}');
    }
}

impl LlmError {
    /// `{ code (its number), message, status?, type?, providerCode?, retryAfter? (milliseconds), partial?: a response
    /// }`; unknown members are left out.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Writer::default();
        json.open('{').number("code", Some(u64::from(self.code as u32))).text("message", &self.message);
        json.number("status", self.status.map(u64::from));
        for (key, text) in [("type", &self.kind), ("providerCode", &self.provider_code)] {
            if let Some(text) = text {
                json.text(key, text);
            }
        }
        json.number("retryAfter", self.retry_after.map(|wait| wait.0));
        if let Some(partial) = &self.partial {
            partial.write(json.key("partial"));
        }
        json.close('}');
        json.finish()
    }
}

fn sign(signature: Option<&Signature>, json: &mut Writer) {
    let Some(signature) = signature else { return };
    json.key("signature").open('{').text("api", signature.api.name());
    for (key, text) in [("id", &signature.id), ("data", &signature.data)] {
        if let Some(text) = text {
            json.text(key, text);
        }
    }
    json.close('}');
}

fn blocks(content: &[Block], json: &mut Writer) {
    json.open('[');
    for block in content {
        json.open('{').key("type");
        match block {
            Block::Text { text, signature } => {
                json.string("text").text("text", text);
                sign(signature.as_ref(), json);
            }
            Block::Image(Image::Url(url)) => {
                json.string("image").text("url", url);
            }
            Block::Image(Image::Base64 { media_type, data }) => {
                json.string("image").text("data", data).text("mediaType", media_type);
            }
            Block::ToolCall(call) => {
                json.string("toolCall").text("id", &call.id).text("name", &call.name);
                json.text("arguments", &call.arguments);
                sign(call.signature.as_ref(), json);
            }
            Block::ToolResult { id, content, is_error } => {
                json.string("toolResult").text("id", id).key("content");
                blocks(content, json);
                json.flag("isError", Some(*is_error));
            }
            Block::Reasoning { text, signature, redacted } => {
                json.string("reasoning").text("text", text).flag("redacted", redacted.then_some(true));
                sign(signature.as_ref(), json);
            }
            Block::Refusal(text) => {
                json.string("refusal").text("text", text);
            }
        }
        json.close('}');
    }
    json.close(']');
}
