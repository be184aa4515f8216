//! The response while it grows. All decoders write here: each piece is added to the deltas and to its block, so that
//! the two cannot differ.

use super::super::ascii::push_number;
use super::super::delta::{DeltaKind, Deltas};
use super::super::json::{Value, quote};
use super::super::response::{FinishReason, ModelResponse, Usage};
use super::super::types::{Block, Signature, ToolCall};
use super::fault::Fault;

/// The highest number of blocks of a response; it also bounds the search for a block.
const MAX_BLOCKS: usize = 4096;

/// A call whose arguments are not complete, beside its block.
#[derive(Debug)]
struct OpenCall {
    /// The provider's key of the call.
    key: u64,
    /// The provider's id; empty if it gave none.
    id: String,
    index: usize,
}

/// The response while it grows.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) response: ModelResponse,
    pub(super) deltas: Deltas,
    calls: Vec<OpenCall>,
    /// The blocks by the provider's numbers, where it numbers them.
    numbered: Vec<(u64, usize)>,
    /// The name of the tool for structured output; empty if there is none.
    output_tool: String,
    /// The tokens of earlier requests of the same call.
    spent: Usage,
    cost: Usage,
    /// Whether the first text continues the last block of an earlier request, which was cut off.
    joining: bool,
    /// White space at the end of that block, which the new response may repeat.
    repeatable: String,
    /// For the ids of calls that come without one; it differs between responses.
    seed: u64,
    generated: u32,
}

impl Sink {
    pub(super) fn new(output_tool: &str, seed: u64) -> Sink {
        Sink { output_tool: output_tool.to_owned(), seed, ..Sink::default() }
    }

    /// Continues a response that was cut off.
    pub(super) fn resume(&mut self, partial: ModelResponse) {
        self.spent = partial.usage;
        if let Some(Block::Text { text, .. }) = partial.content.last() {
            self.joining = true;
            self.repeatable = text.get(text.trim_ascii_end().len()..).unwrap_or_default().to_owned();
        }
        self.response = partial;
    }

    /// Sets the tokens of this request.
    #[inline(never)]
    pub(super) fn cost(&mut self, usage: Usage) {
        self.cost = usage;
        self.response.usage = self.spent.plus(usage);
    }

    /// The tokens of this request, as last reported.
    pub(super) fn latest_cost(&self) -> Usage {
        self.cost
    }

    /// Adds a block without a delta.
    #[inline(never)]
    pub(super) fn open(&mut self, block: Block) -> Result<usize, Fault> {
        if self.response.content.len() >= MAX_BLOCKS {
            return Err(Fault::bad("The response has more than 4,096 parts."));
        }
        self.response.content.push(block);
        Ok(self.response.content.len() - 1)
    }

    /// Adds text to the last block if that is text, else to a new one.
    #[inline(never)]
    pub(super) fn text(&mut self, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        let at = match self.response.content.last() {
            // A signed block is complete: a signature is valid for exactly its text.
            Some(Block::Text { signature: None, .. }) => self.response.content.len() - 1,
            _ => self.open(Block::text(""))?,
        };
        self.append(at, text);
        Ok(())
    }

    /// Adds reasoning to the last block if that is reasoning, else to a new one.
    #[inline(never)]
    pub(super) fn reasoning(&mut self, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        let at = match self.response.content.last() {
            Some(Block::Reasoning { redacted: false, signature: None, .. }) => self.response.content.len() - 1,
            _ => self.open(Block::Reasoning { text: String::new(), signature: None, redacted: false })?,
        };
        self.append(at, text);
        Ok(())
    }

    /// Adds text to a refusal.
    #[inline(never)]
    pub(super) fn refusal(&mut self, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        let at = match self.response.content.last() {
            Some(Block::Refusal(_)) => self.response.content.len() - 1,
            _ => self.open(Block::Refusal(String::new()))?,
        };
        self.append(at, text);
        Ok(())
    }

    /// Adds a block with a number of the provider. A number that is in use is given to the new block.
    pub(super) fn open_numbered(&mut self, number: u64, block: Block) -> Result<usize, Fault> {
        let at = self.open(block)?;
        self.number(number, at);
        Ok(at)
    }

    /// Adds a text with a number, or continues the text that was cut off.
    pub(super) fn open_text(&mut self, number: u64) -> Result<usize, Fault> {
        if core::mem::take(&mut self.joining) && !self.response.content.is_empty() {
            let at = self.response.content.len() - 1;
            self.number(number, at);
            return Ok(at);
        }
        self.open_numbered(number, Block::text(""))
    }

    /// Gives a block a number.
    #[inline(never)]
    pub(super) fn number(&mut self, number: u64, at: usize) {
        self.numbered.retain(|(other, _)| *other != number);
        self.numbered.push((number, at));
    }

    /// The block with that number.
    pub(super) fn numbered(&self, number: u64) -> Option<usize> {
        self.numbered.iter().rev().find(|(other, _)| *other == number).map(|(_, at)| *at)
    }

    /// The text without white space that repeats the end of the text before it.
    fn without_repetition<'a>(&mut self, more: &'a str) -> &'a str {
        let common = more.bytes().zip(self.repeatable.bytes()).take_while(|(a, b)| a == b).count();
        let rest = more.get(common..).unwrap_or(more);
        let left = if rest.is_empty() { self.repeatable.get(common..).unwrap_or_default() } else { "" };
        self.repeatable = left.to_owned();
        rest
    }

    /// Appends to a block, and to the deltas.
    #[inline(never)]
    pub(super) fn append(&mut self, at: usize, more: &str) {
        let more = if self.repeatable.is_empty() { more } else { self.without_repetition(more) };
        if more.is_empty() {
            return;
        }
        let kind = match self.response.content.get_mut(at) {
            Some(Block::Text { text, .. }) => {
                text.push_str(more);
                DeltaKind::Text
            }
            Some(Block::Reasoning { text, .. }) => {
                text.push_str(more);
                DeltaKind::Reasoning
            }
            Some(Block::Refusal(text)) => {
                text.push_str(more);
                DeltaKind::Refusal
            }
            Some(Block::ToolCall(call)) => {
                call.arguments.push_str(more);
                DeltaKind::CallArguments
            }
            _ => return,
        };
        self.deltas.push(kind, at, more);
    }

    /// The signature of a block, to be set.
    #[inline(never)]
    pub(super) fn signature(&mut self, at: usize) -> Option<&mut Option<Signature>> {
        match self.response.content.get_mut(at)? {
            Block::Text { signature, .. } | Block::Reasoning { signature, .. } => Some(signature),
            Block::ToolCall(call) => Some(&mut call.signature),
            _ => None,
        }
    }

    /// Begins a call. `key` identifies it for later pieces; an empty id is replaced by a generated one.
    #[inline(never)]
    pub(super) fn call(&mut self, key: u64, id: &str, name: &str) -> Result<usize, Fault> {
        self.call_done(key);
        // The arguments of the tool for structured output are the text of the response.
        let index = if !self.output_tool.is_empty() && name == self.output_tool {
            self.open(Block::text(""))?
        } else {
            let id = if id.is_empty() { self.generate_id() } else { id.to_owned() };
            let call = ToolCall { id, name: name.to_owned(), arguments: String::new(), signature: None };
            let at = self.open(Block::ToolCall(call))?;
            if let Some(Block::ToolCall(call)) = self.response.content.get(at) {
                self.deltas.push(DeltaKind::CallId, at, &call.id);
                self.deltas.push(DeltaKind::CallStarted, at, &call.name);
            }
            at
        };
        self.calls.push(OpenCall { key, id: id.to_owned(), index });
        Ok(index)
    }

    fn generate_id(&mut self) -> String {
        self.generated += 1;
        let mut id = String::from("call_");
        for shift in (0..16).rev() {
            let digit = (self.seed >> (shift * 4)) & 15;
            id.push(char::from(b"0123456789abcdef"[digit as usize]));
        }
        id.push('_');
        push_number(self.generated.into(), &mut id);
        id
    }

    fn open_call(&self, key: u64) -> Option<&OpenCall> {
        self.calls.iter().rev().find(|call| call.key == key)
    }

    /// The block of an open call.
    pub(super) fn call_index(&self, key: u64) -> Option<usize> {
        self.open_call(key).map(|call| call.index)
    }

    /// The open call that began last.
    pub(super) fn last_call(&self) -> Option<u64> {
        self.calls.last().map(|call| call.key)
    }

    /// The open call with that id of the provider.
    pub(super) fn call_with_id(&self, id: &str) -> Option<u64> {
        self.calls.iter().rev().find(|call| call.id == id).map(|call| call.key)
    }

    /// The provider's id of an open call.
    pub(super) fn call_id(&self, key: u64) -> Option<&str> {
        self.open_call(key).map(|call| call.id.as_str())
    }

    /// The arguments of an open call, as far as they have arrived.
    pub(super) fn call_arguments(&self, key: u64) -> &str {
        match self.call_index(key).and_then(|at| self.response.content.get(at)) {
            Some(Block::ToolCall(call)) => &call.arguments,
            Some(Block::Text { text, .. }) => text,
            _ => "",
        }
    }

    /// Adds arguments to an open call.
    #[inline(never)]
    pub(super) fn arguments(&mut self, key: u64, more: &str) {
        if let Some(at) = self.call_index(key) {
            self.append(at, more);
        }
    }

    /// Adds arguments that come as a value instead of a text.
    #[inline(never)]
    pub(super) fn arguments_of(&mut self, key: u64, value: Value<'_>) {
        match value.raw() {
            Some(json) if value.is_some() => self.arguments(key, json),
            _ => self.arguments(key, value.text()),
        }
    }

    /// Adds a piece of free text as arguments: as the content of a JSON string.
    pub(super) fn quoted_arguments(&mut self, key: u64, text: &str) {
        let mut quoted = String::new();
        quote(text, &mut quoted);
        self.arguments(key, quoted.get(1..quoted.len() - 1).unwrap_or_default());
    }

    /// Ends a call, whose arguments are complete.
    #[inline(never)]
    pub(super) fn call_done(&mut self, key: u64) {
        let Some(at) = self.calls.iter().position(|call| call.key == key) else { return };
        let call = self.calls.remove(at);
        if let Some(Block::ToolCall(ToolCall { arguments, .. })) = self.response.content.get(call.index) {
            if arguments.trim_ascii().is_empty() {
                self.append(call.index, "{}");
            }
            self.deltas.push(DeltaKind::CallDone, call.index, "");
        }
    }

    /// The model has stopped: ends all calls.
    #[inline(never)]
    pub(super) fn finish(&mut self, reason: FinishReason, raw: &str) {
        while let Some(call) = self.calls.first() {
            self.call_done(call.key);
        }
        if self.response.finish != FinishReason::None {
            return;
        }
        let mut content = self.response.content.iter();
        let has_calls = content.clone().any(|block| matches!(block, Block::ToolCall(_)));
        let has_refusal = content.any(|block| matches!(block, Block::Refusal(_)));
        let reason = match reason {
            FinishReason::Stop if has_calls => FinishReason::ToolCalls,
            FinishReason::Stop if has_refusal => FinishReason::Refusal,
            // The tool for structured output is not visible to the caller.
            FinishReason::ToolCalls if !has_calls && !self.output_tool.is_empty() => FinishReason::Stop,
            other => other,
        };
        self.response.finish = reason;
        self.response.finish_raw = raw.to_owned();
        self.deltas.push(DeltaKind::Finish, reason as usize, raw);
    }

    /// Sets the id and the model, which do not change, from the members of these names. Most events repeat them, so
    /// they are looked for only as long as they are missing.
    #[inline(never)]
    pub(super) fn identify(&mut self, source: Value<'_>, id: &str, model: &str) {
        if self.response.id.is_empty() {
            self.response.id.push_str(source.at(id).text());
        }
        if self.response.model.is_empty() {
            self.response.model.push_str(source.at(model).text());
        }
    }
}
