//! Plays the host of a decoder: cuts bytes, collects deltas, and checks at every step that the deltas and the answer agree.
#![allow(dead_code)] // Each test program uses a part of it.

use std::path::PathBuf;

use stepstream::llm::{Api, Block, Decoder, Delta, Expectation, FinishReason, LlmError, ModelResponse};

/// What came of decoding.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub response: ModelResponse,
    pub seen: Seen,
    /// With what had arrived attached, as a call does it.
    pub error: Option<LlmError>,
}

/// The answer as a reader of nothing but deltas sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// By place: text, reasoning, refusal or arguments.
    pub texts: Vec<String>,
    /// Place, id, name, and whether it is done.
    pub calls: Vec<(u32, String, String, bool)>,
    pub finish: Option<(FinishReason, String)>,
}

impl Seen {
    pub fn take(&mut self, delta: Delta<'_>) {
        match delta {
            Delta::Text { index, text }
            | Delta::Reasoning { index, text }
            | Delta::Refusal { index, text }
            | Delta::CallArguments { index, text } => {
                assert!(!text.is_empty(), "no delta is empty");
                let index = index as usize;
                if self.texts.len() <= index {
                    self.texts.resize(index + 1, String::new());
                }
                self.texts[index].push_str(text);
            }
            Delta::CallStarted { index, id, name } => self.calls.push((index, id.into(), name.into(), false)),
            Delta::CallDone { index } => {
                let call = self.calls.iter_mut().find(|call| call.0 == index).expect("what is done has begun");
                assert!(!call.3, "a call is done once");
                call.3 = true;
            }
            Delta::Finish { reason, raw } => {
                assert!(self.finish.is_none(), "an answer finishes once");
                self.finish = Some((reason, raw.into()));
            }
        }
    }

    /// The deltas together are what the answer holds.
    pub fn check(&self, response: &ModelResponse) {
        let seen = |index: usize| self.texts.get(index).cloned().unwrap_or_default();
        for (index, block) in response.content.iter().enumerate() {
            match block {
                Block::Text { text, .. } | Block::Reasoning { text, .. } | Block::Refusal(text) => {
                    assert_eq!(*text, seen(index));
                }
                Block::ToolCall(call) => {
                    assert_eq!(call.arguments, seen(index));
                    let call_delta =
                        self.calls.iter().find(|delta| delta.0 as usize == index).expect("every call has a delta");
                    assert_eq!((&call_delta.1, &call_delta.2), (&call.id, &call.name));
                }
                Block::Image(_) => {}
                Block::ToolResult { .. } => panic!("a model gives no results"),
            }
        }
        match &self.finish {
            None => assert_eq!(response.finish, FinishReason::None),
            Some((reason, raw)) => {
                assert_eq!((*reason, raw), (response.finish, &response.finish_raw));
            }
        }
    }
}

/// Decodes pieces one after the other, and reads the deltas after each.
pub fn decode_pieces<'a>(expectation: Expectation, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut decoder = Decoder::new(expectation);
    let mut seen = Seen::default();
    let mut error = None;
    for piece in pieces {
        error = decoder.push(piece).err().cloned();
        drain(&mut decoder, &mut seen);
        if error.is_some() {
            break;
        }
    }
    if error.is_none() {
        error = decoder.finish().err().cloned();
        drain(&mut decoder, &mut seen);
    }
    if let Some(error) = &mut error {
        assert_eq!(decoder.push(b"data: {}\n\n"), Err(&*error), "a failed decoder stays failed");
        assert_eq!(decoder.finish(), Err(&*error));
        error.partial =
            Some(decoder.response().clone()).filter(|partial| *partial != ModelResponse::default()).map(Box::new);
    }
    seen.check(decoder.response());
    let all_done = seen.calls.iter().all(|call| call.3);
    assert!(error.is_some() || (all_done && seen.finish.is_some()), "a complete answer has an end, and its calls have");
    Outcome { response: decoder.take_response(), seen, error }
}

pub fn drain(decoder: &mut Decoder, seen: &mut Seen) {
    let units: u32 = decoder.deltas().records().iter().map(|record| record.units).sum();
    assert_eq!(units as usize, decoder.deltas().text().encode_utf16().count());
    decoder.deltas().iter().for_each(|delta| seen.take(delta));
    decoder.clear_deltas();
}

pub fn decode(api: Api, bytes: &[u8]) -> Outcome {
    decode_pieces(Expectation::of(api), [bytes])
}

/// The pieces between some cuts.
pub fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts = cuts.to_vec();
    cuts.sort_unstable();
    let mut from = 0;
    let mut all = Vec::new();
    for cut in cuts {
        all.push(&bytes[from..cut]);
        from = cut;
    }
    all.push(&bytes[from..]);
    all
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }

    pub fn cuts(&mut self, length: usize, most: usize) -> Vec<usize> {
        (0..1 + self.below(most)).map(|_| self.below(length + 1)).collect()
    }
}

/// A stream written by hand for this project.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/llm_fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All of them, with whose words they are in.
pub fn fixtures() -> Vec<(String, Api, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/llm_fixtures");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .expect("the fixtures are part of the repository")
        .map(|entry| entry.expect("a folder can be listed").file_name().into_string().expect("names are ASCII"))
        .map(|name| {
            let api = Api::of_name(name.split('-').next().expect("a name has a first word")).expect("which is the API");
            let bytes = fixture(&name);
            (name, api, bytes)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}
