//! How long objects are: the most by kind and parameters, before a byte is read, and exactly, from the first bytes of a stream.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::AnswerHeader;
use super::approximate::{ApproximateHeader, SeededApproximateHeader};
use super::ciphertext::{CiphertextHeader, SeededCiphertextHeader};
use super::error::WireError;
use super::header::{Frame, HEADER_BYTES, Kind};
use super::keys::{EvaluationKeysHeader, PublicKeyHeader};
use super::levelled::LevelledSeededHeader;
use super::message::MessageHeader;
use super::poly::packed_len;
use crate::params::{ParameterSpec, Parameters, Scheme};
use crate::ring::SEED_BYTES;

/// What lengths depend on. Made of a specification alone, so that bytes can be described without tables.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    spec: &'a ParameterSpec,
}

impl<'a> Shape<'a> {
    /// The lengths under validated parameters.
    pub(super) fn of(parameters: &'a Parameters) -> Self {
        Self::of_spec(parameters.spec())
    }

    /// The lengths under a specification.
    pub(super) fn of_spec(spec: &'a ParameterSpec) -> Self {
        Self { spec }
    }

    /// The rows of a key for a level and those below, counted as `Decomposition` does.
    fn rows(self, level: usize) -> usize {
        let primes = self.spec.ciphertext_primes.iter().take(level + 1);
        match self.spec.special_primes.len() {
            0 => primes.map(|&prime| bits(prime).div_ceil(self.spec.digit_bits.max(1)) as usize).sum(),
            special => primes.len().div_ceil(special),
        }
    }

    /// The primes of the top level.
    pub(super) fn ciphertext_primes(self) -> &'a [u64] {
        &self.spec.ciphertext_primes
    }

    /// Refuses a kind that belongs to another scheme.
    fn has(self, kind: Kind) -> Result<(), WireError> {
        let approximate = matches!(self.spec.scheme, Scheme::Ckks { .. });
        let wanted = match kind {
            Kind::SeededCiphertext | Kind::Ciphertext | Kind::Answer | Kind::LevelledSeededCiphertext
                if approximate =>
            {
                "BFV"
            }
            Kind::ApproximateCiphertext | Kind::SeededApproximateCiphertext if !approximate => "CKKS",
            _ => return Ok(()),
        };
        Err(WireError::Scheme { kind, wanted })
    }

    /// Ring degree.
    pub(super) fn degree(self) -> usize {
        self.spec.ring_degree
    }

    /// The highest level.
    pub(super) fn top_level(self) -> usize {
        self.spec.ciphertext_primes.len().saturating_sub(1)
    }

    fn poly_over<'p>(self, primes: impl Iterator<Item = &'p u64>) -> usize {
        primes.map(|&prime| packed_len(self.degree(), bits(prime))).sum()
    }

    /// Bytes of a polynomial of a level.
    pub(super) fn poly(self, level: usize) -> usize {
        self.poly_over(self.spec.ciphertext_primes.iter().take(level + 1))
    }

    /// Bytes of one key-switching key for every level.
    pub(super) fn key(self) -> usize {
        self.key_up_to(self.top_level())
    }

    /// Bytes of one key-switching key for a level and those below.
    pub(super) fn key_up_to(self, level: usize) -> usize {
        let primes = self.spec.ciphertext_primes.iter().take(level + 1).chain(&self.spec.special_primes);
        SEED_BYTES + self.rows(level) * self.poly_over(primes)
    }

    /// Bytes of `count` residues modulo the answer prime, where there is one.
    pub(super) fn answer(self, count: usize) -> Option<usize> {
        self.spec.answer_prime.map(|prime| packed_len(count, bits(prime)))
    }
}

fn bits(prime: u64) -> u32 {
    u64::BITS - prime.leading_zeros()
}

/// A typed header: what it may say, how long it can be, and how long the payload after it is.
pub(super) trait TypedHeader: Serialize + DeserializeOwned {
    /// Most bytes of its encoding.
    fn limit(shape: Shape<'_>) -> usize;

    /// Most bytes of the payload; `None` where the parameters allow no object of this kind.
    fn max_payload_len(shape: Shape<'_>) -> Option<usize>;

    /// Bytes of the payload. Refused where the parameters do not allow what the header says.
    fn payload_len(&self, shape: Shape<'_>) -> Result<usize, WireError>;
}

fn most<T: TypedHeader>(shape: Shape<'_>) -> usize {
    T::max_payload_len(shape).map_or(0, |payload| HEADER_BYTES + T::limit(shape) + payload)
}

fn exact<T: TypedHeader>(frame: &Frame<'_>, shape: Shape<'_>) -> Result<usize, WireError> {
    let typed: T = frame.typed(T::limit(shape))?;
    Ok(frame.header().prefix_len() + typed.payload_len(shape)?)
}

/// No object of this kind has more bytes under these parameters: what to allow a request before its first byte is read.
///
/// Evaluation keys are counted with [`super::MAX_GALOIS_KEYS`] automorphism keys. Zero where the parameters have no object of the
/// kind (another scheme's ciphertexts, answers without an answer prime) and for messages, which parameters do not bound: see [`super::Message::max_len`].
pub fn max_len(kind: Kind, parameters: &Parameters) -> usize {
    let shape = Shape::of(parameters);
    if shape.has(kind).is_err() {
        return 0;
    }
    match kind {
        Kind::SeededCiphertext => most::<SeededCiphertextHeader>(shape),
        Kind::Ciphertext => most::<CiphertextHeader>(shape),
        Kind::Answer => most::<AnswerHeader>(shape),
        Kind::PublicKey => most::<PublicKeyHeader>(shape),
        Kind::EvaluationKeys => most::<EvaluationKeysHeader>(shape),
        Kind::Message => 0,
        Kind::ApproximateCiphertext => most::<ApproximateHeader>(shape),
        Kind::SeededApproximateCiphertext => most::<SeededApproximateHeader>(shape),
        Kind::LevelledSeededCiphertext => most::<LevelledSeededHeader>(shape),
    }
}

/// The length of the whole object that begins with these bytes, of which fixed and typed header are needed
/// ([`super::Header::prefix_len`]): a stream can be cut off as soon as they are there.
///
/// Refused where the headers would be refused by the decoder, bounds on noise, message and error aside. The length of a message is what it claims: hold it against a limit.
pub fn exact_len(prefix: &[u8], parameters: &Parameters) -> Result<usize, WireError> {
    let frame = Frame::open(prefix)?;
    frame.belongs_to(parameters.digest())?;
    total_len(&frame, Shape::of(parameters))
}

/// The length that headers promise.
pub(super) fn total_len(frame: &Frame<'_>, shape: Shape<'_>) -> Result<usize, WireError> {
    shape.has(frame.header().kind)?;
    match frame.header().kind {
        Kind::SeededCiphertext => exact::<SeededCiphertextHeader>(frame, shape),
        Kind::Ciphertext => exact::<CiphertextHeader>(frame, shape),
        Kind::Answer => exact::<AnswerHeader>(frame, shape),
        Kind::PublicKey => exact::<PublicKeyHeader>(frame, shape),
        Kind::EvaluationKeys => exact::<EvaluationKeysHeader>(frame, shape),
        Kind::Message => MessageHeader::total_len(frame),
        Kind::ApproximateCiphertext => exact::<ApproximateHeader>(frame, shape),
        Kind::SeededApproximateCiphertext => exact::<SeededApproximateHeader>(frame, shape),
        Kind::LevelledSeededCiphertext => exact::<LevelledSeededHeader>(frame, shape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{BILL_8192, Level, preset, presets};
    use blindrelay_kernels::{Backend, ntt_primes_below};

    #[test]
    fn a_specification_gives_the_rows_of_the_decomposition() {
        let bill = preset(BILL_8192).unwrap();
        let special = |ring_degree: usize, special: usize| ParameterSpec {
            ring_degree,
            ciphertext_primes: ntt_primes_below(40, 2 * ring_degree as u64, 3).unwrap(),
            special_primes: ntt_primes_below(41, 2 * ring_degree as u64, special).unwrap(),
            ..bill.clone()
        };
        for spec in presets().into_iter().chain([special(8192, 1), special(16_384, 2)]) {
            let parameters = Parameters::new(spec.clone(), Backend::Scalar).unwrap();
            for level in 0..spec.ciphertext_primes.len() {
                let rows = parameters.at(Level(level)).unwrap().decomposition().rows().len();
                assert_eq!(Shape::of_spec(&spec).rows(level), rows, "{} {level}", spec.name);
            }
        }
    }
}
