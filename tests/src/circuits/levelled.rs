//! The verbs of circuits: products within the basis for any `Q`, primes left out, linear combinations, constants; and the noise of every value in three norms.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::Ciphertext;
use blindrelay_engine::params::Level;
use blindrelay_keyholder::hazmat;
use blindrelay_reference::{self as reference, Polynomial, Rlwe, centred};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::{Value, World};
use crate::generator::Generator;

/// How many verbs are here.
pub(super) const VERBS: usize = 5;

impl World {
    /// Verb number `verb` on `a` and `b`.
    pub(super) fn levelled_step(
        &self,
        generator: &mut Generator,
        verb: usize,
        a: &Value,
        b: &Value,
    ) -> Result<(&'static str, Value), Error> {
        let level = a.sides[0].level();
        let bfv = &self.oracle(level).scheme;
        let ring = &self.plaintext_ring;
        let t = &ring.modulus;
        Ok(match verb {
            0 => {
                let sides = self.each(a, b, |side, a, b| side.evaluator.multiply_within_basis(a, b, &side.keys))?;
                let (reference, clear) = self.product(level, a, b);
                ("product within the basis", Value { sides, reference, clear })
            }
            1 => {
                let with_addend = generator.below(2) == 0;
                let sides = self.each(a, b, |side, a, b| {
                    side.evaluator.multiply_add_and_switch_down(a, b, with_addend.then_some(b), &side.keys)
                })?;
                // The sum is made after relinearization here and before it in the engine: both are sums modulo Q.
                let (mut reference, mut clear) = self.product(level, a, b);
                if with_addend {
                    reference = bfv.add(&reference, &b.reference);
                    clear = ring.add(&clear, &b.clear);
                }
                let reference = bfv.switch_modulus(&reference, self.oracle(Level(level.0 - 1)).modulus());
                ("product one level lower", Value { sides, reference, clear })
            }
            2 => {
                let lower = Level(generator.below(level.0 + 1));
                let sides = self.each(a, b, |side, a, _| side.evaluator.truncate_to(a, lower))?;
                let (reference, clear) = self.truncated(a, lower);
                ("leaving primes out", Value { sides, reference, clear })
            }
            3 => {
                let lower = Level(generator.below(level.min(b.sides[0].level()).0 + 1));
                let limit = 1 << generator.below(18);
                let factors = [generator.value(limit), generator.value(limit)];
                let sides = self.each(a, b, |side, a, b| {
                    side.evaluator.linear_combination(&[(a, factors[0]), (b, factors[1])], lower)
                })?;
                let [a, b] = [a, b].map(|value| self.truncated(value, lower));
                let factors = factors.map(BigInt::from);
                let bfv = &self.oracle(lower).scheme;
                let scaled = |c: &reference::Ciphertext, factor| c.map(|c| bfv.ring.scale(c, factor));
                let reference = bfv.add(&scaled(&a.0, &factors[0]), &scaled(&b.0, &factors[1]));
                let clear = ring.add(&ring.scale(&a.1, &factors[0]), &ring.scale(&b.1, &factors[1]));
                ("linear combination", Value { sides, reference, clear })
            }
            _ => {
                let constant = generator.value((t.to_u64().expect("64 bits") - 1) / 2);
                let sides = self.each(a, b, |side, a, _| side.evaluator.add_constant(a, constant))?;
                let constant = self.clear(&[constant]);
                let clear = ring.add(&a.clear, &constant);
                ("constant", Value { sides, reference: bfv.add_plain(&a.reference, &constant), clear })
            }
        })
    }

    /// `Q mod t` at a level, from the integer `Q`.
    fn residue(&self, level: Level) -> BigInt {
        let t = &self.plaintext_ring.modulus;
        let residue = self.oracle(level).modulus() % t;
        let engine = self.sides[0].context.modulus_residue(level);
        assert_eq!(BigInt::from(engine), residue, "{}: Q mod t at level {level}", self.name);
        residue
    }

    /// `-t a b` relinearized, and `r a b` with `r = Q mod t`.
    fn product(&self, level: Level, a: &Value, b: &Value) -> (reference::Ciphertext, Polynomial) {
        let oracle = self.oracle(level);
        let (bfv, ring) = (&oracle.scheme, &self.plaintext_ring);
        let factor = -&ring.modulus;
        let tensor = bfv.tensor(&a.reference, &b.reference).map(|c| bfv.ring.scale(c, &factor));
        let key = oracle.key(&self.sides[0].keys.relinearization().expect("was made").0);
        let reference = bfv.relinearize(&tensor, &key, |x| oracle.digits(x));
        (reference, ring.scale(&ring.mul(&a.clear, &b.clear), &self.residue(level)))
    }

    /// The components modulo the lower modulus, and the message times `Q / Q'`.
    fn truncated(&self, a: &Value, lower: Level) -> (reference::Ciphertext, Polynomial) {
        let quotient = self.oracle(a.sides[0].level()).modulus() / self.oracle(lower).modulus();
        let ring = &self.oracle(lower).scheme.ring;
        (a.reference.map(|c| ring.reduce(c)), self.plaintext_ring.scale(&a.clear, &quotient))
    }

    /// The exact noise of a value against its bound: largest coefficient, Euclidean norm, largest value at a primitive root.
    pub(super) fn check_norms(&self, number: u64, operation: &str, value: &Value) {
        let ciphertext: &Ciphertext = &value.sides[0];
        let bfv = &self.oracle(ciphertext.level()).scheme;
        let (q, t) = (&bfv.ring.modulus, &self.plaintext_ring.modulus);
        let phase = bfv.phase(&value.reference, &self.secret);
        // t e = t phi - Q m modulo t Q, exactly.
        let noise: Vec<f64> = phase
            .iter()
            .zip(&value.clear)
            .map(|(phi, m)| centred(&(t * phi - q * m), &(q * t)))
            .map(|te| te.to_f64().expect("finite") / t.to_f64().expect("finite"))
            .collect();
        let sup = noise.iter().fold(0.0, |largest: f64, e| largest.max(e.abs()));
        let euclidean = noise.iter().map(|e| e * e).sum::<f64>().sqrt();
        let bound = ciphertext.noise();
        let norms = [
            ("largest coefficient", sup, bound.sup_log2()),
            ("Euclidean norm", euclidean, bound.euclidean_log2()),
            ("largest value at a root", canonical_norm(&noise), bound.canonical_log2()),
        ];
        for (norm, measured, bound) in norms {
            let measured = measured.log2();
            assert!(
                measured <= bound + 1e-9,
                "{} circuit {number}: after {operation} the {norm} of the noise is 2^{measured}, above its bound 2^{bound}",
                self.name
            );
        }
        // The library's own measurement adds half a unit for a rounding that the exact value has in it.
        let measured = hazmat::measure_noise(&self.sides[0].key, ciphertext).expect("own key").exp2();
        assert!((measured - sup).abs() <= 1.0 + 1e-9 * sup, "{}: measured {measured}, exactly {sup}", self.name);
    }
}

/// The largest magnitude of a polynomial's value at a primitive `2 n`-th root of unity.
fn canonical_norm(coefficients: &[f64]) -> f64 {
    let n = coefficients.len();
    let angle = |exponent: usize| std::f64::consts::PI * (exponent % (2 * n)) as f64 / n as f64;
    (1..n)
        .step_by(2)
        .map(|root| {
            let (re, im) = coefficients.iter().enumerate().fold((0.0, 0.0), |(re, im), (power, c)| {
                let (sin, cos) = angle(root * power).sin_cos();
                (re + c * cos, im + c * sin)
            });
            f64::hypot(re, im)
        })
        .fold(0.0, f64::max)
}
