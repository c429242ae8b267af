//! The secret key, derived from a 32-byte seed.

use std::sync::Arc;

use blindrelay_engine::Error;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::ckks;
use blindrelay_engine::noise::SecretNorms;
use blindrelay_engine::params::{Level, Parameters};
use blindrelay_engine::ring::{Basis, Coeff, Expander, Ntt, Poly, Seed, SmallPoly};
use blindrelay_engine::rlwe;
use zeroize::Zeroize;

/// The tables of a scheme. There are no others than those of BFV and CKKS.
pub trait SchemeContext: sealed::Sealed {
    /// The parameters.
    fn parameters(&self) -> &Parameters;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for blindrelay_engine::bfv::Context {}
    impl Sealed for blindrelay_engine::ckks::Context {}
}

impl SchemeContext for Context {
    fn parameters(&self) -> &Parameters {
        self.parameters()
    }
}

impl SchemeContext for ckks::Context {
    fn parameters(&self) -> &Parameters {
        self.parameters()
    }
}

/// A uniform ternary secret with the seed that it and every key made from it come from.
///
/// The same seed and parameters give the same keys on every backend and platform. It is wiped on drop, cannot be cloned and
/// is never printed.
pub struct SecretKey<C: SchemeContext = Context> {
    context: Arc<C>,
    seed: Seed,
    secret: SmallPoly,
    over_keys: Poly<Ntt>,
    over_answers: Option<Poly<Ntt>>,
}

impl<C: SchemeContext> std::fmt::Debug for SecretKey<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({}, ..)", self.context.parameters().name())
    }
}

impl<C: SchemeContext> Drop for SecretKey<C> {
    fn drop(&mut self) {
        self.over_keys.zeroize();
        if let Some(poly) = &mut self.over_answers {
            poly.zeroize();
        }
    }
}

impl<C: SchemeContext> SecretKey<C> {
    /// The key of a seed. Secrets outside [`SecretNorms`] are drawn again, which at the named sets has never been seen.
    pub fn from_seed(context: &Arc<C>, seed: Seed) -> Self {
        let parameters = context.parameters();
        let (degree, backend) = (parameters.degree(), parameters.backend());
        let expander = Expander::new(&seed.derive("secret-key", parameters.digest().as_bytes()), "secret-key/ternary");
        let mut attempt = 0;
        let secret = loop {
            let candidate = expander.ternary(degree, attempt, backend);
            if within_norms(&candidate, parameters) {
                break candidate;
            }
            attempt += 1;
        };
        let over = |basis: &Arc<Basis>| secret.to_poly(basis).into_ntt();
        let over_keys = over(parameters.key_basis());
        let over_answers = parameters.answer_basis().map(over);
        Self { context: Arc::clone(context), seed, secret, over_keys, over_answers }
    }

    /// A new key from a seed of the operating system.
    pub fn generate(context: &Arc<C>) -> Result<Self, Error> {
        Ok(Self::from_seed(context, Seed::random()?))
    }

    /// The key of one epoch of a room, which every member derives from the room's secret seed.
    pub fn for_room(context: &Arc<C>, room_seed: &Seed, epoch: u64) -> Self {
        Self::from_seed(context, room_seed.derive("room-key", &epoch.to_le_bytes()))
    }

    /// The tables of the key's parameters.
    pub fn context(&self) -> &Arc<C> {
        &self.context
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        self.context.parameters()
    }

    pub(crate) fn seed(&self) -> &Seed {
        &self.seed
    }

    pub(crate) fn coefficients(&self) -> &SmallPoly {
        &self.secret
    }

    /// The secret over the key basis.
    pub(crate) fn over_keys(&self) -> &Poly<Ntt> {
        &self.over_keys
    }

    /// The secret over the answer prime.
    pub(crate) fn over_answers(&self) -> Option<&Poly<Ntt>> {
        self.over_answers.as_ref()
    }

    /// The secret over the primes of a level; wiped by the caller's [`Wiped`].
    pub(crate) fn at(&self, level: Level) -> Option<Wiped> {
        let ring = self.parameters().at(level)?;
        Some(Wiped(self.over_keys.truncated(ring.basis())))
    }
}

impl<C: SchemeContext> SecretKey<C> {
    /// `sum c_i s^i` over the primes of a level, which the components must be over.
    pub(crate) fn phase(&self, ciphertext: &rlwe::Ciphertext, level: Level) -> Result<Poly<Coeff>, Error> {
        let secret = self.at(level).ok_or(Error::LevelExhausted)?;
        // Horner: ((c_2) s + c_1) s + c_0.
        let mut components = ciphertext.components().iter().rev();
        let mut sum = Wiped(components.next().ok_or(Error::Transparent)?.truncated(secret.0.basis()));
        for component in components {
            sum.0.mul_assign(&secret.0);
            sum.0.add_assign(&component.truncated(secret.0.basis()));
        }
        Ok(sum.0.clone().into_coeff())
    }

    /// A seed for one purpose derived from this key's seed, so that members of a room derive the same token secrets.
    #[must_use]
    pub fn derive_seed(&self, purpose: &str, context: &[u8]) -> Seed {
        self.seed.derive(&format!("derived/{purpose}"), context)
    }
}

/// A polynomial that is wiped on drop.
pub(crate) struct Wiped(pub(crate) Poly<Ntt>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Whether the secret satisfies the norms that the noise bounds rely on.
fn within_norms(secret: &SmallPoly, parameters: &Parameters) -> bool {
    let norms = SecretNorms::at(parameters.degree());
    let weight: u32 = secret.coefficients().iter().map(|&c| u32::from(c != 0)).sum();
    let Some(basis) = parameters.at(Level(0)).map(|ring| ring.basis().prefix(1)) else { return false };
    // The square's coefficients are at most n in magnitude, so that one prime holds them.
    let mut square = Wiped(secret.to_poly(&basis).into_ntt());
    let factor = Wiped(square.0.clone());
    square.0.mul_assign(&factor.0);
    let mut coefficients = square.0.clone().into_coeff();
    let energy: f64 = coefficients
        .limbs()
        .flat_map(|(limb, values)| values.iter().map(move |&value| limb.modulus().centre(value) as f64))
        .map(|value| value * value)
        .sum();
    coefficients.zeroize();
    f64::from(weight) <= norms.weight && energy <= norms.square_energy
}
