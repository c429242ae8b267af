//! Committed bytes: the format of version 1 does not change.
//!
//! `cargo run -p blindrelay-engine --example write_golden -- engine/tests/golden` writes the files again.

use blindrelay_engine::ring::{Expander, Ntt, Poly, Seed};
use blindrelay_engine::rlwe::{SeededCiphertext, row_uniform};

use crate::objects;
use crate::sets::{SMALL, recode};

const FILES: [(&str, &[u8]); 6] = [
    ("seeded-ciphertext.bin", include_bytes!("../golden/seeded-ciphertext.bin")),
    ("ciphertext.bin", include_bytes!("../golden/ciphertext.bin")),
    ("answer.bin", include_bytes!("../golden/answer.bin")),
    ("public-key.bin", include_bytes!("../golden/public-key.bin")),
    ("evaluation-keys.bin", include_bytes!("../golden/evaluation-keys.bin")),
    ("message.bin", include_bytes!("../golden/message.bin")),
];

#[test]
fn encoders_write_the_committed_bytes() {
    let written = objects::golden().unwrap();
    assert_eq!(written.len(), FILES.len());
    for ((name, bytes), (file, committed)) in written.iter().zip(FILES) {
        assert_eq!(*name, file);
        assert!(bytes == committed, "{name} is no longer what version 1 writes");
    }
}

#[test]
fn decoders_read_the_committed_bytes() {
    for (name, committed) in FILES {
        assert_eq!(recode(committed, &SMALL).as_deref(), Ok(committed), "{name}");
    }
}

/// The numbers that docs/wire-format.md gives to authors of other decoders.
#[test]
fn uniform_halves_are_as_documented() {
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(0..).for_each(|(byte, index)| *byte = index);
    let seed = Seed::from_bytes(bytes);
    let uniform: Poly<Ntt> = Expander::new(&seed, SeededCiphertext::DOMAIN).uniform(SMALL.parameters().top().basis());
    let row = row_uniform(SMALL.parameters(), &seed, 1);
    assert_eq!(uniform.residues()[..4], [654_423_131_598, 1_290_205_420_721, 192_372_241_506, 1_997_661_127_740]);
    assert_eq!(row.residues()[..4], [168_915_927_855, 1_701_304_354_163, 1_337_865_859_943, 2_190_535_658_983]);
}
