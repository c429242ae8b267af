//! A request: the encrypted probe, with what is asked for and the threshold in the clear.

use std::fmt;

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Context, LevelledSeededCiphertext, Plaintext};
use blindrelay_engine::operator::OperatorError;
use blindrelay_engine::params::{Level, Parameters};
use blindrelay_engine::wire::{Kind, Message, Wire, WireError, max_len};

use super::circuit::threshold;
use super::error::FindError;
use super::layout::FindLayout;
use super::plan::FIND_SIGNS;
use super::record::{other_message, signs};
use crate::pack::Token;

/// The threshold where nobody chose one: a score that two tokens of different identities reach with probability 2^-27.
pub const DEFAULT_THRESHOLD: i64 = 64;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindKind {
    /// The payloads of all who match.
    Tickets,
    /// How many match, and nothing else.
    Count,
}

impl FindKind {
    /// Part number of a request of this kind.
    pub(super) const fn request(self) -> u8 {
        match self {
            Self::Tickets => 1,
            Self::Count => 2,
        }
    }

    /// Part number of its answer.
    pub(super) const fn answer(self) -> u8 {
        match self {
            Self::Tickets => 3,
            Self::Count => 4,
        }
    }

    pub(super) fn of(part: u8, number: fn(Self) -> u8) -> Option<Self> {
        [Self::Tickets, Self::Count].into_iter().find(|&kind| number(kind) == part)
    }
}

impl fmt::Display for FindKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tickets => "the payloads of all who match",
            Self::Count => "the number of matches",
        })
    }
}

/// What a member asks.
#[derive(Clone, Debug, PartialEq)]
pub struct FindRequest {
    /// What is asked for.
    pub kind: FindKind,
    /// The least score that matches, public, one of [`super::THRESHOLDS`].
    pub threshold: i64,
    /// The probe at [`FindRequest::probe_level`].
    pub probe: LevelledSeededCiphertext,
}

impl FindRequest {
    /// The level at which probes are encrypted: that of the stored tokens, one below the top.
    pub fn probe_level(parameters: &Parameters) -> Level {
        Level(parameters.top_level().0.saturating_sub(1))
    }

    /// The plaintext of a probe of 128 signs, for `SecretKey::encrypt_at` at [`FindRequest::probe_level`].
    pub fn pack_probe(context: &Context, token: &Token) -> Result<Plaintext, FindError> {
        let layout = FindLayout::new(context)?;
        Ok(context.encode_slots(&layout.spread(&*signs(token)?))?)
    }

    /// The message. Every request has the same length. Refused for a threshold that decides nothing.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FindError> {
        let threshold = i16::try_from(threshold(self.threshold)?.threshold()).unwrap_or(i16::MAX);
        let parameters = self.probe.parameters().digest();
        let items = vec![threshold.to_le_bytes().to_vec(), self.probe.to_bytes()];
        let message = Message { parameters, operator: FIND_SIGNS.to_owned(), part: self.kind.request(), items };
        Ok(message.to_bytes()?)
    }

    /// Reads a request. Refused where it is another message, the threshold decides nothing, or the probe is at another level.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, OperatorError> {
        let parameters = context.parameters();
        let longest = max_len(Kind::LevelledSeededCiphertext, parameters);
        let message = Message::from_bytes(bytes, parameters.digest(), 2, longest)?;
        let kind = FindKind::of(message.part, FindKind::request).filter(|_| message.operator == FIND_SIGNS);
        let (kind, found, probe) = match (kind, message.items.as_slice()) {
            (Some(kind), [threshold, probe]) if threshold.len() == 2 => (kind, threshold, probe),
            _ => return Err(other_message("a request", message)),
        };
        let &[low, high] = found.as_slice() else { return Err(other_message("a request", message)) };
        let threshold = threshold(i64::from(i16::from_le_bytes([low, high])))?.threshold();
        let probe = LevelledSeededCiphertext::from_bytes(probe, context)?;
        let level = Self::probe_level(parameters);
        if probe.level() != level {
            return Err(Error::LevelMismatch { left: probe.level(), right: level }.into());
        }
        Ok(Self { kind, threshold, probe })
    }

    /// Bytes of every request.
    pub fn encoded_len(parameters: &Parameters) -> usize {
        let items = [2, LevelledSeededCiphertext::encoded_len(parameters, Self::probe_level(parameters))];
        let begun: Result<_, WireError> =
            Message::begin(parameters.digest(), FIND_SIGNS, FindKind::Tickets.request(), items.into_iter());
        begun.map_or(0, |headers| headers.len() + items.iter().sum::<usize>())
    }
}
