//! Answers as bytes: what is read, and what is refused.

use blindrelay_engine::operator::Collection;
use blindrelay_engine::wire::{Message, WireError};
use blindrelay_routing::find::{FIND_SIGNS, FindAnswer, FindAnswerError, FindKind};

use crate::room::{REDUCED, handle, payload, token};

/// An answer from nine participants, which are two groups.
fn answer(kind: FindKind) -> FindAnswer {
    let mut roster = REDUCED.operator.roster();
    let record = REDUCED.record(&token(1), &payload(1));
    for number in 0..9 {
        roster.append(&record, &[handle(number)]).unwrap();
    }
    REDUCED.ask(&roster, kind, 64, &token(1))
}

#[test]
fn an_answer_is_read_only_whole_and_only_as_what_it_is() {
    let read = |bytes: &[u8]| FindAnswer::from_bytes(bytes, &REDUCED.context);
    let digest = REDUCED.context.parameters().digest();
    for kind in [FindKind::Tickets, FindKind::Count] {
        let answer = answer(kind);
        let bytes = answer.to_bytes(&REDUCED.context).unwrap();
        assert_eq!(read(&bytes).as_ref(), Ok(&answer));
        for length in (0..bytes.len()).step_by(89) {
            assert!(matches!(read(&bytes[..length]), Err(FindAnswerError::Wire(WireError::Truncated { .. }))));
        }
        let message = Message::from_bytes(&bytes, digest, 100, 100_000).unwrap();
        let with = |change: &dyn Fn(&mut Message)| {
            let mut changed = message.clone();
            change(&mut changed);
            read(&changed.to_bytes().unwrap())
        };
        let other = with(&|message| message.operator = "match-signs/1".to_owned());
        let found = "match-signs/1".to_owned();
        let part = message.part;
        assert_eq!(other, Err(FindAnswerError::Operator { expected: FIND_SIGNS, found, part }));
        for part in [0, 1, 2, 5, 255] {
            let refused = with(&|message| message.part = part);
            let found = FIND_SIGNS.to_owned();
            assert_eq!(refused, Err(FindAnswerError::Operator { expected: FIND_SIGNS, found, part }));
        }
        let changes: [&dyn Fn(&mut Message); 11] = [
            &|message| message.part = 7 - message.part,
            &|message| message.items.clear(),
            &|message| message.items.truncate(1),
            &|message| message.items.truncate(2),
            &|message| drop(message.items.pop()),
            &|message| message.items[0].push(0),
            &|message| message.items[1].push(0),
            &|message| message.items[1][2] = 3,
            &|message| message.items[1][2..].fill(0),
            &|message| message.items[2].push(0),
            &|message| message.items[3].clear(),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let refused = with(change).unwrap_err();
            assert!(matches!(refused, FindAnswerError::Items { .. }), "{kind} {index} {refused}");
        }
        // The answers' own refusals come through.
        let last = message.items.len() - 1;
        let refused = with(&|message| message.items[last].truncate(60)).unwrap_err();
        assert!(matches!(refused, FindAnswerError::Wire(WireError::Truncated { .. })), "{refused}");
    }
}

#[test]
fn an_answer_is_held_against_its_request() {
    let room = &*REDUCED;
    let mut roster = room.operator.roster();
    roster.append(&room.record(&token(1), &payload(1)), &[handle(1)]).unwrap();
    let request = room.request(FindKind::Tickets, 64, &token(1));
    let bytes = request.to_bytes().unwrap();
    let answer = roster.view().find(&bytes, Some(&room.keys)).unwrap();
    assert_eq!(answer.check(&request, &bytes), Ok(()));
    let other = room.request(FindKind::Tickets, 64, &token(1));
    assert_eq!(answer.check(&other, &other.to_bytes().unwrap()), Err(FindAnswerError::OtherRequest));
    let mut changed = request.clone();
    changed.threshold = 66;
    let refused = answer.check(&changed, &bytes);
    assert_eq!(refused, Err(FindAnswerError::OtherThreshold { expected: 66, found: 64 }));
    changed.kind = FindKind::Count;
    let refused = answer.check(&changed, &bytes).unwrap_err();
    let (expected, found) = (FindKind::Count, FindKind::Tickets);
    assert_eq!(refused, FindAnswerError::OtherKind { expected, found });
    assert_eq!(
        refused.to_string(),
        "the answer is the payloads of all who match, but the number of matches was asked for"
    );
}
