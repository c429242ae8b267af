//! `invoice`: encrypted charges from the service, opened, checked and written.

pub(super) mod opening;
mod run;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use blindrelay_billing::{Date, Invoice, InvoiceDetails};
use blindrelay_engine::Backend;
use clap::Args;

use self::opening::Opener;
use super::meter::rate_card;
use crate::arguments::{day, month, room_id};
use crate::failure::Failure;
use crate::holder::{billing_context, tenant_key};
use crate::output::Output;
use crate::printable::{name, pad, width};
use crate::service::ServiceOptions;

#[derive(Debug, Args)]
#[group(id = "whose", required = true, multiple = false, args = ["meter", "journal"])]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
    /// The meter to be charged
    #[arg(long, value_name = "ID", value_parser = room_id, requires = "key")]
    meter: Option<String>,
    /// The tenant's key file
    #[arg(long, value_name = "FILE", conflicts_with = "journal")]
    key: Option<PathBuf>,
    /// Write the invoice to this file, as JSON, CSV or a page to print, by its ending (.json, .csv, .html); may be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "journal")]
    write: Vec<PathBuf>,
    /// Refuse the invoice where it was not charged by this rate card
    #[arg(long, value_name = "FILE", conflicts_with = "journal")]
    rates: Option<PathBuf>,
    /// Charge all meters of the run that this journal notes
    #[arg(long, value_name = "FILE", requires = "keys", requires = "out")]
    journal: Option<PathBuf>,
    /// Folder with the tenants' key files, TENANT.key
    #[arg(long, value_name = "DIR", conflicts_with = "meter")]
    keys: Option<PathBuf>,
    /// Folder for TENANT.json, TENANT.csv and TENANT.html
    #[arg(long, value_name = "DIR", conflicts_with = "meter")]
    out: Option<PathBuf>,
    /// The month to be charged; without it, that of the journal, or the one month of the last two years that has usage
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Option<Date>,
    #[command(flatten)]
    page: Page,
}

/// What the invoice says besides its amounts.
#[derive(Debug, Args)]
struct Page {
    /// Number of the invoice [default: the month and the first digits of the meter's id, or the tenant's name]
    #[arg(long, value_name = "TEXT", conflicts_with = "journal")]
    number: Option<String>,
    /// Day of issue [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    issued: Option<Date>,
    /// Who is paid: name and address, separated by line breaks
    #[arg(long, value_name = "TEXT", default_value = "Relay operator")]
    supplier: String,
    /// Who pays: name and address, separated by line breaks [default: the tenant's name]
    #[arg(long, value_name = "TEXT", conflicts_with = "journal")]
    customer: Option<String>,
    /// A note below the total
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

impl Page {
    fn details(&self, number: String, customer: String) -> Result<InvoiceDetails, Failure> {
        Ok(InvoiceDetails {
            number: self.number.clone().unwrap_or(number),
            issued: self.issued.map_or_else(today, Ok)?,
            supplier: self.supplier.clone(),
            customer: self.customer.clone().unwrap_or(customer),
            note: self.note.clone(),
        })
    }
}

/// Today, by the system's clock.
pub(super) fn today() -> Result<Date, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    now.and_then(|now| Date::of_unix(now.as_secs())).ok_or_else(|| Failure::Usage {
        what: "the system's clock is before 1970 or after 9999".to_owned(),
        advice: "set the clock, or name days with --issued and --month",
    })
}

/// Opens one invoice, or all of a run.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    match (&arguments.meter, &arguments.key, &arguments.journal, &arguments.keys, &arguments.out) {
        (Some(meter), Some(key), ..) => one(arguments, meter, key, backend, output),
        (_, _, Some(journal), Some(keys), Some(out)) => run::all(arguments, (journal, keys, out), backend, output),
        _ => Err(Failure::Usage {
            what: "neither a meter and its key nor a journal, keys and a folder are given".to_owned(),
            advice: "give --meter and --key, or --journal, --keys and --out",
        }),
    }
}

fn one(arguments: &Arguments, meter: &str, key: &Path, backend: Backend, output: Output) -> Result<(), Failure> {
    let formats = arguments.write.iter().map(|path| Format::of(path).map(|format| (path, format)));
    let files: Vec<(&PathBuf, Format)> = formats.collect::<Result<_, _>>()?;
    let client = arguments.service.client()?;
    let context = billing_context(backend)?;
    let secret = tenant_key(key, &context)?;
    let expected = arguments.rates.as_deref().map(rate_card).transpose()?;
    let opener = Opener::new(&client, &context, meter)?;
    if let Some(expected) = expected
        && expected.to_json() != opener.card().to_json()
    {
        return Err(Failure::OtherRates);
    }
    let month = match arguments.month {
        Some(month) => month,
        None => opener.month_with_usage(today()?)?,
    };
    let tenant = key.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let number = format!("{}-{}", month_text(month), meter.get(..8).unwrap_or(meter));
    let invoice = opener.invoice(&secret, month, arguments.page.details(number, tenant)?)?;
    for (path, format) in &files {
        write(path, &format.render(&invoice))?;
    }
    let names: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    if files.is_empty() {
        return output.result(&invoice, || table(&invoice));
    }
    output.result(&serde_json::json!({ "total": invoice.total, "files": names }), || {
        format!("{}, in {}", invoice.total, names.join(", "))
    })
}

/// How an invoice is written.
#[derive(Clone, Copy, Debug)]
enum Format {
    Json,
    Csv,
    Html,
}

impl Format {
    const ALL: [(&'static str, Self); 3] = [("json", Self::Json), ("csv", Self::Csv), ("html", Self::Html)];

    fn of(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().unwrap_or_default();
        let known = Self::ALL.into_iter().find(|(name, _)| ending.eq_ignore_ascii_case(name));
        known.map(|(_, format)| format).ok_or_else(|| Failure::Usage {
            what: format!("{} does not say how the invoice is to be written", path.display()),
            advice: "end the name with .json, .csv or .html",
        })
    }

    fn render(self, invoice: &Invoice) -> String {
        match self {
            Self::Json => invoice.to_pretty_json() + "\n",
            Self::Csv => invoice.to_csv(),
            Self::Html => invoice.to_html(),
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|source| Failure::Write { path: path.to_owned(), source })
}

/// `YYYY-MM`.
fn month_text(month: Date) -> String {
    month.to_string().chars().take(7).collect()
}

/// The invoice for a terminal.
fn table(invoice: &Invoice) -> String {
    let heading = ["item", "from", "until", "quantity", "unit", "price", "amount"].map(str::to_owned);
    let line = |line: &blindrelay_billing::InvoiceLine| {
        [
            name(&line.label()),
            line.from.to_string(),
            line.until.previous().to_string(),
            line.quantity.to_string(),
            line.measured.to_string(),
            format!("{} per {}", line.price, line.unit),
            line.amount.grouped(),
        ]
    };
    let mut rows = vec![heading];
    rows.extend(invoice.lines.iter().map(line));
    let mut widths = [0; 7];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let number = [false, false, false, true, false, true, true];
    let mut text = format!(
        "invoice {} to {}, {} to {}\n\n",
        name(&invoice.details.number),
        name(invoice.details.customer.lines().next().unwrap_or_default()),
        invoice.from,
        invoice.until.previous()
    );
    for row in &rows {
        let cells = row.iter().zip(widths).zip(number).map(|((cell, columns), number)| {
            if number {
                format!("{}{cell}", " ".repeat(columns.saturating_sub(width(cell))))
            } else {
                pad(cell, columns)
            }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text + &format!("\ntotal {}", invoice.total)
}
