//! The comparison itself.

use blindrelay_engine::bfv::Answer;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, GlweCiphertextOwned, LweCiphertextOwned, LweKeyswitchKeyOwned, LweSize, keyswitch_lwe_ciphertext,
};
use tfhe::shortint::ServerKey;
use tfhe::shortint::ciphertext::Degree;
use tfhe::shortint::server_key::LookupTableOwned;

use super::decision::{Decision, shortint};
use super::error::BridgeError;
use super::key::BridgeKey;
use super::lift::extract;
use super::plan::{Plan, Stage};
use super::set::ShortintSet;
use super::source::Source;

/// Compares scores of answers with thresholds. It holds public keys only.
#[derive(Debug)]
pub struct CoefficientBridge {
    source: Source,
    set: ShortintSet,
    plan: Plan,
    lift_key: LweKeyswitchKeyOwned<u64>,
    server_key: ServerKey,
}

impl CoefficientBridge {
    /// Expands the key. Refused where the key is of other BFV parameters, and where a comparison could be wrong with probability above 2^-128.
    pub fn new(source: &Source, key: &BridgeKey) -> Result<Self, BridgeError> {
        let (expected, found) = (source.parameters().digest(), key.parameters());
        if expected != found {
            return Err(BridgeError::Parameters { object: "a bridge key", expected, found });
        }
        let plan = Plan::of(source, key.set())?;
        Ok(Self {
            source: source.clone(),
            set: key.set(),
            plan,
            lift_key: key.lift_key(),
            server_key: key.server_key(),
        })
    }

    /// What is compared.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The set of the `tfhe` crate.
    pub fn set(&self) -> ShortintSet {
        self.set
    }

    /// The bootstrappings of a comparison, with their margins.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The `tfhe` crate's key, to compute on decisions.
    pub fn server_key(&self) -> &ServerKey {
        &self.server_key
    }

    /// Bytes of the expanded keys in memory.
    pub fn memory_len(&self) -> usize {
        let server_key = match &self.server_key.atomic_pattern {
            tfhe::shortint::atomic_pattern::AtomicPatternServerKey::Standard(keys) => {
                size_of_val(keys.key_switching_key.as_ref()) + keys.bootstrapping_key.bootstrapping_key_size_bytes()
            }
            _ => 0,
        };
        size_of_val(self.lift_key.as_ref()) + server_key
    }

    /// Coefficient `position` of a relinearized answer as an LWE ciphertext under the large key, phase `score / (divisor t)` of the torus.
    pub fn lift(&self, answer: &Answer, position: u32) -> Result<LweCiphertextOwned<u64>, BridgeError> {
        if answer.parameters() != self.source.parameters() {
            let (expected, found) = (self.source.parameters().digest(), answer.parameters().digest());
            return Err(BridgeError::Parameters { object: "an answer", expected, found });
        }
        let modulus = CiphertextModulus::new_native();
        let extracted = LweCiphertextOwned::from_container(extract(answer, position)?, modulus);
        let mut lifted = LweCiphertextOwned::new(0, LweSize(self.set.large_dimension() + 1), modulus);
        keyswitch_lwe_ciphertext(&self.lift_key, &extracted, &mut lifted);
        Ok(lifted)
    }

    /// Whether the score in coefficient `position` is at least `threshold`, as an encrypted bit. `threshold` is above the smallest score and at most the
    /// largest; every such threshold is decided for every score.
    pub fn at_least(&self, answer: &Answer, position: u32, threshold: i64) -> Result<Decision, BridgeError> {
        let rank = self.source.rank_of(threshold)?;
        let lifted = self.lift(answer, position)?;
        let width = self.plan.width();
        let mut taken: Vec<LweCiphertextOwned<u64>> = Vec::new();
        for stage in self.plan.stages() {
            let last = stage.bit + 1 == width;
            let mut phase = self.prepare(stage, &lifted, rank, &taken);
            if last {
                // Half of 2^(r - w), where r bits have been taken away.
                add_to_body(&mut phase, 1 << (63 + taken.len() as u32 - width));
                return Ok(Decision::of_bit(self.set, self.half_plane(phase, self.set.unit(), true)));
            }
            add_to_body(&mut phase, 1 << 62);
            taken.push(self.half_plane(phase, 1 << (64 + stage.bit - width), false));
        }
        Err(BridgeError::Position { position })
    }

    /// The ciphertext times the stage's factor, less `rank / 2^(bit + 1)` and the bits that were taken away.
    fn prepare(
        &self,
        stage: &Stage,
        lifted: &LweCiphertextOwned<u64>,
        rank: i64,
        taken: &[LweCiphertextOwned<u64>],
    ) -> LweCiphertextOwned<u64> {
        let mut phase = lifted.clone();
        phase.as_mut().iter_mut().for_each(|word| *word = word.wrapping_mul(stage.factor));
        // Bits come at 2^(j - w) of the torus and count 2^(j - bit - 1) here.
        let shift = self.plan.width() - 1 - stage.bit;
        for bit in taken {
            for (word, &subtracted) in phase.as_mut().iter_mut().zip(bit.as_ref()) {
                *word = word.wrapping_sub(subtracted << shift);
            }
        }
        add_to_body(&mut phase, ((rank as u64) << (63 - stage.bit)).wrapping_neg());
        phase
    }

    /// One bootstrapping: `value` (in units of 2^-64) where the phase is in the upper half of the torus, from 0 to 1/2, if `upper`, and in the lower half
    /// otherwise; 0 in the other half.
    fn half_plane(&self, phase: LweCiphertextOwned<u64>, value: u64, upper: bool) -> LweCiphertextOwned<u64> {
        let parameters = self.set.parameters();
        let half = value / 2;
        let mut table = GlweCiphertextOwned::new(
            0,
            parameters.glwe_dimension.to_glwe_size(),
            parameters.polynomial_size,
            CiphertextModulus::new_native(),
        );
        // A polynomial of equal coefficients changes its sign with the half of the torus.
        table.get_mut_body().as_mut().fill(if upper { half } else { half.wrapping_neg() });
        let table = LookupTableOwned { acc: table, degree: Degree::new(1) };
        let mut bit = shortint(self.set, phase);
        self.server_key.apply_lookup_table_assign(&mut bit, &table);
        let mut bit = bit.ct;
        add_to_body(&mut bit, half);
        bit
    }
}

fn add_to_body(lwe: &mut LweCiphertextOwned<u64>, value: u64) {
    let body = lwe.get_mut_body().data;
    *body = body.wrapping_add(value);
}
