//! Committed bytes: the format of version 1 does not change.
//!
//! `cargo run -p blindrelay-engine --example write_golden -- engine/tests/golden` writes the files again.

use blindrelay_engine::Backend;
use blindrelay_engine::params::{Parameters, Scheme, presets};
use blindrelay_engine::ring::{Expander, Ntt, Poly, Seed};
use blindrelay_engine::rlwe::{SeededCiphertext, row_uniform};
use blindrelay_engine::wire::{Header, Kind, Wire, max_len};

use crate::objects;
use crate::sets::{SMALL, STATS, recode};

const FILES: [(&str, &[u8]); 9] = [
    ("seeded-ciphertext.bin", include_bytes!("../golden/seeded-ciphertext.bin")),
    ("ciphertext.bin", include_bytes!("../golden/ciphertext.bin")),
    ("answer.bin", include_bytes!("../golden/answer.bin")),
    ("public-key.bin", include_bytes!("../golden/public-key.bin")),
    ("evaluation-keys.bin", include_bytes!("../golden/evaluation-keys.bin")),
    ("message.bin", include_bytes!("../golden/message.bin")),
    ("approximate-ciphertext.bin", include_bytes!("../golden/approximate-ciphertext.bin")),
    ("seeded-approximate-ciphertext.bin", include_bytes!("../golden/seeded-approximate-ciphertext.bin")),
    ("levelled-seeded-ciphertext.bin", include_bytes!("../golden/levelled-seeded-ciphertext.bin")),
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
        let approximate = name.contains("approximate");
        let recoded = if approximate { recode(committed, &STATS) } else { recode(committed, &SMALL) };
        assert_eq!(recoded.as_deref(), Ok(committed), "{name}");
    }
}

const PAGE: &str = include_str!("../../../docs/wire-format.md");

#[track_caller]
fn on_the_page(line: &str) {
    assert!(PAGE.contains(line), "docs/wire-format.md does not say: {line}");
}

/// A number with commas between its thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

/// What docs/wire-format.md tells authors of other decoders about the named sets.
#[test]
fn the_page_has_the_digests_lengths_and_roots_of_the_named_sets() {
    for spec in presets() {
        let parameters = &Parameters::new(spec, Backend::Scalar).unwrap();
        let name = parameters.name();
        on_the_page(&format!("| `{name}` | `{}` |", parameters.digest()));
        on_the_page(&shape_row(parameters));
        let lengths = lengths(parameters).map(grouped);
        on_the_page(&format!("| `{name}` | {} |", lengths.join(" | ")));
        let answer_limbs = parameters.answer_basis().map(|basis| basis.limbs()).unwrap_or_default();
        for limb in parameters.key_basis().limbs().iter().chain(answer_limbs) {
            let (prime, bits, root) = (limb.modulus().value(), limb.modulus().bits(), limb.plan().root());
            on_the_page(&format!("| `{name}` | {prime} | {bits} | {root} |"));
        }
    }
}

/// Degree, plaintexts and key switching of a set.
fn shape_row(parameters: &Parameters) -> String {
    let (spec, rows) = (parameters.spec(), parameters.top().decomposition().rows().len());
    let (name, degree, digits) = (&spec.name, spec.ring_degree, spec.digit_bits);
    if let Scheme::Bfv { plaintext_modulus } = spec.scheme {
        let answer = spec.answer_prime.map_or("none".to_owned(), |prime| prime.to_string());
        let special = spec.special_primes.len();
        return format!("| `{name}` | {degree} | {plaintext_modulus} | {digits} | {special} | {rows} | {answer} |");
    }
    let Scheme::Ckks { scale_bits } = spec.scheme else { panic!("{name} is of a scheme without a table") };
    let (ciphertext, special) = (spec.ciphertext_primes.len(), spec.special_primes.len());
    format!("| `{name}` | {degree} | 2^{scale_bits} | {digits} | {ciphertext} | {special} | {rows} |")
}

/// Of BFV: seeded ciphertext or public key, ciphertext, answer, one key. Of CKKS: public key, seeded ciphertext, ciphertext, one key.
fn lengths(parameters: &Parameters) -> [usize; 4] {
    let headers = 42;
    let key = objects::evaluation_keys(parameters, true, &[], 1).unwrap().to_bytes().len() - headers;
    let [public, seeded, ciphertext, answer, approximate, seeded_approximate] = [
        Kind::PublicKey,
        Kind::SeededCiphertext,
        Kind::Ciphertext,
        Kind::Answer,
        Kind::ApproximateCiphertext,
        Kind::SeededApproximateCiphertext,
    ]
    .map(|kind| max_len(kind, parameters));
    if approximate > 0 {
        return [public, seeded_approximate, approximate, key];
    }
    assert_eq!(public, seeded);
    [seeded, ciphertext, answer, key]
}

/// The seed expansion that docs/wire-format.md works through.
#[test]
fn uniform_halves_are_as_documented() {
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(0..).for_each(|(byte, index)| *byte = index);
    let seed = Seed::from_bytes(bytes);
    let uniform: Poly<Ntt> = Expander::new(&seed, SeededCiphertext::DOMAIN).uniform(SMALL.parameters().top().basis());
    let row = row_uniform(SMALL.parameters(), &seed, 1);
    assert_eq!(uniform.residues()[..4], [654_423_131_598, 1_290_205_420_721, 192_372_241_506, 1_997_661_127_740]);
    assert_eq!(row.residues()[..4], [168_915_927_855, 1_701_304_354_163, 1_337_865_859_943, 2_190_535_658_983]);
    for poly in [uniform, row] {
        let first: Vec<String> = poly.residues().iter().take(4).map(u64::to_string).collect();
        on_the_page(&first.join(", "));
    }
}

/// The message and the typed headers that docs/wire-format.md takes apart.
#[test]
fn examples_are_as_documented() {
    for (name, bytes) in FILES {
        let prefix_len = Header::parse(bytes).unwrap().prefix_len();
        let shown = if name == "message.bin" { bytes } else { &bytes[40..prefix_len] };
        let hex: Vec<String> = shown.iter().map(|byte| format!("{byte:02x}")).collect();
        for line in hex.chunks(16) {
            on_the_page(&line.join(" "));
        }
    }
}
