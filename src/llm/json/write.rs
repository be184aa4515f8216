//! The writer: appends text in the order of the calls, without building a tree.
//!
//! The order matters: providers cache prompts by their leading bytes, so the same request must give the same body.

use super::super::ascii::push_number;
use super::{Malformed, Tape, Value};

/// A JSON text that is being written. Commas are added automatically; brackets must be closed by the caller.
///
/// ```
/// use stepstream::llm::json::Writer;
///
/// let mut body = Writer::default();
/// body.open('{').text("model", "m").key("stop").open('[').string("\n").close(']').close('}');
/// assert_eq!(body.finish(), r#"{"model":"m","stop":["\n"]}"#);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: String,
}

impl Writer {
    /// The text.
    #[must_use]
    pub fn finish(self) -> String {
        self.out
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// A comma before a value, unless it is the first one or has a key.
    #[inline(never)]
    fn comma(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(',');
        }
    }

    /// Opens an object with `{`, an array with `[`.
    #[inline(never)]
    pub fn open(&mut self, bracket: char) -> &mut Writer {
        self.comma();
        self.out.push(bracket);
        self
    }

    /// Closes an object or an array.
    #[inline(never)]
    pub fn close(&mut self, bracket: char) -> &mut Writer {
        self.out.push(bracket);
        self
    }

    /// The key of the next member.
    #[inline(never)]
    pub fn key(&mut self, key: &str) -> &mut Writer {
        self.string(key);
        self.out.push(':');
        self
    }

    /// A string.
    #[inline(never)]
    pub fn string(&mut self, text: &str) -> &mut Writer {
        self.comma();
        quote(text, &mut self.out);
        self
    }

    /// JSON that is copied: values separated by commas. Nothing, if it is empty.
    #[inline(never)]
    pub fn raw(&mut self, json: &str) -> &mut Writer {
        if !json.is_empty() {
            self.comma();
            self.out.push_str(json);
        }
        self
    }

    /// A member that is a string.
    #[inline(never)]
    pub fn text(&mut self, key: &str, text: &str) -> &mut Writer {
        self.key(key).string(text)
    }

    /// A member that is JSON already; left out if that is empty.
    #[inline(never)]
    pub fn member(&mut self, key: &str, json: &str) -> &mut Writer {
        if !json.is_empty() {
            self.key(key).raw(json);
        }
        self
    }

    /// A member that is a whole number, if there is one.
    #[inline(never)]
    pub fn number(&mut self, key: &str, number: Option<u64>) -> &mut Writer {
        if let Some(number) = number {
            push_number(number, &mut self.key(key).out);
        }
        self
    }

    /// A member that is a boolean, if it is given.
    #[inline(never)]
    pub fn flag(&mut self, key: &str, flag: Option<bool>) -> &mut Writer {
        if let Some(flag) = flag {
            self.key(key).raw(if flag { "true" } else { "false" });
        }
        self
    }
}

/// Merges the members of one object into another: objects on both sides are merged, other members are replaced.
///
/// ```
/// use stepstream::llm::json::merge;
/// assert_eq!(merge(r#"{"a":{"b":1},"c":2}"#, r#"{"a":{"d":1.50},"c":[]}"#).unwrap(),
/// r#"{"a":{"b":1,"d":1.50},"c":[]}"#);
/// ```
///
/// # Errors
///
/// [`Malformed`] if one of the two is not JSON.
pub fn merge(base: &str, over: &str) -> Result<String, Malformed> {
    let (mut base_tape, mut over_tape) = (Tape::default(), Tape::default());
    let mut writer = Writer::default();
    write_merged(base_tape.read(base)?, over_tape.read(over)?, &mut writer);
    Ok(writer.finish())
}

fn write_merged(base: Value<'_>, over: Value<'_>, writer: &mut Writer) {
    if !(base.is_object() && over.is_object()) {
        write_value(over, writer);
        return;
    }
    writer.open('{');
    for (key, value) in base.entries() {
        writer.key(key);
        match over.entries().find(|(name, _)| *name == key) {
            Some((_, stronger)) => write_merged(value, stronger, writer),
            None => write_value(value, writer),
        }
    }
    for (key, value) in over.entries() {
        if base.entries().all(|(name, _)| name != key) {
            writer.key(key);
            write_value(value, writer);
        }
    }
    writer.close('}');
}

fn write_value(value: Value<'_>, writer: &mut Writer) {
    match value.raw() {
        Some(json) => writer.raw(json),
        None => writer.string(value.text()),
    };
}

/// Appends a string with quotes and escapes.
#[inline(never)]
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..0x20 => 0,
            _ => continue,
        };
        out.push_str(text.get(from..at).unwrap_or_default());
        from = at + 1;
        out.push('\\');
        if short == 0 {
            out.push_str("u00");
            out.push(if byte < 16 { '0' } else { '1' });
            out.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        } else {
            out.push(char::from(short));
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.push('"');
}
