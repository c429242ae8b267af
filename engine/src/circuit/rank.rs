//! The largest of encrypted values, or the `k` largest, as an encrypted one-hot (or `k`-hot) vector.
//!
//! All pairs are compared at once, one pair a slot; a value is among the `k` largest where it wins against at least `m - k` others. Equal values are ordered by their place, the first one
//! wins, so that exactly `k` slots of every `m` hold 1.

use super::arithmetic::{Arithmetic, Shape};
use super::compare::{Threshold, ValueSet, difference, fresh, input};
use super::plan::Circuit;
use super::score::RotationSum;
use crate::bfv::Context;
use crate::error::Error;
use crate::noise::NoiseBound;

/// How far above the noise of a rounding a value may be before it is multiplied with others of its kind.
const SETTLED_BITS: f64 = 2.0;

/// Where pairs of `m` candidates stand: slot `s` of a row compares candidate `s mod m` with candidate `(s / m) mod m`. Rows and repetitions hold the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairLayout {
    candidates: usize,
    row: usize,
}

impl PairLayout {
    /// Fewest candidates.
    pub const LEAST: usize = 2;

    /// For `candidates` values, rounded up to a power of two `m` with `m^2` at most half of the slots.
    pub fn new(context: &Context, candidates: usize) -> Result<Self, Error> {
        let slots = context.slot_count().ok_or(Error::NoSlots {
            plaintext: context.plaintext_modulus().value(),
            order: 2 * context.parameters().degree() as u64,
        })?;
        let row = slots / 2;
        let most = 1_usize << (row.ilog2() / 2);
        if !(Self::LEAST..=most).contains(&candidates) {
            return Err(Error::Candidates { found: candidates, least: Self::LEAST, most });
        }
        Ok(Self { candidates: candidates.next_power_of_two(), row })
    }

    /// How many candidates have a place: `m`.
    pub const fn candidates(self) -> usize {
        self.candidates
    }

    /// The first of the pair at a slot.
    pub const fn first(self, slot: usize) -> usize {
        slot % self.candidates
    }

    /// The second of the pair at a slot.
    pub const fn second(self, slot: usize) -> usize {
        slot % self.row / self.candidates % self.candidates
    }

    /// Both inputs of a ranking: in each slot twice the value of the first of its pair, plus the step where it wins a tie and less the step where it loses one; and twice the value
    /// of the second. `values` has one value for each place.
    pub fn spread(self, values: &[i64], step: u64) -> [Vec<i64>; 2] {
        let doubled = |place: usize| 2 * values.get(place).copied().unwrap_or_default();
        let tie = |slot| if self.first(slot) <= self.second(slot) { step as i64 } else { -(step as i64) };
        let slots = 0..2 * self.row;
        [
            slots.clone().map(|slot| doubled(self.first(slot)) + tie(slot)).collect(),
            slots.map(|slot| doubled(self.second(slot))).collect(),
        ]
    }

    /// The rotations by which the results against all opponents are brought together.
    const fn opponents(self) -> RotationSum {
        RotationSum { stride: self.candidates, count: self.candidates, radix: 4 }
    }
}

/// The `chosen` largest of the candidates: 1 in the slots whose first candidate is among them, 0 in the others.
///
/// Inputs are those of [`PairLayout::spread`]. A place that nobody has taken holds the smallest value; it comes after everybody who has that value and a smaller place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopK {
    layout: PairLayout,
    values: ValueSet,
    wins: Threshold,
    chosen: usize,
}

impl TopK {
    /// Refused unless `chosen` is at least one and below the number of places.
    pub fn new(layout: PairLayout, values: ValueSet, chosen: usize) -> Result<Self, Error> {
        let places = layout.candidates;
        if chosen == 0 || chosen >= places {
            return Err(Error::Choice { chosen, places });
        }
        let (width, step) = (values.maximum() - values.minimum(), values.step() as i64);
        let most = 2 * width + step;
        let wins = Threshold::new(ValueSet::new(-most, most, 2 * values.step())?, step)?;
        Ok(Self { layout, values, wins, chosen })
    }

    /// The values.
    pub const fn values(&self) -> ValueSet {
        self.values
    }

    /// Where pairs stand.
    pub const fn layout(&self) -> PairLayout {
        self.layout
    }

    /// The decisions, held with `factor`: a threshold on the number of wins. (A product over the opponents would need fewer products for one winner, but doubles the
    /// noise of the comparisons at every step.)
    pub fn apply<A: Arithmetic>(
        &self,
        arithmetic: &A,
        first: &A::Value,
        second: &A::Value,
        factor: u64,
    ) -> Result<A::Value, Error> {
        let wins = self.wins.apply(arithmetic, &difference(arithmetic, first, second)?, 1)?;
        let count = settle(arithmetic, self.layout.opponents().apply(arithmetic, &wins)?)?;
        let places = self.layout.candidates as i64;
        let enough = Threshold::new(ValueSet::new(1, places, 1)?, places - self.chosen as i64 + 1)?;
        enough.apply(arithmetic, &count, factor)
    }
}

/// The constants of a polynomial leave a noise that the powers of the next one would multiply: it is brought down to little more than a rounding first.
fn settle<A: Arithmetic>(arithmetic: &A, value: A::Value) -> Result<A::Value, Error> {
    let floor = NoiseBound::rounding(2, arithmetic.context().parameters().degree()).canonical_log2();
    let mut value = value;
    while arithmetic.shape(&value).noise.canonical_log2() > floor + SETTLED_BITS {
        value = arithmetic.switch_down(&value)?;
    }
    Ok(value)
}

impl Circuit for TopK {
    fn name(&self) -> String {
        format!("the {} largest of {} candidates", self.chosen, self.layout.candidates)
    }

    fn inputs(&self, context: &Context) -> Result<Vec<Shape>, Error> {
        Ok(vec![fresh(context); 2])
    }

    fn run<A: Arithmetic>(&self, arithmetic: &A, inputs: &[A::Value]) -> Result<Vec<A::Value>, Error> {
        let (first, second) = (input(inputs, 0, inputs.len())?, input(inputs, 1, inputs.len())?);
        Ok(vec![self.apply(arithmetic, first, second, 1)?])
    }
}
