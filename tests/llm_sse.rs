//! The framing of events, against the WHATWG standard: its examples, its corner cases, and a slow reader that follows its text word by word.

use proptest::prelude::*;
use stepstream::llm::sse::{EventTooLong, MAX_EVENT, SseReader};

/// What a reader gives for bytes in pieces; the event that is offered at the end comes last.
fn read(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut reader = SseReader::new();
    let mut events = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while let Some(data) = reader.next_event(&mut rest).expect("short events") {
            events.push(data.to_vec());
        }
        assert!(rest.is_empty(), "the input is used up");
    }
    events.extend(reader.finish().expect("short events").map(<[u8]>::to_vec));
    events
}

fn texts(stream: &str) -> Vec<String> {
    read(&[stream.as_bytes()]).into_iter().map(|data| String::from_utf8(data).expect("text in, text out")).collect()
}

/// The standard's own steps, on the whole text at once. The unfinished event is dispatched too, which is where this reader differs.
fn by_the_book(stream: &[u8]) -> Vec<Vec<u8>> {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let mut lines = vec![Vec::new()];
    let mut at = 0;
    while at < stream.len() {
        match stream[at] {
            b'\r' | b'\n' => {
                if stream[at..].starts_with(b"\r\n") {
                    at += 1;
                }
                lines.push(Vec::new());
            }
            byte => lines.last_mut().expect("there is a line").push(byte),
        }
        at += 1;
    }
    lines.push(Vec::new());
    let (mut events, mut data) = (Vec::new(), Vec::new());
    for line in lines {
        if line.is_empty() {
            if data.pop().is_some() {
                events.push(std::mem::take(&mut data));
            }
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        if &line[..colon] == b"data" {
            let value = line.get(colon + 1..).unwrap_or_default();
            data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            data.push(b'\n');
        }
    }
    events
}

#[test]
fn the_examples_of_the_standard() {
    assert_eq!(texts("data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
    assert_eq!(
        texts(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
        ["first event", "second event", " third event"]
    );
    assert_eq!(texts("data\n\ndata\ndata\n\ndata:\n\n"), ["", "\n", ""]);
    assert_eq!(texts("data:test\n\ndata: test\n\n"), ["test", "test"]);
}

#[test]
fn fields_that_only_look_like_data() {
    assert_eq!(texts("database: x\ndata : y\n data: z\nDATA: w\n:data: v\n\ndata: yes\n\n"), ["yes"]);
}

#[test]
fn a_mark_counts_only_at_the_start() {
    assert_eq!(texts("\u{feff}data: a\n\n\u{feff}data: b\n\n"), ["a"]);
    assert_eq!(texts("\u{feff}\u{feff}data: a\n\n"), Vec::<String>::new());
    let pieces: [&[u8]; 4] = [b"\xef", b"\xbb", b"\xbf", b"data: a\n\n"];
    assert_eq!(read(&pieces), [b"a"]);
    let pieces: [&[u8]; 3] = [b"\xef", b"data: a\n", b"data: b\n\n"];
    assert_eq!(read(&pieces), [b"b"]);
}

#[test]
fn the_end_of_a_line_may_be_cut_in_two() {
    let pieces: [&[u8]; 4] = [b"data: a\r", b"\ndata: b\r", b"\n\r", b"\ndata: c\r\r"];
    assert_eq!(read(&pieces), [&b"a\nb"[..], b"c"]);
}

#[test]
fn an_event_has_a_longest_length() {
    let mut reader = SseReader::new();
    let line = vec![b'x'; 1 << 20];
    let mut taken = 0;
    let mut first: &[u8] = b"data: ";
    assert_eq!(reader.next_event(&mut first), Ok(None));
    loop {
        let mut piece = &line[..];
        match reader.next_event(&mut piece) {
            Ok(None) => taken += line.len(),
            Ok(Some(_)) => panic!("the event has no end"),
            Err(EventTooLong) => break,
        }
    }
    assert!((MAX_EVENT - (2 << 20)..=MAX_EVENT).contains(&taken), "{taken}");

    let mut reader = SseReader::new();
    let lines = b"data: 0123456789\n".repeat(MAX_EVENT / 10);
    assert_eq!(reader.next_event(&mut &lines[..]), Err(EventTooLong), "many lines count together");
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "data:? ?[a-z:é🦀 ]{0,6}",
        Just(String::new()),
        Just(String::new()),
        ": ?[a-z]{0,3}",
        "(event|id|retry|dat|datas): ?[a-z0-9]{0,3}",
        "[\u{feff}a-z: ]{0,4}",
    ]
}

proptest! {
    #[test]
    fn agrees_with_the_book_however_it_is_cut(
        lines in prop::collection::vec((line(), prop_oneof!["\n", "\r", "\r\n"]), 0..20),
        mark in any::<bool>(),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut stream = String::from(if mark { "\u{feff}" } else { "" });
        stream.extend(lines.into_iter().flat_map(|(line, end)| [line, end]));
        let bytes = stream.as_bytes();
        let mut places: Vec<usize> = cuts.drain(..).map(|cut| cut.index(bytes.len() + 1)).collect();
        places.sort_unstable();
        let (mut pieces, mut from) = (Vec::new(), 0);
        for to in places.into_iter().chain([bytes.len()]) {
            pieces.push(&bytes[from..to]);
            from = to;
        }
        prop_assert_eq!(read(&pieces), by_the_book(bytes));
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"data: \r\n\n\xef\xbb\xbf".to_vec())], 0..200)) {
        prop_assert_eq!(read(&[&bytes]), by_the_book(&bytes));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(read(&single), by_the_book(&bytes));
    }
}

#[test]
fn no_byte_but_cr_and_lf_ends_a_line_wherever_it_is() {
    for byte in 0..=u8::MAX {
        for at in 0..20 {
            let mut stream = b"data: abcdefghijklmnopqrst\n\n".to_vec();
            stream[6 + at] = byte;
            assert_eq!(read(&[&stream]), by_the_book(&stream), "the byte {byte} at {at}");
        }
    }
}
