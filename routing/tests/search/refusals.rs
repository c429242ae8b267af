//! Everything that is refused, with its named error, and that nothing changes by it.

use std::sync::Arc;

use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::operator::{Collection, Operator, OperatorError, Snapshot};
use blindrelay_engine::params::{MATCH_2048, MATCH_4096, Parameters, SEARCH_8192, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::{Kind, Message, Wire, WireError, public_key_to_bytes};
use blindrelay_engine::{Backend, Error};
use blindrelay_keyholder::{Expectation, OpenError, SecretKey};
use blindrelay_routing::AnswerError;
use blindrelay_routing::search::{
    ImplausibleAnswer, Keyword, KeywordError, SEARCH, SearchAnswer, SearchMatch, SearchPlan, SearchRoster,
    SearchedBlock, Searching, pack_participants, pack_query,
};

use crate::room::{REDUCED, handle, handles, keyword};

fn small_roster() -> SearchRoster {
    let room = &REDUCED;
    let mut roster = room.operator.roster();
    roster.append(&room.record(&[vec![keyword(1)], vec![keyword(2)]]), &handles(1..3)).unwrap();
    roster
}

#[test]
fn keywords_that_are_no_set() {
    let context = &REDUCED.context;
    let pack = |participants: &[Vec<Keyword>]| pack_participants(context, participants).map(|_| ());
    assert_eq!(pack(&[]), Err(KeywordError::Participants { found: 0, capacity: 4 }));
    assert_eq!(pack(&vec![vec![keyword(1)]; 5]), Err(KeywordError::Participants { found: 5, capacity: 4 }));
    assert_eq!(pack(&[vec![keyword(1)], vec![]]), Err(KeywordError::Count { participant: 1, found: 0, capacity: 8 }));
    let nine = (0..9).map(keyword).collect();
    assert_eq!(pack(&[nine]), Err(KeywordError::Count { participant: 0, found: 9, capacity: 8 }));
    let twice = pack(&[vec![keyword(1)], vec![keyword(3), keyword(4), keyword(5), keyword(4)]]);
    assert_eq!(twice, Err(KeywordError::Repeated { participant: 1, first: 1, second: 3 }));
    assert!(twice.unwrap_err().to_string().ends_with("a set that contains the same element twice"));
    // Two participants may have the same keyword.
    assert_eq!(pack(&[vec![keyword(1)], vec![keyword(1)]]), Ok(()));
    assert_eq!(Keyword::of_word(&[0; 32], " \t"), Err(KeywordError::Empty));
}

#[test]
fn parameters_that_cannot_search() {
    let operator = |name: &str| {
        let parameters = Parameters::new(preset(name).unwrap(), Backend::detect()).unwrap();
        let context = Context::new(&parameters).unwrap();
        Searching::new(&context, Seed::from_bytes([0; 32])).err()
    };
    assert_eq!(operator(MATCH_2048), Some(Error::NoSlots { plaintext: 257, order: 4096 }));
    // 82 bits hold the product, but no flood that hides it.
    assert!(matches!(operator(MATCH_4096), Some(Error::Exposed { .. } | Error::Noise { .. })));
    assert_eq!(operator(SEARCH_8192), None);
    let match_4096 = Context::new(&Parameters::new(preset(MATCH_4096).unwrap(), Backend::detect()).unwrap()).unwrap();
    let foreign = pack_query(&match_4096, &keyword(1)).unwrap();
    assert!(matches!(REDUCED.key.encrypt(&foreign), Err(Error::ParameterMismatch { .. })));
}

#[test]
fn records_that_are_none() {
    let room = &REDUCED;
    let mut roster = small_roster();
    let before = roster.view().digest();
    let good = room.record(&[vec![keyword(3)]]);
    let mut append = |record: &[u8], numbers: std::ops::Range<u64>| roster.append(record, &handles(numbers));
    assert_eq!(append(&good, 5..5), Err(OperatorError::ValueCount { found: 0, capacity: 4 }));
    assert_eq!(append(&good, 5..10), Err(OperatorError::ValueCount { found: 5, capacity: 4 }));
    assert_eq!(append(&good, 2..4), Err(OperatorError::RepeatedHandle { handle: handle(2) }));
    for length in [0, 1, 39, 40, good.len() - 1] {
        assert!(matches!(append(&good[..length], 5..6), Err(OperatorError::Wire(_))), "{length}");
    }
    let longer = [good.clone(), vec![0]].concat();
    assert!(matches!(append(&longer, 5..6), Err(OperatorError::Wire(_))));
    // A ciphertext with both halves could be transparent or claim any noise: only seeded ones are taken.
    let expanded = room.query(&keyword(1)).expand(&room.context).unwrap().to_bytes();
    let kind = WireError::Kind { expected: Kind::SeededCiphertext, found: Kind::Ciphertext };
    assert_eq!(append(&expanded, 5..6), Err(OperatorError::Wire(kind)));
    let foreign = Context::new(&Parameters::new(preset(SEARCH_8192).unwrap(), Backend::detect()).unwrap()).unwrap();
    let foreign = SecretKey::generate(&foreign).unwrap().encrypt(&pack_query(&foreign, &keyword(1)).unwrap());
    assert!(matches!(
        append(&foreign.unwrap().to_bytes(), 5..6),
        Err(OperatorError::Wire(WireError::Parameters { .. }))
    ));
    assert_eq!(roster.remove(handle(9)), Err(OperatorError::UnknownHandle { handle: handle(9) }));
    assert_eq!(roster.view().digest(), before);
    assert_eq!(roster.handles(), handles(1..3));
}

#[test]
fn requests_that_are_none() {
    let room = &REDUCED;
    let good = room.request(room.query(&keyword(1)));
    let bytes = good.to_bytes().unwrap();
    let empty: Arc<dyn Snapshot> = room.operator.new_collection().snapshot();
    assert_eq!(empty.evaluate(&bytes, None), Err(OperatorError::Empty));
    let view = small_roster().view();
    let ask = |bytes: &[u8]| view.evaluate(bytes, None);
    for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        assert!(matches!(ask(&bytes[..length]), Err(OperatorError::Wire(_))), "{length}");
    }
    assert!(matches!(ask(&[bytes.clone(), vec![0]].concat()), Err(OperatorError::Wire(_))));
    assert!(matches!(ask(&good.query.to_bytes()), Err(OperatorError::Wire(WireError::Kind { .. }))));
    let parameters = room.context.parameters();
    let (query, key) = (good.query.to_bytes(), public_key_to_bytes(&good.public_key, parameters));
    let message = |operator: &str, part, items: Vec<Vec<u8>>| {
        let message = Message { parameters: parameters.digest(), operator: operator.to_owned(), part, items };
        message.to_bytes().unwrap()
    };
    let unfit = |bytes: Vec<u8>| matches!(ask(&bytes), Err(OperatorError::Unfit { object: "request", .. }));
    assert!(unfit(message("match-signs/1", 1, vec![query.clone(), key.clone()])));
    assert!(unfit(message(SEARCH, 0, vec![query.clone(), key.clone()])));
    assert!(unfit(message(SEARCH, 1, vec![])));
    assert!(unfit(message(SEARCH, 1, vec![query.clone()])));
    let wire = |bytes: Vec<u8>| matches!(ask(&bytes), Err(OperatorError::Wire(_)));
    assert!(wire(message(SEARCH, 1, vec![query.clone(), key.clone(), key.clone()])));
    assert!(wire(message(SEARCH, 1, vec![key.clone(), query.clone()])));
    assert!(wire(message(SEARCH, 1, vec![query.clone(), query.clone()])));
    assert!(wire(message(SEARCH, 1, vec![vec![0; query.len()], key.clone()])));
    let mut residue = key.clone();
    let from = residue.len() - 16;
    residue[from..].fill(0xff);
    assert!(wire(message(SEARCH, 1, vec![query.clone(), residue])));
    assert_eq!(ask(&message(SEARCH, 1, vec![query, key])).map(|_| ()), Ok(()));
}

#[test]
fn a_query_that_cancels_the_roster_is_refused() {
    let room = &REDUCED;
    // Everybody has one and the same keyword: the record of all places is what a query of it would be.
    let query = room.query(&keyword(1));
    let mut roster = room.operator.roster();
    roster.append(&query.to_bytes(), &handles(0..4)).unwrap();
    let request = room.request(query).to_bytes().unwrap();
    assert_eq!(roster.view().evaluate(&request, None), Err(OperatorError::Refused(Error::Transparent)));
}

#[test]
fn a_record_reaches_nobody_else() {
    let room = &REDUCED;
    let mut roster = small_roster();
    // Not a record of one participant, but a full one with other keywords, announced as one.
    let all: Vec<Vec<Keyword>> = (0..4).map(|_| vec![keyword(1), keyword(2), keyword(9)]).collect();
    roster.append(&room.record(&all), &handles(3..4)).unwrap();
    assert_eq!(room.search(&roster, &keyword(9)), [SearchMatch { handle: handle(3), place: 2 }]);
    let first = SearchMatch { handle: handle(1), place: 0 };
    assert_eq!(room.search(&roster, &keyword(1)), [first, SearchMatch { handle: handle(3), place: 0 }]);
}

#[test]
fn answers_that_are_none() {
    let room = &REDUCED;
    let context = &room.context;
    let (answer, opened) = room.ask(&small_roster().view(), &room.request(room.query(&keyword(2))));
    let bytes = answer.to_bytes(context.parameters()).unwrap();
    assert_eq!(SearchAnswer::from_bytes(&bytes, context).as_ref(), Ok(&answer));
    for length in (0..bytes.len()).step_by(97) {
        assert!(SearchAnswer::from_bytes(&bytes[..length], context).is_err(), "{length}");
    }
    let refused = |change: &dyn Fn(&mut Message)| {
        let digest = context.parameters().digest();
        let mut message = Message::from_bytes(&bytes, digest, 16, 1 << 20).unwrap();
        change(&mut message);
        SearchAnswer::from_bytes(&message.to_bytes().unwrap(), context).unwrap_err()
    };
    let items = |change: &dyn Fn(&mut Message)| matches!(refused(change), AnswerError::Items { .. });
    assert!(matches!(refused(&|message| message.part = 1), AnswerError::Operator { .. }));
    assert!(matches!(refused(&|message| message.operator = "find/1".to_owned()), AnswerError::Operator { .. }));
    assert!(items(&|message| message.items.clear()));
    assert!(items(&|message| message.items[0].truncate(63)));
    assert!(items(&|message| message.items.truncate(2)));
    assert!(items(&|message| message.items[1].truncate(35)));
    assert!(items(&|message| message.items[1][0] = 1));
    assert!(items(&|message| message.items[1][18] = 4));
    let block = &answer.blocks[0];
    assert_eq!(block.matches(context, &opened[0]), Ok(vec![SearchMatch { handle: handle(2), place: 0 }]));
    let with = |slots: &[usize]| {
        let mut values = room.slots(&opened[0]);
        for &slot in slots {
            values[slot] = 0;
        }
        let plaintext = context.encode_slots(&values).unwrap();
        block.matches(context, &context.decode_coefficients(&plaintext))
    };
    // Under another key, and with one residue changed, every value would still be legal; the noise is not.
    let other = SecretKey::from_seed(context, Seed::from_bytes([32; 32]));
    let expected = Expectation { positions: (0..256).collect(), range: SearchedBlock::range(context) };
    let noise = SearchPlan::new(context).unwrap().answer;
    assert!(other.open_answer(&block.answer, &expected).is_ok());
    assert_eq!(other.open_answer_within(&block.answer, &expected, noise), Err(OpenError));
    let mut body = block.answer.body().to_vec();
    body[7] = (body[7] + 1_000) % 133_857_281;
    let rest = block.answer.rest().to_vec();
    let changed = Answer::new(context.parameters(), expected.positions.clone(), body, rest).unwrap();
    assert_eq!(room.key.open_answer_within(&changed, &expected, noise), Err(OpenError));
    assert_eq!(room.key.open_answer_within(&block.answer, &expected, noise).as_ref(), Ok(&opened[0]));
    // By chance a few residues of a keyword are equal, but not four, and none where nobody is enrolled.
    assert_eq!(with(&[0, 3, 5]).map(|matches| matches.len()), Ok(1));
    assert_eq!(with(&[0, 3, 5, 6]), Err(ImplausibleAnswer));
    assert_eq!(with(&[128]), Err(ImplausibleAnswer));
    assert_eq!(with(&[0, 1, 2, 3, 4, 5, 6, 7]).map(|matches| matches.len()), Ok(2));
    assert_eq!(block.matches(context, &opened[0][1..]), Err(ImplausibleAnswer));
    assert_eq!(block.matches(context, &[40_000; 256]), Err(ImplausibleAnswer));
}
