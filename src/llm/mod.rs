//! Calls of language models, without the network: requests as bytes, answers out of bytes, and when to do what.
//!
//! Boundary: nothing here knows JavaScript, a clock, randomness or input and output. What happens comes in as an argument, what is to be
//! done goes out as a value. So a call is tested natively, byte by byte and millisecond by millisecond, and any host can carry it.
//!
//! # How a host carries a call
//!
//! ```
//! use stepstream::time::Millis;
//! use stepstream::llm::{Call, CallOptions, Head, Provider, Request, Command};
//!
//! let provider = Provider::from_json(r#"{"api":"anthropic","apiKey":"sk-1"}"#).unwrap();
//! let request = Request::from_json(r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#).unwrap();
//! let options = CallOptions::from_json(r#"{"connect":10,"maxRetries":3}"#, 42).unwrap(); // 42: the seed, which must differ between calls
//! let mut call = Call::new(provider, request, true, options, Millis(0)).unwrap();
//!
//! let Command::Send { attempt, request } = call.poll(Millis(0)) else { unreachable!("a call begins with a request") };
//! assert_eq!((request.method, request.url.as_str()), ("POST", "https://api.anthropic.com/v1/messages"));
//! // … fetch(request.url, { method, headers: each name with value.expose(), body }); its promise resolves:
//! call.head(attempt, &Head { status: 200, ..Head::default() });
//! assert!(matches!(call.poll(Millis(90)), Command::Wait { .. })); // set the one timer, read on
//! // … each chunk of the body:
//! call.body_chunk(attempt, b"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"Hello\"}}\n\n", Millis(95));
//! assert_eq!(call.deltas().text(), "Hello"); // hand over deltas().text() and deltas().records() in one go, then
//! call.clear_deltas();
//! call.abort("the user left");
//! assert_eq!(call.poll(Millis(99)), Command::Done); // cancel the fetch
//! let error = call.take_result().unwrap().unwrap_err();
//! assert_eq!(error.partial.unwrap().text(), "Hello");
//! ```
//!
//! 1. Ask [`Call::poll`] after everything that was told, and do what it says: `Send` (give up the open request, if any; send this one),
//!    `Wait` (at most until that time, then [`Call::timer`]), `Done` (give up the open request; [`Call::take_result`]).
//! 2. Tell [`Call::head`], [`Call::body_chunk`], [`Call::body_end`] or [`Call::network_error`] with the number of the request it is about,
//!    and [`Call::abort`] when the caller loses interest. Stale and impossible news are ignored.
//! 3. After each chunk, and once more before the result is taken, hand over what is in [`Call::deltas`]: one string with all texts and one
//!    list of [`DeltaRecord`]s of four numbers, which say what each piece of the string is. JavaScript cuts the string by the records' `units`.
//! 4. Results cross as JSON: [`ModelResponse::to_json`], [`LlmError::to_json`], in which the API key does not occur.
//!
//! A status other than 2xx is told like any other: the body says why, and the call decides. The host follows no redirection, which would take
//! the key to strangers. Headers of an answer that matter are in [`Head`]; in browsers, providers must expose them (CORS), and without
//! them a call gets by.
//!
//! # Layout
//!
//! - `types.rs`: [`Request`] with its messages and tools; `response.rs`: [`ModelResponse`], [`Usage`]; `delta.rs`: [`Deltas`]; `error.rs`: [`LlmError`];
//!   `secret.rs`: [`Secret`].
//! - `from_json.rs`, `to_json.rs`: requests from JSON, answers and errors to JSON.
//! - `provider/`: [`Provider`], from a request to [`HttpRequest`].
//! - [`sse`], `decode/`: [`Decoder`], from bytes to deltas and an [`ModelResponse`].
//! - `call/`: [`Call`], retries and timeouts.
//! - [`json`], `ascii.rs`: tools.
//!
//! # Invariants
//!
//! The test that guards each is named; they are in `tests/llm_*.rs`.
//!
//! 1. Where bytes are cut does not matter (`one_cut_anywhere_changes_nothing`, `cuts_change_nothing`), also for broken streams, and no bytes
//!    make a panic (`mutated_streams_never_panic`).
//! 2. Deltas, put together, are the answer (checked by `llm_kit` at every step of every test).
//! 3. What is not complete is an error that holds what had arrived (`every_cut_off_stream_is_an_error_or_whole`).
//! 4. A failed decoder stays failed (`llm_kit`), a call ends once and sends at most `max_retries` requests after the first
//!    (`random_histories_end_once`).
//! 5. After a delta nothing is sent again, unless the answer is gone on with (`after_a_delta_nothing_is_sent_again`).
//! 6. A key is never shown (`a_key_is_never_shown`, `retries_end_and_tell_the_last_reason`).
//! 7. What a provider signed goes back to it unchanged, and to nobody else (`what_a_provider_signed_goes_back_to_it_and_to_nobody_else`).
//! 8. Memory is bounded by the answer: one event by 32 MiB, its depth by 128, an answer by 4,096 blocks, the body of an error by 64 KiB
//!    (`an_event_has_a_longest_length`, `depth_and_number_of_values_are_bounded`, `an_answer_of_endless_blocks_is_refused`).

#![forbid(unsafe_code)]

pub mod json;
pub mod sse;

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

pub use call::{Attempt, Call, CallOptions, Command, Head, parse_http_date};
pub use decode::{Decoder, Expectation, refused};
pub use delta::{Delta, DeltaKind, DeltaRecord, Deltas};
pub use error::LlmError;
pub use provider::{Api, Flavour, HttpRequest, Prepared, Provider};
pub use response::{FinishReason, ModelResponse, Usage};
pub use secret::Secret;
pub use types::{Block, Image, Message, Request, ResponseFormat, Role, Signature, Tool, ToolCall, ToolChoice};
