//! `blindrelay`: rooms whose members find each other through a relay that cannot read whom they look for.
//!
//! Exit codes: 0 done, 1 the operation failed, 2 wrong arguments or input files, 3 nobody matches, 4 a receipt is forged or an answer is not the one that comes out, 5 an audit could compute
//! nothing again.

mod arguments;
mod commands;
#[cfg(test)]
mod damage;
mod expiry;
mod failure;
mod finder;
mod holder;
mod journal;
mod key_terms;
mod meeting;
mod member;
mod output;
mod panels;
mod printable;
mod receipts;
mod reexecution;
mod room_kind;
mod service;
mod tenants;
mod tickets;
mod usage;

use std::process::ExitCode;

use blindrelay_engine::Backend;
use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::output::Output;

/// Find each other through a relay that cannot read whom you look for.
#[derive(Debug, Parser)]
#[command(name = "blindrelay", version, propagate_version = true, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done, 1 the operation failed, 2 wrong arguments or input files, 3 nobody matches, 4 a receipt is forged or an answer is not the one that comes out, 5 an audit could compute nothing again."
)]
struct CommandLine {
    /// Write results as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Instruction set of the arithmetic: auto, scalar or avx512
    #[arg(long, global = true, value_name = "NAME", default_value = "auto")]
    backend: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play a meeting through a service on this machine and show what the relay saw and what it did not
    Demo(commands::demo::Arguments),
    /// Make the secret key file of a room, of a tenant or of a host
    Keygen(commands::keygen::Arguments),
    /// Write the public key that belongs to a tenant's or host's key file
    PublicKey(commands::public_key::Arguments),
    /// Start the service
    Serve(commands::serve::Arguments),
    /// Copy everything that a service keeps into a folder, also while it works
    Backup(commands::backup::Backup),
    /// Make the store of a service from a backup
    Restore(commands::backup::Restore),
    /// Make, list, show, limit, suspend or resume tenants of the service
    #[command(subcommand)]
    Tenant(commands::tenant::Action),
    /// Make, list, revoke or rotate API keys of the service
    #[command(subcommand)]
    ApiKey(commands::api_key::Action),
    /// Show, revoke or delete evaluation keys that were uploaded
    #[command(subcommand)]
    EvaluationKeys(commands::evaluation_keys::Action),
    /// Create, show or delete a room
    #[command(subcommand)]
    Room(commands::room::Action),
    /// Enrol identities or embeddings in a room
    Enroll(commands::enroll::Arguments),
    /// Remove what is enrolled under a handle
    Remove(commands::remove::Arguments),
    /// Ask whose handle belongs to an identity or is close to an embedding
    Match(commands::matching::Arguments),
    /// Look for somebody: send an encrypted question, open the ticket that comes back, or learn that nobody matches
    Find(commands::find::Arguments),
    /// Check receipts that were kept: signature, request and answer
    Verify(commands::verify::Arguments),
    /// Ask which handles have a keyword, or how many
    Search(commands::search::Arguments),
    /// The relay's side of a find: whose handle belongs to a ticket
    Connect(commands::connect::Arguments),
    /// Count a usage file: pack it, encrypt it for its tenants and send it to meters of the service
    Meter(commands::meter::Arguments),
    /// Open a tenant's encrypted charges and write the invoice
    Invoice(commands::invoice::Arguments),
    /// Ask for reports of all meters or panels at once, and take the answers when they are there
    #[command(subcommand)]
    Job(commands::job::Action),
    /// Explain what calls cost under a tariff, price a file of calls, and check the amounts on ciphertexts
    Price(commands::price::Arguments),
    /// Compute answers again from what the service keeps of their receipts, or follow an invoice back to its batches; without a key
    Audit(Box<commands::audit::Arguments>),
    /// Make, show, list, merge or delete panels, which collect encrypted statistics
    #[command(subcommand)]
    Panel(commands::panel::Action),
    /// Encrypt measurements for the host of a panel and add them to it
    Contribute(commands::contribute::Arguments),
    /// Open the report of a panel
    Report(commands::report::Arguments),
    /// Write usage, rates and keys for trials
    #[command(subcommand)]
    Sample(commands::sample::Action),
    /// Let many members ask at once and report what the service carries
    Load(commands::load::Arguments),
    /// Say what a file is
    Inspect(commands::inspect::Arguments),
    /// Show parameter sets and operators with their security, failure and size figures
    Params(commands::params::Arguments),
    /// Measure this build against its peers
    Bench(commands::bench::Arguments),
    /// Write shell completions to standard output
    Completions(commands::completions::Arguments),
}

fn main() -> ExitCode {
    let arguments = CommandLine::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => {
            Output::remark(&failure.line());
            ExitCode::from(failure.code())
        }
    }
}

fn run(arguments: CommandLine) -> Result<ExitCode, Failure> {
    let output = Output::new(arguments.json);
    let backend = Backend::by_name(&arguments.backend)?;
    match arguments.command {
        Command::Demo(arguments) => commands::demo::run(&arguments, backend, output)?,
        Command::Keygen(arguments) => commands::keygen::run(&arguments, backend, output)?,
        Command::PublicKey(arguments) => commands::public_key::run(&arguments, backend, output)?,
        Command::Find(arguments) => return commands::find::run(&arguments, backend, output),
        Command::Search(arguments) => return commands::search::run(&arguments, backend, output),
        Command::Connect(arguments) => return commands::connect::run(&arguments, output),
        Command::Meter(arguments) => commands::meter::run(&arguments, backend, output)?,
        Command::Invoice(arguments) => commands::invoice::run(&arguments, backend, output)?,
        Command::Price(arguments) => commands::price::run(&arguments, backend, output)?,
        Command::Audit(arguments) => return commands::audit::run(&arguments, backend, output),
        Command::Panel(action) => commands::panel::run(&action, backend, output)?,
        Command::Contribute(arguments) => commands::contribute::run(&arguments, backend, output)?,
        Command::Report(arguments) => commands::report::run(&arguments, backend, output)?,
        Command::Sample(action) => commands::sample::run(&action, backend, output)?,
        Command::Verify(arguments) => commands::verify::run(&arguments, output)?,
        Command::Serve(arguments) => commands::serve::run(&arguments, backend, output)?,
        Command::Backup(arguments) => commands::backup::back_up(&arguments, output)?,
        Command::Restore(arguments) => commands::backup::restore(&arguments, output)?,
        Command::Job(action) => commands::job::run(&action, output)?,
        Command::Tenant(action) => commands::tenant::run(&action, output)?,
        Command::ApiKey(action) => commands::api_key::run(&action, output)?,
        Command::EvaluationKeys(action) => commands::evaluation_keys::run(&action, output)?,
        Command::Room(action) => commands::room::run(&action, backend, output)?,
        Command::Enroll(arguments) => commands::enroll::run(&arguments, backend, output)?,
        Command::Remove(arguments) => commands::remove::run(&arguments, output)?,
        Command::Match(arguments) => return commands::matching::run(&arguments, backend, output),
        Command::Load(arguments) => commands::load::run(&arguments, backend, output)?,
        Command::Inspect(arguments) => commands::inspect::run(&arguments, output)?,
        Command::Params(arguments) => commands::params::run(&arguments, backend, output)?,
        Command::Bench(arguments) => commands::bench::run(&arguments, backend, output)?,
        Command::Completions(arguments) => commands::completions::run::<CommandLine>(&arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}
