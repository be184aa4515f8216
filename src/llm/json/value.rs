//! Reads values: they borrow from the tape and the text.

use super::read::{Kind, Node, Tape};

/// A value of the text that a tape has read, or a missing one, whose members are missing too.
#[derive(Clone, Copy)]
pub struct Value<'t> {
    tape: &'t Tape,
    text: &'t str,
    /// Beyond the end of the tape for a missing value.
    node: u32,
}

const NOWHERE: u32 = u32::MAX;

impl<'t> Value<'t> {
    /// The outermost value.
    pub(super) fn first(tape: &'t Tape, text: &'t str) -> Value<'t> {
        Value { tape, text, node: 0 }
    }

    fn node(self) -> Option<Node> {
        self.tape.nodes.get(self.node as usize).copied()
    }

    fn kind(self) -> Option<Kind> {
        self.node().map(|node| node.kind)
    }

    /// The member of that name, if this is an object that has one; of several, the first.
    #[must_use]
    #[inline(never)]
    pub fn at(self, key: &str) -> Value<'t> {
        let missing = Value { node: NOWHERE, ..self };
        let Some(object) = self.node().filter(|node| node.kind == Kind::Object) else { return missing };
        let mut name = self.node + 1;
        while name < object.after {
            let (Some(node), Some(value)) =
                (self.tape.nodes.get(name as usize), self.tape.nodes.get(name as usize + 1))
            else {
                return missing;
            };
            // Each event of a stream asks for a dozen members, and most names differ in length already.
            if (node.to - node.from) as usize == key.len() {
                let texts = if node.kind == Kind::Plain { self.text } else { &self.tape.unescaped };
                if texts.as_bytes().get(node.from as usize..node.to as usize) == Some(key.as_bytes()) {
                    return Value { node: name + 1, ..self };
                }
            }
            name = value.after;
        }
        missing
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

    /// The text if this is a string, otherwise empty.
    #[must_use]
    pub fn text(self) -> &'t str {
        self.str().unwrap_or_default()
    }

    /// The text, if this is a string and not empty.
    #[must_use]
    pub fn filled(self) -> Option<&'t str> {
        self.str().filter(|text| !text.is_empty())
    }

    /// The text as an owned string.
    #[must_use]
    #[inline(never)]
    pub fn string(self) -> Option<String> {
        self.str().map(str::to_owned)
    }

    /// The JSON of a value that is not a string, as it is in the text.
    #[must_use]
    #[inline(never)]
    pub fn raw(self) -> Option<&'t str> {
        let node = self.node()?;
        match node.kind {
            Kind::Plain | Kind::Unescaped => None,
            _ => self.text.get(node.from as usize..node.to as usize),
        }
    }

    /// The number, if it is whole, not negative and below 2^53.
    #[must_use]
    #[inline(never)]
    pub fn u64(self) -> Option<u64> {
        let number = decimal(self.number()?)?;
        // 2^53: larger whole numbers have no exact form in an f64.
        (number.trunc() == number && (0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
    }

    /// The text of the number, if this is one.
    #[must_use]
    pub fn number(self) -> Option<&'t str> {
        self.raw().filter(|_| self.kind() == Some(Kind::Number))
    }

    /// The boolean, if this is one.
    #[must_use]
    #[inline(never)]
    pub fn bool(self) -> Option<bool> {
        match self.kind()? {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// Whether the value exists and is not null.
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

    /// The members in order, if this is an object; none otherwise.
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

/// The value of a decimal number: `12`, `-0.5`, `1e3`. Exact for what people and servers write (up to 15 digits, up to
/// 22 places), otherwise approximate: being exact in all cases needs large tables.
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
                // Digits after the 18th only shift the others.
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
