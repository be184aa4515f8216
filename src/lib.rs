//! stepstream: event-driven workflows, as a pure state machine with a thin WebAssembly boundary.
//!
//! # Layout
//!
//! - [`engine`]: the reducer. Ticks in, commands out; no clock, no randomness, no payloads.
//! - [`snapshot`]: runs as bytes: the format, the journal, replay.
//! - [`executor`]: single-threaded tasks and timers, one instance per engine.
//! - [`llm`]: calls of language models, without the network: requests as bytes, answers out of bytes, when to do what.
//! - [`error`]: the codes with which the modules refuse a call or report a failure.
//! - [`time`], [`random`]: what all of them share: milliseconds, and draws that depend on nothing but their arguments.
//! - `wasm`: the only boundary to JavaScript; it exists in WebAssembly builds alone.
//!
//! # Invariants
//!
//! 1. Nothing outside `wasm` knows JavaScript, so everything else is compiled and tested natively.
//! 2. Nothing outside `wasm` is `unsafe`.
//! 3. The engine calls no code of the host: it returns commands, and the host executes them after the call has
//!    returned.
#![deny(unsafe_code)]

pub mod engine;
pub mod error;
pub mod executor;
mod hash;
pub mod llm;
pub mod random;
pub mod snapshot;
mod sorted;
pub mod time;
mod wire;

#[cfg(target_arch = "wasm32")]
mod wasm;
