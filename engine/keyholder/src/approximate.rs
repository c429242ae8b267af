//! Encryption and opening of approximate numbers.

use blindrelay_engine::Error;
use blindrelay_engine::ckks::{Ciphertext, Complex, Context, Plaintext, SeededCiphertext, Shape};
use blindrelay_engine::params::Level;
use blindrelay_engine::ring::{Coeff, Expander, Ntt, Poly, Seed};
use blindrelay_engine::rlwe;
use zeroize::{Zeroize, Zeroizing};

use crate::encrypt::add_error;
use crate::mixed_radix;
use crate::open::OpenError;
use crate::secret::SecretKey;

/// Opened values. They stay with the key holder: what is shown to others goes through [`crate::release`].
#[derive(Clone, Debug, PartialEq)]
pub struct Opened<T: Zeroize> {
    /// One value a slot, rounded to multiples of [`Opened::resolution`].
    pub values: Zeroizing<Vec<T>>,
    /// No value is farther than this from what the slot should hold, rounding included (except with probability 2^-128).
    pub error_bound: f64,
    /// The certified precision: a power of two not above the bound on the error before rounding. Digits below it would say nothing about the
    /// result, and something about the key.
    pub resolution: f64,
}

/// Bounds travel in steps of 1/1024 of their logarithms.
const STEP: f64 = 2.0 / 1024.0;

impl SecretKey<Context> {
    /// A fresh ciphertext at the top level, half of which is a seed. Refused for a plaintext of other parameters or of a lower level.
    pub fn encrypt(&self, plaintext: &Plaintext) -> Result<SeededCiphertext, Error> {
        self.encrypt_with(plaintext, Seed::random()?, &Seed::random()?)
    }

    fn encrypt_with(&self, plaintext: &Plaintext, uniform: Seed, error: &Seed) -> Result<SeededCiphertext, Error> {
        self.context().check_plaintext(plaintext)?;
        let parameters = self.parameters();
        let (level, top) = (plaintext.encoding().level, parameters.top_level());
        if level != top {
            return Err(Error::LevelMismatch { left: level, right: top });
        }
        let mut noise = Poly::<Coeff>::zero(parameters.top().basis());
        add_error(&mut noise, &Expander::new(error, "ciphertext/error"), 0, parameters);
        let mut body = noise.into_ntt();
        body.add_assign(plaintext.poly());
        let mask: Poly<Ntt> = Expander::new(&uniform, rlwe::SeededCiphertext::DOMAIN).uniform(body.basis());
        self.subtract_mask(&mut body, mask);
        let rlwe = rlwe::SeededCiphertext::new(body, uniform);
        SeededCiphertext::new(self.context(), rlwe, plaintext.encoding().scale.clone(), plaintext.bounds())
    }

    /// Opens the slots of a ciphertext of real numbers. `expected` is the shape that the dry run of the circuit gives, not what the ciphertext
    /// says of itself: level, scale and number of components must be equal, the claimed bounds not larger. Refused where any slot is larger than expected or has an imaginary part
    /// beyond the error.
    pub fn open(&self, ciphertext: &Ciphertext, expected: &Shape) -> Result<Opened<f64>, OpenError> {
        let slots = self.open_checked(ciphertext, expected)?;
        let error = expected.error_bound();
        let refused = slots.iter().fold(false, |refused, z| refused | (z.im.abs() > error));
        if refused { Err(OpenError) } else { Ok(rounded(slots.iter().map(|z| z.re), error, round)) }
    }

    /// [`SecretKey::open`] for complex numbers.
    pub fn open_complex(&self, ciphertext: &Ciphertext, expected: &Shape) -> Result<Opened<Complex>, OpenError> {
        let slots = self.open_checked(ciphertext, expected)?;
        let round = |z: Complex, resolution| Complex::new(round(z.re, resolution), round(z.im, resolution));
        let mut opened = rounded(slots.iter().copied(), expected.error_bound(), round);
        // Both parts are rounded.
        opened.error_bound += opened.resolution * (std::f64::consts::FRAC_1_SQRT_2 - 0.5);
        Ok(opened)
    }

    pub(crate) fn open_checked(
        &self,
        ciphertext: &Ciphertext,
        expected: &Shape,
    ) -> Result<Zeroizing<Vec<Complex>>, OpenError> {
        let shape = ciphertext.shape();
        let fits = ciphertext.parameters() == self.parameters()
            && shape.level == expected.level
            && shape.scale == expected.scale
            && shape.components == expected.components
            && shape.bounds.error <= expected.bounds.error + STEP
            && shape.bounds.message <= expected.bounds.message + STEP;
        if !fits || ciphertext.rlwe().is_transparent() {
            return Err(OpenError);
        }
        let slots = self.decrypt_slots(ciphertext, expected).map_err(|_| OpenError)?;
        let limit = expected.magnitude_bound() + expected.error_bound();
        let refused = slots.iter().fold(false, |refused, z| refused | z.abs().is_nan() | (z.abs() > limit));
        if refused { Err(OpenError) } else { Ok(slots) }
    }

    /// The slots of the phase, over as few primes as the bounds of `shape` need: those that are expected, not those that the ciphertext claims.
    pub(crate) fn decrypt_slots(
        &self,
        ciphertext: &Ciphertext,
        shape: &Shape,
    ) -> Result<Zeroizing<Vec<Complex>>, Error> {
        let enough =
            (0..=shape.level.0).map(Level).find(|&level| shape.bounds.phase() < self.context().limit_log2(level));
        let mut phase = self.phase(ciphertext.rlwe(), enough.unwrap_or(shape.level))?;
        let coefficients = mixed_radix::centred(&phase);
        phase.zeroize();
        Ok(Zeroizing::new(self.context().decode(&coefficients, &shape.scale)))
    }
}

fn round(value: f64, resolution: f64) -> f64 {
    libm::rint(value / resolution) * resolution
}

/// Values rounded to a power of two that is at most `error`.
fn rounded<T: Zeroize>(values: impl Iterator<Item = T>, error: f64, round: impl Fn(T, f64) -> T) -> Opened<T> {
    let resolution = libm::exp2(libm::floor(libm::log2(error)));
    let values = Zeroizing::new(values.map(|value| round(value, resolution)).collect());
    Opened { values, error_bound: error + resolution / 2.0, resolution }
}
