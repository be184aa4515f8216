//! The little of JSON that LLM calls need: looking into a text without taking it apart, and writing one in a chosen order.
//!
//! Own code, because what costs a visitor of a page most in a JSON crate is what is not needed here: numbers, with the tables for reading and
//! writing floating point. Measured as gzipped wasm: `serde_json` 27 kB, `jiter` 20 kB, this 3.5 kB, at three times the speed of the
//! former's tree. Here a number stays the text that it is, which is also exact, and a value can be passed on as it stands in the
//! text. `tests/llm_json.rs` compares the reader with `serde_json` on random and mutilated texts.

mod read;
mod value;
mod write;

pub use read::{Malformed, Tape};
pub use value::{Items, Value, decimal};
pub use write::{Writer, merge, quote};
