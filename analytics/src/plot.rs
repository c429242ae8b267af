//! Plots as inline SVG: bars and lines with marks where the bound on an error can be seen. No scripts, no outside references.

use std::fmt::Write;

use crate::estimate::Estimate;
use crate::text::{escape, unsigned_zero};

const WIDTH: f64 = 760.0;
const LABELS: f64 = 220.0;
const VALUES: f64 = 130.0;
const ROW: f64 = 26.0;
const TOP: f64 = 34.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 56.0;
/// Room for a label, in widths of a Latin character.
const LABEL_WIDTH: usize = 26;

/// What a plot is called and shows, for those who see it and for those who have it read to them.
pub(crate) struct Caption<'a> {
    /// Distinguishes the plots of one page.
    pub(crate) id: &'a str,
    /// The heading.
    pub(crate) title: &'a str,
    /// A sentence.
    pub(crate) description: &'a str,
}

/// One bar.
pub(crate) struct Bar {
    /// In front of it.
    pub(crate) label: String,
    /// Its length.
    pub(crate) value: Estimate,
    /// Behind it.
    pub(crate) text: String,
}

/// Horizontal bars from zero, one a row; the axis reaches at least from `range.0` to `range.1`.
pub(crate) fn bars(caption: &Caption<'_>, bars: &[Bar], range: (f64, f64)) -> String {
    let low = bars.iter().fold(range.0.min(0.0), |low, bar| low.min(bar.value.low()));
    let high = bars.iter().fold(range.1, |high, bar| high.max(bar.value.high()));
    let axis = Axis::new(low, high, 5);
    let height = TOP + ROW * bars.len() as f64 + 10.0;
    let x = |value: f64| LABELS + (WIDTH - LABELS - VALUES) * axis.part(value);
    let mut svg = open(caption, height);
    for tick in axis.ticks() {
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{0:.1}\" y1=\"{TOP}\" x2=\"{0:.1}\" y2=\"{1}\"/>\
             <text class=\"tick\" x=\"{0:.1}\" y=\"{2}\" text-anchor=\"middle\">{3}</text>",
            x(tick),
            height - 6.0,
            TOP - 8.0,
            axis.text(tick)
        );
    }
    for (row, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let (from, to) = (x(bar.value.value.min(0.0)), x(bar.value.value.max(0.0)));
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\"><title>{}</title>{}</text>\
             <rect class=\"bar\" x=\"{from:.1}\" y=\"{}\" width=\"{:.1}\" height=\"{}\"/>",
            LABELS - 8.0,
            y + 17.0,
            escape(&bar.label),
            escape(&shortened(&bar.label)),
            y + 5.0,
            to - from,
            ROW - 10.0
        );
        let (low, high) = (x(bar.value.low()), x(bar.value.high()));
        svg.push_str(&whisker((low, y + ROW / 2.0), (high, y + ROW / 2.0)));
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{}\">{}</text>", high.max(to) + 6.0, y + 17.0, escape(&bar.text));
    }
    svg.push_str("</svg>\n");
    svg
}

/// A line through values at equal distances; `times` has the text below each tick and the index of its value.
pub(crate) fn line(caption: &Caption<'_>, values: &[Estimate], times: &[(usize, String)]) -> String {
    let high = values.iter().fold(1.0_f64, |high, value| high.max(value.high()));
    let axis = Axis::new(0.0, high, 5);
    let (bottom, right) = (HEIGHT - 30.0, WIDTH - 16.0);
    let step = (right - LEFT) / values.len().max(1) as f64;
    let x = |index: usize| LEFT + step * (index as f64 + 0.5);
    let y = |value: f64| bottom - (bottom - TOP) * axis.part(value);
    let mut svg = open(caption, HEIGHT);
    for tick in axis.ticks() {
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{0:.1}\" x2=\"{right}\" y2=\"{0:.1}\"/>\
             <text class=\"tick\" x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\">{3}</text>",
            y(tick),
            LEFT - 6.0,
            y(tick) + 4.0,
            axis.text(tick)
        );
    }
    for (index, text) in times {
        let _ = writeln!(
            svg,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x(*index),
            bottom + 18.0,
            escape(text)
        );
    }
    let point = |(index, value): (usize, f64)| format!("{:.1},{:.1}", x(index), y(value));
    let above = values.iter().enumerate().map(|(index, value)| point((index, value.high())));
    let below = values.iter().enumerate().rev().map(|(index, value)| point((index, value.low())));
    let band = above.chain(below).collect::<Vec<_>>().join(" ");
    let path =
        values.iter().enumerate().map(|(index, value)| point((index, value.value))).collect::<Vec<_>>().join(" ");
    let _ = writeln!(svg, "<polygon class=\"band\" points=\"{band}\"/><polyline class=\"line\" points=\"{path}\"/>");
    for (index, value) in values.iter().enumerate() {
        svg.push_str(&whisker((x(index), y(value.low())), (x(index), y(value.high()))));
        if values.len() <= 60 {
            let _ =
                writeln!(svg, "<circle class=\"bar\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\"/>", x(index), y(value.value));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn open(caption: &Caption<'_>, height: f64) -> String {
    let Caption { id, title, description } = caption;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-text\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-text\">{}</desc>\n",
        escape(title),
        escape(description)
    )
}

/// A mark over the range that a value may have, where that is wide enough to be seen.
fn whisker((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> String {
    if (x2 - x1).abs().max((y2 - y1).abs()) < 2.0 {
        return String::new();
    }
    // The ends stand across: along y for a mark along x.
    let (dx, dy) = if (y2 - y1).abs() < f64::EPSILON { (0.0, 4.0) } else { (4.0, 0.0) };
    format!(
        "<path class=\"error\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}M{:.1} {:.1}L{:.1} {:.1}M{:.1} {:.1}L{:.1} {:.1}\"/>\n",
        x1 - dx,
        y1 - dy,
        x1 + dx,
        y1 + dy,
        x2 - dx,
        y2 - dy,
        x2 + dx,
        y2 + dy
    )
}

fn shortened(label: &str) -> String {
    // From Hangul on most scripts take two places.
    let mut room = LABEL_WIDTH;
    let fits = |character: &char| {
        let width = if *character < '\u{1100}' { 1 } else { 2 };
        room.checked_sub(width).map(|left| room = left).is_some()
    };
    let mut shown: String = label.chars().take_while(fits).collect();
    if shown.len() < label.len() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// An axis from one multiple of a round step to another.
struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    fn new(low: f64, high: f64, steps: usize) -> Self {
        let span = if high > low { high - low } else { 1.0 };
        let rough = span / steps as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|&step| step >= rough * 0.999);
        let step = step.unwrap_or(power);
        let low = (low / step).floor() * step;
        Self { low, high: ((low + span).max(high) / step - 1e-9).ceil() * step, step }
    }

    /// From 0 at the low end to 1 at the high one.
    fn part(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let count = ((self.high - self.low) / self.step).round() as usize;
        (0..=count).map(|index| self.low + self.step * index as f64)
    }

    fn text(&self, tick: f64) -> String {
        let decimals = (-self.step.log10().floor()).clamp(0.0, 9.0) as usize;
        unsigned_zero(format!("{tick:.decimals$}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTION: Caption<'_> = Caption { id: "a", title: "T<", description: "D&" };

    #[test]
    fn axes_end_on_round_numbers_that_hold_every_value() {
        for (low, high) in [(0.0, 1.0), (0.0, 0.37), (0.0, 7234.0), (-1.0, 1.0), (-0.2, 3.3), (0.0, 1e-6), (0.0, 0.0)] {
            let axis = Axis::new(low, high, 5);
            assert!(axis.low <= low && axis.high >= high, "{low} {high}");
            let ticks: Vec<f64> = axis.ticks().collect();
            assert!((3..=9).contains(&ticks.len()), "{low} {high}: {ticks:?}");
            assert!((axis.part(axis.low), axis.part(axis.high)) == (0.0, 1.0));
        }
        let texts = |axis: Axis| axis.ticks().map(|tick| axis.text(tick)).collect::<Vec<_>>();
        assert_eq!(texts(Axis::new(0.0, 1.0, 5)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(Axis::new(-1.0, 1.0, 4)), ["-1.0", "-0.5", "0.0", "0.5", "1.0"]);
    }

    #[test]
    fn marks_appear_where_a_bound_can_be_seen_and_text_is_escaped() {
        let bar = |label: &str, bound| Bar { label: label.into(), value: Estimate::new(0.5, bound), text: "½".into() };
        let svg = bars(&CAPTION, &[bar("<b>", 1e-9), bar("\"quoted\" 'name'", 0.2)], (0.0, 1.0));
        assert_eq!(svg.matches("class=\"bar\"").count(), 2);
        assert_eq!(svg.matches("class=\"error\"").count(), 1);
        assert!(svg.contains("&lt;b&gt;") && svg.contains("&quot;quoted&quot; &#39;name&#39;") && !svg.contains("<b>"));
        assert!(
            svg.contains("<title id=\"a-title\">T&lt;</title>") && svg.contains("<desc id=\"a-text\">D&amp;</desc>")
        );
    }

    #[test]
    fn a_line_has_a_point_for_every_value_and_copes_with_none() {
        let values: Vec<Estimate> = (0..7).map(|value| Estimate::new(f64::from(value), 0.5)).collect();
        let svg = line(&CAPTION, &values, &[(0, "0:00".into())]);
        assert_eq!(svg.matches("<circle").count(), 7);
        assert_eq!(svg.matches("class=\"error\"").count(), 7);
        assert!(line(&CAPTION, &[], &[]).ends_with("</svg>\n"));
    }

    #[test]
    fn long_labels_are_shortened_and_kept_whole_in_the_title() {
        for (character, kept) in [("ä", LABEL_WIDTH - 1), ("語", LABEL_WIDTH / 2 - 1)] {
            let label = character.repeat(100);
            let bar = Bar { label: label.clone(), value: Estimate::exact(1.0), text: String::new() };
            let svg = bars(&CAPTION, &[bar], (0.0, 1.0));
            assert!(svg.contains(&format!("<title>{label}</title>{}…<", character.repeat(kept))));
        }
        assert_eq!(shortened("Ada Lovelace"), "Ada Lovelace");
        assert_eq!(shortened(&"a".repeat(LABEL_WIDTH)), "a".repeat(LABEL_WIDTH));
    }
}
