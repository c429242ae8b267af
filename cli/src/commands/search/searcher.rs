//! A member of a room for `search`: everything that is done with the room's secret seed.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use blindrelay_client::Room;
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::{self, Kind, Wire, content_digest};
use blindrelay_keyholder::{Expectation, OpenError, SecretKey, file};
use blindrelay_routing::search::{
    Keyword, SEARCH, SearchAnswer, SearchLayout, SearchMatch, SearchPlan, SearchRequest, SearchedBlock,
    pack_participants, pack_query,
};

use crate::failure::Failure;
use crate::room_kind::RoomKind;

/// However many handles a service claims, no longer answer is read.
const MAX_ANSWER_BYTES: u64 = 1 << 30;
/// Handles that may join a room between two requests.
const JOINING: u64 = 1024;
/// More than an answer says of a block beside its ciphertext.
const BLOCK_BYTES: usize = 4096;

/// A member: the room's key, and the secret that turns words into keywords.
pub(super) struct Searcher {
    key: SecretKey,
    keyword_secret: Seed,
}

/// An encrypted question.
pub(super) struct Question {
    /// As it is sent.
    pub(super) bytes: Vec<u8>,
    digest: [u8; 32],
}

impl Searcher {
    /// A member by a key file, which must have been made for `search`.
    pub(super) fn from_file(path: &Path, backend: Backend) -> Result<Self, Failure> {
        match RoomKind::of_key_file(path)? {
            RoomKind::Search => {
                let context = RoomKind::Search.context(backend)?;
                Ok(Self::of_room(&context, &file::read(path, context.parameters())?))
            }
            other => Err(other.unfit()),
        }
    }

    fn of_room(context: &Arc<Context>, seed: &Seed) -> Self {
        let key = SecretKey::for_room(context, seed, 0);
        let keyword_secret = key.derive_seed("search-keywords", SEARCH.as_bytes());
        Self { key, keyword_secret }
    }

    /// Refuses a room of another operator.
    pub(super) fn check_operator(room: &Room) -> Result<(), Failure> {
        if room.operator == SEARCH {
            Ok(())
        } else {
            Err(Failure::OtherOperator { expected: SEARCH, found: room.operator.clone() })
        }
    }

    /// A word among this room's members.
    pub(super) fn keyword(&self, word: &str) -> Result<Keyword, Failure> {
        Ok(Keyword::of_word(self.keyword_secret.as_bytes(), word)?)
    }

    /// How many participants a record can carry.
    pub(super) fn capacity(&self) -> usize {
        SearchLayout::new(self.key.parameters().degree()).capacity()
    }

    /// Participants as an encrypted record, as it is sent.
    pub(super) fn record(&self, participants: &[Vec<Keyword>]) -> Result<Vec<u8>, Failure> {
        let plaintext = pack_participants(self.key.context(), participants)?;
        Ok(self.key.encrypt(&plaintext)?.to_bytes())
    }

    /// A keyword as an encrypted question.
    pub(super) fn question(&self, keyword: &Keyword) -> Result<Question, Failure> {
        let query = self.key.encrypt(&pack_query(self.key.context(), keyword)?)?;
        let bytes = SearchRequest { query, public_key: self.key.public_key() }
            .to_bytes()
            .map_err(blindrelay_routing::AnswerError::from)?;
        let digest = content_digest(&bytes);
        Ok(Question { bytes, digest })
    }

    /// The answer to a question, before anything of it is opened: of this operator and these parameters, to this question, and with no handle twice.
    pub(super) fn read(&self, question: &Question, answer: &[u8]) -> Result<SearchAnswer, Failure> {
        let answer = SearchAnswer::from_bytes(answer, self.key.context())?;
        if answer.request_digest != question.digest {
            return Err(Failure::OtherRequest);
        }
        let mut seen = HashSet::new();
        for &(_, handle) in answer.blocks.iter().flat_map(|block| &block.participants) {
            if !seen.insert(handle) {
                return Err(Failure::RepeatedHandle(handle));
            }
        }
        Ok(answer)
    }

    /// Who has the keyword. Refused where a block has more noise than an honest one, as under the key of another room.
    pub(super) fn open(&self, answer: &SearchAnswer) -> Result<Vec<SearchMatch>, Failure> {
        let context = self.key.context();
        let noise = SearchPlan::new(context)?.answer;
        let mut matches = Vec::new();
        for block in &answer.blocks {
            let positions = block.answer.positions().to_vec();
            let expected = Expectation { positions, range: SearchedBlock::range(context) };
            let opened = self.key.open_answer_within(&block.answer, &expected, noise)?;
            matches.extend(block.matches(context, &opened).map_err(|_| OpenError)?);
        }
        Ok(matches)
    }

    /// Bytes that a room of so many handles can be answered with at most: one block for each where each is alone in its own.
    pub(super) fn longest_answer(&self, handles: usize) -> u64 {
        let block = (wire::max_len(Kind::Answer, self.key.parameters()) + BLOCK_BYTES) as u64;
        (handles as u64).saturating_add(JOINING).saturating_mul(block).min(MAX_ANSWER_BYTES)
    }
}
