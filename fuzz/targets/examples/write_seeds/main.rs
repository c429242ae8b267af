//! Writes the inputs that fuzzing begins with: valid ones, made from fixed numbers. `cargo run -p blindrelay-fuzz-targets --example write_seeds -- fuzz/corpus`.
//!
//! What fuzzing finds later is kept beside them; a seed that a decoder no longer takes is replaced by running this again.

mod messages;
mod requests;
mod texts;
mod wire;

#[allow(dead_code, reason = "the wire format's tests use all of it")]
#[path = "../../../../engine/tests/wire/objects.rs"]
mod objects;

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs, io};

use blindrelay_fuzz_targets::operators::OBJECTS;

/// A seed's name and bytes.
type Seed = (String, Vec<u8>);

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map(PathBuf::from).ok_or_else(|| io::Error::other("which folder?"))?;
    let targets = [
        ("wire", wire::seeds()?),
        ("messages", messages::seeds()?),
        ("operators", operators()),
        ("billing", texts::billing()?),
        ("analytics", texts::analytics()),
        ("trust", texts::trust()?),
        ("configuration", texts::configuration()),
        ("http", requests::http()),
        ("client", requests::client()),
    ];
    for (target, seeds) in targets {
        let corpus = folder.join(target);
        fs::create_dir_all(&corpus)?;
        for (name, bytes) in seeds {
            fs::write(corpus.join(format!("seed-{name}")), bytes)?;
        }
    }
    Ok(())
}

/// Every object as it is.
fn operators() -> Vec<Seed> {
    (0..).zip(OBJECTS.iter()).map(|(choice, (name, _, _))| ((*name).to_owned(), vec![choice])).collect()
}
