//! Answers: the positions that can be opened, their residues, and the other components modulo the answer prime.

use serde::{Deserialize, Serialize};

use super::Wire;
use super::budget::{Shape, TypedHeader};
use super::codec::{self, List};
use super::error::{HeaderFault, WireError};
use super::header::{Frame, Kind, prefix};
use super::poly::{pack, packed_len, read_poly, unpack, write_poly};
use crate::bfv::{Answer, Context};
use crate::ring::Poly;

/// The positions of an answer: differences where they are few, one bit a coefficient where they are more than `n / 8`.
#[derive(Serialize, Deserialize)]
pub(super) enum Positions {
    /// The first position, then the difference of each to the one before it.
    Differences(List<u32>),
    /// Bit `i mod 8` of byte `i / 8` stands for coefficient `i`; `n / 8` bytes.
    Bitmap(List<u8>),
}

impl Positions {
    /// The shorter form of ascending positions.
    fn new(positions: &[u32], degree: usize) -> Self {
        if positions.len() <= degree / 8 {
            let before = std::iter::once(0).chain(positions.iter().copied());
            return Self::Differences(List(
                positions.iter().zip(before).map(|(&position, before)| position - before).collect(),
            ));
        }
        let mut bitmap = vec![0_u8; degree / 8];
        for &position in positions {
            if let Some(byte) = bitmap.get_mut(position as usize / 8) {
                *byte |= 1 << (position % 8);
            }
        }
        Self::Bitmap(List(bitmap))
    }

    /// The positions, checked against a ring degree.
    pub(super) fn parse(&self, degree: usize) -> Result<Vec<u32>, WireError> {
        let positions = self.decode(degree)?;
        let (few, found) = (positions.len() <= degree / 8, positions.len());
        match self {
            Self::Differences(_) if few => Ok(positions),
            Self::Bitmap(bitmap) if !few && bitmap.0.len() == degree / 8 => Ok(positions),
            Self::Bitmap(bitmap) if bitmap.0.len() > degree / 8 => Err(WireError::TypedHeader {
                reason: HeaderFault::TooMany {
                    what: "bits in the bitmap of positions",
                    found: 8 * bitmap.0.len(),
                    limit: degree,
                },
            }),
            Self::Bitmap(_) => Err(WireError::NotCanonical { what: "the bitmap of positions" }),
            Self::Differences(_) => Err(WireError::TypedHeader {
                reason: HeaderFault::TooMany { what: "listed positions", found, limit: degree / 8 },
            }),
        }
    }

    /// The positions, whatever form they have, ascending and below `degree`.
    fn decode(&self, degree: usize) -> Result<Vec<u32>, WireError> {
        match self {
            Self::Differences(differences) => {
                let mut position = 0_u32;
                let next = |(index, &difference): (usize, &u32)| {
                    let sum = position.checked_add(difference).filter(|&sum| (sum as usize) < degree);
                    position = sum
                        .filter(|_| index == 0 || difference > 0)
                        .ok_or(WireError::TypedHeader { reason: HeaderFault::Position { index, degree } })?;
                    Ok(position)
                };
                differences.0.iter().enumerate().map(next).collect()
            }
            Self::Bitmap(bitmap) => Ok((0..)
                .zip(bitmap.0.iter().flat_map(|&byte| (0..8).map(move |bit| byte >> bit & 1)))
                .filter_map(|(position, bit)| (bit == 1).then_some(position))
                .collect()),
        }
    }

    /// The positions where the ring degree is not known: below that of the largest ring.
    pub(super) fn parse_any(&self) -> Result<Vec<u32>, WireError> {
        self.decode(blindrelay_kernels::MAX_SIZE)
    }
}

/// How many components follow the body, and which coefficients the body has.
#[derive(Serialize, Deserialize)]
pub(super) struct AnswerHeader {
    pub(super) rest: u8,
    pub(super) positions: Positions,
}

impl TypedHeader for AnswerHeader {
    /// `n / 8` differences that sum to less than `n` have at most one byte each and two more for every full 251, and two more if they reach 2^16.
    fn limit(shape: Shape<'_>) -> usize {
        1 + 1 + 5 + shape.degree() / 8 + 4 * (shape.degree() / 251 + 1)
    }

    fn max_payload_len(shape: Shape<'_>) -> Option<usize> {
        Some(3 * shape.answer(shape.degree())?)
    }

    fn payload_len(&self, shape: Shape<'_>) -> Result<usize, WireError> {
        let rest = usize::from(self.rest);
        if !(1..=2).contains(&rest) {
            return Err(WireError::Components { found: rest, least: 1, most: 2 });
        }
        let count = self.positions.parse(shape.degree())?.len();
        shape
            .answer(count)
            .zip(shape.answer(shape.degree()))
            .map(|(body, poly)| body + rest * poly)
            .ok_or(WireError::TypedHeader { reason: HeaderFault::NoAnswerPrime })
    }
}

impl Wire for Answer {
    type Context = Context;

    const KIND: Kind = Kind::Answer;

    fn to_bytes(&self) -> Vec<u8> {
        let parameters = self.parameters();
        let shape = Shape::of(parameters);
        let typed = AnswerHeader {
            rest: self.rest().len() as u8,
            positions: Positions::new(self.positions(), parameters.degree()),
        };
        let payload_len = typed.payload_len(shape).unwrap_or_default();
        let mut bytes = prefix(Self::KIND, parameters.digest(), &codec::encode(&typed), payload_len);
        let moduli = parameters.answer_basis().map(|basis| basis.moduli()).unwrap_or_default();
        for modulus in moduli {
            pack(parameters.backend(), self.body(), modulus.bits(), &mut bytes);
        }
        for component in self.rest() {
            write_poly(component, &mut bytes);
        }
        bytes
    }

    fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, WireError> {
        let no_answers = || WireError::TypedHeader { reason: HeaderFault::NoAnswerPrime };
        let parameters = context.parameters();
        let frame = Frame::open_as(bytes, Self::KIND, parameters.digest())?;
        let shape = Shape::of(parameters);
        let typed: AnswerHeader = frame.typed(AnswerHeader::limit(shape))?;
        let mut payload = frame.payload(typed.payload_len(shape)?)?;
        let basis = parameters.answer_basis().ok_or_else(no_answers)?;
        let positions = typed.positions.parse(parameters.degree())?;
        let mut body = vec![0; positions.len()];
        for (limb, modulus) in basis.moduli().into_iter().enumerate() {
            let packed = payload.take(packed_len(body.len(), modulus.bits()))?;
            unpack(parameters.backend(), packed, modulus, limb, &mut body)?;
        }
        let rest = (0..typed.rest).map(|_| read_poly(&mut payload, basis)).collect::<Result<Vec<_>, _>>()?;
        if rest.iter().all(Poly::is_zero) {
            return Err(WireError::Transparent);
        }
        Self::new(parameters, positions, body, rest).ok_or_else(no_answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_take_the_shorter_form_and_fit_the_limit() {
        for degree in [16_usize, 2048, 65_536] {
            for step in [1, 2, 7, 8, 9, 250, 251, 1000] {
                let positions: Vec<u32> = (0..degree as u32).step_by(step).collect();
                let form = Positions::new(&positions, degree);
                assert_eq!(matches!(form, Positions::Bitmap(_)), positions.len() > degree / 8);
                assert_eq!(form.parse(degree), Ok(positions));
                let spread: Vec<u32> =
                    (0..degree as u32 / 8).map(|i| if i % 31 == 0 { 8 * i } else { 8 * i + 7 }).collect();
                for form in [form, Positions::new(&spread, degree), Positions::new(&[degree as u32 - 1], degree)] {
                    let bytes = codec::encode(&AnswerHeader { rest: 2, positions: form });
                    assert!(
                        bytes.len() <= 7 + degree / 8 + 4 * (degree / 251 + 1) && bytes.len() <= codec::MAX_TYPED_BYTES
                    );
                }
            }
        }
    }
}
