//! Charges in CKKS against charges in the clear.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

use blindrelay_billing::ApproximateCharging;
use blindrelay_engine::ckks::Context;
use blindrelay_engine::params::{Parameters, STATS_8192, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::{Backend, Error};
use blindrelay_keyholder::{KeyRequirements, SecretKey};

/// Minutes up to a day at prices up to one unit.
const LIMITS: (f64, f64) = (1440.0, 1.0);

fn lines(count: usize, salt: u64) -> (Vec<f64>, Vec<f64>) {
    let unit = |state: u64| (state >> 11) as f64 / (1_u64 << 53) as f64;
    let mut state = salt;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        unit(state)
    };
    (0..count).map(|_| ((next() * LIMITS.0).floor(), (next() * 1000.0).floor() / 1000.0)).unzip()
}

#[test]
fn charges_and_totals_lie_within_their_stated_bound() {
    let context = Context::new(&Parameters::new(preset(STATS_8192).unwrap(), Backend::detect()).unwrap()).unwrap();
    let key: SecretKey<Context> = SecretKey::from_seed(&context, Seed::from_bytes([4; 32]));
    let galois = context.sum_slots_elements(context.slot_count()).into_iter().collect();
    let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois });
    let public = key.public_key();
    let charging = ApproximateCharging::new(&context, LIMITS.0, LIMITS.1).unwrap();
    for round in 0..5 {
        let (quantities, prices) = lines(4096, round);
        let exact: Vec<f64> = quantities.iter().zip(&prices).map(|(q, p)| q * p).collect();
        let usage = context.encrypt(&charging.encode_quantities(&quantities).unwrap(), &public).unwrap();
        let rates = charging.encode_prices(&prices).unwrap();
        let encrypted_rates = context.encrypt(&rates, &public).unwrap();
        let charges = [
            (
                charging.charge(&usage, &encrypted_rates, &keys).unwrap(),
                charging.charge_shape(),
                charging.total_shape(),
            ),
            (
                charging.charge_public(&usage, &rates).unwrap(),
                charging.charge_public_shape(),
                charging.total_public_shape(),
            ),
        ];
        for (charge, shape, total_shape) in charges {
            let opened = key.open(&charge, shape).unwrap();
            // A tenth of a thousandth of a currency unit, over charges of up to 1440.
            assert!(opened.error_bound < 1e-4, "{}", opened.error_bound);
            for (found, exact) in opened.values.iter().zip(&exact) {
                assert!((found - exact).abs() <= opened.error_bound);
            }
            let total = charging.total(&charge, &keys).unwrap();
            let opened = key.open(&total, total_shape).unwrap();
            let sum: f64 = exact.iter().sum();
            assert!(
                opened.error_bound < 1.0 && (opened.values[0] - sum).abs() <= opened.error_bound,
                "{sum} {}",
                opened.error_bound
            );
        }
    }
    let refused = charging.encode_quantities(&[1.0, 1440.5]).unwrap_err();
    assert_eq!(refused, Error::NumberOutOfRange { index: 1, limit: 1440.0 });
    assert!(charging.encode_prices(&[f64::NAN]).is_err());
    assert!(ApproximateCharging::new(&context, f64::INFINITY, 1.0).is_err());
    assert!(ApproximateCharging::new(&context, 1.0, 0.0).is_err());
    assert!(matches!(ApproximateCharging::new(&context, 1e18, 1e12), Err(Error::Magnitude { .. })));
}
