//! Which receipts of a day are followed.

use std::fmt;
use std::str::FromStr;

use blindrelay_engine::ring::Seed;
use blindrelay_trust::ContentDigest;
use serde::{Serialize, Serializer};

use crate::failure::Failure;

/// A share above 0 and up to all, in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share(f64);

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.trim().strip_suffix('%').unwrap_or(text).trim().parse();
        let fits = number.ok().filter(|percent: &f64| *percent > 0.0 && *percent <= 100.0);
        fits.map(Self).ok_or("a share is written in percent, above 0% and up to 100%")
    }
}

impl Share {
    /// At least one of them, if there is any: those whose names have the lowest hashes with the seed. Nobody without the seed knows which, and with it everybody chooses the same, in whatever order
    /// they are listed.
    pub(crate) fn choose<T>(self, all: Vec<T>, name: impl Fn(&T) -> &str, seed: SampleSeed) -> Vec<T> {
        let wanted = (all.len() as f64 * self.0 / 100.0).ceil().max(1.0) as usize;
        let mut hashed: Vec<(ContentDigest, T)> = all
            .into_iter()
            .map(|one| (ContentDigest::of(&[seed.0.as_slice(), name(&one).as_bytes()].concat()), one))
            .collect();
        hashed.sort_by_key(|(hash, _)| *hash);
        hashed.into_iter().take(wanted).map(|(_, one)| one).collect()
    }
}

/// What a choice depends on: 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SampleSeed([u8; 32]);

impl SampleSeed {
    /// A new one from the operating system.
    pub(crate) fn random() -> Result<Self, Failure> {
        let seed = Seed::random().map_err(|error| Failure::Engine(error.into()))?;
        Ok(Self(*seed.as_bytes()))
    }
}

impl FromStr for SampleSeed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digest: ContentDigest = text.parse().map_err(|_| "a seed is 64 lower-case hexadecimal digits")?;
        Ok(Self(*digest.as_bytes()))
    }
}

impl fmt::Display for SampleSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ContentDigest::from_bytes(self.0).fmt(f)
    }
}

impl Serialize for SampleSeed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_its_choice_repeats_in_any_order() {
        let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let seed = SampleSeed([7; 32]);
        let choose = |share: &str, names: &[String], seed| {
            share.parse::<Share>().unwrap().choose(names.to_vec(), |name| name.as_str(), seed)
        };
        for (share, expected) in [("5%", 5), ("5", 5), ("0.1%", 1), ("5.1%", 6), ("100%", 100)] {
            assert_eq!(choose(share, &names, seed).len(), expected, "{share}");
        }
        let first = choose("10%", &names, seed);
        let reversed: Vec<String> = names.iter().rev().cloned().collect();
        assert_eq!(choose("10%", &reversed, seed), first);
        assert_ne!(choose("10%", &names, SampleSeed([8; 32])), first);
        assert!(choose("5%", &[], seed).is_empty());
        for share in ["0%", "-1%", "101%", "NaN", "half", ""] {
            assert!(share.parse::<Share>().is_err(), "{share}");
        }
        assert_eq!(seed.to_string().parse(), Ok(seed));
        assert!("07".parse::<SampleSeed>().is_err());
    }
}
