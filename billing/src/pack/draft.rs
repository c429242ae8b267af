//! Readings, and the slots that they are collected in.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::MeterError;
use crate::layout::Layout;
use crate::rates::{Item, ItemId, ItemKind, Period};

/// One line of usage in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What is charged.
    pub item: ItemId,
    /// How much of it, and when.
    pub measurement: Measurement,
}

/// A quantity at a moment, or an interval. Moments are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measurement {
    /// So many of the item's measured unit.
    Quantity {
        /// When; it decides the price.
        at: u64,
        /// How many.
        amount: i64,
    },
    /// From join to leave.
    Interval {
        /// When it began.
        join: u64,
        /// When it ended.
        leave: u64,
    },
}

/// A reading, or the part of one that lies in a period. `minuend - subtrahend` is what it adds to the usage.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    item: ItemId,
    pub(super) period: Period,
    minuend: i64,
    subtrahend: i64,
    /// Length of a call, which adds 1 to the slot of its length instead of filling a slot of its own.
    length: Option<usize>,
}

impl Piece {
    /// The pieces of a reading, one for each period that it touches.
    pub(super) fn of(layout: &Layout, reading: &Reading) -> Result<Vec<Self>, MeterError> {
        let card = layout.card();
        let unknown = || MeterError::UnknownItem { item: format!("number {}", reading.item.index()) };
        let item = card.item(reading.item).ok_or_else(unknown)?;
        let name = || item.name().to_owned();
        check(item, reading.measurement)?;
        let (mut from, until) = match reading.measurement {
            Measurement::Quantity { at, .. } => (at, at),
            Measurement::Interval { join, leave } => (join, leave),
        };
        let mut pieces = Vec::with_capacity(1);
        loop {
            let period = card.period_at(from).filter(|period| item.price_on(period.start).is_some());
            let period = period.ok_or_else(|| MeterError::NoPrice { item: name(), moment: from })?;
            let (start, end) = (period.start.unix(), period.end.unix());
            let (minuend, subtrahend) = match reading.measurement {
                Measurement::Quantity { amount, .. } => (amount, 0),
                Measurement::Interval { .. } => ((until.min(end) - start) as i64, (from - start) as i64),
            };
            let length = (item.kind() == ItemKind::Call).then_some(minuend as usize);
            let minuend = if length.is_some() { 1 } else { minuend };
            pieces.push(Self { item: reading.item, period, minuend, subtrahend, length });
            if until <= end {
                return Ok(pieces);
            }
            from = end;
        }
    }
}

/// Everything that can be wrong with a reading by itself.
fn check(item: &Item, measurement: Measurement) -> Result<(), MeterError> {
    let name = || item.name().to_owned();
    let amount = match (measurement, item.kind()) {
        (Measurement::Quantity { amount, .. }, ItemKind::Quantity | ItemKind::Call) => {
            u64::try_from(amount).map_err(|_| MeterError::Negative { item: name() })?
        }
        (Measurement::Interval { join, leave }, ItemKind::Interval) => {
            leave.checked_sub(join).ok_or_else(|| MeterError::LeaveBeforeJoin { item: name() })?
        }
        (_, ItemKind::Quantity | ItemKind::Call) => {
            return Err(MeterError::Kind { item: name(), expected: "a quantity" });
        }
        (_, ItemKind::Interval) => return Err(MeterError::Kind { item: name(), expected: "join and leave" }),
    };
    if amount > item.limit() {
        return Err(MeterError::AboveLimit { item: name(), limit: item.limit() });
    }
    Ok(())
}

/// What a reading of an item has to be in one period.
#[derive(Clone, Copy)]
struct Rule {
    kind: ItemKind,
    /// Largest quantity; `None` where the item has no price.
    limit: Option<u64>,
    /// Most calls of one length.
    calls: u64,
}

impl Rule {
    fn of(item: &Item, period: Period) -> Self {
        Self {
            kind: item.kind(),
            limit: item.price_on(period.start).map(|_| item.limit()),
            calls: item.calls().unwrap_or(0),
        }
    }

    /// The piece that a reading is that breaks no rule and lies in the period as a whole; `None` for all others.
    fn admit(self, period: Period, reading: &Reading) -> Option<Piece> {
        let limit = self.limit?;
        let piece = |(minuend, subtrahend), length| Piece { item: reading.item, period, minuend, subtrahend, length };
        match (reading.measurement, self.kind) {
            (Measurement::Quantity { at, amount }, ItemKind::Quantity) => {
                let admitted = period.contains(at) && amount >= 0 && amount.unsigned_abs() <= limit;
                admitted.then(|| piece((amount, 0), None))
            }
            (Measurement::Quantity { at, amount }, ItemKind::Call) => {
                let admitted = period.contains(at) && amount >= 0 && amount.unsigned_abs() <= limit;
                admitted.then(|| piece((1, 0), Some(amount as usize)))
            }
            (Measurement::Interval { join, leave }, ItemKind::Interval) => {
                let start = period.start.unix();
                let inside = period.contains(join) && join <= leave && leave <= period.end.unix();
                (inside && leave - join <= limit).then(|| piece(((leave - start) as i64, (join - start) as i64), None))
            }
            _ => None,
        }
    }
}

/// The slots of one batch in the clear. Wiped on drop, never printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Draft {
    #[zeroize(skip)]
    period: Period,
    #[zeroize(skip)]
    sequence: u64,
    #[zeroize(skip)]
    since: u64,
    /// One for each item of the card.
    #[zeroize(skip)]
    rules: Vec<Rule>,
    lines: usize,
    /// Lines of each item so far.
    used: Vec<usize>,
    minuends: Vec<i64>,
    /// The joins; empty where the card has no intervals.
    subtrahends: Vec<i64>,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({}, number {}, ..)", self.period.start, self.sequence)
    }
}

impl Draft {
    pub(super) fn new(layout: &Layout, period: Period, now: u64) -> Self {
        let subtrahends = if layout.card().has_intervals() { vec![0; layout.slot_count()] } else { Vec::new() };
        Self {
            period,
            sequence: 0,
            since: now,
            rules: layout.card().items().iter().map(|item| Rule::of(item, period)).collect(),
            lines: 0,
            used: vec![0; layout.card().items().len()],
            minuends: vec![0; layout.slot_count()],
            subtrahends,
        }
    }

    /// Overwrites everything that was counted with zeros.
    pub(super) fn wipe(&mut self) {
        self.minuends.as_mut_slice().zeroize();
        self.subtrahends.as_mut_slice().zeroize();
        self.used.as_mut_slice().zeroize();
        self.lines = 0;
    }

    /// Whether the draft has the shape that a layout asks for.
    pub(super) fn fits(&self, layout: &Layout) -> bool {
        let subtrahends = if layout.card().has_intervals() { layout.slot_count() } else { 0 };
        self.minuends.len() == layout.slot_count()
            && self.subtrahends.len() == subtrahends
            && self.used.len() == layout.card().items().len()
    }

    /// A wiped draft for another period of the same layout.
    pub(super) fn renewed(mut self, layout: &Layout, period: Period, now: u64) -> Self {
        (self.period, self.sequence, self.since) = (period, 0, now);
        self.rules = layout.card().items().iter().map(|item| Rule::of(item, period)).collect();
        self
    }

    /// The draft of these readings under a number: the parts that lie in the period, in their order. `None` where one of them cannot be counted or
    /// there are too many.
    pub(crate) fn of_readings(layout: &Layout, period: Period, sequence: u64, readings: &[Reading]) -> Option<Self> {
        let mut draft = Self::new(layout, period, 0);
        draft.number(sequence);
        for reading in readings {
            let pieces = Piece::of(layout, reading).ok()?;
            for piece in pieces.into_iter().filter(|piece| piece.period == period) {
                draft.place(layout, piece).then_some(())?;
            }
        }
        Some(draft)
    }

    /// The period of its lines.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// Its number.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many lines it has.
    pub const fn lines(&self) -> usize {
        self.lines
    }

    pub(super) const fn since(&self) -> u64 {
        self.since
    }

    pub(super) const fn number(&mut self, sequence: u64) {
        self.sequence = sequence;
    }

    /// The slots: first quantities and leaves, then joins where the card has intervals.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &[i64]> {
        [self.minuends.as_slice(), self.subtrahends.as_slice()].into_iter().filter(|slots| !slots.is_empty())
    }

    /// Counts a reading that lies in the period as a whole, breaks no rule and finds a slot; says whether it did. Most readings are such.
    pub(super) fn count(&mut self, layout: &Layout, reading: &Reading) -> bool {
        let rule = self.rules.get(reading.item.index());
        match rule.and_then(|rule| rule.admit(self.period, reading)) {
            Some(piece) => self.place(layout, piece),
            None => false,
        }
    }

    /// Puts a piece into the next slot of its item, or adds a call to the slot of its length; says whether there was room.
    pub(super) fn place(&mut self, layout: &Layout, piece: Piece) -> bool {
        if let Some(length) = piece.length {
            return self.place_call(layout, piece, length);
        }
        let Some(used) = self.used.get_mut(piece.item.index()) else { return false };
        let Some(&slot) = layout.slots(piece.item).get(*used) else { return false };
        if let Some(place) = self.minuends.get_mut(usize::from(slot)) {
            *place = piece.minuend;
        }
        if let Some(place) = self.subtrahends.get_mut(usize::from(slot)) {
            *place = piece.subtrahend;
        }
        *used += 1;
        self.lines += 1;
        true
    }

    fn place_call(&mut self, layout: &Layout, piece: Piece, length: usize) -> bool {
        let most = self.rules.get(piece.item.index()).map_or(0, |rule| rule.calls);
        let slot = layout.slots(piece.item).get(length).map(|&slot| usize::from(slot));
        let Some(counted) = slot.and_then(|slot| self.minuends.get_mut(slot)) else { return false };
        if counted.unsigned_abs() >= most {
            return false;
        }
        *counted += piece.minuend;
        self.lines += 1;
        true
    }
}
