//! Who is in a room, as far as the service has acknowledged it, compared with who is found there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use blindrelay_client::{Client, Error};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::{Wire, content_digest};
use blindrelay_keyholder::{Expectation, KeyRequirements, SecretKey};
use blindrelay_routing::{MatchAnswer, MatchKind, TOKEN_ENTRIES, Token};

/// Longest answer that is read.
const LONGEST_ANSWER: u64 = 64 << 20;

/// The members of a room of `match-signs/1`: they hold its key.
pub struct Members {
    key: SecretKey,
}

impl Default for Members {
    fn default() -> Self {
        let set = preset(MatchKind::Signs.parameters()).expect("a preset");
        let context = Context::new(&Parameters::new(set, Backend::detect()).expect("a valid set")).expect("tables");
        Self { key: SecretKey::from_seed(&context, Seed::from_bytes([41; 32])) }
    }
}

impl Members {
    fn token(name: &str) -> Token {
        Token::of_identity(&[42; 32], name)
    }

    /// Names as a record, at most 16.
    pub fn record(&self, names: &[&str]) -> Vec<u8> {
        let tokens: Vec<Token> = names.iter().map(|name| Self::token(name)).collect();
        let plaintext = MatchKind::Signs.pack_tokens(self.key.context(), &tokens).expect("tokens that fit");
        self.key.encrypt(&plaintext).expect("a ciphertext").to_bytes()
    }

    /// A name as a question.
    pub fn probe(&self, name: &str) -> Vec<u8> {
        let plaintext = MatchKind::Signs.pack_probe(self.key.context(), &Self::token(name)).expect("a token");
        self.key.encrypt(&plaintext).expect("a ciphertext").to_bytes()
    }

    /// Keys with which the service shortens its answers.
    pub fn evaluation_keys(&self) -> Vec<u8> {
        let requirements = KeyRequirements { relinearization: true, ..KeyRequirements::default() };
        self.key.evaluation_keys(&requirements).to_bytes()
    }

    /// Whose tokens are that of the question; an error where the answer is not one to it.
    pub fn open(&self, probe: &[u8], answer: &[u8]) -> Result<Vec<Handle>, String> {
        let answer = MatchAnswer::from_bytes(answer, MatchKind::Signs, self.key.context());
        let answer = answer.map_err(|error| format!("no answer: {error}"))?;
        if answer.request_digest != content_digest(probe) {
            return Err("an answer to another question".to_owned());
        }
        let range = MatchKind::Signs.plausible_range();
        let mut found = Vec::new();
        for block in &answer.blocks {
            let expected = Expectation { positions: block.answer.positions().to_vec(), range };
            let scores = self.key.open_answer(&block.answer, &expected).map_err(|error| error.to_string())?;
            let equal = block.handles.iter().zip(scores.iter()).filter(|(_, score)| **score == TOKEN_ENTRIES as i64);
            found.extend(equal.map(|(handle, _)| *handle));
        }
        Ok(found)
    }
}

/// Somebody who wants to be enrolled. What is sent is encrypted once, so that a repetition has the same bytes.
pub struct Newcomer {
    name: String,
    record: Vec<u8>,
}

/// A room with what was acknowledged of it.
pub struct Attendance {
    members: Members,
    room: String,
    present: Mutex<BTreeMap<String, Handle>>,
    gone: Mutex<BTreeSet<String>>,
}

/// What the comparison has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Names whose enrolment was acknowledged, those that were removed again included.
    pub enrolled: u64,
    /// Names that are in the room, under the handles that were acknowledged.
    pub found: u64,
    /// Acknowledged enrolments that are not there, or not found by their names.
    pub lost: u64,
    /// Handles that nobody acknowledged, and removed names that are still found.
    pub surplus: u64,
}

impl Attendance {
    /// A new room.
    pub fn new(client: &Client) -> Result<Self, Error> {
        let room = client.create_room(MatchKind::Signs.id(), None)?;
        Ok(Self { members: Members::default(), room, present: Mutex::default(), gone: Mutex::default() })
    }

    /// The room.
    pub fn room(&self) -> &str {
        &self.room
    }

    /// Those who hold its key.
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// A name, encrypted.
    pub fn newcomer(&self, name: &str) -> Newcomer {
        Newcomer { name: name.to_owned(), record: self.members.record(&[name]) }
    }

    /// Enrols a name. However often this is repeated, the name is enrolled once.
    pub fn enrol(&self, client: &Client, newcomer: &Newcomer) -> Result<(), Error> {
        let Newcomer { name, record } = newcomer;
        let handles = client.enroll(&self.room, record, 1, &format!("enrol-{name}"))?;
        let handle = *handles.first().expect("a handle for each value");
        self.present.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), handle);
        Ok(())
    }

    /// Removes a name that was enrolled.
    pub fn remove(&self, client: &Client, name: &str) -> Result<(), Error> {
        let handle = self.present.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        client.remove(&self.room, handle.expect("a name that was enrolled"))?;
        self.present.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Ok(())
    }

    /// Asks for a name: the handles that carry it.
    pub fn ask(&self, client: &Client, name: &str) -> Result<Vec<Handle>, Error> {
        let probe = self.members.probe(name);
        let answer = client.matching(&self.room, &probe, LONGEST_ANSWER)?;
        Ok(self.members.open(&probe, &answer).unwrap_or_else(|fault| panic!("asked for {name}: {fault}")))
    }

    /// Asks for every name and compares what is found with what was acknowledged.
    pub fn compare(&self, client: &Client) -> Result<Compared, Error> {
        let present = self.present.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let listed: BTreeSet<Handle> = client.handles(&self.room)?.into_iter().collect();
        let acknowledged: BTreeSet<Handle> = present.values().copied().collect();
        let mut compared = Compared {
            enrolled: (present.len() + gone.len()) as u64,
            surplus: listed.difference(&acknowledged).count() as u64,
            ..Compared::default()
        };
        for (name, handle) in &present {
            let found = listed.contains(handle) && self.ask(client, name)? == [*handle];
            compared.found += u64::from(found);
            compared.lost += u64::from(!found);
        }
        for name in gone.iter().filter(|_| !present.is_empty()) {
            compared.surplus += u64::from(!self.ask(client, name)?.is_empty());
        }
        Ok(compared)
    }
}
