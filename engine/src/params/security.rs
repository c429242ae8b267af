//! How large `log2(QP)` may be for each ring degree.
//!
//! Secrets are uniform ternary and errors have standard deviation 3.24. The default policy is 128 bits against the conservative
//! post-quantum core-SVP count, `2^(0.265 b)` for BKZ block size `b` (Alkim, Ducas, Poeppelmann, Schwabe, *Post-quantum key
//! exchange: a new hope*, section 6). `Classical128` is the table of *Security Guidelines for Implementing
//! Homomorphic Encryption* (Bossuat et al., 2024) and has to be asked for.

/// Which table limits the modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityPolicy {
    /// 128 bits, post-quantum, core-SVP. The default.
    Pq128,
    /// 128 bits, classical, 2024 guidelines.
    Classical128,
    /// No limit: for tests that need tiny rings. Exists only with the cargo feature `insecure-parameters`.
    #[cfg(feature = "insecure-parameters")]
    InsecureTestOnly,
}

/// One row of the two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceiling {
    /// Ring degree `n`.
    pub degree: usize,
    /// Largest bit length of `Q P` under [`SecurityPolicy::Pq128`].
    pub pq128: u32,
    /// Largest bit length of `Q P` under [`SecurityPolicy::Classical128`].
    pub classical128: u32,
}

/// The two tables.
pub const CEILINGS: [Ceiling; 6] = [
    Ceiling { degree: 2048, pq128: 41, classical128: 53 },
    Ceiling { degree: 4096, pq128: 82, classical128: 106 },
    Ceiling { degree: 8192, pq128: 165, classical128: 214 },
    Ceiling { degree: 16384, pq128: 329, classical128: 430 },
    Ceiling { degree: 32768, pq128: 659, classical128: 868 },
    Ceiling { degree: 65536, pq128: 1317, classical128: 1747 },
];

impl SecurityPolicy {
    /// The largest bit length of `Q P` for this degree; zero where the policy allows none.
    pub fn max_modulus_bits(self, degree: usize) -> u32 {
        let row = CEILINGS.iter().find(|row| row.degree == degree);
        match self {
            Self::Pq128 => row.map_or(0, |row| row.pq128),
            Self::Classical128 => row.map_or(0, |row| row.classical128),
            #[cfg(feature = "insecure-parameters")]
            Self::InsecureTestOnly => u32::MAX,
        }
    }

    /// The policy's name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pq128 => "Pq128",
            Self::Classical128 => "Classical128",
            #[cfg(feature = "insecure-parameters")]
            Self::InsecureTestOnly => "InsecureTestOnly",
        }
    }
}

/// Bit length of the product of the given integers, exactly.
pub(super) fn product_bits(factors: &[u64]) -> u32 {
    let mut words = vec![1_u64];
    for &factor in factors {
        let mut carry = 0;
        for word in &mut words {
            let wide = u128::from(*word) * u128::from(factor) + carry;
            *word = wide as u64;
            carry = wide >> 64;
        }
        if carry > 0 {
            words.push(carry as u64);
        }
    }
    let top = words.last().map_or(0, |word| u64::BITS - word.leading_zeros());
    (words.len() as u32 - 1) * u64::BITS + top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_bits_are_exact() {
        assert_eq!(product_bits(&[]), 1);
        assert_eq!(product_bits(&[1 << 40, 1 << 40]), 81);
        assert_eq!(product_bits(&[(1 << 41) - 1, (1 << 41) - 1]), 82);
        assert_eq!(product_bits(&[3, 5]), 4);
        assert_eq!(product_bits(&[1 << 49; 20]), 981);
    }

    #[test]
    fn the_post_quantum_table_is_the_stricter_one_and_grows() {
        assert!(CEILINGS.iter().all(|row| row.pq128 < row.classical128));
        assert!(CEILINGS.windows(2).all(|w| w[1].degree == 2 * w[0].degree && w[1].pq128 > w[0].pq128));
    }
}
