//! Parses dates of HTTP.

use super::super::ascii::{cut, find, number};

/// Milliseconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7, the preferred
/// form). The two obsolete forms of that section are not parsed.
///
/// ```
/// use stepstream::llm::parse_http_date;
/// assert_eq!(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000.0));
/// assert_eq!(parse_http_date("tomorrow"), None);
/// ```
#[must_use]
pub fn parse_http_date(text: &str) -> Option<f64> {
    let (_, rest) = cut(text, b',');
    let (day, rest) = cut(rest.trim_ascii(), b' ');
    let (name, rest) = cut(rest, b' ');
    let (year, rest) = cut(rest, b' ');
    let (clock, zone) = cut(rest, b' ');
    let (hour, rest) = cut(clock, b':');
    let (minute, second) = cut(rest, b':');
    let within = |text: &str, from: i64, to: i64| number(text).map(|n| n as i64).filter(|n| (from..=to).contains(n));
    let month =
        find("JanFebMarAprMayJunJulAugSepOctNovDec", name).filter(|at| at % 3 == 0 && name.len() == 3)? as i64 / 3 + 1;
    let (day, year) = (within(day, 1, 31)?, within(year, 1970, 9999)?);
    let (hour, minute, second) = (within(hour, 0, 23)?, within(minute, 0, 59)?, within(second, 0, 60)?);
    if zone.trim_ascii_end() != "GMT" {
        return None;
    }
    // Days since 1970, by H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = y / 400;
    let year_of_era = y - era * 400;
    let day_of_year = (153 * m + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) as f64 * 1000.0)
}
