//! `api-key`: make, list, revoke or rotate API keys of the service. For administrators.

mod key_file;
mod text;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use blindrelay_client::{ApiKey, Error as ClientError, NewApiKey, Role};
use clap::{Args, Subcommand};
use serde::Serialize;

use self::key_file::KeyFile;
use crate::arguments::room_id;
use crate::expiry::{Expiry, duration};
use crate::failure::Failure;
use crate::output::Output;
use crate::service::ServiceOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make a key and print it, this once: the service keeps its hash
    Create(Create),
    /// List keys, without the keys themselves
    List(List),
    /// Take a key out of use: from now on it lets nobody in
    Revoke(Revoke),
    /// Make a new key for the same role, tenant, label and expiry; the former one is taken out of use after a while
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    service: ServiceOptions,
    /// What its holder may do: relay (enrol, ask, add batches), tenant (everything of one tenant), auditor (look and read reports) or admin (tenants and keys)
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// The tenant that it belongs to; every key but an administrator's has one
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// What people call it, at most 64 characters
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    label: String,
    /// From when on it lets nobody in: a time from now such as 30d (s, m, h, d, w), or a moment in UTC such as 2027-01-31T00:00:00Z (RFC 3339) [default: never]
    #[arg(long, value_name = "TIME")]
    expires: Option<Expiry>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    service: ServiceOptions,
    /// Keys of this tenant alone
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    service: ServiceOptions,
    /// The key's id, as `api-key list` shows it
    #[arg(value_name = "ID", value_parser = room_id)]
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    service: ServiceOptions,
    /// The former key's id, as `api-key list` shows it
    #[arg(value_name = "ID", value_parser = room_id)]
    id: String,
    /// How long the former key still lets its holder in, such as 12h (s, m, h, d, w) [default: 1d]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    grace: Option<Duration>,
    #[command(flatten)]
    target: Target,
}

/// Where a new key goes.
#[derive(Debug, Args)]
struct Target {
    /// Write the key to this file, for you alone, instead of standard output; an existing file is never overwritten
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    api_key: &'a ApiKey,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<&'a Path>,
}

/// Does what is asked for.
pub(crate) fn run(action: &Action, output: Output) -> Result<(), Failure> {
    match action {
        Action::Create(arguments) => create(arguments, output),
        Action::List(List { service, tenant }) => {
            let keys = service.client()?.api_keys(tenant.as_deref())?;
            output.result(&keys, || text::describe_all(&keys, SystemTime::now().into()))
        }
        Action::Revoke(Revoke { service, id }) => {
            service.client()?.revoke_api_key(id)?;
            let revoked = serde_json::json!({ "revoked": id });
            output.result(&revoked, || format!("API key {id} is revoked: it lets nobody in from now on"))
        }
        Action::Rotate(Rotate { service, id, grace, target }) => {
            let client = service.client()?;
            hand_out(target, || client.rotate_api_key(id, *grace), output)
        }
    }
}

fn create(arguments: &Create, output: Output) -> Result<(), Failure> {
    let Create { service, role, tenant, label, expires, target } = arguments;
    let misfit = match (role, tenant) {
        (Role::Admin, Some(_)) => Some("an administrator's key belongs to no tenant"),
        (Role::Admin, None) | (_, Some(_)) => None,
        (_, None) => Some("every key but an administrator's belongs to a tenant"),
    };
    if let Some(what) = misfit {
        let advice =
            "name the tenant with --tenant for the roles relay, tenant and auditor, and leave it out for admin";
        return Err(Failure::Usage { what: what.to_owned(), advice });
    }
    let expires = expires.map(|expires| expires.moment(SystemTime::now())).transpose()?;
    let client = service.client()?;
    hand_out(target, || client.create_api_key(*role, tenant.as_deref(), label, expires), output)
}

/// Makes a key and puts it where it belongs. Standard output has the key alone; what people may want to know goes to standard error.
fn hand_out(
    target: &Target,
    make: impl FnOnce() -> Result<NewApiKey, ClientError>,
    output: Output,
) -> Result<(), Failure> {
    // Before the key is made: it could not be shown a second time.
    let file = target.key_file.as_deref().map(KeyFile::claim).transpose()?;
    let NewApiKey { api_key, key, .. } = match make() {
        Ok(made) => made,
        Err(error) => {
            if let Some(file) = file {
                file.give_up();
            }
            let lost = error.leaves_doubt() && !matches!(error, ClientError::Unreachable { .. });
            return Err(if lost { Failure::LostKey(error) } else { error.into() });
        }
    };
    let shown = file.is_none().then_some(key.as_str());
    if let Some(file) = file {
        file.fill(&key, &api_key.id)?;
    }
    let key_file = target.key_file.as_deref();
    let made = Made { api_key: &api_key, key: shown, key_file };
    output.result(&made, || shown.unwrap_or_default().to_owned())?;
    if !output.json() {
        Output::remark(&text::describe_new(&api_key, key_file));
    }
    Ok(())
}
