//! The parameter sets and the post-quantum table hold what they promise in the core-SVP model of the primal attack.

use blindrelay_engine::params::{CEILINGS, presets};
use blindrelay_tests::security::Lwe;

#[test]
fn every_named_set_has_128_bits_post_quantum() {
    for spec in presets() {
        let bits = Lwe::of(&spec).estimate().post_quantum_bits();
        assert!(bits >= 128.0, "{}: {bits:.2} bits", spec.name);
    }
}

#[test]
fn the_post_quantum_table_holds_the_largest_moduli_with_128_bits() {
    for row in CEILINGS {
        let bits = |modulus| Lwe::with_modulus_bits(row.degree, modulus).estimate().post_quantum_bits();
        assert!(bits(row.pq128) >= 128.0, "n = {}: {:.2} bits at the ceiling", row.degree, bits(row.pq128));
        assert!(bits(row.pq128 + 1) < 128.0, "n = {}: {:.2} bits above the ceiling", row.degree, bits(row.pq128 + 1));
        assert!(bits(row.pq128 + 10) < bits(row.pq128 + 1), "n = {}: no trend", row.degree);
    }
}

/// The guidelines' table rests on another cost model, which counts more than core-SVP does; in core-SVP it is far below 128 bits.
/// That is why it has to be asked for.
#[test]
fn the_classical_table_has_fewer_than_128_bits_in_this_model() {
    for row in CEILINGS {
        let estimate = Lwe::with_modulus_bits(row.degree, row.classical128).estimate();
        assert!((90.0..128.0).contains(&estimate.classical_bits()), "n = {}: {estimate:?}", row.degree);
        assert!((80.0..100.0).contains(&estimate.post_quantum_bits()), "n = {}: {estimate:?}", row.degree);
    }
}

/// The search for the block size and the closed form for the number of samples miss nothing that trying everything finds.
#[test]
fn the_optimum_is_that_of_exhaustive_search() {
    for (dimension, bits) in [(256, 12), (512, 18), (1024, 27)] {
        let lwe = Lwe::with_modulus_bits(dimension, bits);
        let estimate = lwe.estimate();
        let best_of = |block| (1..=2 * dimension as u32).map(|m| lwe.margin(block, m)).fold(f64::MIN, f64::max);
        let smallest = (50..2000).find(|&block| best_of(block) >= 0.0).expect("some block size succeeds");
        assert_eq!(estimate.block, smallest, "n = {dimension}");
        assert!((lwe.margin(estimate.block, estimate.samples) - best_of(smallest)).abs() < 1e-9, "n = {dimension}");
    }
}

/// The designers of `NewHope` published block sizes 449 for n = 512 and 967 for n = 1024 (Alkim, Ducas, Poeppelmann, Schwabe, 2016, table 1);
/// secrets and errors have the same distribution there. Their script leaves the last dimension out, which makes up to two of difference.
#[test]
fn published_block_sizes_come_out() {
    for (dimension, variance, published) in [(512, 12.0_f64, 449), (1024, 8.0, 967)] {
        let deviation = variance.sqrt();
        let modulus_log2 = 12289_f64.log2();
        let lwe = Lwe { dimension, modulus_log2, error_deviation: deviation, secret_deviation: deviation };
        let block = lwe.estimate().block;
        assert!((published..=published + 2).contains(&block), "n = {dimension}: {block}, published {published}");
    }
}

#[test]
fn a_larger_modulus_is_weaker_and_a_larger_ring_is_stronger() {
    for dimension in [2048, 4096, 8192] {
        let blocks: Vec<u32> = (30..50).map(|bits| Lwe::with_modulus_bits(dimension, bits).estimate().block).collect();
        assert!(blocks.windows(2).all(|pair| pair[1] < pair[0]), "{blocks:?}");
        let larger = Lwe::with_modulus_bits(2 * dimension, 40).estimate().block;
        assert!(larger > Lwe::with_modulus_bits(dimension, 40).estimate().block);
    }
}
