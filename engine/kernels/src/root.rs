//! Primitive roots of unity of order `2n`, the points at which the negacyclic NTT evaluates.

use crate::error::KernelError;
use crate::modulus::Modulus;

/// Smallest transform size.
pub const MIN_SIZE: usize = 16;
/// Largest transform size.
pub const MAX_SIZE: usize = 65_536;

/// The smallest primitive `2n`-th root of unity modulo `p`: the smallest `psi` with `psi^n = -1`.
///
/// Deterministic, so that two parties with the same parameters agree on the transform. Fails if `n` is not a power of two
/// in `[16, 65536]` or if `2n` does not divide `p - 1`.
pub(crate) fn smallest_primitive_root(modulus: Modulus, n: usize) -> Result<u64, KernelError> {
    if !n.is_power_of_two() || !(MIN_SIZE..=MAX_SIZE).contains(&n) {
        return Err(KernelError::Size { n });
    }
    let p = modulus.value();
    let order = 2 * n as u64;
    if !(p - 1).is_multiple_of(order) {
        return Err(KernelError::NoRoot { modulus: p, order });
    }
    // x^((p-1)/2n) has order 2n exactly if x is no square: half of all x, so the search ends after a few steps.
    let any = (2..p)
        .map(|x| modulus.pow(x, (p - 1) / order))
        .find(|&root| modulus.pow(root, n as u64) == p - 1)
        .ok_or(KernelError::NoRoot { modulus: p, order })?;
    // The primitive roots are the odd powers of any one of them.
    let square = modulus.mul(any, any);
    let (smallest, _) =
        (0..n).fold((any, any), |(smallest, power), _| (smallest.min(power), modulus.mul(power, square)));
    Ok(smallest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prime::ntt_primes_below;

    #[test]
    fn root_is_primitive_and_the_smallest() {
        // Primes small enough that every smaller number can be tried.
        for (p, n) in
            [(97, 16), (193, 32), (257, 128), (7681, 256), (12_289, 2048), (65_537, 32_768), (786_433, 65_536)]
        {
            let modulus = Modulus::new(p).unwrap();
            let root = smallest_primitive_root(modulus, n).unwrap();
            let first = (2..p).find(|&x| modulus.pow(x, n as u64) == p - 1).unwrap();
            assert_eq!(root, first, "p = {p}, n = {n}");
        }
        for bits in [30, 41, 50] {
            let modulus = Modulus::new(ntt_primes_below(bits, 1 << 13, 1).unwrap()[0]).unwrap();
            let root = smallest_primitive_root(modulus, 4096).unwrap();
            assert_eq!(modulus.pow(root, 4096), modulus.value() - 1);
            let odd_powers = (0..4096_u64).map(|k| modulus.pow(root, 2 * k + 1));
            assert_eq!(odd_powers.min(), Some(root));
        }
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let modulus = Modulus::new(97).unwrap();
        for n in [0, 1, 8, 24, 131_072] {
            assert_eq!(smallest_primitive_root(modulus, n), Err(KernelError::Size { n }));
        }
        let order = 64;
        assert_eq!(smallest_primitive_root(modulus, 32), Err(KernelError::NoRoot { modulus: 97, order }));
    }
}
