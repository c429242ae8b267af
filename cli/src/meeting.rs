//! Meeting files: who is in a room, who arrives, whom the newcomer looks for, and what was measured of everybody.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use blindrelay_billing::Date;
use serde::{Deserialize, Serialize};

/// Largest meeting file.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// Most participants.
const MAX_PARTICIPANTS: usize = 10_000;

/// Longest meeting in minutes: it begins at nine and ends on the same day.
const MAX_MINUTES: f64 = 900.0;
/// Minutes of a stretch of time, for which there is one attention score.
pub(crate) const STRETCH_MINUTES: f64 = 10.0;
/// Largest amount of data.
const MAX_MEGABYTES: u64 = 1_000_000;

/// A meeting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meeting {
    /// Its title.
    #[serde(default)]
    pub(crate) title: String,
    /// Its day; today where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<Date>,
    /// How long it lasts.
    #[serde(default = "an_hour")]
    pub(crate) minutes: f64,
    /// Who is there.
    pub(crate) participants: Vec<Participant>,
    /// Who arrives.
    pub(crate) newcomer: Newcomer,
}

/// Somebody in the room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Participant {
    /// The identity by which others find them.
    pub(crate) name: String,
    /// A label that tells two entries of one name apart, for example a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) handle: Option<String>,
    /// What was measured of them.
    #[serde(default)]
    pub(crate) measured: Measured,
}

/// Somebody who arrives and looks for a participant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Newcomer {
    /// Their name.
    pub(crate) name: String,
    /// The identity they look for.
    pub(crate) looks_for: String,
    /// What was measured of them.
    #[serde(default)]
    pub(crate) measured: Measured,
}

/// What is measured of somebody during a meeting. Everything may be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Measured {
    /// Minutes from the beginning at which they joined and left; the whole meeting where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) present: Option<[f64; 2]>,
    /// Minutes that they spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spoke: Option<f64>,
    /// Attention from 0 to 1 in each stretch of ten minutes; `null` where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attention: Vec<Option<f64>>,
    /// Data that was relayed for them; 10 a minute where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) megabytes: Option<u64>,
}

const fn an_hour() -> f64 {
    60.0
}

/// Why a meeting file is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeetingError {
    #[error("{file}: {source}")]
    Read { file: String, source: std::io::Error },
    #[error("{file}: more than {MAX_FILE_BYTES} bytes")]
    TooLong { file: String },
    #[error("{file}: the file is empty")]
    Empty { file: String },
    #[error("{file}:{line}:{column}: not UTF-8")]
    Encoding { file: String, line: usize, column: usize },
    #[error("{file}:{line}:{column}: {fault}")]
    Json { file: String, line: usize, column: usize, fault: String },
    #[error("{file}: participants: nobody is listed")]
    NoParticipants { file: String },
    #[error("{file}: participants: {found} are listed, at most {MAX_PARTICIPANTS} are possible")]
    TooMany { file: String, found: usize },
    #[error("{file}: {place}: the text is empty")]
    Blank { file: String, place: String },
    #[error("{file}: {place}: {fault}")]
    Value { file: String, place: String, fault: String },
    #[error("{file}: participants[{second}].handle: '{label}' is already the handle of participants[{first}]")]
    RepeatedHandle { file: String, first: usize, second: usize, label: String },
}

impl MeetingError {
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Read { .. } => "check the path and its permissions",
            Self::TooLong { .. } | Self::TooMany { .. } => "split the meeting",
            Self::Encoding { .. } => "save the file as UTF-8",
            Self::RepeatedHandle { .. } => "give every participant its own handle, or none",
            Self::Value { .. } => "correct the value, or leave it out",
            Self::NoParticipants { .. } | Self::Blank { .. } => {
                "name at least one participant, the newcomer and whom the newcomer looks for"
            }
            Self::Empty { .. } | Self::Json { .. } => {
                r#"write {"title": .., "participants": [{"name": ..}], "newcomer": {"name": .., "looks_for": ..}}"#
            }
        }
    }
}

impl Meeting {
    /// The meeting that the command shows when it is given none.
    pub(crate) fn example() -> Result<Self, MeetingError> {
        Self::parse("examples/board-meeting.json", include_bytes!("../../examples/board-meeting.json"))
    }

    /// Reads a meeting file.
    pub(crate) fn read(path: &Path) -> Result<Self, MeetingError> {
        let file = path.display().to_string();
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|opened| opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|source| MeetingError::Read { file: file.clone(), source })?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(MeetingError::TooLong { file });
        }
        Self::parse(&file, &bytes)
    }

    /// Reads the content of a meeting file; `file` is named in errors.
    pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Self, MeetingError> {
        let file = || file.to_owned();
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let (line, column) = place(bytes.get(..error.valid_up_to()).unwrap_or_default());
            MeetingError::Encoding { file: file(), line, column }
        })?;
        // Some editors begin UTF-8 files with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(MeetingError::Empty { file: file() });
        }
        let meeting: Self = serde_json::from_str(text).map_err(|error| {
            let full = error.to_string();
            let fault = full.rsplit_once(" at line ").map_or(full.as_str(), |(fault, _)| fault).to_owned();
            MeetingError::Json { file: file(), line: error.line(), column: error.column(), fault }
        })?;
        meeting.check(file)?;
        Ok(meeting)
    }

    fn check(&self, file: impl Fn() -> String) -> Result<(), MeetingError> {
        if self.participants.is_empty() {
            return Err(MeetingError::NoParticipants { file: file() });
        }
        if self.participants.len() > MAX_PARTICIPANTS {
            return Err(MeetingError::TooMany { file: file(), found: self.participants.len() });
        }
        let blank = |place: String, text: &str| match text.trim() {
            "" => Err(MeetingError::Blank { file: file(), place }),
            _ => Ok(()),
        };
        let mut labels: HashMap<&str, usize> = HashMap::new();
        for (index, participant) in self.participants.iter().enumerate() {
            blank(format!("participants[{index}].name"), &participant.name)?;
            let Some(label) = &participant.handle else { continue };
            blank(format!("participants[{index}].handle"), label)?;
            if let Some(first) = labels.insert(label, index) {
                let label = label.clone();
                return Err(MeetingError::RepeatedHandle { file: file(), first, second: index, label });
            }
        }
        blank("newcomer.name".to_owned(), &self.newcomer.name)?;
        blank("newcomer.looks_for".to_owned(), &self.newcomer.looks_for)?;
        let value = |(place, fault): (String, String)| MeetingError::Value { file: file(), place, fault };
        within("minutes", self.minutes, 1.0, MAX_MINUTES).map_err(value)?;
        let people = self.participants.iter().enumerate();
        let people = people.map(|(index, participant)| (format!("participants[{index}]"), &participant.measured));
        for (who, measured) in people.chain([("newcomer".to_owned(), &self.newcomer.measured)]) {
            let place = |(place, fault)| value((format!("{who}.measured.{place}"), fault));
            self.check_measured(measured).map_err(place)?;
        }
        Ok(())
    }

    fn check_measured(&self, measured: &Measured) -> Result<(), (String, String)> {
        let [join, leave] = self.presence(measured);
        within("present[0]", join, 0.0, self.minutes)?;
        within("present[1]", leave, join, self.minutes)?;
        within("spoke", measured.spoke.unwrap_or(0.0), 0.0, leave - join)?;
        if measured.attention.len() > self.stretches() {
            let (found, most) = (measured.attention.len(), self.stretches());
            return Err(("attention".to_owned(), format!("{found} scores for {most} stretches of ten minutes")));
        }
        for (index, score) in measured.attention.iter().enumerate() {
            within(&format!("attention[{index}]"), score.unwrap_or(0.0), 0.0, 1.0)?;
        }
        within("megabytes", measured.megabytes.unwrap_or(0) as f64, 0.0, MAX_MEGABYTES as f64)
    }

    /// Minutes at which somebody joined and left.
    pub(crate) fn presence(&self, measured: &Measured) -> [f64; 2] {
        measured.present.unwrap_or([0.0, self.minutes])
    }

    /// How many stretches of ten minutes the meeting has; the last may be shorter.
    pub(crate) fn stretches(&self) -> usize {
        (self.minutes / STRETCH_MINUTES).ceil().max(1.0) as usize
    }

    /// Everybody's name and measurements: participants in their order, then the newcomer.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = (&str, &Measured)> {
        let participants =
            self.participants.iter().map(|participant| (participant.name.as_str(), &participant.measured));
        participants.chain([(self.newcomer.name.as_str(), &self.newcomer.measured)])
    }
}

/// Refuses what is not a number in a range.
fn within(place: &str, found: f64, least: f64, most: f64) -> Result<(), (String, String)> {
    if found >= least && found <= most {
        return Ok(());
    }
    Err((place.to_owned(), format!("{found} is not from {least} to {most}")))
}

/// Line and column, both from 1, of the byte after these.
fn place(before: &[u8]) -> (usize, usize) {
    let lines = || before.split(|&byte| byte == b'\n');
    let column = lines().next_back().map_or(0, <[u8]>::len) + 1;
    (lines().count(), column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_meeting() {
        assert_eq!(Meeting::example().unwrap().participants.len(), 5);
    }

    #[test]
    fn a_byte_order_mark_is_no_fault() {
        let text = "\u{feff}{\"participants\":[{\"name\":\"a\"}],\"newcomer\":{\"name\":\"b\",\"looks_for\":\"a\"}}";
        assert_eq!(Meeting::parse("m", text.as_bytes()).unwrap().title, "");
    }

    #[test]
    fn places_count_from_one() {
        assert_eq!(place(b""), (1, 1));
        assert_eq!(place(b"ab\nc"), (2, 2));
    }
}
