//! The reader (RFC 8259): one pass over the text records on a flat tape where each value begins and ends. The tape is
//! reused for the next text; strings are borrowed from the text unless they have escapes.

/// How deep a text may be nested.
const MAX_DEPTH: u32 = 128;
/// A text with more values is refused, so that a hostile response of `[[],[],[],…` cannot take a multiple of its
/// length.
const MAX_NODES: usize = 1 << 20;

use super::Value;

/// The text is not JSON, or nested more than 128 deep, or of more than a million values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Number,
    /// A string without escapes; the span is the text between the quotes.
    Plain,
    /// A string with escapes; the span is that of its value among the unescaped ones.
    Unescaped,
    Array,
    /// Keys and values alternate.
    Object,
}

#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) from: u32,
    pub(super) to: u32,
    /// The first node after this value.
    pub(super) after: u32,
}

/// The reader with its memory. One tape reads any number of texts, one at a time, and allocates only to grow.
///
/// ```
/// use stepstream::llm::json::Tape;
///
/// let mut tape = Tape::default();
/// let value = tape.read(r#"{"delta":{"content":"Hi","n":1e400}}"#).unwrap();
/// assert_eq!(value.at("delta").at("content").str(), Some("Hi"));
/// assert_eq!(value.at("delta").at("missing").str(), None);
/// assert_eq!(value.at("delta").raw(), Some(r#"{"content":"Hi","n":1e400}"#));
/// ```
#[derive(Default)]
pub struct Tape {
    pub(super) nodes: Vec<Node>,
    pub(super) unescaped: String,
}

impl Tape {
    /// Reads one text.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for anything that is not one complete value.
    pub fn read<'t>(&'t mut self, text: &'t str) -> Result<Value<'t>, Malformed> {
        self.nodes.clear();
        self.unescaped.clear();
        if u32::try_from(text.len()).is_err() {
            return Err(Malformed);
        }
        let mut reader = Reader { tape: self, text, at: 0 };
        reader.space();
        reader.value(0).ok_or(Malformed)?;
        reader.space();
        if reader.at < text.len() {
            return Err(Malformed);
        }
        Ok(Value::first(self, text))
    }
}

struct Reader<'a> {
    tape: &'a mut Tape,
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        // 0 is not valid JSON outside of strings, and strings are not read by `peek`.
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while let b' ' | b'\n' | b'\r' | b'\t' = self.peek() {
            self.at += 1;
        }
    }

    #[inline(never)]
    fn push(&mut self, kind: Kind, from: usize, to: usize) -> Option<usize> {
        let node = self.tape.nodes.len();
        if node >= MAX_NODES {
            return None;
        }
        self.tape.nodes.push(Node { kind, from: from as u32, to: to as u32, after: node as u32 + 1 });
        Some(node)
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        match self.peek() {
            b'"' => self.string(),
            open @ (b'{' | b'[') => self.nested(open, depth),
            b'n' => self.word("null", Kind::Null),
            b't' => self.word("true", Kind::True),
            b'f' => self.word("false", Kind::False),
            _ => self.number(),
        }
    }

    #[inline(never)]
    fn word(&mut self, word: &str, kind: Kind) -> Option<()> {
        let from = self.at;
        if !self.text.as_bytes()[from..].starts_with(word.as_bytes()) {
            return None;
        }
        self.at += word.len();
        self.push(kind, from, self.at).map(drop)
    }

    fn nested(&mut self, open: u8, depth: u32) -> Option<()> {
        if depth == MAX_DEPTH {
            return None;
        }
        let (kind, close) = if open == b'{' { (Kind::Object, b'}') } else { (Kind::Array, b']') };
        let from = self.at;
        let node = self.push(kind, from, from)?;
        self.at += 1;
        self.space();
        if self.peek() == close {
            self.at += 1;
        } else {
            loop {
                if open == b'{' {
                    if self.peek() != b'"' {
                        return None;
                    }
                    self.string()?;
                    self.space();
                    if self.peek() != b':' {
                        return None;
                    }
                    self.at += 1;
                    self.space();
                }
                self.value(depth + 1)?;
                self.space();
                let next = self.peek();
                self.at += 1;
                if next == close {
                    break;
                }
                if next != b',' {
                    return None;
                }
                self.space();
            }
        }
        let after = self.tape.nodes.len() as u32;
        let node = &mut self.tape.nodes[node];
        node.to = self.at as u32;
        node.after = after;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let from = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if let b'e' | b'E' = self.peek() {
            self.at += 1;
            if let b'+' | b'-' = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(Kind::Number, from, self.at).map(drop)
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    /// Advances to the next byte in a string that is not plain text.
    #[inline]
    fn plain(&mut self) {
        let bytes = self.text.as_bytes();
        // Eight bytes at a time: the highest bit of a byte is set if it is below 0x20 or equal to one of two bytes.
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = ONES << 7;
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        while let Some(chunk) = bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_le_bytes(*chunk);
            let quote = zero(word ^ (ONES * b'"' as u64));
            let escape = zero(word ^ (ONES * b'\\' as u64));
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            let found = (quote | escape | control) & HIGH;
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while bytes.get(self.at).is_some_and(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\') {
            self.at += 1;
        }
    }

    #[inline(never)]
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        let from = self.at;
        self.plain();
        if self.peek() == b'"' {
            self.at += 1;
            return self.push(Kind::Plain, from, self.at - 1).map(drop);
        }
        let start = self.tape.unescaped.len();
        let mut from = from;
        loop {
            self.tape.unescaped.push_str(self.text.get(from..self.at)?);
            match self.peek() {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
            from = self.at;
            self.plain();
        }
        self.at += 1;
        self.push(Kind::Unescaped, start, self.tape.unescaped.len()).map(drop)
    }

    fn escape(&mut self) -> Option<()> {
        self.at += 1;
        let byte = self.peek();
        self.at += 1;
        let meaning = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                // Half of a surrogate pair is no character. It becomes U+FFFD, as in JavaScript's encoder.
                match char::from_u32(first) {
                    Some(meaning) => meaning,
                    None => self.pair(first),
                }
            }
            _ => return None,
        };
        self.tape.unescaped.push(meaning);
        Some(())
    }

    /// The character of a surrogate pair whose first half was read.
    fn pair(&mut self, first: u32) -> char {
        let from = self.at;
        if first < 0xdc00 && self.text.as_bytes()[from..].starts_with(b"\\u") {
            self.at += 2;
            if let Some(second @ 0xdc00..=0xdfff) = self.unit() {
                let both = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER);
            }
        }
        self.at = from;
        char::REPLACEMENT_CHARACTER
    }

    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + char::from(self.peek()).to_digit(16)?;
            self.at += 1;
        }
        Some(unit)
    }
}
