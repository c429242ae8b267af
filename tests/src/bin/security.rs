//! Prints what the primal attack costs in the core-SVP model: `cargo run --release -p blindrelay-tests --bin security`.

use blindrelay_engine::params::{CEILINGS, presets};
use blindrelay_tests::security::Lwe;

fn line(name: &str, lwe: Lwe) {
    let estimate = lwe.estimate();
    println!(
        "{name:<28} {:>6} {:>8.2} {:>6} {:>7} {:>13.1} {:>10.1}",
        lwe.dimension,
        lwe.modulus_log2,
        estimate.block,
        estimate.samples,
        estimate.post_quantum_bits(),
        estimate.classical_bits()
    );
}

fn main() {
    println!(
        "Primal attack, core-SVP model; ternary secrets, errors of standard deviation 3.24. An estimate, not a proof.\n"
    );
    println!(
        "{:<28} {:>6} {:>8} {:>6} {:>7} {:>13} {:>10}",
        "", "n", "log2(QP)", "block", "samples", "post-quantum", "classical"
    );
    for spec in presets() {
        line(&spec.name, Lwe::of(&spec));
    }
    println!();
    for row in CEILINGS {
        line("ceiling Pq128", Lwe::with_modulus_bits(row.degree, row.pq128));
        line("ceiling Pq128 + 10 bits", Lwe::with_modulus_bits(row.degree, row.pq128 + 10));
    }
    println!();
    for row in CEILINGS {
        line("ceiling Classical128", Lwe::with_modulus_bits(row.degree, row.classical128));
        line("ceiling Classical128 + 10", Lwe::with_modulus_bits(row.degree, row.classical128 + 10));
    }
}
