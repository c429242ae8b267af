//! Whole journeys in a reduced ring, against the function on clear values.

use std::collections::BTreeMap;

use blindrelay_engine::operator::{Collection, Handle, OperatorError, Snapshot};
use blindrelay_routing::Token;
use blindrelay_routing::find::{FindKind, FindRoster, THRESHOLDS, reference};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::room::{REDUCED, handle, near, payload, token};

/// Who is enrolled, in the order of their places.
fn expected(
    enrolled: &BTreeMap<Handle, (Token, Vec<u8>)>,
    roster: &FindRoster,
    probe: &Token,
    least: i64,
) -> Vec<Vec<u8>> {
    let by_place = roster.handles();
    let participants = by_place.iter().map(|handle| (enrolled[handle].0.entries(), enrolled[handle].1.as_slice()));
    reference::find(probe.entries(), participants, least).into_iter().map(<[u8]>::to_vec).collect()
}

#[test]
fn random_changes_and_questions_are_answered_as_on_clear_values() {
    let room = &*REDUCED;
    // Somebody new, near the first token by some entries; somebody leaves; or a question.
    let steps = proptest::collection::vec((any::<u8>(), 0_usize..=128, THRESHOLDS), 4..24);
    let mut runner = TestRunner::new(ProptestConfig { cases: 12, ..ProptestConfig::default() });
    runner
        .run(&steps, |steps| {
            let mut roster = room.operator.roster();
            let mut enrolled: BTreeMap<Handle, (Token, Vec<u8>)> = BTreeMap::new();
            let first = token(0);
            for (number, (choice, differences, threshold)) in (0_u64..).zip(steps) {
                match choice % 8 {
                    0 if !enrolled.is_empty() => {
                        let gone = *enrolled.keys().nth(choice as usize % enrolled.len()).unwrap();
                        roster.remove(gone).unwrap();
                        enrolled.remove(&gone);
                        prop_assert_eq!(roster.remove(gone), Err(OperatorError::UnknownHandle { handle: gone }));
                    }
                    1 | 2 if !enrolled.is_empty() => {
                        let probe = near(&first, differences);
                        let matching = expected(&enrolled, &roster, &probe, threshold);
                        prop_assert_eq!(room.count(&roster, threshold, &probe), matching.len());
                        prop_assert_eq!(room.tickets(&roster, threshold, &probe), matching);
                    }
                    _ => {
                        let (token, payload) = (near(&first, differences), payload(number));
                        roster.append(&room.record(&token, &payload), &[handle(number)]).unwrap();
                        enrolled.insert(handle(number), (token, payload));
                    }
                }
                prop_assert_eq!(roster.handles().len(), enrolled.len());
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn nobody_one_and_two_who_match_are_told_apart_in_every_group() {
    let room = &*REDUCED;
    let mut roster = room.operator.roster();
    // Three groups, the last of which is not full; participants 3 and 20 have the same token.
    let count = 2 * room.layout.capacity() as u64 + 5;
    let of = |number: u64| if number == 20 { token(3) } else { token(number) };
    for number in 0..count {
        roster.append(&room.record(&of(number), &payload(number)), &[handle(number)]).unwrap();
    }
    assert_eq!(room.tickets(&roster, 128, &token(9)), [payload(9)]);
    assert_eq!(room.tickets(&roster, 128, &token(3)), [payload(3), payload(20)]);
    assert_eq!(room.tickets(&roster, 128, &token(1000)), Vec::<Vec<u8>>::new());
    assert_eq!((room.count(&roster, 128, &token(3)), room.count(&roster, 128, &token(1000))), (2, 0));
    // The least threshold is reached by everybody whose token is not the opposite; empty places are nobody.
    assert_eq!(room.count(&roster, *THRESHOLDS.start(), &token(3)), count as usize);
    assert_eq!(room.tickets(&roster, *THRESHOLDS.start(), &token(3)).len(), count as usize);
    // A place is where the answer says it is.
    let opened = room.open_tickets(&room.ask(&roster, FindKind::Tickets, 128, &token(3))).unwrap();
    let places: Vec<_> = opened.found.iter().map(|found| (found.group, found.place)).collect();
    assert_eq!(places, [(0, 3), (2, 4)]);
    assert_eq!(format!("{:?}", opened.found[1]), "Found(group 2, place 4, ..)");
}

#[test]
fn thresholds_decide_exactly() {
    let room = &*REDUCED;
    let mut roster = room.operator.roster();
    let first = token(0);
    for (number, differences) in [0, 31, 32, 33, 127, 128].into_iter().enumerate() {
        let record = room.record(&near(&first, differences), &payload(number as u64));
        roster.append(&record, &[handle(number as u64)]).unwrap();
    }
    for (threshold, matches) in [(128, 1), (127, 1), (66, 2), (64, 3), (63, 3), (62, 4), (0, 4), (-126, 5), (-127, 5)] {
        assert_eq!(room.count(&roster, threshold, &first), matches, "{threshold}");
        assert_eq!(room.tickets(&roster, threshold, &first).len(), matches, "{threshold}");
    }
}

#[test]
fn answers_have_one_size_whether_or_not_anybody_matches() {
    let room = &*REDUCED;
    let mut roster = room.operator.roster();
    for number in 0..3 {
        roster.append(&room.record(&token(number), &payload(number)), &[handle(number)]).unwrap();
    }
    let size = |kind, threshold, number| {
        room.ask(&roster, kind, threshold, &token(number)).to_bytes(&room.context).unwrap().len()
    };
    for kind in [FindKind::Tickets, FindKind::Count] {
        let sizes = [size(kind, 128, 1), size(kind, 128, 99), size(kind, -126, 1)];
        assert_eq!(sizes, [sizes[0]; 3], "{kind}");
    }
    assert!(size(FindKind::Count, 64, 1) < size(FindKind::Tickets, 64, 1));
    let records = [room.record(&token(1), &[1]), room.record(&token(2), &[2; 254])].map(|record| record.len());
    assert_eq!(records[0], records[1]);
}

#[test]
fn a_removal_leaves_nothing_behind_and_its_place_is_used_again() {
    let room = &*REDUCED;
    let stays = room.record(&token(1), &payload(1));
    let request = room.request(FindKind::Tickets, 64, &token(1)).to_bytes().unwrap();
    let answer = |gone: u64| {
        let mut roster = room.operator.roster();
        roster.append(&room.record(&token(gone), &payload(gone)), &[handle(gone)]).unwrap();
        roster.append(&stays, &[handle(1)]).unwrap();
        roster.remove(handle(gone)).unwrap();
        assert_eq!(roster.handles(), [handle(1)]);
        (roster.view().evaluate(&request, Some(&room.keys)).unwrap(), roster)
    };
    let (first, mut roster) = answer(7);
    // Another participant had been there: every byte is the same all the same.
    assert!(first == answer(8).0);
    roster.append(&room.record(&token(9), &payload(9)), &[handle(9)]).unwrap();
    assert_eq!(roster.handles(), [handle(9), handle(1)]);
    assert_eq!(room.tickets(&roster, 64, &token(9)), [payload(9)]);
    roster.remove(handle(1)).unwrap();
    roster.remove(handle(9)).unwrap();
    assert_eq!(roster.byte_len(), 0);
    assert_eq!(roster.view().evaluate(&request, Some(&room.keys)), Err(OperatorError::Empty));
}

#[test]
fn a_snapshot_does_not_see_later_changes() {
    let room = &*REDUCED;
    let mut roster = room.operator.roster();
    roster.append(&room.record(&token(1), &payload(1)), &[handle(1)]).unwrap();
    let before = roster.view();
    let digest = before.digest();
    roster.append(&room.record(&token(2), &payload(2)), &[handle(2)]).unwrap();
    assert_ne!(digest, roster.view().digest());
    let request = room.request(FindKind::Count, -127, &token(1)).to_bytes().unwrap();
    let answer = before.find(&request, Some(&room.keys)).unwrap();
    assert_eq!((answer.roster_digest, room.open_count(&answer)), (digest, Ok(1)));
}
