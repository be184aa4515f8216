//! What each provider's stream means, on streams written by hand, cut at every byte and in every kind of line.

mod llm_kit;

use llm_kit::{Draw, Outcome, Seen, decode, decode_pieces, drain, fixture, fixtures, pieces};
use stepstream::llm::{Api, Block, Decoder, Expectation, FinishReason, Signature, ToolCall, Usage};

fn call(id: &str, name: &str, arguments: &str) -> Block {
    Block::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments: arguments.into(), signature: None })
}

fn good(api: Api, name: &str) -> Outcome {
    let outcome = decode(api, &fixture(name));
    assert_eq!(outcome.error, None);
    outcome
}

#[test]
fn chat_text() {
    let Outcome { response, seen, .. } = good(Api::Chat, "chat-text.sse");
    assert_eq!((response.id.as_str(), response.model.as_str()), ("c-1", "small-1"));
    assert_eq!(response.content, [Block::text("Grüße, 世界 🌍 \"quoted\" \\ \n🦀!")]);
    assert_eq!(seen.finish, Some((FinishReason::Stop, "stop".into())));
    let usage = Usage { input: Some(9), output: Some(7), reasoning: Some(2), cached: Some(4), cache_written: None };
    assert_eq!(response.usage, usage);
}

#[test]
fn chat_calls_that_are_interleaved() {
    let Outcome { response, .. } = good(Api::Chat, "chat-parallel-calls.sse");
    let weather = call("call_a", "weather", "{\"city\":\"Köln\"}");
    assert_eq!(response.content, [weather, call("call_b", "time", "{\"zone\":\"CET\"}"), call("call_c", "now", "{}")]);
    assert_eq!(response.finish, FinishReason::ToolCalls);
}

#[test]
fn chat_habits_of_other_servers() {
    let Outcome { response, .. } = good(Api::Chat, "chat-habits.sse");
    let [Block::Reasoning { text, .. }, said, one, two, Block::ToolCall(three)] = &response.content[..] else {
        panic!("{:?}", response.content);
    };
    assert_eq!(text, "Let me see. Hm.");
    assert_eq!(*said, Block::text("I call two tools."));
    assert_eq!((one, two), (&call("x1", "one", "{}"), &call("x2", "two", "{\"n\": 1.50}")));
    assert_eq!((three.name.as_str(), three.arguments.as_str()), ("three", "{\"a\":1}"));
    assert!(three.id.starts_with("call_"), "a missing id is made up: {}", three.id);
    // The server says "stop", but there are calls; its total holds the reasoning that its output leaves out.
    assert_eq!((response.finish, response.usage.output), (FinishReason::ToolCalls, Some(15)));
}

#[test]
fn responses_of_all_kinds() {
    let Outcome { response, .. } = good(Api::Responses, "responses-all.sse");
    let signed = |id: &str, data: Option<&str>| {
        Some(Signature { api: Api::Responses, id: Some(id.into()), data: data.map(str::to_owned) })
    };
    let with = |block: Block, id: &str, data: Option<&str>| match block {
        Block::ToolCall(call) => Block::ToolCall(ToolCall { signature: signed(id, data), ..call }),
        other => other,
    };
    let thoughts = "First this.\n\nThen that.".to_owned();
    assert_eq!(
        response.content,
        [
            Block::Reasoning { text: thoughts, signature: signed("rs_1", Some("opaque==")), redacted: false },
            Block::Text { text: "Grüße 🌍".into(), signature: signed("msg_1", None) },
            with(call("call_1", "weather", "{\"city\":\"Ulm\"}"), "fc_1", None),
            with(call("call_2", "now", "{}"), "fc_2", None),
            with(call("call_3", "sql", "\"SELECT \\\"a\\\"\""), "ctc_1", Some("custom")),
        ]
    );
    assert_eq!((response.finish, response.finish_raw.as_str()), (FinishReason::ToolCalls, "completed"));
    let usage = Usage { input: Some(11), output: Some(22), reasoning: Some(5), cached: Some(3), cache_written: None };
    assert_eq!(response.usage, usage);
}

#[test]
fn anthropic_of_all_kinds() {
    let Outcome { response, .. } = good(Api::Anthropic, "anthropic-all.sse");
    let signed = |data: &str| Some(Signature { api: Api::Anthropic, id: None, data: Some(data.into()) });
    assert_eq!(
        response.content,
        [
            Block::Reasoning { text: "Denken… ".into(), signature: signed("c2lnbmVk"), redacted: false },
            Block::Reasoning { text: String::new(), signature: signed("aGlkZGVu"), redacted: true },
            Block::text("Ich schaue 🔍 nach."),
            call("toolu_1", "weather", "{\"city\": \"Ulm\"}"),
            call("toolu_2", "now", "{}"),
        ]
    );
    let usage =
        Usage { input: Some(1110), output: Some(57), reasoning: None, cached: Some(100), cache_written: Some(1000) };
    assert_eq!((response.usage, response.finish), (usage, FinishReason::ToolCalls));
}

#[test]
fn gemini_of_all_kinds() {
    let Outcome { response, .. } = good(Api::Gemini, "gemini-all.sse");
    let signed = |id: Option<&str>, data: Option<&str>| {
        Some(Signature { api: Api::Gemini, id: id.map(str::to_owned), data: data.map(str::to_owned) })
    };
    let [thought, text, Block::ToolCall(first), Block::ToolCall(second)] = &response.content[..] else {
        panic!("{:?}", response.content);
    };
    assert_eq!(*thought, Block::Reasoning { text: "Ich denke. ".into(), signature: None, redacted: false });
    assert_eq!(*text, Block::Text { text: "Zwei Rufe 📞.".into(), signature: signed(None, Some("dGV4dA==")) });
    assert_eq!((first.name.as_str(), first.arguments.as_str()), ("weather", "{\"city\":\"Ulm\",\"days\":1.50}"));
    assert!(first.id.starts_with("call_") && first.signature == signed(None, Some("Y2FsbA==")));
    assert_eq!((second.id.as_str(), second.arguments.as_str()), ("own-id", "{}"));
    assert_eq!(second.signature, signed(Some("own-id"), None));
    let usage = Usage { input: Some(9), output: Some(42), reasoning: Some(12), cached: Some(2), cache_written: None };
    assert_eq!((response.usage, response.finish), (usage, FinishReason::ToolCalls));
}

#[test]
fn one_cut_anywhere_changes_nothing() {
    for (name, api, bytes) in fixtures() {
        let whole = decode(api, &bytes);
        assert_eq!(whole.error, None, "{name}");
        for cut in 0..=bytes.len() {
            let outcome = decode_pieces(Expectation::of(api), pieces(&bytes, &[cut]));
            assert_eq!(outcome, whole, "{name} cut at {cut}");
        }
        assert_eq!(decode_pieces(Expectation::of(api), bytes.chunks(1)), whole, "{name} byte by byte");
    }
}

#[test]
fn any_ends_of_lines_and_a_mark_at_the_start_change_nothing() {
    for (name, api, bytes) in fixtures() {
        let text = String::from_utf8(bytes.clone()).expect("fixtures are UTF-8");
        let whole = decode(api, &bytes);
        for end in ["\r", "\r\n"] {
            let other = format!("\u{feff}{}", text.replace('\n', end));
            for cut in 0..=other.len().min(400) {
                let outcome = decode_pieces(Expectation::of(api), pieces(other.as_bytes(), &[cut]));
                assert_eq!(outcome, whole, "{name} with {end:?}, cut at {cut}");
            }
        }
        // An event over several lines of data, unknown fields, comments, and no empty line at the end.
        let spread =
            text.replace("{\"id\"", "{\ndata: \"id\"").replace("data: ", ": x\nfoo: bar\nid: 7\nretry: 10\ndata:");
        assert_eq!(decode(api, spread.trim_end().as_bytes()), whole, "{name} spread out");
    }
}

#[test]
fn decoders_that_are_fed_in_turn_do_not_mix() {
    let all = fixtures();
    let mut draw = Draw(7);
    let mut decoders: Vec<_> =
        all.iter().map(|(_, api, bytes)| (Decoder::new(Expectation::of(*api)), Seen::default(), &bytes[..])).collect();
    while decoders.iter().any(|(_, _, rest)| !rest.is_empty()) {
        for (decoder, seen, rest) in &mut decoders {
            let (now, later) = rest.split_at(draw.below(80).min(rest.len()));
            decoder.push(now).expect("fixtures are good");
            drain(decoder, seen);
            *rest = later;
        }
    }
    for ((mut decoder, mut seen, _), (name, api, bytes)) in decoders.into_iter().zip(&all) {
        decoder.finish().expect("fixtures are complete");
        drain(&mut decoder, &mut seen);
        let alone = decode(*api, bytes);
        assert_eq!((decoder.take_response(), seen), (alone.response, alone.seen), "{name}");
    }
}
