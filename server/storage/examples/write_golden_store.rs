//! Writes a store with the samples of the tests: `cargo run -p blindrelay-storage --example write_golden_store -- server/storage/tests/golden/form-2`.
//!
//! A form's golden store is written once, by the program that introduces it, and never again.

#[path = "../tests/durable/samples.rs"]
mod samples;

use std::error::Error;
use std::path::PathBuf;

use blindrelay_storage::DurableStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give the folder to write to")?);
    let store = DurableStore::in_folder(&folder).await?;
    samples::write(&store).await?;
    samples::check(&store).await?;
    store.close().await;
    println!("{} is written", folder.display());
    Ok(())
}
