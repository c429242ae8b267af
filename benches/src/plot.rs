//! The plot of a report: how many times longer each peer takes, on a logarithmic scale.

use std::fmt::Write;

use crate::report::{Report, Row, Unit, number};

const LABELS: f64 = 620.0;
const BARS: f64 = 430.0;
const VALUES: f64 = 70.0;
const LINE: f64 = 22.0;
const TOP: f64 = 62.0;

/// Bars from one (as fast as the peer) to the longest ratio; an SVG without outside references.
pub(crate) fn ratios(report: &Report) -> String {
    let rows: Vec<(&Row, f64)> = report
        .rows
        .iter()
        .filter(|row| row.unit == Unit::Microseconds)
        .filter_map(|row| Some((row, 1.0 / row.ratio?)))
        .collect();
    let decades = rows.iter().fold(1.0_f64, |most, (_, times)| most.max(times.log10())).ceil();
    let (width, height) = (LABELS + BARS + VALUES, TOP + LINE * rows.len() as f64 + 16.0);
    let x = |times: f64| LABELS + BARS * times.log10().max(0.0) / decades;
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"8\" y=\"20\" font-size=\"15\">How many times longer the peer takes (minimum / minimum, one core)</text>\n\
         <text x=\"8\" y=\"38\" fill=\"#555555\">{}, backend {}</text>\n",
        escape(&report.machine.cpu),
        escape(&report.machine.backend)
    );
    for decade in 0..=decades as i32 {
        let (times, bottom) = (10_f64.powi(decade), height - 10.0);
        let _ = write!(
            svg,
            "<line x1=\"{0:.1}\" y1=\"{TOP}\" x2=\"{0:.1}\" y2=\"{bottom}\" stroke=\"#dddddd\"/>\n\
             <text x=\"{0:.1}\" y=\"{1}\" text-anchor=\"middle\" fill=\"#555555\">{times}x</text>\n",
            x(times),
            TOP - 6.0
        );
    }
    for (index, (row, times)) in rows.iter().enumerate() {
        let y = TOP + LINE * index as f64;
        let set = row.parameters.split(':').next().unwrap_or_default();
        let peer = row.peer.as_ref().map_or("", |peer| peer.name.as_str());
        let label = escape(&format!("{}, {set} | {peer}", row.subject));
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>\n\
             <rect x=\"{LABELS}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" fill=\"#2a6f97\"/>\n\
             <text x=\"{:.1}\" y=\"{}\">{}x</text>\n",
            LABELS - 8.0,
            y + 15.0,
            y + 4.0,
            x(*times) - LABELS,
            LINE - 8.0,
            x(*times) + 5.0,
            y + 15.0,
            number(*times)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Machine;
    use crate::measure::Figure;
    use crate::report::Peer;

    #[test]
    fn a_bar_is_drawn_for_every_ratio_and_text_is_escaped() {
        let row = |ours, theirs| {
            let peer = Peer { name: "a<b".into(), parameters: String::new(), figure: Figure::exact(theirs) };
            Row::new("subject", "set: details", Unit::Microseconds, Figure::exact(ours)).beside(peer)
        };
        let alone = Row::new("alone", "set", Unit::Microseconds, Figure::exact(1.0));
        let machine = Machine::describe(blindrelay_kernels::Backend::Scalar);
        let report =
            Report { machine, rounds: 1, notes: Vec::new(), rows: vec![row(1.0, 100.0), row(2.0, 3.0), alone] };
        let svg = ratios(&report);
        assert_eq!(svg.matches("<rect x=").count(), 2);
        assert!(svg.contains("a&lt;b") && svg.contains(">100x<") && svg.contains(">1.50x<") && !svg.contains("alone"));
    }
}
