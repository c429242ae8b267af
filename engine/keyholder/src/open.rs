//! Opening results: never a bare decryption.

use blindrelay_engine::bfv::{Answer, Ciphertext, Context, Plaintext};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::ring::Poly;
use zeroize::{Zeroize, Zeroizing};

use crate::secret::{SecretKey, Wiped};

/// Why an opening was refused. There is one value for every reason, so that nobody who sees it learns about the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer could not be opened: it is not what was asked for, or it was changed on the way")]
pub struct OpenError;

/// What an answer must look like to be opened. It comes from the operator's card and the request, not from the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Which coefficients carry results, ascending.
    pub positions: Vec<u32>,
    /// What each result may be.
    pub range: ValueRange,
}

impl SecretKey {
    /// Opens the coefficients of an answer after checking that it is of this key's parameters and carries exactly the expected
    /// positions; refuses it where any value is outside the operator's range. All values are computed and looked at before the verdict.
    pub fn open_answer(&self, answer: &Answer, expected: &Expectation) -> Result<Zeroizing<Vec<i64>>, OpenError> {
        if answer.parameters() != self.parameters() || answer.positions() != expected.positions {
            return Err(OpenError);
        }
        if answer.rest().iter().all(Poly::is_zero) {
            return Err(OpenError);
        }
        let values = self.decrypt_answer(answer).ok_or(OpenError)?;
        let refused = values.iter().fold(false, |refused, &value| {
            let ValueRange { minimum, maximum, step } = expected.range;
            let outside = value < minimum || value > maximum;
            let off_step = value.wrapping_sub(minimum).unsigned_abs() % step.max(1) != 0;
            refused | outside | off_step
        });
        if refused { Err(OpenError) } else { Ok(values) }
    }

    /// [`SecretKey::open_answer`] where honest answers have no more noise than `noise`: refused too where a coefficient has more. Where any value is legal, that is what
    /// tells an answer to another key, or one that was changed, from an honest one.
    pub fn open_answer_within(
        &self,
        answer: &Answer,
        expected: &Expectation,
        noise: NoiseBound,
    ) -> Result<Zeroizing<Vec<i64>>, OpenError> {
        let values = self.open_answer(answer, expected)?;
        let residues = self.answer_phase(answer).ok_or(OpenError)?;
        let t = self.context().plaintext_modulus().value();
        let modulus = answer.parameters().answer_basis().and_then(|basis| basis.moduli().first().copied());
        let modulus = modulus.ok_or(OpenError)?;
        // A phase is p m / t + e, so t times it is t e modulo p, smaller than p / 2.
        let limit = libm::floor(libm::exp2(noise.sup_log2()) * t as f64) as u64;
        let factor = modulus.reduce(t);
        let refused = residues
            .iter()
            .fold(false, |refused, &x| refused | (modulus.centre(modulus.mul(x, factor)).unsigned_abs() > limit));
        if refused { Err(OpenError) } else { Ok(values) }
    }

    /// Opens all slots of a ciphertext after checking that it is of this key's parameters and not transparent. `ranges` says what each slot may
    /// hold, from smallest to largest, as many as there are slots; one value outside refuses all of them.
    pub fn open_slots(&self, ciphertext: &Ciphertext, ranges: &[(i64, i64)]) -> Result<Zeroizing<Vec<i64>>, OpenError> {
        if ciphertext.parameters() != self.parameters() || ciphertext.rlwe().is_transparent() {
            return Err(OpenError);
        }
        let mut phase = self.phase(ciphertext.rlwe(), ciphertext.level()).map_err(|_| OpenError)?;
        let rounded = self.context().round_phase(&phase, ciphertext.level());
        phase.zeroize();
        let plaintext = Plaintext::from_residues(self.context(), rounded).map_err(|_| OpenError)?;
        let values = Zeroizing::new(self.context().decode_slots(&plaintext).map_err(|_| OpenError)?);
        let outside = |(value, (minimum, maximum)): (&i64, &(i64, i64))| value < minimum || value > maximum;
        let refused =
            values.iter().zip(ranges).fold(values.len() != ranges.len(), |refused, pair| refused | outside(pair));
        if refused { Err(OpenError) } else { Ok(values) }
    }

    fn decrypt_answer(&self, answer: &Answer) -> Option<Zeroizing<Vec<i64>>> {
        let context: &Context = self.context();
        let residues = self.answer_phase(answer)?;
        let rounded = Zeroizing::new(context.round_answer(&residues)?);
        let t = context.plaintext_modulus();
        Some(Zeroizing::new(rounded.iter().map(|&value| t.centre(value)).collect()))
    }

    /// The phase at the answer's positions, modulo the answer prime.
    fn answer_phase(&self, answer: &Answer) -> Option<Zeroizing<Vec<u64>>> {
        let secret = self.over_answers()?;
        // Horner over the components after the first: (c_2 s + c_1) s.
        let mut components = answer.rest().iter().rev();
        let mut sum = Wiped(components.next()?.clone().into_ntt());
        sum.0.mul_assign(secret);
        for component in components {
            sum.0.add_assign(&component.clone().into_ntt());
            sum.0.mul_assign(secret);
        }
        let mut phase = sum.0.clone().into_coeff();
        let modulus = secret.basis().moduli().first().copied()?;
        let residues: Zeroizing<Vec<u64>> = Zeroizing::new(
            answer
                .positions()
                .iter()
                .zip(answer.body())
                .filter_map(|(&position, &body)| Some(modulus.add(body, *phase.residues().get(position as usize)?)))
                .collect(),
        );
        phase.zeroize();
        Some(residues)
    }
}
