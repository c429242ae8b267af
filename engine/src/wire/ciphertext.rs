//! Ciphertexts, seeded and expanded.

use serde::{Deserialize, Serialize};

use super::Wire;
use super::budget::{Shape, TypedHeader};
use super::codec;
use super::error::WireError;
use super::header::{Frame, HEADER_BYTES, Kind, append_prefix};
use super::poly::{read_poly, write_poly};
use super::seeded::{read_seeded, write_seeded};
use crate::bfv::{Ciphertext, Context, SeededCiphertext};
use crate::noise::NoiseBound;
use crate::params::Level;
use crate::ring::SEED_BYTES;
use crate::rlwe;

/// Nothing: level and components of a seeded ciphertext follow from the parameters.
#[derive(Serialize, Deserialize)]
pub(super) struct SeededCiphertextHeader;

impl TypedHeader for SeededCiphertextHeader {
    fn limit(_: Shape<'_>) -> usize {
        0
    }

    fn max_payload_len(shape: Shape<'_>) -> Option<usize> {
        Some(SEED_BYTES + shape.poly(shape.top_level()))
    }

    fn payload_len(&self, shape: Shape<'_>) -> Result<usize, WireError> {
        Ok(SEED_BYTES + shape.poly(shape.top_level()))
    }
}

impl Wire for SeededCiphertext {
    type Context = Context;

    const KIND: Kind = Kind::SeededCiphertext;

    fn to_bytes(&self) -> Vec<u8> {
        write_seeded(Self::KIND, self.parameters(), &codec::encode(&SeededCiphertextHeader), self.rlwe())
    }

    fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, WireError> {
        let parameters = context.parameters();
        let frame = Frame::open_as(bytes, Self::KIND, parameters.digest())?;
        let shape = Shape::of(parameters);
        let typed: SeededCiphertextHeader = frame.typed(SeededCiphertextHeader::limit(shape))?;
        let mut payload = frame.payload(typed.payload_len(shape)?)?;
        Ok(Self::new(parameters, read_seeded(&mut payload, parameters.top().basis())?))
    }
}

/// Steps of the logarithms of bounds.
pub(super) const STEPS: f64 = 1024.0;

/// The smallest multiple of 1/1024 that is not below a base-2 logarithm, as the number of 1/1024s.
pub(super) fn round_up(log2: f64) -> i32 {
    // The cast saturates: no noise becomes the least number, an infinite one a number above every limit.
    if log2.is_nan() { i32::MAX } else { libm::ceil(log2 * STEPS) as i32 }
}

/// Number of components, level, and noise bound in 1/1024 of base-2 logarithms.
#[derive(Serialize, Deserialize)]
pub(super) struct CiphertextHeader {
    pub(super) components: u8,
    pub(super) level: u32,
    noise_sup: i32,
    noise_euclidean: i32,
}

impl CiphertextHeader {
    /// The noise bound of a ciphertext of degree `degree`.
    pub(super) fn noise(&self, degree: usize) -> NoiseBound {
        NoiseBound::from_log2(f64::from(self.noise_sup) / STEPS, f64::from(self.noise_euclidean) / STEPS, degree)
    }
}

/// Bytes of the payload of a ciphertext of any scheme. Refused where there are not two or three components, or the parameters lack the level.
pub(super) fn payload_of(components: u8, level: u32, shape: Shape<'_>) -> Result<usize, WireError> {
    let (components, level) = (usize::from(components), level as usize);
    if !(2..=3).contains(&components) {
        return Err(WireError::Components { found: components, least: 2, most: 3 });
    }
    if level > shape.top_level() {
        return Err(WireError::Level { found: Level(level), top: Level(shape.top_level()) });
    }
    Ok(components * shape.poly(level))
}

impl TypedHeader for CiphertextHeader {
    fn limit(_: Shape<'_>) -> usize {
        1 + 5 + 5 + 5
    }

    fn max_payload_len(shape: Shape<'_>) -> Option<usize> {
        Some(3 * shape.poly(shape.top_level()))
    }

    fn payload_len(&self, shape: Shape<'_>) -> Result<usize, WireError> {
        payload_of(self.components, self.level, shape)
    }
}

impl Ciphertext {
    fn typed_header(&self) -> Vec<u8> {
        codec::encode(&CiphertextHeader {
            components: self.rlwe().components().len() as u8,
            level: self.level().0 as u32,
            noise_sup: round_up(self.noise().sup_log2()),
            noise_euclidean: round_up(self.noise().euclidean_log2()),
        })
    }

    /// Bytes of [`Wire::to_bytes`].
    pub fn encoded_len(&self) -> usize {
        let poly = Shape::of(self.parameters()).poly(self.level().0);
        HEADER_BYTES + self.typed_header().len() + self.rlwe().components().len() * poly
    }

    /// Appends what [`Wire::to_bytes`] gives: to a message that was begun with [`super::Message::begin`], without a copy in between.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        append_prefix(Self::KIND, self.parameters().digest(), &self.typed_header(), bytes);
        for component in self.rlwe().components() {
            write_poly(component, bytes);
        }
    }
}

impl Wire for Ciphertext {
    type Context = Context;

    const KIND: Kind = Kind::Ciphertext;

    /// The noise bound is rounded up to 1/1024 of a bit, so a bound less than that below the limit becomes one that readers refuse.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        self.append_to(&mut bytes);
        bytes
    }

    fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, WireError> {
        let parameters = context.parameters();
        let frame = Frame::open_as(bytes, Self::KIND, parameters.digest())?;
        let shape = Shape::of(parameters);
        let typed: CiphertextHeader = frame.typed(CiphertextHeader::limit(shape))?;
        let payload_len = typed.payload_len(shape)?;
        let (level, noise) = (Level(typed.level as usize), typed.noise(parameters.degree()));
        let exhausted =
            || WireError::NoiseExhausted { bound_log2: noise.sup_log2(), limit_log2: context.noise_limit_log2(level) };
        if noise.sup_log2() > context.noise_limit_log2(level) {
            return Err(exhausted());
        }
        let mut payload = frame.payload(payload_len)?;
        let ring = parameters.at(level).ok_or(WireError::Level { found: level, top: parameters.top_level() })?;
        let components =
            (0..typed.components).map(|_| read_poly(&mut payload, ring.basis())).collect::<Result<Vec<_>, _>>()?;
        let ciphertext = rlwe::Ciphertext::new(components, level);
        if ciphertext.is_transparent() {
            return Err(WireError::Transparent);
        }
        Self::new(context, ciphertext, noise).map_err(|_| exhausted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_rounded_up_and_never_down() {
        for (log2, steps) in
            [(0.0, 0), (1.0, 1024), (5.0 / 1024.0, 5), (5.000_1 / 1024.0, 6), (-0.5, -512), (-0.500_1, -512)]
        {
            assert_eq!(round_up(log2), steps, "{log2}");
            assert!(f64::from(round_up(log2)) / STEPS >= log2);
        }
        assert_eq!(round_up(f64::NEG_INFINITY), i32::MIN);
        assert_eq!(round_up(f64::INFINITY), i32::MAX);
        assert_eq!(round_up(f64::NAN), i32::MAX);
    }
}
