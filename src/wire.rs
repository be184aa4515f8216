//! How numbers, texts and lists become bytes: the wire format of `postcard`
//! (<https://postcard.jamesmunns.com/wire-format>), written by hand.
//!
//! The crate itself, with serde's derived code, would add some 60 kB to what every visitor of a page downloads. This
//! module adds a tenth of that and writes the same bytes (`tests/wire.rs` compares them). Numbers are LEB128 varints;
//! lists and texts come after their length; a variant is its number.
//!
//! Nothing that is read is trusted: a length allocates nothing by itself, because every element has to be there.

/// Bytes being read. After the first mistake in them there are none left, and whatever is read is empty or zero; so who
/// reads a value asks once, at its end, whether it is one.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    is_wrong: bool,
}

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    pub fn new(rest: &'a [u8]) -> Reader<'a> {
        Reader { rest, is_wrong: false }
    }

    /// Whether what was read so far was something else.
    pub fn is_wrong(&self) -> bool {
        self.is_wrong
    }

    /// The bytes are something else.
    #[cold]
    #[inline(never)]
    fn refuse(&mut self) {
        (self.rest, self.is_wrong) = (&[], true);
    }

    #[inline(never)]
    fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => {
                self.refuse();
                0
            }
        }
    }

    /// A varint. One that is longer than it needs to be is refused, and so is a number that does not fit: each number
    /// has exactly one form.
    #[inline(never)]
    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 || shift > 0 && byte == 0 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return number;
            }
        }
        self.refuse();
        0
    }

    #[inline(never)]
    fn bytes(&mut self) -> &'a [u8] {
        let length = self.number();
        match usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length)) {
            Some((bytes, rest)) => {
                self.rest = rest;
                bytes
            }
            None => {
                self.refuse();
                &[]
            }
        }
    }

    /// A list whose members are read by `read`.
    #[inline(never)]
    pub fn list<T>(&mut self, read: fn(&mut Reader) -> T) -> Vec<T> {
        let mut list = Vec::new();
        for _ in 0..self.number() {
            if self.is_wrong {
                break;
            }
            list.push(read(self));
        }
        list
    }

    /// The number of one of so many variants.
    #[inline(never)]
    pub fn variant(&mut self, count: u32) -> u32 {
        let number = u32::get(self);
        if number < count {
            return number;
        }
        self.refuse();
        0
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
    /// Reads it. When the bytes are something else, the reader knows it, and the result means nothing.
    fn get(reader: &mut Reader) -> Self;
}

/// A value as bytes.
pub fn to_bytes(value: &impl Wire) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.put(&mut bytes);
    bytes
}

/// The opposite of [`to_bytes`]; `None` when the bytes are something else, also when some are left over.
pub fn from_bytes<T: Wire>(bytes: &[u8]) -> Option<T> {
    read(bytes, T::get)
}

/// As [`from_bytes`], of a value that is read by `read`.
pub fn read<T>(bytes: &[u8], read: fn(&mut Reader) -> T) -> Option<T> {
    let mut reader = Reader::new(bytes);
    let value = read(&mut reader);
    (!reader.is_wrong && reader.rest.is_empty()).then_some(value)
}

impl Wire for u64 {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, *self);
    }

    fn get(reader: &mut Reader) -> Self {
        reader.number()
    }
}

impl Wire for u32 {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, u64::from(*self));
    }

    #[inline(never)]
    fn get(reader: &mut Reader) -> Self {
        u32::try_from(reader.number()).unwrap_or_else(|_| {
            reader.refuse();
            0
        })
    }
}

impl Wire for bool {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    #[inline(never)]
    fn get(reader: &mut Reader) -> Self {
        let byte = reader.byte();
        if byte > 1 {
            reader.refuse();
        }
        byte == 1
    }
}

impl Wire for String {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_bytes(bytes, self.as_bytes());
    }

    #[inline(never)]
    fn get(reader: &mut Reader) -> Self {
        let text = core::str::from_utf8(reader.bytes());
        text.map(String::from).unwrap_or_else(|_| {
            reader.refuse();
            String::new()
        })
    }
}

impl Wire for Box<str> {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_bytes(bytes, self.as_bytes());
    }

    fn get(reader: &mut Reader) -> Self {
        String::get(reader).into_boxed_str()
    }
}

/// A list of bytes. A `Vec<u8>` would have the same form, but would be read number by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Wire for Bytes {
    fn put(&self, bytes: &mut Vec<u8>) {
        put_bytes(bytes, &self.0);
    }

    fn get(reader: &mut Reader) -> Self {
        Bytes(reader.bytes().to_vec())
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.is_some().put(bytes);
        if let Some(value) = self {
            value.put(bytes);
        }
    }

    fn get(reader: &mut Reader) -> Self {
        bool::get(reader).then(|| T::get(reader))
    }
}

impl<T: Wire> Wire for Vec<T> {
    #[inline(never)]
    fn put(&self, bytes: &mut Vec<u8>) {
        put_number(bytes, self.len() as u64);
        self.iter().for_each(|member| member.put(bytes));
    }

    fn get(reader: &mut Reader) -> Self {
        reader.list(T::get)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.0.put(bytes);
        self.1.put(bytes);
    }

    fn get(reader: &mut Reader) -> Self {
        (A::get(reader), B::get(reader))
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
            fn get(reader: &mut $crate::wire::Reader) -> Self {
                $name { $($field: $crate::wire::Wire::get(reader)),* }
            }
        }
    };
    ($name:ident ($field:ty)) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, bytes: &mut Vec<u8>) {
                self.0.put(bytes);
            }

            fn get(reader: &mut $crate::wire::Reader) -> Self {
                $name(<$field as $crate::wire::Wire>::get(reader))
            }
        }
    };
}

/// The form of an enum: the variant's number, then its fields in the order given. The numbers are those from 0 on.
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
            fn get(reader: &mut $crate::wire::Reader) -> Self {
                const COUNT: u32 = [$($number),*].len() as u32;
                match reader.variant(COUNT) {
                    $($number => {
                        $($(let $field = $crate::wire::Wire::get(reader);)*)?
                        $($(let $member = $crate::wire::Wire::get(reader);)*)?
                        $name::$variant $({ $($field),* })? $(( $($member),* ))?
                    })*
                    COUNT.. => unreachable!("the reader gives no other number"),
                }
            }
        }
    };
}

pub(crate) use {wire_enum, wire_struct};
