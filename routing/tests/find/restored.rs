//! A room of finds that is made again.

use blindrelay_engine::operator::Collection;
use blindrelay_routing::find::FindKind;

use crate::restoring;
use crate::room::{REDUCED, payload, token};

#[test]
fn finds_in_a_roster_that_was_made_again() {
    let room = &*REDUCED;
    let request = room.request(FindKind::Tickets, 128, &token(1)).to_bytes().unwrap();
    let record = |_| room.record(&token(1), &payload(1));
    let answer = |roster: &dyn Collection| roster.snapshot().evaluate(&request, Some(&room.keys)).unwrap();
    restoring::check(&room.operator, 1, &record, &answer);
}
