//! The little of JSON that LLM calls need: looking into a text without taking it apart, and writing one in a chosen order.
//!
//! Own code, because what costs a visitor of a page most in a JSON crate is what is not needed here, numbers: with their tables, reading and
//! writing floating point is three quarters of `serde_json`'s share (measured on the whole of this module, gzipped: 22 kB with it, 3 kB
//! so), and `jiter` brings 20 kB. Here a number stays the text that it is, which is also exact; and a value can be passed on as it
//! stands in the text. `tests/llm_json.rs` compares the reader with `serde_json` on random and mutilated texts.

mod read;
mod write;

pub use read::{Items, Malformed, Tape, Value, decimal};
pub use write::{Writer, merge, quote};
