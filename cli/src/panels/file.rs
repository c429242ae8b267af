//! Settings files of panels: what is collected, which everybody may know, and title and names, which stay with the host.

use std::path::Path;

use blindrelay_analytics::{Collect, Settings};
use serde::Deserialize;

use crate::arguments::read_text;
use crate::failure::Failure;

const ADVICE: &str =
    "correct the settings; examples/attention.toml is an example, and `blindrelay panel create --help` lists them";

/// A settings file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PanelFile {
    /// Title of the report.
    pub(crate) title: Option<String>,
    /// Names of participants, slots or series, in their order.
    pub(crate) names: Vec<String>,
    /// What everybody agrees on.
    pub(crate) settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    title: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(rename = "collect")]
    _collect: Collect,
    #[serde(rename = "minimum_contributions")]
    _minimum_contributions: u64,
    #[serde(rename = "maximum_contributions")]
    _maximum_contributions: Option<u64>,
}

impl PanelFile {
    /// Reads a file in TOML.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        Self::parse(&read_text(path)?).map_err(|fault| Failure::Content {
            path: path.to_owned(),
            fault,
            advice: ADVICE,
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        // With places first, then as the settings themselves, which know their defaults.
        let fields: Fields = toml::from_str(text).map_err(|error| fault(text, &error))?;
        let mut table: toml::Table = toml::from_str(text).map_err(|error| fault(text, &error))?;
        table.retain(|name: &str, _| !matches!(name, "title" | "names"));
        let settings: Settings = table.try_into().map_err(|error: toml::de::Error| fault("", &error))?;
        settings.validate().map_err(|error| error.to_string())?;
        let (names, width) = (fields.names.len(), named(&settings.collect));
        if names > width {
            return Err(format!("names: {names} are listed, but there are {width} to be named"));
        }
        Ok(Self { title: fields.title, names: fields.names, settings })
    }
}

/// How many things of a statistic have names.
const fn named(collect: &Collect) -> usize {
    match collect {
        Collect::Attention { .. } | Collect::Speaking { .. } => collect.width(),
        Collect::Correlation { .. } => 2,
        Collect::Durations { .. } | Collect::Concurrency { .. } => 0,
    }
}

/// What is wrong, on one line, with its place.
fn fault(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let place = before.map_or_else(String::new, |before| {
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        format!("line {line}, column {column}: ")
    });
    let message: Vec<&str> = error.message().split_whitespace().collect();
    format!("{place}{}", message.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_hold_the_settings_and_what_the_host_keeps() {
        let text = "title = \"Board\"\nnames = [\"Ada\"]\nminimum_contributions = 5\n[collect.speaking]\nparticipants = 2\nlimit_seconds = 600\nedges = [0, 60]\n";
        let file = PanelFile::parse(text).unwrap();
        assert_eq!((file.title.as_deref(), file.names.len()), (Some("Board"), 1));
        assert_eq!(file.settings.maximum_contributions, 1_000_000);
        assert!(!file.settings.to_json().contains("Ada"), "names are not of the settings");
        let more = PanelFile::parse(&format!("maximum_contributions = 7\n{text}")).unwrap();
        assert_eq!(more.settings.maximum_contributions, 7);
    }

    #[test]
    fn faults_are_told_with_their_place() {
        for (text, words) in [
            ("", "missing field `collect`"),
            ("minimum_contributions = 5\ncollect = 3", "line 2, column 11"),
            ("minimum_contributions = 5\n[collect.mood]\nslots = 1", "unknown variant `mood`"),
            (
                "minimum_contributions = 5\nname = 1\n[collect.attention]\nslots = 1",
                "line 2, column 1: unknown field `name`",
            ),
            ("minimum_contributions = 0\n[collect.attention]\nslots = 1", "minimum_contributions is 0"),
            ("names = [\"a\", \"b\"]\nminimum_contributions = 1\n[collect.attention]\nslots = 1", "2 are listed"),
            ("minimum_contributions = \n", "line 1"),
        ] {
            let fault = PanelFile::parse(text).unwrap_err();
            assert!(fault.contains(words) && !fault.contains('\n'), "{text}: {fault}");
        }
    }
}
