//! `panel`: make, show, list, merge or delete panels.

use std::path::PathBuf;

use blindrelay_analytics::{Collect, Layout, Plan, STATISTICS, Settings};
use blindrelay_client::{Family, LedgerEntry};
use blindrelay_engine::Backend;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::arguments::room_id;
use crate::failure::Failure;
use crate::key_terms::{self, KeyTermsOptions};
use crate::output::Output;
use crate::panels::{Host, Panel, PanelFailure, PanelFile, context_of};
use crate::printable::{count, grouped, hex, one_line};
use crate::service::ServiceOptions;

/// What may be collected, for those who write settings.
const SETTINGS_HELP: &str = "\
Settings are TOML: title and names, which stay here, minimum_contributions, maximum_contributions (1000000 if left out),
and one statistic:
  [collect.attention]     slots
  [collect.speaking]      participants, limit_seconds, edges
  [collect.durations]     limit_seconds, edges, calls (most of a contribution; 1 if left out)
  [collect.concurrency]   buckets, bucket_seconds
  [collect.correlation]   x_limit, y_limit, pairs (most of a contribution; 1 if left out)
edges are the lower edges of a histogram's bins, from 0 on; the last bin is open.";

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make a panel and print its id
    #[command(after_help = SETTINGS_HELP)]
    Create(Create),
    /// Show what the service says of a panel
    Show(Show),
    /// List your panels
    List(List),
    /// Add the sums of one panel, for example of another relay, to those of another
    Merge(Merge),
    /// Delete a panel with its sums
    Delete(Delete),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    service: ServiceOptions,
    /// What the panel collects, in TOML; see below
    settings: PathBuf,
    /// The host's key file: evaluation keys are made from it and uploaded, where the statistic multiplies; reports are smaller with them. The key itself stays here
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    terms: KeyTermsOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    service: ServiceOptions,
    /// The panel's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    panel: String,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    service: ServiceOptions,
}

#[derive(Debug, Args)]
pub(crate) struct Merge {
    #[command(flatten)]
    service: ServiceOptions,
    /// The panel whose sums are added; it stays as it is
    #[arg(long, value_name = "ID", value_parser = room_id)]
    from: String,
    /// The panel that they are added to
    #[arg(long, value_name = "ID", value_parser = room_id)]
    into: String,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    service: ServiceOptions,
    /// The panel's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    panel: String,
}

/// Does what is asked for.
pub(crate) fn run(action: &Action, backend: Backend, output: Output) -> Result<(), Failure> {
    match action {
        Action::Create(arguments) => create(arguments, backend, output),
        Action::Show(arguments) => show(arguments, backend, output),
        Action::List(arguments) => {
            let panels = arguments.service.client()?.ledgers(Family::Panels)?;
            output.result(&panels, || describe_all(&panels))
        }
        Action::Merge(arguments) => merge(arguments, output),
        Action::Delete(arguments) => {
            arguments.service.client()?.delete_ledger(Family::Panels, &arguments.panel)?;
            let deleted = serde_json::json!({ "deleted": arguments.panel });
            output.result(&deleted, || format!("panel {} is deleted", arguments.panel))
        }
    }
}

fn create(arguments: &Create, backend: Backend, output: Output) -> Result<(), Failure> {
    let file = PanelFile::read(&arguments.settings)?;
    let (client, terms) = (arguments.service.client()?, arguments.terms.terms()?);
    let host = arguments.key.as_deref().map(|path| Host::from_file(path, backend)).transpose()?;
    let operator = host.as_ref().map_or(STATISTICS, Host::operator);
    // Refused here rather than by the service, so that the file is named.
    if let Some(context) = context_of(operator, backend)? {
        Plan::new(&file.settings, &context).map_err(|error| Failure::Content {
            path: arguments.settings.clone(),
            fault: error.to_string(),
            advice: "correct the settings",
        })?;
    }
    let multiplies = !Layout::of(&file.settings.collect).products().is_empty();
    let keys = host.filter(|_| multiplies).map(|host| host.evaluation_keys()).transpose()?;
    let digest = key_terms::upload(&client, keys.as_deref(), terms, |_| ())?;
    let panel = client.create_ledger(Family::Panels, operator, &file.settings.to_json(), digest.as_deref())?;
    let created = serde_json::json!({ "panel": panel, "operator": operator, "evaluation_keys": digest });
    output.result(&created, || panel.clone())
}

#[derive(Serialize)]
struct Shown<'a> {
    panel: &'a str,
    operator: &'a str,
    parameters: &'a str,
    contributions: u64,
    settings: &'a Settings,
    settings_digest: String,
}

fn show(arguments: &Show, backend: Backend, output: Output) -> Result<(), Failure> {
    let panel = Panel::look_up(&arguments.service.client()?, &arguments.panel, None, backend)?;
    let shown = Shown {
        panel: &arguments.panel,
        operator: panel.plan.operator(),
        parameters: panel.plan.context().parameters().name(),
        contributions: panel.contributions,
        settings: panel.plan.settings(),
        settings_digest: hex(panel.plan.digest()),
    };
    output.result(&shown, || describe(&shown))
}

fn describe(shown: &Shown<'_>) -> String {
    let settings = shown.settings;
    format!(
        "panel {}\n  operator         {} over {}\n  collects         {}\n  contributions    {}; a report needs {}, and there may be {}\n  settings         {}",
        shown.panel,
        shown.operator,
        shown.parameters,
        collected(&settings.collect),
        grouped(shown.contributions as usize),
        grouped(settings.minimum_contributions as usize),
        grouped(settings.maximum_contributions as usize),
        shown.settings_digest
    )
}

/// The statistic and its ranges in words.
fn collected(collect: &Collect) -> String {
    let bins = |edges: &[f64]| count(edges.len(), "bin");
    match collect {
        Collect::Attention { slots } => format!("attention: {} from 0 to 1 a contribution", count(*slots, "score")),
        Collect::Speaking { participants, limit_seconds, edges } => format!(
            "speaking: up to {limit_seconds} s of each of {}, {}",
            count(*participants, "participant"),
            bins(edges)
        ),
        Collect::Durations { limit_seconds, edges, calls } => {
            format!(
                "durations: up to {} of up to {limit_seconds} s a contribution, {}",
                count(*calls, "call"),
                bins(edges)
            )
        }
        Collect::Concurrency { buckets, bucket_seconds } => {
            format!(
                "concurrency: {} of {bucket_seconds} s",
                count(*buckets, "stretch").replace("stretchs", "stretches")
            )
        }
        Collect::Correlation { pairs, x_limit, y_limit } => {
            format!("correlation: up to {} a contribution, x up to {x_limit}, y up to {y_limit}", count(*pairs, "pair"))
        }
    }
}

fn describe_all(panels: &[LedgerEntry]) -> String {
    if panels.is_empty() {
        return "no panels".to_owned();
    }
    let line = |panel: &LedgerEntry| {
        let (id, operator) = (one_line(&panel.id), one_line(&panel.operator));
        format!("{id}  {operator}  {}\n", count(panel.batches as usize, "contribution"))
    };
    panels.iter().map(line).collect()
}

fn merge(arguments: &Merge, output: Output) -> Result<(), Failure> {
    let Merge { service, from, into } = arguments;
    if from == into {
        return Err(PanelFailure::Itself.into());
    }
    let contributions = service.client()?.merge_ledgers(Family::Panels, from, into)?;
    let merged = serde_json::json!({ "from": from, "into": into, "contributions": contributions });
    output.result(&merged, || {
        format!(
            "panel {from} is merged into {into}, which then had {}\nwhat is contributed to the first one from now on does not come to the second",
            count(contributions as usize, "contribution")
        )
    })
}
