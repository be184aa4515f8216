//! One call of a model, with its retries and timeouts, without clock and network.
//!
//! The host carries out the commands of [`Call::poll`] and reports what happened; after each report it polls again. A
//! call that is resumed or retried is several requests, numbered by [`Attempt`]. Reports about a request that was
//! cancelled are ignored, so the host may pass on what its network still reports afterwards.
//!
//! # When is a request sent again?
//!
//! Before the first delta: after a network error, after the timeouts `connect` and `first_token`, on the statuses 408,
//! 409, 429 and 5xx unless the header `x-should-retry` is `false` (and on others if it is `true`), and when a stream
//! ends or reports such an error before its first delta. A used-up quota is not retried. The wait is random, between 0
//! and a bound that doubles each time ("full jitter", M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
//! Blog 2015), or it is what the provider asks for in `retry-after-ms` or `retry-after`. If that is longer than
//! [`CallOptions::max_retry_after`], or ends after the `total` timeout, the call fails at once with `retry_after`: an
//! earlier request would be refused, and whether to wait so long is up to the caller.
//!
//! After the first delta no request is sent again, because a second response would differ from what was shown. With
//! `resume_on_drop` there is one exception: when the connection broke (network, cut stream, timeout between tokens)
//! after nothing but text, and the provider can continue a text ([`Provider::can_resume`]), the text so far is sent
//! back as the beginning of the answer. Where that is not possible or is refused, the call fails with the error of the
//! break, and with what had arrived. It is never started anew to get the same text: a model with random tokens hardly
//! ever repeats itself, and each attempt would cost the full price.

mod http_date;
mod retry;

use super::decode::{Decoder, Expectation, refused};
use super::delta::Deltas;
use super::error::LlmError;
use super::provider::{HttpRequest, Provider};
use super::response::{FinishReason, ModelResponse};
use super::types::{Block, Request};
use crate::error::Code;
use crate::time::Millis;

pub use http_date::parse_http_date;

/// The longest body of an error that is kept, in bytes.
const MAX_ERROR_BODY: usize = 64 << 10;

/// Timeouts and retries of a call. All times are in milliseconds; `None` means no limit.
#[derive(Clone, Debug, PartialEq)]
pub struct CallOptions {
    /// From sending a request to the head of its response; for streams only, because a complete response has its head
    /// at the end.
    pub connect: Option<Millis>,
    /// From sending a request to the first delta.
    pub first_token: Option<Millis>,
    /// From one delta to the next; for streams only. Pings do not count: they only mean that the connection is open.
    pub between_tokens: Option<Millis>,
    /// The whole call, with all its retries and waits; 600 seconds by default.
    pub total: Option<Millis>,
    /// The highest number of retries; 2 by default.
    pub max_retries: u32,
    /// The bound of the first wait; 500 ms by default.
    pub base_backoff: Millis,
    /// The bound of all random waits; 8 seconds by default.
    pub max_backoff: Millis,
    /// The longest wait that a provider may ask for; 60 seconds by default.
    pub max_retry_after: Millis,
    /// Whether a response that was cut off is resumed, where the provider can.
    pub resume_on_drop: bool,
    /// The seed of random waits and of generated ids of tool calls; it must differ between calls.
    pub seed: u64,
}

impl Default for CallOptions {
    fn default() -> CallOptions {
        CallOptions {
            connect: None,
            first_token: None,
            between_tokens: None,
            total: Some(Millis(600_000)),
            max_retries: 2,
            base_backoff: Millis(500),
            max_backoff: Millis(8_000),
            max_retry_after: Millis(60_000),
            resume_on_drop: false,
            seed: 0,
        }
    }
}

/// The number of a request of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt(pub u32);

/// What the host has to do.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Cancel the open request, if there is one, and send this one.
    Send {
        /// Its number, for all reports about it.
        attempt: Attempt,
        /// The request.
        request: HttpRequest,
    },
    /// Nothing, until something happens or this time comes; then [`Call::timer`]. Requests other than `open` need not
    /// be read any more.
    Wait {
        /// The time.
        until: Option<Millis>,
        /// The open request, if there is one.
        open: Option<Attempt>,
    },
    /// Cancel the open request, if there is one; the result is there. Returned before and after the result is taken.
    Done,
}

/// The head of a response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The header `retry-after`.
    pub retry_after: Option<&'a str>,
    /// The header `retry-after-ms`.
    pub retry_after_ms: Option<&'a str>,
    /// The header `x-should-retry`.
    pub should_retry: Option<&'a str>,
    /// The wall clock, in milliseconds since 1970, to which a date in `retry-after` is compared.
    pub wall_ms: f64,
}

/// The state of the last request.
enum State {
    /// Ready to be sent.
    Ready(HttpRequest),
    /// Sent; no head yet.
    Sent,
    /// A successful head; the body is the response.
    Reading,
    /// An unsuccessful head; the body is the reason.
    Refused { status: u16, retry_after: Option<Millis>, should_retry: Option<bool>, body: Vec<u8> },
    /// Waiting for the next retry.
    Waiting { until: Millis },
    /// Over; empty once the result was taken.
    Done(Option<Result<ModelResponse, Box<LlmError>>>),
}

/// A call of a model.
pub struct Call {
    provider: Provider,
    request: Request,
    stream: bool,
    options: CallOptions,
    state: State,
    decoder: Decoder,
    attempt: u32,
    began: Millis,
    /// When the open request was sent.
    sent: Millis,
    /// When the last delta of the open request came.
    last_delta: Option<Millis>,
    /// Why the response that is being resumed broke off; the error of the call if the provider refuses to resume.
    interrupted: Option<Box<LlmError>>,
}

impl Call {
    /// Creates a call that begins now.
    ///
    /// # Errors
    ///
    /// As [`Provider::build`].
    pub fn new(
        provider: Provider,
        request: Request,
        stream: bool,
        options: CallOptions,
        now: Millis,
    ) -> Result<Call, LlmError> {
        let prepared = provider.build(&request, stream)?;
        let expectation = Expectation { seed: options.seed, ..prepared.expectation };
        Ok(Call {
            provider,
            request,
            stream,
            state: State::Ready(prepared.http),
            decoder: Decoder::new(expectation),
            attempt: 1,
            began: now,
            sent: now,
            last_delta: None,
            interrupted: None,
            options,
        })
    }

    /// The next command. Each request is returned once.
    pub fn poll(&mut self, now: Millis) -> Command {
        match core::mem::replace(&mut self.state, State::Sent) {
            State::Ready(request) => {
                self.sent = now;
                self.last_delta = None;
                Command::Send { attempt: Attempt(self.attempt), request }
            }
            State::Done(result) => {
                self.state = State::Done(result);
                Command::Done
            }
            other => {
                let open = !matches!(other, State::Waiting { .. });
                self.state = other;
                let until = self.deadline().map(|(until, _)| until);
                Command::Wait { until, open: open.then_some(Attempt(self.attempt)) }
            }
        }
    }

    /// Reports the head of a response.
    pub fn head(&mut self, attempt: Attempt, head: &Head<'_>) {
        if !self.is_open(attempt) || !matches!(self.state, State::Sent) {
            return;
        }
        self.state = if (200..300).contains(&head.status) {
            State::Reading
        } else {
            State::Refused {
                status: head.status,
                retry_after: retry::asked(head),
                should_retry: head.should_retry.and_then(|text| text.parse().ok()),
                body: Vec::new(),
            }
        };
    }

    /// Reports more of a body. There may be new deltas afterwards.
    pub fn body_chunk(&mut self, attempt: Attempt, chunk: &[u8], now: Millis) {
        if !self.is_open(attempt) {
            return;
        }
        match &mut self.state {
            State::Refused { body, .. } => {
                body.extend_from_slice(&chunk[..chunk.len().min(MAX_ERROR_BODY - body.len().min(MAX_ERROR_BODY))]);
                if body.len() >= MAX_ERROR_BODY {
                    // This is enough for the message, and the body may never end.
                    self.body_end(attempt, now);
                }
            }
            State::Reading => {
                let before = self.decoder.deltas().records().len();
                let failed = self.decoder.push(chunk).is_err();
                if self.decoder.deltas().records().len() > before {
                    self.last_delta = Some(now);
                }
                if failed {
                    let error = self.decoder.take_failure();
                    self.failed(error, None, None, now);
                } else if self.decoder.is_complete() {
                    self.succeed();
                }
            }
            _ => {}
        }
    }

    /// Reports the end of a body.
    pub fn body_end(&mut self, attempt: Attempt, now: Millis) {
        if !self.is_open(attempt) {
            return;
        }
        match core::mem::replace(&mut self.state, State::Sent) {
            State::Refused { status, retry_after, should_retry, body } => {
                let mut error = refused(status, &body);
                error.retry_after = retry_after;
                self.failed(error, retry_after, should_retry, now);
            }
            State::Reading if self.decoder.finish().is_ok() => self.succeed(),
            State::Reading => {
                let error = self.decoder.take_failure();
                self.failed(error, None, None, now);
            }
            other => self.state = other,
        }
    }

    /// Reports that a request could not be sent, or that its response broke off. The message is the host's.
    pub fn network_error(&mut self, attempt: Attempt, message: &str, now: Millis) {
        if !self.is_open(attempt) {
            return;
        }
        if matches!(self.state, State::Refused { .. }) {
            // The refusal is known without the rest of the body.
            return self.body_end(attempt, now);
        }
        match core::mem::replace(&mut self.state, State::Sent) {
            State::Reading => {
                // A connection may break after the complete response, before an end marker that is optional.
                if self.decoder.response().finish != FinishReason::None && self.decoder.finish().is_ok() {
                    return self.succeed();
                }
                let code = if self.decoder.response().is_empty() { Code::LlmNetwork } else { Code::LlmStreamCut };
                self.failed(LlmError::new(code, message), None, None, now);
            }
            State::Sent => self.failed(LlmError::new(Code::LlmNetwork, message), None, None, now),
            other => self.state = other,
        }
    }

    /// Reports that the time of `Wait` has come; too early a report does no harm.
    pub fn timer(&mut self, now: Millis) {
        let Some((until, what)) = self.deadline() else { return };
        if now < until {
            return;
        }
        let name = match what {
            Limit::Backoff => return self.send_again(),
            Limit::Connect => "connect",
            Limit::FirstToken => "firstToken",
            Limit::BetweenTokens => "betweenTokens",
            Limit::Total => "total",
        };
        let error = LlmError::new(Code::LlmTimeout, ["The timeout `", name, "` is over."].concat());
        match what {
            Limit::Total => self.fail(error),
            _ => self.failed(error, None, None, now),
        }
    }

    /// Aborts the call.
    pub fn abort(&mut self, reason: &str) {
        if !matches!(self.state, State::Done(_)) {
            self.fail(LlmError::new(Code::LlmAborted, reason));
        }
    }

    /// The deltas since [`clear_deltas`](Self::clear_deltas). Read them before the result: a call that fails may have
    /// some.
    #[must_use]
    pub fn deltas(&self) -> &Deltas {
        self.decoder.deltas()
    }

    /// Removes the deltas, after they were passed on.
    pub fn clear_deltas(&mut self) {
        self.decoder.clear_deltas();
    }

    /// The response as far as it has arrived; empty once the call is done, because it is in the result then.
    #[must_use]
    pub fn response(&self) -> &ModelResponse {
        self.decoder.response()
    }

    /// How many requests were sent, the one that is ready included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempt
    }

    /// The result, once; `None` before the call is done, and after the result was taken.
    pub fn take_result(&mut self) -> Option<Result<ModelResponse, LlmError>> {
        match &mut self.state {
            State::Done(result) => result.take().map(|result| result.map_err(|error| *error)),
            _ => None,
        }
    }

    fn is_open(&self, attempt: Attempt) -> bool {
        attempt.0 == self.attempt && matches!(self.state, State::Sent | State::Reading | State::Refused { .. })
    }

    /// The next limit that is reached if nothing happens.
    fn deadline(&self) -> Option<(Millis, Limit)> {
        let after = |from: Millis, span: Option<Millis>, limit| span.map(|span| (from.after(span), limit));
        let total = after(self.began, self.options.total, Limit::Total);
        let own = match &self.state {
            State::Ready(_) | State::Done(_) => return None,
            State::Waiting { until } => [Some((*until, Limit::Backoff)), None],
            State::Sent | State::Reading | State::Refused { .. } => {
                let no_head = matches!(self.state, State::Sent) && self.stream;
                let connect = if no_head { self.options.connect } else { None };
                let waiting = match self.last_delta {
                    None => after(self.sent, self.options.first_token, Limit::FirstToken),
                    Some(last) if self.stream => after(last, self.options.between_tokens, Limit::BetweenTokens),
                    Some(_) => None,
                };
                [after(self.sent, connect, Limit::Connect), waiting]
            }
        };
        // Of equal times the total is chosen, after which there is no retry.
        [total].into_iter().chain(own).flatten().min_by_key(|(until, _)| *until)
    }

    fn succeed(&mut self) {
        self.state = State::Done(Some(Ok(self.decoder.take_response())));
    }

    fn fail(&mut self, mut error: LlmError) {
        let partial = self.decoder.take_response();
        if partial != ModelResponse::default() {
            error.partial = Some(Box::new(partial));
        }
        let LlmError { message, kind, provider_code, .. } = &mut error;
        for text in [Some(message), kind.as_mut(), provider_code.as_mut()].into_iter().flatten() {
            *text = self.provider.scrub(&self.request, core::mem::take(text));
        }
        self.state = State::Done(Some(Err(Box::new(error))));
    }

    /// The open request has failed: retry, resume, or fail.
    fn failed(&mut self, error: LlmError, asked: Option<Millis>, should_retry: Option<bool>, now: Millis) {
        let has_deltas = self.last_delta.is_some();
        let again = if has_deltas {
            self.interrupted = None;
            self.options.resume_on_drop && retry::is_break(&error) && self.can_resume()
        } else {
            retry::is_worth(&error, should_retry)
        };
        let until = now.after(asked.unwrap_or_else(|| retry::backoff(&self.options, self.attempt)));
        let is_final = self.attempt > self.options.max_retries
            || asked.is_some_and(|asked| asked > self.options.max_retry_after)
            || self.options.total.is_some_and(|total| until >= self.began.after(total));
        if !again || is_final {
            // If the provider refuses to resume, the error is the one with which the response broke off.
            let cause = self.interrupted.take().map_or(error, |interrupted| *interrupted);
            return self.fail(cause);
        }
        if has_deltas {
            self.interrupted = Some(Box::new(error));
        }
        self.state = State::Waiting { until };
    }

    /// Whether the response so far is text only, which the provider could continue.
    fn can_resume(&self) -> bool {
        let response = self.decoder.response();
        let is_text = matches!(&response.content[..], [Block::Text { text, .. }] if !text.trim_ascii_end().is_empty());
        self.stream && is_text && response.finish == FinishReason::None && self.provider.can_resume(&self.request)
    }

    fn send_again(&mut self) {
        self.attempt += 1;
        let mut partial = self.decoder.take_response();
        if partial.is_empty() {
            // A new response, but the tokens of this one were used.
            partial = ModelResponse { usage: partial.usage, ..ModelResponse::default() };
        }
        let text = partial.text();
        // Providers refuse or remove white space at the end; the decoder removes it if it comes again.
        match self.provider.build_from(&self.request, self.stream, text.trim_ascii_end()) {
            Ok(prepared) => {
                let seed = self.options.seed ^ u64::from(self.attempt);
                let expectation = Expectation { seed, ..prepared.expectation };
                let unread = self.decoder.take_deltas();
                self.decoder = Decoder::resuming(expectation, partial, unread);
                self.state = State::Ready(prepared.http);
            }
            Err(error) => self.fail(error),
        }
    }
}

/// The limit that a deadline is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    Connect,
    FirstToken,
    BetweenTokens,
    Total,
    Backoff,
}
