//! Finds at the named set: every answer against the clear function, noise against its bound, and what it takes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::{Collection, Handle, Operator};
use blindrelay_engine::params::{DECIDE_32768, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::{Expectation, SecretKey, hazmat};
use blindrelay_routing::Token;
use blindrelay_routing::find::{FindKind, FindRecord, FindRequest, FindRoster, Finding, PAYLOAD_LEVEL, reference};

use crate::generator::Generator;
use crate::noise::Margin;

/// A room with one group of records.
pub struct Bench {
    context: Arc<Context>,
    operator: Finding,
    key: SecretKey,
    keys: EvaluationKeys,
    roster: FindRoster,
    participants: Vec<(Token, Vec<u8>)>,
    costs: Costs,
}

/// What a participant costs.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// Bytes of a record, which are sent and kept.
    pub record: usize,
    /// Bytes of a request.
    pub request: usize,
    /// Bytes of the room's evaluation keys.
    pub keys: usize,
    /// Time of one enrolment at the service.
    pub enrolment: Duration,
    /// Bytes in memory of the group beside its records.
    pub group: usize,
}

/// What one run found.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The noise of the selection.
    pub margin: Margin,
    /// How many match.
    pub matches: usize,
    /// Time of the circuit, from the decoded request to the selection.
    pub time: Duration,
    /// Bytes of the answer.
    pub answer: usize,
}

fn token(generator: &mut Generator) -> Token {
    let entries: Vec<i8> = (0..128).map(|_| if generator.below(2) == 0 { 1 } else { -1 }).collect();
    Token::from_entries(&entries).expect("128 entries")
}

impl Bench {
    /// A room with so many participants, at most one group of them.
    pub fn new(participants: usize) -> Self {
        let parameters =
            Parameters::new(preset(DECIDE_32768).expect("named set"), Backend::detect()).expect("valid set");
        let context = Context::new(&parameters).expect("BFV tables");
        let operator = Finding::new(&context).expect("the named set carries its operator");
        let key = SecretKey::from_seed(&context, Seed::from_bytes([7; 32]));
        let keys = key.planned_keys(operator.key_plan());
        let mut generator = Generator::new("participants of a find", 0);
        let participants: Vec<(Token, Vec<u8>)> = (0..participants)
            .map(|_| {
                let payload = (0..=generator.below(254)).map(|_| generator.below(256) as u8).collect();
                (token(&mut generator), payload)
            })
            .collect();
        let mut roster = operator.roster();
        let (mut enrolment, mut record) = (Duration::ZERO, 0);
        for (number, (token, payload)) in participants.iter().enumerate() {
            let bytes = Self::record(&context, &key, token, payload, &mut generator);
            let mut handle = [0; 16];
            handle[..8].copy_from_slice(&(number as u64).to_le_bytes());
            let began = Instant::now();
            roster.append(&bytes, &[Handle::from_bytes(handle)]).expect("a proper record");
            enrolment += began.elapsed();
            record = bytes.len();
        }
        let costs = Costs {
            record,
            request: operator.card().request_limit,
            keys: keys.to_bytes().len(),
            enrolment: enrolment / participants.len().max(1) as u32,
            group: roster.byte_len() - record * participants.len(),
        };
        Self { context, operator, key, keys, roster, participants, costs }
    }

    fn record(context: &Context, key: &SecretKey, token: &Token, payload: &[u8], generator: &mut Generator) -> Vec<u8> {
        let [token, payload] = FindRecord::pack(context, token, payload).expect("in range");
        let mut seeds = || (generator.seed(), generator.seed());
        let (uniform, error) = seeds();
        let token = hazmat::encrypt_deterministically(key, &token, uniform, &error).expect("own key");
        let (uniform, error) = seeds();
        let payload = hazmat::encrypt_at_deterministically(key, &payload, PAYLOAD_LEVEL, uniform, &error);
        FindRecord { token, payload: payload.expect("own key") }.to_bytes().expect("two items")
    }

    /// What a participant costs.
    pub fn costs(&self) -> Costs {
        self.costs
    }

    /// Largest noise that the operator's card admits, base-2 logarithm.
    pub fn promised(&self) -> f64 {
        self.operator.card().noise.bound_log2
    }

    /// Run number `number`: a probe near a participant's token or far from all, and a threshold of its own. Panics where the answer or the count opens to something else than on clear
    /// values, or the noise is above its bound.
    pub fn run(&self, number: u64) -> Outcome {
        let mut generator = Generator::new("questions of a find", number);
        let (probe, threshold) = self.question(&mut generator);
        let participants = self.participants.iter().map(|(token, payload)| (token.entries(), payload.as_slice()));
        let expected = reference::find(probe.entries(), participants, threshold);
        let snapshot = self.roster.view();
        let request = self.request(FindKind::Tickets, threshold, &probe, &mut generator);
        let began = Instant::now();
        let selections = snapshot.selections(&request, &self.keys).expect("admitted");
        let time = began.elapsed();
        let [selection] = selections.as_slice() else { panic!("one group") };
        let largest = hazmat::measure_noise(&self.key, selection).expect("own key");
        let (bound, limit) = (selection.noise().sup_log2(), self.context.noise_limit_log2(selection.level()));
        assert!(largest <= bound, "run {number}: noise 2^{largest} above its bound 2^{bound}");
        assert!(bound <= self.promised() + 1e-9, "run {number}: a bound of 2^{bound} above the card's");
        let open = |answer: &_, positions, range| self.key.open_answer(answer, &Expectation { positions, range }).ok();
        let bytes = request.to_bytes().expect("in range");
        let answer = snapshot.find(&bytes, Some(&self.keys)).expect("admitted");
        let opened = answer.open_tickets(&self.context, open).expect("own answer");
        let found: Vec<&[u8]> = opened.found.iter().map(|found| found.payload.as_slice()).collect();
        assert!(found == expected && opened.unreadable == 0, "run {number}: other payloads than on clear values");
        let count = self.request(FindKind::Count, threshold, &probe, &mut generator).to_bytes().expect("in range");
        let count = snapshot.find(&count, Some(&self.keys)).expect("admitted");
        assert_eq!(count.open_count(&self.context, open), Ok(expected.len()), "run {number}");
        let answer = answer.to_bytes(&self.context).expect("one answer").len();
        Outcome { margin: Margin { largest, bound, limit }, matches: expected.len(), time, answer }
    }

    /// Every other question is somebody's token with some entries changed; thresholds are anywhere, or one that few reach.
    fn question(&self, generator: &mut Generator) -> (Token, i64) {
        let mut entries = *token(generator).entries();
        if generator.below(2) == 0 {
            entries = *self.participants[generator.below(self.participants.len())].0.entries();
            for _ in 0..generator.below(24) {
                let changed = generator.below(entries.len());
                entries[changed] = -entries[changed];
            }
        }
        let threshold = if generator.below(2) == 0 { 64 } else { 2 * generator.below(128) as i64 - 126 };
        (Token::from_entries(&entries).expect("128 entries"), threshold)
    }

    fn request(&self, kind: FindKind, threshold: i64, probe: &Token, generator: &mut Generator) -> FindRequest {
        let plaintext = FindRequest::pack_probe(&self.context, probe).expect("signs");
        let level = FindRequest::probe_level(self.context.parameters());
        let (uniform, error) = (generator.seed(), generator.seed());
        let probe = hazmat::encrypt_at_deterministically(&self.key, &plaintext, level, uniform, &error);
        FindRequest { kind, threshold, probe: probe.expect("own key") }
    }
}
