//! What a message may not say or contain.

use blindrelay_engine::wire::{HeaderFault, MAX_ITEMS, Message, WireError, exact_len};

use crate::crafted::{typed, with_typed};
use crate::objects;
use crate::sets::SMALL;

fn message() -> Message {
    objects::message(SMALL.parameters())
}

fn decode(bytes: &[u8], max_items: usize, max_item_len: usize) -> Result<Message, WireError> {
    Message::from_bytes(bytes, SMALL.parameters().digest(), max_items, max_item_len)
}

fn too_many(what: &'static str, found: usize, limit: usize) -> WireError {
    WireError::TypedHeader { reason: HeaderFault::TooMany { what, found, limit } }
}

#[test]
fn lengths_are_runs() {
    let bytes = message().to_bytes().unwrap();
    let header = typed(&bytes);
    // Name, part, three runs: two items of five bytes, one of none, one of one.
    assert_eq!(header, [&[5][..], b"score", &[7, 3, 5, 2, 0, 1, 1, 1]].concat());
    let name_and_part = &header[..7];
    let refused = |runs: &[u8]| decode(&with_typed(&bytes, &[name_and_part, runs].concat()), 100, 100);
    let canonical = Err(WireError::NotCanonical { what: "the runs of item lengths" });
    assert_eq!(refused(&[4, 5, 1, 5, 1, 0, 1, 1, 1]), canonical);
    assert_eq!(refused(&[4, 5, 2, 9, 0, 0, 1, 1, 1]), canonical);
    // The same bytes cut elsewhere are another message.
    assert_eq!(refused(&[1, 11, 1]).map(|message| message.items), Ok(vec![b"firstotherx".to_vec()]));
}

#[test]
fn the_callers_limits_hold() {
    let bytes = message().to_bytes().unwrap();
    assert_eq!(decode(&bytes, 4, 5), Ok(message()));
    assert_eq!(decode(&bytes, 3, 5), Err(too_many("items", 4, 3)));
    assert_eq!(decode(&bytes, 4, 4), Err(too_many("bytes in one item", 5, 4)));
}

#[test]
fn claims_beyond_every_limit_are_refused_before_anything_is_reserved() {
    let bytes = message().to_bytes().unwrap();
    let name_and_part = typed(&bytes)[..7].to_vec();
    let with_runs = |runs: &[u8]| with_typed(&bytes, &[&name_and_part, runs].concat());
    let largest = [252, 255, 255, 255, 255];
    // 2^32 - 1 items of 2^32 - 1 bytes, and of none.
    for length in [&largest[..], &[0]] {
        let crafted = with_runs(&[&[1], length, &largest].concat());
        assert_eq!(decode(&crafted, usize::MAX, usize::MAX), Err(too_many("items", u32::MAX as usize, MAX_ITEMS)));
    }
    // 2^20 items of 2^32 - 1 bytes.
    let crafted = with_runs(&[&[1][..], &largest, &[252, 0, 0, 16, 0]].concat());
    let found = crafted.len();
    let needed = found - message().items.concat().len() + MAX_ITEMS * u32::MAX as usize;
    assert_eq!(exact_len(&crafted, SMALL.parameters()), Ok(needed));
    assert_eq!(decode(&crafted, usize::MAX, usize::MAX), Err(WireError::Truncated { needed, found }));
    for claim in [&[252, 0, 0, 0, 255][..], &[253, 0, 0, 0, 0, 1, 0, 0, 0], &[253, 0, 0, 0, 0, 0, 0, 0, 128]] {
        let ends = WireError::TypedHeader { reason: HeaderFault::Ends };
        assert_eq!(decode(&with_runs(&[claim, &[5, 2]].concat()), 100, 100), Err(ends));
    }
    // A name of 2^63 bytes, and one that is not UTF-8.
    let long_name = with_typed(&bytes, &[253, 0, 0, 0, 0, 0, 0, 0, 128]);
    assert_eq!(decode(&long_name, 100, 100), Err(WireError::TypedHeader { reason: HeaderFault::Ends }));
    let not_text = with_typed(&bytes, &[2, 0xc3, 0x28, 0, 0]);
    assert_eq!(decode(&not_text, 100, 100), Err(WireError::TypedHeader { reason: HeaderFault::Malformed }));
}

#[test]
fn names_of_operators_are_short() {
    for (length, refused) in [(64, false), (65, true)] {
        let long = Message { operator: "o".repeat(length), ..message() };
        let error = too_many("bytes in the name of the operator", length, 64);
        assert_eq!(long.to_bytes().err(), refused.then(|| error.clone()));
        let bytes = message().to_bytes().unwrap();
        let header = [&[length as u8], "o".repeat(length).as_bytes(), &typed(&bytes)[6..]].concat();
        assert_eq!(decode(&with_typed(&bytes, &header), 4, 5).err(), refused.then_some(error));
    }
}

#[test]
fn a_million_equal_items_fit_and_one_more_does_not() {
    let of = |count: usize| Message { items: vec![vec![1]; count], ..message() };
    let bytes = of(MAX_ITEMS).to_bytes().unwrap();
    assert_eq!(decode(&bytes, MAX_ITEMS, 1).map(|message| message.items.len()), Ok(MAX_ITEMS));
    assert_eq!(of(MAX_ITEMS + 1).to_bytes(), Err(too_many("items", MAX_ITEMS + 1, MAX_ITEMS)));
}

#[test]
fn lengths_that_change_too_often_do_not_fit_the_typed_header() {
    let of = |count: usize| Message { items: (0..count).map(|i| vec![0; i % 2]).collect(), ..message() };
    let bytes = of(30_000).to_bytes().unwrap();
    assert_eq!(decode(&bytes, 30_000, 1), Ok(of(30_000)));
    let error = of(40_000).to_bytes().unwrap_err();
    assert!(matches!(error, WireError::TypedHeader { reason: HeaderFault::TooLong { limit: 65_535, .. } }), "{error}");
}
