//! Which step of the play a request was.

use std::collections::HashMap;

use super::Sides;
use crate::commands::demo::relay::Passage;

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The room's evaluation keys.
    Keys,
    Room,
    /// The enrolment of the participant with this number.
    Enrolment(usize),
    Match,
    Meter,
    /// Encrypted readings.
    Batch,
    /// The tenant asks for the rate card and the charges.
    Charges,
    /// The host's evaluation keys.
    HostKeys,
    Panel,
    Contribution,
    /// The report of the panel with this number.
    Report(usize),
    Other,
}

impl Step {
    /// Whether requests of this step that follow each other are shown in one row.
    pub(super) const fn gathers(self) -> bool {
        matches!(self, Self::Batch | Self::Charges | Self::Panel | Self::Contribution)
    }
}

/// Tells steps by what was sent, and by the address where that says it.
pub(super) struct Steps<'a> {
    sides: &'a Sides<'a>,
    senders: HashMap<[u8; 32], usize>,
}

impl<'a> Steps<'a> {
    pub(super) fn of(sides: &'a Sides<'a>) -> Self {
        let enrolments = sides.play.enrolments.iter().enumerate();
        Self { sides, senders: enrolments.map(|(index, enrolment)| (enrolment.record.digest, index)).collect() }
    }

    pub(super) fn step(&self, passage: &Passage) -> Step {
        let Sides { play, charge, statistics, .. } = self.sides;
        if let Some(&participant) = self.senders.get(&passage.request.digest) {
            return Step::Enrolment(participant);
        }
        for (seen, step) in [(play.keys, Step::Keys), (play.probe, Step::Match), (statistics.keys, Step::HostKeys)] {
            if passage.request == seen {
                return step;
            }
        }
        let path: Vec<&str> = passage.path.split('/').skip(2).collect();
        match (passage.method.as_str(), path.as_slice()) {
            ("POST", ["rooms"]) => Step::Room,
            ("POST", ["meters"]) => Step::Meter,
            ("POST", ["meters", id, "batches"]) if *id == charge.meter => Step::Batch,
            ("POST", ["meters", id, "report"]) | ("GET", ["meters", id]) if *id == charge.meter => Step::Charges,
            ("POST", ["panels"]) => Step::Panel,
            ("POST", ["panels", _, "batches"]) => Step::Contribution,
            ("POST", ["panels", id, "report"]) => {
                let panel = statistics.panels.iter().position(|panel| panel.id == *id);
                panel.map_or(Step::Other, Step::Report)
            }
            _ => Step::Other,
        }
    }
}
