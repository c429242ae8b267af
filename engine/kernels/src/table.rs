//! Powers of the root `psi` and the order in which transforms use them.

use crate::modulus::Modulus;

/// `index` with its lowest `bits` bits reversed.
pub(crate) const fn bit_reverse(index: usize, bits: u32) -> usize {
    if bits == 0 { 0 } else { index.reverse_bits() >> (usize::BITS - bits) }
}

/// The exponent `2 * bitrev(i) + 1`: output `i` of the forward transform of size `n` is the value at `psi` to this power.
///
/// # Panics
/// If `n` is not a power of two or `i >= n`.
pub fn evaluation_exponent(n: usize, i: usize) -> usize {
    assert!(n.is_power_of_two() && i < n, "index {i} is outside a transform of size {n}");
    2 * bit_reverse(i, n.trailing_zeros()) + 1
}

/// Every power of a primitive `2n`-th root of unity `psi`; backends lay out their tables from it.
pub(crate) struct RootPowers {
    modulus: Modulus,
    /// `psi^k` for `k` in `[0, 2n)`.
    powers: Vec<u64>,
}

impl RootPowers {
    pub(crate) fn new(modulus: Modulus, n: usize, root: u64) -> Self {
        let powers = core::iter::successors(Some(1), |&power| Some(modulus.mul(power, root))).take(2 * n).collect();
        Self { modulus, powers }
    }

    pub(crate) fn modulus(&self) -> Modulus {
        self.modulus
    }

    /// The transform size `n`.
    pub(crate) fn n(&self) -> usize {
        self.powers.len() / 2
    }

    /// `psi^exponent`.
    pub(crate) fn power(&self, exponent: usize) -> u64 {
        self.powers[exponent % self.powers.len()]
    }

    /// `psi^-exponent`.
    pub(crate) fn inverse_power(&self, exponent: usize) -> u64 {
        self.power(self.powers.len() - exponent % self.powers.len())
    }

    /// Twiddle of block `block` in the forward layer that has `blocks` blocks: `psi^bitrev(blocks + block)`.
    pub(crate) fn forward_twiddle(&self, blocks: usize, block: usize) -> u64 {
        self.power(bit_reverse(blocks + block, self.n().trailing_zeros()))
    }

    /// Twiddle at `position` in the inverse layer that joins blocks of length `stride`: `psi^-(n / stride * position)`.
    pub(crate) fn inverse_twiddle(&self, stride: usize, position: usize) -> u64 {
        self.inverse_power(self.n() / stride * position)
    }

    /// Last factor of inverse coefficient `position`: `psi^-position / n`.
    pub(crate) fn untwist(&self, position: usize) -> u64 {
        // 1/n = -(p-1)/n mod p, since n divides p - 1.
        let p = self.modulus.value();
        let n_inverse = p - (p - 1) / self.n() as u64;
        self.modulus.mul(n_inverse, self.inverse_power(position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_the_odd_numbers_in_bit_reversed_order() {
        let exponents: Vec<usize> = (0..16).map(|i| evaluation_exponent(16, i)).collect();
        assert_eq!(exponents, [1, 17, 9, 25, 5, 21, 13, 29, 3, 19, 11, 27, 7, 23, 15, 31]);
        assert_eq!(bit_reverse(0, 0), 0);
        assert_eq!(bit_reverse(0b0011, 4), 0b1100);
    }

    #[test]
    fn untwisting_divides_by_the_size() {
        let modulus = Modulus::new(97).unwrap();
        let powers = RootPowers::new(modulus, 16, 19);
        assert_eq!(modulus.mul(powers.untwist(0), 16), 1);
        assert_eq!(modulus.mul(powers.untwist(5), powers.power(5)), powers.untwist(0));
    }
}
