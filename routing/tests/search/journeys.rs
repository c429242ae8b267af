//! Whole journeys: every answer is that of the clear function.

use std::collections::BTreeMap;

use blindrelay_engine::operator::{Collection, Handle, Operator, OperatorError};
use blindrelay_engine::ring::Seed;
use blindrelay_routing::search::{
    KEYWORDS, Keyword, SearchLayout, SearchMatch, Searching, normalize_keyword, reference,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::room::{REDUCED, Room, SECRET, WHOLE, handle, handles, keyword};

fn expected(enrolled: &BTreeMap<Handle, Vec<Keyword>>, query: &Keyword) -> Vec<SearchMatch> {
    let of = |(&handle, keywords): (&Handle, &Vec<Keyword>)| {
        reference::places(keywords, query).into_iter().map(move |place| SearchMatch { handle, place })
    };
    enrolled.iter().flat_map(of).collect()
}

/// Subset number `bits` of the keywords 0 to 2.
fn subset(bits: u16) -> Vec<Keyword> {
    (0..3).filter(|bit| bits >> bit & 1 == 1).map(keyword).collect()
}

#[test]
fn all_sets_of_two_participants_and_all_queries_of_a_small_domain() {
    let room = &REDUCED;
    for (first, second) in (1..8).flat_map(|first| (1..8).map(move |second| (first, second))) {
        let enrolled = BTreeMap::from([(handle(1), subset(first)), (handle(2), subset(second))]);
        let mut roster = room.operator.roster();
        if first < second {
            roster.append(&room.record(&[subset(first), subset(second)]), &handles(1..3)).unwrap();
        } else {
            roster.append(&room.record(&[subset(first)]), &handles(1..2)).unwrap();
            roster.append(&room.record(&[subset(second)]), &handles(2..3)).unwrap();
        }
        for query in 0..4 {
            assert_eq!(
                room.search(&roster, &keyword(query)),
                expected(&enrolled, &keyword(query)),
                "{first} {second} {query}"
            );
        }
    }
}

#[test]
fn random_rosters_answer_as_the_clear_function_does() {
    random_changes(&REDUCED, 24);
}

#[test]
fn random_rosters_at_the_named_set_too() {
    random_changes(&WHOLE, 3);
}

fn random_changes(room: &Room, cases: u32) {
    let capacity = SearchLayout::new(room.context.parameters().degree()).capacity();
    let changes = proptest::collection::vec((any::<u64>(), 1..=capacity, any::<bool>()), 1..12);
    let mut runner = TestRunner::new(ProptestConfig { cases, ..ProptestConfig::default() });
    runner
        .run(&changes, |changes| {
            let mut roster = room.operator.roster();
            let mut enrolled: BTreeMap<Handle, Vec<Keyword>> = BTreeMap::new();
            let mut next = 0;
            for (salt, count, remove) in changes {
                if remove && !enrolled.is_empty() {
                    let gone = *enrolled.keys().nth(salt as usize % enrolled.len()).unwrap();
                    roster.remove(gone).unwrap();
                    enrolled.remove(&gone);
                    prop_assert_eq!(roster.remove(gone), Err(OperatorError::UnknownHandle { handle: gone }));
                } else {
                    // Few different keywords, so that many participants have the same one.
                    let of = |participant: usize| {
                        let first = (salt >> (participant % 32)) as u16 % 16;
                        (0..=(salt as u16 + participant as u16) % KEYWORDS as u16).map(|i| keyword(first + i)).collect()
                    };
                    let participants: Vec<Vec<Keyword>> = (0..count).map(of).collect();
                    let named = handles(next..next + count as u64);
                    next += count as u64;
                    roster.append(&room.record(&participants), &named).unwrap();
                    enrolled.extend(named.into_iter().zip(participants));
                }
            }
            let mut known = roster.handles();
            known.sort_unstable();
            prop_assert_eq!(known, enrolled.keys().copied().collect::<Vec<_>>());
            if enrolled.is_empty() {
                return Ok(());
            }
            for query in [0, 7, 15, 22, 23, 40_000] {
                let found = room.search(&roster, &keyword(query));
                let clear = enrolled.values().map(Vec::as_slice);
                prop_assert_eq!(found.len(), reference::count(clear, &keyword(query)));
                prop_assert_eq!(found, expected(&enrolled, &keyword(query)));
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn keywords_that_share_residues_do_not_match() {
    let room = &REDUCED;
    let shared = |common: usize| Keyword::from_residues(std::array::from_fn(|i| if i < common { 9 } else { 100 }));
    let mut roster = room.operator.roster();
    roster.append(&room.record(&[vec![shared(8)]]), &handles(1..2)).unwrap();
    for common in 0..=3 {
        assert_eq!(room.search(&roster, &shared(common)), []);
    }
    assert_eq!(room.search(&roster, &shared(8)), [SearchMatch { handle: handle(1), place: 0 }]);
    // The largest residue is held as 65536, the smallest as 1: neither is an empty place.
    for residue in [0, u16::MAX] {
        assert_eq!(room.search(&roster, &Keyword::from_residues([residue; 8])), []);
    }
}

#[test]
fn words_are_one_keyword_in_every_spelling() {
    let of = |word: &str| Keyword::of_word(&[5; 32], word).unwrap();
    assert_eq!(normalize_keyword("  Cafe\u{301} "), "caf\u{e9}");
    assert_eq!(of("  Cafe\u{301} "), of("CAF\u{c9}"));
    assert_ne!(of("cafe"), of("caf\u{e9}"));
    assert_ne!(of("a"), Keyword::of_word(&[6; 32], "a").unwrap());
    assert_eq!(format!("{:?}", of("secret")), "Keyword(..)");
}

#[test]
fn a_full_ciphertext_and_the_one_after_it() {
    let room = &WHOLE;
    let mut operator: Box<dyn Collection> = room.operator.new_collection();
    let words = |participant: u16| (0..KEYWORDS as u16).map(|i| keyword(8 * participant + i)).collect::<Vec<_>>();
    let participants: Vec<Vec<Keyword>> = (0..128).map(words).collect();
    operator.append(&room.record(&participants), &handles(0..128)).unwrap();
    operator.append(&room.record(&[words(128)]), &handles(128..129)).unwrap();
    let (answer, opened) = room.ask(operator.snapshot().as_ref(), &room.request(room.query(&keyword(8 * 100 + 3))));
    assert_eq!(answer.blocks.len(), 2);
    assert_eq!(
        answer.blocks[0].matches(&room.context, &opened[0]).unwrap(),
        [SearchMatch { handle: handle(100), place: 3 }]
    );
    assert_eq!(answer.blocks[1].matches(&room.context, &opened[1]).unwrap(), []);
    assert_eq!(operator.handles().len(), 129);
    // Two sums of two components over four primes, and two records.
    assert_eq!(operator.byte_len(), 2 * (2 * 4 * 8192 * 8 + 168_008));
}

#[test]
fn removal_takes_the_slots_out_of_a_record_that_stays() {
    let room = &REDUCED;
    let mut roster = room.operator.roster();
    roster.append(&room.record(&[vec![keyword(1)], vec![keyword(2)]]), &handles(1..3)).unwrap();
    roster.remove(handle(1)).unwrap();
    let (answer, opened) = room.ask(&roster.view(), &room.request(room.query(&keyword(1))));
    // The place is as empty as one that never was filled: the whole of the query shows, and no slot is zero.
    assert!(room.slots(&opened[0])[..64].iter().all(|&slot| slot != 0));
    assert_eq!(answer.blocks[0].participants, [(1, handle(2))]);
    assert_eq!(room.search(&roster, &keyword(2)), [SearchMatch { handle: handle(2), place: 0 }]);
    // The places are used again when the record is gone.
    roster.remove(handle(2)).unwrap();
    roster.append(&room.record(&[vec![keyword(3)]]), &handles(3..4)).unwrap();
    assert_eq!(room.search(&roster, &keyword(3)), [SearchMatch { handle: handle(3), place: 0 }]);
    assert_eq!(room.search(&roster, &keyword(2)), []);
}

#[test]
fn the_same_request_has_the_same_answer_until_the_records_change() {
    let room = &REDUCED;
    let record = room.record(&[vec![keyword(1)]]);
    let of = |operator: &Searching| {
        let mut roster = operator.roster();
        roster.append(&record, &handles(1..2)).unwrap();
        roster
    };
    let (mut roster, request) = (of(&room.operator), room.request(room.query(&keyword(2))).to_bytes().unwrap());
    let ask = |roster: &dyn Collection| roster.snapshot().evaluate(&request, None).unwrap();
    let answer = ask(&roster);
    assert_eq!(ask(&roster), answer);
    // Somebody with the secret computes it again.
    let again = Searching::new(&room.context, Seed::from_bytes(SECRET)).unwrap();
    assert_eq!(ask(&of(&again)), answer);
    let other = Searching::new(&room.context, Seed::from_bytes([78; 32])).unwrap();
    assert_ne!(ask(&of(&other)), answer);
    let another = room.request(room.query(&keyword(2))).to_bytes().unwrap();
    assert_ne!(roster.snapshot().evaluate(&another, None).unwrap(), answer);
    roster.append(&record, &handles(2..3)).unwrap();
    assert_ne!(ask(&roster), answer);
}
