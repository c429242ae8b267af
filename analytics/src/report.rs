//! The report: figures with where they come from, as JSON for machines and as a page for people.

use serde::{Deserialize, Serialize};

use crate::message::hexadecimal;
use crate::open::{Answer, Findings};
use crate::page;
use crate::plan::Plan;
use crate::sections::Sections;
use crate::settings::Settings;

/// A report that has been opened. It is the host's; whoever passes it on passes on what it says.
///
/// Names stay with the key holder: settings, contributions and answers have none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What the report is about.
    pub title: String,
    /// Names of participants, slots or series, in their order; where one is absent, a number stands for it.
    pub names: Vec<String>,
    /// The figures.
    pub findings: Findings,
    /// How many contributions are in them.
    pub contributions: u64,
    /// The operator that added them up.
    pub operator: String,
    /// Name of the parameter set.
    pub parameters: String,
    /// What was collected.
    pub settings: Settings,
    /// SHA-256 of the settings, hexadecimal.
    pub settings_digest: String,
    /// SHA-256 of the request, hexadecimal.
    pub request_digest: String,
}

/// The figures of a report as people read them, each with its bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Key figures: what each is, and its value.
    pub summary: Vec<(&'static str, String)>,
    /// The table's columns.
    pub heads: Vec<&'static str>,
    /// The table's rows: what each is of, and its values.
    pub rows: Vec<(String, Vec<String>)>,
}

impl Report {
    /// A report on findings.
    pub fn new(title: &str, names: Vec<String>, plan: &Plan, answer: &Answer, findings: Findings) -> Self {
        Self {
            title: title.to_owned(),
            names,
            findings,
            contributions: answer.contributions,
            operator: plan.operator().to_owned(),
            parameters: plan.context().parameters().name().to_owned(),
            settings: plan.settings().clone(),
            settings_digest: hexadecimal(plan.digest()),
            request_digest: hexadecimal(&answer.request_digest),
        }
    }

    /// JSON for machines: every figure as `value` and `bound`.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// The figures as text, for a terminal.
    pub fn figures(&self) -> Figures {
        let Sections { summary, heads, rows, .. } = Sections::of(self);
        Figures { summary, heads, rows }
    }

    /// A page for people: self-contained, without scripts, ready to print.
    pub fn to_html(&self) -> String {
        page::html(self)
    }

    /// The name at an index, or `what` with a number from 1.
    pub(crate) fn name(&self, what: &str, index: usize) -> String {
        self.names.get(index).cloned().unwrap_or_else(|| format!("{what} {}", index + 1))
    }
}
