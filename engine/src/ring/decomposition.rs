//! Digits of a polynomial for key switching.
//!
//! A gadget writes `x = sum_d digit_d * g_d mod Q` with small digits. Three kinds, all local to a run of primes so that a key for
//! the highest level serves the lower ones:
//!
//! * *limb*: the digit is `x mod q_i`, centred, and `g_d` is 1 modulo `q_i` and 0 modulo the other primes;
//! * *part*: bits `[shift, shift + bits)` of `x mod q_i`, with `g_d = 2^shift` modulo `q_i` (smaller digits, less noise, more of them);
//! * *group*: `x` modulo a product of consecutive primes, centred, extended to the other primes and to special primes `P` with `g_d = P`
//!   modulo the group (Han and Ki, *Better Bootstrapping for Approximate Homomorphic Encryption*, CT-RSA 2020, section 3).

use std::ops::Range;
use std::sync::Arc;

use blindrelay_kernels::{Backend, KernelError, RnsScaler};

use super::basis::Basis;
use super::poly::{Coeff, Ntt, Poly};

#[derive(Debug)]
enum Digit {
    Limb { index: usize },
    Part { index: usize, shift: u32, bits: u32 },
    Group { range: Range<usize>, extension: RnsScaler },
}

/// What a digit contributes to a key row: `factor` modulo each prime in `limbs`, zero modulo the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GadgetRow {
    /// Positions of the primes at which the gadget element is not zero.
    pub limbs: Range<usize>,
    /// The gadget element modulo those primes is the product of `2^shift` and all special primes.
    pub shift: u32,
}

/// The decomposition of polynomials over the ciphertext primes of one level into digits over those and the special primes.
#[derive(Debug)]
pub struct Decomposition {
    source: Arc<Basis>,
    target: Arc<Basis>,
    digits: Vec<Digit>,
}

impl Decomposition {
    /// Without special primes: one digit a prime, or several of at most `digit_bits` bits where the prime is wider.
    pub fn digits(source: &Arc<Basis>, digit_bits: u32) -> Self {
        let digits = source
            .limbs()
            .iter()
            .enumerate()
            .flat_map(|(index, limb)| {
                let bits = limb.modulus().bits();
                let parts = bits.div_ceil(digit_bits.max(1));
                let width = bits.div_ceil(parts);
                (0..parts).map(move |part| match parts {
                    1 => Digit::Limb { index },
                    _ => Digit::Part { index, shift: part * width, bits: width.min(bits - part * width) },
                })
            })
            .collect();
        Self { source: Arc::clone(source), target: Arc::clone(source), digits }
    }

    /// With special primes: groups of as many ciphertext primes as there are special ones.
    pub fn groups(source: &Arc<Basis>, special: &Arc<Basis>, backend: Backend) -> Result<Self, KernelError> {
        let target = source.concat(special);
        let moduli = target.moduli();
        let mut digits = Vec::new();
        let mut start = 0;
        while start < source.len() {
            let range = start..(start + special.len()).min(source.len());
            let (mut inside, mut outside) = (Vec::new(), Vec::new());
            for (index, &modulus) in moduli.iter().enumerate() {
                if range.contains(&index) { inside.push(modulus) } else { outside.push(modulus) }
            }
            start = range.end;
            digits.push(Digit::Group { range, extension: RnsScaler::extend(&inside, &outside, backend)? });
        }
        Ok(Self { source: Arc::clone(source), target, digits })
    }

    /// The primes of the digits: the ciphertext primes of the level, then the special primes.
    pub fn target(&self) -> &Arc<Basis> {
        &self.target
    }

    /// The gadget, one row a digit.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = GadgetRow> {
        self.digits.iter().map(|digit| match digit {
            Digit::Limb { index } => GadgetRow { limbs: *index..index + 1, shift: 0 },
            Digit::Part { index, shift, .. } => GadgetRow { limbs: *index..index + 1, shift: *shift },
            Digit::Group { range, .. } => GadgetRow { limbs: range.clone(), shift: 0 },
        })
    }

    /// Base-2 logarithm of a bound on the magnitude of the digits' coefficients, for each digit.
    pub fn digit_log2(&self) -> impl Iterator<Item = f64> {
        let moduli = self.source.moduli();
        self.digits.iter().map(move |digit| match digit {
            Digit::Limb { index } => moduli.get(*index).map_or(0.0, |m| libm::log2(m.value() as f64) - 1.0),
            Digit::Part { bits, .. } => f64::from(*bits),
            Digit::Group { range, .. } => {
                moduli.iter().skip(range.start).take(range.len()).map(|m| libm::log2(m.value() as f64)).sum::<f64>()
                    - 1.0
            }
        })
    }

    /// The digits of `x`, each over [`Decomposition::target`] and transformed.
    pub fn decompose(&self, x: &Poly<Coeff>) -> Vec<Poly<Ntt>> {
        assert!(*x.basis() == self.source, "polynomial over another basis than the decomposition's");
        self.digits.iter().map(|digit| self.digit(digit, x).into_ntt()).collect()
    }

    fn digit(&self, digit: &Digit, x: &Poly<Coeff>) -> Poly<Coeff> {
        let mut out = Poly::zero(&self.target);
        match digit {
            Digit::Limb { index } => {
                if let Some((source, residues)) = x.limbs().nth(*index) {
                    for (limb, values) in out.limbs_mut() {
                        limb.arithmetic().lift_centred(values, residues, source.modulus());
                    }
                }
            }
            Digit::Part { index, shift, bits } => {
                if let Some((_, residues)) = x.limbs().nth(*index) {
                    let mask = (1_u64 << bits) - 1;
                    for (_, values) in out.limbs_mut() {
                        for (value, &residue) in values.iter_mut().zip(residues) {
                            *value = (residue >> shift) & mask;
                        }
                    }
                }
            }
            Digit::Group { range, extension } => {
                let degree = x.degree();
                let own = x.residues().chunks_exact(degree).skip(range.start).take(range.len());
                let inside: Vec<u64> = own.flatten().copied().collect();
                let mut outside = vec![0; degree * (self.target.len() - range.len())];
                extension.apply(&inside, None, &mut outside);
                let (mut inside, mut outside) = (inside.chunks_exact(degree), outside.chunks_exact(degree));
                for (index, (_, values)) in out.limbs_mut().enumerate() {
                    let next = if range.contains(&index) { inside.next() } else { outside.next() };
                    if let Some(residues) = next {
                        values.copy_from_slice(residues);
                    }
                }
            }
        }
        out
    }
}
