//! What belongs elsewhere: another level, another room, another epoch.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

use std::sync::Arc;

use blindrelay_engine::bfv::{Context, Evaluator, Plaintext, SeededCiphertext};
use blindrelay_engine::operator::{Collection, Handle, OperatorError, Snapshot};
use blindrelay_engine::params::{Level, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::{Wire, content_digest};
use blindrelay_engine::{Backend, Error};
use blindrelay_keyholder::{Expectation, KeyRequirements, SecretKey, hazmat};
use blindrelay_routing::{MatchAnswer, MatchKind, Matching, Roster, Token};

/// As many as a ciphertext at `match-2048` holds: whoever opens it with a foreign key sees that many random scores, all of which are scores that there can be once in 2^18. So the randomness
/// of these tests is fixed.
const PARTICIPANTS: u8 = 16;

fn context(kind: MatchKind) -> Arc<Context> {
    Context::new(&Parameters::new(preset(kind.parameters()).unwrap(), Backend::detect()).unwrap()).unwrap()
}

fn token(number: u8) -> Token {
    Token::of_identity(&[9; 32], &format!("participant {number}"))
}

fn encrypt(key: &SecretKey, plaintext: &Plaintext, number: u8) -> Vec<u8> {
    let [uniform, error] = [number, number + 1].map(|byte| Seed::from_bytes([byte; 32]));
    hazmat::encrypt_deterministically(key, plaintext, uniform, &error).unwrap().to_bytes()
}

fn probe(key: &SecretKey, kind: MatchKind, number: u8) -> Vec<u8> {
    encrypt(key, &kind.pack_probe(key.context(), &token(number)).unwrap(), 50)
}

fn record(key: &SecretKey, kind: MatchKind) -> Vec<u8> {
    let tokens: Vec<Token> = (0..PARTICIPANTS).map(token).collect();
    encrypt(key, &kind.pack_tokens(key.context(), &tokens).unwrap(), 60)
}

fn roster(context: &Arc<Context>, kind: MatchKind, record: &[u8]) -> Roster {
    let mut roster = Matching::new(kind, context).unwrap().roster();
    let handles: Vec<Handle> = (1..=PARTICIPANTS).map(|byte| Handle::from_bytes([byte; 16])).collect();
    roster.append(record, &handles).unwrap();
    roster
}

/// Whether an answer opens under a key, and how many participants match.
fn matches(key: &SecretKey, kind: MatchKind, answer: &[u8]) -> Option<usize> {
    let answer = MatchAnswer::from_bytes(answer, kind, key.context()).unwrap();
    let block = &answer.blocks[0];
    let expected = Expectation { positions: block.answer.positions().to_vec(), range: kind.score_range() };
    let scores = key.open_answer(&block.answer, &expected).ok()?;
    Some(scores.iter().filter(|&&score| score == 128).count())
}

#[test]
fn records_and_probes_at_another_level_are_refused_and_change_nothing() {
    let kind = MatchKind::Embeddings;
    let context = context(kind);
    let key = SecretKey::from_seed(&context, Seed::from_bytes([9; 32]));
    let mut roster = roster(&context, kind, &record(&key, kind));
    let digest = roster.view().digest();
    let evaluator = Evaluator::new(&context);
    let lowered = |bytes: &[u8]| {
        let fresh = SeededCiphertext::from_bytes(bytes, &context).unwrap();
        evaluator.switch_down(&fresh.expand(&context).unwrap()).unwrap().to_bytes()
    };
    let refused = OperatorError::Refused(Error::LevelMismatch { left: Level(0), right: Level(1) });
    let handle = Handle::from_bytes([99; 16]);
    assert_eq!(roster.append(&lowered(&record(&key, kind)), &[handle]), Err(refused.clone()));
    assert_eq!(roster.view().evaluate(&lowered(&probe(&key, kind, 3)), None), Err(refused));
    assert_eq!(roster.view().digest(), digest);
    assert!(!roster.handles().contains(&handle));
}

#[test]
fn ciphertexts_and_keys_of_another_room_or_epoch_open_to_nothing() {
    let kind = MatchKind::Signs;
    let context = context(kind);
    let [room, other] = [1, 2].map(|seed| Seed::from_bytes([seed; 32]));
    let ours = SecretKey::for_room(&context, &room, 0);
    let requirements = KeyRequirements { relinearization: true, ..KeyRequirements::default() };
    let digest = |key: &SecretKey| content_digest(&key.evaluation_keys(&requirements).to_bytes());
    let roster = roster(&context, kind, &record(&ours, kind));
    let question = probe(&ours, kind, 3);
    let view = roster.view();
    assert_eq!(matches(&ours, kind, &view.evaluate(&question, None).unwrap()), Some(1));
    let keys = ours.evaluation_keys(&requirements);
    assert_eq!(matches(&ours, kind, &view.evaluate(&question, Some(&keys)).unwrap()), Some(1));
    for theirs in [SecretKey::for_room(&context, &other, 0), SecretKey::for_room(&context, &room, 1)] {
        // The digest under which keys are uploaded tells them apart before anything is asked.
        assert_ne!(digest(&theirs), digest(&ours));
        let foreign_keys = theirs.evaluation_keys(&requirements);
        for answer in [
            view.evaluate(&probe(&theirs, kind, 3), None).unwrap(),
            view.evaluate(&question, Some(&foreign_keys)).unwrap(),
            self::roster(&context, kind, &record(&theirs, kind)).view().evaluate(&question, None).unwrap(),
        ] {
            assert_eq!(matches(&ours, kind, &answer), None);
            assert_eq!(matches(&theirs, kind, &answer), None);
        }
        assert_eq!(matches(&theirs, kind, &view.evaluate(&question, None).unwrap()), None);
    }
}
