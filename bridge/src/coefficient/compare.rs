//! The comparison itself.

use blindrelay_engine::bfv::Answer;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, GlweCiphertextOwned, LweCiphertextOwned, LweKeyswitchKeyOwned, LweSize, keyswitch_lwe_ciphertext,
};
use tfhe::shortint::ServerKey;
use tfhe::shortint::ciphertext::{Degree, MaxDegree};
use tfhe::shortint::server_key::{LookupTableOwned, ManyLookupTableOwned};

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
        let (width, split) = (self.plan.width(), self.plan.split());
        // Bit j at 2^(j - split) of the torus for the stages before `split`, and at 2^(j - width) for those after.
        let (mut near, mut far): (Vec<LweCiphertextOwned<u64>>, Vec<LweCiphertextOwned<u64>>) =
            (Vec::new(), Vec::new());
        for (taken, stage) in (0..).zip(self.plan.stages()) {
            let bits = if stage.bit < split { &near } else { &far };
            let mut phase = self.prepare(stage, &lifted, rank, bits);
            if stage.bit + 1 == width {
                // Half of 2^(taken - width), the distance of what is left.
                add_to_body(&mut phase, 1 << (63 + taken - width));
                return Ok(Decision::of_bit(self.set, self.upper_half(phase, self.set.unit())));
            }
            add_to_body(&mut phase, 1 << 62);
            let small = 1 << (64 + stage.bit - width);
            if stage.twice {
                let [first, second] = self.lower_half_twice(phase, [1 << (64 + stage.bit - split), small]);
                near.push(first);
                far.push(second);
            } else if split == width {
                near.push(self.lower_half(phase, small));
            } else {
                far.push(self.lower_half(phase, small));
            }
        }
        Err(BridgeError::Position { position })
    }

    /// The ciphertext times the stage's factor, less `rank / 2^(bit + 1)` and the bits that were taken away.
    fn prepare(
        &self,
        stage: &Stage,
        lifted: &LweCiphertextOwned<u64>,
        rank: i64,
        bits: &[LweCiphertextOwned<u64>],
    ) -> LweCiphertextOwned<u64> {
        let mut phase = lifted.clone();
        phase.as_mut().iter_mut().for_each(|word| *word = word.wrapping_mul(stage.factor));
        let shift = self.plan.shift(stage.bit);
        for bit in bits {
            for (word, &subtracted) in phase.as_mut().iter_mut().zip(bit.as_ref()) {
                *word = word.wrapping_sub(subtracted << shift);
            }
        }
        add_to_body(&mut phase, ((rank as u64) << (63 - stage.bit)).wrapping_neg());
        phase
    }

    /// One bootstrapping: `value` (in units of 2^-64) where the phase is from 0 to 1/2, otherwise 0.
    fn upper_half(&self, phase: LweCiphertextOwned<u64>, value: u64) -> LweCiphertextOwned<u64> {
        self.either(phase, value / 2, value / 2)
    }

    /// One bootstrapping: `value` where the phase is from -1/2 to 0, otherwise 0.
    fn lower_half(&self, phase: LweCiphertextOwned<u64>, value: u64) -> LweCiphertextOwned<u64> {
        self.either(phase, (value / 2).wrapping_neg(), value / 2)
    }

    /// `half` where the phase is from 0 to 1/2 and `-half` otherwise, plus `offset`: a polynomial of equal coefficients changes its sign with the half of
    /// the torus.
    fn either(&self, phase: LweCiphertextOwned<u64>, half: u64, offset: u64) -> LweCiphertextOwned<u64> {
        let mut table = self.table();
        table.get_mut_body().as_mut().fill(half);
        let table = LookupTableOwned { acc: table, degree: Degree::new(1) };
        let mut bit = shortint(self.set, phase);
        self.server_key.apply_lookup_table_assign(&mut bit, &table);
        add_to_body(&mut bit.ct, offset);
        bit.ct
    }

    /// One bootstrapping for two values: each where the phase is near -1/4, 0 where it is near 1/4 (within 1/8). Coefficient 0 of the rotated
    /// polynomial shows its middle half, coefficient N/2 the outer quarters.
    #[expect(clippy::expect_used, reason = "the table that was just made has two functions")]
    fn lower_half_twice(&self, phase: LweCiphertextOwned<u64>, values: [u64; 2]) -> [LweCiphertextOwned<u64>; 2] {
        let [first, second] = values.map(|value| value / 2);
        let size = self.set.parameters().polynomial_size.0;
        let mut table = self.table();
        for (index, coefficient) in table.get_mut_body().as_mut().iter_mut().enumerate() {
            *coefficient = match 4 * index / size {
                0 => second,
                1 | 2 => first.wrapping_neg(),
                _ => second.wrapping_neg(),
            };
        }
        let table = ManyLookupTableOwned {
            acc: table,
            input_max_degree: MaxDegree::new(1),
            sample_extraction_stride: size / 2,
            per_function_output_degree: vec![Degree::new(1); 2],
        };
        let bit = shortint(self.set, phase);
        let mut found = self.server_key.apply_many_lookup_table(&bit, &table).into_iter();
        [first, second].map(|half| {
            let mut lwe = found.next().expect("a table of two functions gives two results").ct;
            add_to_body(&mut lwe, half);
            lwe
        })
    }

    /// A table of zeros.
    fn table(&self) -> GlweCiphertextOwned<u64> {
        let parameters = self.set.parameters();
        GlweCiphertextOwned::new(
            0,
            parameters.glwe_dimension.to_glwe_size(),
            parameters.polynomial_size,
            CiphertextModulus::new_native(),
        )
    }
}

fn add_to_body(lwe: &mut LweCiphertextOwned<u64>, value: u64) {
    let body = lwe.get_mut_body().data;
    *body = body.wrapping_add(value);
}
