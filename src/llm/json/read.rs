//! Reading (RFC 8259): one pass over the text notes on a flat tape where each value begins and ends. The tape is used again for the next
//! text, and strings stay where they are unless they have escapes.

/// How deep a text may be nested.
const MAX_DEPTH: u32 = 128;
/// A text of more values than this is refused, so that a hostile answer of `[[],[],[],…` cannot ask for a multiple of its length.
const MAX_NODES: usize = 1 << 20;

/// The text is not JSON, or nested more than 128 deep, or of more than a million values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    True,
    False,
    Number,
    /// A string without escapes; the span is what is between the quotes.
    Plain,
    /// A string with escapes; the span is that of its meaning among the unescaped ones.
    Unescaped,
    Array,
    /// Keys and values follow in turn.
    Object,
}

#[derive(Clone, Copy)]
struct Node {
    kind: Kind,
    from: u32,
    to: u32,
    /// The first node after this value.
    after: u32,
}

/// The reader with its memory. One tape reads any number of texts, one at a time, and allocates only while it grows.
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
    nodes: Vec<Node>,
    unescaped: String,
}

impl Tape {
    /// Reads one text.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for whatever is not one whole value.
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
        Ok(Value { tape: self, text, node: 0 })
    }
}

struct Reader<'a> {
    tape: &'a mut Tape,
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        // 0 is no part of JSON outside of strings, and strings do not peek.
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

    /// Moves on to the next byte in a string that has a meaning of its own.
    #[inline(never)]
    fn plain(&mut self) {
        let bytes = self.text.as_bytes();
        // Eight bytes at a time: a byte below 0x20, or equal to one of two, shows in its highest bit.
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
                // Half of a pair alone is no character; it becomes U+FFFD, as where JavaScript encodes it.
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

    /// The character of a surrogate pair of which the first half has been read.
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

/// A value of the text that a tape has read, or nothing: every question about what is not there is answered `None`.
#[derive(Clone, Copy)]
pub struct Value<'t> {
    tape: &'t Tape,
    text: &'t str,
    /// Beyond the tape for a value that is not there.
    node: u32,
}

const NOWHERE: u32 = u32::MAX;

impl<'t> Value<'t> {
    fn node(self) -> Option<Node> {
        self.tape.nodes.get(self.node as usize).copied()
    }

    fn kind(self) -> Option<Kind> {
        self.node().map(|node| node.kind)
    }

    /// The member of that name, if this is an object and has one; of several, the first.
    #[must_use]
    #[inline(never)]
    pub fn at(self, key: &str) -> Value<'t> {
        let found = self.entries().find(|(name, _)| *name == key);
        found.map_or(Value { node: NOWHERE, ..self }, |(_, value)| value)
    }

    /// The text, if this is a string.
    #[must_use]
    #[inline(never)]
    pub fn str(self) -> Option<&'t str> {
        let node = self.node()?;
        let span = node.from as usize..node.to as usize;
        match node.kind {
            Kind::Plain => self.text.get(span),
            Kind::Unescaped => self.tape.unescaped.get(span),
            _ => None,
        }
    }

    /// The text if this is a string, otherwise an empty one.
    #[must_use]
    pub fn text(self) -> &'t str {
        self.str().unwrap_or_default()
    }

    /// The text, if this is a string that is not empty.
    #[must_use]
    pub fn filled(self) -> Option<&'t str> {
        self.str().filter(|text| !text.is_empty())
    }

    /// The text as a string of its own.
    #[must_use]
    #[inline(never)]
    pub fn string(self) -> Option<String> {
        self.str().map(str::to_owned)
    }

    /// The JSON of a value that is not a string, as it stands in the text.
    #[must_use]
    #[inline(never)]
    pub fn raw(self) -> Option<&'t str> {
        let node = self.node()?;
        match node.kind {
            Kind::Plain | Kind::Unescaped => None,
            _ => self.text.get(node.from as usize..node.to as usize),
        }
    }

    /// The number, if this is one that is whole, not negative and not too large.
    #[must_use]
    #[inline(never)]
    pub fn u64(self) -> Option<u64> {
        let number = decimal(self.number()?)?;
        // 2^53: above it, whole numbers have no exact form here.
        (number.trunc() == number && (0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
    }

    /// The text of the number, if this is one.
    #[must_use]
    pub fn number(self) -> Option<&'t str> {
        self.raw().filter(|_| self.kind() == Some(Kind::Number))
    }

    /// The truth value, if this is one.
    #[must_use]
    #[inline(never)]
    pub fn bool(self) -> Option<bool> {
        match self.kind()? {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// Whether there is a value that is not null.
    #[must_use]
    #[inline(never)]
    pub fn is_some(self) -> bool {
        !matches!(self.kind(), None | Some(Kind::Null))
    }

    /// Whether this is an object.
    #[must_use]
    #[inline(never)]
    pub fn is_object(self) -> bool {
        self.kind() == Some(Kind::Object)
    }

    /// Whether this is an array.
    #[must_use]
    #[inline(never)]
    pub fn is_array(self) -> bool {
        self.kind() == Some(Kind::Array)
    }

    fn inside(self, kind: Kind) -> Items<'t> {
        match self.node() {
            Some(node) if node.kind == kind => Items { next: Value { node: self.node + 1, ..self }, end: node.after },
            _ => Items { next: self, end: 0 },
        }
    }

    /// The items, if this is an array; none otherwise.
    #[must_use]
    pub fn items(self) -> Items<'t> {
        self.inside(Kind::Array)
    }

    /// The members in their order, if this is an object; none otherwise.
    pub fn entries(self) -> impl Iterator<Item = (&'t str, Value<'t>)> {
        let mut members = self.inside(Kind::Object);
        core::iter::from_fn(move || Some((members.next()?.str()?, members.next()?)))
    }
}

/// The items of an array.
#[derive(Clone)]
pub struct Items<'t> {
    next: Value<'t>,
    end: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        let item = self.next;
        if item.node >= self.end {
            return None;
        }
        self.next.node = item.node()?.after;
        Some(item)
    }
}

/// What a decimal number is worth: `12`, `-0.5`, `1e3`. Right to the last digit for what people and servers write (up to 15
/// digits, up to 22 places), otherwise nearly; without the tables that exactness in all cases takes.
///
/// ```
/// use stepstream::llm::json::decimal;
/// assert_eq!(decimal("-12.5e1"), Some(-125.0));
/// assert_eq!(decimal("soon"), None);
/// ```
#[must_use]
pub fn decimal(text: &str) -> Option<f64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mut mantissa, mut exponent, mut digits, mut fraction) = (0_u64, 0_i32, 0_u32, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                // Digits beyond the 18th only shift the others.
                if mantissa < 100_000_000_000_000_000 {
                    mantissa = mantissa * 10 + u64::from(byte - b'0');
                    exponent -= i32::from(fraction);
                } else {
                    exponent = exponent.saturating_add(i32::from(!fraction));
                }
            }
            b'.' if !fraction => fraction = true,
            b'e' | b'E' if digits > 0 => {
                let mut sign = 1;
                let (mut power, mut any) = (0_i32, false);
                for (at, byte) in bytes.by_ref().enumerate() {
                    match byte {
                        b'-' if at == 0 => sign = -1,
                        b'+' if at == 0 => {}
                        b'0'..=b'9' => {
                            any = true;
                            power = power.saturating_mul(10).saturating_add(i32::from(byte - b'0')).min(10_000);
                        }
                        _ => return None,
                    }
                }
                if !any {
                    return None;
                }
                exponent = exponent.saturating_add(sign * power);
            }
            _ => return None,
        }
    }
    if digits == 0 {
        return None;
    }
    let mut value = mantissa as f64;
    let mut power = 1.0;
    for _ in 0..exponent.unsigned_abs().min(700) {
        power *= 10.0;
    }
    if mantissa != 0 {
        value = if exponent < 0 { value / power } else { value * power };
    }
    Some(if negative { -value } else { value })
}
