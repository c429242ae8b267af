//! `remove`: take back an enrolment.

use blindrelay_engine::operator::Handle;
use clap::Args;

use crate::arguments::room_id;
use crate::failure::Failure;
use crate::output::Output;
use crate::service::ServiceOptions;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
    /// The room's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    room: String,
    /// The handle that enrolment gave
    #[arg(long, value_name = "HANDLE")]
    handle: Handle,
}

/// Removes one handle.
pub(crate) fn run(arguments: &Arguments, output: Output) -> Result<(), Failure> {
    arguments.service.client()?.remove(&arguments.room, arguments.handle)?;
    let removed = serde_json::json!({ "room": arguments.room, "removed": arguments.handle.to_string() });
    output.result(&removed, || format!("handle {} is removed", arguments.handle))
}
