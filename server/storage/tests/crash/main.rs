//! Processes that are killed while they write, and disks that are full. Not run by libtest, because the processes that write are this program again.

mod check;
mod content;
mod full;
mod rounds;
mod writer;

use std::path::Path;

use crate::rounds::Outcome;

/// Rounds of killing.
const ROUNDS: u32 = 20;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder] => writer::write(Path::new(folder)),
        ["full", folder] => full::write(Path::new(folder)),
        _ => {
            full::check()?;
            println!("a full disk: refused, nothing lost, works again");
            let found = rounds::run(ROUNDS)?;
            println!("{found}");
            found.faultless()
        }
    }
}
