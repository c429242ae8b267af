//! Random damage: never a panic, and what is still accepted is the encoding of what was read.

use std::sync::LazyLock;

use blindrelay_engine::wire::{Header, describe, exact_len};
use proptest::prelude::*;

use crate::sets::{SMALL, every_kind, recode};

static OBJECTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| every_kind(&SMALL));

/// Decoding refuses, or gives back the very same bytes; the cheaper readers agree with it.
fn holds(bytes: &[u8]) -> Result<(), TestCaseError> {
    let recoded = recode(bytes, &SMALL);
    if let Ok(recoded) = &recoded {
        prop_assert_eq!(recoded.as_slice(), bytes);
        prop_assert_eq!(exact_len(bytes, SMALL.parameters()), Ok(bytes.len()));
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
        object in 0..6_usize,
        flips in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>(), 1..=255_u8), 1..4),
    ) {
        let mut bytes = OBJECTS[object].clone();
        let prefix_len = Header::parse(&bytes).unwrap().prefix_len();
        for (in_header, at, flip) in flips {
            let at = at.index(if in_header { prefix_len } else { bytes.len() });
            bytes[at] ^= flip;
        }
        holds(&bytes)?;
    }

    #[test]
    fn other_typed_headers(object in 0..6_usize, typed in proptest::collection::vec(any::<u8>(), 0..24)) {
        holds(&crate::crafted::with_typed(&OBJECTS[object], &typed))?;
    }

    #[test]
    fn other_lengths_and_noise(object in 0..6_usize, cut: prop::sample::Index, noise in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut bytes = OBJECTS[object].clone();
        bytes.truncate(cut.index(bytes.len()));
        bytes.extend(noise);
        holds(&bytes)?;
    }
}
