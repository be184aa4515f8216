//! The boundary of the calls of models.
//!
//! # Contract with the host (`pkg-template/src/llm/internal/`)
//!
//! In addition to what holds for both boundaries (see the module above):
//!
//! 1. The host owns the network and the clock. It reports what happened by a call of one of these functions, and each
//!    returns a word of `flag`s: what the host has to do or to read. Most chunks of a stream return 0.
//! 2. The data that belongs to the flags is in the call view: a few words at a fixed address. It is valid until the
//!    next call of a function with the same handle.
//! 3. Bytes of a body are written into the input buffer, whose address and size are in the call view. So a chunk costs
//!    one copy and one call.
//! 4. Times are milliseconds of a clock that never goes back.
//! 5. A call exists until it is freed, also when it is over.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "crash-drill")]
use super::drill;
use super::handles::Handles;
use crate::llm::{Attempt, Call, CallOptions, Command, Head, LlmError, Provider, Request};
use crate::time::Millis;

/// What the host has to do or to read, in this order.
mod flag {
    /// Read new deltas from `TEXT` and `RECORDS`.
    pub(crate) const DELTAS: u32 = 1;
    /// Cancel the open request.
    pub(crate) const CLOSE: u32 = 2;
    /// Cancel the open request, if there is one, and send the one in `HEAD`, `BODY`, `ATTEMPT`.
    pub(crate) const SEND: u32 = 4;
    /// Call `call_wake` after `DELAY` milliseconds. This replaces an earlier timer.
    pub(crate) const TIMER: u32 = 8;
    /// The response is in `RESULT`. Cancel the open request, and free the call.
    pub(crate) const DONE: u32 = 16;
    /// The error is in `RESULT`. Cancel the open request, and free the call.
    pub(crate) const FAILED: u32 = 32;
    /// There is no such call.
    pub(crate) const STALE: u32 = 64;
}

/// The positions in the call view, in words. Texts and lists have two words: address, and number of bytes or members.
mod view {
    /// The input buffer.
    pub(crate) const INPUT: usize = 0;
    /// The texts of the deltas, one after another.
    pub(crate) const TEXT: usize = 2;
    /// Four words for each delta: kind, index, end, units.
    pub(crate) const RECORDS: usize = 4;
    /// The headers, each as a line with the name and a line with the value, and then the URL.
    pub(crate) const HEAD: usize = 6;
    /// The body of the request.
    pub(crate) const BODY: usize = 8;
    /// The response or the error, as JSON.
    pub(crate) const RESULT: usize = 10;
    /// The number of the request.
    pub(crate) const ATTEMPT: usize = 12;
    /// The number of headers.
    pub(crate) const HEADERS: usize = 13;
    /// The delay of the timer.
    pub(crate) const DELAY: usize = 14;
    /// The size of the view.
    pub(crate) const WORDS: usize = 15;
}

/// The size of the input buffer in bytes. Most chunks of the network are smaller.
const INPUT_SIZE: usize = 64 << 10;

/// The longest delay of a host timer; a longer one would fire at once.
const LONGEST_DELAY: u64 = i32::MAX as u64;

/// The words that the host reads after a call of a function.
struct CallView([u32; view::WORDS]);

impl CallView {
    fn put(&mut self, at: usize, word: usize) {
        self.0[at] = word as u32;
    }

    fn point_at<T>(&mut self, at: usize, what: &[T]) {
        self.put(at, what.as_ptr() as usize);
        self.put(at + 1, what.len());
    }
}

/// A call, and what the host knows of it.
struct CallSlot {
    /// None when its input was not valid.
    call: Option<Call>,
    /// Whether the host has an open request.
    is_open: bool,
    /// When the host's timer fires.
    timer: Option<Millis>,
    /// What the call view points at: the request until the next report, the result until the call is freed.
    head: String,
    body: Vec<u8>,
    result: String,
}

impl CallSlot {
    /// Takes the next commands of the call, writes them into the view, and returns the flags.
    fn advance(&mut self, now: Millis, view: &mut CallView) -> u32 {
        let Some(call) = &mut self.call else {
            view.point_at(view::RESULT, self.result.as_bytes());
            return flag::FAILED;
        };
        // The last request contains the API key, and may be large.
        (self.head, self.body) = (String::new(), Vec::new());
        let mut flags = 0;
        let deltas = call.deltas();
        if !deltas.records().is_empty() {
            flags |= flag::DELTAS;
            view.point_at(view::TEXT, deltas.text().as_bytes());
            view.point_at(view::RECORDS, deltas.records());
        }
        let mut command = call.poll(now);
        if let Command::Send { attempt, request } = command {
            flags |= flag::SEND;
            self.is_open = true;
            self.body = request.body;
            for (name, value) in &request.headers {
                for part in [name, "\n", value.expose(), "\n"] {
                    self.head.push_str(part);
                }
            }
            self.head.push_str(&request.url);
            view.point_at(view::HEAD, self.head.as_bytes());
            view.point_at(view::BODY, &self.body);
            view.put(view::HEADERS, request.headers.len());
            view.put(view::ATTEMPT, attempt.0 as usize);
            command = call.poll(now);
        }
        match command {
            Command::Wait { until, open } => {
                if self.is_open && open.is_none() {
                    self.is_open = false;
                    flags |= flag::CLOSE;
                }
                // A later deadline needs no new timer: one that fires too early does no harm.
                if let Some(until) = until.filter(|until| self.timer.is_none_or(|timer| *until < timer)) {
                    self.timer = Some(until);
                    flags |= flag::TIMER;
                    view.put(view::DELAY, until.since(now).0.min(LONGEST_DELAY) as usize);
                }
            }
            // One request is sent at a time.
            Command::Send { .. } => {}
            Command::Done => {
                if let Some(result) = call.take_result() {
                    let (json, outcome) = match result {
                        Ok(response) => (response.to_json(), flag::DONE),
                        Err(error) => (error.to_json(), flag::FAILED),
                    };
                    self.result = json;
                    view.point_at(view::RESULT, self.result.as_bytes());
                    flags |= outcome;
                }
            }
        }
        flags
    }
}

/// Everything that lives in this instance.
struct Instance {
    slots: Handles<CallSlot>,
    view: CallView,
    input: Vec<u8>,
}

thread_local! {
    static INSTANCE: RefCell<Instance> = const {
        RefCell::new(Instance { slots: Handles::new(), view: CallView([0; view::WORDS]), input: Vec::new() })
    };
}

fn with<T>(work: impl FnOnce(&mut Instance) -> T) -> T {
    INSTANCE.with(|instance| work(&mut instance.borrow_mut()))
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Reports something to a call, and returns what the host has to do next.
fn dispatch(handle: u32, now: f64, report: impl FnOnce(&mut Call, &[u8], Millis)) -> u32 {
    with(|Instance { slots, view, input }| {
        let Some(slot) = slots.get_mut(handle) else { return flag::STALE };
        // Rounded down, so that nothing is due too early.
        let now = Millis(now as u64);
        if let Some(call) = &mut slot.call {
            call.clear_deltas();
            report(call, input, now);
        }
        #[cfg(feature = "crash-drill")]
        drill::pass(drill::Place::Call);
        slot.advance(now, view)
    })
}

/// The address of the call view.
#[wasm_bindgen]
pub fn call_view() -> *const u32 {
    with(|Instance { view, input, .. }| {
        input.resize(INPUT_SIZE, 0);
        view.point_at(view::INPUT, input);
        view.0.as_ptr()
    })
}

/// Creates a call, and returns its handle. [`Provider::from_json`], [`Request::from_json`] and
/// [`CallOptions::from_json`] parse the texts; their errors are the result of the call. The seed is any number that
/// differs between calls.
#[wasm_bindgen]
pub fn call_new(provider: &str, request: &str, options: &str, seed: f64, stream: bool, now: f64) -> u32 {
    let make = || -> Result<Call, LlmError> {
        let provider = Provider::from_json(provider)?;
        let options = CallOptions::from_json(options, seed.to_bits())?;
        Call::new(provider, Request::from_json(request)?, stream, options, Millis(now as u64))
    };
    let (call, result) = match make() {
        Ok(call) => (Some(call), String::new()),
        Err(error) => (None, error.to_json()),
    };
    let slot = CallSlot { call, is_open: false, timer: None, head: String::new(), body: Vec::new(), result };
    with(|instance| instance.slots.insert(slot))
}

/// Frees a call.
#[wasm_bindgen]
pub fn call_free(call: u32) {
    with(|instance| instance.slots.remove(call));
}

/// Reports nothing. The first function to be called for a new call.
#[wasm_bindgen]
pub fn call_poll(call: u32, now: f64) -> u32 {
    dispatch(call, now, |_, _, _| {})
}

/// [`Call::head`]. Missing headers are empty; `wall` is in milliseconds since 1970.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // It is called once for each request.
pub fn call_head(
    call: u32,
    attempt: u32,
    status: u32,
    retry_after: &str,
    retry_after_ms: &str,
    should_retry: &str,
    wall: f64,
    now: f64,
) -> u32 {
    let head = Head {
        status: status as u16,
        retry_after: given(retry_after),
        retry_after_ms: given(retry_after_ms),
        should_retry: given(should_retry),
        wall_ms: wall,
    };
    dispatch(call, now, |call, _, _| call.head(Attempt(attempt), &head))
}

/// [`Call::body_chunk`], with the first `length` bytes of the input buffer.
#[wasm_bindgen]
pub fn call_chunk(call: u32, attempt: u32, length: u32, now: f64) -> u32 {
    dispatch(call, now, |call, input, now| {
        let chunk = input.get(..length as usize).unwrap_or_default();
        call.body_chunk(Attempt(attempt), chunk, now);
    })
}

/// [`Call::body_end`].
#[wasm_bindgen]
pub fn call_end(call: u32, attempt: u32, now: f64) -> u32 {
    dispatch(call, now, |call, _, now| call.body_end(Attempt(attempt), now))
}

/// [`Call::network_error`].
#[wasm_bindgen]
pub fn call_break(call: u32, attempt: u32, message: &str, now: f64) -> u32 {
    dispatch(call, now, |call, _, now| call.network_error(Attempt(attempt), message, now))
}

/// [`Call::timer`]: the timer has fired.
#[wasm_bindgen]
pub fn call_wake(call: u32, now: f64) -> u32 {
    with(|instance| instance.slots.get_mut(call).map(|slot| slot.timer = None));
    dispatch(call, now, |call, _, now| call.timer(now))
}

/// [`Call::abort`].
#[wasm_bindgen]
pub fn call_abort(call: u32, reason: &str, now: f64) -> u32 {
    dispatch(call, now, |call, _, _| call.abort(reason))
}
