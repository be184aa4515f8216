//! What work costs: time on the processor, which does not pass while other programs have it. A busy machine must not
//! fail a test.

use std::fs;
use std::time::{Duration, Instant};

/// The processor time of this thread so far. Linux reports it; elsewhere it takes a dependency.
fn on_processor() -> Option<Duration> {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(schedstat.split_whitespace().next()?.parse().ok()?))
}

/// Does something, and gives what came of it with the processor time that it took. Where there is none, it is the time
/// that passed.
pub fn cost_of<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let (begin, before) = (Instant::now(), on_processor());
    let result = work();
    let passed = begin.elapsed();
    let spent = before.zip(on_processor()).map_or(passed, |(before, after)| after.saturating_sub(before));
    (result, spent)
}
