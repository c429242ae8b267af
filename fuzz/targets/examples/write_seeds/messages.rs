//! A message of every kind of every operator, as it stands; the shortest one also without magic, version and digest.

use std::error::Error;

use blindrelay_engine::bfv::{Answer, Ciphertext};
use blindrelay_engine::operator::Handle;
use blindrelay_engine::params::Level;
use blindrelay_engine::wire::{HEADER_BYTES, Message, Wire, content_digest};
use blindrelay_fuzz_targets::messages::DECODERS;
use blindrelay_fuzz_targets::sets::OPERATORS;
use blindrelay_routing::find::{FindAnswer, FindKind, FindRecord, FindRequest, PAYLOAD_LEVEL};
use blindrelay_routing::search::{SearchAnswer, SearchRequest, SearchedBlock};
use blindrelay_routing::{MatchAnswer, MatchKind, ScoredBlock};

use crate::{Seed, objects};

type Bytes = Result<Vec<u8>, Box<dyn Error>>;

pub(crate) fn seeds() -> Result<Vec<Seed>, Box<dyn Error>> {
    let makers: [fn() -> Bytes; 9] = [
        || scores(MatchKind::Signs),
        || scores(MatchKind::Embeddings),
        record,
        request,
        || tickets(FindKind::Tickets),
        query,
        matches,
        || charge(0, &[&batch_header(), &ciphertext(Level(0))?.to_bytes()]),
        report,
    ];
    let mut seeds = Vec::new();
    for ((choice, (name, _)), make) in (0..).zip(DECODERS).zip(makers) {
        let message = make()?;
        let name = name.replace(' ', "-");
        let headed = [&[choice | 0x80, message[5], message[6], message[7]], &message[HEADER_BYTES..]].concat();
        seeds.push((format!("{name}-headed"), headed));
        seeds.push((name, [&[choice], message.as_slice()].concat()));
    }
    seeds.push(("count-of-find-signs".to_owned(), [&[4], tickets(FindKind::Count)?.as_slice()].concat()));
    Ok(seeds)
}

fn answer(positions: Vec<u32>) -> Result<Answer, Box<dyn Error>> {
    objects::answer(OPERATORS.parameters(), positions, 1, 9).ok_or_else(|| "the answer is refused".into())
}

fn scores(operator: MatchKind) -> Bytes {
    let block = |first| -> Result<ScoredBlock, Box<dyn Error>> {
        let handles = [first, first + 1].map(|byte| Handle::from_bytes([byte; 16])).to_vec();
        Ok(ScoredBlock { handles, answer: answer(vec![127, 255])? })
    };
    let answer =
        MatchAnswer { operator, request_digest: [1; 32], roster_digest: [2; 32], blocks: vec![block(3)?, block(5)?] };
    Ok(answer.to_bytes(OPERATORS.parameters())?)
}

fn record() -> Bytes {
    let token = objects::seeded_ciphertext(&OPERATORS, 20);
    Ok(FindRecord { token, payload: objects::levelled(&OPERATORS, PAYLOAD_LEVEL, 30)? }.to_bytes()?)
}

fn request() -> Bytes {
    let probe = objects::levelled(&OPERATORS, FindRequest::probe_level(OPERATORS.parameters()), 40)?;
    Ok(FindRequest { kind: FindKind::Tickets, threshold: 64, probe }.to_bytes()?)
}

fn tickets(kind: FindKind) -> Bytes {
    let positions = if kind == FindKind::Count { vec![0] } else { (0..256).collect() };
    let answer = FindAnswer {
        kind,
        threshold: 64,
        request_digest: [1; 32],
        roster_digest: [2; 32],
        occupied: vec![vec![true, false]],
        answers: vec![answer(positions)?],
    };
    Ok(answer.to_bytes(&OPERATORS)?)
}

fn query() -> Bytes {
    let (query, public_key) =
        (objects::seeded_ciphertext(&OPERATORS, 50), objects::public_key(OPERATORS.parameters(), 60));
    Ok(SearchRequest { query, public_key }.to_bytes()?)
}

fn matches() -> Bytes {
    let participants = [(0, 3), (2, 4)].map(|(place, byte)| (place, Handle::from_bytes([byte; 16]))).to_vec();
    let blocks = vec![SearchedBlock { participants, answer: answer((0..256).collect())? }];
    let answer = SearchAnswer { request_digest: [1; 32], roster_digest: [2; 32], blocks };
    Ok(answer.to_bytes(OPERATORS.parameters())?)
}

fn ciphertext(level: Level) -> Result<Ciphertext, Box<dyn Error>> {
    Ok(objects::ciphertext(&OPERATORS, 2, level, 70)?)
}

fn charge(part: u8, items: &[&[u8]]) -> Bytes {
    let items = items.iter().map(|item| item.to_vec()).collect();
    let parameters = OPERATORS.parameters().digest();
    Ok(Message { parameters, operator: "charge/1".to_owned(), part, items }.to_bytes()?)
}

/// Version, meter, number, period (2026-01-01), ciphertexts, commitment.
fn batch_header() -> Vec<u8> {
    [&[1][..], &[7; 16], &3_u64.to_le_bytes(), &20_454_u32.to_le_bytes(), &[1], &[8; 32]].concat()
}

/// One period with usage and charge, one with nothing.
fn report() -> Bytes {
    let (from, change, until) = (20_454_u32, 20_742_u32, 20_800_u32);
    let [usage, charge_bytes] = [ciphertext(Level(0))?.to_bytes(), ciphertext(Level(0))?.to_bytes()];
    let period = |from: u32, until: u32, batches: u64, present: u8, digests: [&[u8]; 3]| {
        let digests = digests.map(content_digest).concat();
        [&from.to_le_bytes()[..], &until.to_le_bytes(), &batches.to_le_bytes(), &[present], &[5; 64], &digests].concat()
    };
    let header = [&[1][..], &from.to_le_bytes(), &until.to_le_bytes(), &2_u64.to_le_bytes()].concat();
    let first = period(from, change, 9, 3, [&usage, &charge_bytes, &[]]);
    let second = period(change, until, 0, 0, [&[], &[], &[]]);
    charge(3, &[&header, &first, &usage, &charge_bytes, &second])
}
