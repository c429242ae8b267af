//! Readings to invoice: worked examples, ranges, merges, restarts, encrypted prices, and what is refused on the way.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use blindrelay_billing::{MAX_BATCHES, Money, RateCard, ReceivedBatch, Report, ReportRequest, reference};
use blindrelay_engine::Error;
use blindrelay_engine::operator::{Accumulation, Accumulator, OperatorError};
use blindrelay_engine::wire::WireError;
use support::*;

/// Participant minutes by join and leave, data by byte; the minute costs more from 16 October on.
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
name = "Relayed data"
unit = "gigabyte"
measured = "megabyte"
limit = 10_000_000
prices = [{ from = "2026-01-01", price = "0.09" }]
"#;

fn amounts(invoice: &blindrelay_billing::Invoice) -> Vec<(String, String, u64, i128)> {
    let line = |line: &blindrelay_billing::InvoiceLine| {
        (line.item.clone(), line.from.to_string(), line.quantity, line.amount.minor())
    };
    invoice.lines.iter().map(line).collect()
}

/// The example of docs/billing.md, by hand.
#[test]
fn a_month_with_a_change_of_rates_is_charged_as_by_hand() {
    let layout = layout(CARD);
    let readings = [
        interval(&layout, "Participant minutes", "2026-10-05 09:00:00", "2026-10-05 09:47:30"),
        interval(&layout, "Participant minutes", "2026-10-05 09:02:10", "2026-10-05 09:47:30"),
        // Half an hour at each price.
        interval(&layout, "Participant minutes", "2026-10-15 23:30:00", "2026-10-16 00:30:00"),
        quantity(&layout, "Relayed data", "2026-10-05 09:47:30", 1_850),
        quantity(&layout, "Relayed data", "2026-10-20 12:00:00", 12_345),
    ];
    let mut ledger = ledger(&layout);
    append(&mut ledger, &batches(&mut meter(&layout), &readings));
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    let invoice = invoice(&layout, &report);
    let expected = [
        // 2,850 + 2,720 + 1,800 s = 7,370 s; 7,370 / 60 * 0.4 ct = 49.13 ct.
        ("Participant minutes", "2026-10-01", 7_370, 49),
        // 1.850 GB * 9 ct = 16.65 ct.
        ("Relayed data", "2026-10-01", 1_850, 17),
        // 1,800 s; 30 * 0.45 ct = 13.5 ct, half to even: 14.
        ("Participant minutes", "2026-10-16", 1_800, 14),
        // 12.345 GB * 9 ct = 111.105 ct.
        ("Relayed data", "2026-10-16", 12_345, 111),
    ]
    .map(|(item, from, quantity, amount)| (item.to_owned(), from.to_owned(), quantity, amount));
    assert_eq!(amounts(&invoice), expected);
    assert_eq!(invoice.total.to_string(), "1.91 EUR");
    assert_eq!(invoice.inconsistency(), None);
    let request = (day("2026-10-01"), day("2026-11-01"));
    let clear = reference::charges(layout.card(), &readings, request, |_, _| None).unwrap();
    assert!(clear.iter().map(|charge| charge.amount).eq(invoice.lines.iter().map(|line| line.amount)));
}

#[test]
fn a_month_without_usage_is_a_zero_invoice() {
    let layout = layout(CARD);
    let (report, bytes) = report(&ledger(&layout), "2026-09-01", "2026-10-01");
    assert!(bytes.len() < 1_000, "{} bytes", bytes.len());
    let invoice = invoice(&layout, &report);
    assert_eq!(invoice.total, Money::zero(layout.card().currency()));
    assert_eq!(invoice.lines.len(), 2);
    // Before the first price there is nothing to charge at all.
    let (report, _) = support::report(&ledger(&layout), "2025-01-01", "2025-03-01");
    assert!(support::invoice(&layout, &report).lines.is_empty());
}

#[test]
fn restored_sums_are_the_same_bytes_and_reports() {
    let layout = layout(CARD);
    let operator = charging();
    let settings = layout.card().to_json();
    let mut meter = meter(&layout);
    let mut kept = operator.new_accumulator(&settings).unwrap();
    let mut restored = operator.new_accumulator(&settings).unwrap();
    for number in 0..40 {
        let reading = quantity(&layout, "Relayed data", "2026-10-05 10:00:00", 1_000 + number);
        for batch in batches(&mut meter, &[reading]) {
            kept.append(&batch.bytes, None).unwrap();
            restored = operator.restore(&settings, &restored.to_bytes()).unwrap();
            restored.append(&batch.bytes, None).unwrap();
        }
    }
    assert_eq!(kept.batches(), 40);
    assert_eq!(kept.to_bytes(), restored.to_bytes());
    let request = ReportRequest::month_of(day("2026-10-05")).to_json();
    assert_eq!(kept.report(request.as_bytes(), None).unwrap(), restored.report(request.as_bytes(), None).unwrap());
}

#[test]
fn a_card_may_be_extended_by_later_prices_only() {
    let layout = layout(CARD);
    let operator = charging();
    let mut ledger = ledger(&layout);
    append(&mut ledger, &batches(&mut meter(&layout), &[quantity(&layout, "Relayed data", "2026-10-20 00:00:00", 5)]));
    let state = ledger.to_bytes();
    let with = |change: &dyn Fn(&str) -> String| RateCard::from_toml(&change(CARD)).unwrap().to_json();
    let later = with(&|card| {
        card.replace("price = \"0.0045\" }", "price = \"0.0045\" }, { from = 2026-11-01, price = \"1\" }")
    });
    assert!(operator.restore(&later, &state).is_ok());
    for other in [
        with(&|card| card.replace("0.0045", "0.0046")),
        with(&|card| card.replace("86400", "86401")),
        with(&|card| card.replace("Relayed data", "Data")),
        with(&|card| card.replace("EUR", "USD")),
        with(&|card| {
            card.replace("price = \"0.0045\" }", "price = \"0.0045\" }, { from = 2026-10-20, price = \"1\" }")
        }),
    ] {
        let refused = operator.restore(&other, &state).err().unwrap();
        assert!(matches!(refused, OperatorError::Unfit { object: "state", .. }), "{refused}");
    }
}

#[test]
fn merged_relays_give_the_sums_of_both() {
    let layout = layout(CARD);
    let one = batches(&mut meter(&layout), &[quantity(&layout, "Relayed data", "2026-10-01 00:00:00", 700)]);
    let readings = [
        quantity(&layout, "Relayed data", "2026-10-02 00:00:00", 30),
        quantity(&layout, "Relayed data", "2026-11-02 00:00:00", 9),
    ];
    let two = batches(&mut meter(&layout), &readings);
    let (mut ours, mut theirs) = (ledger(&layout), ledger(&layout));
    append(&mut ours, &one);
    append(&mut theirs, &two);
    ours.merge(&theirs.to_bytes()).unwrap();
    assert_eq!(ours.batches(), 3);
    let (report, _) = report(&ours, "2026-10-01", "2026-12-01");
    let quantities: Vec<u64> = invoice(&layout, &report).lines.iter().map(|line| line.quantity).collect();
    assert_eq!(quantities, [0, 730, 0, 0, 0, 9]);
    // What cannot be merged changes nothing.
    let before = ours.to_bytes();
    let other = ledger(&support::layout(&CARD.replace("0.09", "0.08")));
    let mut other = other;
    let batch = batches(&mut meter(&support::layout(&CARD.replace("0.09", "0.08"))), &readings[..1]);
    append(&mut other, &batch);
    assert!(matches!(ours.merge(&other.to_bytes()), Err(OperatorError::Unfit { object: "state", .. })));
    assert!(ours.merge(&before[..before.len() - 1]).is_err());
    assert_eq!(ours.to_bytes(), before);
}

#[test]
fn what_could_wrap_is_refused_with_both_numbers() {
    // One line may cost (t - 1) / 2 / 3 at most: the fourth batch is one too many.
    let limit = context().plaintext_limit();
    let card = format!(
        "currency = \"JPY\"\n[[items]]\nname = \"Piece\"\nunit = \"piece\"\nlimit = {}\nprices = [{{ from = 2026-01-01, price = \"1\" }}]",
        limit / 3
    );
    let layout = layout(&card);
    let mut ledger = ledger(&layout);
    let mut meter = meter(&layout);
    let reading = quantity(&layout, "Piece", "2026-10-01 00:00:00", (limit / 3) as i64);
    let three: Vec<_> = (0..3).flat_map(|_| batches(&mut meter, &[reading])).collect();
    append(&mut ledger, &three);
    let before = ledger.to_bytes();
    let fourth = batches(&mut meter, &[reading]);
    let (bound, limit) = (u128::from(limit / 3) * 4, u128::from(limit));
    assert_eq!(ledger.append(&fourth[0].bytes, None), Err(OperatorError::Range { bound, limit }));
    assert_eq!(ledger.merge(&before), Err(OperatorError::Range { bound: bound / 4 * 6, limit }));
    assert_eq!(ledger.to_bytes(), before);
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    assert_eq!(invoice(&layout, &report).total.minor(), (bound / 4 * 3) as i128);
    let largest = layout.capacity(report.periods[0].period);
    assert_eq!(largest, 3);
    // A line that wraps by itself is refused with the card.
    let reason = charging().new_accumulator(&RateCard::from_toml(&card.replace("\"1\"", "\"4\"")).unwrap().to_json());
    assert!(matches!(reason.err().unwrap(), OperatorError::Settings { reason } if reason.contains("Piece")));
}

#[test]
fn damaged_and_foreign_messages_change_nothing() {
    let layout = layout(CARD);
    let mut ledger = ledger(&layout);
    let batch =
        batches(&mut meter(&layout), &[quantity(&layout, "Relayed data", "2026-10-01 00:00:00", 700)]).remove(0);
    append(&mut ledger, std::slice::from_ref(&batch));
    let before = ledger.to_bytes();
    for length in [0, 1, 39, 200, batch.bytes.len() / 2, batch.bytes.len() - 1] {
        let refused = ledger.append(&batch.bytes[..length], None).unwrap_err();
        assert!(matches!(refused, OperatorError::Wire(WireError::Truncated { .. })), "{length}: {refused}");
    }
    let (_, report) = report(&ledger, "2026-10-01", "2026-11-01");
    for foreign in [report.as_slice(), before.as_slice()] {
        assert!(matches!(
            ledger.append(foreign, None),
            Err(OperatorError::Unfit { object: "batch", .. } | OperatorError::Wire(_))
        ));
    }
    // A day on which no period begins.
    let other = support::layout(&CARD.replace("2026-10-16", "2026-10-17"));
    let shifted = batches(&mut meter(&other), &[quantity(&other, "Relayed data", "2026-10-20 00:00:00", 1)]);
    assert!(matches!(ledger.append(&shifted[0].bytes, None), Err(OperatorError::Unfit { object: "batch", .. })));
    for request in [
        "",
        "{}",
        r#"{"from":"2026-10-01"}"#,
        r#"{"from":"2026-10-01","until":"2026-10-01"}"#,
        r#"{"from":"1970-01-01","until":"9999-12-31"}"#,
        r#"{"from":"2026-10-01","until":"2026-11-01","all":true}"#,
    ] {
        assert!(
            matches!(ledger.report(request.as_bytes(), None), Err(OperatorError::Unfit { object: "request", .. })),
            "{request}"
        );
    }
    assert_eq!(ledger.to_bytes(), before);
    for length in [0, 100, before.len() - 1] {
        assert!(charging().restore(&layout.card().to_json(), &before[..length]).is_err());
    }
}

#[test]
fn a_ciphertext_and_its_negative_leave_no_readable_sum() {
    use blindrelay_engine::bfv::Evaluator;
    use blindrelay_engine::wire::{Message, Wire};
    let layout = layout(&CARD.replace("interval", "quantity").replace("86400", "86400\nmeasured = \"second\""));
    let mut ledger = ledger(&layout);
    let batch =
        batches(&mut meter(&layout), &[quantity(&layout, "Relayed data", "2026-10-01 00:00:00", 700)]).remove(0);
    append(&mut ledger, std::slice::from_ref(&batch));
    let received = ReceivedBatch::from_bytes(&batch.bytes, context()).unwrap();
    let negative = Evaluator::new(context()).neg(&received.ciphertexts[0]).unwrap();
    let mut message = Message::from_bytes(&batch.bytes, context().parameters().digest(), 3, 1 << 20).unwrap();
    message.items[1] = negative.to_bytes();
    let before = ledger.to_bytes();
    assert_eq!(ledger.append(&message.to_bytes().unwrap(), None), Err(OperatorError::Refused(Error::Transparent)));
    assert_eq!(ledger.to_bytes(), before);
    // Nor is a ciphertext added that is not fresh.
    let evaluator = Evaluator::new(context());
    let doubled = evaluator.add(&received.ciphertexts[0], &received.ciphertexts[0]).unwrap();
    message.items[1] = doubled.to_bytes();
    assert!(matches!(ledger.append(&message.to_bytes().unwrap(), None), Err(OperatorError::Unfit { .. })));
    message.items[1] = evaluator.switch_down(&received.ciphertexts[0]).unwrap().to_bytes();
    assert!(matches!(
        ledger.append(&message.to_bytes().unwrap(), None),
        Err(OperatorError::Refused(Error::LevelMismatch { .. }))
    ));
    assert_eq!(ledger.to_bytes(), before);
}

const ENCRYPTED: &str = r#"
currency = "USD"

[[items]]
name = "Seconds"
kind = "interval"
unit = "minute"
limit = 86400
prices = [{ from = 2026-01-01, largest = "0.0100" }]

[[items]]
name = "Recordings"
unit = "piece"
limit = 100
prices = [{ from = 2026-10-01, largest = "5.00" }]
"#;

#[test]
fn encrypted_prices_charge_like_public_ones_and_stay_encrypted() {
    let layout = layout(ENCRYPTED);
    let mut meter = meter(&layout);
    let prices = ["0.0037", "2.49"].map(|price| Some(price.parse().unwrap()));
    let rates = meter.encryptor().encrypt_rates(day("2026-10-01"), &prices).unwrap();
    assert_eq!(rates, meter.encryptor().encrypt_rates(day("2026-10-01"), &prices).unwrap());
    let readings = [
        interval(&layout, "Seconds", "2026-10-05 09:00:00", "2026-10-05 10:00:01"),
        interval(&layout, "Seconds", "2026-10-05 09:00:00", "2026-10-05 09:00:00"),
        quantity(&layout, "Recordings", "2026-10-05 10:00:01", 3),
    ];
    let mut ledger = ledger(&layout);
    append(&mut ledger, &batches(&mut meter, &readings));
    let request = ReportRequest::month_of(day("2026-10-05"));
    assert!(matches!(ledger.report_on(request), Err(OperatorError::Unfit { object: "request", .. })));
    ledger.append(&rates, None).unwrap();
    let before = ledger.to_bytes();
    // The same rates again change nothing, others are refused.
    ledger.append(&rates, None).unwrap();
    let others = ["0.0038", "2.49"].map(|price| Some(price.parse().unwrap()));
    let others = meter.encryptor().encrypt_rates(day("2026-10-01"), &others).unwrap();
    assert!(matches!(ledger.append(&others, None), Err(OperatorError::Unfit { .. })));
    assert_eq!(ledger.to_bytes(), before);

    let restored = charging().restore(&layout.card().to_json(), &before).unwrap();
    let bytes = restored.report(request.to_json().as_bytes(), None).unwrap();
    let report = Report::from_bytes(&bytes, context()).unwrap();
    let invoice = invoice(&layout, &report);
    // 3,601 s: 3601 / 60 * 0.37 ct = 22.2061 ct; 3 * 2.49.
    assert_eq!(amounts(&invoice).iter().map(|line| line.3).collect::<Vec<_>>(), [22, 747]);
    assert_eq!(invoice.lines[0].price.to_string(), "0.0037");
    assert_eq!(invoice.inconsistency(), None);

    let encryptor = meter.encryptor();
    for (start, prices) in [
        ("2026-10-01", ["0.0101", "1"]),
        ("2026-10-01", ["0.00375", "1"]),
        ("2026-10-02", ["0.0037", "1"]),
        ("2026-09-01", ["0.0037", "1"]),
    ] {
        let prices = prices.map(|price| Some(price.parse().unwrap()));
        assert!(encryptor.encrypt_rates(day(start), &prices).is_err(), "{start} {prices:?}");
    }
    assert!(encryptor.encrypt_rates(day("2026-10-01"), &[None, None]).is_err());
    // In September only the seconds have a price.
    assert!(encryptor.encrypt_rates(day("2026-09-01"), &[Some("0.0037".parse().unwrap()), None]).is_ok());
}

#[test]
fn free_items_cost_nothing_and_are_listed() {
    let card = "currency = \"EUR\"\n[[items]]\nname = \"Chat\"\nunit = \"piece\"\nlimit = 1000\nprices = [{ from = 2026-01-01, price = \"0\" }]";
    let layout = layout(card);
    let mut ledger = ledger(&layout);
    append(&mut ledger, &batches(&mut meter(&layout), &[quantity(&layout, "Chat", "2026-10-01 00:00:00", 12)]));
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    assert!(report.periods[0].charge.is_none());
    let invoice = invoice(&layout, &report);
    assert_eq!((invoice.lines[0].quantity, invoice.total.minor()), (12, 0));
}

#[test]
fn the_card_of_the_operator_keeps_within_its_limits() {
    let operator = charging();
    let card = Accumulation::card(&operator);
    assert_eq!(card.id, "charge/1");
    assert!(card.noise.bound_log2 <= card.noise.limit_log2, "{:?}", card.noise);
    assert!(card.noise.answer_bound_log2 <= card.noise.answer_limit_log2, "{:?}", card.noise);
    assert_eq!(card.values_per_record, 8192);
    assert_eq!(MAX_BATCHES, 1 << 20);
    let layout = layout(CARD);
    let batch =
        batches(&mut meter(&layout), &[quantity(&layout, "Relayed data", "2026-10-01 00:00:00", 700)]).remove(0);
    assert!(batch.bytes.len() <= card.record_limit);
    let mut ledger = ledger(&layout);
    append(&mut ledger, &[batch]);
    // Reports leave two levels behind.
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    assert_eq!(report.periods[0].usage.as_ref().unwrap().level().0, 1);
    assert_eq!(report.periods[0].charge.as_ref().unwrap().level().0, 1);
}
