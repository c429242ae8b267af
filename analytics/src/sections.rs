//! What a page says of each statistic.

use crate::estimate::Estimate;
use crate::figures::{Correlation, Histogram, Peak, Shares, Variance};
use crate::open::Findings;
use crate::plot::{Bar, Caption, bars, line};
use crate::report::Report;
use crate::text::{clock, figure, optional};

/// Most bars of one plot; the table has all.
const MOST_BARS: usize = 60;
/// Ticks below a line.
const TIMES: usize = 8;

/// Key figures, plots with their headings, and a table.
pub(crate) struct Sections {
    /// Names and figures.
    pub(crate) summary: Vec<(&'static str, String)>,
    /// Headings and plots.
    pub(crate) plots: Vec<(&'static str, String)>,
    /// The table's columns.
    pub(crate) heads: Vec<&'static str>,
    /// The table's rows: what each is of, and its figures.
    pub(crate) rows: Vec<(String, Vec<String>)>,
}

impl Sections {
    /// The sections of a report.
    pub(crate) fn of(report: &Report) -> Self {
        match &report.findings {
            Findings::Attention { overall, slots } => attention(report, overall, slots),
            Findings::Speaking { seconds, histogram } => speaking(report, seconds, histogram),
            Findings::Durations { seconds, histogram } => durations(seconds, histogram),
            Findings::Concurrency { bucket_seconds, participants, peak } => {
                concurrency(*bucket_seconds, participants, peak.as_ref())
            }
            Findings::Correlation(found) => correlation(report, found),
        }
    }
}

fn attention(report: &Report, overall: &Variance, slots: &[Variance]) -> Sections {
    let drawn = slots.iter().enumerate().filter_map(|(index, slot)| {
        let value = slot.mean.mean?;
        Some(Bar { label: report.name("Slot", index), value, text: figure(value, "") })
    });
    let caption = Caption {
        id: "attention",
        title: "Mean attention by slot",
        description: "One bar a slot, from 0 to 1; the values are in the table below.",
    };
    let row = |(index, slot): (usize, &Variance)| {
        let values = vec![optional(slot.mean.mean, ""), optional(slot.variance, ""), figure(slot.mean.count, "")];
        (report.name("Slot", index), values)
    };
    Sections {
        summary: vec![
            ("Mean attention", optional(overall.mean.mean, "")),
            ("Variance", optional(overall.variance, "")),
            ("Standard deviation", optional(overall.standard_deviation, "")),
            ("Scores", figure(overall.mean.count, "")),
        ],
        plots: vec![(caption.title, bars(&caption, &most(drawn), (0.0, 1.0)))],
        heads: vec!["Slot", "Mean", "Variance", "Scores"],
        rows: slots.iter().enumerate().map(row).collect(),
    }
}

fn speaking(report: &Report, seconds: &Shares, histogram: &Histogram) -> Sections {
    let shares = seconds.shares.iter().flatten().map(|&share| percent(share));
    let drawn = shares.clone().enumerate().map(|(index, value)| Bar {
        label: report.name("Participant", index),
        value,
        text: figure(value, " %"),
    });
    let caption = Caption {
        id: "shares",
        title: "Share of the speaking time",
        description: "One bar a participant, in per cent of the total; the values are in the table below.",
    };
    let shares = shares.map(|share| figure(share, " %")).chain(std::iter::repeat("none".to_owned()));
    let row = |(index, (&part, share)): (usize, (&Estimate, String))| {
        (report.name("Participant", index), vec![figure(part, " s"), share])
    };
    Sections {
        summary: vec![
            ("Total speaking time", figure(seconds.total, " s")),
            ("Participants", seconds.parts.len().to_string()),
        ],
        plots: vec![
            (caption.title, bars(&caption, &most(drawn), (0.0, 1.0))),
            histogram_plot("Participants by speaking time in seconds", histogram),
        ],
        heads: vec!["Participant", "Seconds", "Share"],
        rows: seconds.parts.iter().zip(shares).enumerate().map(row).collect(),
    }
}

fn durations(seconds: &Variance, histogram: &Histogram) -> Sections {
    let rows = histogram.labels().into_iter().zip(&histogram.counts);
    Sections {
        summary: vec![
            ("Mean duration", optional(seconds.mean.mean, " s")),
            ("Standard deviation", optional(seconds.standard_deviation, " s")),
            ("Variance", optional(seconds.variance, " s²")),
            ("Calls", figure(seconds.mean.count, "")),
            ("Total duration", figure(seconds.mean.sum, " s")),
        ],
        plots: vec![histogram_plot("Calls by duration in seconds", histogram)],
        heads: vec!["Seconds", "Calls"],
        rows: rows.map(|(label, &count)| (label, vec![figure(count, "")])).collect(),
    }
}

fn concurrency(bucket_seconds: f64, participants: &[Estimate], peak: Option<&Peak>) -> Sections {
    let time = |index: usize| clock(bucket_seconds * index as f64);
    let every = participants.len().div_ceil(TIMES).max(1);
    let times: Vec<(usize, String)> =
        (0..participants.len()).step_by(every).map(|index| (index, time(index))).collect();
    let caption = Caption {
        id: "concurrency",
        title: "Participants over time",
        description: "The mean number of participants in each stretch of time; the values are in the table below.",
    };
    let mut summary = vec![("Stretch of time", format!("{bucket_seconds} s"))];
    if let Some(peak) = peak {
        summary.push(("Peak", figure(peak.largest, "")));
        summary.push(("Peak at", time(peak.index)));
    }
    Sections {
        summary,
        plots: vec![(caption.title, line(&caption, participants, &times))],
        heads: vec!["From", "Participants"],
        rows: participants.iter().enumerate().map(|(index, &value)| (time(index), vec![figure(value, "")])).collect(),
    }
}

fn correlation(report: &Report, found: &Correlation) -> Sections {
    let caption = Caption {
        id: "correlation",
        title: "Correlation",
        description: "From -1, when one falls as the other rises, over 0 to 1, when both rise together.",
    };
    let (x, y) = (report.name("Series", 0), report.name("Series", 1));
    let bar = found.correlation.map(|value| Bar { label: format!("{x}, {y}"), value, text: figure(value, "") });
    let mean = |sum: Estimate| optional(sum.over(found.count), "");
    Sections {
        summary: vec![("Pearson's correlation", optional(found.correlation, "")), ("Pairs", figure(found.count, ""))],
        plots: vec![(caption.title, bars(&caption, &Vec::from_iter(bar), (-1.0, 1.0)))],
        heads: vec!["Series", "Mean"],
        rows: vec![(x, vec![mean(found.sum_x)]), (y, vec![mean(found.sum_y)])],
    }
}

/// The first so many bars; where there are more, the largest.
fn most(bars: impl Iterator<Item = Bar>) -> Vec<Bar> {
    let mut bars: Vec<Bar> = bars.collect();
    if bars.len() > MOST_BARS {
        bars.sort_by(|a, b| b.value.value.total_cmp(&a.value.value));
        bars.truncate(MOST_BARS);
    }
    bars
}

fn histogram_plot(title: &'static str, histogram: &Histogram) -> (&'static str, String) {
    let drawn: Vec<Bar> = histogram
        .labels()
        .into_iter()
        .zip(&histogram.counts)
        .map(|(label, &value)| Bar { label, value, text: figure(value, "") })
        .collect();
    let caption = Caption { id: "histogram", title, description: "One bar a range; its length is how many lie in it." };
    (title, bars(&caption, &drawn, (0.0, 1.0)))
}

fn percent(share: Estimate) -> Estimate {
    Estimate::new(100.0 * share.value, 100.0 * share.bound)
}
