//! Invoices: what they look like, and that neither a tampered report nor a changed page passes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use std::sync::Arc;

use blindrelay_billing::{
    AuditError, Batch, Invoice, InvoiceError, Layout, Ledger, MessageError, Report, ReportRequest, audit,
};
use blindrelay_engine::bfv::Evaluator;
use blindrelay_engine::operator::Accumulator;
use blindrelay_keyholder::OpenError;
use support::*;

const CARD: &str = r#"
currency = "EUR"

[[items]]
name = "Participant minutes"
kind = "interval"
unit = "minute"
limit = 86400
weight = 3
prices = [{ from = 2026-01-01, price = "0.0040" }, { from = 2026-10-16, price = "0.0045" }]

[[items]]
name = "Relayed data, all regions"
unit = "gigabyte"
measured = "megabyte"
limit = 10_000_000
prices = [{ from = "2026-01-01", price = "0.09" }]
"#;

/// Usage, charges and rates of each period.
type Slots = Vec<[Vec<i64>; 3]>;

struct Month {
    layout: Arc<Layout>,
    ledger: Ledger,
    batches: Vec<Batch>,
    report: Report,
    slots: Slots,
    invoice: Invoice,
}

fn month() -> Month {
    let layout = layout(CARD);
    let mut readings = vec![
        interval(&layout, "Participant minutes", "2026-10-15 23:30:00", "2026-10-16 00:30:00"),
        quantity(&layout, "Relayed data, all regions", "2026-10-20 12:00:00", 1_234_500),
    ];
    readings.extend((0..50).map(|number| {
        quantity(&layout, "Relayed data, all regions", &format!("2026-10-05 09:47:{:02}", number % 60), 1_850 + number)
    }));
    let batches = batches(&mut meter(&layout), &readings);
    let mut ledger = ledger(&layout);
    append(&mut ledger, &batches);
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    let slots = open(&layout, &report).unwrap();
    let invoice = invoice_of(&layout, &report, &slots).unwrap();
    Month { layout, ledger, batches, report, slots, invoice }
}

#[test]
fn csv_and_json_say_what_the_invoice_says() {
    let Month { invoice, .. } = month();
    assert_eq!(Invoice::from_json(&invoice.to_json()).unwrap(), invoice);
    assert_eq!(Invoice::from_json(&invoice.to_pretty_json()).unwrap(), invoice);
    let csv = invoice.to_csv();
    let expected = [
        "record,item,from,to,quantity,measured,price,per,amount,currency",
        "line,Participant minutes,2026-10-01,2026-10-15,1800,second,0.0040,minute,0.12,EUR",
        "line,\"Relayed data, all regions\",2026-10-01,2026-10-15,93725,megabyte,0.09,gigabyte,8.44,EUR",
        "line,Participant minutes,2026-10-16,2026-10-31,1800,second,0.0045,minute,0.14,EUR",
        "line,\"Relayed data, all regions\",2026-10-16,2026-10-31,1234500,megabyte,0.09,gigabyte,111.10,EUR",
        "subtotal,Participant minutes,2026-10-01,2026-10-31,,,,,0.26,EUR",
        "subtotal,\"Relayed data, all regions\",2026-10-01,2026-10-31,,,,,119.54,EUR",
        "total,,2026-10-01,2026-10-31,,,,,119.80,EUR",
        "",
    ];
    assert_eq!(csv.split("\r\n").collect::<Vec<_>>(), expected);
}

#[test]
fn the_page_stands_alone_and_escapes_what_it_shows() {
    let Month { invoice, .. } = month();
    let page = invoice.to_html();
    for shown in [
        "<!doctype html>",
        "Tenant &amp; Sons &lt;Ltd&gt;",
        "Relayed data, all regions",
        "30 min 00 s<span class=\"exact\">1,800 s</span>",
        "1,234.5 GB<span class=\"exact\">1,234,500 MB</span>",
        "119.80 EUR",
        "<span>2026-10-01</span> to <span>2026-10-15</span>",
        "@media print",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    for absent in ["<Ltd>", "<script", "http", "src=", "javascript", "@import", "url("] {
        assert!(!page.contains(absent), "{absent}");
    }
    // Nothing was encrypted but usage and charges, so there is no digest of rates.
    assert!(page.contains("<dt>Charges</dt>") && !page.contains("<dt>Rates</dt>"));
    for name in ["table", "tbody", "tr", "td", "dl", "div", "section", "main", "code"] {
        let (opened, closed) = (format!("<{name}"), format!("</{name}>"));
        assert_eq!(page.matches(&opened).count(), page.matches(&closed).count(), "{name}");
    }
}

/// Every way in which opened values can be wrong gives the same refusal.
#[test]
fn wrong_values_are_refused_in_one_way() {
    let Month { layout, report, slots, .. } = month();
    let data = layout.slots(layout.card().find("Relayed data, all regions").unwrap());
    let (used, unused) = (usize::from(data[0]), usize::from(data[data.len() - 1]));
    let refuse = |what: &str, change: &dyn Fn(&mut Slots)| {
        let mut slots = slots.clone();
        change(&mut slots);
        assert_eq!(invoice_of(&layout, &report, &slots), Err(InvoiceError::Refused), "{what}");
    };
    refuse("a larger charge", &|slots| slots[0][1][used] += 1);
    refuse("a charge without usage", &|slots| slots[0][1][unused] += 9);
    refuse("usage without a charge", &|slots| slots[0][0][unused] += 1);
    refuse("negative usage and charge", &|slots| {
        let charge = slots[0][1][used] / slots[0][0][used];
        (slots[0][0][used], slots[0][1][used]) = (-1, -charge);
    });
    refuse("usage above the limit", &|slots| {
        let charge = slots[0][1][used] / slots[0][0][used];
        (slots[0][0][used], slots[0][1][used]) = (10_000_001, 10_000_001 * charge);
    });
    refuse("slots of another period", &|slots| slots.swap(0, 1));
    refuse("too few slots", &|slots| slots[0][1].truncate(8191));
    refuse("no charges", &|slots| slots[0][1].clear());
    refuse("rates where they are public", &|slots| slots[0][2] = vec![1; 8192]);
}

#[test]
fn reports_of_other_terms_are_refused() {
    let Month { layout, report, slots, .. } = month();
    let other = support::layout(&CARD.replace("0.0045", "0.0046"));
    let refused = invoice_of(&other, &report, &slots).unwrap_err();
    assert_eq!(refused, InvoiceError::Card { start: day("2026-10-16") });
    assert_eq!(invoice_of(&layout, &report, &slots[..1]), Err(InvoiceError::Periods { expected: 2, found: 1 }));
    let mut shifted = report.clone();
    shifted.until = day("2026-12-01");
    assert_eq!(invoice_of(&layout, &shifted, &slots), Err(InvoiceError::Periods { expected: 3, found: 2 }));
    for change in [
        (|report: &mut Report| report.periods[0].batches += 1) as fn(&mut Report),
        |report| report.periods[0].batches = 0,
        |report| report.periods[0].charge = None,
        |report| report.periods[0].usage = None,
        |report| report.periods[0].rates = report.periods[0].usage.clone(),
    ] {
        let mut changed = report.clone();
        change(&mut changed);
        // One batch more than there were only widens the ranges: the audit sees it.
        let result = invoice_of(&layout, &changed, &slots);
        assert!(result == Err(InvoiceError::Refused) || changed.periods[0].batches == report.periods[0].batches + 1);
    }
}

/// A service that computes something else is found by the opening already.
#[test]
fn forged_ciphertexts_do_not_open() {
    let Month { layout, report, .. } = month();
    let evaluator = Evaluator::new(context());
    let usage = report.periods[0].usage.clone().unwrap();
    let charge = report.periods[0].charge.clone().unwrap();
    let opens = |usage, charge| {
        let mut forged = report.clone();
        (forged.periods[0].usage, forged.periods[0].charge) = (Some(usage), Some(charge));
        open(&layout, &forged).map(|slots| invoice_of(&layout, &forged, &slots))
    };
    assert!(matches!(opens(usage.clone(), charge.clone()), Ok(Ok(_))));
    assert!(matches!(opens(usage.clone(), evaluator.neg(&charge).unwrap()), Err(OpenError)));
    assert!(matches!(opens(evaluator.mul_monomial(&usage, 1).unwrap(), charge.clone()), Err(OpenError)));
    // Twice the charge is within its range, and not the usage times the rate.
    let doubled = evaluator.add(&charge, &charge).unwrap();
    assert!(!matches!(opens(usage, doubled), Ok(Ok(_))));
}

#[test]
fn damaged_reports_are_not_read() {
    let Month { ledger, .. } = month();
    let (_, bytes) = report(&ledger, "2026-10-01", "2026-11-01");
    for length in [0, 40, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(Report::from_bytes(&bytes[..length], context()).is_err());
    }
    // A changed residue no longer fits the digest.
    let mut changed = bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let refused = Report::from_bytes(&changed, context()).unwrap_err();
    assert!(matches!(refused, MessageError::Items { .. } | MessageError::Wire(_)), "{refused}");
    assert!(Report::from_bytes(&ledger.to_bytes(), context()).is_err());
}

#[test]
fn an_auditor_without_a_key_confirms_the_invoice_and_finds_every_change() {
    let Month { layout, ledger, batches, invoice, .. } = month();
    let history: Vec<&[u8]> = batches.iter().map(|batch| batch.bytes.as_slice()).collect();
    let check = |history: Vec<&[u8]>, invoice: &Invoice| audit(&charging(), &layout, &[history], invoice);
    check(history.clone(), &invoice).unwrap();
    let differs = |result: Result<(), AuditError>, expected: &str| match result {
        Err(AuditError::Differs { what, .. }) => assert_eq!(what, expected),
        other => panic!("{other:?}"),
    };
    differs(check(history[1..].to_vec(), &invoice), "number of batches");
    let mut doubled = history.clone();
    doubled[0] = doubled[1];
    assert!(check(doubled, &invoice).is_err());
    for (change, expected) in [
        ((|invoice: &mut Invoice| invoice.lines[0].quantity *= 2) as fn(&mut Invoice), "amount of a line"),
        (|invoice| invoice.total = invoice.subtotals[0].amount, "total"),
        (|invoice| invoice.subtotals.truncate(1), "subtotals"),
        (|invoice| invoice.details.customer.push('!'), "seal"),
        (|invoice| invoice.evidence[0].batches += 1, "seal"),
    ] {
        let mut forged = invoice.clone();
        change(&mut forged);
        assert_eq!(check(history.clone(), &forged), Err(AuditError::Invoice { what: expected }));
    }
    // Two relays, merged.
    let mut merged = support::ledger(&layout);
    append(&mut merged, &batches);
    let others = support::batches(
        &mut meter_with(&layout, &blindrelay_billing::MeterSettings::named("relay-2")),
        &[quantity(&layout, "Relayed data, all regions", "2026-10-02 00:00:00", 4)],
    );
    let mut second = support::ledger(&layout);
    append(&mut second, &others);
    merged.merge(&second.to_bytes()).unwrap();
    let report = merged.report_on(ReportRequest::month_of(day("2026-10-05"))).unwrap();
    let together = support::invoice(&layout, &report);
    let second: Vec<&[u8]> = others.iter().map(|batch| batch.bytes.as_slice()).collect();
    audit(&charging(), &layout, &[history.clone(), second.clone()], &together).unwrap();
    differs(audit(&charging(), &layout, &[second.clone(), history.clone()], &together), "chain of batches");
    differs(check([history, second].concat(), &together), "chain of batches");
    assert_eq!(ledger.batches(), 2);
}
