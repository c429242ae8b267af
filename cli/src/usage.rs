//! Usage files: CSV with a header, one reading a line, checked to the last field.

mod columns;
mod digesting;
mod fields;
pub(crate) mod moment;
mod survey;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use blindrelay_billing::{Date, Item, ItemId, ItemKind, Measurement, RateCard, Reading};
use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use self::columns::{Column, Columns, Places};
use self::digesting::Digesting;
use self::fields::{Fault, check_interval, quantity, quoted, unknown_item};
use self::moment::{MomentFault, Moments};
pub(crate) use self::survey::{Survey, survey};
use crate::failure::Failure;
use crate::printable::count;
use crate::tenants;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 1 << 20;

/// One line: whose, and what was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// Place of the tenant, in the order of first lines.
    pub(crate) tenant: usize,
    pub(crate) reading: Reading,
}

/// A usage file that is being read. Lines come out in their order; memory does not grow with them.
pub(crate) struct Usage<'a> {
    path: PathBuf,
    reader: Reader<Digesting<File>>,
    record: ByteRecord,
    places: Places,
    count: usize,
    card: &'a RateCard,
    items: HashMap<Vec<u8>, (ItemId, &'a Item)>,
    month: Option<Month>,
    moments: Moments,
    tenants: HashMap<Vec<u8>, usize>,
    names: Vec<String>,
    lines: u64,
}

/// The month that lines have to lie in, with its first second and the one after its last.
#[derive(Clone, Copy)]
struct Month {
    first: Date,
    start: u64,
    end: u64,
}

impl Month {
    fn of(day: Date) -> Self {
        let first = day.month_start();
        Self { first, start: first.unix(), end: first.next_month().unix() }
    }
}

impl<'a> Usage<'a> {
    /// Opens a file and reads its header. Lines outside `month` are refused; without one, the month is that of the first line.
    pub(crate) fn open(path: &Path, card: &'a RateCard, month: Option<Date>) -> Result<Self, Failure> {
        let read = |source| Failure::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        let mut builder = ReaderBuilder::new();
        let mut reader = builder
            .has_headers(true)
            .flexible(true)
            .trim(Trim::None)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(Digesting::new(file));
        let header = reader.byte_headers().map_err(|error| unreadable(path, &error))?.clone();
        let columns = Columns::of(&header).map_err(|fault| Failure::Content {
            path: path.to_owned(),
            fault: format!("line 1: {fault}"),
            advice: "begin with a line of names: tenant,item,time,quantity or tenant,item,join,leave or all six, and currency if you like",
        })?;
        let items = card.ids().zip(card.items()).map(|(id, item)| (item.name().as_bytes().to_vec(), (id, item)));
        Ok(Self {
            path: path.to_owned(),
            reader,
            record: ByteRecord::new(),
            places: columns.places(),
            count: columns.count(),
            card,
            items: items.collect(),
            month: month.map(Month::of),
            moments: Moments::default(),
            tenants: HashMap::new(),
            names: Vec::new(),
            lines: 0,
        })
    }

    /// The next line; `None` after the last. Every error names file, line and column.
    pub(crate) fn next(&mut self) -> Result<Option<Line>, Failure> {
        self.reader.get_mut().begin_line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return self.end().map(|()| None),
            Err(error) => return Err(unreadable(&self.path, &error)),
        }
        if self.record.len() != self.count {
            let what = format!("it has {}, the header has {}", count(self.record.len(), "field"), self.count);
            return Err(self.refused(None, &what, CUT_OFF));
        }
        let line = self.line().map_err(|fault| self.refused(Some(fault.column), &fault.what, fault.advice))?;
        self.lines += 1;
        Ok(Some(line))
    }

    /// Names of the tenants so far, in the order of their first lines.
    pub(crate) fn tenants(&self) -> &[String] {
        &self.names
    }

    /// The month of the lines; `None` where there are none and none was given.
    pub(crate) fn month(&self) -> Option<Date> {
        self.month.map(|month| month.first)
    }

    /// How many lines were read.
    pub(crate) const fn lines(&self) -> u64 {
        self.lines
    }

    /// How many bytes were read.
    pub(crate) fn bytes(&self) -> u64 {
        self.reader.get_ref().bytes_read()
    }

    /// SHA-256 of what was read.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.reader.get_ref().digest()
    }

    /// A number that the end of the file cuts off would still be a number, so that the last line has to end like the others.
    fn end(&self) -> Result<(), Failure> {
        match self.reader.get_ref().last() {
            None | Some(b'\n' | b'\r') => Ok(()),
            Some(_) => Err(self.refused(None, "it does not end with a line break", CUT_OFF)),
        }
    }

    fn refused(&self, column: Option<Column>, what: &str, advice: &'static str) -> Failure {
        let line = self.record.position().map_or(1, csv::Position::line);
        let column = column.map_or_else(String::new, |column| format!(", column {}", column.name()));
        Failure::Content { path: self.path.clone(), fault: format!("line {line}{column}: {what}"), advice }
    }

    fn line(&mut self) -> Result<Line, Fault> {
        let Self { record, places, moments, .. } = self;
        let (places, record) = (*places, &*record);
        let field = |place: usize| record.get(place).unwrap_or_default().trim_ascii();
        let item_name = field(places.item);
        let Some(&(id, item)) = self.items.get(item_name) else {
            return Err(unknown_item(item_name, self.card));
        };
        let currency = field(places.currency);
        if places.currency != usize::MAX && currency != self.card.currency().code().as_bytes() {
            let what = format!("{}, but the rate card charges in {}", quoted(currency), self.card.currency().code());
            return Err(Fault::new(Column::Currency, what, "keep one currency a file and a rate card"));
        }
        let mut moment = |place, column| {
            let text = field(place);
            let fault =
                |fault: MomentFault| Fault::new(column, format!("{} {}", quoted(text), fault.what()), fault.advice());
            moments.parse(text).map_err(fault)
        };
        let (measurement, first) = match item.kind() {
            ItemKind::Quantity | ItemKind::Call => {
                for (place, column) in [(places.join, Column::Join), (places.leave, Column::Leave)] {
                    if !field(place).is_empty() {
                        let what = format!("item {} is charged by quantity", item.name());
                        return Err(Fault::new(column, what, "leave join and leave empty for this item"));
                    }
                }
                let amount = quantity(field(places.quantity), item)?;
                let at = moment(places.time, Column::Time)?;
                (Measurement::Quantity { at, amount }, (at, Column::Time))
            }
            ItemKind::Interval => {
                if !field(places.quantity).is_empty() {
                    let what = format!("item {} is charged by join and leave", item.name());
                    return Err(Fault::new(Column::Quantity, what, "leave quantity empty for this item"));
                }
                let join = moment(places.join, Column::Join)?;
                let leave = moment(places.leave, Column::Leave)?;
                check_interval(join, leave, item)?;
                (Measurement::Interval { join, leave }, (join, Column::Join))
            }
        };
        self.check_time(item, first.0, first.1)?;
        if let Measurement::Interval { leave, .. } = measurement {
            self.check_end(leave)?;
        }
        let reading = Reading { item: id, measurement };
        Ok(Line { tenant: self.tenant()?, reading })
    }

    /// The month, and a price on the day.
    fn check_time(&mut self, item: &Item, moment: u64, column: Column) -> Result<(), Fault> {
        let month = if let Some(month) = self.month {
            month
        } else {
            let fault = MomentFault::Value;
            let day = Date::of_unix(moment).ok_or_else(|| Fault::new(column, fault.what(), fault.advice()))?;
            *self.month.insert(Month::of(day))
        };
        if moment < month.start || moment >= month.end {
            let what = format!("it is not in the month of {}", month.first);
            return Err(Fault::new(column, what, "keep one month a file, or name the month with --month"));
        }
        match item.prices().first() {
            Some(price) if price.from.unix() <= moment => Ok(()),
            _ => {
                let what = format!("item {} has no price at that time", item.name());
                Err(Fault::new(column, what, "add a price with an earlier day to the rate card"))
            }
        }
    }

    fn check_end(&self, leave: u64) -> Result<(), Fault> {
        match self.month {
            Some(month) if leave > month.end => {
                let what = format!("it is after the end of the month of {}", month.first);
                let advice = "end the line at midnight and put the rest into the file of the next month";
                Err(Fault::new(Column::Leave, what, advice))
            }
            _ => Ok(()),
        }
    }

    fn tenant(&mut self) -> Result<usize, Fault> {
        let name = self.record.get(self.places.tenant).unwrap_or_default().trim_ascii();
        if let Some(&tenant) = self.tenants.get(name) {
            return Ok(tenant);
        }
        let text = std::str::from_utf8(name).ok().filter(|name| tenants::is_name(name));
        let text = text.ok_or_else(|| {
            Fault::new(Column::Tenant, format!("{} is no tenant's name", quoted(name)), tenants::NAME_ADVICE)
        })?;
        let tenant = self.names.len();
        self.names.push(text.to_owned());
        self.tenants.insert(name.to_vec(), tenant);
        Ok(tenant)
    }
}

const CUT_OFF: &str = "the file may be cut off there, or a quotation mark may not be closed: export it again";

fn unreadable(path: &Path, error: &csv::Error) -> Failure {
    match error.kind() {
        csv::ErrorKind::Io(source) if source.kind() != std::io::ErrorKind::InvalidData => {
            Failure::Read { path: path.to_owned(), source: std::io::Error::new(source.kind(), source.to_string()) }
        }
        _ => Failure::Content { path: path.to_owned(), fault: error.to_string(), advice: CUT_OFF },
    }
}
