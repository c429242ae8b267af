//! `demo`: a whole meeting, played through a real service over real HTTP, and beside it what the relay saw of it: somebody is found, the tenant is charged, the host gets
//! a report.

mod cast;
mod charge;
mod relay;
mod report;
mod statistics;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use blindrelay_client::Client;
use blindrelay_engine::Backend;
use blindrelay_server::Registry;
use clap::Args;

use self::cast::Play;
use self::charge::Charge;
use self::relay::Relay;
use self::report::{Report, Sides};
use self::statistics::Statistics;
use crate::failure::Failure;
use crate::meeting::Meeting;
use crate::output::Output;

/// Most participants.
const MOST: usize = 128;
/// Nothing in a demonstration takes this long.
const REQUEST_LIMIT: Duration = Duration::from_mins(2);

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Who is there, who arrives, whom the newcomer looks for and what is measured of everybody; without it, a small board meeting
    meeting: Option<PathBuf>,
}

/// Plays the meeting and prints both sides.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let meeting = match &arguments.meeting {
        Some(path) => Meeting::read(path)?,
        None => Meeting::example()?,
    };
    if meeting.participants.len() > MOST {
        return Err(Failure::Usage {
            what: format!(
                "the meeting has {} participants, and a demonstration has room for {MOST}",
                meeting.participants.len()
            ),
            advice: "leave some of them out; each enrols 2.4 megabytes, which the service of a demonstration keeps in memory",
        });
    }
    let start = Instant::now();
    let mut registry = Registry::standard(backend).map_err(|error| Failure::Service(error.to_string()))?;
    // Tables are public: service and members of this process share them.
    let context = cast::context(&mut registry)?;
    let relay = Relay::start(registry)?;
    let client = Client::builder(relay.url()).time_limit(REQUEST_LIMIT).build()?;
    let play = Play::perform(&meeting, &client, &relay, &context)?;
    let charge = Charge::perform(&meeting, &client, backend)?;
    let statistics = Statistics::perform(&meeting, &client, backend)?;
    let passages = relay.stop();
    let sides = Sides { meeting: &meeting, play, charge, statistics };
    let report = Report::new(sides, &passages, backend, start.elapsed());
    output.result(&report, || report::text::describe(&report, Output::columns(), Output::colours()))
}
