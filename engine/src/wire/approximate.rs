//! CKKS ciphertexts, seeded and expanded: the exact scale as exponents, the bounds as logarithms.
//!
//! No field is a floating-point number: there is no encoding of a scale that is zero, negative or not a number, nor of such a bound.

use serde::{Deserialize, Serialize};

use super::Wire;
use super::budget::{Shape, TypedHeader};
use super::ciphertext::{STEPS, payload_of, round_up};
use super::codec::{self, List};
use super::error::{HeaderFault, WireError};
use super::header::{Frame, Kind, prefix};
use super::poly::{read_poly, write_poly};
use super::seeded::{read_seeded, write_seeded};
use crate::ckks::{self, Bounds, Ciphertext, Context, Scale, SeededCiphertext};
use crate::params::Level;
use crate::ring::SEED_BYTES;
use crate::rlwe;

/// The exponent of 2, and for ciphertext primes of the set, by ascending position, theirs, of which none is zero.
#[derive(Serialize, Deserialize)]
pub(super) struct ScaleHeader {
    pub(super) two: i32,
    pub(super) primes: List<(u32, i32)>,
}

impl ScaleHeader {
    /// Most bytes of its encoding over that many primes.
    fn limit(primes: usize) -> usize {
        5 + 5 + 10 * primes
    }

    /// A scale that [`Scale::check`] admits over these primes.
    fn new(scale: &Scale, ciphertext_primes: &[u64]) -> Self {
        let exponent_of = |prime: u64| scale.primes().find(|&(other, _)| other == prime).map(|(_, exponent)| exponent);
        let primes = (0..).zip(ciphertext_primes);
        let primes = primes.filter_map(|(position, &prime)| Some((position, exponent_of(prime)?))).collect();
        Self { two: scale.two(), primes: List(primes) }
    }

    /// Refuses positions that do not ascend and exponents that are zero: there is a shorter list.
    pub(super) fn canonical(&self) -> Result<(), WireError> {
        let ascending = self.primes.0.iter().map(|&(position, _)| position).is_sorted_by(|a, b| a < b);
        let needed = self.primes.0.iter().all(|&(_, exponent)| exponent != 0);
        if ascending && needed { Ok(()) } else { Err(WireError::NotCanonical { what: "the scale" }) }
    }

    /// The scale, checked against the ciphertext primes of a set.
    pub(super) fn parse(&self, ciphertext_primes: &[u64]) -> Result<Scale, WireError> {
        self.canonical()?;
        let prime_at = |&(position, exponent): &(u32, i32)| {
            let prime = ciphertext_primes.get(position as usize).copied();
            let reason = HeaderFault::ScalePosition { position, primes: ciphertext_primes.len() };
            Ok((prime.ok_or(WireError::TypedHeader { reason })?, exponent))
        };
        let primes = self.primes.0.iter().map(prime_at).collect::<Result<Vec<_>, WireError>>()?;
        let scale = Scale::from_exponents(self.two, primes);
        scale.check(ciphertext_primes).map_err(|reason| WireError::Scale { scale: scale.to_string(), reason })?;
        Ok(scale)
    }
}

/// Bounds on message and error at the scale, in 1/1024 of base-2 logarithms.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct BoundsHeader {
    message: i32,
    error: i32,
}

impl BoundsHeader {
    const LIMIT: usize = 5 + 5;

    fn new(bounds: Bounds) -> Self {
        Self { message: round_up(bounds.message), error: round_up(bounds.error) }
    }

    /// The bounds.
    pub(super) fn parse(self) -> Bounds {
        Bounds { message: f64::from(self.message) / STEPS, error: f64::from(self.error) / STEPS }
    }
}

/// The refusal of bounds that do not fit a level.
fn too_large(context: &Context, level: Level, bounds: Bounds) -> WireError {
    WireError::Magnitude { bound_log2: bounds.phase(), limit_log2: context.limit_log2(level) }
}

/// Number of components, level, scale and bounds.
#[derive(Serialize, Deserialize)]
pub(super) struct ApproximateHeader {
    pub(super) components: u8,
    pub(super) level: u32,
    pub(super) scale: ScaleHeader,
    pub(super) bounds: BoundsHeader,
}

impl TypedHeader for ApproximateHeader {
    fn limit(shape: Shape<'_>) -> usize {
        1 + 5 + ScaleHeader::limit(shape.ciphertext_primes().len()) + BoundsHeader::LIMIT
    }

    fn max_payload_len(shape: Shape<'_>) -> Option<usize> {
        Some(3 * shape.poly(shape.top_level()))
    }

    fn payload_len(&self, shape: Shape<'_>) -> Result<usize, WireError> {
        let payload_len = payload_of(self.components, self.level, shape)?;
        self.scale.parse(shape.ciphertext_primes())?;
        Ok(payload_len)
    }
}

impl Wire for Ciphertext {
    type Context = Context;

    const KIND: Kind = Kind::ApproximateCiphertext;

    /// The bounds are rounded up to 1/1024 of a bit, so bounds less than that below the limit become some that readers refuse.
    fn to_bytes(&self) -> Vec<u8> {
        let (parameters, components) = (self.parameters(), self.rlwe().components());
        let typed = ApproximateHeader {
            components: components.len() as u8,
            level: self.level().0 as u32,
            scale: ScaleHeader::new(self.scale(), &parameters.spec().ciphertext_primes),
            bounds: BoundsHeader::new(self.shape().bounds),
        };
        let payload_len = components.len() * Shape::of(parameters).poly(self.level().0);
        let mut bytes = prefix(Self::KIND, parameters.digest(), &codec::encode(&typed), payload_len);
        for component in components {
            write_poly(component, &mut bytes);
        }
        bytes
    }

    fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, WireError> {
        let parameters = context.parameters();
        let frame = Frame::open_as(bytes, Self::KIND, parameters.digest())?;
        let lengths = Shape::of(parameters);
        let typed: ApproximateHeader = frame.typed(ApproximateHeader::limit(lengths))?;
        let payload_len = typed.payload_len(lengths)?;
        let shape = ckks::Shape {
            level: Level(typed.level as usize),
            scale: typed.scale.parse(lengths.ciphertext_primes())?,
            components: usize::from(typed.components),
            bounds: typed.bounds.parse(),
        };
        let (level, bounds) = (shape.level, shape.bounds);
        context.admit("this ciphertext", &shape).map_err(|_| too_large(context, level, bounds))?;
        let mut payload = frame.payload(payload_len)?;
        let ring = parameters.at(level).ok_or(WireError::Level { found: level, top: parameters.top_level() })?;
        let components =
            (0..typed.components).map(|_| read_poly(&mut payload, ring.basis())).collect::<Result<Vec<_>, _>>()?;
        let rlwe = rlwe::Ciphertext::new(components, level);
        if rlwe.is_transparent() {
            return Err(WireError::Transparent);
        }
        Self::new(context, rlwe, shape).map_err(|_| too_large(context, level, bounds))
    }
}

/// Scale and the bounds of the encoding: level and components follow from the parameters.
#[derive(Serialize, Deserialize)]
pub(super) struct SeededApproximateHeader {
    pub(super) scale: ScaleHeader,
    pub(super) bounds: BoundsHeader,
}

impl TypedHeader for SeededApproximateHeader {
    fn limit(shape: Shape<'_>) -> usize {
        ScaleHeader::limit(shape.ciphertext_primes().len()) + BoundsHeader::LIMIT
    }

    fn max_payload_len(shape: Shape<'_>) -> Option<usize> {
        Some(SEED_BYTES + shape.poly(shape.top_level()))
    }

    fn payload_len(&self, shape: Shape<'_>) -> Result<usize, WireError> {
        self.scale.parse(shape.ciphertext_primes())?;
        Ok(SEED_BYTES + shape.poly(shape.top_level()))
    }
}

impl Wire for SeededCiphertext {
    type Context = Context;

    const KIND: Kind = Kind::SeededApproximateCiphertext;

    /// The bounds are rounded up to 1/1024 of a bit, so bounds less than that below the limit become some that readers refuse.
    fn to_bytes(&self) -> Vec<u8> {
        let parameters = self.parameters();
        let typed = SeededApproximateHeader {
            scale: ScaleHeader::new(self.scale(), &parameters.spec().ciphertext_primes),
            bounds: BoundsHeader::new(self.bounds()),
        };
        write_seeded(Self::KIND, parameters, &codec::encode(&typed), self.rlwe())
    }

    fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, WireError> {
        let parameters = context.parameters();
        let frame = Frame::open_as(bytes, Self::KIND, parameters.digest())?;
        let lengths = Shape::of(parameters);
        let typed: SeededApproximateHeader = frame.typed(SeededApproximateHeader::limit(lengths))?;
        let payload_len = typed.payload_len(lengths)?;
        let scale = typed.scale.parse(lengths.ciphertext_primes())?;
        let bounds = typed.bounds.parse();
        let fresh = Self::shape_of(parameters, scale.clone(), bounds);
        let refused = || too_large(context, fresh.level, fresh.bounds);
        context.admit("this ciphertext", &fresh).map_err(|_| refused())?;
        let mut payload = frame.payload(payload_len)?;
        let seeded = read_seeded(&mut payload, parameters.top().basis())?;
        Self::new(context, seeded, scale, bounds).map_err(|_| refused())
    }
}
