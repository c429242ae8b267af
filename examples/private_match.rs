//! Matching in one process: two members, a service that only sees bytes, one question. `cargo run --release --example private_match`
//!
//! The three roles share nothing but byte strings, as over a network.

use std::error::Error;

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::{Collection, Handle, Operator};
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::{Wire, content_digest};
use blindrelay_keyholder::{Expectation, KeyRequirements, SecretKey};
use blindrelay_routing::{MatchAnswer, MatchKind, Matching, Token};

fn main() -> Result<(), Box<dyn Error>> {
    let kind = MatchKind::Signs;
    let context = Context::new(&Parameters::new(preset(kind.parameters())?, Backend::detect())?)?;

    // Members share a 32-byte seed and derive the same key and the same token secret from it.
    let member = SecretKey::for_room(&context, &Seed::random()?, 0);
    let secret = member.derive_seed("identity-tokens", kind.id().as_bytes());
    let token = |name: &str| Token::of_identity(secret.as_bytes(), name);

    // The service: an operator and a roster. It is given evaluation keys as bytes and has no code to decrypt.
    let operator = Matching::new(kind, &context)?;
    let mut roster = operator.roster();
    let keys = member.evaluation_keys(&KeyRequirements::of_card(operator.card(), context.parameters()));
    let keys = EvaluationKeys::from_bytes(&keys.to_bytes(), context.parameters())?;

    let mut handles = Vec::new();
    for name in ["Ada Lovelace", "Mary Somerville"] {
        let record = member.encrypt(&kind.pack_tokens(&context, &[token(name)])?)?.to_bytes();
        let handle = Handle::random()?;
        roster.append(&record, &[handle])?;
        handles.push(handle);
        println!("{name} enrols with {} bytes and is {handle} to the service", record.len());
    }

    let probe = member.encrypt(&kind.pack_probe(&context, &token("Mary Somerville"))?)?.to_bytes();
    let answer = roster.snapshot().evaluate(&probe, Some(&keys))?;
    println!("a question of {} bytes is answered with {} bytes", probe.len(), answer.len());

    let answer = MatchAnswer::from_bytes(&answer, kind, &context)?;
    if answer.request_digest != content_digest(&probe) {
        return Err("the answer belongs to another question".into());
    }
    let mut found = Vec::new();
    for block in &answer.blocks {
        let expected = Expectation { positions: block.answer.positions().to_vec(), range: kind.plausible_range() };
        let scores = member.open_answer(&block.answer, &expected)?;
        found.extend(
            block.handles.iter().zip(scores.iter()).filter(|(_, score)| **score == 128).map(|(handle, _)| *handle),
        );
    }
    for handle in &found {
        println!("Mary Somerville is {handle}");
    }
    if handles.get(1..) == Some(found.as_slice()) { Ok(()) } else { Err("the wrong handle was found".into()) }
}
