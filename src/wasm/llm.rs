//! The boundary of the calls of models.
//!
//! # Contract with the host (`pkg-template/src/llm/internal/`)
//!
//! Beside what holds for both boundaries (see the module above):
//!
//! 1. The other side does the network and the clock; what it has to do about a call is the answer to whatever it tells: a word of `flag`s.
//!    0 is the answer to most chunks of a stream that bring nothing whole. What the flags speak of stands on the desk, a few words at
//!    an address that never changes, and is good until the next call of any function that names the same call.
//! 2. Bytes of a body are put into the room, whose address is on the desk, at most as many as it holds at a time; so a
//!    chunk costs one copy and one call.
//! 3. Times are milliseconds of any clock that never goes back.
//! 4. A call lives until it is freed, also when it is over.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "crash-drill")]
use super::drill;
use super::handles::Handles;
use crate::llm::{Attempt, Call, CallOptions, Head, LlmError, Provider, Request, Todo};
use crate::time::Millis;

/// What is to be done, or to be read, in this order.
mod flag {
    /// `TEXT`, `RECORDS`: deltas.
    pub(crate) const NEWS: u32 = 1;
    /// Give up the open request.
    pub(crate) const CLOSE: u32 = 2;
    /// `HEAD`, `BODY`, `ATTEMPT`: give up the open request, if there is one, and send this one.
    pub(crate) const SEND: u32 = 4;
    /// `DELAY`: be back after that many milliseconds at the latest; what was said before does not count any more.
    pub(crate) const ALARM: u32 = 8;
    /// `RESULT`: the answer. Give up the open request, and free the call.
    pub(crate) const DONE: u32 = 16;
    /// `RESULT`: the error. Give up the open request, and free the call.
    pub(crate) const FAILED: u32 = 32;
    /// There is no such call.
    pub(crate) const STALE: u32 = 64;
}

/// What stands where on the desk. Texts and lists take two words: address and number of bytes or members.
mod desk {
    /// Address and length of the room for bytes that come in.
    pub(crate) const ROOM: usize = 0;
    /// The texts of the deltas in a row.
    pub(crate) const TEXT: usize = 2;
    /// Four words for each delta: kind, place, end, units.
    pub(crate) const RECORDS: usize = 4;
    /// The headers, each a line with the name and a line with the value, and after them the address.
    pub(crate) const HEAD: usize = 6;
    /// The body of the request.
    pub(crate) const BODY: usize = 8;
    /// The answer or the error, as JSON.
    pub(crate) const RESULT: usize = 10;
    /// Which request this is.
    pub(crate) const ATTEMPT: usize = 12;
    /// How many headers there are.
    pub(crate) const HEADERS: usize = 13;
    /// How long to wait at most.
    pub(crate) const DELAY: usize = 14;
    /// How many words it has.
    pub(crate) const WORDS: usize = 15;
}

/// Most chunks of the network are smaller.
const ROOM: usize = 64 << 10;

/// What a host timer takes; a longer one would go off at once.
const LONGEST_DELAY: u64 = i32::MAX as u64;

/// The words that the other side reads after a call.
struct Desk([u32; desk::WORDS]);

impl Desk {
    fn put(&mut self, at: usize, word: usize) {
        self.0[at] = word as u32;
    }

    fn point_at<T>(&mut self, at: usize, what: &[T]) {
        self.put(at, what.as_ptr() as usize);
        self.put(at + 1, what.len());
    }
}

/// A call, and what the other side has been told of it.
struct Line {
    /// None when it could not even begin.
    call: Option<Call>,
    /// Whether the other side has a request open.
    is_open: bool,
    /// When the other side comes back by itself.
    alarm: Option<Millis>,
    /// What the desk speaks of: the request until the next news, the result until the call is freed.
    head: String,
    body: Vec<u8>,
    result: String,
}

impl Line {
    /// What is to be done now.
    fn advance(&mut self, now: Millis, desk: &mut Desk) -> u32 {
        let Some(call) = &mut self.call else {
            desk.point_at(desk::RESULT, self.result.as_bytes());
            return flag::FAILED;
        };
        // The request that was sent has a key in it, and may be large.
        (self.head, self.body) = (String::new(), Vec::new());
        let mut flags = 0;
        let deltas = call.deltas();
        if !deltas.records().is_empty() {
            flags |= flag::NEWS;
            desk.point_at(desk::TEXT, deltas.text().as_bytes());
            desk.point_at(desk::RECORDS, deltas.records());
        }
        let mut todo = call.poll(now);
        if let Todo::Send { attempt, request } = todo {
            flags |= flag::SEND;
            self.is_open = true;
            self.body = request.body;
            for (name, value) in &request.headers {
                for part in [name, "\n", value.expose(), "\n"] {
                    self.head.push_str(part);
                }
            }
            self.head.push_str(&request.url);
            desk.point_at(desk::HEAD, self.head.as_bytes());
            desk.point_at(desk::BODY, &self.body);
            desk.put(desk::HEADERS, request.headers.len());
            desk.put(desk::ATTEMPT, attempt.0 as usize);
            todo = call.poll(now);
        }
        match todo {
            Todo::Wait { until, open } => {
                if self.is_open && open.is_none() {
                    self.is_open = false;
                    flags |= flag::CLOSE;
                }
                // A deadline that has moved away is left: an alarm that is too early does no harm.
                if let Some(until) = until.filter(|until| self.alarm.is_none_or(|alarm| *until < alarm)) {
                    self.alarm = Some(until);
                    flags |= flag::ALARM;
                    desk.put(desk::DELAY, until.since(now).0.min(LONGEST_DELAY) as usize);
                }
            }
            // Nothing is sent twice.
            Todo::Send { .. } => {}
            Todo::Done => {
                if let Some(result) = call.take_result() {
                    let (json, outcome) = match result {
                        Ok(answer) => (answer.to_json(), flag::DONE),
                        Err(error) => (error.to_json(), flag::FAILED),
                    };
                    self.result = json;
                    desk.point_at(desk::RESULT, self.result.as_bytes());
                    flags |= outcome;
                }
            }
        }
        flags
    }
}

/// Everything that lives in this instance.
struct Instance {
    lines: Handles<Line>,
    desk: Desk,
    room: Vec<u8>,
}

thread_local! {
    static INSTANCE: RefCell<Instance> = const {
        RefCell::new(Instance { lines: Handles::new(), desk: Desk([0; desk::WORDS]), room: Vec::new() })
    };
}

fn with<T>(work: impl FnOnce(&mut Instance) -> T) -> T {
    INSTANCE.with(|instance| work(&mut instance.borrow_mut()))
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Tells a call what happened, unless nothing did, and asks what is to be done.
fn tell(handle: u32, now: f64, news: impl FnOnce(&mut Call, &[u8], Millis)) -> u32 {
    with(|Instance { lines, desk, room }| {
        let Some(line) = lines.get_mut(handle) else { return flag::STALE };
        // Points in time are rounded down, so that nothing is due early.
        let now = Millis(now as u64);
        if let Some(call) = &mut line.call {
            call.clear_deltas();
            news(call, room, now);
        }
        #[cfg(feature = "crash-drill")]
        drill::pass(drill::Place::Call);
        line.advance(now, desk)
    })
}

/// The address of the desk.
#[wasm_bindgen]
pub fn call_desk() -> *const u32 {
    with(|Instance { desk, room, .. }| {
        room.resize(ROOM, 0);
        desk.point_at(desk::ROOM, room);
        desk.0.as_ptr()
    })
}

/// Makes a call; returns its handle. The texts are as [`Provider::from_json`], [`Request::from_json`] and [`CallOptions::from_json`] read
/// them; what is wrong with them is the result of the call. The seed is any number that differs between calls.
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
    let line = Line { call, is_open: false, alarm: None, head: String::new(), body: Vec::new(), result };
    with(|instance| instance.lines.insert(line))
}

/// Frees a call.
#[wasm_bindgen]
pub fn call_free(call: u32) {
    with(|instance| instance.lines.remove(call));
}

/// What is to be done. A call begins with it.
#[wasm_bindgen]
pub fn call_poll(call: u32, now: f64) -> u32 {
    tell(call, now, |_, _, _| {})
}

/// [`Call::head`]. Headers that are not there are empty; `wall` is in milliseconds since 1970.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // It crosses once for each request.
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
    tell(call, now, |call, _, _| call.head(Attempt(attempt), &head))
}

/// [`Call::body_chunk`], with what is in the room up to `length`.
#[wasm_bindgen]
pub fn call_chunk(call: u32, attempt: u32, length: u32, now: f64) -> u32 {
    tell(call, now, |call, room, now| {
        let chunk = room.get(..length as usize).unwrap_or_default();
        call.body_chunk(Attempt(attempt), chunk, now);
    })
}

/// [`Call::body_end`].
#[wasm_bindgen]
pub fn call_end(call: u32, attempt: u32, now: f64) -> u32 {
    tell(call, now, |call, _, now| call.body_end(Attempt(attempt), now))
}

/// [`Call::network_error`].
#[wasm_bindgen]
pub fn call_break(call: u32, attempt: u32, message: &str, now: f64) -> u32 {
    tell(call, now, |call, _, now| call.network_error(Attempt(attempt), message, now))
}

/// [`Call::timer`]: the alarm has gone off.
#[wasm_bindgen]
pub fn call_wake(call: u32, now: f64) -> u32 {
    with(|instance| instance.lines.get_mut(call).map(|line| line.alarm = None));
    tell(call, now, |call, _, now| call.timer(now))
}

/// [`Call::abort`].
#[wasm_bindgen]
pub fn call_abort(call: u32, reason: &str, now: f64) -> u32 {
    tell(call, now, |call, _, _| call.abort(reason))
}
