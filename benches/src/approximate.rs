//! Approximate numbers: two encrypted vectors with the keys to multiply, rotate and sum them. No crate for stable Rust offers the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use blindrelay_engine::ckks::{Ciphertext, Context, Encoding, Evaluator, Plaintext, Planner, Shape};
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::{EvaluationKeys, PublicKey};
use blindrelay_kernels::Backend;
use blindrelay_keyholder::{KeyRequirements, SecretKey, hazmat};

use crate::random::SplitMix64;
use crate::{Error, agree};

/// How many slots are added up.
pub const SUMMED: usize = 4096;

/// Two vectors of real numbers from -1 to 1, one a slot.
pub struct Numbers {
    key: SecretKey<Context>,
    public: PublicKey,
    evaluator: Evaluator,
    keys: EvaluationKeys,
    encoding: Encoding,
    fresh: Shape,
    values: Vec<f64>,
    plaintext: Plaintext,
    pair: [Ciphertext; 2],
}

impl Numbers {
    /// Refused where any operation opens to values farther from the clear ones than its own bound.
    pub fn new(set: &str, backend: Backend) -> Result<Self, Error> {
        let context = Context::new(&Parameters::new(preset(set)?, backend)?)?;
        let key = SecretKey::from_seed(&context, Seed::from_bytes([10; 32]));
        let mut galois: BTreeSet<GaloisElement> = context.sum_slots_elements(SUMMED).into_iter().collect();
        galois.insert(GaloisElement::row_rotation(1, context.parameters().degree()));
        let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois });
        let (public, encoding) = (key.public_key(), context.encoding());
        let fresh = Planner::new(&context).fresh(&encoding)?;
        let mut random = SplitMix64::new(6);
        let mut numbers = || -> Vec<f64> {
            random.signed(1 << 40, context.slot_count()).into_iter().map(|n| n as f64 / (1_u64 << 40) as f64).collect()
        };
        let (x, y) = (numbers(), numbers());
        let plaintext = context.encode_real(&x, &encoding)?;
        let pair =
            [context.encrypt(&plaintext, &public)?, context.encrypt(&context.encode_real(&y, &encoding)?, &public)?];
        let evaluator = Evaluator::new(&context);
        let numbers = Self { key, public, evaluator, keys, encoding, fresh, values: x, plaintext, pair };
        numbers.check(&y)?;
        Ok(numbers)
    }

    fn check(&self, y: &[f64]) -> Result<(), Error> {
        let x = &self.values;
        let near = |subject: &str, ciphertext: &Ciphertext, expected: &[f64]| {
            let found = hazmat::decrypt_approximate(&self.key, ciphertext)?;
            let bound = ciphertext.error_bound();
            let within = found.iter().zip(expected).all(|(z, x)| (z.re - x).hypot(z.im) <= bound);
            agree(subject, "blindrelay", &(within && found.len() == expected.len()), &true)
        };
        let turned: Vec<f64> = x.iter().cycle().skip(1).take(x.len()).copied().collect();
        let products: Vec<f64> = x.iter().zip(y).map(|(x, y)| x * y).collect();
        // From one sum to the next, one value leaves and one enters.
        let mut sum: f64 = x.iter().take(SUMMED).sum();
        let mut sums = Vec::with_capacity(x.len());
        for (leaving, entering) in x.iter().zip(x.iter().cycle().skip(SUMMED)) {
            sums.push(sum);
            sum += entering - leaving;
        }
        near("CKKS encryption", &self.encrypted()?, x)?;
        near("CKKS product", &self.product()?, &products)?;
        near("CKKS rotation", &self.rotated()?, &turned)?;
        near("CKKS sum", &self.summed()?, &sums)?;
        let opened = self.key.open(&self.encrypted()?, &self.fresh)?;
        let within = opened.values.iter().zip(x).all(|(found, x)| (found - x).abs() <= opened.error_bound);
        agree("CKKS opening", "blindrelay", &within, &true)
    }

    /// One vector, encoded.
    pub fn encoded(&self) -> Result<Plaintext, Error> {
        Ok(self.context().encode_real(&self.values, &self.encoding)?)
    }

    /// The encoded vector, encrypted under the public key.
    pub fn encrypted(&self) -> Result<Ciphertext, Error> {
        Ok(self.context().encrypt(&self.plaintext, &self.public)?)
    }

    /// The product of both vectors, relinearized and rescaled.
    pub fn product(&self) -> Result<Ciphertext, Error> {
        let [a, b] = &self.pair;
        Ok(self.evaluator.multiply_rescale(a, b, &self.keys)?)
    }

    /// The first vector, rotated by one slot.
    pub fn rotated(&self) -> Result<Ciphertext, Error> {
        let [a, _] = &self.pair;
        Ok(self.evaluator.rotate(a, 1, &self.keys)?)
    }

    /// In every slot the sum of 4,096 slots of the first vector.
    pub fn summed(&self) -> Result<Ciphertext, Error> {
        let [a, _] = &self.pair;
        Ok(self.evaluator.sum_slots(a, SUMMED, &self.keys)?)
    }

    /// The first vector, opened and rounded to what is certified.
    pub fn opened(&self) -> Result<Vec<f64>, Error> {
        let [a, _] = &self.pair;
        Ok(self.key.open(a, &self.fresh)?.values.to_vec())
    }

    /// The parameters in words.
    pub fn parameters(&self) -> String {
        let parameters = self.context().parameters();
        let (degree, bits) = (parameters.degree(), parameters.modulus_bits());
        format!("{}: N={degree} log2(QP)={bits} scale=2^40", parameters.name())
    }

    fn context(&self) -> &Arc<Context> {
        self.evaluator.context()
    }
}
