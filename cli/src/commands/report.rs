//! `report`: the sums of a panel, opened by its host.

use std::io::Write;
use std::path::{Path, PathBuf};

use blindrelay_analytics::Report;
use blindrelay_engine::Backend;
use clap::Args;

use crate::arguments::room_id;
use crate::failure::Failure;
use crate::output::Output;
use crate::panels::{Host, Panel, PanelFile};
use crate::printable::{count, name, pad, width};
use crate::service::ServiceOptions;

/// Most rows of a table on the terminal.
const MAX_SHOWN: usize = 40;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
    /// The panel's id
    #[arg(long, value_name = "ID", value_parser = room_id)]
    panel: String,
    /// The host's key file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Title and names for the report; a panel that collects something else than this settings file says is refused
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Write the report to this file, as JSON or as a page with plots, by its ending (.json, .html); may be given several times. Reports are for the host: use a
    /// new key for each report that is published
    #[arg(long, value_name = "FILE")]
    write: Vec<PathBuf>,
}

/// Opens the report and shows or writes it.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let formats = arguments.write.iter().map(|path| Format::of(path).map(|format| (path, format)));
    let files: Vec<(&PathBuf, Format)> = formats.collect::<Result<_, _>>()?;
    let file = arguments.settings.as_deref().map(PanelFile::read).transpose()?;
    let client = arguments.service.client()?;
    let host = Host::from_file(&arguments.key, backend)?;
    let panel = Panel::look_up(&client, &arguments.panel, file.as_ref(), backend)?;
    let (answer, findings) = host.findings(&client, &arguments.panel, &panel.plan, panel.contributions)?;
    let (title, names) = file.map_or_else(Default::default, |file| (file.title, file.names));
    let title = title.unwrap_or_else(|| format!("Report on {}", panel.plan.settings().collect.name()));
    let report = Report::new(&title, names, &panel.plan, &answer, findings);
    for (path, format) in &files {
        write(path, &format.render(&report)?)?;
    }
    if files.is_empty() {
        return output.result(&report, || table(&report));
    }
    let written: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    output.result(&serde_json::json!({ "contributions": report.contributions, "files": written }), || {
        format!("a report on {}, in {}", count(report.contributions as usize, "contribution"), written.join(", "))
    })
}

/// How a report is written.
#[derive(Clone, Copy, Debug)]
enum Format {
    Json,
    Html,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().unwrap_or_default();
        match () {
            () if ending.eq_ignore_ascii_case("json") => Ok(Self::Json),
            () if ending.eq_ignore_ascii_case("html") => Ok(Self::Html),
            () => Err(Failure::Usage {
                what: format!("{} does not say how the report is to be written", path.display()),
                advice: "end the name with .json or .html",
            }),
        }
    }

    fn render(self, report: &Report) -> Result<String, Failure> {
        match self {
            Self::Json => Ok(report.to_json().map_err(Failure::Json)? + "\n"),
            Self::Html => Ok(report.to_html()),
        }
    }
}

/// Writes a report where only its owner can read it: approximate figures carry errors that depend on the key.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| Failure::Write { path: path.to_owned(), source })
}

/// The report for a terminal.
fn table(report: &Report) -> String {
    let figures = report.figures();
    let contributions = count(report.contributions as usize, "contribution");
    let mut lines = vec![format!("{}, from {contributions}", name(&report.title)), String::new()];
    let widest = figures.summary.iter().map(|(what, _)| width(what)).max().unwrap_or(0);
    lines.extend(figures.summary.iter().map(|(what, figure)| format!("{}  {figure}", pad(what, widest))));
    let shown = figures.rows.iter().take(MAX_SHOWN);
    let mut rows = vec![figures.heads.iter().map(|&head| head.to_owned()).collect::<Vec<_>>()];
    rows.extend(shown.map(|(what, values)| std::iter::once(name(what)).chain(values.iter().cloned()).collect()));
    if rows.len() > 1 {
        let columns = |index: usize| rows.iter().filter_map(|row| row.get(index)).map(|cell| width(cell)).max();
        let widths: Vec<usize> = (0..figures.heads.len()).filter_map(columns).collect();
        lines.push(String::new());
        for row in &rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(index, (cell, &columns))| match index {
                0 => pad(cell, columns),
                _ => format!("{}{cell}", " ".repeat(columns.saturating_sub(width(cell)))),
            });
            lines.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
        }
    }
    if let Some(more) = figures.rows.len().checked_sub(MAX_SHOWN).filter(|&more| more > 0) {
        lines.push(format!("and {}; --write FILE.html has all", count(more, "more row")));
    }
    lines.join("\n")
}
