//! What a service refuses, and that a refusal changes nothing; what a dishonest member can reach.

use blindrelay_engine::operator::{Collection, OperatorError};
use blindrelay_engine::params::{Level, ParameterDigest};
use blindrelay_engine::wire::{Message, Wire, WireError};
use blindrelay_engine::{Error, KeyName};
use blindrelay_routing::Token;
use blindrelay_routing::find::{
    FIND_SIGNS, FindError, FindKind, FindRecord, FindRequest, MAX_PAYLOAD_BYTES, PAYLOAD_LEVEL,
};

use crate::room::{REDUCED, Room, WHOLE, handle, payload, token};

fn message(room: &Room, operator: &str, part: u8, items: &[&[u8]]) -> Vec<u8> {
    let items = items.iter().map(|item| item.to_vec()).collect();
    let parameters = room.context.parameters().digest();
    Message { parameters, operator: operator.to_owned(), part, items }.to_bytes().unwrap()
}

/// The items of a message.
fn items(bytes: &[u8], parameters: ParameterDigest) -> Vec<Vec<u8>> {
    Message::from_bytes(bytes, parameters, 8, usize::MAX).unwrap().items
}

/// A payload's plaintext encrypted at a level.
fn payload_at(room: &Room, level: Level) -> Vec<u8> {
    let [_, chunks] = FindRecord::pack(&room.context, &token(1), &payload(1)).unwrap();
    room.key.encrypt_at(&chunks, level).unwrap().to_bytes()
}

#[test]
fn records_that_are_not_such_are_refused_and_change_nothing() {
    let room = &*REDUCED;
    let mut roster = room.operator.roster();
    let record = room.record(&token(1), &payload(1));
    roster.append(&record, &[handle(1)]).unwrap();
    let digest = roster.view().digest();
    let parts = items(&record, room.context.parameters().digest());
    let [token_bytes, payload_bytes] = parts.as_slice() else { panic!("two items") };
    let other_level = payload_at(room, Level(PAYLOAD_LEVEL.0 + 1));
    let low_level = payload_at(room, Level(1));
    let of = |operator: &str, part: u8, items: &[&[u8]]| message(room, operator, part, items);
    let other = |found: &str, part, items| OperatorError::OtherMessage {
        expected: "a record",
        operator: FIND_SIGNS,
        found: found.to_owned(),
        part,
        items,
    };
    let level = |level| OperatorError::Refused(Error::LevelMismatch { left: Level(level), right: PAYLOAD_LEVEL });
    let refusals = [
        (of("match-signs/1", 0, &[token_bytes, payload_bytes]), other("match-signs/1", 0, 2)),
        (of(FIND_SIGNS, 1, &[token_bytes, payload_bytes]), other(FIND_SIGNS, 1, 2)),
        (of(FIND_SIGNS, 0, &[token_bytes]), other(FIND_SIGNS, 0, 1)),
        (of(FIND_SIGNS, 0, &[]), other(FIND_SIGNS, 0, 0)),
        (of(FIND_SIGNS, 0, &[token_bytes, &other_level]), level(3)),
        (of(FIND_SIGNS, 0, &[token_bytes, &low_level]), level(1)),
        (
            record[..record.len() - 1].to_vec(),
            WireError::Truncated { needed: record.len(), found: record.len() - 1 }.into(),
        ),
        (
            [&record[..], &[0]].concat(),
            WireError::TrailingBytes { expected: record.len(), found: record.len() + 1 }.into(),
        ),
        (Vec::new(), WireError::Truncated { needed: 40, found: 0 }.into()),
    ];
    for (bytes, expected) in refusals {
        assert_eq!(roster.append(&bytes, &[handle(2)]), Err(expected));
    }
    // Objects of other kinds and other parameters in the places of the items.
    for items in [[payload_bytes, payload_bytes], [token_bytes, token_bytes]] {
        let refused = roster.append(&of(FIND_SIGNS, 0, &items.map(Vec::as_slice)), &[handle(2)]).unwrap_err();
        assert!(matches!(refused, OperatorError::Wire(WireError::Kind { .. })), "{refused}");
    }
    let foreign = WHOLE.record(&token(1), &payload(1));
    let refused = roster.append(&foreign, &[handle(2)]).unwrap_err();
    assert!(matches!(refused, OperatorError::Wire(WireError::Parameters { .. })), "{refused}");
    let count = |found| Err(OperatorError::ValueCount { found, capacity: 1 });
    assert_eq!(roster.append(&record, &[]), count(0));
    assert_eq!(roster.append(&record, &[handle(2), handle(3)]), count(2));
    assert_eq!(roster.append(&record, &[handle(1)]), Err(OperatorError::RepeatedHandle { handle: handle(1) }));
    assert_eq!(roster.remove(handle(2)), Err(OperatorError::UnknownHandle { handle: handle(2) }));
    assert_eq!((roster.view().digest(), roster.handles()), (digest, vec![handle(1)]));
}

#[test]
fn requests_that_are_not_such_are_refused() {
    let room = &*REDUCED;
    let mut roster = room.operator.roster();
    let ask = |roster: &dyn Collection, bytes: &[u8]| roster.snapshot().evaluate(bytes, Some(&room.keys)).map(|_| ());
    let request = room.request(FindKind::Tickets, 64, &token(1)).to_bytes().unwrap();
    assert_eq!(ask(&roster, &request), Err(OperatorError::Empty));
    roster.append(&room.record(&token(1), &payload(1)), &[handle(1)]).unwrap();
    assert_eq!(ask(&roster, &request), Ok(()));
    let parts = items(&request, room.context.parameters().digest());
    let [threshold, probe] = parts.as_slice() else { panic!("two items") };
    assert_eq!(threshold.as_slice(), 64_i16.to_le_bytes());
    let of = |part: u8, items: &[&[u8]]| message(room, FIND_SIGNS, part, items);
    for (part, items) in [
        (0, vec![threshold, probe]),
        (3, vec![threshold, probe]),
        (255, vec![threshold, probe]),
        (1, vec![probe]),
        (2, vec![]),
        (1, vec![probe, threshold]),
    ] {
        let items: Vec<&[u8]> = items.into_iter().map(Vec::as_slice).collect();
        let refused = ask(&roster, &of(part, &items)).unwrap_err();
        assert!(matches!(refused, OperatorError::OtherMessage { expected: "a request", .. }), "{part} {refused}");
    }
    for found in [-128_i16, 129, i16::MIN, i16::MAX] {
        let refused = ask(&roster, &of(1, &[&found.to_le_bytes(), probe]));
        let threshold = i64::from(found);
        assert_eq!(refused, Err(OperatorError::Refused(Error::Threshold { threshold, minimum: -128, maximum: 128 })));
    }
    let top = room.context.parameters().top_level();
    let level = FindRequest::probe_level(room.context.parameters());
    for found in [top, Level(level.0 - 1), Level(0)] {
        let probe = FindRequest::pack_probe(&room.context, &token(1)).unwrap();
        let probe = room.key.encrypt_at(&probe, found).unwrap().to_bytes();
        let refused = ask(&roster, &of(2, &[threshold, &probe]));
        assert_eq!(refused, Err(OperatorError::Refused(Error::LevelMismatch { left: found, right: level })));
    }
    let foreign = WHOLE.request(FindKind::Tickets, 64, &token(1)).to_bytes().unwrap();
    assert!(matches!(ask(&roster, &foreign), Err(OperatorError::Wire(WireError::Parameters { .. }))));
    for length in (0..request.len()).step_by(997) {
        assert!(matches!(ask(&roster, &request[..length]), Err(OperatorError::Wire(WireError::Truncated { .. }))));
    }
    // Keys are asked for after the request was found to be one.
    let keyless = roster.snapshot().evaluate(&request, None).unwrap_err();
    let OperatorError::MissingKeys { missing, .. } = keyless else { panic!("{keyless}") };
    assert_eq!(missing[0], KeyName::Relinearization);
}

#[test]
fn what_does_not_fit_is_refused_before_it_is_encrypted() {
    let context = &REDUCED.context;
    let pack = |payload: &[u8]| FindRecord::pack(context, &token(1), payload).map(|_| ());
    assert_eq!((pack(&[1]), pack(&[1; MAX_PAYLOAD_BYTES])), (Ok(()), Ok(())));
    for found in [0, 255, 10_000] {
        let refused = pack(&vec![1; found]).unwrap_err();
        assert_eq!(refused, FindError::PayloadLength { found });
        let expected = format!("a payload has 1 to 254 bytes, not {found}: send a larger one in several records");
        assert_eq!(refused.to_string(), expected);
    }
    let mut entries = *token(1).entries();
    for wrong in [0, 2, -7] {
        entries[77] = wrong;
        let wrong = Token::from_entries(&entries).unwrap();
        assert_eq!(FindRecord::pack(context, &wrong, &[1]).map(|_| ()), Err(FindError::Entry { index: 77 }));
        assert_eq!(FindRequest::pack_probe(context, &wrong).map(|_| ()), Err(FindError::Entry { index: 77 }));
    }
    let plaintext = FindRequest::pack_probe(context, &token(1)).unwrap();
    let top = context.parameters().top_level();
    let refused = REDUCED.key.encrypt_at(&plaintext, Level(top.0 + 1));
    assert_eq!(refused, Err(Error::NoSuchLevel { level: Level(11), top }));
}

#[test]
fn a_member_that_enrols_something_else_reaches_no_other_place() {
    let room = &*REDUCED;
    // Every slot of both rows holds what it likes, in all places; the service puts the record at one.
    let mut state = 5_u64;
    let mut any = |limit: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64 % (2 * limit + 1) - limit
    };
    let limit = room.context.plaintext_limit() as i64;
    let slots: [Vec<i64>; 2] = std::array::from_fn(|_| (0..room.layout.slots()).map(|_| any(limit)).collect());
    let [token_slots, payload_slots] = slots.map(|slots| room.context.encode_slots(&slots).unwrap());
    let hostile = FindRecord {
        token: room.key.encrypt(&token_slots).unwrap(),
        payload: room.key.encrypt_at(&payload_slots, PAYLOAD_LEVEL).unwrap(),
    };
    let mut roster = room.operator.roster();
    for number in 0..6 {
        let record =
            if number == 2 { hostile.to_bytes().unwrap() } else { room.record(&token(number), &payload(number)) };
        roster.append(&record, &[handle(number)]).unwrap();
    }
    for number in [0, 1, 3, 4, 5] {
        let answer = room.ask(&roster, FindKind::Tickets, 64, &token(number));
        let opened = room.open_tickets(&answer).unwrap();
        let found: Vec<_> = opened.found.iter().map(|found| (found.place, found.payload.to_vec())).collect();
        assert_eq!(found, [(number as usize, payload(number))]);
        assert_eq!(opened.unreadable, 1);
    }
    roster.remove(handle(2)).unwrap();
    assert_eq!(room.tickets(&roster, 64, &token(5)), [payload(5)]);
}
