//! Parses server-sent events out of bytes that are cut anywhere, by the WHATWG HTML standard, section 9.2.6.
//!
//! There is no dependency for it, because no crate fits: `sse-parse` is in its first release and makes three strings of
//! every event; `russe`, `sse-codec` and `async-sse` need an asynchronous codec; `eventsource-stream` and `sseer` need
//! a `Stream`, and the former a parser generator. Here an event whose bytes are in one chunk, which is the usual case,
//! is returned without a copy.
//!
//! Two things differ from a browser's `EventSource`. `id:` and `retry:` are ignored, because these streams cannot be
//! resumed at an id. And the last event is returned even if the empty line after it is missing ([`SseReader::finish`]):
//! some servers leave it out, and the decoder recognises an incomplete event by its content.

use super::ascii::line_end;

/// The longest event, in bytes: large enough for a generated image in base64.
pub const MAX_EVENT: usize = 32 << 20;

const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];

/// An event is longer than [`MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTooLong;

/// Parses a stream of bytes into events.
///
/// ```
/// use stepstream::llm::sse::SseReader;
///
/// let mut reader = SseReader::new();
/// let mut chunk: &[u8] = b": hello\nda";
/// assert_eq!(reader.next_event(&mut chunk), Ok(None));
/// let mut chunk: &[u8] = b"ta: one\ndata: two\n\n";
/// assert_eq!(reader.next_event(&mut chunk), Ok(Some(&b"one\ntwo"[..])));
/// assert_eq!(reader.next_event(&mut chunk), Ok(None));
/// ```
#[derive(Debug, Default)]
pub struct SseReader {
    /// A line whose end has not arrived.
    line: Vec<u8>,
    /// The lines of data before it, as far as they could not be borrowed from the input.
    data: Vec<u8>,
    /// Whether the current event has data, which may be an empty line.
    has_data: bool,
    /// Whether `data` was returned, so that the next event clears it.
    lent: bool,
    /// Whether the last line ended with CR, so that a following LF belongs to it.
    after_cr: bool,
    /// How many bytes of a byte order mark have arrived; 3 when it is complete, or when there is none.
    bom: usize,
}

impl SseReader {
    /// A reader before the first byte.
    #[must_use]
    pub fn new() -> SseReader {
        SseReader::default()
    }

    /// Consumes the input up to the end of the next event, and returns the event's data; `None` when the input is
    /// consumed. The names of events are not returned: every provider repeats them in the data.
    ///
    /// # Errors
    ///
    /// [`EventTooLong`]; then the reader must not be used any more.
    pub fn next_event<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Result<Option<&'a [u8]>, EventTooLong> {
        if core::mem::take(&mut self.lent) {
            self.data.clear();
        }
        self.skip_bom(input);
        // The event's data, as long as it is one complete line of the input.
        let mut whole: Option<&'i [u8]> = None;
        loop {
            if self.after_cr && !input.is_empty() {
                self.after_cr = false;
                if input[0] == b'\n' {
                    *input = &input[1..];
                }
            }
            let Some(end) = line_end(input) else {
                if self.line.len() + self.data.len() + input.len() > MAX_EVENT {
                    return Err(EventTooLong);
                }
                self.line.extend_from_slice(input);
                *input = &[];
                self.data.extend_from_slice(whole.unwrap_or_default());
                return Ok(None);
            };
            let piece = &input[..end];
            self.after_cr = input[end] == b'\r';
            *input = &input[end + 1..];

            let kept = !self.line.is_empty();
            if kept {
                self.line.extend_from_slice(piece);
            }
            let line = if kept { &self.line[..] } else { piece };
            if line.is_empty() {
                if core::mem::take(&mut self.has_data) {
                    self.lent = true;
                    return Ok(Some(whole.unwrap_or(&self.data)));
                }
                continue;
            }
            if let Some(value) = data_of(line) {
                if self.data.len() + whole.map_or(0, <[u8]>::len) + value.len() > MAX_EVENT {
                    return Err(EventTooLong);
                }
                if self.has_data {
                    self.data.extend_from_slice(whole.take().unwrap_or_default());
                    self.data.push(b'\n');
                    self.data.extend_from_slice(value);
                } else if kept {
                    self.data.extend_from_slice(value);
                } else {
                    // `value` is the end of `piece`, which lives as long as the input.
                    whole = Some(&piece[piece.len() - value.len()..]);
                }
                self.has_data = true;
            }
            self.line.clear();
        }
    }

    /// Ends the input, and returns the data of an event whose end did not arrive.
    ///
    /// # Errors
    ///
    /// [`EventTooLong`].
    pub fn finish(&mut self) -> Result<Option<&[u8]>, EventTooLong> {
        self.after_cr = false;
        let mut rest: &[u8] = b"\n\n";
        self.next_event(&mut rest)
    }

    fn skip_bom(&mut self, input: &mut &[u8]) {
        while self.bom < BOM.len() {
            match input.first() {
                None => return,
                Some(byte) if *byte == BOM[self.bom] => {
                    *input = &input[1..];
                    self.bom += 1;
                }
                Some(_) => {
                    self.line.extend_from_slice(&BOM[..self.bom]);
                    self.bom = BOM.len();
                }
            }
        }
    }
}

/// The value of a line of the field `data`, without the one space before it.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data")? {
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        [] => Some(&[]),
        _ => None,
    }
}
