//! A member of a room: everything that is done with the room's secret seed.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use blindrelay_client::Room;
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::{Wire, content_digest};
use blindrelay_keyholder::{Expectation, KeyRequirements, SecretKey, file};
use blindrelay_routing::{MatchAnswer, MatchKind, Token};

use crate::failure::Failure;
use crate::printable::hex;
use crate::room_kind::RoomKind;

/// The tables of a kind's parameter set.
pub(crate) fn context(kind: MatchKind, backend: Backend) -> Result<Arc<Context>, Failure> {
    Ok(Context::new(&Parameters::new(preset(kind.parameters())?, backend)?)?)
}

/// A member: the room's key, and the secret that turns identities into tokens.
pub(crate) struct Member {
    kind: MatchKind,
    key: SecretKey,
    token_secret: Seed,
}

/// An encrypted question.
pub(crate) struct Probe {
    /// As it is sent.
    pub(crate) bytes: Vec<u8>,
    digest: [u8; 32],
}

/// What the opened answer says of one handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Score {
    /// Whose.
    #[serde(serialize_with = "as_text")]
    pub(crate) handle: Handle,
    /// The inner product with the probe.
    pub(crate) score: i64,
}

fn as_text<S: serde::Serializer>(handle: &Handle, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(handle)
}

impl Member {
    /// A member of the room of this seed.
    pub(crate) fn of_room(kind: MatchKind, context: &Arc<Context>, seed: &Seed) -> Self {
        let key = SecretKey::for_room(context, seed, 0);
        let token_secret = key.derive_seed("identity-tokens", kind.id().as_bytes());
        Self { kind, key, token_secret }
    }

    /// A member by a key file, whose parameters tell the kind of room; one in which scores are opened.
    pub(crate) fn from_file(path: &Path, backend: Backend) -> Result<Self, Failure> {
        match RoomKind::of_key_file(path)? {
            RoomKind::Match(kind) => {
                let context = context(kind, backend)?;
                Ok(Self::of_room(kind, &context, &file::read(path, context.parameters())?))
            }
            other => Err(other.unfit()),
        }
    }

    /// What the room matches.
    pub(crate) fn kind(&self) -> MatchKind {
        self.kind
    }

    /// The token of an identity among this room's members.
    pub(crate) fn token(&self, identity: &str) -> Token {
        Token::of_identity(self.token_secret.as_bytes(), identity)
    }

    /// How many tokens a record can carry.
    pub(crate) fn capacity(&self) -> usize {
        blindrelay_routing::Layout::new(self.key.parameters().degree()).capacity()
    }

    /// The keys that let the service shorten its answers, as they are sent. They open nothing.
    pub(crate) fn evaluation_keys(&self) -> Result<Vec<u8>, Failure> {
        let card = self.kind.card(self.key.context())?;
        let requirements = KeyRequirements::of_card(&card, self.key.parameters());
        Ok(self.key.evaluation_keys(&requirements).to_bytes())
    }

    /// Refuses a room that is not this member's: one of another operator, or with evaluation keys that were not made from the same secret. They are
    /// recomputed here, so that a service cannot exchange them; a room without any cannot be told from another.
    pub(crate) fn recognise(&self, room: &Room) -> Result<(), Failure> {
        if room.operator != self.kind.id() {
            return Err(Failure::OtherOperator { expected: self.kind.id(), found: room.operator.clone() });
        }
        let Some(found) = &room.evaluation_keys else { return Ok(()) };
        if *found == hex(&content_digest(&self.evaluation_keys()?)) { Ok(()) } else { Err(Failure::OtherKey) }
    }

    /// Tokens as an encrypted record, as it is sent.
    pub(crate) fn record(&self, tokens: &[Token]) -> Result<Vec<u8>, Failure> {
        let plaintext = self.kind.pack_tokens(self.key.context(), tokens)?;
        Ok(self.key.encrypt(&plaintext)?.to_bytes())
    }

    /// A token as an encrypted question.
    pub(crate) fn probe(&self, token: &Token) -> Result<Probe, Failure> {
        let plaintext = self.kind.pack_probe(self.key.context(), token)?;
        let bytes = self.key.encrypt(&plaintext)?.to_bytes();
        let digest = content_digest(&bytes);
        Ok(Probe { bytes, digest })
    }

    /// Opens an answer to `probe`. Before the key is used, the answer must be of this operator and these parameters, name the probe's digest,
    /// and carry scores only, one a handle and no handle twice; then every score must be one that an honest answer holds.
    pub(crate) fn open(&self, probe: &Probe, answer: &[u8]) -> Result<Vec<Score>, Failure> {
        let answer = MatchAnswer::from_bytes(answer, self.kind, self.key.context())?;
        if answer.request_digest != probe.digest {
            return Err(Failure::OtherRequest);
        }
        let mut seen = HashSet::new();
        for &handle in answer.blocks.iter().flat_map(|block| &block.handles) {
            if !seen.insert(handle) {
                return Err(Failure::RepeatedHandle(handle));
            }
        }
        if seen.is_empty() {
            return Err(Failure::NoScores);
        }
        let range = self.kind.plausible_range();
        let mut scores = Vec::with_capacity(seen.len());
        for block in &answer.blocks {
            let expected = Expectation { positions: block.answer.positions().to_vec(), range };
            let values = self.key.open_answer(&block.answer, &expected)?;
            scores.extend(block.handles.iter().zip(values.iter()).map(|(&handle, &score)| Score { handle, score }));
        }
        Ok(scores)
    }
}
