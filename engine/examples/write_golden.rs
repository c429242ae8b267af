//! Writes the golden files of the wire format: `cargo run -p blindrelay-engine --example write_golden -- engine/tests/golden`.
//!
//! Version 1 of the format is fixed, so the files that are committed only change together with the version or a parameter set.

#[path = "../tests/wire/objects.rs"]
mod objects;

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give the folder to write to")?);
    for (name, bytes) in objects::golden().ok_or("an object could not be made")? {
        std::fs::write(folder.join(name), &bytes)?;
        println!("{name}: {} bytes", bytes.len());
    }
    Ok(())
}
