//! The boundaries to JavaScript: plain functions over handles, numbers in, words out.
//!
//! There are two, and each is a module of its own in the package, with a memory of its own: a program that calls no model does not
//! download what calls one, and the other way round. The features of the crate choose which of them a build exports.
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
//! 1. What lives here is named by handles. A handle of something that was freed is refused, for ever; so there is no
//!    exported class, whose finaliser could reach into the instance that replaced the one it belongs to.
//! 2. Nothing here calls JavaScript, so no call can come in while another one is at work.
//! 3. Nothing that comes in can make a call trap. A trap is a bug; after one the host drops the instance.

mod handles;

#[cfg(feature = "crash-drill")]
mod drill;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "llm")]
mod llm;
