//! Random calls under random tariffs; `--bin tariffs` runs as many as one likes.

use blindrelay_engine::Backend;
use blindrelay_tests::invoices::Tenant;
use blindrelay_tests::tariffs::{Size, journey};

#[test]
fn random_calls_cost_what_integers_say_to_the_minor_unit() {
    let tenant = Tenant::default();
    let mut all = Size::default();
    for number in 0..12 {
        all += journey(&tenant, number, 2_000);
    }
    assert!(all.invoice_lines > 500 && all.tariffs > 12, "{all:?}");
}

#[test]
fn every_backend_charges_the_same() {
    for backend in Backend::available() {
        let tenant = Tenant::new(backend);
        assert!(journey(&tenant, 1_000, 500).invoice_lines > 0);
    }
}

#[test]
fn no_calls_cost_nothing() {
    assert_eq!(journey(&Tenant::default(), 1_001, 0).batches, 0);
}
