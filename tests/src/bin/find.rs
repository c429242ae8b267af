//! `cargo run --release -p blindrelay-tests --bin find -- [RUNS] [PARTICIPANTS]`: finds in one group, compared with clear values and measured. `RAYON_NUM_THREADS` sets the threads.

use blindrelay_tests::find::Bench;

fn main() {
    let number = |index: usize, otherwise: u64| {
        std::env::args().nth(index).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let (runs, participants) = (number(1, 20), number(2, 256));
    let bench = Bench::new(participants as usize);
    let costs = bench.costs();
    println!(
        "{participants} participants: {} bytes a record, {} a request, {} for the group, {} of keys; one enrolment {:?}",
        costs.record, costs.request, costs.group, costs.keys, costs.enrolment
    );
    let mut closest: Option<blindrelay_tests::find::Outcome> = None;
    let (mut fastest, mut matches) = (std::time::Duration::MAX, 0);
    for number in 0..runs {
        let outcome = bench.run(number);
        fastest = fastest.min(outcome.time);
        matches += outcome.matches;
        closest = Some(match closest {
            Some(all) if all.margin.bound - all.margin.largest <= outcome.margin.bound - outcome.margin.largest => all,
            _ => outcome,
        });
    }
    if let Some(closest) = closest {
        let margin = closest.margin;
        println!(
            "{runs} runs, {matches} matches, all as on clear values; answers of {} bytes; fastest {fastest:?}",
            closest.answer
        );
        println!(
            "noise: measured {:.2}, bound {:.2}, card {:.2}, limit {:.2}, margin {:.2} (base-2 logarithms)",
            margin.largest,
            margin.bound,
            bench.promised(),
            margin.limit,
            margin.bound - margin.largest
        );
    }
}
