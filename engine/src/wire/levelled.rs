//! Seeded ciphertexts of a chosen level: those of the top level with the primes above the level left out.

use serde::{Deserialize, Serialize};

use super::Wire;
use super::budget::{Shape, TypedHeader};
use super::codec;
use super::error::WireError;
use super::header::{Frame, HEADER_BYTES, Kind};
use super::seeded::{read_seeded, write_seeded};
use crate::bfv::{Context, LevelledSeededCiphertext};
use crate::params::{Level, Parameters};
use crate::ring::SEED_BYTES;

/// The level.
#[derive(Serialize, Deserialize)]
pub(super) struct LevelledSeededHeader {
    pub(super) level: u32,
}

impl TypedHeader for LevelledSeededHeader {
    fn limit(_: Shape<'_>) -> usize {
        5
    }

    fn max_payload_len(shape: Shape<'_>) -> Option<usize> {
        Some(SEED_BYTES + shape.poly(shape.top_level()))
    }

    fn payload_len(&self, shape: Shape<'_>) -> Result<usize, WireError> {
        let level = self.level as usize;
        if level > shape.top_level() {
            return Err(WireError::Level { found: Level(level), top: Level(shape.top_level()) });
        }
        Ok(SEED_BYTES + shape.poly(level))
    }
}

impl LevelledSeededCiphertext {
    /// Bytes of the encoding at a level: what to hold a stream against that has to be of that level.
    pub fn encoded_len(parameters: &Parameters, level: Level) -> usize {
        let typed = codec::encode(&LevelledSeededHeader { level: level.0 as u32 });
        HEADER_BYTES + typed.len() + SEED_BYTES + Shape::of(parameters).poly(level.0)
    }
}

impl Wire for LevelledSeededCiphertext {
    type Context = Context;

    const KIND: Kind = Kind::LevelledSeededCiphertext;

    fn to_bytes(&self) -> Vec<u8> {
        let typed = codec::encode(&LevelledSeededHeader { level: self.level().0 as u32 });
        write_seeded(Self::KIND, self.parameters(), &typed, self.rlwe())
    }

    fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, WireError> {
        let parameters = context.parameters();
        let frame = Frame::open_as(bytes, Self::KIND, parameters.digest())?;
        let shape = Shape::of(parameters);
        let typed: LevelledSeededHeader = frame.typed(LevelledSeededHeader::limit(shape))?;
        let mut payload = frame.payload(typed.payload_len(shape)?)?;
        let level = Level(typed.level as usize);
        let no_level = || WireError::Level { found: level, top: parameters.top_level() };
        let ring = parameters.at(level).ok_or_else(no_level)?;
        Self::new(parameters, read_seeded(&mut payload, ring.basis())?).map_err(|_| no_level())
    }
}
