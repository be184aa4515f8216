//! Whether and when a request is sent again.

use super::super::error::LlmError;
use super::super::json::decimal;
use super::{CallOptions, Head, parse_http_date};
use crate::error::Code;
use crate::random::unit;
use crate::time::Millis;

/// How long the provider asks to wait.
pub(super) fn asked(head: &Head<'_>) -> Option<Millis> {
    let number = |text: &str| decimal(text.trim_ascii()).filter(|number| *number >= 0.0);
    if let Some(ms) = head.retry_after_ms.and_then(number) {
        return Some(Millis::from_f64(ms));
    }
    let text = head.retry_after?;
    let ms =
        number(text).map(|seconds| seconds * 1000.0).or_else(|| parse_http_date(text).map(|at| at - head.wall_ms))?;
    Some(Millis::from_f64(ms.max(0.0)))
}

/// Whether the same request may succeed later.
pub(super) fn is_worth(error: &LlmError, should_retry: Option<bool>) -> bool {
    let by_code = match error.code {
        Code::LlmNetwork | Code::LlmTimeout | Code::LlmRateLimit | Code::LlmServer | Code::LlmStreamCut => true,
        Code::LlmQuota => false,
        _ => matches!(error.status, Some(408 | 409 | 429 | 500..)),
    };
    should_retry.unwrap_or(by_code)
}

/// Whether the response broke off, and was not refused or wrong.
pub(super) fn is_break(error: &LlmError) -> bool {
    matches!(
        error.code,
        Code::LlmNetwork | Code::LlmTimeout | Code::LlmStreamCut | Code::LlmServer | Code::LlmStreamError
    )
}

/// The wait after that many requests: a random time between 0 and a bound that doubles each time.
pub(super) fn backoff(options: &CallOptions, attempts: u32) -> Millis {
    let doubled =
        options.base_backoff.0.saturating_mul(1_u64.checked_shl(attempts.saturating_sub(1)).unwrap_or(u64::MAX));
    let bound = doubled.min(options.max_backoff.0);
    Millis::from_f64(bound as f64 * unit(options.seed, u64::from(attempts)))
}
