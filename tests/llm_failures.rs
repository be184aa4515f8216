//! Answers that go wrong: each way has its code, carries what had arrived, and none makes the decoder panic.

mod llm_kit;

use llm_kit::{Draw, Outcome, decode, decode_pieces, fixtures, pieces};
use stepstream::error::Code;
use stepstream::llm::{Api, Block, Delta, Expectation, FinishReason, LlmError, ModelResponse, refused};

const ALL: [Api; 4] = [Api::Chat, Api::Responses, Api::Anthropic, Api::Gemini];

fn failure(api: Api, bytes: &[u8]) -> LlmError {
    decode(api, bytes).error.expect("this must fail")
}

#[test]
fn a_stream_without_its_end_marker_is_cut() {
    for (name, api, bytes) in fixtures() {
        let text = String::from_utf8(bytes).expect("fixtures are UTF-8");
        let events: Vec<&str> = text.split_inclusive("\n\n").collect();
        let without_last = events[..events.len() - 1].concat();
        let Outcome { response, error, .. } = decode(api, without_last.as_bytes());
        let error = error.unwrap_or_else(|| panic!("{name}"));
        assert_eq!(error.code, Code::LlmStreamCut, "{name}");
        assert_eq!(error.partial.as_deref(), Some(&response), "{name}");
        assert!(!response.content.is_empty(), "{name}");
    }
}

#[test]
fn servers_that_imitate_may_leave_the_marker_out() {
    let lenient = Expectation { lenient_end: true, ..Expectation::of(Api::Chat) };
    let stream = b"data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\n";
    assert_eq!(decode_pieces(lenient.clone(), [&stream[..]]).error, None);
    assert_eq!(failure(Api::Chat, stream).code, Code::LlmStreamCut);
    let unfinished = b"data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    assert_eq!(decode_pieces(lenient, [&unfinished[..]]).error.map(|error| error.code), Some(Code::LlmStreamCut));
}

#[test]
fn every_cut_off_stream_is_an_error_or_whole() {
    for (name, api, bytes) in fixtures() {
        let whole = decode(api, &bytes).response;
        for cut in 0..bytes.len() {
            let outcome = decode(api, &bytes[..cut]);
            match outcome.error {
                None => assert_eq!(outcome.response, whole, "{name} cut at {cut}"),
                Some(error) => {
                    assert_eq!(error.code, Code::LlmStreamCut, "{name} cut at {cut}: {error}");
                    let partial = error.partial.map(|partial| *partial).unwrap_or_default();
                    assert_eq!(partial, outcome.response, "{name} cut at {cut}");
                    assert!(whole.text().starts_with(&partial.text()));
                }
            }
        }
    }
}

#[test]
fn half_an_event_at_the_end_is_a_cut() {
    let error = failure(
        Api::Chat,
        b"data: {\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: {\"choices\":[{\"del",
    );
    assert_eq!((error.code, error.partial.expect("something came").text()), (Code::LlmStreamCut, "Hi".into()));
}

#[test]
fn an_event_that_is_not_json_is_reported() {
    let error = failure(
        Api::Chat,
        b"data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: {oops}\n\ndata: [DONE]\n\n",
    );
    assert_eq!((error.code, error.partial.expect("something came").text()), (Code::LlmBadAnswer, "Hi".into()));
    assert!(error.message.contains("{oops}"), "{}", error.message);
}

#[test]
fn what_is_no_answer_at_all() {
    for api in ALL {
        let page = failure(api, b"\n<!DOCTYPE html>\n<html><body>502   Bad Gateway</body></html>");
        assert_eq!(page.code, Code::LlmBadAnswer);
        assert!(page.message.contains("502 Bad Gateway"), "{}", page.message);
        assert_eq!(failure(api, b"upstream connect error").code, Code::LlmBadAnswer);
        assert_eq!(failure(api, b"{\"hello\":1}").code, Code::LlmBadAnswer);
        assert_eq!(failure(api, b"[]").code, Code::LlmBadAnswer);
        assert_eq!(failure(api, b"{\"choices\":").code, Code::LlmStreamCut);
        for empty in [&b""[..], b"\r\n \n", b": ping\n\n", b"data", b"da"] {
            assert_eq!(failure(api, empty).code, Code::LlmStreamCut, "{empty:?}");
        }
    }
}

#[test]
fn errors_with_a_good_status() {
    let body = br#"{"error":{"message":"No such model","type":"invalid_request_error","code":"model_not_found"}}"#;
    for api in ALL {
        let error = failure(api, body);
        assert_eq!((error.code, error.message.as_str()), (Code::LlmNotFound, "No such model"));
        assert_eq!(error.provider_code.as_deref(), Some("model_not_found"));
    }
}

#[test]
fn errors_in_the_middle_of_a_stream() {
    let begun = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    let chat = format!("{begun}data: {{\"error\":{{\"message\":\"boom\",\"type\":\"server_error\"}}}}\n\n");
    let error = failure(Api::Chat, chat.as_bytes());
    assert_eq!((error.code, error.kind.as_deref()), (Code::LlmServer, Some("server_error")));
    assert_eq!(error.partial.expect("something came").text(), "Hi");

    let odd = failure(Api::Chat, format!("{begun}data: {{\"object\":\"error\",\"message\":\"odd\"}}\n\n").as_bytes());
    assert_eq!((odd.code, odd.message.as_str()), (Code::LlmStreamError, "odd"));

    let anthropic = b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    assert_eq!(failure(Api::Anthropic, anthropic).code, Code::LlmServer);

    let responses =
        b"data: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow\",\"param\":null}\n\n";
    assert_eq!(failure(Api::Responses, responses).code, Code::LlmRateLimit);
    let failed = b"data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"x\"}}}\n\n";
    assert_eq!(failure(Api::Responses, failed).code, Code::LlmServer);

    let gemini = b"data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\n\n";
    assert_eq!(failure(Api::Gemini, gemini).code, Code::LlmServer);
    let blocked = b"data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n";
    assert_eq!(failure(Api::Gemini, blocked).code, Code::LlmContentFilter);
}

#[test]
fn bodies_of_errors() {
    let cases: &[(u16, &str, Code, &str)] = &[
        (
            401,
            r#"{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            Code::LlmAuth,
            "Incorrect API key",
        ),
        (403, r#"{"type":"error","error":{"type":"permission_error","message":"no"}}"#, Code::LlmAuth, "no"),
        (404, r#"{"error":"model 'x' not found"}"#, Code::LlmNotFound, "model 'x' not found"),
        (
            400,
            r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            Code::LlmContextLength,
            "too long",
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
            Code::LlmContextLength,
            "prompt is too long: 210000 tokens > 200000 maximum",
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"The input token count exceeds the maximum number of tokens allowed","status":"INVALID_ARGUMENT"}}"#,
            Code::LlmContextLength,
            "The input token count exceeds the maximum number of tokens allowed",
        ),
        (400, r#"[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]"#, Code::LlmBadRequest, "bad"),
        (400, r#"{"error":{"message":"filtered","code":"content_filter"}}"#, Code::LlmContentFilter, "filtered"),
        (422, r#"{"object":"error","message":"extra fields","type":"invalid"}"#, Code::LlmBadRequest, "extra fields"),
        (422, r#"{"detail":"nope"}"#, Code::LlmBadRequest, "nope"),
        (
            429,
            r#"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#,
            Code::LlmRateLimit,
            "slow down",
        ),
        (
            429,
            r#"{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Code::LlmQuota,
            "pay",
        ),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            Code::LlmServer,
            "Overloaded",
        ),
        (502, "<html>\n  <h1>Bad Gateway</h1>", Code::LlmServer, "<html> <h1>Bad Gateway</h1>"),
        (418, " ", Code::LlmHttp, "The response is empty, with the status 418."),
    ];
    for (status, body, code, message) in cases {
        let error = refused(*status, body.as_bytes());
        assert_eq!((error.code, error.message.as_str(), error.status), (*code, *message, Some(*status)), "{body}");
    }
    let long = refused(500, "ü".repeat(10_000).as_bytes());
    assert!(long.message.len() < 300 && long.message.ends_with('…'));
}

#[test]
fn whole_answers_mean_what_streams_mean() {
    let chat = br#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","reasoning_content":"hm","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},{"id":"b","type":"function","function":{"name":"g","arguments":""}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let responses = br#"{"id":"c","model":"m","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"error":null,"output":[{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"hm"}]},{"type":"message","id":"i","content":[{"type":"output_text","text":"Hi"}]},{"type":"function_call","id":"f1","call_id":"a","name":"f","arguments":"{\"x\":1}"},{"type":"function_call","id":"f2","call_id":"b","name":"g","arguments":""}]}"#;
    let anthropic = br#"{"id":"c","type":"message","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"Hi"},{"type":"tool_use","id":"a","name":"f","input":{"x":1}},{"type":"tool_use","id":"b","name":"g","input":{}}],"stop_reason":"max_tokens","usage":{"input_tokens":1,"output_tokens":2}}"#;
    let gemini = br#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"text":"Hi"},{"functionCall":{"id":"a","name":"f","args":{"x":1}}},{"functionCall":{"id":"b","name":"g"}}]},"finishReason":"MAX_TOKENS"}],"modelVersion":"m","responseId":"c"}"#;
    for (api, body, finish) in [
        (Api::Chat, &chat[..], FinishReason::ToolCalls),
        (Api::Responses, responses, FinishReason::Length),
        (Api::Anthropic, anthropic, FinishReason::Length),
        (Api::Gemini, gemini, FinishReason::Length),
    ] {
        let Outcome { response, error, .. } = decode_pieces(Expectation::of(api), body.chunks(7));
        assert_eq!(error, None, "{api:?}");
        assert_eq!(
            (response.id.as_str(), response.model.as_str(), response.text().as_str()),
            ("c", "m", "Hi"),
            "{api:?}"
        );
        let calls: Vec<_> = response
            .content
            .iter()
            .filter_map(|block| match block {
                Block::ToolCall(call) => Some((call.id.as_str(), call.name.as_str(), call.arguments.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(calls, [("a", "f", "{\"x\":1}"), ("b", "g", "{}")], "{api:?}");
        let thought =
            response.content.iter().any(|block| matches!(block, Block::Reasoning { text, .. } if text == "hm"));
        assert!(thought && response.finish == finish, "{api:?}");
    }
    let list = [b"[", &gemini[..], b"]"].concat();
    assert_eq!(decode(Api::Gemini, &list).error, None, "without alt=sse, chunks come as a list");
}

#[test]
fn a_tool_that_stands_for_the_form_of_the_answer_is_its_text() {
    let expectation = Expectation { output_tool: "answer".into(), ..Expectation::of(Api::Anthropic) };
    let stream = br#"data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"answer","input":{}}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"1}"}}

data: {"type":"content_block_stop","index":0}

data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":4}}

data: {"type":"message_stop"}

"#;
    let Outcome { response, seen, error } = decode_pieces(expectation, [&stream[..]]);
    assert_eq!((error, response.content, response.finish), (None, vec![Block::text("{\"a\":1}")], FinishReason::Stop));
    assert!(seen.calls.is_empty());
}

#[test]
fn a_refusal_is_no_text() {
    let stream = b"data: {\"choices\":[{\"delta\":{\"refusal\":\"I can\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"refusal\":\"not.\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let Outcome { response, .. } = decode(Api::Chat, stream);
    assert_eq!((response.content, response.finish), (vec![Block::Refusal("I cannot.".into())], FinishReason::Refusal));
}

#[test]
fn bytes_that_are_no_utf8_become_the_replacement_character() {
    let stream = b"data: {\"choices\":[{\"delta\":{\"content\":\"a\xff\xf0\x9f\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    assert_eq!(decode(Api::Chat, stream).response.text(), "a\u{fffd}\u{fffd}");
}

#[test]
fn an_answer_of_endless_blocks_is_refused() {
    let mut stream = Vec::new();
    for index in 0..5000 {
        stream.extend_from_slice(format!("data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{{\"index\":{index},\"id\":\"i{index}\",\"function\":{{\"name\":\"f\"}}}}]}}}}]}}\n\n").as_bytes());
    }
    assert_eq!(failure(Api::Chat, &stream).code, Code::LlmBadAnswer);
}

/// What a mutated stream may do at most: give some answer, or fail with a code. That the deltas still agree with the answer is
/// checked by the kit at every step.
fn endure(api: Api, bytes: &[u8], draw: &mut Draw) {
    let cuts = draw.cuts(bytes.len(), 6);
    let outcome = decode_pieces(Expectation::of(api), pieces(bytes, &cuts));
    let again = decode(api, bytes);
    assert_eq!(
        (outcome.response, outcome.error),
        (again.response, again.error),
        "cuts do not matter to broken streams either"
    );
}

#[test]
fn mutated_streams_never_panic() {
    let rounds = if cfg!(debug_assertions) { 2_000 } else { 400_000 };
    let mut draw = Draw(11);
    let all = fixtures();
    let tokens: Vec<&[u8]> = vec![
        b"\n\n",
        b"\r",
        b"data: ",
        b"data: [DONE]\n\n",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b"null",
        b"-1",
        b"1e999",
        b"\\u d83d",
        b"\\ud83d",
        b"\xff",
        b"\"index\":0",
        b"\"index\":18446744073709551615",
        b"\"type\":\"content_block_stop\"",
        b"\"finish_reason\":\"stop\"",
        b"{\"type\":\"response.completed\"}",
        b"\"choices\":[{\"delta\":{\"tool_calls\":[{}]}}]",
    ];
    for round in 0..rounds {
        let (_, api, bytes) = &all[round % all.len()];
        // Now and then in the words of another.
        let api = if draw.below(10) == 0 { ALL[draw.below(4)] } else { *api };
        let mut bytes = bytes.clone();
        for _ in 0..1 + draw.below(6) {
            let at = draw.below(bytes.len() + 1);
            match draw.below(6) {
                0 if at < bytes.len() => bytes[at] = draw.below(256) as u8,
                1 => drop(bytes.drain(at..(at + draw.below(40)).min(bytes.len()))),
                2 => drop(bytes.splice(at..at, tokens[draw.below(tokens.len())].iter().copied())),
                3 => bytes.truncate(at.max(1)),
                4 if !bytes.is_empty() => {
                    // Events change places, or come twice.
                    let events: Vec<Vec<u8>> =
                        bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                    let mut events = events;
                    let from = draw.below(events.len());
                    let line = events[from].clone();
                    let to = draw.below(events.len() + 1);
                    events.insert(to, line);
                    bytes = events.concat();
                }
                _ => {
                    let end = (at + draw.below(30)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = draw.below(bytes.len() + 1);
                    drop(bytes.splice(to..to, piece));
                }
            }
        }
        endure(api, &bytes, &mut draw);
    }
}

#[test]
fn deltas_of_one_chunk_are_packed() {
    let mut decoder = stepstream::llm::Decoder::new(Expectation::of(Api::Chat));
    let chunk: String = ["a", "ü", "🦀"]
        .map(|text| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"))
        .concat();
    decoder.push(chunk.as_bytes()).expect("a good stream");
    assert_eq!(decoder.deltas().text(), "aü🦀");
    let units: Vec<u32> = decoder.deltas().records().iter().map(|record| record.units).collect();
    assert_eq!(units, [1, 1, 2]);
    let texts: Vec<_> = decoder.deltas().iter().collect();
    assert_eq!(texts[2], Delta::Text { index: 0, text: "🦀" });
    assert_eq!(*decoder.response(), ModelResponse { content: vec![Block::text("aü🦀")], ..ModelResponse::default() });
}
