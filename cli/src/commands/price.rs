//! `price`: what calls cost under a tariff, explained, added up, and checked on ciphertexts.

mod journey;
mod text;

use std::path::{Path, PathBuf};

use blindrelay_billing::{
    Currency, Date, Decimal, DurationClass, Durations, Layout, Money, Pricing, RateCard, Reading, ReportRequest,
    TariffTerms, Unit, reference,
};
use blindrelay_engine::Backend;
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;

use self::journey::Encrypted;
use super::meter::{bad_rates, rate_card};
use crate::failure::Failure;
use crate::holder::billing_context;
use crate::output::Output;
use crate::service::ServiceOptions;
use crate::usage::{Usage, survey};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
    /// The rate card with the tariff, in TOML or JSON: an item of kind call; examples/tariff.toml is one
    #[arg(long, value_name = "FILE")]
    tariff: PathBuf,
    /// Price these calls: CSV with the columns tenant, item, time and quantity, which is the length of the call; all tenants together
    #[arg(long, value_name = "FILE")]
    calls: Option<PathBuf>,
    /// Also let the service charge the calls on ciphertexts, under a key made for it, and compare every amount
    #[arg(long, requires = "calls")]
    encrypted: bool,
}

/// Everything that was found out.
#[derive(Serialize)]
struct Priced {
    currency: Currency,
    tariffs: Vec<TariffOf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<Calls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encrypted: Option<Encrypted>,
}

/// A tariff of an item.
#[derive(Serialize)]
struct TariffOf {
    item: String,
    /// First day.
    from: Date,
    unit: Unit,
    measured: Unit,
    /// Longest call.
    limit: u64,
    terms: TariffTerms,
    classes: Vec<DurationClass>,
}

/// What the calls cost in clear arithmetic.
#[derive(Serialize)]
struct Calls {
    month: Date,
    /// Lines of the file.
    count: u64,
    lines: Vec<LineOf>,
    total: Money,
}

/// A line of the invoice to come.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct LineOf {
    item: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    durations: Option<Durations>,
    from: Date,
    until: Date,
    quantity: u64,
    price: Decimal,
    amount: Money,
}

/// Explains the tariff; prices calls; has them priced on ciphertexts.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let context = billing_context(backend)?;
    let card = rate_card(&arguments.tariff)?;
    let tariffs = tariffs(&card);
    if tariffs.is_empty() {
        return Err(Failure::Content {
            path: arguments.tariff.clone(),
            fault: "no item is of kind call, so that there is no tariff".to_owned(),
            advice: "give an item kind = \"call\" and prices with a tariff, as in examples/tariff.toml",
        });
    }
    let layout = Layout::new(card, &context).map_err(|error| bad_rates(&arguments.tariff, &error))?;
    let mut priced = Priced { currency: layout.card().currency(), tariffs, calls: None, encrypted: None };
    if let Some(path) = &arguments.calls {
        let survey = survey(path, &layout, None, &ProgressBar::hidden())?;
        let readings = readings(path, layout.card(), survey.month)?;
        let calls = clear(path, layout.card(), &readings, survey.month)?;
        if arguments.encrypted {
            let client = arguments.service.client()?;
            priced.encrypted = Some(journey::perform(&client, &context, &layout, &readings, &calls)?);
        }
        priced.calls = Some(calls);
    }
    output.result(&priced, || text::of(&priced))
}

/// Every tariff of the card.
fn tariffs(card: &RateCard) -> Vec<TariffOf> {
    let all = card.items().iter().flat_map(|item| item.prices().iter().map(move |price| (item, price)));
    all.filter_map(|(item, price)| match &price.pricing {
        Pricing::Tariff(tariff) => Some(TariffOf {
            item: item.name().to_owned(),
            from: price.from,
            unit: tariff.unit(),
            measured: tariff.measured(),
            limit: tariff.limit(),
            terms: tariff.terms().clone(),
            classes: tariff.classes(),
        }),
        Pricing::Public(_) | Pricing::Encrypted { .. } => None,
    })
    .collect()
}

fn readings(path: &Path, card: &RateCard, month: Date) -> Result<Vec<Reading>, Failure> {
    let mut usage = Usage::open(path, card, Some(month))?;
    let mut readings = Vec::new();
    while let Some(line) = usage.next()? {
        readings.push(line.reading);
    }
    Ok(readings)
}

/// The month in clear arithmetic, call by call.
fn clear(path: &Path, card: &RateCard, readings: &[Reading], month: Date) -> Result<Calls, Failure> {
    let too_large = || Failure::Content {
        path: path.to_owned(),
        fault: "the calls cost more than an amount can hold".to_owned(),
        advice: "lower the prices of the tariff",
    };
    let ReportRequest { from, until } = ReportRequest::month_of(month);
    let charges = reference::charges(card, readings, (from, until), |_, _| None).ok_or_else(too_large)?;
    let mut lines = Vec::with_capacity(charges.len());
    for charge in charges {
        let item = card.item(charge.item).ok_or_else(too_large)?;
        let price = match (item.price_on(charge.period.start).map(|price| &price.pricing), charge.durations) {
            (Some(Pricing::Public(price)), None) => Some(*price),
            (Some(Pricing::Tariff(tariff)), Some(durations)) => tariff.charge(durations.shortest).ok(),
            _ => None,
        };
        lines.push(LineOf {
            item: item.name().to_owned(),
            durations: charge.durations,
            from: charge.period.start,
            until: charge.period.end,
            quantity: u64::try_from(charge.quantity).map_err(|_| too_large())?,
            price: price.ok_or_else(too_large)?,
            amount: charge.amount,
        });
    }
    let total = Money::sum(card.currency(), lines.iter().map(|line| line.amount))?;
    Ok(Calls { month, count: readings.len() as u64, lines, total })
}
