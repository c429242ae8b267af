//! The named set: 256 places, 32,768 slots.

use std::time::Instant;

use blindrelay_engine::operator::{Collection, Operator};
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::hazmat;
use blindrelay_routing::find::{FindKind, FindRecord, FindRequest};

use crate::room::{WHOLE, handle, near, payload, token};

#[test]
fn a_full_sized_room_answers_within_its_card() {
    let room = &*WHOLE;
    let card = room.operator.card();
    assert_eq!((room.layout.capacity(), room.layout.slots()), (256, 32_768));
    let mut roster = room.operator.roster();
    // Both rows of slots: the first half of the places is taken by records that are one ciphertext.
    let filler = room.record(&token(0), &payload(0));
    let began = Instant::now();
    for number in 0..130 {
        roster.append(&filler, &[handle(number)]).unwrap();
    }
    println!("one enrolment: {:?}", began.elapsed() / 130);
    for number in 130..134 {
        roster.append(&room.record(&token(number), &payload(number)), &[handle(number)]).unwrap();
    }
    // Two of one token, in both rows.
    roster.remove(handle(5)).unwrap();
    roster.append(&room.record(&near(&token(131), 32), &payload(5)), &[handle(5)]).unwrap();
    let request = room.request(FindKind::Tickets, 64, &token(131));
    let bytes = request.to_bytes().unwrap();
    assert_eq!(bytes.len(), card.request_limit);
    assert_eq!(bytes.len(), FindRequest::encoded_len(room.context.parameters()));
    assert_eq!(
        (filler.len(), card.record_limit),
        (card.record_limit, FindRecord::encoded_len(room.context.parameters()))
    );
    let snapshot = roster.view();
    let began = Instant::now();
    let selections = snapshot.selections(&request, &room.keys).unwrap();
    println!("one group: {:?}", began.elapsed());
    let (measured, bound) =
        (hazmat::measure_noise(&room.key, &selections[0]).unwrap(), selections[0].noise().sup_log2());
    println!("noise 2^{measured:.2}, bound 2^{bound:.2}, card 2^{:.2}", card.noise.bound_log2);
    assert!(measured <= bound && bound <= card.noise.bound_log2, "{measured} {bound}");
    let answer = snapshot.find(&bytes, Some(&room.keys)).unwrap();
    let opened = room.open_tickets(&answer).unwrap();
    let found: Vec<_> = opened.found.iter().map(|found| (found.place, found.payload.to_vec())).collect();
    assert_eq!(found, [(5, payload(5)), (131, payload(131))]);
    println!(
        "record {} bytes, request {}, answer {}, keys {}, room {} bytes with {} records",
        filler.len(),
        bytes.len(),
        answer.to_bytes(&room.context).unwrap().len(),
        room.keys.to_bytes().len(),
        roster.byte_len(),
        roster.handles().len(),
    );
    assert_eq!(room.tickets(&roster, 64, &token(1000)), Vec::<Vec<u8>>::new());
    assert_eq!(room.count(&roster, 64, &token(0)), 129);
}
