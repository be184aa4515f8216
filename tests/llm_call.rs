//! A call from its first request to its one end: retries, waits, timeouts, breaks, and news that comes too late.

mod llm_kit;

use llm_kit::{Draw, fixture};
use stepstream::error::Code;
use stepstream::llm::{
    Api, Attempt, Call, CallOptions, Command, Flavour, Head, HttpRequest, LlmError, Message, ModelResponse, Provider,
    Request, Role, Secret,
};
use stepstream::time::Millis;

const TEXT: &[u8] = b"data: {\"id\":\"1\",\"choices\":[{\"delta\":{\"content\":\"Hello \"}}]}\n\n";
const REST: &[u8] = b"data: {\"id\":\"2\",\"choices\":[{\"delta\":{\"content\":\"world\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";

fn request() -> Request {
    Request { model: "m".into(), messages: vec![Message::text(Role::User, "Hi")], ..Request::default() }
}

fn ms(ms: u64) -> Option<Millis> {
    Some(Millis(ms))
}

/// A call with its clock.
struct Host {
    call: Call,
    now: u64,
}

impl Host {
    fn new(options: CallOptions) -> Host {
        Host::with(Provider::new(Api::Chat, "", Some(Secret::new("secret-key-123"))), request(), true, options)
    }

    fn with(provider: Provider, request: Request, stream: bool, options: CallOptions) -> Host {
        let call = Call::new(provider, request, stream, options, Millis(0)).expect("the request can be sent");
        Host { call, now: 0 }
    }

    fn sent(&mut self) -> (Attempt, HttpRequest) {
        match self.call.poll(Millis(self.now)) {
            Command::Send { attempt, request } => (attempt, request),
            other => panic!("nothing to send, but {other:?}"),
        }
    }

    /// Sends, and answers with a head.
    fn answered(&mut self, status: u16) -> Attempt {
        let (attempt, _) = self.sent();
        self.call.head(attempt, &Head { status, ..Head::default() });
        attempt
    }

    fn until(&mut self) -> Option<u64> {
        match self.call.poll(Millis(self.now)) {
            Command::Wait { until, .. } => until.map(|until| until.0),
            other => panic!("no waiting, but {other:?}"),
        }
    }

    fn is_open(&mut self) -> bool {
        matches!(self.call.poll(Millis(self.now)), Command::Wait { open: Some(_), .. })
    }

    /// Lets time pass to the next deadline.
    fn wait(&mut self) -> u64 {
        let from = self.now;
        self.now = self.until().expect("there is a deadline");
        self.call.timer(Millis(self.now));
        self.now - from
    }

    fn chunk(&mut self, attempt: Attempt, bytes: &[u8]) {
        self.call.body_chunk(attempt, bytes, Millis(self.now));
    }

    fn end(&mut self, attempt: Attempt) {
        self.call.body_end(attempt, Millis(self.now));
    }

    fn drop_connection(&mut self, attempt: Attempt) {
        self.call.network_error(attempt, "connection lost", Millis(self.now));
    }

    fn result(&mut self) -> Result<ModelResponse, LlmError> {
        assert_eq!(self.call.poll(Millis(self.now)), Command::Done);
        let result = self.call.take_result().expect("the call is done");
        assert_eq!(self.call.poll(Millis(self.now)), Command::Done, "done stays done");
        assert!(self.call.take_result().is_none(), "the result is given once");
        result
    }

    fn failure(&mut self) -> LlmError {
        self.result().expect_err("the call has failed")
    }
}

#[test]
fn a_call_that_goes_well() {
    let mut host = Host::new(CallOptions::default());
    let attempt = host.answered(200);
    assert!(host.is_open());
    host.chunk(attempt, TEXT);
    assert_eq!(host.call.deltas().text(), "Hello ");
    host.call.clear_deltas();
    host.chunk(attempt, REST);
    assert_eq!(host.call.deltas().text(), "worldstop");
    let response = host.result().expect("all went well");
    assert_eq!((response.text().as_str(), response.usage.output), ("Hello world", Some(2)));
    host.end(attempt);
    host.drop_connection(attempt);
    host.call.abort("late");
    assert!(host.call.take_result().is_none(), "an end is an end");
}

#[test]
fn whole_answers_come_at_the_end() {
    let mut host = Host::with(
        Provider::new(Api::Chat, "", None),
        request(),
        false,
        CallOptions { connect: ms(5), between_tokens: ms(5), ..CallOptions::default() },
    );
    assert!(host.sent().1.body.windows(8).all(|window| window != b"\"stream\""));
    assert_eq!(host.until(), Some(600_000), "only `total` holds for an answer that comes in one piece");
    host.call.head(Attempt(1), &Head { status: 200, ..Head::default() });
    host.chunk(Attempt(1), br#"{"id":"1","choices":[{"message":{"content":"Hi"},"#);
    assert!(host.is_open());
    host.chunk(Attempt(1), br#""finish_reason":"stop"}]}"#);
    host.end(Attempt(1));
    assert_eq!(host.result().expect("all went well").text(), "Hi");
}

#[test]
fn what_is_worth_a_retry() {
    for status in [408, 409, 429, 500, 502, 503, 504, 529] {
        let mut host = Host::new(CallOptions::default());
        let attempt = host.answered(status);
        host.end(attempt);
        assert!(!host.is_open(), "{status}");
        host.wait();
        let attempt = host.answered(200);
        assert_eq!(attempt, Attempt(2));
        host.chunk(attempt, TEXT);
        host.chunk(attempt, REST);
        assert!(host.result().is_ok(), "{status}");
    }
    for status in [300, 400, 401, 403, 404, 413, 422] {
        let mut host = Host::new(CallOptions::default());
        let attempt = host.answered(status);
        host.end(attempt);
        assert_eq!(host.failure().status, Some(status));
    }
}

#[test]
fn a_used_up_quota_is_not_tried_again() {
    let mut host = Host::new(CallOptions::default());
    let attempt = host.answered(429);
    host.chunk(attempt, br#"{"error":{"message":"pay","code":"insufficient_quota"}}"#);
    host.end(attempt);
    assert_eq!(host.failure().code, Code::LlmQuota);
}

#[test]
fn the_header_should_retry_decides() {
    for (status, header, again) in [(500, "false", false), (400, "true", true), (500, "perhaps", true)] {
        let mut host = Host::new(CallOptions::default());
        let (attempt, _) = host.sent();
        host.call.head(attempt, &Head { status, should_retry: Some(header), ..Head::default() });
        host.end(attempt);
        assert_eq!(host.call.take_result().is_none(), again, "{status} {header}");
    }
}

#[test]
fn retries_end_and_tell_the_last_reason() {
    let mut host = Host::new(CallOptions { max_retries: 3, ..CallOptions::default() });
    for round in 0..4 {
        let (attempt, _) = host.sent();
        if round == 3 {
            host.call.head(attempt, &Head { status: 503, ..Head::default() });
            host.chunk(attempt, br#"{"error":{"message":"no luck, secret-key-123"}}"#);
            host.drop_connection(attempt); // in the middle of the body of the error
            break;
        }
        host.drop_connection(attempt);
        host.wait();
    }
    let error = host.failure();
    assert_eq!((error.code, error.status, error.message.as_str()), (Code::LlmServer, Some(503), "no luck, [secret]"));
    assert_eq!(host.call.attempts(), 4);
}

#[test]
fn waits_are_drawn_below_a_bound_that_doubles() {
    let mut longest = [0; 6];
    for seed in 0..400 {
        let mut host = Host::new(CallOptions { max_retries: 6, seed, ..CallOptions::default() });
        for longest in &mut longest {
            let (attempt, _) = host.sent();
            host.drop_connection(attempt);
            *longest = host.wait().max(*longest);
        }
    }
    for (longest, bound) in longest.iter().zip([500, 1000, 2000, 4000, 8000, 8000]) {
        assert!((bound * 9 / 10..=bound).contains(longest), "{longest} of {bound}");
    }
}

#[test]
fn a_provider_may_say_how_long_to_wait() {
    let wall = 784_111_777_000.0; // Sun, 06 Nov 1994 08:49:37 GMT
    for (head, wait) in [
        (Head { retry_after: Some("7"), ..Head::default() }, 7_000),
        (Head { retry_after: Some(" 0.5 "), ..Head::default() }, 500),
        (Head { retry_after: Some("Sun, 06 Nov 1994 08:49:59 GMT"), wall_ms: wall, ..Head::default() }, 22_000),
        (Head { retry_after: Some("Sun, 06 Nov 1994 08:49:30 GMT"), wall_ms: wall, ..Head::default() }, 0),
        (Head { retry_after: Some("9"), retry_after_ms: Some("1200"), ..Head::default() }, 1_200),
    ] {
        let mut host = Host::new(CallOptions::default());
        let (attempt, _) = host.sent();
        host.call.head(attempt, &Head { status: 429, ..head });
        host.end(attempt);
        assert_eq!(host.wait(), wait, "{head:?}");
    }
}

#[test]
fn a_wait_that_is_too_long_is_left_to_the_caller() {
    for (asked, options) in
        [("61", CallOptions::default()), ("30", CallOptions { total: ms(20_000), ..CallOptions::default() })]
    {
        let mut host = Host::new(options);
        let (attempt, _) = host.sent();
        host.call.head(attempt, &Head { status: 429, retry_after: Some(asked), ..Head::default() });
        host.end(attempt);
        let error = host.failure();
        assert_eq!(
            (error.code, error.retry_after),
            (Code::LlmRateLimit, asked.parse().ok().map(|s: u64| Millis(s * 1000)))
        );
    }
}

#[test]
fn timeouts() {
    let options = |connect, first, between, total| CallOptions {
        connect,
        first_token: first,
        between_tokens: between,
        total,
        max_retries: 0,
        ..CallOptions::default()
    };
    let mut host = Host::new(options(ms(10), ms(20), ms(30), ms(100)));
    host.sent();
    assert_eq!(host.wait(), 10);
    let error = host.failure();
    assert!(error.code == Code::LlmTimeout && error.message.contains("`connect`"), "{error}");

    let mut host = Host::new(options(ms(10), ms(20), ms(30), ms(100)));
    let attempt = host.answered(200);
    host.chunk(attempt, b": ping\n\n");
    assert_eq!(host.wait(), 20, "a ping is no token");
    assert!(host.failure().message.contains("`firstToken`"));

    let mut host = Host::new(options(ms(10), ms(20), ms(30), ms(100)));
    let attempt = host.answered(200);
    host.now = 15;
    host.chunk(attempt, TEXT);
    host.now = 25;
    host.chunk(attempt, TEXT);
    assert_eq!(host.until(), Some(55));
    host.call.timer(Millis(54));
    assert!(host.is_open(), "a timer that rings early is harmless");
    host.wait();
    let error = host.failure();
    assert!(error.message.contains("`betweenTokens`"));
    assert_eq!(error.partial.expect("something came").text(), "Hello Hello ");

    let mut host = Host::new(CallOptions {
        total: ms(100),
        max_retries: 50,
        connect: ms(30),
        base_backoff: Millis(0),
        ..CallOptions::default()
    });
    let mut sent = 0;
    while host.call.take_result().is_none() {
        if let Command::Send { .. } = host.call.poll(Millis(host.now)) {
            sent += 1;
        }
        host.wait();
        if host.now >= 100 {
            break;
        }
    }
    assert_eq!((host.failure().code, sent, host.now), (Code::LlmTimeout, 4, 100));
}

#[test]
fn an_abort_keeps_what_had_arrived() {
    let mut host = Host::new(CallOptions::default());
    let attempt = host.answered(200);
    host.chunk(attempt, TEXT);
    host.call.abort("the user left");
    let error = host.failure();
    assert_eq!((error.code, error.message.as_str()), (Code::LlmAborted, "the user left"));
    assert_eq!(error.partial.expect("something came").text(), "Hello ");
    assert_eq!(host.call.deltas().text(), "Hello ", "and what was not read yet can be");

    let mut host = Host::new(CallOptions::default());
    host.call.abort("before it began");
    assert_eq!(host.failure().partial, None);
}

#[test]
fn usage_is_known_also_of_a_call_that_was_aborted() {
    let mut host = Host::with(Provider::new(Api::Anthropic, "", None), request(), true, CallOptions::default());
    let attempt = host.answered(200);
    let stream = fixture("anthropic-all.sse");
    host.chunk(attempt, &stream[..700]);
    host.call.abort("enough");
    let usage = host.failure().partial.expect("something came").usage;
    assert_eq!((usage.input, usage.output), (Some(1110), Some(1)));
}

#[test]
fn after_a_delta_nothing_is_sent_again() {
    let mut host = Host::new(CallOptions::default());
    let attempt = host.answered(200);
    host.chunk(attempt, TEXT);
    host.drop_connection(attempt);
    let error = host.failure();
    assert_eq!((error.code, error.message.as_str()), (Code::LlmStreamCut, "connection lost"));
    assert_eq!(error.partial.expect("something came").text(), "Hello ");
}

#[test]
fn a_stream_that_ends_before_its_first_delta_is_tried_again() {
    let mut host = Host::new(CallOptions::default());
    let attempt = host.answered(200);
    host.chunk(
        attempt,
        b"data: {\"id\":\"first\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
    );
    host.end(attempt);
    host.wait();
    let attempt = host.answered(200);
    host.chunk(attempt, TEXT);
    host.chunk(attempt, REST);
    assert_eq!(host.result().expect("all went well").id, "1", "of the first answer nothing is left");

    let mut host = Host::with(Provider::new(Api::Anthropic, "", None), request(), true, CallOptions::default());
    let attempt = host.answered(200);
    host.chunk(
        attempt,
        b"data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
    );
    assert!(!host.is_open(), "an overloaded provider is asked again later");
    host.wait();
    host.sent();
}

fn vllm(options: CallOptions) -> Host {
    let mut provider = Provider::new(Api::Chat, "http://localhost:8000/v1", None);
    provider.flavour = Flavour::Vllm;
    Host::with(provider, request(), true, CallOptions { resume_on_drop: true, ..options })
}

#[test]
fn a_broken_answer_is_continued() {
    let mut host = vllm(CallOptions::default());
    let attempt = host.answered(200);
    host.chunk(attempt, TEXT);
    host.drop_connection(attempt);
    host.wait();
    let (attempt, request) = host.sent();
    let body: serde_json::Value = serde_json::from_slice(&request.body).expect("the body is JSON");
    assert_eq!(body["messages"][1], serde_json::json!({ "role": "assistant", "content": "Hello" }));
    assert_eq!(body["continue_final_message"], true);
    host.call.head(attempt, &Head { status: 200, ..Head::default() });
    assert_eq!(host.call.deltas().text(), "Hello ", "unread deltas outlive the break");
    // The model says the space again, which was cut off for the provider.
    host.chunk(attempt, b"data: {\"choices\":[{\"delta\":{\"content\":\" \"}}]}\n\n");
    host.chunk(attempt, REST);
    assert_eq!(host.call.deltas().text(), "Hello worldstop");
    let response = host.result().expect("all went well");
    assert_eq!((response.text().as_str(), response.content.len()), ("Hello world", 1));
}

#[test]
fn anthropic_goes_on_in_the_same_block_and_counts_both_requests() {
    let mut host = Host::with(
        Provider::new(Api::Anthropic, "", None),
        request(),
        true,
        CallOptions { resume_on_drop: true, ..CallOptions::default() },
    );
    let start = |text: &str| {
        format!(
            "data: {{\"type\":\"message_start\",\"message\":{{\"id\":\"a\",\"model\":\"m\",\"usage\":{{\"input_tokens\":10,\"output_tokens\":1}}}}}}\n\n\
             data: {{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}\n\n\
             data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
        )
    };
    let attempt = host.answered(200);
    host.chunk(attempt, start("Hello").as_bytes());
    host.end(attempt);
    host.wait();
    let attempt = host.answered(200);
    host.chunk(attempt, start(" world").as_bytes());
    host.chunk(attempt, b"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":4}}\n\ndata: {\"type\":\"message_stop\"}\n\n");
    let response = host.result().expect("all went well");
    assert_eq!((response.text().as_str(), response.content.len()), ("Hello world", 1));
    assert_eq!((response.usage.input, response.usage.output), (Some(20), Some(5)));
}

#[test]
fn a_provider_that_will_not_go_on_leaves_the_break_as_the_error() {
    let mut host = vllm(CallOptions::default());
    let attempt = host.answered(200);
    host.chunk(attempt, TEXT);
    host.drop_connection(attempt);
    host.wait();
    let attempt = host.answered(400);
    host.chunk(attempt, br#"{"error":{"message":"no prefill"}}"#);
    host.end(attempt);
    let error = host.failure();
    assert_eq!((error.code, error.message.as_str()), (Code::LlmStreamCut, "connection lost"));
    assert_eq!(error.partial.expect("something came").text(), "Hello ");
}

#[test]
fn what_cannot_be_continued() {
    let openai = Provider::new(Api::Chat, "", None);
    let anthropic = Provider::new(Api::Anthropic, "", None);
    let thinking = Request { options: r#"{"thinking":{"type":"enabled"}}"#.into(), ..request() };
    assert!(!openai.can_resume(&request()));
    assert!(anthropic.can_resume(&request()) && !anthropic.can_resume(&thinking));
    // After a call of a tool there is more than text.
    let mut host = vllm(CallOptions::default());
    let attempt = host.answered(200);
    host.chunk(attempt, b"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\"}}]}}]}\n\n");
    host.drop_connection(attempt);
    assert_eq!(host.failure().code, Code::LlmStreamCut);
    // A wrong answer is no break.
    let mut host = vllm(CallOptions::default());
    let attempt = host.answered(200);
    host.chunk(attempt, TEXT);
    host.chunk(attempt, b"data: oops\n\n");
    assert_eq!(host.failure().code, Code::LlmBadAnswer);
}

#[test]
fn news_of_an_old_request_is_ignored() {
    let mut host = Host::new(CallOptions::default());
    let (old, _) = host.sent();
    host.drop_connection(old);
    host.call.head(old, &Head { status: 200, ..Head::default() });
    host.wait();
    let (new, _) = host.sent();
    host.call.head(old, &Head { status: 401, ..Head::default() });
    host.chunk(old, b"data: oops\n\n");
    host.end(old);
    host.drop_connection(old);
    host.call.head(new, &Head { status: 200, ..Head::default() });
    host.chunk(new, TEXT);
    host.chunk(new, REST);
    assert!(host.result().is_ok());
}

#[test]
fn options_are_read_in_seconds() {
    let options = CallOptions::from_json(
        r#"{"connect":1.5,"firstToken":null,"total":null,"maxRetries":7,"resumeOnDrop":true}"#,
        3,
    );
    let expected = CallOptions {
        connect: ms(1500),
        total: None,
        max_retries: 7,
        resume_on_drop: true,
        seed: 3,
        ..CallOptions::default()
    };
    assert_eq!(options, Ok(expected));
    for bad in ["", r#"{"total":"1"}"#, r#"{"connect":-1}"#, r#"{"maxRetries":null}"#, r#"{"totl":1}"#] {
        assert_eq!(CallOptions::from_json(bad, 0).map_err(|error| error.code), Err(Code::LlmRequest), "{bad}");
    }
}

/// Whatever happens in whatever order: one end, no request too many, and the deltas are the beginning of the answer.
#[test]
fn random_histories_end_once() {
    let mut draw = Draw(5);
    for round in 0..4_000 {
        let retries = draw.below(4) as u32;
        let limit = |draw: &mut Draw| (draw.below(3) == 0).then(|| Millis(draw.below(3_000) as u64));
        let options = CallOptions {
            connect: limit(&mut draw),
            first_token: limit(&mut draw),
            between_tokens: limit(&mut draw),
            total: limit(&mut draw),
            max_retries: retries,
            resume_on_drop: draw.below(2) == 0,
            seed: round,
            ..CallOptions::default()
        };
        let mut host = vllm(options.clone());
        if draw.below(2) == 0 {
            host = Host::new(options);
        }
        let (mut sent, mut done, mut shown) = (0, 0, String::new());
        for _ in 0..60 {
            match host.call.poll(Millis(host.now)) {
                Command::Send { attempt, .. } => {
                    sent += 1;
                    assert_eq!(attempt, Attempt(sent));
                }
                Command::Wait { .. } => {}
                Command::Done => done += usize::from(host.call.take_result().is_some()),
            }
            let attempt = Attempt(1 + draw.below(sent as usize + 1) as u32);
            let now = Millis(host.now);
            match draw.below(9) {
                0 | 1 => {
                    let status = [200, 200, 200, 429, 500, 400, 204, 999][draw.below(8)];
                    let retry_after = [None, Some("1"), Some("100"), Some("soon"), Some("-1")][draw.below(5)];
                    host.call.head(attempt, &Head { status, retry_after, ..Head::default() });
                }
                2..=4 => {
                    let piece = [TEXT, REST, b"data: oops\n\n", b"dat", b"\r", b"{", b": x\n\n"][draw.below(7)];
                    host.call.body_chunk(attempt, piece, now);
                }
                5 => host.call.body_end(attempt, now),
                6 => host.call.network_error(attempt, "lost", now),
                7 => host.call.timer(now),
                _ if draw.below(20) == 0 => host.call.abort("x"),
                _ => host.now += draw.below(900) as u64,
            }
            host.call.deltas().iter().for_each(|delta| {
                if let stepstream::llm::Delta::Text { text, .. } = delta {
                    shown.push_str(text);
                }
            });
            host.call.clear_deltas();
            // Once the call is done, its answer is in the result.
            assert!(host.call.response().is_empty() || host.call.response().text().starts_with(&shown));
        }
        assert!(done <= 1 && sent <= retries + 1, "{done} ends, {sent} requests");
    }
}

#[test]
fn an_endless_body_of_an_error_is_not_waited_for() {
    let mut host = Host::new(CallOptions { max_retries: 0, ..CallOptions::default() });
    let (attempt, _) = host.sent();
    host.call.head(attempt, &Head { status: 503, ..Head::default() });
    for _ in 0..=16 {
        host.chunk(attempt, &[b'x'; 4096]);
    }
    assert_eq!(host.failure().status, Some(503));
}

#[test]
fn what_lets_a_program_in_is_never_shown() {
    let json = r#"{"api":"chat","headers":{"Authorization":"Bearer my-own-token-1","x-team":"everybody-knows"}}"#;
    let request =
        r#"{"model":"m","messages":[{"role":"user","content":"Hi"}],"headers":{"x-session-token":"of-this-call-2"}}"#;
    let provider = Provider::from_json(json).expect("it is right");
    let request = Request::from_json(request).expect("it is right");
    let options = CallOptions { max_retries: 0, ..CallOptions::default() };
    let mut call = Call::new(provider, request, true, options, Millis(0)).expect("it can be sent");
    let Command::Send { attempt, .. } = call.poll(Millis(0)) else { panic!("nothing to send") };
    call.network_error(attempt, "everybody-knows: Bearer my-own-token-1 and of-this-call-2", Millis(1));
    let error = call.take_result().expect("it is over").expect_err("it failed");
    assert_eq!(error.message, "everybody-knows: Bearer [secret] and [secret]");
}
