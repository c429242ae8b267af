//! Rosters under random changes: every enrolled handle gets its score, nobody else does, and refusals change nothing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "test code: a panic is a failed test"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use blindrelay_engine::bfv::{Ciphertext, Context};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::{Collection, Handle, Operator, OperatorError, Snapshot};
use blindrelay_engine::params::{MATCH_2048, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::{Wire, WireError};
use blindrelay_engine::{Backend, Error};
use blindrelay_keyholder::{Expectation, KeyRequirements, SecretKey};
use blindrelay_routing::{
    AnswerError, Layout, MatchAnswer, MatchKind, Matching, Roster, TOKEN_ENTRIES, Token, TokenError, reference,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

struct Room {
    kind: MatchKind,
    context: Arc<Context>,
    key: SecretKey,
    keys: EvaluationKeys,
    operator: Matching,
}

fn room(kind: MatchKind) -> Room {
    let parameters = Parameters::new(preset(kind.parameters()).unwrap(), Backend::detect()).unwrap();
    let context = Context::new(&parameters).unwrap();
    let key = SecretKey::from_seed(&context, Seed::from_bytes([9; 32]));
    let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, ..KeyRequirements::default() });
    let operator = Matching::new(kind, &context).unwrap();
    Room { kind, context, key, keys, operator }
}

fn token(kind: MatchKind, salt: u64) -> Token {
    let limit = i64::from(kind.entry_limit());
    let mut state = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let entries: Vec<i8> = (0..TOKEN_ENTRIES)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match kind {
                MatchKind::Signs => 1 - 2 * (state >> 63) as i8,
                MatchKind::Embeddings => ((state >> 33) as i64 % (2 * limit + 1) - limit) as i8,
            }
        })
        .collect();
    Token::from_entries(&entries).unwrap()
}

fn handle(number: u64) -> Handle {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Handle::from_bytes(bytes)
}

impl Room {
    fn record(&self, tokens: &[Token]) -> Vec<u8> {
        self.key.encrypt(&self.kind.pack_tokens(&self.context, tokens).unwrap()).unwrap().to_bytes()
    }

    fn probe(&self, token: &Token) -> Vec<u8> {
        self.key.encrypt(&self.kind.pack_probe(&self.context, token).unwrap()).unwrap().to_bytes()
    }

    /// Asks and opens.
    fn scores(&self, roster: &Roster, probe: &Token, keys: Option<&EvaluationKeys>) -> BTreeMap<Handle, i64> {
        let answer = roster.snapshot().evaluate(&self.probe(probe), keys).unwrap();
        let answer = MatchAnswer::from_bytes(&answer, self.kind, &self.context).unwrap();
        assert_eq!(answer.roster_digest, roster.view().digest());
        let range = self.kind.score_range();
        let mut scores = BTreeMap::new();
        for block in &answer.blocks {
            let positions = block.answer.positions().to_vec();
            let expected = Expectation { positions, range };
            let opened = self.key.open_answer(&block.answer, &expected).unwrap();
            scores.extend(block.handles.iter().copied().zip(opened.iter().copied()));
        }
        scores
    }
}

fn random_changes(kind: MatchKind, cases: u32) {
    let room = room(kind);
    let capacity = Layout::new(room.context.parameters().degree()).capacity();
    let changes = proptest::collection::vec((any::<u64>(), 1..=capacity, any::<bool>()), 1..14);
    let mut runner = TestRunner::new(ProptestConfig { cases, ..ProptestConfig::default() });
    runner
        .run(&changes, |changes| {
            let mut roster = room.operator.roster();
            let mut enrolled: BTreeMap<Handle, Token> = BTreeMap::new();
            let mut next = 0;
            for (salt, count, remove) in changes {
                if remove && !enrolled.is_empty() {
                    // Some of somebody's record, in any order.
                    for step in 0..count.min(enrolled.len()) {
                        let position = (salt as usize).wrapping_add(step * 7) % enrolled.len();
                        let gone = *enrolled.keys().nth(position).unwrap();
                        roster.remove(gone).unwrap();
                        enrolled.remove(&gone);
                        prop_assert_eq!(roster.remove(gone), Err(OperatorError::UnknownHandle { handle: gone }));
                    }
                } else {
                    let tokens: Vec<Token> = (0..count as u64).map(|i| token(kind, salt ^ (i << 40))).collect();
                    let handles: Vec<Handle> = (0..count as u64).map(|i| handle(next + i)).collect();
                    next += count as u64;
                    roster.append(&room.record(&tokens), &handles).unwrap();
                    enrolled.extend(handles.into_iter().zip(tokens));
                }
            }
            let mut handles = roster.handles();
            handles.sort_unstable();
            prop_assert_eq!(handles, enrolled.keys().copied().collect::<Vec<_>>());
            let probe = enrolled.values().next().cloned().unwrap_or_else(|| token(kind, 1));
            if enrolled.is_empty() {
                prop_assert_eq!(roster.byte_len(), 0);
                let refused = roster.snapshot().evaluate(&room.probe(&probe), None);
                prop_assert_eq!(refused, Err(OperatorError::Empty));
                return Ok(());
            }
            let expected: BTreeMap<Handle, i64> =
                enrolled.iter().map(|(h, t)| (*h, reference::score(probe.entries(), t.entries()))).collect();
            prop_assert_eq!(&room.scores(&roster, &probe, None), &expected);
            prop_assert_eq!(&room.scores(&roster, &probe, Some(&room.keys)), &expected);
            Ok(())
        })
        .unwrap();
}

#[test]
fn signs_under_random_changes() {
    random_changes(MatchKind::Signs, 40);
}

#[test]
fn embeddings_under_random_changes() {
    random_changes(MatchKind::Embeddings, 12);
}

#[test]
fn a_snapshot_does_not_see_later_changes() {
    let room = room(MatchKind::Signs);
    let mut roster = room.operator.roster();
    let tokens = [token(room.kind, 1), token(room.kind, 2)];
    roster.append(&room.record(&tokens[..1]), &[handle(1)]).unwrap();
    let before = roster.view();
    roster.append(&room.record(&tokens[1..]), &[handle(2)]).unwrap();
    assert_ne!(before.digest(), roster.view().digest());
    let answer = before.evaluate(&room.probe(&tokens[0]), None).unwrap();
    let answer = MatchAnswer::from_bytes(&answer, room.kind, &room.context).unwrap();
    assert_eq!(answer.blocks.len(), 1);
    assert_eq!(answer.blocks[0].handles, [handle(1)]);
}

#[test]
fn refusals_change_nothing() {
    let room = room(MatchKind::Signs);
    let mut roster = room.operator.roster();
    let tokens: Vec<Token> = (0..16).map(|i| token(room.kind, i)).collect();
    let record = room.record(&tokens[..2]);
    roster.append(&record, &[handle(1), handle(2)]).unwrap();
    let digest = roster.view().digest();
    let other = self::room(MatchKind::Embeddings);
    let foreign = other.record(&[token(MatchKind::Embeddings, 1)]);
    let public = room
        .context
        .encrypt(&room.kind.pack_tokens(&room.context, &tokens[..1]).unwrap(), &room.key.public_key())
        .unwrap();
    let many: Vec<Handle> = (10..27).map(handle).collect();
    let refusals = [
        roster.append(&record, &[]).map(drop),
        roster.append(&record, &many).map(drop),
        roster.append(&record, &[handle(3), handle(3)]).map(drop),
        roster.append(&record, &[handle(3), handle(2)]).map(drop),
        roster.append(&record[..record.len() - 1], &[handle(3)]).map(drop),
        roster.append(&foreign, &[handle(3)]).map(drop),
        roster.append(b"", &[handle(3)]).map(drop),
        roster.append(&public.to_bytes(), &[handle(3)]).map(drop),
        roster.remove(handle(3)),
    ];
    assert!(matches!(refusals[0], Err(OperatorError::ValueCount { found: 0, capacity: 16 })));
    assert!(matches!(refusals[1], Err(OperatorError::ValueCount { found: 17, capacity: 16 })));
    assert!(matches!(refusals[2], Err(OperatorError::RepeatedHandle { .. })));
    assert!(matches!(refusals[3], Err(OperatorError::RepeatedHandle { .. })));
    assert!(matches!(refusals[4], Err(OperatorError::Wire(WireError::Truncated { .. }))));
    assert!(matches!(refusals[5], Err(OperatorError::Wire(WireError::Parameters { .. }))));
    assert!(matches!(refusals[6], Err(OperatorError::Wire(WireError::Truncated { .. }))));
    assert!(matches!(refusals[7], Err(OperatorError::Refused(Error::Noise { .. }))), "{:?}", refusals[7]);
    assert!(matches!(refusals[8], Err(OperatorError::UnknownHandle { .. })));
    assert_eq!(roster.view().digest(), digest);
    assert_eq!(roster.handles(), [handle(1), handle(2)]);
}

#[test]
fn a_record_whose_noise_does_not_fit_beside_others_begins_a_group() {
    let room = room(MatchKind::Embeddings);
    let tokens = [token(room.kind, 1), token(room.kind, 2)];
    // The same ciphertext with ever smaller claimed noise, until a roster takes it.
    let noisy = |token: &Token, claimed: f64| {
        let plaintext = room.kind.pack_tokens(&room.context, std::slice::from_ref(token)).unwrap();
        let fresh = room.key.encrypt(&plaintext).unwrap().expand(&room.context).unwrap();
        let noise = NoiseBound::from_log2(claimed, claimed + 6.0, 2048);
        Ciphertext::new(&room.context, fresh.rlwe().clone(), noise).unwrap().to_bytes()
    };
    let mut claimed = 60.0;
    let mut roster = room.operator.roster();
    while let Err(refused) = roster.append(&noisy(&tokens[0], claimed), &[handle(1)]) {
        assert!(matches!(refused, OperatorError::Refused(Error::Noise { .. })), "{refused}");
        claimed -= 0.25;
    }
    roster.append(&noisy(&tokens[1], claimed), &[handle(2)]).unwrap();
    let answer = roster.snapshot().evaluate(&room.probe(&tokens[0]), None).unwrap();
    assert_eq!(MatchAnswer::from_bytes(&answer, room.kind, &room.context).unwrap().blocks.len(), 2);
    let scores = room.scores(&roster, &tokens[1], None);
    assert_eq!(scores[&handle(2)], reference::score(tokens[1].entries(), tokens[1].entries()));
}

#[test]
fn an_answer_is_read_only_by_its_operator_and_only_whole() {
    let room = room(MatchKind::Signs);
    let mut roster = room.operator.roster();
    roster.append(&room.record(&[token(room.kind, 1)]), &[handle(1)]).unwrap();
    let bytes = roster.snapshot().evaluate(&room.probe(&token(room.kind, 1)), Some(&room.keys)).unwrap();
    let read = |bytes: &[u8]| MatchAnswer::from_bytes(bytes, room.kind, &room.context);
    let answer = read(&bytes).unwrap();
    assert_eq!(answer.to_bytes(room.context.parameters()).as_deref(), Ok(bytes.as_slice()));
    for length in (0..bytes.len()).step_by(97) {
        assert!(matches!(read(&bytes[..length]), Err(AnswerError::Wire(_))), "{length}");
    }
    let wrong = MatchAnswer::from_bytes(&bytes, MatchKind::Embeddings, &room.context);
    assert!(matches!(wrong, Err(AnswerError::Operator { expected: "match-embeddings/1", .. })), "{wrong:?}");
    let mut short = answer.clone();
    short.blocks[0].handles.clear();
    let refused = read(&short.to_bytes(room.context.parameters()).unwrap());
    assert!(matches!(refused, Err(AnswerError::Items { .. })), "{refused:?}");
}

#[test]
fn tokens_are_checked_before_they_are_packed() {
    let room = room(MatchKind::Signs);
    assert_eq!(Token::from_entries(&[1; 127]), Err(TokenError::Length { found: 127 }));
    let mut entries = [1; TOKEN_ENTRIES];
    entries[5] = 0;
    let zero = Token::from_entries(&entries).unwrap();
    assert_eq!(room.kind.pack_probe(&room.context, &zero), Err(TokenError::Range { token: 0, index: 5, limit: 1 }));
    entries[5] = -8;
    let large = Token::from_entries(&entries).unwrap();
    let refused = MatchKind::Embeddings.pack_tokens(&room.context, &[token(MatchKind::Signs, 1), large]);
    assert_eq!(refused, Err(TokenError::Range { token: 1, index: 5, limit: 7 }));
    assert_eq!(room.kind.pack_tokens(&room.context, &[]), Err(TokenError::Count { found: 0, capacity: 16 }));
    assert!(Token::quantise(&[f32::NAN; TOKEN_ENTRIES]).is_err());
    assert!(Token::quantise(&[0.5; 12]).is_err());
    let quantised = Token::quantise(&[-0.25; TOKEN_ENTRIES]).unwrap();
    assert!(quantised.entries().iter().all(|&entry| entry == -7));
    assert!(Token::quantise(&[0.0; TOKEN_ENTRIES]).unwrap().entries().iter().all(|&entry| entry == 0));
}

#[test]
fn identities_have_one_token_whatever_the_spelling_and_different_ones_do_not_match() {
    let secret = [4; 32];
    let composed = Token::of_identity(&secret, "Ren\u{e9}e");
    assert_eq!(composed, Token::of_identity(&secret, "  Rene\u{301}e\n"));
    assert_ne!(composed, Token::of_identity(&[5; 32], "Ren\u{e9}e"));
    let tokens: Vec<Token> = (0..200).map(|i| Token::of_identity(&secret, &format!("person {i}"))).collect();
    let mut square_sum = 0.0;
    for (i, a) in tokens.iter().enumerate() {
        for (j, b) in tokens.iter().enumerate() {
            let score = reference::score(a.entries(), b.entries());
            assert_eq!(score % 2, 0);
            assert_eq!(score == 128, i == j);
            if i != j {
                square_sum += (score * score) as f64;
            }
        }
    }
    // The scores of different identities are sums of 128 fair signs: variance 128.
    let variance = square_sum / (200.0 * 199.0);
    assert!((variance - 128.0).abs() < 8.0, "{variance}");
}

#[test]
fn the_card_tells_what_the_code_does() {
    for kind in [MatchKind::Signs, MatchKind::Embeddings] {
        let room = room(kind);
        let card = room.operator.card();
        assert_eq!(card.id, kind.id());
        assert_eq!(MatchKind::of_id(&card.id), Some(kind));
        assert_eq!(card.parameters, kind.parameters());
        assert_eq!(card.values_per_record, Layout::new(room.context.parameters().degree()).capacity());
        assert!(room.record(&[token(kind, 1)]).len() <= card.record_limit);
        assert!(room.probe(&token(kind, 1)).len() <= card.request_limit);
    }
    let probe = room(MatchKind::Signs).probe(&token(MatchKind::Signs, 1));
    assert!(probe.len() <= 10_600, "{}", probe.len());
    let probe = room(MatchKind::Embeddings).probe(&token(MatchKind::Embeddings, 1));
    assert!(probe.len() <= 43_000, "{}", probe.len());
    assert_eq!(room(MatchKind::Signs).operator.parameters().name(), MATCH_2048);
}
