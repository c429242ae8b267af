//! `evaluation-keys`: show, revoke or delete evaluation keys that were uploaded.

use blindrelay_client::KeySet;
use clap::{Args, Subcommand};

use crate::expiry::written;
use crate::failure::Failure;
use crate::key_terms::in_words;
use crate::output::Output;
use crate::printable::{count, grouped, one_line};
use crate::service::ServiceOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Show what the service says of evaluation keys
    Show(Named),
    /// Take evaluation keys out of use for good: no room, meter or panel computes with them any more
    Revoke(Named),
    /// Delete evaluation keys that no room, meter or panel uses
    Delete(Named),
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    service: ServiceOptions,
    /// The keys' digest, as `room show` and `keygen --evaluation-keys` tell it
    #[arg(value_name = "DIGEST")]
    digest: String,
}

/// Does what is asked for.
pub(crate) fn run(action: &Action, output: Output) -> Result<(), Failure> {
    let keys = match action {
        Action::Show(Named { service, digest }) => service.client()?.keys(digest)?,
        Action::Revoke(Named { service, digest }) => service.client()?.revoke_keys(digest)?,
        Action::Delete(Named { service, digest }) => {
            service.client()?.delete_keys(digest)?;
            let deleted = serde_json::json!({ "deleted": digest });
            return output.result(&deleted, || format!("evaluation keys {digest} are deleted"));
        }
    };
    output.result(&keys, || describe(&keys))
}

fn describe(keys: &KeySet) -> String {
    let relinearization = if keys.relinearization { "yes" } else { "no" };
    let revoked = keys.revoked.map_or_else(|| "no".to_owned(), |since| format!("since {}", written(since)));
    format!(
        "evaluation keys {}\n  parameters       {}, {} bytes\n  relinearization  {relinearization}\n  rotations        {}\n  terms            {}\n  revoked          {revoked}",
        one_line(&keys.digest),
        one_line(&keys.parameters),
        grouped(usize::try_from(keys.bytes).unwrap_or(usize::MAX)),
        count(keys.galois_elements.len(), "key"),
        in_words(keys),
    )
}
