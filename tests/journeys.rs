//! Some finds over HTTP; more with `cargo run --release -p blindrelay-tests --bin journeys`.

use blindrelay_tests::journeys::{Asker, House, Tally};

#[test]
fn finds_over_http_open_to_the_right_tickets_and_all_answers_have_one_size() {
    let house = House::open(7);
    let mut asker = Asker::new(&house, 7, &[1, 3]);
    let mut all = Tally::default();
    (0..24).for_each(|number| all += asker.journey(number));
    assert_eq!((all.journeys, all.wrong.as_slice()), (24, &[][..]));
    assert!(all.tickets > 0 && all.nobody > 0 && all.counts > 0, "{all:?}");
    assert_eq!((all.requests.len(), all.answers.len()), (1, 1), "{all:?}");
}
