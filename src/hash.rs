//! The one hash of the project: FNV-1a, 64 bits (G. Fowler, L. Noll, P. Vo; IETF RFC 9923).
//!
//! It distinguishes workflows, seeds jitter, and detects damage: every step of it is a bijection, so a change of a
//! single byte always shows. It does not protect against an attacker; sealing does that.

/// A hash in the making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) const fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in some bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }

    /// Takes in a text so that neighbouring texts cannot run together.
    pub(crate) fn write_str(&mut self, text: &str) {
        self.write(&(text.len() as u32).to_le_bytes());
        self.write(text.as_bytes());
    }

    pub(crate) const fn finish(self) -> u64 {
        self.0
    }
}

/// The hash of some bytes.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    let mut hash = Fnv::new();
    hash.write(bytes);
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fnv_1a() {
        // Vectors of the authors.
        assert_eq!(fnv(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn neighbouring_texts_do_not_run_together() {
        let of = |texts: &[&str]| {
            let mut hash = Fnv::new();
            texts.iter().for_each(|text| hash.write_str(text));
            hash.finish()
        };
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    }
}
