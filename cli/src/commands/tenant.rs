//! `tenant`: make, list, show, limit, suspend or resume tenants of the service. For administrators.

use std::str::FromStr;

use blindrelay_client::{Tenant, TenantLimits};
use clap::{Args, Subcommand};

use crate::expiry::written;
use crate::failure::Failure;
use crate::output::Output;
use crate::printable::{grouped, one_line, pad, width};
use crate::service::ServiceOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make a tenant
    Create(Limited),
    /// List all tenants
    List(List),
    /// Show a tenant with its limits and what it keeps
    Show(Named),
    /// Change limits of a tenant; those that are not given stay as they are
    Limit(Limited),
    /// Let nobody in for a tenant any more; nothing is deleted
    Suspend(Named),
    /// Let those in again who have a key of a suspended tenant
    Resume(Named),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    service: ServiceOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    service: ServiceOptions,
    /// The tenant's name: 1 to 64 characters of a-z, 0-9 and '-'
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "A limit is a number, or `default` for what the service's configuration says.")]
pub(crate) struct Limited {
    #[command(flatten)]
    named: Named,
    /// Most rooms
    #[arg(long, value_name = "LIMIT")]
    rooms: Option<Limit>,
    /// Most meters and panels together
    #[arg(long, value_name = "LIMIT")]
    ledgers: Option<Limit>,
    /// Most batches and merges in the life of a meter or panel
    #[arg(long, value_name = "LIMIT")]
    changes: Option<Limit>,
    /// Most sets of evaluation keys
    #[arg(long, value_name = "LIMIT")]
    keys: Option<Limit>,
    /// Most jobs that are not finished
    #[arg(long, value_name = "LIMIT")]
    jobs: Option<Limit>,
    /// Most bytes of key sets, records, sums and jobs
    #[arg(long, value_name = "LIMIT")]
    bytes: Option<Limit>,
    /// Most milliseconds of computation in a minute, in each service by itself
    #[arg(long, value_name = "LIMIT")]
    compute_millis_per_minute: Option<Limit>,
    /// Most requests that wait or compute at the same time, in each service by itself
    #[arg(long, value_name = "LIMIT")]
    concurrent_requests: Option<Limit>,
}

/// One limit: a number, or what the configuration says.
#[derive(Clone, Copy, Debug)]
struct Limit(Option<u64>);

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(number) => Ok(Self(Some(number))),
            Err(_) if text == "default" => Ok(Self(None)),
            Err(_) => Err("a limit is a number, or `default`"),
        }
    }
}

impl Limited {
    /// The limits with those changed that were given; `None` where none was.
    fn over(&self, mut limits: TenantLimits) -> Option<TenantLimits> {
        let places = [
            (&mut limits.rooms, self.rooms),
            (&mut limits.ledgers, self.ledgers),
            (&mut limits.changes, self.changes),
            (&mut limits.keys, self.keys),
            (&mut limits.jobs, self.jobs),
            (&mut limits.bytes, self.bytes),
            (&mut limits.compute_millis_per_minute, self.compute_millis_per_minute),
            (&mut limits.concurrent_requests, self.concurrent_requests),
        ];
        let mut given = false;
        for (place, wanted) in places {
            if let Some(Limit(limit)) = wanted {
                (*place, given) = (limit, true);
            }
        }
        given.then_some(limits)
    }
}

/// Does what is asked for.
pub(crate) fn run(action: &Action, output: Output) -> Result<(), Failure> {
    let tenant = match action {
        Action::List(List { service }) => {
            let tenants = service.client()?.tenants()?;
            return output.result(&tenants, || describe_all(&tenants));
        }
        Action::Create(arguments) => create(arguments)?,
        Action::Show(Named { service, name }) => service.client()?.tenant(name)?,
        Action::Limit(arguments) => limit(arguments)?,
        Action::Suspend(Named { service, name }) => service.client()?.suspend_tenant(name)?,
        Action::Resume(Named { service, name }) => service.client()?.resume_tenant(name)?,
    };
    output.result(&tenant, || describe(&tenant))
}

fn create(arguments: &Limited) -> Result<Tenant, Failure> {
    let Named { service, name } = &arguments.named;
    let client = service.client()?;
    // The service would change the limits of one that is there.
    match client.tenant(name) {
        Ok(_) => return Err(Failure::TenantExists(name.clone())),
        Err(error) if error.status() == Some(404) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(client.create_tenant(name, &arguments.over(TenantLimits::default()).unwrap_or_default())?)
}

fn limit(arguments: &Limited) -> Result<Tenant, Failure> {
    let nothing = || Failure::Usage {
        what: "no limit was given".to_owned(),
        advice: "give at least one, such as --rooms 100 or --rooms default",
    };
    arguments.over(TenantLimits::default()).ok_or_else(nothing)?;
    let Named { service, name } = &arguments.named;
    let client = service.client()?;
    let changed = arguments.over(client.tenant(name)?.limits).ok_or_else(nothing)?;
    Ok(client.limit_tenant(name, &changed)?)
}

fn number(value: u64) -> String {
    grouped(usize::try_from(value).unwrap_or(usize::MAX))
}

fn describe(tenant: &Tenant) -> String {
    let limits = &tenant.limits;
    let suspended = tenant.suspended.map_or_else(|| "no".to_owned(), |since| format!("since {}", written(since)));
    let mut lines = vec![
        format!("tenant {}", one_line(&tenant.name)),
        format!("  made                       {}", written(tenant.created)),
        format!("  suspended                  {suspended}"),
        format!("  keeps                      {} bytes", number(tenant.stored_bytes)),
    ];
    for (what, limit) in [
        ("rooms", limits.rooms),
        ("ledgers", limits.ledgers),
        ("changes", limits.changes),
        ("keys", limits.keys),
        ("jobs", limits.jobs),
        ("bytes", limits.bytes),
        ("compute-millis-per-minute", limits.compute_millis_per_minute),
        ("concurrent-requests", limits.concurrent_requests),
    ] {
        let limit =
            limit.map_or_else(|| "as the configuration says".to_owned(), |limit| format!("at most {}", number(limit)));
        lines.push(format!("  {}  {limit}", pad(what, 25)));
    }
    lines.join("\n")
}

fn describe_all(tenants: &[Tenant]) -> String {
    if tenants.is_empty() {
        return "no tenants".to_owned();
    }
    let columns = tenants.iter().map(|tenant| width(&one_line(&tenant.name))).max().unwrap_or_default();
    let line = |tenant: &Tenant| {
        let suspended = if tenant.suspended.is_some() { "  suspended" } else { "" };
        format!("{}  {} bytes{suspended}\n", pad(&one_line(&tenant.name), columns), number(tenant.stored_bytes))
    };
    tenants.iter().map(line).collect()
}
