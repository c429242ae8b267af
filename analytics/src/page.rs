//! The report as a page: key figures, plots, a table of everything drawn, and where it comes from.

use std::fmt::Write;

use crate::estimate::Estimate;
use crate::figures::Histogram;
use crate::open::Findings;
use crate::plot::{Bar, Caption, bars, escape, line};
use crate::report::Report;

/// Most bars of one plot; the table has all.
const MOST_BARS: usize = 60;
/// Ticks below a line.
const TIMES: usize = 8;

const STYLE: &str = "\
:root{color-scheme:light}\
body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:50rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{margin:.4rem 0}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}caption{text-align:left;font-weight:600;padding:.3rem 0}\
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #c8c8c8;vertical-align:top}\
td.number,th.number{text-align:right}thead th{border-bottom:2px solid #1a1a1a}\
figure{margin:1rem 0;break-inside:avoid}svg{width:100%;height:auto;font:13px system-ui,sans-serif}\
svg text{fill:#1a1a1a}svg .tick{fill:#4a4a4a;font-size:12px}svg .grid{stroke:#d0d0d0}svg .bar{fill:#1f5f8b}\
svg .line{fill:none;stroke:#1f5f8b;stroke-width:2}svg .band{fill:#1f5f8b;fill-opacity:.18}svg .error{fill:none;stroke:#b00020;stroke-width:1.5}\
footer{margin-top:2.5rem;font-size:.85rem;color:#3a3a3a}code{overflow-wrap:anywhere}\
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}thead{display:table-header-group}}";

/// The whole page.
pub(crate) fn html(report: &Report) -> String {
    let Body { summary, plots, rows, heads } = body(report);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1 dir=\"auto\">{0}</h1>\n\
         <p>From {1} encrypted contributions. Nobody but the holder of the key could compute these figures: the service added up what it could not read. \
         Every figure is followed by the most that it may be off.</p>\n</header>\n<main>\n",
        escape(&report.title),
        report.contributions
    );
    page.push_str("<h2>Figures</h2>\n<table>\n<tbody>\n");
    for (name, value) in summary {
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td></tr>",
            escape(name),
            escape(&value)
        );
    }
    page.push_str("</tbody>\n</table>\n");
    for plot in plots {
        let _ = write!(page, "<figure>\n<figcaption><h2>{}</h2></figcaption>\n{}</figure>\n", escape(plot.0), plot.1);
    }
    if !rows.is_empty() {
        page.push_str("<h2>All values</h2>\n<table>\n<thead><tr>");
        for (index, head) in heads.iter().enumerate() {
            let class = if index == 0 { "" } else { " class=\"number\"" };
            let _ = write!(page, "<th scope=\"col\"{class}>{}</th>", escape(head));
        }
        page.push_str("</tr></thead>\n<tbody>\n");
        for (name, values) in rows {
            let _ = write!(page, "<tr><th scope=\"row\" dir=\"auto\">{}</th>", escape(&name));
            for value in values {
                let _ = write!(page, "<td class=\"number\">{}</td>", escape(&value));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody>\n</table>\n");
    }
    let _ = write!(
        page,
        "</main>\n<footer>\n<p>Statistic: {}, of at least {} contributions. Operator {} with the parameters {}.</p>\n\
         <p>Settings <code>{}</code>, request <code>{}</code> (SHA-256).</p>\n\
         <p>The bounds hold for what was contributed, except with probability 2<sup>-128</sup>. Whether a contributor measured rightly is not \
         theirs to say.</p>\n</footer>\n</body>\n</html>\n",
        escape(report.settings.collect.name()),
        report.settings.minimum_contributions,
        escape(&report.operator),
        escape(&report.parameters),
        escape(&report.settings_digest),
        escape(&report.request_digest)
    );
    page
}

/// What differs from statistic to statistic.
struct Body {
    summary: Vec<(&'static str, String)>,
    plots: Vec<(&'static str, String)>,
    heads: Vec<&'static str>,
    rows: Vec<(String, Vec<String>)>,
}

fn body(report: &Report) -> Body {
    match &report.findings {
        Findings::Attention { overall, slots } => {
            let drawn = slots.iter().enumerate().filter_map(|(index, slot)| {
                let value = slot.mean.mean?;
                Some(Bar { label: report.name("Slot", index), value, text: figure(value, "") })
            });
            let caption = Caption {
                id: "attention",
                title: "Mean attention by slot",
                description: "One bar a slot, from 0 to 1; the values are in the table below.",
            };
            Body {
                summary: vec![
                    ("Mean attention", optional(overall.mean.mean, "")),
                    ("Variance", optional(overall.variance, "")),
                    ("Standard deviation", optional(overall.standard_deviation, "")),
                    ("Scores", figure(overall.mean.count, "")),
                ],
                plots: vec![(caption.title, bars(&caption, &most(drawn), (0.0, 1.0)))],
                heads: vec!["Slot", "Mean", "Variance", "Scores"],
                rows: slots
                    .iter()
                    .enumerate()
                    .map(|(index, slot)| {
                        let values = vec![
                            optional(slot.mean.mean, ""),
                            optional(slot.variance, ""),
                            figure(slot.mean.count, ""),
                        ];
                        (report.name("Slot", index), values)
                    })
                    .collect(),
            }
        }
        Findings::Speaking { seconds, histogram } => {
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
            Body {
                summary: vec![
                    ("Total speaking time", figure(seconds.total, " s")),
                    ("Participants", seconds.parts.len().to_string()),
                ],
                plots: vec![
                    (caption.title, bars(&caption, &most(drawn), (0.0, 1.0))),
                    histogram_plot("Participants by speaking time in seconds", histogram),
                ],
                heads: vec!["Participant", "Seconds", "Share"],
                rows: seconds
                    .parts
                    .iter()
                    .zip(shares)
                    .enumerate()
                    .map(|(index, (&part, share))| (report.name("Participant", index), vec![figure(part, " s"), share]))
                    .collect(),
            }
        }
        Findings::Durations { seconds, histogram } => Body {
            summary: vec![
                ("Mean duration", optional(seconds.mean.mean, " s")),
                ("Standard deviation", optional(seconds.standard_deviation, " s")),
                ("Variance", optional(seconds.variance, " s²")),
                ("Calls", figure(seconds.mean.count, "")),
                ("Total duration", figure(seconds.mean.sum, " s")),
            ],
            plots: vec![histogram_plot("Calls by duration in seconds", histogram)],
            heads: vec!["Seconds", "Calls"],
            rows: histogram
                .labels()
                .into_iter()
                .zip(&histogram.counts)
                .map(|(label, &count)| (label, vec![figure(count, "")]))
                .collect(),
        },
        Findings::Concurrency { bucket_seconds, participants, peak } => {
            let time = |index: usize| clock(*bucket_seconds * index as f64);
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
                summary.push(("Peak", figure(peak.value, "")));
                summary.push(("Peak at", time(peak.index)));
            }
            Body {
                summary,
                plots: vec![(caption.title, line(&caption, participants, &times))],
                heads: vec!["From", "Participants"],
                rows: participants
                    .iter()
                    .enumerate()
                    .map(|(index, &value)| (time(index), vec![figure(value, "")]))
                    .collect(),
            }
        }
        Findings::Correlation(found) => {
            let caption = Caption {
                id: "correlation",
                title: "Correlation",
                description: "From -1, when one falls as the other rises, over 0 to 1, when both rise together.",
            };
            let (x, y) = (report.name("Series", 0), report.name("Series", 1));
            let bar = found.correlation.map(|value| Bar { label: format!("{x}, {y}"), value, text: figure(value, "") });
            let mean = |sum: Estimate| optional(sum.over(found.count), "");
            Body {
                summary: vec![
                    ("Pearson's correlation", optional(found.correlation, "")),
                    ("Pairs", figure(found.count, "")),
                ],
                plots: vec![(caption.title, bars(&caption, &Vec::from_iter(bar), (-1.0, 1.0)))],
                heads: vec!["Series", "Mean"],
                rows: vec![(x, vec![mean(found.sum_x)]), (y, vec![mean(found.sum_y)])],
            }
        }
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

/// Hours, minutes and seconds.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn optional(value: Option<Estimate>, unit: &str) -> String {
    value.map_or_else(|| "none".to_owned(), |value| figure(value, unit))
}

/// A value to as many decimals as its bound supports, at most six, and the bound rounded up.
pub(crate) fn figure(estimate: Estimate, unit: &str) -> String {
    let Estimate { value, bound } = estimate;
    if bound == 0.0 && value.fract() == 0.0 {
        return format!("{value}{unit}");
    }
    let decimals = (-bound.log10()).ceil().clamp(0.0, 6.0) as usize;
    let shown = format!("{value:.decimals$}");
    let rounding = shown.parse::<f64>().map_or(0.0, |shown| (shown - value).abs());
    format!("{shown} ± {}{unit}", rounded_up(bound + rounding))
}

/// Two significant digits, not less than the number.
fn rounded_up(bound: f64) -> String {
    let exponent = bound.log10().floor() as i32;
    let unit = 10_f64.powi(exponent - 1);
    let digits = (bound / unit).ceil();
    match exponent {
        -3..=-1 => format!("{:.*}", (1 - exponent) as usize, digits * unit),
        0..=6 => format!("{:.*}", usize::from(exponent == 0), digits * unit),
        _ => format!("{:.1}e{exponent}", digits / 10.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_show_what_their_bound_supports() {
        let shown = |value, bound| figure(Estimate::new(value, bound), " s");
        assert_eq!(shown(42.0, 0.0), "42 s");
        assert_eq!(shown(1234.5678, 0.02), "1234.57 ± 0.023 s");
        assert_eq!(shown(1234.5678, 3.0), "1235 ± 3.5 s");
        assert_eq!(shown(0.5, 1e-9), "0.500000 ± 1.0e-9 s");
        assert_eq!(shown(0.123_456_789, 1e-9), "0.123457 ± 2.2e-7 s");
        assert_eq!(shown(-7.0, 25.0), "-7 ± 25 s");
        assert_eq!(shown(1e9, 123_456_789.0), "1000000000 ± 1.3e8 s");
    }

    #[test]
    fn times_are_written_as_clocks() {
        assert_eq!([0.0, 59.6, 3600.0, 86_399.0].map(clock), ["0:00:00", "0:01:00", "1:00:00", "23:59:59"]);
    }
}
