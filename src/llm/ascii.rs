//! Functions for text of which only ASCII matters: URLs, headers, names of errors.
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
