//! A record: token and payload of one participant, encrypted.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Context, LevelledSeededCiphertext, Plaintext, SeededCiphertext};
use blindrelay_engine::operator::OperatorError;
use blindrelay_engine::params::{Level, Parameters};
use blindrelay_engine::wire::{Kind, Message, Wire, WireError, max_len};

use super::error::FindError;
use super::layout::FindLayout;
use super::payload;
use super::plan::FIND_SIGNS;
use crate::layout::TOKEN_ENTRIES;
use crate::pack::Token;

/// The level at which payloads are encrypted: one above the product with the decisions.
pub const PAYLOAD_LEVEL: Level = Level(2);

/// Part number of a record.
pub(super) const RECORD: u8 = 0;

/// What a participant enrols.
#[derive(Clone, Debug, PartialEq)]
pub struct FindRecord {
    /// The token, at the top level.
    pub token: SeededCiphertext,
    /// The payload, at [`PAYLOAD_LEVEL`].
    pub payload: LevelledSeededCiphertext,
}

impl FindRecord {
    /// The plaintexts of a token of 128 signs and a payload of 1 to 254 bytes: the first is for `SecretKey::encrypt`, the second for `SecretKey::encrypt_at` at [`PAYLOAD_LEVEL`].
    pub fn pack(context: &Context, token: &Token, payload: &[u8]) -> Result<[Plaintext; 2], FindError> {
        let layout = FindLayout::new(context)?;
        let entries = layout.spread(&*signs(token)?);
        let chunks = payload::encode(payload)?;
        let t = context.plaintext_modulus();
        let centred = zeroize::Zeroizing::new(chunks.map(|chunk| t.centre(t.from_signed(chunk))));
        Ok([context.encode_slots(&entries)?, context.encode_slots(&layout.spread(&centred))?])
    }

    /// The message. Every record has the same length.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        let parameters = self.token.parameters().digest();
        let items = vec![self.token.to_bytes(), self.payload.to_bytes()];
        Message { parameters, operator: FIND_SIGNS.to_owned(), part: RECORD, items }.to_bytes()
    }

    /// Reads a record. Refused where it is another message, or a ciphertext is at another level.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, OperatorError> {
        let parameters = context.parameters();
        let message = Message::from_bytes(bytes, parameters.digest(), 2, max_len(Kind::SeededCiphertext, parameters))?;
        let [token, payload] = match message.items.as_slice() {
            [token, payload] if message.operator == FIND_SIGNS && message.part == RECORD => [token, payload],
            _ => return Err(other_message("a record", message)),
        };
        let token = SeededCiphertext::from_bytes(token, context)?;
        let payload = LevelledSeededCiphertext::from_bytes(payload, context)?;
        if payload.level() != PAYLOAD_LEVEL {
            return Err(Error::LevelMismatch { left: payload.level(), right: PAYLOAD_LEVEL }.into());
        }
        Ok(Self { token, payload })
    }

    /// Bytes of every record.
    pub fn encoded_len(parameters: &Parameters) -> usize {
        let items = [
            max_len(Kind::SeededCiphertext, parameters),
            LevelledSeededCiphertext::encoded_len(parameters, PAYLOAD_LEVEL),
        ];
        let begun = Message::begin(parameters.digest(), FIND_SIGNS, RECORD, items.into_iter());
        begun.map_or(0, |headers| headers.len() + items.iter().sum::<usize>())
    }
}

/// The refusal of a message that is not what was expected.
pub(super) fn other_message(expected: &'static str, message: Message) -> OperatorError {
    let items = message.items.len();
    OperatorError::OtherMessage { expected, operator: FIND_SIGNS, found: message.operator, part: message.part, items }
}

/// The entries of a token of signs.
pub(super) fn signs(token: &Token) -> Result<zeroize::Zeroizing<[i64; TOKEN_ENTRIES]>, FindError> {
    match token.entries().iter().position(|entry| entry.unsigned_abs() != 1) {
        Some(index) => Err(FindError::Entry { index }),
        None => Ok(zeroize::Zeroizing::new(token.entries().map(i64::from))),
    }
}
