//! Scores in slots: the product of a probe with a roster, summed over the slots of each participant.

use super::arithmetic::Arithmetic;
use crate::error::Error;

/// The sum of a value's rotations by `stride`, `2 stride`, .., `(count - 1) stride`, itself included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationSum {
    /// Distance of the slots that are added.
    pub stride: usize,
    /// How many are added, a power of two.
    pub count: usize,
    /// How many images a stage adds, 2 or 4: with 4 half as many keys for half as many rotations again.
    pub radix: usize,
}

impl RotationSum {
    /// The rotations that need keys.
    pub fn steps(self) -> Vec<i64> {
        self.stages().map(|(step, _)| step).collect()
    }

    /// Each stage: the rotation, and how often it is applied.
    fn stages(self) -> impl Iterator<Item = (i64, usize)> {
        let radix = if self.radix >= 4 { 4 } else { 2 };
        std::iter::successors(Some(1), move |done| Some(done * radix)).take_while(move |&done| done < self.count).map(
            move |done| {
                let images = radix.min(self.count / done);
                ((self.stride * done) as i64, images - 1)
            },
        )
    }

    /// The sum in every slot. Refused where `count` is not a power of two.
    pub fn apply<A: Arithmetic>(self, arithmetic: &A, value: &A::Value) -> Result<A::Value, Error> {
        if !self.count.is_power_of_two() {
            return Err(Error::TooManyValues { found: self.count, capacity: self.count.next_power_of_two() / 2 });
        }
        self.stages().try_fold(value.clone(), |value, (step, times)| {
            // Horner: v + r(v + r(v + r v)).
            (0..times).try_fold(value.clone(), |sum, _| arithmetic.add(&value, &arithmetic.rotate_rows(&sum, step)?))
        })
    }
}

/// The inner products of a probe with the tokens of a roster: entry `d` of the token of participant `j` stands in slots `stride d + j` of a row, `stride` participants in a row.
/// The score of `j` comes out in all of these slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// How the entries of a token are added.
    pub sum: RotationSum,
}

impl Score {
    /// The scores, one level below the lower of both.
    pub fn apply<A: Arithmetic>(self, arithmetic: &A, probe: &A::Value, roster: &A::Value) -> Result<A::Value, Error> {
        let products = arithmetic.multiply_in_place(probe, roster)?;
        arithmetic.switch_down(&self.sum.apply(arithmetic, &products)?)
    }
}
