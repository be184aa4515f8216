//! Functions for text of which only ASCII matters: URLs, headers, names of errors, ends of lines.
//!
//! The functions of the standard library are for all of Unicode and for all types. With their tables and the formatting
//! code they would be a fifth of this module's download.

/// The position of `needle`, ignoring case.
#[inline(never)]
pub(super) fn find(text: &str, needle: &str) -> Option<usize> {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    (0..=text.len().checked_sub(needle.len())?).find(|at| text[*at..*at + needle.len()].eq_ignore_ascii_case(needle))
}

/// The parts before and after the first `mark`, which is one byte; without one, everything and nothing.
#[inline(never)]
pub(super) fn cut(text: &str, mark: u8) -> (&str, &str) {
    let at = text.bytes().position(|byte| byte == mark).unwrap_or(text.len());
    (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default())
}

/// The position of the first CR or LF.
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Eight bytes at a time: the highest bit of the first byte that is zero is set. WebAssembly has words of that size,
    // although its addresses have half of it.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let found = zero(word ^ (ONES * b'\n' as u64)) | zero(word ^ (ONES * b'\r' as u64));
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    bytes.get(at..)?.iter().position(|byte| matches!(byte, b'\n' | b'\r')).map(|rest| at + rest)
}

/// Appends a number in decimal.
#[inline(never)]
pub(super) fn push_number(mut number: u64, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    digits[at..].iter().for_each(|digit| out.push(char::from(*digit)));
}

/// The number, if the text is nothing but a few digits.
#[inline(never)]
pub(super) fn number(text: &str) -> Option<u64> {
    let fits = !text.is_empty() && text.len() < 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.bytes().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}
