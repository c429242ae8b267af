//! Centred integers from their residues, by balanced mixed-radix digits (Garner, *The residue number system*, 1959).

use blindrelay_engine::Modulus;
use blindrelay_engine::ring::{Coeff, Poly};
use zeroize::Zeroizing;

/// The coefficients in `(-Q/2, Q/2)` as doubles: exact below 2^53, and with a relative error of less than 2^-50 above.
///
/// With digits in `(-q_i/2, q_i/2)` for odd primes, `d_0 + d_1 q_0 + d_2 q_0 q_1 + ..` runs through exactly the centred range, so that no
/// sign has to be found out and small integers have no large digits that would cancel.
pub(crate) fn centred(poly: &Poly<Coeff>) -> Zeroizing<Vec<f64>> {
    let radix = MixedRadix::new(&poly.basis().moduli());
    let limbs: Vec<&[u64]> = poly.limbs().map(|(_, values)| values).collect();
    let mut digits = Zeroizing::new(Vec::with_capacity(limbs.len()));
    let value = |position: usize| {
        let residues = limbs.iter().filter_map(|limb| limb.get(position).copied());
        radix.value(residues, &mut digits)
    };
    Zeroizing::new((0..poly.degree()).map(value).collect())
}

struct MixedRadix {
    moduli: Vec<Modulus>,
    /// For prime `i`: the radices below it modulo `q_i`, and the inverse of their product.
    tables: Vec<(Vec<u64>, u64)>,
}

impl MixedRadix {
    fn new(moduli: &[Modulus]) -> Self {
        let tables = moduli
            .iter()
            .enumerate()
            .map(|(index, &modulus)| {
                let mut radix = 1;
                let mut radices = Vec::with_capacity(index);
                for earlier in moduli.iter().take(index) {
                    radices.push(radix);
                    radix = modulus.mul(radix, modulus.reduce(earlier.value()));
                }
                (radices, modulus.inverse(radix).unwrap_or(0))
            })
            .collect();
        Self { moduli: moduli.to_vec(), tables }
    }

    fn value(&self, residues: impl Iterator<Item = u64>, digits: &mut Vec<i64>) -> f64 {
        digits.clear();
        for ((&modulus, (radices, inverse)), residue) in self.moduli.iter().zip(&self.tables).zip(residues) {
            let known = radices
                .iter()
                .zip(digits.iter())
                .fold(0, |sum, (&radix, &digit)| modulus.add(sum, modulus.mul(modulus.from_signed(digit), radix)));
            digits.push(modulus.centre(modulus.mul(modulus.sub(residue, known), *inverse)));
        }
        let values = self.moduli.iter().zip(digits.iter()).rev();
        values.fold(0.0, |value, (modulus, &digit)| value * modulus.value() as f64 + digit as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back_with_their_sign() {
        let moduli: Vec<Modulus> = [97, 193, 257].map(|prime| Modulus::new(prime).unwrap()).to_vec();
        let radix = MixedRadix::new(&moduli);
        let half = 97 * 193 * 257 / 2;
        for integer in [0, 1, -1, 48, 49, -48, -49, 9360, 9361, -9361, half, -half, 1_000_003, -1_000_003] {
            let residues = moduli.iter().map(|modulus| modulus.from_signed(integer));
            assert_eq!(radix.value(residues, &mut Vec::new()) as i64, integer);
        }
    }
}
