//! `cargo run --release -p blindrelay-tests --bin journeys -- [COUNT] [FIRST] [--minutes M]`: random finds over HTTP, members and strangers, every answer opened and held to the clear
//! function, every exchange weighed. Ends after COUNT journeys or M minutes, whichever comes first; FIRST goes on where an earlier run ended.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use blindrelay_tests::journeys::{Asker, House, SIZES, Tally};

/// How many ask at the same time.
const ASKERS: u64 = 2;

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let minutes = arguments.iter().position(|argument| argument == "--minutes").map(|at| {
        let minutes = arguments.drain(at..).nth(1).and_then(|text| text.parse::<f64>().ok());
        minutes.expect("--minutes is followed by a number, at the end")
    });
    let mut numbers = arguments.iter().map(|text| text.parse::<u64>().expect("COUNT and FIRST are numbers"));
    let (count, first) = (numbers.next().unwrap_or(10_000), numbers.next().unwrap_or(0));
    let limit = minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes));
    let house = House::open(first);
    let (next, all) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let prepared = Instant::now();
    let mut askers: Vec<Asker<'_>> = (0..ASKERS).map(|number| Asker::new(&house, first + number, &SIZES)).collect();
    eprintln!(
        "rooms of {SIZES:?} participants for each of {ASKERS} askers, after {:.0} s",
        prepared.elapsed().as_secs_f64()
    );
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for asker in &mut askers {
            scope.spawn(|| {
                while limit.is_none_or(|limit| begun.elapsed() < limit) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let tally = asker.journey(first + number);
                    let mut all = all.lock().expect("no journey panicked");
                    *all += tally;
                    if all.journeys % 100 == 0 {
                        let rate = all.journeys as f64 / begun.elapsed().as_secs_f64();
                        eprintln!("{} journeys, {} wrong, {rate:.2} a second", all.journeys, all.wrong.len());
                    }
                }
            });
        }
    });
    let (all, seconds) = (all.into_inner().expect("no journey panicked"), begun.elapsed().as_secs_f64());
    println!(
        "{} journeys over HTTP: {} tickets opened, all the right ones; {} times nobody matched; {} counts; {} participants exchanged; {} answers wrong ({seconds:.0} s, {:.2} a second)",
        all.journeys,
        all.tickets,
        all.nobody,
        all.counts,
        all.changes,
        all.wrong.len(),
        all.journeys as f64 / seconds
    );
    println!("bytes of a request on the wire: {:?}", all.requests);
    for (bytes, [somebody, nobody]) in &all.answers {
        println!("bytes of an answer on the wire: {bytes}, {somebody} times with tickets and {nobody} times without");
    }
    assert!(all.wrong.is_empty(), "journeys {:?} differ from the clear function", all.wrong);
    assert!(all.answers.len() <= 1, "answers have {} sizes", all.answers.len());
}
