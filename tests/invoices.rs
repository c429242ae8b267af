//! Random invoices; `--bin invoices` runs as many as one likes.

use blindrelay_engine::Backend;
use blindrelay_tests::invoices::Tenant;

#[test]
fn random_invoices_agree_with_integers_to_the_minor_unit() {
    let tenant = Tenant::default();
    let lines: usize = (0..200).map(|number| tenant.journey(number).invoice_lines).sum();
    assert!(lines > 1_000, "only {lines} lines");
}

#[test]
fn every_backend_makes_the_same_invoices() {
    for backend in Backend::available() {
        let tenant = Tenant::new(backend);
        let invoice_lines: usize = (10_000..10_003).map(|number| tenant.journey(number).invoice_lines).sum();
        assert!(invoice_lines > 0);
    }
}
