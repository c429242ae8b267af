//! The members of a room: they hold its key, enrol tokens, and open scores.

use std::sync::Arc;

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::{Expectation, KeyRequirements, SecretKey};
use blindrelay_routing::{MatchAnswer, MatchKind, Token};

pub(crate) struct Party {
    pub(crate) kind: MatchKind,
    pub(crate) key: SecretKey,
}

impl Party {
    pub(crate) fn new(kind: MatchKind, seed: u8) -> Self {
        let parameters = Parameters::new(preset(kind.parameters()).unwrap(), Backend::detect()).unwrap();
        let context: Arc<Context> = Context::new(&parameters).unwrap();
        Self { kind, key: SecretKey::from_seed(&context, Seed::from_bytes([seed; 32])) }
    }

    pub(crate) fn signs() -> Self {
        Self::new(MatchKind::Signs, 1)
    }

    pub(crate) fn token(&self, identity: &str) -> Token {
        let signs = Token::of_identity(&[9; 32], identity);
        match self.kind {
            MatchKind::Signs => signs,
            MatchKind::Embeddings => {
                let sizes = (0_u8..128).map(|i| (i % 8) as i8);
                let spread: Vec<i8> = signs.entries().iter().zip(sizes).map(|(sign, size)| sign * size).collect();
                Token::from_entries(&spread).unwrap()
            }
        }
    }

    pub(crate) fn record(&self, identities: &[&str]) -> Vec<u8> {
        let tokens: Vec<Token> = identities.iter().map(|identity| self.token(identity)).collect();
        self.key.encrypt(&self.kind.pack_tokens(self.key.context(), &tokens).unwrap()).unwrap().to_bytes()
    }

    pub(crate) fn probe(&self, identity: &str) -> Vec<u8> {
        let packed = self.kind.pack_probe(self.key.context(), &self.token(identity)).unwrap();
        self.key.encrypt(&packed).unwrap().to_bytes()
    }

    pub(crate) fn relinearization_keys(&self) -> Vec<u8> {
        let requirements = KeyRequirements { relinearization: true, ..KeyRequirements::default() };
        self.key.evaluation_keys(&requirements).to_bytes()
    }

    pub(crate) fn score(&self, left: &str, right: &str) -> i64 {
        let (left, right) = (self.token(left), self.token(right));
        left.entries().iter().zip(right.entries()).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum()
    }

    /// Handles with their scores, by handle.
    pub(crate) fn open(&self, answer: &[u8]) -> Vec<(Handle, i64)> {
        let answer = MatchAnswer::from_bytes(answer, self.kind, self.key.context()).unwrap();
        let range = self.kind.score_range();
        let mut scores = Vec::new();
        for block in &answer.blocks {
            let expected = Expectation { positions: block.answer.positions().to_vec(), range };
            let opened = self.key.open_answer(&block.answer, &expected).unwrap();
            scores.extend(block.handles.iter().copied().zip(opened.iter().copied()));
        }
        scores.sort_unstable();
        scores
    }
}
