//! Our side of matching: a room whose members have enrolled, with the key that opens its answers.

use std::sync::Arc;

use blindrelay_engine::bfv::{Answer, Ciphertext, Context, SeededCiphertext};
use blindrelay_engine::operator::{Collection, Handle};
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_kernels::Backend;
use blindrelay_keyholder::{Expectation, SecretKey};
use blindrelay_routing::{Layout, MatchKind, Matching, Roster, RosterSnapshot, ScoredBlock, Token};

use crate::Error;

/// The tables of a named parameter set.
pub fn context(name: &str, backend: Backend) -> Result<Arc<Context>, Error> {
    Ok(Context::new(&Parameters::new(preset(name)?, backend)?)?)
}

/// A room key and the roster of encrypted tokens under it.
pub struct Room {
    kind: MatchKind,
    key: SecretKey,
    roster: Roster,
    enrolled: u64,
}

impl Room {
    /// An empty room.
    pub fn new(kind: MatchKind, backend: Backend) -> Result<Self, Error> {
        let context = context(kind.parameters(), backend)?;
        let key = SecretKey::from_seed(&context, Seed::from_bytes([7; 32]));
        let roster = Matching::new(kind, &context)?.roster();
        Ok(Self { kind, key, roster, enrolled: 0 })
    }

    /// Enrols tokens, `together` in a record.
    pub fn enrol(&mut self, tokens: &[Token], together: usize) -> Result<(), Error> {
        for tokens in tokens.chunks(together) {
            let plaintext = self.kind.pack_tokens(self.context(), tokens)?;
            let record = self.key.encrypt(&plaintext)?.to_bytes();
            let handles: Vec<Handle> = (self.enrolled..)
                .take(tokens.len())
                .map(|number| Handle::from_bytes(u128::from(number).to_le_bytes()))
                .collect();
            self.roster.append(&record, &handles)?;
            self.enrolled += tokens.len() as u64;
        }
        Ok(())
    }

    /// The tables.
    pub fn context(&self) -> &Arc<Context> {
        self.key.context()
    }

    /// The room key.
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    /// The roster.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The roster as it is now: what a service keeps between requests.
    pub fn snapshot(&self) -> RosterSnapshot {
        self.roster.view()
    }

    /// Encodes and encrypts a probe.
    pub fn probe(&self, token: &Token) -> Result<SeededCiphertext, Error> {
        Ok(self.key.encrypt(&self.kind.pack_probe(self.context(), token)?)?)
    }

    /// A probe as the service has it once it was received.
    pub fn received_probe(&self, token: &Token) -> Result<Ciphertext, Error> {
        Ok(self.probe(token)?.expand(self.context())?)
    }

    /// What an answer to a full group must look like.
    pub fn expectation(&self) -> Expectation {
        let layout = Layout::new(self.context().parameters().degree());
        let range = self.kind.score_range();
        Expectation { positions: (0..layout.capacity()).map(|place| layout.score(place)).collect(), range }
    }

    /// Opens one answer.
    pub fn open(&self, answer: &Answer, expectation: &Expectation) -> Result<Vec<i64>, Error> {
        Ok(self.key.open_answer(answer, expectation)?.to_vec())
    }

    /// Opens the answers of full groups, in order.
    pub fn open_all(&self, blocks: &[ScoredBlock], expectation: &Expectation) -> Result<Vec<i64>, Error> {
        let mut scores = Vec::new();
        for block in blocks {
            scores.extend(self.key.open_answer(&block.answer, expectation)?.iter());
        }
        Ok(scores)
    }
}
