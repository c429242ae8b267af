//! `v = round(sum y_i / q_i)`: in fixed point almost always, with integers of full length where that cannot decide.

use crate::modulus::Modulus;
use crate::reduction::high_52;
use crate::rns::MAX_RNS_LIMBS;

/// Fixed-point fractions are in units of 2^-51.
const FRACTION_BITS: u32 = 51;
/// Words for `Q` and 64 bits more.
const MAX_WORDS: usize = (MAX_RNS_LIMBS * crate::modulus::MAX_MODULUS_BITS as usize).div_ceil(64) + 1;

/// The integers `Q` and `Q / q_i` in 64-bit words, least significant first.
#[derive(Clone, Debug)]
pub(crate) struct Rounding {
    product: Vec<u64>,
    cofactors: Vec<Vec<u64>>,
}

impl Rounding {
    pub(crate) fn new(basis: &[Modulus]) -> Self {
        let bits = basis.iter().map(|q| q.bits() as usize).sum::<usize>();
        let words = bits.div_ceil(64) + 1;
        let product_without = |skipped: Option<usize>| {
            let mut product = vec![0; words];
            product[0] = 1;
            for (_, q) in basis.iter().enumerate().filter(|&(i, _)| Some(i) != skipped) {
                let mut carry = 0_u128;
                for word in &mut product {
                    carry += u128::from(*word) * u128::from(q.value());
                    *word = carry as u64;
                    carry >>= 64;
                }
            }
            product
        };
        Self { product: product_without(None), cofactors: (0..basis.len()).map(|i| product_without(Some(i))).collect() }
    }

    /// `1/2` in fixed point, the start of the sum of [`Self::fraction`]s.
    pub(crate) const HALF: u64 = 1 << (FRACTION_BITS - 1);

    /// `y / q` for a canonical residue, at most two units too small: `barrett = 2^(51 + bits) / q` loses less than one unit
    /// by its own rounding, and the product less than one more.
    #[inline]
    pub(crate) fn fraction(modulus: Modulus, y: u64) -> u64 {
        high_52(y << (52 - modulus.bits()), modulus.barrett())
    }

    /// Fractional parts of the sum from here on may belong to the next integer: each of the fractions is less than two
    /// units too small.
    #[inline]
    pub(crate) fn doubtful_from(&self) -> u64 {
        (1 << FRACTION_BITS) - 2 * self.cofactors.len() as u64
    }

    /// `v`, from the sum of [`Self::HALF`] and all fractions, for the residues `y(i)`.
    #[inline]
    pub(crate) fn round(&self, sum: u64, y: impl Fn(usize) -> u64) -> u64 {
        let floor = sum >> FRACTION_BITS;
        let fraction = sum & ((1 << FRACTION_BITS) - 1);
        if fraction < self.doubtful_from() { floor } else { self.decide(floor, y) }
    }

    /// `floor` or `floor + 1`, whichever is `round(sum y_i / q_i)`: the sign of
    /// `2 * sum y_i * (Q / q_i) - (2 * floor + 1) * Q`, which is odd and so never zero, tells.
    #[cold]
    fn decide(&self, floor: u64, y: impl Fn(usize) -> u64) -> u64 {
        let words = self.product.len();
        let mut difference = [0_u64; MAX_WORDS];
        let difference = &mut difference[..words];
        for (i, cofactor) in self.cofactors.iter().enumerate() {
            let factor = 2 * y(i);
            let mut carry = 0_u128;
            for (word, &cofactor) in difference.iter_mut().zip(cofactor) {
                carry += u128::from(*word) + u128::from(cofactor) * u128::from(factor);
                *word = carry as u64;
                carry >>= 64;
            }
        }
        let factor = 2 * floor + 1;
        let (mut carry, mut borrow) = (0_u128, false);
        for (word, &product) in difference.iter_mut().zip(&self.product) {
            carry += u128::from(product) * u128::from(factor);
            let (next, borrow_of_product) = word.overflowing_sub(carry as u64);
            let (next, borrow_of_borrow) = next.overflowing_sub(u64::from(borrow));
            *word = next;
            borrow = borrow_of_product || borrow_of_borrow;
            carry >>= 64;
        }
        floor + u64::from(!borrow)
    }
}
