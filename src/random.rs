//! Randomness without a generator to carry: every draw is a function of what it is for.
//!
//! The mixing function is SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number
//! generators", OOPSLA 2014).

use crate::hash::fnv;

const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number in `0.0..1.0` that depends on nothing but the arguments.
pub(crate) fn unit(seed: u64, salt: u64) -> f64 {
    // The upper 53 bits fill a double's mantissa.
    (mix(seed ^ mix(salt)) >> 11) as f64 / (1u64 << 53) as f64
}

/// The seed that belongs to a run id.
#[must_use]
pub fn seed_of(run_id: &str) -> u64 {
    fnv(run_id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_repeatable_spread_and_in_range() {
        let draws: Vec<f64> = (0..10_000).map(|salt| unit(seed_of("run"), salt)).collect();
        assert_eq!(draws[17], unit(seed_of("run"), 17));
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!((0.49..0.51).contains(&mean), "{mean}");
    }
}
