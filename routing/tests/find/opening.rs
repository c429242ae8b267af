//! What is not opened.

use blindrelay_engine::bfv::Answer;
use blindrelay_engine::operator::Collection;
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::{Expectation, SecretKey};
use blindrelay_routing::find::{FindAnswer, FindKind, Opened, Unopened};

use crate::room::{REDUCED, handle, payload, token};

fn answer(kind: FindKind, probe: u64) -> FindAnswer {
    let mut roster = REDUCED.operator.roster();
    for number in 0..3 {
        roster.append(&REDUCED.record(&token(number), &payload(number)), &[handle(number)]).unwrap();
    }
    REDUCED.ask(&roster, kind, 64, &token(probe))
}

/// The answer with a change of its bodies.
fn changed(answer: &FindAnswer, change: impl Fn(usize, u64) -> u64) -> FindAnswer {
    let parameters = REDUCED.context.parameters();
    let change = |old: &Answer| {
        let body = old.body().iter().enumerate().map(|(index, &residue)| change(index, residue)).collect();
        Answer::new(parameters, old.positions().to_vec(), body, old.rest().to_vec()).unwrap()
    };
    FindAnswer { answers: answer.answers.iter().map(change).collect(), ..answer.clone() }
}

/// Half of the distance between two messages, modulo the answer prime.
fn shifted(residue: u64, messages: u64) -> u64 {
    let prime = REDUCED.context.parameters().spec().answer_prime.unwrap();
    (residue + messages * (prime / 65_537)) % prime
}

#[test]
fn another_key_opens_nothing() {
    let other = SecretKey::from_seed(&REDUCED.context, Seed::from_bytes([32; 32]));
    let open = |answer: &Answer, positions, range| other.open_answer(answer, &Expectation { positions, range }).ok();
    for probe in [1, 50] {
        assert_eq!(answer(FindKind::Tickets, probe).open_tickets(&REDUCED.context, open), Err(Unopened));
    }
}

#[test]
fn a_changed_answer_is_refused_whether_or_not_anybody_matches() {
    for probe in [1, 50] {
        let good = answer(FindKind::Tickets, probe);
        assert_eq!(REDUCED.open_tickets(&good).unwrap().found.len(), usize::from(probe == 1));
        // One coefficient is in all slots, so that empty places are not empty any more.
        for place in [0, 1, 513, 1023] {
            let bad = changed(&good, |index, residue| shifted(residue, u64::from(index == place)));
            assert_eq!(REDUCED.open_tickets(&bad), Err(Unopened), "{probe} {place}");
        }
        // Places that are said to be empty and hold a payload, and the other way round.
        let mut bad = good.clone();
        bad.occupied[0] = vec![false; 8];
        assert_eq!(REDUCED.open_tickets(&bad), Err(Unopened));
        let mut bad = good.clone();
        bad.occupied[0] = vec![true; 8];
        let opened = REDUCED.open_tickets(&bad).unwrap();
        assert_eq!((opened.found.len(), opened.unreadable), (usize::from(probe == 1), 0));
        // A room without empty places, and no taken place that is readable.
        let full = changed(&bad, |index, residue| shifted(residue, u64::from(index == 1)));
        assert_eq!(REDUCED.open_tickets(&full), Err(Unopened));
        bad.answers.clear();
        assert_eq!(REDUCED.open_tickets(&bad), Err(Unopened));
    }
    let good = answer(FindKind::Count, 1);
    assert_eq!(REDUCED.open_count(&good), Ok(1));
    // A count of 1 is 2^-3 in coefficient 0: nearly every other value is more than there are participants.
    let bad = changed(&good, |_, residue| shifted(residue, 1));
    assert_eq!(REDUCED.open_count(&bad), Err(Unopened));
    let mut bad = good.clone();
    bad.occupied[0].fill(false);
    assert_eq!(REDUCED.open_count(&bad), Err(Unopened));
    bad.answers.clear();
    assert_eq!(REDUCED.open_count(&bad), Err(Unopened));
}

#[test]
fn a_count_is_no_list_and_a_list_is_no_count() {
    assert_eq!(REDUCED.open_tickets(&answer(FindKind::Count, 1)), Err(Unopened));
    assert_eq!(REDUCED.open_count(&answer(FindKind::Tickets, 1)), Err(Unopened));
    assert_eq!(Opened::default().found.len(), 0);
    assert_eq!(
        Unopened.to_string(),
        "the answer could not be opened: it is not what was asked for, or it was changed on the way"
    );
}

#[test]
fn a_count_opens_one_coefficient_only() {
    let answer = answer(FindKind::Count, 1);
    assert_eq!((answer.answers.len(), answer.answers[0].positions()), (1, &[0][..]));
    assert_eq!(answer.answers[0].body().len(), 1);
}
