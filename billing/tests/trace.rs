//! Subtotals and totals without rotations: from the coefficients at multiples of n / 128.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use blindrelay_billing::{LANES, Layout, RateCard};
use blindrelay_engine::bfv::Context;
use blindrelay_engine::ring::{Expander, Seed};
use blindrelay_keyholder::hazmat;
use support::*;

/// Random values, as large as the plaintext takes, and their sums modulo t.
fn values(context: &Context, number: u64) -> Vec<i64> {
    let mut words = vec![0; context.slot_count().unwrap()];
    Expander::new(&Seed::from_bytes([number as u8; 32]), "trace").stream(number).fill(&mut words);
    let t = context.plaintext_modulus();
    words.into_iter().map(|word| t.centre(t.reduce(word))).collect()
}

#[test]
fn partial_traces_are_the_plain_sums() {
    let context = context();
    let t = context.plaintext_modulus();
    for (number, weights) in [vec![1], vec![1, 1], vec![5, 1, 3], (1..=64).collect()].into_iter().enumerate() {
        let items: Vec<String> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| {
                format!(
                    r#"{{"name":"{index}","unit":"piece","limit":1,"weight":{weight},"prices":[{{"from":"2026-01-01","price":"1"}}]}}"#
                )
            })
            .collect();
        let card = RateCard::from_json(&format!(r#"{{"currency":"EUR","items":[{}]}}"#, items.join(","))).unwrap();
        let layout = Layout::new(card, context).unwrap();
        let values = values(context, number as u64);
        let plaintext = context.encode_slots(&values).unwrap();
        let (subtotals, total) = layout.partial_trace(context, &plaintext).unwrap();
        let sum = |slots: &mut dyn Iterator<Item = i64>| slots.fold(0, |sum, value| t.add(sum, t.from_signed(value)));
        assert_eq!(total, sum(&mut values.iter().copied()));
        assert_eq!(subtotals.len(), weights.len());
        for (id, &subtotal) in layout.card().ids().zip(&subtotals) {
            let of_item = layout.slots(id);
            assert_eq!(subtotal, sum(&mut of_item.iter().map(|&slot| values[usize::from(slot)])), "{number}");
        }
        // Only these coefficients matter.
        let stride = layout.slot_count() / LANES;
        let mut residues = plaintext.residues().to_vec();
        residues.iter_mut().enumerate().filter(|(index, _)| index % stride != 0).for_each(|(_, value)| *value = 0);
        let cut = blindrelay_engine::bfv::Plaintext::from_residues(context, residues).unwrap();
        assert_eq!(layout.partial_trace(context, &cut).unwrap(), (subtotals, total));
        assert!(layout.owners().len() == layout.slot_count());
    }
}

#[test]
fn the_charge_of_a_report_carries_its_total() {
    let card = "currency = \"EUR\"\n[[items]]\nname = \"a\"\nunit = \"piece\"\nlimit = 1000\nprices = [{ from = 2026-01-01, price = \"0.03\" }]\n[[items]]\nname = \"b\"\nunit = \"piece\"\nlimit = 1000\nprices = [{ from = 2026-01-01, price = \"0.07\" }]";
    let layout = layout(card);
    let readings: Vec<_> = (0..300)
        .map(|number| quantity(&layout, ["a", "b"][number % 2], "2026-10-01 00:00:00", number as i64))
        .collect();
    let mut ledger = ledger(&layout);
    append(&mut ledger, &batches(&mut meter(&layout), &readings));
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    let charge = hazmat::decrypt(&key(), report.periods[0].charge.as_ref().unwrap()).unwrap();
    let (subtotals, total) = layout.partial_trace(context(), &charge).unwrap();
    let (a, b) = ((0..300).step_by(2).sum::<u64>() * 3, (1..300).step_by(2).sum::<u64>() * 7);
    assert_eq!((subtotals, total), (vec![a, b], a + b));
    let invoice = invoice(&layout, &report);
    assert_eq!(invoice.total.minor(), i128::from(a + b));
}
