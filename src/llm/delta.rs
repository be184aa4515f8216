//! The new pieces of a response, packed so that those of a whole chunk cross the boundary at once: one string and one
//! list of numbers.

use super::response::FinishReason;

/// The kind of a piece. The numbers are part of the contract with the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum DeltaKind {
    /// More text.
    Text = 0,
    /// More reasoning.
    Reasoning = 1,
    /// More of a refusal.
    Refusal = 2,
    /// The id of a call that begins; the next record is its `CallStarted`.
    CallId = 3,
    /// A call begins; the text is the name of the tool.
    CallStarted = 4,
    /// More of a call's arguments.
    CallArguments = 5,
    /// A call's arguments are complete.
    CallDone = 6,
    /// The model has stopped. The text is the provider's reason; `index` is the number of a [`FinishReason`].
    Finish = 7,
}

/// One piece: its kind, its block, and where its text ends. Four words in memory, which a host reads directly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct DeltaRecord {
    /// The kind.
    pub kind: DeltaKind,
    /// The index of its block in [`ModelResponse::content`](super::ModelResponse::content).
    pub index: u32,
    /// The end of its text in [`Deltas::text`], in bytes; the text begins where that of the record before ends.
    pub end: u32,
    /// The length of its text in UTF-16 units, in which JavaScript counts.
    pub units: u32,
}

/// The new pieces, in order.
#[derive(Clone, Debug, Default)]
pub struct Deltas {
    text: String,
    records: Vec<DeltaRecord>,
}

/// A new piece, for Rust programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delta<'a> {
    /// More text.
    Text {
        /// The block.
        index: u32,
        /// What to append.
        text: &'a str,
    },
    /// More reasoning.
    Reasoning {
        /// The block.
        index: u32,
        /// What to append.
        text: &'a str,
    },
    /// More of a refusal.
    Refusal {
        /// The block.
        index: u32,
        /// What to append.
        text: &'a str,
    },
    /// A call begins.
    CallStarted {
        /// The block.
        index: u32,
        /// The call's id.
        id: &'a str,
        /// The tool.
        name: &'a str,
    },
    /// More of a call's arguments.
    CallArguments {
        /// The block.
        index: u32,
        /// What to append.
        text: &'a str,
    },
    /// A call's arguments are complete.
    CallDone {
        /// The block.
        index: u32,
    },
    /// The model has stopped.
    Finish {
        /// Why.
        reason: FinishReason,
        /// The same in the provider's words.
        raw: &'a str,
    },
}

impl Deltas {
    /// The texts of all records, one after the other.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The records.
    #[must_use]
    pub fn records(&self) -> &[DeltaRecord] {
        &self.records
    }

    /// Whether there is nothing new.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Forgets everything, and keeps the memory for what comes next.
    pub fn clear(&mut self) {
        self.text.clear();
        self.records.clear();
    }

    /// The new things in their order.
    pub fn iter(&self) -> impl Iterator<Item = Delta<'_>> {
        let (mut from, mut id) = (0, "");
        let reasons = [
            FinishReason::None,
            FinishReason::Stop,
            FinishReason::Length,
            FinishReason::ToolCalls,
            FinishReason::ContentFilter,
            FinishReason::Refusal,
            FinishReason::Pause,
            FinishReason::Error,
            FinishReason::Other,
        ];
        self.records.iter().filter_map(move |&DeltaRecord { kind, index, end, .. }| {
            let text = self.text.get(from..end as usize).unwrap_or_default();
            from = end as usize;
            Some(match kind {
                DeltaKind::Text => Delta::Text { index, text },
                DeltaKind::Reasoning => Delta::Reasoning { index, text },
                DeltaKind::Refusal => Delta::Refusal { index, text },
                DeltaKind::CallId => {
                    id = text;
                    return None;
                }
                DeltaKind::CallStarted => Delta::CallStarted { index, id, name: text },
                DeltaKind::CallArguments => Delta::CallArguments { index, text },
                DeltaKind::CallDone => Delta::CallDone { index },
                DeltaKind::Finish => Delta::Finish {
                    reason: reasons.get(index as usize).copied().unwrap_or(FinishReason::Other),
                    raw: text,
                },
            })
        })
    }

    pub(super) fn push(&mut self, kind: DeltaKind, index: usize, text: &str) {
        self.text.push_str(text);
        let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
        let (index, end, units) = (index as u32, self.text.len() as u32, units as u32);
        self.records.push(DeltaRecord { kind, index, end, units });
    }
}
