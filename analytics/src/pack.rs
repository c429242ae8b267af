//! The contributor's side: from measurements to slots, and under the host's public key to a message.

use blindrelay_engine::ckks::Plaintext;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::PublicKey;
use blindrelay_engine::wire::{Wire, content_digest, public_key_to_bytes};
use zeroize::{Zeroize, Zeroizing};

use crate::error::ContributionError;
use crate::plan::Plan;
use crate::settings::{Collect, bin};

/// From joining to leaving, in seconds since the first bucket began.
#[derive(Clone, Copy, Debug, PartialEq, Zeroize)]
pub struct Stay {
    /// When somebody joined.
    pub join: f64,
    /// When they left.
    pub leave: f64,
}

/// What somebody contributes: the slots of each ciphertext. Wiped on drop, never printed.
#[derive(Clone)]
pub struct Contribution {
    slots: Vec<Zeroizing<Vec<f64>>>,
}

impl std::fmt::Debug for Contribution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contribution(..)")
    }
}

impl Contribution {
    /// One attention score from 0 to 1 for each slot; `None` where there is none.
    pub fn attention(plan: &Plan, scores: &[Option<f64>]) -> Result<Self, ContributionError> {
        let Collect::Attention { slots } = plan.settings().collect else { return Err(other(plan, "attention")) };
        if scores.len() != slots {
            return Err(ContributionError::Count { expected: slots, found: scores.len() });
        }
        let values = Zeroizing::new(scores.iter().map(|score| score.unwrap_or(0.0)).collect::<Vec<_>>());
        check(&values, 0.0, 1.0)?;
        let presence = scores.iter().map(|score| if score.is_some() { 1.0 } else { 0.0 });
        Ok(Self { slots: vec![slots_of(&values, presence, &[])] })
    }

    /// Seconds that each participant spoke.
    pub fn speaking(plan: &Plan, seconds: &[f64]) -> Result<Self, ContributionError> {
        let Collect::Speaking { participants, limit_seconds, .. } = plan.settings().collect else {
            return Err(other(plan, "speaking"));
        };
        if seconds.len() != participants {
            return Err(ContributionError::Count { expected: participants, found: seconds.len() });
        }
        check(seconds, 0.0, limit_seconds)?;
        Ok(Self { slots: vec![Zeroizing::new(seconds.to_vec())] })
    }

    /// Lengths of calls in seconds, at least one and at most as many as the settings say.
    pub fn durations(plan: &Plan, seconds: &[f64]) -> Result<Self, ContributionError> {
        let Collect::Durations { limit_seconds, ref edges, calls } = plan.settings().collect else {
            return Err(other(plan, "durations"));
        };
        let values = filled(seconds, calls)?;
        check(&values, 0.0, limit_seconds)?;
        let mut bins = Zeroizing::new(vec![0.0; edges.len()]);
        for &value in seconds {
            if let Some(count) = bins.get_mut(bin(edges, value)) {
                *count += 1.0;
            }
        }
        Ok(Self { slots: vec![slots_of(&values, presence(seconds.len(), calls), &bins)] })
    }

    /// One participant's stays; where they overlap they count once. A bucket holds the part of it that is covered.
    pub fn concurrency(plan: &Plan, stays: &[Stay]) -> Result<Self, ContributionError> {
        let Collect::Concurrency { buckets, bucket_seconds } = plan.settings().collect else {
            return Err(other(plan, "concurrency"));
        };
        let coverage = Zeroizing::new(coverage(stays, buckets, bucket_seconds)?);
        Ok(Self { slots: vec![coverage] })
    }

    /// Pairs of two series, at least one and at most as many as the settings say.
    pub fn correlation(plan: &Plan, pairs: &[(f64, f64)]) -> Result<Self, ContributionError> {
        let Collect::Correlation { pairs: most, x_limit, y_limit } = plan.settings().collect else {
            return Err(other(plan, "correlation"));
        };
        let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        let (xs, ys) = (Zeroizing::new(xs), Zeroizing::new(ys));
        let (x, y) = (filled(&xs, most)?, filled(&ys, most)?);
        check(&x, -x_limit, x_limit)?;
        check(&y, -y_limit, y_limit)?;
        Ok(Self { slots: vec![slots_of(&x, presence(pairs.len(), most), &[]), y] })
    }

    /// The slots of each ciphertext: what the statistics' `reference` is computed from.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.slots.iter().map(|slots| slots.as_slice())
    }

    /// The plaintext of each ciphertext, for whoever encrypts otherwise than below, for example with the secret key.
    pub fn plaintexts(&self, plan: &Plan) -> Result<Vec<Plaintext>, ContributionError> {
        let encode = |(slots, encoding): (&Zeroizing<Vec<f64>>, _)| plan.context().encode_real(slots, encoding);
        Ok(self.slots.iter().zip(plan.encodings()).map(encode).collect::<Result<_, _>>()?)
    }

    /// The message of the contribution under the host's public key, with fresh randomness.
    pub fn encrypt(&self, plan: &Plan, key: &PublicKey) -> Result<Vec<u8>, ContributionError> {
        self.encrypt_with(plan, |plaintext, _| Ok(plan.context().encrypt(plaintext, key)?.to_bytes()))
    }

    /// The same bytes whenever it is called with the same arguments, so that an upload can be repeated after a failure and counts once. `seed` is the
    /// contributor's secret and may serve any number of contributions: what a ciphertext is made with is derived from it, from the key, from the
    /// settings, from `sequence` and from the values, so that different plaintexts or keys never share it. Equal values under one `sequence` give equal bytes: count it up.
    pub fn encrypt_repeatably(
        &self,
        plan: &Plan,
        key: &PublicKey,
        seed: &Seed,
        sequence: u64,
    ) -> Result<Vec<u8>, ContributionError> {
        let mut content = Zeroizing::new(plan.digest().to_vec());
        content.extend_from_slice(&content_digest(&public_key_to_bytes(key, plan.context().parameters())));
        content.extend_from_slice(&sequence.to_le_bytes());
        for slots in &self.slots {
            content.extend_from_slice(&(slots.len() as u64).to_le_bytes());
            slots.iter().for_each(|value| content.extend_from_slice(&value.to_le_bytes()));
        }
        let seed = seed.derive("statistics/contribution", &content);
        self.encrypt_with(plan, |plaintext, index| {
            let seed = seed.derive("statistics/ciphertext", &index.to_le_bytes());
            Ok(plan.context().encrypt_with_seed(plaintext, key, &seed)?.to_bytes())
        })
    }

    fn encrypt_with(
        &self,
        plan: &Plan,
        encrypt: impl Fn(&Plaintext, u64) -> Result<Vec<u8>, ContributionError>,
    ) -> Result<Vec<u8>, ContributionError> {
        let plaintexts = self.plaintexts(plan)?;
        let ciphertexts = plaintexts.iter().zip(0..).map(|(plaintext, index)| encrypt(plaintext, index));
        Ok(plan.contribution_message(ciphertexts.collect::<Result<_, _>>()?)?)
    }
}

fn other(plan: &Plan, found: &'static str) -> ContributionError {
    ContributionError::Statistic { expected: plan.settings().collect.name(), found }
}

fn check(values: &[f64], least: f64, most: f64) -> Result<(), ContributionError> {
    // Written so that what is not a number is refused.
    match values.iter().position(|&value| !(value >= least && value <= most)) {
        Some(index) => Err(ContributionError::Range { index, least, most }),
        None => Ok(()),
    }
}

/// At least one value and at most `width`, filled up with zeros.
fn filled(values: &[f64], width: usize) -> Result<Zeroizing<Vec<f64>>, ContributionError> {
    if values.is_empty() || values.len() > width {
        return Err(ContributionError::Count { expected: width, found: values.len() });
    }
    let mut filled = Zeroizing::new(Vec::with_capacity(width));
    filled.extend_from_slice(values);
    filled.resize(width, 0.0);
    Ok(filled)
}

fn presence(present: usize, width: usize) -> impl Iterator<Item = f64> {
    std::iter::repeat_n(1.0, present).chain(std::iter::repeat_n(0.0, width - present))
}

fn slots_of(values: &[f64], presence: impl Iterator<Item = f64>, bins: &[f64]) -> Zeroizing<Vec<f64>> {
    // Of its final size, so that growing leaves no copy behind.
    let mut slots = Zeroizing::new(Vec::with_capacity(2 * values.len() + bins.len()));
    slots.extend_from_slice(values);
    slots.extend(presence);
    slots.extend_from_slice(bins);
    slots
}

/// The part of each bucket that the union of the stays covers.
fn coverage(stays: &[Stay], buckets: usize, bucket_seconds: f64) -> Result<Vec<f64>, ContributionError> {
    let end = bucket_seconds * buckets as f64;
    for (index, stay) in stays.iter().enumerate() {
        let times = [stay.join, stay.leave];
        check(&times, 0.0, end).map_err(|_| ContributionError::Range { index, least: 0.0, most: end })?;
        if stay.leave < stay.join {
            return Err(ContributionError::LeaveBeforeJoin { index });
        }
    }
    let mut sorted = Zeroizing::new(stays.to_vec());
    sorted.sort_by(|a, b| a.join.total_cmp(&b.join));
    let mut covered = vec![0.0; buckets];
    let mut until = 0.0_f64;
    for stay in sorted.iter() {
        let (from, to) = (stay.join.max(until), stay.leave);
        until = until.max(to);
        let first = (from / bucket_seconds) as usize;
        for (index, part) in covered.iter_mut().enumerate().skip(first) {
            let (begin, finish) = (bucket_seconds * index as f64, bucket_seconds * (index + 1) as f64);
            if to <= begin {
                break;
            }
            *part += (to.min(finish) - from.max(begin)).max(0.0) / bucket_seconds;
        }
    }
    Ok(covered.into_iter().map(|part: f64| part.min(1.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(stays: &[(f64, f64)]) -> Result<Vec<f64>, ContributionError> {
        let stays: Vec<Stay> = stays.iter().map(|&(join, leave)| Stay { join, leave }).collect();
        coverage(&stays, 4, 60.0)
    }

    #[test]
    fn buckets_hold_the_part_that_is_covered() {
        assert_eq!(covered(&[]).unwrap(), [0.0; 4]);
        assert_eq!(covered(&[(0.0, 240.0)]).unwrap(), [1.0; 4]);
        assert_eq!(covered(&[(30.0, 150.0)]).unwrap(), [0.5, 1.0, 0.5, 0.0]);
        assert_eq!(covered(&[(70.0, 76.0)]).unwrap(), [0.0, 0.1, 0.0, 0.0]);
        assert_eq!(covered(&[(60.0, 60.0)]).unwrap(), [0.0; 4]);
        // Twice at once is once; gone and back is twice.
        assert_eq!(covered(&[(90.0, 120.0), (0.0, 105.0), (180.0, 210.0)]).unwrap(), [1.0, 1.0, 0.0, 0.5]);
        assert_eq!(covered(&[(0.0, 200.0), (30.0, 60.0), (190.0, 240.0)]).unwrap(), [1.0; 4]);
    }

    #[test]
    fn stays_that_cannot_be_are_refused() {
        let range = |index| ContributionError::Range { index, least: 0.0, most: 240.0 };
        assert_eq!(covered(&[(0.0, 1.0), (-1.0, 5.0)]), Err(range(1)));
        assert_eq!(covered(&[(0.0, 240.5)]), Err(range(0)));
        assert_eq!(covered(&[(f64::NAN, 5.0)]), Err(range(0)));
        assert_eq!(covered(&[(0.0, f64::INFINITY)]), Err(range(0)));
        assert_eq!(covered(&[(9.0, 5.0)]), Err(ContributionError::LeaveBeforeJoin { index: 0 }));
    }
}
