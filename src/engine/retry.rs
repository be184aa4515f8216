//! Retry policies: data that says how long to wait before the next attempt and when to stop.
//!
//! A policy is built of strategies that compose, as in Python's `tenacity`. Conditions ("retry only on this kind of
//! error") look at error objects, which the host has, so the host evaluates them and passes the result with the
//! failure. Everything here is a function of the attempt, the time and the run's seed: a replay decides the same.

use super::ids::Millis;
use crate::error::Code;
use crate::random::unit;

/// How long to wait before the next attempt.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Wait {
    /// Always the same.
    Fixed(Millis),
    /// `initial * factor^(attempt - 1)`, at most `max`.
    Exponential {
        /// Before the second attempt.
        initial: Millis,
        /// What each further wait is multiplied by.
        factor: f64,
        /// The longest wait.
        max: Millis,
    },
    /// `initial + step * (attempt - 1)`, at most `max`.
    Incrementing {
        /// Before the second attempt.
        initial: Millis,
        /// What each further wait is longer by.
        step: Millis,
        /// The longest wait.
        max: Millis,
    },
    /// Anywhere between the two, evenly.
    Random {
        /// The shortest wait.
        min: Millis,
        /// The longest wait.
        max: Millis,
    },
    /// Anywhere between 0 and what `Exponential` would give ("full jitter", AWS Architecture Blog, 2015).
    FullJitter {
        /// The upper end before the second attempt.
        initial: Millis,
        /// What each further upper end is multiplied by.
        factor: f64,
        /// The highest upper end.
        max: Millis,
    },
    /// Anywhere between `min` and what `Exponential` would give; the upper end is at least `min`.
    RandomExponential {
        /// The upper end before the second attempt.
        initial: Millis,
        /// What each further upper end is multiplied by.
        factor: f64,
        /// The shortest wait.
        min: Millis,
        /// The highest upper end.
        max: Millis,
    },
    /// What `Exponential` would give and up to `jitter` more, together at most `max`.
    ExponentialJitter {
        /// Before the second attempt.
        initial: Millis,
        /// What each further wait is multiplied by.
        factor: f64,
        /// The longest wait.
        max: Millis,
        /// The most that is added.
        jitter: Millis,
    },
    /// One strategy for each attempt in turn; the last is used for all further ones.
    Chain(Vec<Wait>),
    /// All of them together, one after the other.
    Sum(Vec<Wait>),
}

/// When to stop trying.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// Never.
    Never,
    /// When this many attempts were made.
    Attempts(u32),
    /// When this much time has gone by since the first attempt began.
    Delay(Millis),
    /// When this much time would have gone by at the end of the next wait.
    BeforeDelay(Millis),
    /// When any of them says so.
    Any(Vec<Stop>),
    /// When all of them say so. Of an empty list: never.
    All(Vec<Stop>),
}

/// A step's retry policy.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// How long to wait before the next attempt.
    pub wait: Wait,
    /// When to stop trying.
    pub stop: Stop,
}

fn exponential(initial: Millis, factor: f64, max: Millis, attempt: u32) -> f64 {
    let mut delay = initial.0 as f64;
    let max = max.0 as f64;
    // A plain loop rather than `powi`, whose last bits may differ between machines. More growth than that exceeds every
    // limit.
    for _ in 1..attempt.min(1 << 16) {
        if delay >= max || factor == 1.0 {
            break;
        }
        delay *= factor;
        if delay < 0.5 {
            return 0.0;
        }
    }
    delay.min(max)
}

impl Wait {
    /// The wait after `attempt` attempts (1 or more) have failed. `salt` distinguishes draws.
    #[must_use]
    pub fn delay(&self, attempt: u32, seed: u64, salt: u64) -> Millis {
        match self {
            Wait::Fixed(delay) => *delay,
            Wait::Exponential { initial, factor, max } => {
                Millis::from_f64(exponential(*initial, *factor, *max, attempt))
            }
            Wait::Incrementing { initial, step, max } => {
                let grown = step.0.saturating_mul(u64::from(attempt.saturating_sub(1)));
                initial.after(Millis(grown)).min(*max)
            }
            Wait::Random { min, max } => {
                let span = max.since(*min).0 as f64;
                min.after(Millis((unit(seed, salt) * span) as u64))
            }
            Wait::FullJitter { initial, factor, max } => {
                Millis((unit(seed, salt) * exponential(*initial, *factor, *max, attempt)) as u64)
            }
            Wait::RandomExponential { initial, factor, min, max } => {
                let span = (exponential(*initial, *factor, *max, attempt) - min.0 as f64).max(0.0);
                min.after(Millis((unit(seed, salt) * span) as u64))
            }
            Wait::ExponentialJitter { initial, factor, max, jitter } => {
                let grown = Millis::from_f64(exponential(*initial, *factor, *max, attempt));
                grown.after(Millis((unit(seed, salt) * jitter.0 as f64) as u64)).min(*max)
            }
            Wait::Chain(waits) => {
                let nth = (attempt.saturating_sub(1) as usize).min(waits.len().saturating_sub(1));
                waits.get(nth).map_or(Millis(0), |wait| wait.delay(attempt, seed, salt))
            }
            Wait::Sum(waits) => waits
                .iter()
                .zip(1u64..)
                .fold(Millis(0), |sum, (wait, nth)| sum.after(wait.delay(attempt, seed, salt.wrapping_add(nth << 48)))),
        }
    }
}

impl Stop {
    /// Whether to stop after `attempt` attempts and `elapsed` since the first began, when the next one would begin
    /// after `delay`.
    #[must_use]
    pub fn is_reached(&self, attempt: u32, elapsed: Millis, delay: Millis) -> bool {
        match self {
            Stop::Never => false,
            Stop::Attempts(most) => attempt >= *most,
            Stop::Delay(longest) => elapsed >= *longest,
            Stop::BeforeDelay(longest) => elapsed.after(delay) >= *longest,
            Stop::Any(stops) => stops.iter().any(|stop| stop.is_reached(attempt, elapsed, delay)),
            Stop::All(stops) => !stops.is_empty() && stops.iter().all(|stop| stop.is_reached(attempt, elapsed, delay)),
        }
    }
}

impl RetryPolicy {
    /// Reads a policy from numbers: a wait, then a stop, each a kind followed by its arguments (durations in
    /// milliseconds), a list being its length followed by its members.
    ///
    /// Waits: 0 fixed `delay`; 1 exponential `initial factor max`; 2 incrementing `initial step max`; 3 random
    /// `min max`; 4 full jitter `initial factor max`; 5 chain `n …`; 6 sum `n …`; 7 random exponential
    /// `initial factor min max`; 8 exponential with jitter `initial factor max jitter`.
    /// Stops: 0 never; 1 attempts `n`; 2 delay `ms`; 3 any `n …`; 4 all `n …`; 5 before delay `ms`.
    ///
    /// # Errors
    /// [`Code::InvalidRetry`] when the numbers are not such a policy.
    ///
    /// ```
    /// use stepstream::engine::{Millis, RetryPolicy, Stop, Wait};
    /// let policy = RetryPolicy::decode(&[0.0, 250.0, 1.0, 3.0]).unwrap();
    /// assert_eq!(policy, RetryPolicy { wait: Wait::Fixed(Millis(250)), stop: Stop::Attempts(3) });
    /// ```
    pub fn decode(numbers: &[f64]) -> Result<RetryPolicy, Code> {
        let mut reader = Reader { numbers, depth: 0 };
        let policy = RetryPolicy { wait: reader.wait()?, stop: reader.stop()? };
        if reader.numbers.is_empty() { Ok(policy) } else { Err(Code::InvalidRetry) }
    }
}

/// Deeper nesting than this is refused, so that a decode cannot exhaust the stack.
const MAX_DEPTH: u32 = 16;

struct Reader<'a> {
    numbers: &'a [f64],
    depth: u32,
}

impl Reader<'_> {
    fn number(&mut self) -> Result<f64, Code> {
        let (first, rest) = self.numbers.split_first().ok_or(Code::InvalidRetry)?;
        self.numbers = rest;
        if *first >= 0.0 { Ok(*first) } else { Err(Code::InvalidRetry) }
    }

    fn millis(&mut self) -> Result<Millis, Code> {
        self.number().map(Millis::from_f64)
    }

    fn factor(&mut self) -> Result<f64, Code> {
        self.number().and_then(|factor| if factor.is_finite() { Ok(factor) } else { Err(Code::InvalidRetry) })
    }

    fn list<T>(&mut self, read: fn(&mut Self) -> Result<T, Code>) -> Result<Vec<T>, Code> {
        let count = self.number()?;
        self.depth += 1;
        if self.depth > MAX_DEPTH || count > self.numbers.len() as f64 {
            return Err(Code::InvalidRetry);
        }
        let list = (0..count as usize).map(|_| read(self)).collect();
        self.depth -= 1;
        list
    }

    fn wait(&mut self) -> Result<Wait, Code> {
        Ok(match self.number()? as u32 {
            0 => Wait::Fixed(self.millis()?),
            1 => Wait::Exponential { initial: self.millis()?, factor: self.factor()?, max: self.millis()? },
            2 => Wait::Incrementing { initial: self.millis()?, step: self.millis()?, max: self.millis()? },
            3 => Wait::Random { min: self.millis()?, max: self.millis()? },
            4 => Wait::FullJitter { initial: self.millis()?, factor: self.factor()?, max: self.millis()? },
            5 => Wait::Chain(self.list(Self::wait)?),
            6 => Wait::Sum(self.list(Self::wait)?),
            7 => Wait::RandomExponential {
                initial: self.millis()?,
                factor: self.factor()?,
                min: self.millis()?,
                max: self.millis()?,
            },
            8 => Wait::ExponentialJitter {
                initial: self.millis()?,
                factor: self.factor()?,
                max: self.millis()?,
                jitter: self.millis()?,
            },
            _ => return Err(Code::InvalidRetry),
        })
    }

    fn stop(&mut self) -> Result<Stop, Code> {
        Ok(match self.number()? as u32 {
            0 => Stop::Never,
            1 => Stop::Attempts(self.number()? as u32),
            2 => Stop::Delay(self.millis()?),
            3 => Stop::Any(self.list(Self::stop)?),
            4 => Stop::All(self.list(Self::stop)?),
            5 => Stop::BeforeDelay(self.millis()?),
            _ => return Err(Code::InvalidRetry),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(wait: &Wait, attempts: u32) -> Vec<u64> {
        (1..=attempts).map(|attempt| wait.delay(attempt, 7, u64::from(attempt)).0).collect()
    }

    #[test]
    fn each_strategy_waits_as_it_says() {
        let ms = Millis;
        assert_eq!(delays(&Wait::Fixed(ms(5)), 3), [5, 5, 5]);
        assert_eq!(delays(&Wait::Exponential { initial: ms(1), factor: 2.0, max: ms(5) }, 5), [1, 2, 4, 5, 5]);
        assert_eq!(delays(&Wait::Incrementing { initial: ms(1), step: ms(3), max: ms(6) }, 4), [1, 4, 6, 6]);
        assert_eq!(delays(&Wait::Chain(vec![Wait::Fixed(ms(1)), Wait::Fixed(ms(9))]), 4), [1, 9, 9, 9]);
        assert_eq!(delays(&Wait::Sum(vec![Wait::Fixed(ms(1)), Wait::Fixed(ms(9))]), 2), [10, 10]);
        assert_eq!(delays(&Wait::Chain(vec![]), 2), [0, 0]);
        for delay in delays(&Wait::Random { min: ms(10), max: ms(20) }, 100) {
            assert!((10..=20).contains(&delay));
        }
        let full = Wait::FullJitter { initial: ms(100), factor: 2.0, max: ms(1000) };
        let upper = Wait::Exponential { initial: ms(100), factor: 2.0, max: ms(1000) };
        assert!(delays(&full, 50).iter().zip(delays(&upper, 50)).all(|(drawn, most)| *drawn <= most));
        let (initial, factor, max) = (ms(100), 2.0, ms(1000));
        let drawn = delays(&Wait::RandomExponential { initial, factor, min: ms(90), max }, 50);
        assert!(drawn.iter().zip(delays(&upper, 50)).all(|(drawn, most)| (90..=most).contains(drawn)));
        assert_eq!(delays(&Wait::RandomExponential { initial, factor, min: ms(2000), max }, 2), [2000, 2000]);
        let drawn = delays(&Wait::ExponentialJitter { initial, factor, max, jitter: ms(50) }, 50);
        let fits = |(drawn, least): (&u64, u64)| *drawn >= least && *drawn <= (least + 50).min(1000);
        assert!(drawn.iter().zip(delays(&upper, 50)).all(fits));
        assert!(drawn[..3].iter().zip(delays(&upper, 3)).any(|(drawn, least)| *drawn > least));
    }

    #[test]
    fn huge_attempts_neither_overflow_nor_take_long() {
        let wait = Wait::Exponential { initial: Millis(1), factor: 1e300, max: Millis::MAX };
        assert_eq!(wait.delay(u32::MAX, 0, 0), Millis::MAX);
        let still = Wait::Exponential { initial: Millis(1), factor: 1.0, max: Millis::MAX };
        assert_eq!(still.delay(u32::MAX, 0, 0), Millis(1));
        let shrinking = Wait::Exponential { initial: Millis(8), factor: 0.5, max: Millis::MAX };
        assert_eq!(shrinking.delay(u32::MAX, 0, 0), Millis(0));
        let growing = Wait::Incrementing { initial: Millis(1), step: Millis::MAX, max: Millis::MAX };
        assert_eq!(growing.delay(u32::MAX, 0, 0), Millis::MAX);
    }

    #[test]
    fn stops_compose() {
        let stop = Stop::Any(vec![Stop::Attempts(5), Stop::All(vec![Stop::Attempts(2), Stop::Delay(Millis(100))])]);
        let none = Millis(0);
        assert!(!stop.is_reached(2, Millis(99), none));
        assert!(stop.is_reached(2, Millis(100), none));
        assert!(stop.is_reached(5, none, none));
        assert!(!Stop::All(vec![]).is_reached(9, Millis::MAX, Millis::MAX));
        assert!(!Stop::Never.is_reached(u32::MAX, Millis::MAX, Millis::MAX));
    }

    #[test]
    fn a_wait_that_would_take_too_long_is_not_begun() {
        let stop = Stop::BeforeDelay(Millis(100));
        assert!(!stop.is_reached(1, Millis(60), Millis(39)));
        assert!(stop.is_reached(1, Millis(60), Millis(40)));
        assert!(stop.is_reached(1, Millis::MAX, Millis::MAX));
        assert!(!Stop::Delay(Millis(100)).is_reached(1, Millis(60), Millis(40)));
    }

    #[test]
    fn nonsense_is_refused() {
        let deep: Vec<f64> = [5.0, 1.0].repeat(40);
        for numbers in [
            &[][..],
            &[9.0],
            &[0.0, 1.0],
            &[0.0, -1.0, 0.0],
            &[0.0, f64::NAN, 0.0],
            &[5.0, 1e300],
            &[1.0, 1.0, f64::INFINITY, 1.0, 0.0],
            &[0.0, 1.0, 0.0, 0.0],
            &deep,
        ] {
            assert_eq!(RetryPolicy::decode(numbers), Err(Code::InvalidRetry), "{numbers:?}");
        }
    }
}
