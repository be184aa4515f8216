//! How fast answers are decoded, natively: `cargo bench --bench llm`. A stream of 10 MB in the words of OpenAI, as long a text as a model
//! writes in hours, in pieces as a network brings them. It does not measure the way to JavaScript.

use std::hint::black_box;
use std::time::Instant;

use stepstream::llm::json::Tape;
use stepstream::llm::{Api, Decoder, Expectation};

const LENGTH: usize = 10 << 20;
const ROUNDS: usize = 9;

fn stream() -> Vec<u8> {
    let words =
        [" the", " quick", " brown", " fox", ",", " jumps", " over", "\\n", " \\\"lazy\\\"", " Hünde", " 🦀", "."];
    let mut stream = Vec::with_capacity(LENGTH + 4096);
    let mut at = 0;
    while stream.len() < LENGTH {
        let word = words[at % words.len()];
        at += 1;
        stream.extend_from_slice(
            format!(
                "data: {{\"id\":\"chatcmpl-D8Z5oo6uDh67AD85p73ksdT1KxhE0\",\"object\":\"chat.completion.chunk\",\"created\":1770933892,\
                 \"model\":\"gpt-4.1-nano-2025-04-14\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_de604bd877\",\
                 \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}},\"logprobs\":null,\"finish_reason\":null}}],\
                 \"usage\":null,\"obfuscation\":\"Qup1BsQ3\"}}\n\n"
            )
            .as_bytes(),
        );
    }
    stream.extend_from_slice(
        b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    );
    stream
}

/// The best of some rounds, in MB/s.
fn throughput(bytes: usize, mut work: impl FnMut()) -> f64 {
    let best = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            work();
            begin.elapsed()
        })
        .min()
        .expect("there are rounds");
    bytes as f64 / 1e6 / best.as_secs_f64()
}

fn main() {
    let stream = stream();
    let events = stream.iter().filter(|byte| **byte == b'\n').count() / 2;
    println!("{} bytes, {events} events", stream.len());
    for piece in [64, 1_400, 16_384, stream.len()] {
        let speed = throughput(stream.len(), || {
            let mut decoder = Decoder::new(Expectation::of(Api::Chat));
            for chunk in stream.chunks(piece) {
                decoder.push(chunk).expect("the stream is good");
                black_box(decoder.deltas().records().len());
                decoder.clear_deltas();
            }
            decoder.finish().expect("the stream is complete");
            black_box(decoder.response());
        });
        println!("decoder, pieces of {piece:>8} bytes: {speed:7.0} MB/s");
    }
    let text = String::from_utf8(stream).expect("the stream is UTF-8");
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: {")).collect();
    let documents: Vec<String> = lines.into_iter().map(|line| format!("{{{line}")).collect();
    let mut tape = Tape::default();
    let speed = throughput(text.len(), || {
        for document in &documents {
            black_box(tape.read(document).is_ok());
        }
    });
    println!("JSON alone, this crate's tape:  {speed:7.0} MB/s");
    let speed = throughput(text.len(), || {
        for document in &documents {
            black_box(serde_json::from_str::<serde_json::Value>(document).is_ok());
        }
    });
    println!("JSON alone, serde_json's tree:  {speed:7.0} MB/s");
}
