//! What an answer may not say or contain.

use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::wire::{HeaderFault, Wire, WireError};

use crate::crafted::{typed, with_bits, with_typed};
use crate::objects;
use crate::sets::{BILL, PADDED, SMALL};

const DEGREE: usize = 2048;
/// Bit length of the answer prime of [`PADDED`].
const BITS: usize = 23;

fn bytes(context: &Context, positions: &[u32]) -> Vec<u8> {
    objects::answer(context.parameters(), positions.to_vec(), 1, 1).unwrap().to_bytes()
}

fn header_fault(reason: HeaderFault) -> WireError {
    WireError::TypedHeader { reason }
}

#[test]
fn bits_after_the_last_residue_of_a_body_must_be_zero() {
    let bytes = bytes(&PADDED, &[4, 5, 9]);
    for bit in 3 * BITS..72 {
        let crafted = with_bits(&bytes, bit, 1, 1);
        let what = "bits after the last residue are not zero";
        assert_eq!(Answer::from_bytes(&crafted, &PADDED), Err(WireError::NotCanonical { what }));
    }
}

#[test]
fn residues_of_body_and_rest_are_checked() {
    let bytes = bytes(&PADDED, &[4, 5, 9]);
    let prime = PADDED.parameters().spec().answer_prime.unwrap();
    for value in [prime, prime + 1, (1 << BITS) - 1] {
        for index in 0..3 {
            let crafted = with_bits(&bytes, BITS * index, BITS, value);
            assert_eq!(Answer::from_bytes(&crafted, &PADDED), Err(WireError::Residue { limb: 0, index }));
        }
        let crafted = with_bits(&bytes, 72 + BITS * 2047, BITS, value);
        assert_eq!(Answer::from_bytes(&crafted, &PADDED), Err(WireError::Residue { limb: 0, index: 2047 }));
    }
}

#[test]
fn positions_must_ascend_below_the_degree() {
    // One component besides the body, differences, three of them.
    let bytes = bytes(&SMALL, &[4, 5, 9]);
    assert_eq!(typed(&bytes), [1, 0, 3, 4, 1, 4]);
    let decode =
        |typed: &[u8]| Answer::from_bytes(&with_typed(&bytes, typed), &SMALL).map(|answer| answer.positions().to_vec());
    let refused = |index| Err(header_fault(HeaderFault::Position { index, degree: DEGREE }));
    assert_eq!(decode(&[1, 0, 3, 0, 1, 1]), Ok(vec![0, 1, 2]));
    assert_eq!(decode(&[1, 0, 3, 4, 0, 4]), refused(1));
    assert_eq!(decode(&[1, 0, 3, 251, 0, 8, 1, 1]), refused(0));
    assert_eq!(decode(&[1, 0, 3, 4, 251, 255, 7, 1]), refused(1));
    assert_eq!(decode(&[1, 0, 3, 4, 1, 252, 255, 255, 255, 255]), refused(2));
    assert_eq!(decode(&[1, 2, 3, 4, 1, 4]), Err(header_fault(HeaderFault::Malformed)));
}

#[test]
fn claimed_lengths_of_lists_reserve_nothing() {
    let bytes = bytes(&SMALL, &[4, 5, 9]);
    let ends = Err(header_fault(HeaderFault::Ends));
    for claim in [
        &[252, 255, 255, 255, 255][..],
        &[253, 0, 0, 0, 0, 1, 0, 0, 0],
        &[253, 0, 0, 0, 0, 0, 0, 0, 128],
        &[253, 255, 255, 255, 255, 255, 255, 255, 255],
    ] {
        for form in [0, 1] {
            let crafted = with_typed(&bytes, &[&[1, form][..], claim, &[1, 1]].concat());
            assert_eq!(Answer::from_bytes(&crafted, &SMALL), ends);
        }
    }
}

#[test]
fn many_positions_are_a_bitmap_and_few_are_not() {
    let few: Vec<u32> = (0..256).collect();
    let many: Vec<u32> = (0..257).collect();
    let (few, many) = (bytes(&SMALL, &few), bytes(&SMALL, &many));
    // The list's length is 256 in both: differences, or bytes of a bitmap.
    assert_eq!(typed(&few)[..5], [1, 0, 251, 0, 1]);
    assert_eq!(typed(&many)[..5], [1, 1, 251, 0, 1]);
    let listed: Vec<u8> = [&[1, 0, 251, 1, 1, 0][..], &[1; 256]].concat();
    let reason = HeaderFault::TooMany { what: "listed positions", found: 257, limit: 256 };
    assert_eq!(Answer::from_bytes(&with_typed(&many, &listed), &SMALL), Err(header_fault(reason)));
    let bitmap: Vec<u8> = [&[1, 1, 251, 0, 1][..], &[255; 32], &[0; 224]].concat();
    let canonical = Err(WireError::NotCanonical { what: "the bitmap of positions" });
    assert_eq!(Answer::from_bytes(&with_typed(&few, &bitmap), &SMALL), canonical);
    // A bitmap without its last bytes, and one that is too long.
    let short: Vec<u8> = [&[1, 1, 251, 255, 0][..], &typed(&many)[5..260]].concat();
    assert_eq!(Answer::from_bytes(&with_typed(&many, &short), &SMALL), canonical);
    let long: Vec<u8> = [&[1, 1, 251, 1, 1][..], &typed(&many)[5..], &[0]].concat();
    let reason = HeaderFault::TooMany { what: "bits in the bitmap of positions", found: 2056, limit: 2048 };
    assert_eq!(Answer::from_bytes(&with_typed(&many, &long), &SMALL), Err(header_fault(reason)));
}

#[test]
fn answers_have_one_or_two_other_components() {
    let bytes = bytes(&SMALL, &[4, 5, 9]);
    for found in [0, 3, 255] {
        let crafted = with_typed(&bytes, &[found, 0, 3, 4, 1, 4]);
        let expected = WireError::Components { found: usize::from(found), least: 1, most: 2 };
        assert_eq!(Answer::from_bytes(&crafted, &SMALL), Err(expected));
    }
}

#[test]
fn answers_that_everybody_can_open_are_refused() {
    let mut bytes = bytes(&SMALL, &[4, 5, 9]);
    let rest = bytes.len() - DEGREE * 3;
    bytes[rest..].fill(0);
    assert_eq!(Answer::from_bytes(&bytes, &SMALL), Err(WireError::Transparent));
}

#[test]
fn sets_without_an_answer_prime_have_no_answers() {
    let mut bytes = bytes(&SMALL, &[4, 5, 9]);
    bytes[8..40].copy_from_slice(BILL.parameters().digest().as_bytes());
    assert_eq!(Answer::from_bytes(&bytes, &BILL), Err(header_fault(HeaderFault::NoAnswerPrime)));
}
