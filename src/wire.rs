//! How numbers, texts and lists become bytes: the wire format of `postcard`
//! (<https://postcard.jamesmunns.com/wire-format>), written by hand.
//!
//! The crate itself, with serde's derived code, would add some 60 kB to what every visitor of a page downloads. This
//! module adds a tenth of that and writes the same bytes (`tests/wire.rs` compares them). Numbers are LEB128 varints;
//! lists and texts come after their length; a variant is its number.
//!
//! Nothing that is read is trusted: a length allocates nothing by itself, because every element has to be there.

/// Bytes being read.
#[derive(Clone, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    #[inline(never)]
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A varint. One that is longer than it needs to be is refused, and so is a number that does not fit: each number
    /// has exactly one form.
    #[inline(never)]
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 || shift > 0 && byte == 0 {
                return None;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    #[inline(never)]
    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[inline(never)]
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[inline(never)]
fn put_bytes(bytes: &mut Vec<u8>, content: &[u8]) {
    put_number(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}

/// What can be written as bytes and read back.
pub trait Wire: Sized {
    /// Appends it.
    fn put(&self, bytes: &mut Vec<u8>);
    /// Reads it; `None` when the bytes are something else.
    fn get(reader: &mut Reader) -> Option<Self>;
}

/// A value as bytes.
pub fn to_bytes(value: &impl Wire) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.put(&mut bytes);
    bytes
}

/// The opposite of [`to_bytes`]; `None` also when bytes are left over.
pub fn from_bytes<T: Wire>(bytes: &[u8]) -> Option<T> {
    let mut reader = Reader(bytes);
    let value = T::get(&mut reader)?;
    reader.0.is_empty().then_some(value)
}

impl Wire for u64 {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, *self);
    }

    fn get(reader: &mut Reader) -> Option<Self> {
        reader.number()
    }
}

impl Wire for u32 {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, u64::from(*self));
    }

    fn get(reader: &mut Reader) -> Option<Self> {
        u32::try_from(reader.number()?).ok()
    }
}

impl Wire for bool {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    fn get(reader: &mut Reader) -> Option<Self> {
        match reader.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Wire for String {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_bytes(bytes, self.as_bytes());
    }

    #[inline(never)]
    fn get(reader: &mut Reader) -> Option<Self> {
        core::str::from_utf8(reader.bytes()?).ok().map(String::from)
    }
}

impl Wire for Box<str> {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_bytes(bytes, self.as_bytes());
    }

    fn get(reader: &mut Reader) -> Option<Self> {
        String::get(reader).map(String::into_boxed_str)
    }
}

/// A list of bytes. A `Vec<u8>` would have the same form, but would be read number by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Wire for Bytes {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_bytes(bytes, &self.0);
    }

    fn get(reader: &mut Reader) -> Option<Self> {
        reader.bytes().map(|bytes| Bytes(bytes.to_vec()))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.is_some().put(bytes);
        if let Some(value) = self {
            value.put(bytes);
        }
    }

    fn get(reader: &mut Reader) -> Option<Self> {
        if bool::get(reader)? { T::get(reader).map(Some) } else { Some(None) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    #[inline(never)]
    fn put(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, self.len() as u64);
        self.iter().for_each(|member| member.put(bytes));
    }

    #[inline(never)]
    fn get(reader: &mut Reader) -> Option<Self> {
        let mut list = Vec::new();
        for _ in 0..reader.number()? {
            list.push(T::get(reader)?);
        }
        Some(list)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.0.put(bytes);
        self.1.put(bytes);
    }

    fn get(reader: &mut Reader) -> Option<Self> {
        Some((A::get(reader)?, B::get(reader)?))
    }
}

/// The form of a struct: its fields in the order given.
macro_rules! wire_struct {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            #[inline(never)]
            fn put(&self, bytes: &mut Vec<u8>) {
                $(self.$field.put(bytes);)*
            }

            #[inline(never)]
            fn get(reader: &mut $crate::wire::Reader) -> Option<Self> {
                Some($name { $($field: $crate::wire::Wire::get(reader)?),* })
            }
        }
    };
    ($name:ident ($field:ty)) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, bytes: &mut Vec<u8>) {
                self.0.put(bytes);
            }

            fn get(reader: &mut $crate::wire::Reader) -> Option<Self> {
                <$field as $crate::wire::Wire>::get(reader).map($name)
            }
        }
    };
}

/// The form of an enum: the variant's number, then its fields in the order given.
macro_rules! wire_enum {
    ($name:ident { $($number:literal => $variant:ident $({ $($field:ident),* })? $(( $($member:ident),* ))?),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            #[inline(never)]
            fn put(&self, bytes: &mut Vec<u8>) {
                match self {
                    $($name::$variant $({ $($field),* })? $(( $($member),* ))? => {
                        bytes.push($number);
                        $($($field.put(bytes);)*)?
                        $($($member.put(bytes);)*)?
                    })*
                }
            }

            #[inline(never)]
            fn get(reader: &mut $crate::wire::Reader) -> Option<Self> {
                Some(match <u32 as $crate::wire::Wire>::get(reader)? {
                    $($number => {
                        $($(let $field = $crate::wire::Wire::get(reader)?;)*)?
                        $($(let $member = $crate::wire::Wire::get(reader)?;)*)?
                        $name::$variant $({ $($field),* })? $(( $($member),* ))?
                    })*
                    _ => return None,
                })
            }
        }
    };
}

pub(crate) use {wire_enum, wire_struct};
