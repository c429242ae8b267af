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
}

impl Piece {
    /// The piece of a reading that lies in one period as a whole and breaks no rule; `None` otherwise.
    pub(super) fn within(layout: &Layout, reading: &Reading, period: Period) -> Option<Self> {
        let item = layout.card().item(reading.item)?;
        item.price_on(period.start)?;
        let start = period.start.unix();
        let (minuend, subtrahend) = match (reading.measurement, item.kind()) {
            (Measurement::Quantity { at, amount }, ItemKind::Quantity) => {
                (period.contains(at) && amount >= 0 && amount.unsigned_abs() <= item.limit()).then_some((amount, 0))?
            }
            (Measurement::Interval { join, leave }, ItemKind::Interval) => {
                let inside = join >= start && leave <= period.end.unix() && join < period.end.unix();
                (inside && leave >= join && leave - join <= item.limit())
                    .then_some(((leave - start) as i64, (join - start) as i64))?
            }
            _ => return None,
        };
        Some(Self { item: reading.item, period, minuend, subtrahend })
    }

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
            pieces.push(Self { item: reading.item, period, minuend, subtrahend });
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
        (Measurement::Quantity { amount, .. }, ItemKind::Quantity) => {
            u64::try_from(amount).map_err(|_| MeterError::Negative { item: name() })?
        }
        (Measurement::Interval { join, leave }, ItemKind::Interval) => {
            leave.checked_sub(join).ok_or_else(|| MeterError::LeaveBeforeJoin { item: name() })?
        }
        (_, ItemKind::Quantity) => return Err(MeterError::Kind { item: name(), expected: "a quantity" }),
        (_, ItemKind::Interval) => return Err(MeterError::Kind { item: name(), expected: "join and leave" }),
    };
    if amount > item.limit() {
        return Err(MeterError::AboveLimit { item: name(), limit: item.limit() });
    }
    Ok(())
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
            lines: 0,
            used: vec![0; layout.card().items().len()],
            minuends: vec![0; layout.slot_count()],
            subtrahends,
        }
    }

    /// The draft of these readings under a number: the parts that lie in the period, in their order. `None` where one of them cannot be counted or
    /// there are too many.
    pub(crate) fn of_readings(layout: &Layout, period: Period, sequence: u64, readings: &[Reading]) -> Option<Self> {
        let mut draft = Self::new(layout, period, 0);
        draft.number(sequence);
        for reading in readings {
            let pieces = Piece::of(layout, reading).ok()?;
            for piece in pieces.into_iter().filter(|piece| piece.period == period) {
                draft.has_room(layout, &piece).then_some(())?;
                draft.place(layout, piece);
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

    /// Whether the item of a piece has a slot left.
    pub(super) fn has_room(&self, layout: &Layout, piece: &Piece) -> bool {
        self.used.get(piece.item.index()).is_some_and(|&used| used < layout.slots(piece.item).len())
    }

    /// Puts a piece into the next slot of its item. Where there is none, nothing happens: see [`Draft::has_room`].
    pub(super) fn place(&mut self, layout: &Layout, piece: Piece) {
        let Some(used) = self.used.get_mut(piece.item.index()) else { return };
        let Some(&slot) = layout.slots(piece.item).get(*used) else { return };
        if let Some(place) = self.minuends.get_mut(usize::from(slot)) {
            *place = piece.minuend;
        }
        if let Some(place) = self.subtrahends.get_mut(usize::from(slot)) {
            *place = piece.subtrahend;
        }
        *used += 1;
        self.lines += 1;
    }
}
