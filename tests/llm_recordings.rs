//! Real answers of providers, in so far as they lie beside the repository (or where STEPSTREAM_RECORDINGS says): cut anywhere, they mean
//! the same. The recordings are data of others and no part of the project, so the tests pass without them, and say so.

mod llm_kit;

use std::path::{Path, PathBuf};

use llm_kit::{Draw, decode, decode_pieces, pieces};
use stepstream::error::Code;
use stepstream::llm::{Api, Block, Expectation, FinishReason};

struct Recording {
    name: String,
    api: Api,
    bytes: Vec<u8>,
}

fn folder() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings");
    let folder = std::env::var_os("STEPSTREAM_RECORDINGS").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no recordings at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Frames events as the provider does.
fn frame(api: Api, events: &[&str]) -> Vec<u8> {
    let mut bytes = String::new();
    for event in events.iter().map(|event| event.trim()) {
        // One recording lacks the last bracket of two events.
        let mended = format!("{event}}}");
        let is_whole = serde_json::from_str::<serde_json::Value>(event).is_ok();
        let event = if is_whole { event } else { mended.as_str() };
        let value: serde_json::Value = serde_json::from_str(event).expect("recordings are JSON");
        if let (Api::Anthropic | Api::Responses, Some(kind)) = (api, value["type"].as_str()) {
            bytes.push_str(&format!("event: {kind}\n"));
        }
        bytes.push_str(&format!("data: {event}\n\n"));
    }
    if api == Api::Chat {
        bytes.push_str("data: [DONE]\n\n");
    }
    bytes.into_bytes()
}

fn recordings() -> Vec<Recording> {
    let Some(folder) = folder() else { return Vec::new() };
    let kinds = [
        ("anthropic", Api::Anthropic),
        ("google", Api::Gemini),
        ("openai-chat", Api::Chat),
        ("openai-compatible", Api::Chat),
        ("openai-responses", Api::Responses),
    ];
    let mut all = Vec::new();
    for (kind, api) in kinds {
        let Ok(entries) = folder.join(kind).read_dir() else { continue };
        for path in
            entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        {
            let text = std::fs::read_to_string(&path).expect("a recording can be read");
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            // One file may hold several answers, each with its own end.
            let ends = |line: &&str| line.starts_with("{\"type\":\"response.completed\"");
            for (at, events) in lines.split_inclusive(ends).enumerate() {
                let name = format!("{kind}/{}#{at}", path.file_stem().unwrap_or_default().to_string_lossy());
                all.push(Recording { name, api, bytes: frame(api, events) });
            }
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

#[test]
fn cuts_change_nothing() {
    let mut draw = Draw(1);
    for Recording { name, api, bytes } in recordings() {
        let whole = decode(api, &bytes);
        if bytes.len() < 8_000 {
            for cut in 0..=bytes.len() {
                let outcome = decode_pieces(Expectation::of(api), pieces(&bytes, &[cut]));
                assert_eq!(outcome, whole, "{name} cut at {cut}");
            }
        }
        for _ in 0..500 {
            let cuts = draw.cuts(bytes.len(), 40);
            let outcome = decode_pieces(Expectation::of(api), pieces(&bytes, &cuts));
            assert_eq!(outcome, whole, "{name} cut at {cuts:?}");
        }
        println!("{name}: {} bytes, {} blocks, {:?}", bytes.len(), whole.response.content.len(), whole.response.finish);
    }
}

#[test]
fn every_recording_is_understood() {
    for Recording { name, api, bytes } in recordings() {
        let outcome = decode(api, &bytes);
        if name.contains("error") {
            let error = outcome.error.expect("this one ends in an error");
            assert_eq!((error.code, error.kind.as_deref()), (Code::LlmQuota, Some("insufficient_quota")), "{name}");
            continue;
        }
        assert_eq!(outcome.error, None, "{name}");
        let response = outcome.response;
        assert!(!response.id.is_empty() && !response.model.is_empty(), "{name}");
        assert!(response.usage.input.is_some() && response.usage.output.is_some(), "{name}");
        assert!(!response.content.is_empty(), "{name}");
        let expected = match name.as_str() {
            name if name.contains("refusal") => FinishReason::Refusal,
            name if name.contains("tool") => FinishReason::ToolCalls,
            name if response.content.iter().any(|block| matches!(block, Block::ToolCall(_))) => {
                assert!(name.contains("reasoning"), "{name}");
                FinishReason::ToolCalls
            }
            _ => FinishReason::Stop,
        };
        assert_eq!(response.finish, expected, "{name}");
        for block in &response.content {
            if let Block::ToolCall(call) = block {
                assert!(!call.id.is_empty() && !call.name.is_empty(), "{name}");
                let arguments: Result<serde_json::Value, _> = serde_json::from_str(&call.arguments);
                assert!(arguments.is_ok(), "{name}: {}", call.arguments);
            }
        }
    }
}

#[test]
fn a_recording_that_breaks_off_is_an_error_with_what_had_come() {
    let mut draw = Draw(2);
    for Recording { name, api, bytes } in recordings().into_iter().filter(|recording| !recording.name.contains("error"))
    {
        let whole = decode(api, &bytes).response;
        for _ in 0..200 {
            let cut = draw.below(bytes.len());
            let outcome = decode(api, &bytes[..cut]);
            let Some(error) = outcome.error else {
                assert_eq!(outcome.response, whole, "{name}: what is complete is whole (cut at {cut})");
                continue;
            };
            assert_eq!(error.code, Code::LlmStreamCut, "{name} cut at {cut}: {error}");
            let partial = error.partial.map(|partial| *partial).unwrap_or_default();
            assert_eq!(partial, outcome.response);
            assert!(whole.text().starts_with(&partial.text()), "{name} cut at {cut}");
        }
    }
}
