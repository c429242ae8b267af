//! A room with its key, in a reduced ring or at the named set.

use std::sync::{Arc, LazyLock};

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::{Handle, Snapshot};
use blindrelay_engine::params::{DECIDE_32768, ParameterSpec, Parameters, SecurityPolicy, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_keyholder::{Expectation, SecretKey};
use blindrelay_routing::Token;
use blindrelay_routing::find::{
    FindAnswer, FindKind, FindLayout, FindRecord, FindRequest, FindRoster, Finding, Opened, PAYLOAD_LEVEL, Unopened,
};

/// Everything that a test needs of one room.
pub(crate) struct Room {
    pub(crate) context: Arc<Context>,
    pub(crate) key: SecretKey,
    pub(crate) keys: EvaluationKeys,
    pub(crate) operator: Finding,
    pub(crate) layout: FindLayout,
}

/// The primes of the named set over a ring of degree 1,024: 8 places. Far too small to be secure.
pub(crate) static REDUCED: LazyLock<Room> = LazyLock::new(|| {
    Room::new(ParameterSpec {
        name: "reduced-1024".to_owned(),
        ring_degree: 1024,
        policy: SecurityPolicy::InsecureTestOnly,
        ..preset(DECIDE_32768).unwrap()
    })
});

/// The named set: 256 places.
pub(crate) static WHOLE: LazyLock<Room> = LazyLock::new(|| Room::new(preset(DECIDE_32768).unwrap()));

impl Room {
    fn new(spec: ParameterSpec) -> Self {
        let parameters = Parameters::new(spec, Backend::detect()).unwrap();
        let context = Context::new(&parameters).unwrap();
        let key = SecretKey::from_seed(&context, Seed::from_bytes([31; 32]));
        let operator = Finding::new(&context).unwrap();
        let keys = key.planned_keys(operator.key_plan());
        let layout = FindLayout::new(&context).unwrap();
        Self { context, key, keys, operator, layout }
    }

    pub(crate) fn record(&self, token: &Token, payload: &[u8]) -> Vec<u8> {
        let [token, payload] = FindRecord::pack(&self.context, token, payload).unwrap();
        let token = self.key.encrypt(&token).unwrap();
        let payload = self.key.encrypt_at(&payload, PAYLOAD_LEVEL).unwrap();
        FindRecord { token, payload }.to_bytes().unwrap()
    }

    pub(crate) fn request(&self, kind: FindKind, threshold: i64, token: &Token) -> FindRequest {
        let probe = FindRequest::pack_probe(&self.context, token).unwrap();
        let level = FindRequest::probe_level(self.context.parameters());
        FindRequest { kind, threshold, probe: self.key.encrypt_at(&probe, level).unwrap() }
    }

    /// Asks, and checks that the answer is one to the request.
    pub(crate) fn ask(&self, roster: &FindRoster, kind: FindKind, threshold: i64, token: &Token) -> FindAnswer {
        let request = self.request(kind, threshold, token);
        let bytes = request.to_bytes().unwrap();
        let snapshot = roster.view();
        let answer = snapshot.evaluate(&bytes, Some(&self.keys)).unwrap();
        let read = FindAnswer::from_bytes(&answer, &self.context).unwrap();
        assert_eq!(read.to_bytes(&self.context).unwrap(), answer);
        assert_eq!(read.roster_digest, snapshot.digest());
        read.check(&request, &bytes).unwrap();
        read
    }

    pub(crate) fn open_tickets(&self, answer: &FindAnswer) -> Result<Opened, Unopened> {
        answer.open_tickets(&self.context, |answer, positions, range| {
            self.key.open_answer(answer, &Expectation { positions, range }).ok()
        })
    }

    pub(crate) fn open_count(&self, answer: &FindAnswer) -> Result<usize, Unopened> {
        answer.open_count(&self.context, |answer, positions, range| {
            self.key.open_answer(answer, &Expectation { positions, range }).ok()
        })
    }

    /// The payloads of all who match, in the order of their places.
    pub(crate) fn tickets(&self, roster: &FindRoster, threshold: i64, token: &Token) -> Vec<Vec<u8>> {
        let opened = self.open_tickets(&self.ask(roster, FindKind::Tickets, threshold, token)).unwrap();
        assert_eq!(opened.unreadable, 0);
        opened.found.into_iter().map(|found| found.payload.to_vec()).collect()
    }

    /// How many match.
    pub(crate) fn count(&self, roster: &FindRoster, threshold: i64, token: &Token) -> usize {
        self.open_count(&self.ask(roster, FindKind::Count, threshold, token)).unwrap()
    }
}

/// A token of signs from a number.
pub(crate) fn token(number: u64) -> Token {
    Token::of_identity(&[8; 32], &format!("participant {number}"))
}

/// A token that differs from another in so many entries: their score is 128 less twice that.
pub(crate) fn near(token: &Token, differences: usize) -> Token {
    let mut entries = *token.entries();
    entries.iter_mut().take(differences).for_each(|entry| *entry = -*entry);
    Token::from_entries(&entries).unwrap()
}

/// A payload of its own for every number, of 1 to 254 bytes.
pub(crate) fn payload(number: u64) -> Vec<u8> {
    (0..=(number * 37 + 31) % 254).map(|index| (number * 101 + index * 29) as u8 | u8::from(index == 0)).collect()
}

pub(crate) fn handle(number: u64) -> Handle {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Handle::from_bytes(bytes)
}
