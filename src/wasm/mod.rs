//! The boundaries to JavaScript: plain functions over handles, numbers in, words out.
//!
//! There are two. Each is a module of its own in the package, with a memory of its own, so that a program that calls no
//! model does not download the code for that, nor the other way round. The features of the crate choose which of them a
//! build exports.
//!
//! # Layout
//!
//! - `engine/`: runs of workflows; feature `engine`.
//! - `llm.rs`: calls of models; feature `llm`.
//! - `handles.rs`: the numbers that name graphs, runs and calls.
//! - `drill.rs`: panics on request; feature `crash-drill`, for tests.
//!
//! # What holds for both
//!
//! 1. Everything that lives here is named by handles. A handle of something that was freed is refused. There is no
//!    exported class: after a trap, its finaliser would call into the instance that replaced its own.
//! 2. Nothing here calls JavaScript, so that no call can come in while another one runs.
//! 3. No input makes a call trap. A trap is a bug; after one the host drops the instance.

mod handles;

/// The memory of an instance.
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(feature = "crash-drill")]
mod drill;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "llm")]
mod llm;
