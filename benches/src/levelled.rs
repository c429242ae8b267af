//! The verbs that circuits are made of, at `decide-32768`: a product that is relinearized and one level lower, a linear combination, a rotation.

use std::collections::BTreeSet;

use blindrelay_engine::bfv::{Ciphertext, Evaluator};
use blindrelay_engine::params::{DECIDE_32768, Level};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_kernels::Backend;
use blindrelay_keyholder::{KeyRequirements, SecretKey, hazmat};

use crate::random::SplitMix64;
use crate::{Error, agree, room};

/// Terms of the linear combination: as many as a stage of a polynomial of degree 128 has.
pub const TERMS: usize = 8;

/// Two fresh ciphertexts at the highest level, with the keys to multiply and rotate them.
pub struct Levelled {
    evaluator: Evaluator,
    keys: EvaluationKeys,
    pair: [Ciphertext; 2],
    level: Level,
}

impl Levelled {
    /// Refused where any verb opens to other values than the clear ones.
    pub fn new(backend: Backend) -> Result<Self, Error> {
        let context = room::context(DECIDE_32768, backend)?;
        let key = SecretKey::from_seed(&context, Seed::from_bytes([15; 32]));
        let (degree, level) = (context.parameters().degree(), context.parameters().top_level());
        let galois = BTreeSet::from([GaloisElement::row_rotation(1, degree)]);
        let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois });
        let mut random = SplitMix64::new(10);
        let values = [random.signed(180, degree), random.signed(180, degree)];
        let [x, y] = &values;
        let encrypt = |values: &[i64]| -> Result<Ciphertext, Error> {
            Ok(key.encrypt(&context.encode_slots(values)?)?.expand(&context)?)
        };
        let verbs = Self { evaluator: Evaluator::new(&context), keys, pair: [encrypt(x)?, encrypt(y)?], level };
        let open = |found: &Ciphertext| -> Result<Vec<i64>, Error> {
            Ok(context.decode_slots(&hazmat::decrypt(&key, found)?)?)
        };
        let t = context.plaintext_modulus();
        // A product within the basis gains the factor Q mod t.
        let gained = context.modulus_residue(level);
        let products: Vec<i64> = x.iter().zip(y).map(|(x, y)| t.centre(t.mul(gained, t.from_signed(x * y)))).collect();
        let clear: Vec<i64> = x.iter().zip(y).map(|(x, y)| x * y).collect();
        let factors = factors();
        let of_x: i64 = factors.iter().step_by(2).sum();
        let of_y: i64 = factors.iter().skip(1).step_by(2).sum();
        let sums: Vec<i64> = x.iter().zip(y).map(|(x, y)| t.centre(t.from_signed(of_x * x + of_y * y))).collect();
        let (upper, lower) = x.split_at(degree / 2);
        let turned = |row: &[i64]| row.iter().cycle().skip(1).take(row.len()).copied().collect::<Vec<_>>();
        agree("levelled product", "blindrelay", &open(&verbs.product()?)?, &products)?;
        agree("general product", "blindrelay", &open(&verbs.general_product()?)?, &clear)?;
        agree("linear combination", "blindrelay", &open(&verbs.combination()?)?, &sums)?;
        agree("rotation", "blindrelay", &open(&verbs.rotated()?)?, &[turned(upper), turned(lower)].concat())?;
        Ok(verbs)
    }

    /// The product, relinearized and one level lower.
    pub fn product(&self) -> Result<Ciphertext, Error> {
        let [a, b] = &self.pair;
        Ok(self.evaluator.multiply_add_and_switch_down(a, b, None, &self.keys)?)
    }

    /// The general product of the scheme, relinearized, at the level of its operands: what products within the basis save.
    pub fn general_product(&self) -> Result<Ciphertext, Error> {
        let [a, b] = &self.pair;
        Ok(self.evaluator.multiply_relinearize(a, b, &self.keys)?)
    }

    /// The sum of [`TERMS`] ciphertexts, each times a constant.
    pub fn combination(&self) -> Result<Ciphertext, Error> {
        let terms: Vec<(&Ciphertext, i64)> = self.pair.iter().cycle().zip(factors()).collect();
        Ok(self.evaluator.linear_combination(&terms, self.level)?)
    }

    /// The first ciphertext, both rows rotated by one slot.
    pub fn rotated(&self) -> Result<Ciphertext, Error> {
        let [a, _] = &self.pair;
        Ok(self.evaluator.rotate_rows(a, 1, &self.keys)?)
    }
}

/// Constants of the size that coefficients of a polynomial have.
fn factors() -> [i64; TERMS] {
    std::array::from_fn(|term| 30_011 - 7_919 * term as i64)
}
