//! `sample usage`: readings in the order of their times, fast enough for tens of millions.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use blindrelay_billing::{Date, ItemKind, RateCard, SECONDS_PER_DAY};
use clap::Args;
use serde::Serialize;

use super::{SplitMix, rates, tenant_name};
use crate::arguments::month;
use crate::commands::meter::rate_card;
use crate::failure::Failure;
use crate::output::Output;
use crate::printable::count;

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 1 << 20;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How many lines
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    lines: u64,
    /// How many tenants, called t0001 and so on
    #[arg(long, value_name = "NUMBER", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tenants: u32,
    /// The month of the lines
    #[arg(long, value_name = "YYYY-MM", value_parser = month, default_value = "2026-11")]
    month: Date,
    /// Other seeds give other lines
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// The rate card whose items are used, by their weights; without it, that of `sample rates`
    #[arg(long, value_name = "FILE")]
    rates: Option<PathBuf>,
    /// Where the lines go; without it, to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Written<'a> {
    file: &'a PathBuf,
    lines: u64,
    bytes: u64,
}

/// Writes the lines.
pub(super) fn run(arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let card = match &arguments.rates {
        Some(path) => rate_card(path)?,
        None => RateCard::from_toml(&rates::card(arguments.month, false))?,
    };
    let Some(path) = &arguments.out else {
        // Whoever reads it may stop reading: that is no failure.
        return match write(arguments, &card, std::io::stdout().lock()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
            _ => Ok(()),
        };
    };
    let failed = |source| Failure::Write { path: path.clone(), source };
    let bytes = write(arguments, &card, File::create(path).map_err(failed)?).map_err(failed)?;
    let written = Written { file: path, lines: arguments.lines, bytes };
    output.result(&written, || {
        format!("{}: {}, {}", path.display(), count(arguments.lines as usize, "line"), count(bytes as usize, "byte"))
    })
}

fn write(arguments: &Arguments, card: &RateCard, mut out: impl Write) -> std::io::Result<u64> {
    let mut lines = Lines::new(arguments, card);
    let mut buffer = Vec::with_capacity(BUFFER_BYTES + 1024);
    let mut bytes = 0;
    lines.header(&mut buffer);
    for index in 0..arguments.lines {
        lines.line(index, &mut buffer);
        if buffer.len() >= BUFFER_BYTES {
            out.write_all(&buffer)?;
            bytes += buffer.len() as u64;
            buffer.clear();
        }
    }
    out.write_all(&buffer)?;
    out.flush()?;
    Ok(bytes + buffer.len() as u64)
}

/// An item as it is drawn.
struct Drawn {
    name: Vec<u8>,
    kind: ItemKind,
    limit: u64,
    /// Sum of the weights up to this item.
    until: u64,
}

struct Lines {
    numbers: SplitMix,
    tenants: Vec<Vec<u8>>,
    items: Vec<Drawn>,
    weights: u64,
    start: u64,
    end: u64,
    all: u64,
    quantities: bool,
    intervals: bool,
    day: Option<(u64, String)>,
}

impl Lines {
    fn new(arguments: &Arguments, card: &RateCard) -> Self {
        let mut until = 0;
        let items: Vec<Drawn> = card
            .items()
            .iter()
            .map(|item| {
                // Calls may weigh nothing.
                until += u64::from(item.weight().max(1));
                Drawn { name: quoted(item.name()), kind: item.kind(), limit: item.limit(), until }
            })
            .collect();
        Self {
            numbers: SplitMix(arguments.seed),
            tenants: (1..=arguments.tenants).map(|number| tenant_name(number).into_bytes()).collect(),
            weights: until,
            start: arguments.month.unix(),
            end: arguments.month.next_month().unix(),
            all: arguments.lines.max(1),
            quantities: items.iter().any(|item| item.kind != ItemKind::Interval),
            intervals: items.iter().any(|item| item.kind == ItemKind::Interval),
            items,
            day: None,
        }
    }

    fn header(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(b"tenant,item");
        if self.quantities {
            buffer.extend_from_slice(b",time,quantity");
        }
        if self.intervals {
            buffer.extend_from_slice(b",join,leave");
        }
        buffer.push(b'\n');
    }

    fn line(&mut self, index: u64, buffer: &mut Vec<u8>) {
        let tenant = self.numbers.below(self.tenants.len() as u64);
        let weight = self.numbers.below(self.weights.max(1));
        let place = self.items.iter().position(|item| weight < item.until).unwrap_or(0);
        let Some((limit, kind)) = self.items.get(place).map(|item| (item.limit, item.kind)) else { return };
        // Small quantities are more frequent than large ones.
        let shift = self.numbers.below(12);
        let amount = self.numbers.below(limit + 1) >> shift;
        let at = self.start + (u128::from(self.end - self.start) * u128::from(index) / u128::from(self.all)) as u64;
        for text in [self.tenants.get(tenant as usize), self.items.get(place).map(|item| &item.name)] {
            buffer.extend_from_slice(text.map_or(&[], Vec::as_slice));
            buffer.push(b',');
        }
        match kind {
            ItemKind::Quantity | ItemKind::Call => {
                self.moment(at, buffer);
                buffer.push(b',');
                number(amount, buffer);
                if self.intervals {
                    buffer.extend_from_slice(b",,");
                }
            }
            ItemKind::Interval => {
                if self.quantities {
                    buffer.extend_from_slice(b",,");
                }
                self.moment(at, buffer);
                buffer.push(b',');
                self.moment((at + amount).min(self.end - 1), buffer);
            }
        }
        buffer.push(b'\n');
    }

    fn moment(&mut self, at: u64, buffer: &mut Vec<u8>) {
        let (day, second) = (at / SECONDS_PER_DAY, at % SECONDS_PER_DAY);
        if self.day.as_ref().is_none_or(|(known, _)| *known != day) {
            self.day = Some((day, Date::of_unix(at).map_or_else(String::new, |date| date.to_string())));
        }
        if let Some((_, text)) = &self.day {
            buffer.extend_from_slice(text.as_bytes());
        }
        for (sign, value) in [(b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)] {
            buffer.extend_from_slice(&[sign, b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]);
        }
        buffer.push(b'Z');
    }
}

fn number(value: u64, buffer: &mut Vec<u8>) {
    if value >= 10 {
        number(value / 10, buffer);
    }
    buffer.push(b'0' + (value % 10) as u8);
}

/// A field that may hold a comma.
fn quoted(text: &str) -> Vec<u8> {
    if text.contains(',') { format!("\"{text}\"").into_bytes() } else { text.as_bytes().to_vec() }
}
