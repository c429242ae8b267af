//! The key holder's side of comparisons of single scores: the key that decisions are under, what a service needs to make them, and their opening. The
//! service's side is `blindrelay_bridge::coefficient`.

use blindrelay_bridge::coefficient::{BridgeError, BridgeKey, Decision, LIFT_BASE_LOG, LIFT_LEVELS, ShortintSet};
use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Context, Plaintext};
use blindrelay_engine::ring::{Expander, Seed};
use tfhe::core_crypto::commons::generators::DeterministicSeeder;
use tfhe::core_crypto::commons::math::random;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, DecompositionBaseLog, DecompositionLevelCount, DefaultRandomGenerator, GlweSecretKey,
    LweDimension, LweSecretKey, SeededLweBootstrapKeyOwned, SeededLweKeyswitchKeyOwned,
    generate_seeded_lwe_keyswitch_key, par_generate_seeded_lwe_bootstrap_key,
};
use zeroize::Zeroizing;

use crate::open::OpenError;
use crate::secret::SecretKey;

/// Why a bridge key could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeKeyError {
    /// The system gave no randomness.
    #[error(transparent)]
    Randomness(#[from] Error),
    /// The parts do not fit together.
    #[error(transparent)]
    Bridge(#[from] BridgeError),
}

/// The uniform binary secrets of the `tfhe` crate's parameters that decisions are under, derived from a BFV key: whoever holds the room's seed opens
/// the same decisions. They are wiped on drop and never printed.
pub struct DecisionKey {
    set: ShortintSet,
    large: Zeroizing<Vec<u64>>,
    small: Zeroizing<Vec<u64>>,
}

impl std::fmt::Debug for DecisionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DecisionKey({}, ..)", self.set)
    }
}

impl DecisionKey {
    /// The key for decisions on answers under `key`.
    pub fn of(key: &SecretKey, set: ShortintSet) -> Self {
        let seed = key.derive_seed("coefficient-decisions", set.name().as_bytes());
        let large = binary(&Expander::new(&seed, "coefficient-decisions/large"), set.large_dimension());
        let small = binary(&Expander::new(&seed, "coefficient-decisions/small"), set.small_dimension());
        Self { set, large, small }
    }

    /// The set of the `tfhe` crate.
    pub fn set(&self) -> ShortintSet {
        self.set
    }

    /// What a service needs to compare scores of answers under `key`: the BFV secret under the large key, the large key under the small one, the small
    /// one under the large one. Masks and errors are drawn anew from the operating system each time.
    pub fn bridge_key(&self, key: &SecretKey) -> Result<BridgeKey, BridgeKeyError> {
        let parameters = self.set.parameters();
        let modulus = CiphertextModulus::new_native();
        let seeds = [fresh()?, fresh()?, fresh()?];
        let [lift_seed, key_switching_seed, bootstrapping_seed] = seeds;
        let mut errors = DeterministicSeeder::<DefaultRandomGenerator>::new(random::Seed(fresh()?));
        let coefficients =
            Zeroizing::new(key.coefficients().coefficients().iter().map(|&c| i64::from(c) as u64).collect::<Vec<_>>());
        let secret = LweSecretKey::from_container(coefficients.as_slice());
        let small = LweSecretKey::from_container(self.small.as_slice());
        let large = LweSecretKey::from_container(self.large.as_slice());
        let mut lift = SeededLweKeyswitchKeyOwned::new(
            0,
            DecompositionBaseLog(LIFT_BASE_LOG as usize),
            DecompositionLevelCount(LIFT_LEVELS as usize),
            secret.lwe_dimension(),
            large.lwe_dimension(),
            random::Seed(lift_seed).into(),
            modulus,
        );
        generate_seeded_lwe_keyswitch_key(&secret, &large, &mut lift, parameters.glwe_noise_distribution, &mut errors);
        let mut key_switching = SeededLweKeyswitchKeyOwned::new(
            0,
            parameters.ks_base_log,
            parameters.ks_level,
            large.lwe_dimension(),
            small.lwe_dimension(),
            random::Seed(key_switching_seed).into(),
            modulus,
        );
        generate_seeded_lwe_keyswitch_key(
            &large,
            &small,
            &mut key_switching,
            parameters.lwe_noise_distribution,
            &mut errors,
        );
        let mut bootstrapping = SeededLweBootstrapKeyOwned::new(
            0,
            parameters.glwe_dimension.to_glwe_size(),
            parameters.polynomial_size,
            parameters.pbs_base_log,
            parameters.pbs_level,
            LweDimension(self.set.small_dimension()),
            random::Seed(bootstrapping_seed).into(),
            modulus,
        );
        par_generate_seeded_lwe_bootstrap_key(
            &small,
            &GlweSecretKey::from_container(self.large.as_slice(), parameters.polynomial_size),
            &mut bootstrapping,
            parameters.glwe_noise_distribution,
            &mut errors,
        );
        let bodies = [lift.into_container(), key_switching.into_container(), bootstrapping.into_container()];
        Ok(BridgeKey::new(self.set, key.parameters(), seeds, bodies)?)
    }

    /// Opens a decision. Refused where it is of another set, or holds anything but a bit.
    pub fn open(&self, decision: &Decision) -> Result<bool, OpenError> {
        if decision.set() != self.set {
            return Err(OpenError);
        }
        let phase = phase(&self.large, decision.ciphertext().ct.as_ref()).ok_or(OpenError)?;
        let unit = self.set.unit();
        match phase.wrapping_add(unit / 2) / unit {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(OpenError),
        }
    }
}

/// Measurements. Not for applications: what these return tells about the key, and must not leave the key holder.
pub mod hazmat {
    use super::{DecisionKey, SecretKey};

    /// Body minus inner product of an LWE ciphertext under the large key, in units of 2^-64. `None` where its dimension is another one.
    pub fn large_phase(key: &DecisionKey, lwe: &[u64]) -> Option<u64> {
        super::phase(&key.large, lwe)
    }

    /// The same under the small key.
    pub fn small_phase(key: &DecisionKey, lwe: &[u64]) -> Option<u64> {
        super::phase(&key.small, lwe)
    }

    /// The same under the coefficients of the BFV secret.
    pub fn coefficient_phase(key: &SecretKey, lwe: &[u64]) -> Option<u64> {
        let secret: Vec<u64> = key.coefficients().coefficients().iter().map(|&c| i64::from(c) as u64).collect();
        super::phase(&zeroize::Zeroizing::new(secret), lwe)
    }

    /// The small key's bits, to follow a modulus switch.
    pub fn small_bits(key: &DecisionKey) -> &[u64] {
        &key.small
    }
}

/// The probe whose scores are half of the given one's: every coefficient times the inverse of 2 modulo `t`. Scores that are even and would fill the
/// plaintext modulus so leave room for a comparison (`Source` with divisor 2). The bound on the noise of products does not change: it
/// already assumes coefficients up to `t / 2`.
pub fn halved(context: &Context, probe: &Plaintext) -> Result<Plaintext, Error> {
    let t = context.plaintext_modulus();
    // (t + 1) / 2, since t is odd.
    let half = t.value() / 2 + 1;
    Plaintext::from_residues(context, probe.residues().iter().map(|&residue| t.mul(residue, half)).collect())
}

/// Uniform bits of stream 0, lowest bit of a word first, one a word.
fn binary(expander: &Expander, count: usize) -> Zeroizing<Vec<u64>> {
    let mut words = Zeroizing::new(vec![0; count.div_ceil(64)]);
    expander.stream(0).fill(&mut words);
    Zeroizing::new((0..count).filter_map(|bit| Some((words.get(bit / 64)? >> (bit % 64)) & 1)).collect())
}

/// 128 bits of the operating system: as much as a seed of the `tfhe` crate holds.
fn fresh() -> Result<u128, Error> {
    let seed = Seed::random()?;
    Ok(seed.as_bytes().first_chunk::<16>().map_or(0, |bytes| u128::from_le_bytes(*bytes)))
}

fn phase(secret: &Zeroizing<Vec<u64>>, lwe: &[u64]) -> Option<u64> {
    let (body, mask) = lwe.split_last()?;
    (mask.len() == secret.len())
        .then(|| mask.iter().zip(secret.iter()).fold(*body, |sum, (a, s)| sum.wrapping_sub(a.wrapping_mul(*s))))
}
