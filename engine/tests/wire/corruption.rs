//! Random damage: never a panic, and what is still accepted is the encoding of what was read.

use std::sync::LazyLock;

use blindrelay_engine::wire::{Header, describe, exact_len};
use proptest::prelude::*;

use crate::sets::{SMALL, STATS, Scheme, every_kind, recode};

/// Six of BFV or no scheme, then two of CKKS.
static OBJECTS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| every_kind(&SMALL).into_iter().chain(STATS.ciphertexts()).collect());
const OF_BFV: usize = 6;
const ALL: usize = 8;

/// [`holds`] under the parameters of the undamaged object.
fn holds_like(object: usize, bytes: &[u8]) -> Result<(), TestCaseError> {
    if object < OF_BFV { holds(bytes, &SMALL) } else { holds(bytes, &STATS) }
}

/// Decoding refuses, or gives back the very same bytes; the cheaper readers agree with it.
fn holds(bytes: &[u8], context: &impl Scheme) -> Result<(), TestCaseError> {
    let recoded = recode(bytes, context);
    if let Ok(recoded) = &recoded {
        prop_assert_eq!(recoded.as_slice(), bytes);
        prop_assert_eq!(exact_len(bytes, context.parameters()), Ok(bytes.len()));
        prop_assert_eq!(describe(bytes).map(|description| description.expected_bytes), Ok(Some(bytes.len())));
    }
    if let Ok(description) = describe(bytes) {
        prop_assert!(!description.to_string().is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn flipped_bits(
        object in 0..ALL,
        flips in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>(), 1..=255_u8), 1..4),
    ) {
        let mut bytes = OBJECTS[object].clone();
        let prefix_len = Header::parse(&bytes).unwrap().prefix_len();
        for (in_header, at, flip) in flips {
            let at = at.index(if in_header { prefix_len } else { bytes.len() });
            bytes[at] ^= flip;
        }
        holds_like(object, &bytes)?;
    }

    #[test]
    fn other_typed_headers(object in 0..ALL, typed in proptest::collection::vec(any::<u8>(), 0..24)) {
        holds_like(object, &crate::crafted::with_typed(&OBJECTS[object], &typed))?;
    }

    #[test]
    fn other_lengths_and_noise(object in 0..ALL, cut: prop::sample::Index, noise in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut bytes = OBJECTS[object].clone();
        bytes.truncate(cut.index(bytes.len()));
        bytes.extend(noise);
        holds_like(object, &bytes)?;
    }
}
