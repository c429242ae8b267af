//! `sample rates`: a rate card.

use std::path::PathBuf;

use blindrelay_billing::Date;
use clap::Args;

use crate::arguments::month;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The month in whose middle prices change
    #[arg(long, value_name = "YYYY-MM", value_parser = month, default_value = "2026-11")]
    month: Date,
    /// Also charge rooms by join and leave. Batches become twice as long
    #[arg(long)]
    intervals: bool,
    /// Where the card goes; without it, to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the card.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let text = card(arguments.month, arguments.intervals);
    match &arguments.out {
        Some(path) => {
            std::fs::write(path, &text).map_err(|source| Failure::Write { path: path.clone(), source })?;
            let written = serde_json::json!({ "file": path, "bytes": text.len() });
            output.result(&written, || format!("{}: a rate card", path.display()))
        }
        None => Output::write(text.as_bytes()),
    }
}

/// The card as TOML, for a month by its first day.
pub(super) fn card(month: Date, intervals: bool) -> String {
    let (year, number, _) = month.civil();
    let (first, change) = (format!("{year:04}-01-01"), format!("{year:04}-{number:02}-16"));
    let quantities = format!(
        r#"# What is charged, and at which price since which day (UTC). Lines of usage name an item and give whole numbers of the unit that is measured.
currency = "EUR"

[[items]]
name = "audio"
unit = "minute"      # prices are per minute
measured = "second"  # usage is in seconds
limit = 86_400       # no line has more
weight = 4           # its share of the lines, against the other items
prices = [
    {{ from = {first}, price = "0.0040" }},
    {{ from = {change}, price = "0.0045" }},
]

[[items]]
name = "video"
unit = "minute"
measured = "second"
limit = 86_400
weight = 2
prices = [
    {{ from = {first}, price = "0.0120" }},
    {{ from = {change}, price = "0.0115" }},
]

[[items]]
name = "data"
unit = "gigabyte"
measured = "megabyte"
limit = 1_000_000
weight = 2
prices = [{{ from = {first}, price = "0.085" }}]
"#
    );
    if !intervals {
        return quantities;
    }
    let intervals = format!(
        r#"
# Charged by the time between join and leave, which the service subtracts on ciphertexts.
[[items]]
name = "room"
kind = "interval"
unit = "hour"
limit = 86_400
weight = 1
prices = [
    {{ from = {first}, price = "0.30" }},
    {{ from = {change}, price = "0.35" }},
]
"#
    );
    quantities + &intervals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_what_the_command_writes() {
        let month = "2026-11-01".parse().unwrap();
        assert_eq!(card(month, true), include_str!("../../../../examples/rates.toml"));
        for intervals in [false, true] {
            assert!(blindrelay_billing::RateCard::from_toml(&card(month, intervals)).is_ok());
        }
    }
}
