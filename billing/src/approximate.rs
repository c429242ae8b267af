//! Charges in approximate arithmetic, for those who want fractions rather than cents: quantities times prices in CKKS, with the error bound stated.
//!
//! [`crate::Charging`] is exact and what invoices are made of. This is the same product on real numbers: quantities and prices need no common denominator, results may be
//! scaled and summed further on ciphertexts, and every result is off by at most a bound that is known before anything is encrypted.

use std::sync::Arc;

use blindrelay_engine::Error;
use blindrelay_engine::ckks::{Arithmetic, Ciphertext, Context, Encoding, Evaluator, Plaintext, Planner, Scale, Shape};
use blindrelay_engine::rlwe::EvaluationKeys;

/// Bits that quantities, prices and their product have to share after one rescaling, with a sum over all slots of the smallest set on top.
const SHARED_BITS: f64 = 108.0;
/// Beyond this scale an encoding in double precision gains nothing.
const LARGEST_SCALE: i32 = 56;

/// Charges of up to one line a slot, for declared ranges of quantities and prices.
#[derive(Clone, Debug)]
pub struct ApproximateCharging {
    evaluator: Evaluator,
    quantities: Encoding,
    prices: Encoding,
    encrypted: Shape,
    public: Shape,
    totals: [Shape; 2],
}

impl ApproximateCharging {
    /// For quantities and prices up to these magnitudes. Scales are chosen as large as a product and a total over all slots leave room for. Refused where
    /// a range is not positive and finite or the parameter set has no room for the product.
    pub fn new(context: &Arc<Context>, quantity_limit: f64, price_limit: f64) -> Result<Self, Error> {
        let room = (SHARED_BITS - libm::log2((quantity_limit * price_limit).max(1.0))) / 2.0;
        let scale = Scale::power_of_two((room as i32).clamp(20, LARGEST_SCALE));
        let encoding = |limit| context.encoding().with_scale(scale.clone()).within(limit);
        let (quantities, prices) = (encoding(quantity_limit), encoding(price_limit));
        let planner = Planner::new(context);
        let usage = planner.fresh(&quantities)?;
        let encrypted = planner.multiply_rescale(&usage, &planner.fresh(&prices)?)?;
        let public = planner.rescale(&planner.mul_plain(&usage, &prices)?)?;
        let total = |charge: &Shape| planner.sum_slots(charge, context.slot_count());
        let totals = [total(&encrypted)?, total(&public)?];
        Ok(Self { evaluator: Evaluator::new(context), quantities, prices, encrypted, public, totals })
    }

    /// Quantities, one a line; refused above the declared limit, and where one is not finite.
    pub fn encode_quantities(&self, quantities: &[f64]) -> Result<Plaintext, Error> {
        self.evaluator.context().encode_real(quantities, &self.quantities)
    }

    /// Prices in currency units, one a line.
    pub fn encode_prices(&self, prices: &[f64]) -> Result<Plaintext, Error> {
        self.evaluator.context().encode_real(prices, &self.prices)
    }

    /// The charge of every line under encrypted prices.
    pub fn charge(
        &self,
        quantities: &Ciphertext,
        prices: &Ciphertext,
        keys: &EvaluationKeys,
    ) -> Result<Ciphertext, Error> {
        self.evaluator.multiply_rescale(quantities, prices, keys)
    }

    /// The charge of every line under public prices; no key is needed.
    pub fn charge_public(&self, quantities: &Ciphertext, prices: &Plaintext) -> Result<Ciphertext, Error> {
        self.evaluator.rescale(&self.evaluator.mul_plain(quantities, prices)?)
    }

    /// The sum of all lines' charges, in every slot.
    pub fn total(&self, charges: &Ciphertext, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.evaluator.sum_slots(charges, self.evaluator.context().slot_count(), keys)
    }

    /// What [`ApproximateCharging::charge`] gives of public-key encryptions: opened against this, and its error bound is the charges', in currency units.
    pub fn charge_shape(&self) -> &Shape {
        &self.encrypted
    }

    /// What [`ApproximateCharging::charge_public`] gives.
    pub fn charge_public_shape(&self) -> &Shape {
        &self.public
    }

    /// What [`ApproximateCharging::total`] gives of charges under encrypted prices.
    pub fn total_shape(&self) -> &Shape {
        let [total, _] = &self.totals;
        total
    }

    /// What [`ApproximateCharging::total`] gives of charges under public prices.
    pub fn total_public_shape(&self) -> &Shape {
        let [_, total] = &self.totals;
        total
    }
}
