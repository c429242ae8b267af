//! A member of a room for `find`: the question goes out encrypted, and what comes back is the ticket of whom it matches, or nothing.

use std::path::Path;
use std::sync::Arc;

use blindrelay_client::Room;
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::{self, Kind, Wire, content_digest};
use blindrelay_keyholder::{Expectation, SecretKey, file};
use blindrelay_routing::Token;
use blindrelay_routing::find::{
    FIND_SIGNS, FindAnswer, FindError, FindKind, FindRecord, FindRequest, Finding, Opened, PAYLOAD_LEVEL, THRESHOLDS,
};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::printable::hex;
use crate::room_kind::RoomKind;

/// The score of equal identities, which different ones reach with probability 2^-128.
pub(crate) const EQUAL: i64 = *THRESHOLDS.end();

/// However many handles a service claims, no longer answer is read.
const MAX_ANSWER_BYTES: u64 = 1 << 30;
/// Handles that may join a room between two requests.
const JOINING: u64 = 1024;
/// More than an answer says of a group beside its ciphertext.
const GROUP_BYTES: usize = 1024;

/// A member: the room's key, and the secret that turns identities into tokens.
pub(crate) struct Finder {
    key: SecretKey,
    token_secret: Seed,
}

/// An encrypted question.
pub(crate) struct Question {
    /// As it is sent.
    pub(crate) bytes: Vec<u8>,
    request: FindRequest,
}

impl Finder {
    /// A member of the room of this seed.
    pub(crate) fn of_room(context: &Arc<Context>, seed: &Seed) -> Self {
        let key = SecretKey::for_room(context, seed, 0);
        let token_secret = key.derive_seed("identity-tokens", FIND_SIGNS.as_bytes());
        Self { key, token_secret }
    }

    /// A member by a key file, which must have been made for `find`.
    pub(crate) fn from_file(path: &Path, backend: Backend) -> Result<Self, Failure> {
        match RoomKind::of_key_file(path)? {
            RoomKind::Find => {
                let context = RoomKind::Find.context(backend)?;
                Ok(Self::of_room(&context, &file::read(path, context.parameters())?))
            }
            other => Err(other.unfit()),
        }
    }

    /// The token of an identity among this room's members.
    pub(crate) fn token(&self, identity: &str) -> Token {
        Token::of_identity(self.token_secret.as_bytes(), identity)
    }

    /// The keys with which the service decides and selects, as they are sent. They open nothing.
    pub(crate) fn evaluation_keys(&self) -> Result<Vec<u8>, Failure> {
        let finding = Finding::new(self.key.context())?;
        Ok(self.key.planned_keys(finding.key_plan()).to_bytes())
    }

    /// Refuses a room of another operator.
    pub(crate) fn check_operator(room: &Room) -> Result<(), Failure> {
        if room.operator == FIND_SIGNS {
            Ok(())
        } else {
            Err(Failure::OtherOperator { expected: FIND_SIGNS, found: room.operator.clone() })
        }
    }

    /// Refuses a room that is not this member's: one of another operator, or with evaluation keys that were not made from the same secret. They are
    /// recomputed here, which takes as long as a question.
    pub(crate) fn recognise(&self, room: &Room) -> Result<(), Failure> {
        Self::check_operator(room)?;
        let expected = hex(&content_digest(&self.evaluation_keys()?));
        if room.evaluation_keys.as_ref() == Some(&expected) { Ok(()) } else { Err(Failure::OtherKey) }
    }

    /// A token with its ticket as an encrypted record, as it is sent.
    pub(crate) fn record(&self, token: &Token, ticket: &[u8]) -> Result<Vec<u8>, Failure> {
        let [token, payload] = FindRecord::pack(self.key.context(), token, ticket)?;
        let record =
            FindRecord { token: self.key.encrypt(&token)?, payload: self.key.encrypt_at(&payload, PAYLOAD_LEVEL)? };
        Ok(record.to_bytes().map_err(FindError::from)?)
    }

    /// A token as an encrypted question.
    pub(crate) fn question(&self, token: &Token, kind: FindKind, threshold: i64) -> Result<Question, Failure> {
        let plaintext = FindRequest::pack_probe(self.key.context(), token)?;
        let probe = self.key.encrypt_at(&plaintext, FindRequest::probe_level(self.key.parameters()))?;
        let request = FindRequest { kind, threshold, probe };
        Ok(Question { bytes: request.to_bytes()?, request })
    }

    /// The answer to a question, before anything of it is opened: of this operator and these parameters, and to this question.
    pub(crate) fn read(&self, question: &Question, answer: &[u8]) -> Result<FindAnswer, Failure> {
        let answer = FindAnswer::from_bytes(answer, self.key.context())?;
        answer.check(&question.request, &question.bytes)?;
        Ok(answer)
    }

    /// The tickets of all who match, or none.
    pub(crate) fn open_tickets(&self, answer: &FindAnswer) -> Result<Opened, Failure> {
        Ok(answer.open_tickets(self.key.context(), |answer, positions, range| self.open(answer, positions, range))?)
    }

    /// How many match.
    pub(crate) fn open_count(&self, answer: &FindAnswer) -> Result<usize, Failure> {
        Ok(answer.open_count(self.key.context(), |answer, positions, range| self.open(answer, positions, range))?)
    }

    /// Bytes that a room of so many handles can be answered with at most: one answer for each where each is alone in its group.
    pub(crate) fn longest_answer(&self, handles: usize) -> u64 {
        let answer = (wire::max_len(Kind::Answer, self.key.parameters()) + GROUP_BYTES) as u64;
        (handles as u64).saturating_add(JOINING).saturating_mul(answer).min(MAX_ANSWER_BYTES)
    }

    fn open(&self, answer: &Answer, positions: Vec<u32>, range: ValueRange) -> Option<Zeroizing<Vec<i64>>> {
        self.key.open_answer(answer, &Expectation { positions, range }).ok()
    }
}
