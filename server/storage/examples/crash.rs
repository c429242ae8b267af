//! Kills a process that writes, many times: `cargo run --release -p blindrelay-storage --example crash -- 1000`.

#[path = "../tests/crash/check.rs"]
mod check;
#[path = "../tests/crash/content.rs"]
mod content;
#[path = "../tests/crash/rounds.rs"]
mod rounds;
#[path = "../tests/crash/writer.rs"]
mod writer;

use std::path::Path;

use crate::rounds::Outcome;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder] => writer::write(Path::new(folder)),
        [count] => {
            let found = rounds::run(count.parse()?)?;
            println!("{found}");
            found.faultless()
        }
        _ => Err("give the number of rounds".into()),
    }
}
