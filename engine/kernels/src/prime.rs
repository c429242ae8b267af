//! Primality and the search for NTT-friendly primes.

use crate::error::KernelError;

fn mul_mod(a: u64, b: u64, m: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(m)) as u64
}

fn pow_mod(mut base: u64, mut exponent: u64, m: u64) -> u64 {
    let mut result = 1 % m;
    base %= m;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = mul_mod(result, base, m);
        }
        base = mul_mod(base, base, m);
        exponent >>= 1;
    }
    result
}

/// Whether `n` is prime: Miller-Rabin with the first twelve primes as bases, which is deterministic for every `u64`
/// (Sorenson and Webster, *Strong pseudoprimes to twelve prime bases*, 2015).
pub fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 {
        return false;
    }
    for p in BASES {
        if n.is_multiple_of(p) {
            return n == p;
        }
    }
    let shift = (n - 1).trailing_zeros();
    let odd = (n - 1) >> shift;
    BASES.iter().all(|&base| {
        let mut x = pow_mod(base, odd, n);
        if x == 1 || x == n - 1 {
            return true;
        }
        for _ in 1..shift {
            x = mul_mod(x, x, n);
            if x == n - 1 {
                return true;
            }
        }
        false
    })
}

/// The `count` largest primes below `2^bits` that are congruent to 1 modulo `step`, largest first, all above `2^(bits-1)`.
///
/// `bits` is in `[2, 50]`; `step` is usually `2 n`, or `2 n t` where the primes shall also be 1 modulo a plaintext modulus.
pub fn ntt_primes_below(bits: u32, step: u64, count: usize) -> Result<Vec<u64>, KernelError> {
    let below = 1_u64 << bits.min(50);
    let low_bits = bits.min(50) - 1;
    let mut found = Vec::with_capacity(count);
    let mut candidate = (below - 2) / step.max(1) * step.max(1) + 1;
    while found.len() < count && candidate > (1 << low_bits) {
        if is_prime(candidate) {
            found.push(candidate);
        }
        match candidate.checked_sub(step.max(1)) {
            Some(next) => candidate = next,
            None => break,
        }
    }
    if found.len() < count { Err(KernelError::NoPrime { wanted: count, step, below, low_bits }) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_agree_with_trial_division() {
        for n in 0..5000_u64 {
            let by_division = n >= 2 && (2..n).take_while(|d| d * d <= n).all(|d| n % d != 0);
            assert_eq!(is_prime(n), by_division, "{n}");
        }
    }

    #[test]
    fn strong_pseudoprimes_are_refused() {
        for n in [2_047, 1_373_653, 3_215_031_751, 3_474_749_660_383, 341_550_071_728_321, 3_825_123_056_546_413_051] {
            assert!(!is_prime(n), "{n}");
        }
    }

    #[test]
    fn search_returns_descending_primes_of_the_right_form() {
        let primes = ntt_primes_below(41, 8192, 4).unwrap();
        assert_eq!(primes.len(), 4);
        assert!(primes.windows(2).all(|w| w[0] > w[1]));
        assert!(primes.iter().all(|&p| is_prime(p) && p % 8192 == 1 && p >> 40 == 1));
        assert!(ntt_primes_below(17, 1 << 16, 2).is_err());
    }
}
