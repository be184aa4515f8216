//! Where all decoders write: every piece goes into the deltas and onto the end of its block in the answer, so the two cannot differ.

use super::super::ascii::push_number;
use super::super::delta::{DeltaKind, Deltas};
use super::super::json::{Value, quote};
use super::super::response::{FinishReason, ModelResponse, Usage};
use super::super::types::{Block, Signature, ToolCall};
use super::Fault;

/// More blocks than this are no answer; it also bounds the search for a block.
const MAX_BLOCKS: usize = 4096;

/// What a call needs beside its block while it is open.
#[derive(Debug)]
struct OpenCall {
    /// How the provider tells its calls apart.
    key: u64,
    /// The provider's id, empty if it gave none.
    id: String,
    index: usize,
}

/// The answer as it grows.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) response: ModelResponse,
    pub(super) deltas: Deltas,
    calls: Vec<OpenCall>,
    /// Which block belongs to which of the provider's numbers, where it numbers them.
    numbered: Vec<(u64, usize)>,
    /// The name of the tool that stands for the form of the answer; empty if there is none.
    output_tool: String,
    /// What earlier requests of the same call have cost.
    spent: Usage,
    cost: Usage,
    /// Whether the first text goes on where the last block, of an earlier request, was cut off.
    joining: bool,
    /// White space at the end of that block, which the new request may say once more.
    repeatable: String,
    /// Makes the ids of calls that come without one differ between answers.
    seed: u64,
    made_up: u32,
}

impl Sink {
    pub(super) fn new(output_tool: &str, seed: u64) -> Sink {
        Sink { output_tool: output_tool.to_owned(), seed, ..Sink::default() }
    }

    /// Goes on where another answer was cut off.
    pub(super) fn resume(&mut self, partial: ModelResponse) {
        self.spent = partial.usage;
        if let Some(Block::Text { text, .. }) = partial.content.last() {
            self.joining = true;
            self.repeatable = text.get(text.trim_ascii_end().len()..).unwrap_or_default().to_owned();
        }
        self.response = partial;
    }

    /// What this request has cost so far.
    #[inline(never)]
    pub(super) fn cost(&mut self, usage: Usage) {
        self.cost = usage;
        self.response.usage = self.spent.plus(usage);
    }

    /// What was last told of that.
    pub(super) fn latest_cost(&self) -> Usage {
        self.cost
    }

    /// Adds a block of which no deltas are told.
    #[inline(never)]
    pub(super) fn open(&mut self, block: Block) -> Result<usize, Fault> {
        if self.response.content.len() >= MAX_BLOCKS {
            return Err(Fault::bad("The answer has more parts than an answer can have."));
        }
        self.response.content.push(block);
        Ok(self.response.content.len() - 1)
    }

    /// More text, for the last block if that is text.
    #[inline(never)]
    pub(super) fn text(&mut self, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        let at = match self.response.content.last() {
            // What is signed is finished: a signature holds for exactly its text.
            Some(Block::Text { signature: None, .. }) => self.response.content.len() - 1,
            _ => self.open(Block::text(""))?,
        };
        self.append(at, text);
        Ok(())
    }

    /// More reasoning, for the last block if that is reasoning.
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

    /// More of a refusal.
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

    /// Opens a block under a number of the provider's. A number that is in use goes over to the new block.
    pub(super) fn open_numbered(&mut self, number: u64, block: Block) -> Result<usize, Fault> {
        let at = self.open(block)?;
        self.number(number, at);
        Ok(at)
    }

    /// Opens a text under a number, or goes on with the one that was cut off.
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

    /// The block under that number.
    pub(super) fn numbered(&self, number: u64) -> Option<usize> {
        self.numbered.iter().rev().find(|(other, _)| *other == number).map(|(_, at)| *at)
    }

    /// What of a text is not a repetition of the white space at the end of the text before it.
    fn without_repetition<'a>(&mut self, more: &'a str) -> &'a str {
        let common = more.bytes().zip(self.repeatable.bytes()).take_while(|(a, b)| a == b).count();
        let rest = more.get(common..).unwrap_or(more);
        let left = if rest.is_empty() { self.repeatable.get(common..).unwrap_or_default() } else { "" };
        self.repeatable = left.to_owned();
        rest
    }

    /// Appends to a block, in the way that belongs to its kind.
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

    /// The signature of a block, to be filled in.
    #[inline(never)]
    pub(super) fn signature(&mut self, at: usize) -> Option<&mut Option<Signature>> {
        match self.response.content.get_mut(at)? {
            Block::Text { signature, .. } | Block::Reasoning { signature, .. } => Some(signature),
            Block::ToolCall(call) => Some(&mut call.signature),
            _ => None,
        }
    }

    /// A call begins. `key` is how later pieces name it; an empty id is replaced by one that is unique.
    #[inline(never)]
    pub(super) fn call(&mut self, key: u64, id: &str, name: &str) -> Result<usize, Fault> {
        self.call_done(key);
        // The arguments of the tool that stands for the form of the answer are its text.
        let index = if !self.output_tool.is_empty() && name == self.output_tool {
            self.open(Block::text(""))?
        } else {
            let id = if id.is_empty() { self.make_up_id() } else { id.to_owned() };
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

    fn make_up_id(&mut self) -> String {
        self.made_up += 1;
        let mut id = String::from("call_");
        for shift in (0..16).rev() {
            let digit = (self.seed >> (shift * 4)) & 15;
            id.push(char::from(b"0123456789abcdef"[digit as usize]));
        }
        id.push('_');
        push_number(self.made_up.into(), &mut id);
        id
    }

    fn open_call(&self, key: u64) -> Option<&OpenCall> {
        self.calls.iter().rev().find(|call| call.key == key)
    }

    /// The block of an open call.
    pub(super) fn call_index(&self, key: u64) -> Option<usize> {
        self.open_call(key).map(|call| call.index)
    }

    /// The call that began last and is open.
    pub(super) fn last_call(&self) -> Option<u64> {
        self.calls.last().map(|call| call.key)
    }

    /// The open call to which the provider gave that id.
    pub(super) fn call_with_id(&self, id: &str) -> Option<u64> {
        self.calls.iter().rev().find(|call| call.id == id).map(|call| call.key)
    }

    /// The provider's id of an open call.
    pub(super) fn call_id(&self, key: u64) -> Option<&str> {
        self.open_call(key).map(|call| call.id.as_str())
    }

    /// The arguments of an open call so far.
    pub(super) fn call_arguments(&self, key: u64) -> &str {
        match self.call_index(key).and_then(|at| self.response.content.get(at)) {
            Some(Block::ToolCall(call)) => &call.arguments,
            Some(Block::Text { text, .. }) => text,
            _ => "",
        }
    }

    /// More arguments of an open call.
    #[inline(never)]
    pub(super) fn arguments(&mut self, key: u64, more: &str) {
        if let Some(at) = self.call_index(key) {
            self.append(at, more);
        }
    }

    /// Arguments that come as a value instead of a text.
    #[inline(never)]
    pub(super) fn arguments_of(&mut self, key: u64, value: Value<'_>) {
        match value.raw() {
            Some(json) if value.is_some() => self.arguments(key, json),
            _ => self.arguments(key, value.text()),
        }
    }

    /// A piece of arguments that are free text, as the inside of a JSON string.
    pub(super) fn quoted_arguments(&mut self, key: u64, text: &str) {
        let mut quoted = String::new();
        quote(text, &mut quoted);
        self.arguments(key, quoted.get(1..quoted.len() - 1).unwrap_or_default());
    }

    /// A call's arguments are complete.
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

    /// The model has stopped, so all its calls are complete.
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
            // The tool that stands for the form of the answer is no tool to anybody else.
            FinishReason::ToolCalls if !has_calls && !self.output_tool.is_empty() => FinishReason::Stop,
            other => other,
        };
        self.response.finish = reason;
        self.response.finish_raw = raw.to_owned();
        self.deltas.push(DeltaKind::Finish, reason as usize, raw);
    }

    /// Takes what is named once.
    #[inline(never)]
    pub(super) fn identify(&mut self, id: Value<'_>, model: Value<'_>) {
        if let (true, Some(id)) = (self.response.id.is_empty(), id.str()) {
            self.response.id.push_str(id);
        }
        if let (true, Some(model)) = (self.response.model.is_empty(), model.str()) {
            self.response.model.push_str(model);
        }
    }
}
