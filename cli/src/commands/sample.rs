//! `sample`: usage, rates and keys for trials, of any size and always the same for the same seed.

mod keys;
mod rates;
mod usage;

use blindrelay_engine::Backend;
use clap::Subcommand;

use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Write a usage file with random readings
    Usage(usage::Arguments),
    /// Write a rate card whose prices change in the middle of a month
    Rates(rates::Arguments),
    /// Write key files for tenants. Whoever knows the seed knows the keys: for trials only
    Keys(keys::Arguments),
}

/// Writes what is asked for.
pub(crate) fn run(action: &Action, backend: Backend, output: Output) -> Result<(), Failure> {
    match action {
        Action::Usage(arguments) => usage::run(arguments, output),
        Action::Rates(arguments) => rates::run(arguments, output),
        Action::Keys(arguments) => keys::run(arguments, backend, output),
    }
}

/// Name of a sample tenant, counted from 1.
fn tenant_name(number: u32) -> String {
    format!("t{number:04}")
}

/// `SplitMix64` (Steele, Lea, Flood, *Fast splittable pseudorandom number generators*, 2014): for sample readings, never for secrets.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound`, by the upper half of a product; the bias is below `bound / 2^64`.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        let mut numbers = SplitMix(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| numbers.next()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        assert!((0..1000).all(|_| numbers.below(7) < 7));
    }
}
