//! Re-randomisation: what a ciphertext has to go through before its key holder may open it and learn the message only.
//!
//! A ciphertext that was computed with a secret of the service shows it twice: in its second component, which is a known polynomial times the secret, and in
//! its noise. Adding an encryption of zero hides the first, adding much larger noise the second (Gentry, *A fully homomorphic encryption scheme*, 2009, chapter
//! 21; Asharov et al., *Multiparty computation with low communication, computation and interaction via threshold FHE*, 2012, lemma 1, for the flood).

use zeroize::Zeroizing;

use super::ciphertext::Ciphertext;
use super::context::Context;
use super::encoder::Plaintext;
use super::evaluator::Evaluator;
use crate::error::Error;
use crate::noise::NoiseBound;
use crate::params::Level;
use crate::ring::{Coeff, Expander, Poly, Seed, WordStream};
use crate::rlwe::{PublicKey, encrypt_message};

/// Largest statistical distance, as a base-2 logarithm, at which a ciphertext counts as re-randomised.
pub const DISTANCE_LIMIT_LOG2: f64 = -40.0;

/// Noise that hides other noise: every coefficient is an independent uniform integer from `-2^bits` to `2^bits - 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood {
    bits: u32,
}

impl Flood {
    /// A flood of `2^bits`.
    pub const fn of_bits(bits: u32) -> Self {
        Self { bits }
    }

    /// The largest flood that leaves seven eighths of a level's noise limit: `2^bits` is about `Q / (16 t)`.
    pub fn for_level(context: &Context, level: Level) -> Self {
        let bits = libm::round(context.noise_limit_log2(level) - 3.0).max(0.0);
        Self { bits: bits as u32 }
    }

    /// Base-2 logarithm of the largest magnitude.
    pub const fn bits(self) -> u32 {
        self.bits
    }

    /// The bound on its noise.
    pub fn noise(self, degree: usize) -> NoiseBound {
        NoiseBound::from_sup(libm::exp2(f64::from(self.bits)), degree)
    }

    /// Base-2 logarithm of the statistical distance between this flood and the flood with a noise of the bound `hidden` added to it.
    ///
    /// Two uniform distributions on `N` neighbouring integers that are shifted against each other by `d` are at distance `d / N`; here `N` is `2^(bits + 1)`,
    /// `d` is at most the bound on every coefficient, and the distances of the `n` coefficients add up.
    pub fn distance_log2(self, hidden: NoiseBound, degree: usize) -> f64 {
        libm::log2(degree as f64) + hidden.sup_log2() - f64::from(self.bits) - 1.0
    }

    /// A flood over the primes of a level.
    fn sample(self, parameters: &crate::params::Parameters, randomness: &Expander) -> Poly<Coeff> {
        let degree = parameters.degree();
        // `bits + 1` random bits a coefficient, the highest word first.
        let width = (self.bits as usize + 1).div_ceil(64);
        let excess = 64 * width as u32 - self.bits - 1;
        let mut words = Zeroizing::new(vec![0_u64; degree * width]);
        randomness.stream(0).fill(&mut words);
        for highest in words.iter_mut().step_by(width) {
            *highest >>= excess;
        }
        let mut flood = Poly::stale(parameters.top().basis());
        for (limb, residues) in flood.limbs_mut() {
            let modulus = limb.modulus();
            let (radix, half) = (modulus.pow(2, 64), modulus.pow(2, u64::from(self.bits)));
            for (residue, words) in residues.iter_mut().zip(words.chunks_exact(width)) {
                let shifted =
                    words.iter().fold(0, |sum, &word| modulus.add(modulus.mul(sum, radix), modulus.reduce(word)));
                *residue = modulus.sub(shifted, half);
            }
        }
        flood
    }
}

impl Context {
    /// Independent uniform residues other than zero in all slots, from a secret seed that serves one product.
    pub fn nonzero_slots(&self, seed: &Seed) -> Result<Plaintext, Error> {
        let t = self.plaintext_modulus();
        let mut stream = Expander::new(seed, "mask/nonzero").stream(0);
        let mut words = Zeroizing::new(vec![0_u64; self.parameters().degree()]);
        stream.fill(&mut words);
        let values: Zeroizing<Vec<i64>> =
            Zeroizing::new(words.iter().map(|&word| t.centre(nonzero(word, t.value(), &mut stream))).collect());
        self.encode_slots(&values)
    }

    /// The noise of [`Evaluator::rerandomize`] on a ciphertext of this noise at the top level; refused where the flood hides too little.
    pub fn rerandomized_noise(&self, noise: NoiseBound, flood: Flood) -> Result<NoiseBound, Error> {
        let degree = self.parameters().degree();
        let hidden = noise.plus(NoiseBound::fresh_public(degree));
        let distance_log2 = flood.distance_log2(hidden, degree);
        if distance_log2 > DISTANCE_LIMIT_LOG2 {
            let (bound_log2, limit_log2) = (hidden.sup_log2(), DISTANCE_LIMIT_LOG2);
            return Err(Error::Exposed { bound_log2, flood_bits: flood.bits, distance_log2, limit_log2 });
        }
        let noise = hidden.plus(flood.noise(degree));
        self.admit("re-randomisation", noise, self.parameters().top_level())?;
        Ok(noise)
    }
}

/// A uniform integer from 1 to `t - 1` from a random word and, where that would be biased, from the words after it (Lemire, *Fast random integer generation in
/// an interval*, 2019).
fn nonzero(mut word: u64, t: u64, stream: &mut WordStream) -> u64 {
    let count = t - 1;
    let biased = count.wrapping_neg() % count;
    loop {
        let product = u128::from(word) * u128::from(count);
        if product as u64 >= biased {
            return 1 + (product >> 64) as u64;
        }
        let mut next = [0];
        stream.fill(&mut next);
        [word] = next;
    }
}

impl Evaluator {
    /// `a` with an encryption of zero under `key` and a flood added: to the holder of the key everything but the message is then
    /// as if `a` had not been there, up to the statistical distance of [`Flood::distance_log2`] and as far as ring-LWE is hard with the ternary secret of
    /// the encryption of zero.
    ///
    /// That needs the bound on the noise of `a` to be true, and `key` to be a public key. The seed is secret and serves one `a` and one key. `a` has two
    /// components and is at the top level.
    pub fn rerandomize(&self, a: &Ciphertext, key: &PublicKey, flood: Flood, seed: &Seed) -> Result<Ciphertext, Error> {
        const OPERATION: &str = "re-randomisation";
        self.check(a)?;
        let [c0, c1] = Self::pair(OPERATION, a)?;
        let parameters = self.context().parameters();
        let top = parameters.top_level();
        if a.level() != top {
            return Err(Error::LevelMismatch { left: a.level(), right: top });
        }
        if key.body().basis() != parameters.top().basis() {
            let name = parameters.name().to_owned();
            return Err(Error::Unsupported { name, operation: OPERATION, reason: "the public key is of other primes" });
        }
        let noise = self.context().rerandomized_noise(a.noise(), flood)?;
        let message = flood.sample(parameters, &Expander::new(&seed.derive("mask/flood", &[]), "mask/flood"));
        let mut hidden = encrypt_message(parameters, key, &seed.derive("mask/zero", &[]), message);
        for (ours, theirs) in hidden.components_mut().iter_mut().zip([c0, c1]) {
            ours.add_assign(theirs);
        }
        self.finish(OPERATION, hidden, noise)
    }
}
