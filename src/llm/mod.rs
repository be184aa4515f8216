//! Calls of language models, without the network: makes requests, parses responses, and decides when to do what.
//!
//! Boundary: nothing here knows JavaScript, a clock, randomness or input and output. What happens is an argument; what
//! the host has to do is a return value. So a call is tested natively, byte by byte and millisecond by millisecond, and
//! any host can drive it.
//!
//! # How a host drives a call
//!
//! ```
//! use stepstream::time::Millis;
//! use stepstream::llm::{Call, CallOptions, Head, Provider, Request, Command};
//!
//! let provider = Provider::from_json(r#"{"api":"anthropic","apiKey":"sk-1"}"#).unwrap();
//! let request = Request::from_json(r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#).unwrap();
//! let seed = 42; // Must differ between calls.
//! let options = CallOptions::from_json(r#"{"connect":10,"maxRetries":3}"#, seed).unwrap();
//! let mut call = Call::new(provider, request, true, options, Millis(0)).unwrap();
//!
//! let Command::Send { attempt, request } = call.poll(Millis(0)) else { unreachable!("a call begins with a request") };
//! assert_eq!((request.method, request.url.as_str()), ("POST", "https://api.anthropic.com/v1/messages"));
//! // … fetch(request.url, { method, headers: each name with value.expose(), body }); its promise resolves:
//! call.head(attempt, &Head { status: 200, ..Head::default() });
//! assert!(matches!(call.poll(Millis(90)), Command::Wait { .. })); // set the timer, read on
//! // … each chunk of the body:
//! let start = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hello"}}"#;
//! call.body_chunk(attempt, format!("data: {start}\n\n").as_bytes(), Millis(95));
//! assert_eq!(call.deltas().text(), "Hello"); // pass on deltas().text() and deltas().records(), then
//! call.clear_deltas();
//! call.abort("the user left");
//! assert_eq!(call.poll(Millis(99)), Command::Done); // cancel the fetch
//! let error = call.take_result().unwrap().unwrap_err();
//! assert_eq!(error.partial.unwrap().text(), "Hello");
//! ```
//!
//! 1. After each report call [`Call::poll`], and carry out its command: `Send` (cancel the open request, if any; send
//!    this one), `Wait` (until that time at most, then [`Call::timer`]), `Done` (cancel the open request;
//!    [`Call::take_result`]).
//! 2. Report [`Call::head`], [`Call::body_chunk`], [`Call::body_end`] or [`Call::network_error`] with the number of the
//!    request, and [`Call::abort`] when the caller does not want the response any more. Outdated and impossible reports
//!    are ignored.
//! 3. After each chunk, and before the result is taken, pass on [`Call::deltas`]: one string with all texts, and a list
//!    of [`DeltaRecord`]s that describe the pieces of the string. JavaScript cuts the string by the records' `units`.
//! 4. Results cross as JSON: [`ModelResponse::to_json`], [`LlmError::to_json`], which never contains the API key.
//!
//! A status other than 2xx is reported like any other: its body has the reason, and the call decides. The host follows
//! no redirects, because they would send the key to another server. The headers of a response that matter are in
//! [`Head`]. In browsers a provider must expose them (CORS); a call works without them too.
//!
//! # Layout
//!
//! - `types.rs`: [`Request`] with its messages and tools; `response.rs`: [`ModelResponse`], [`Usage`]; `delta.rs`:
//!   [`Deltas`]; `error.rs`: [`LlmError`]; `secret.rs`: [`Secret`].
//! - `from_json.rs`, `to_json.rs`: requests from JSON, responses and errors to JSON.
//! - `api.rs`: [`Api`]; `provider/`: [`Provider`], from a request to [`HttpRequest`].
//! - [`sse`], `decode/`: [`Decoder`], from bytes to deltas and a [`ModelResponse`].
//! - `call/`: [`Call`], retries and timeouts.
//! - [`json`], `ascii.rs`: helpers.
//!
//! # Invariants
//!
//! Each names the test that guards it, in `tests/llm_*.rs`.
//!
//! 1. Where bytes are cut makes no difference (`one_cut_anywhere_changes_nothing`, `cuts_change_nothing`), also for
//!    broken streams, and no bytes make a decoder panic (`mutated_streams_never_panic`).
//! 2. The deltas together are the response (checked by `llm_kit` at every step of every test).
//! 3. An incomplete response is an error that contains what had arrived (`every_cut_off_stream_is_an_error_or_whole`).
//! 4. A failed decoder stays failed (`llm_kit`). A call ends once, and sends at most `max_retries` requests after the
//!    first one (`random_histories_end_once`).
//! 5. After a delta no request is sent again, unless the response is resumed (`after_a_delta_nothing_is_sent_again`).
//! 6. A key is never shown (`a_key_is_never_shown`, `retries_end_and_tell_the_last_reason`).
//! 7. A provider's signatures are sent back to it unchanged, and to no other
//!    (`what_a_provider_signed_goes_back_to_it_and_to_nobody_else`).
//! 8. Memory is bounded: an event by 32 MiB, its depth by 128, a response by 4,096 blocks, the body of an error by 64
//!    KiB (`an_event_has_a_longest_length`, `depth_and_number_of_values_are_bounded`,
//!    `an_answer_of_endless_blocks_is_refused`).

#![forbid(unsafe_code)]

pub mod json;
pub mod sse;

mod api;
mod ascii;
mod call;
mod decode;
mod delta;
mod error;
mod from_json;
mod provider;
mod response;
mod secret;
mod to_json;
mod types;

pub use api::Api;
pub use call::{Attempt, Call, CallOptions, Command, Head, parse_http_date};
pub use decode::{Decoder, Expectation, refused};
pub use delta::{Delta, DeltaKind, DeltaRecord, Deltas};
pub use error::LlmError;
pub use provider::{Flavour, HttpRequest, Prepared, Provider};
pub use response::{FinishReason, ModelResponse, Usage};
pub use secret::Secret;
pub use types::{Block, Image, Message, Request, ResponseFormat, Role, Signature, Tool, ToolCall, ToolChoice};
