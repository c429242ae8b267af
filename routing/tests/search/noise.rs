//! Measured noise against the plan, at the named set.

use blindrelay_engine::bfv::{Ciphertext, Evaluator};
use blindrelay_engine::operator::{Collection, Operator};
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::hazmat;
use blindrelay_routing::search::{Keyword, SearchLayout, SearchPlan, pack_participants};

use crate::room::{WHOLE, handles, keyword};

#[test]
fn the_worst_case_stays_below_its_bounds_and_the_flood_covers_it() {
    let room = &WHOLE;
    let plan = SearchPlan::new(&room.context).unwrap();
    let (evaluator, layout) = (Evaluator::new(&room.context), SearchLayout::new(8192));
    // As many records as fit, each masked on its own.
    let mut sum: Option<Ciphertext> = None;
    for participant in 0..layout.capacity() {
        let keywords: Vec<Keyword> = (0..8).map(|i| keyword(8 * participant as u16 + i)).collect();
        let record = room.key.encrypt(&pack_participants(&room.context, &[keywords]).unwrap()).unwrap();
        let mut mask = vec![0; 8192];
        mask[layout.participant(participant)].fill(1);
        let mask = room.context.encode_slots(&mask).unwrap();
        let masked = evaluator.mul_plain(&record.expand(&room.context).unwrap(), &mask).unwrap();
        sum = Some(sum.map_or_else(|| masked.clone(), |sum| evaluator.add(&sum, &masked).unwrap()));
    }
    let sum = sum.unwrap();
    let query = room.query(&keyword(5)).expand(&room.context).unwrap();
    let factors = room.context.nonzero_slots(&Seed::from_bytes([3; 32])).unwrap();
    let product = evaluator.mul_plain(&evaluator.sub(&query, &sum).unwrap(), &factors).unwrap();
    let masked =
        evaluator.rerandomize(&product, &room.key.public_key(), plan.flood, &Seed::from_bytes([4; 32])).unwrap();
    for (name, ciphertext, bound) in
        [("roster", &sum, plan.roster), ("product", &product, plan.product), ("masked", &masked, plan.masked)]
    {
        let measured = hazmat::measure_noise(&room.key, ciphertext).unwrap();
        println!("{name}: measured 2^{measured:.2}, bound 2^{:.2}", bound.sup_log2());
        assert!(measured <= bound.sup_log2(), "{name}: {measured} above {}", bound.sup_log2());
        assert!((ciphertext.noise().sup_log2() - bound.sup_log2()).abs() < 1e-9, "{name}: not the plan's bound");
    }
    let card = room.operator.card();
    println!(
        "distance 2^{:.2}, flood 2^{}, limit 2^{:.2}; answer bound 2^{:.2}, limit 2^{:.2}; request limit {}, record limit {}",
        plan.distance_log2,
        plan.flood.bits(),
        card.noise.limit_log2,
        card.noise.answer_bound_log2,
        card.noise.answer_limit_log2,
        card.request_limit,
        card.record_limit
    );
    assert!(plan.distance_log2 < -64.0 && plan.flood.bits() == 144);
    assert!(card.noise.answer_bound_log2 + 1.0 < card.noise.answer_limit_log2);
    assert!(card.noise.bound_log2 + 2.0 < card.noise.limit_log2);
}

#[test]
fn sizes_are_those_that_the_documents_state() {
    let room = &WHOLE;
    let mut roster = room.operator.roster();
    let record = room.record(&[vec![keyword(1)]]);
    roster.append(&record, &handles(0..1)).unwrap();
    let request = room.request(room.query(&keyword(1))).to_bytes().unwrap();
    let answer = roster.view();
    let answer = blindrelay_engine::operator::Snapshot::evaluate(&answer, &request, None).unwrap();
    println!("record {}, request {}, answer {}", record.len(), request.len(), answer.len());
    assert_eq!(record.len(), 168_008);
    assert!(request.len() <= room.operator.card().request_limit);
    // A room without a match and one with it answer with as many bytes.
    let other = room.request(room.query(&keyword(2))).to_bytes().unwrap();
    let other = blindrelay_engine::operator::Snapshot::evaluate(&roster.view(), &other, None).unwrap();
    assert_eq!(other.len(), answer.len());
}
