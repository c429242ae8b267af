//! `connect`: the relay's side of a find. Somebody presents a ticket; the relay looks up whom to connect.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::failure::{Failure, NOTHING_FOUND};
use crate::output::Output;
use crate::tickets::{self, Ticket};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The ticket that somebody presents, in hexadecimal digits as `find` prints it
    #[arg(value_name = "TICKET")]
    ticket: String,
    /// The relay's file, which `enroll` wrote
    #[arg(long, value_name = "FILE", default_value = "tickets.csv")]
    tickets: PathBuf,
}

/// Prints the handle. The exit code says whether there is one.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<ExitCode, Failure> {
    let ticket: Ticket = arguments
        .ticket
        .trim()
        .parse()
        .map_err(|what| Failure::Usage { what, advice: "give the ticket as `blindrelay find` prints it" })?;
    let handle = tickets::look_up(&arguments.tickets, &ticket)?.map(|handle| handle.to_string());
    output.result(&serde_json::json!({ "handle": handle }), || {
        handle.clone().unwrap_or_else(|| "no ticket of this file: connect nobody".to_owned())
    })?;
    Ok(if handle.is_some() { ExitCode::SUCCESS } else { ExitCode::from(NOTHING_FOUND) })
}
