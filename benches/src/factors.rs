//! Two encrypted vectors with the keys to multiply and to rotate them, on our side and at the peer, at N = 8192.

use std::collections::BTreeSet;

use blindrelay_engine::bfv::{Ciphertext, Evaluator};
use blindrelay_engine::params::BILL_8192;
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_kernels::Backend;
use blindrelay_keyholder::{KeyRequirements, SecretKey, hazmat};
use fhe::bfv::{Ciphertext as PeerCiphertext, EvaluationKey, Multiplicator};

use crate::peer::{self, KeyHolder};
use crate::random::SplitMix64;
use crate::{Error, agree, room};

/// The ring degree of both sides.
pub const DEGREE: usize = 8192;

/// Our side.
pub struct Factors {
    key: SecretKey,
    evaluator: Evaluator,
    keys: EvaluationKeys,
    pair: [Ciphertext; 2],
}

/// The peer's side.
pub struct PeerFactors {
    holder: KeyHolder,
    multiplicator: Multiplicator,
    rotation: EvaluationKey,
    pair: [PeerCiphertext; 2],
}

/// The clear values: two rows of slots, so small that their products fit the peer's plaintext modulus.
struct Clear {
    factors: [Vec<i64>; 2],
    product: Vec<i64>,
    rotated: Vec<i64>,
}

impl Clear {
    fn new() -> Self {
        let mut random = SplitMix64::new(3);
        let factors = [random.signed(180, DEGREE), random.signed(180, DEGREE)];
        let [x, y] = &factors;
        let product = x.iter().zip(y).map(|(x, y)| x * y).collect();
        let (upper, lower) = x.split_at(DEGREE / 2);
        let rotated =
            [upper, lower].iter().flat_map(|row| row.iter().cycle().skip(1).take(row.len())).copied().collect();
        Self { factors, product, rotated }
    }
}

impl Factors {
    /// Refused where product or rotation open to something else than the clear ones.
    pub fn new(backend: Backend) -> Result<Self, Error> {
        let context = room::context(BILL_8192, backend)?;
        let key = SecretKey::from_seed(&context, Seed::from_bytes([8; 32]));
        let galois = BTreeSet::from([GaloisElement::row_rotation(1, DEGREE)]);
        let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois });
        let encrypt = |values: &[i64]| -> Result<Ciphertext, Error> {
            Ok(key.encrypt(&context.encode_slots(values)?)?.expand(&context)?)
        };
        let clear = Clear::new();
        let [x, y] = &clear.factors;
        let pair = [encrypt(x)?, encrypt(y)?];
        let factors = Self { evaluator: Evaluator::new(&context), keys, pair, key };
        agree("product", "blindrelay", &factors.decrypt(&factors.product()?)?, &clear.product)?;
        agree("rotation", "blindrelay", &factors.decrypt(&factors.rotated()?)?, &clear.rotated)?;
        Ok(factors)
    }

    /// Product and relinearization.
    pub fn product(&self) -> Result<Ciphertext, Error> {
        let [a, b] = &self.pair;
        Ok(self.evaluator.multiply_relinearize(a, b, &self.keys)?)
    }

    /// The first factor, rotated by one slot.
    pub fn rotated(&self) -> Result<Ciphertext, Error> {
        let [a, _] = &self.pair;
        Ok(self.evaluator.rotate_rows(a, 1, &self.keys)?)
    }

    /// The parameters in words.
    pub fn parameters(&self) -> String {
        let context = self.evaluator.context();
        let (bits, t) = (context.parameters().modulus_bits(), context.plaintext_modulus().value());
        format!("{BILL_8192}: N={DEGREE} log2(Q)={bits} t={t}")
    }

    fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Vec<i64>, Error> {
        Ok(self.evaluator.context().decode_slots(&hazmat::decrypt(&self.key, ciphertext)?)?)
    }
}

impl PeerFactors {
    /// Refused where product or rotation open to something else than the clear ones.
    pub fn new() -> Result<Self, Error> {
        let holder = KeyHolder::slots(DEGREE)?;
        let (multiplicator, rotation) = (holder.multiplicator()?, holder.rotations([1])?);
        let clear = Clear::new();
        let [x, y] = &clear.factors;
        let pair = [holder.encrypt(x)?, holder.encrypt(y)?];
        let factors = Self { holder, multiplicator, rotation, pair };
        agree("product", "fhe", &factors.holder.decrypt(&factors.product()?)?, &clear.product)?;
        agree("rotation", "fhe", &factors.holder.decrypt(&factors.rotated()?)?, &clear.rotated)?;
        Ok(factors)
    }

    /// Product and relinearization.
    pub fn product(&self) -> Result<PeerCiphertext, Error> {
        let [a, b] = &self.pair;
        Ok(self.multiplicator.multiply(a, b)?)
    }

    /// The first factor, rotated by one slot.
    pub fn rotated(&self) -> Result<PeerCiphertext, Error> {
        let [a, _] = &self.pair;
        Ok(self.rotation.rotates_columns_by(a, 1)?)
    }

    /// The parameters in words.
    pub fn parameters(&self) -> String {
        peer::describe(self.holder.parameters(), peer::DEFAULT)
    }
}
