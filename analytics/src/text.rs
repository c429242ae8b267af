//! Figures as text for people, and text that is safe inside a page.

use crate::estimate::Estimate;

/// Text inside an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control characters have no picture, and SVG forbids them.
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Hours, minutes and seconds.
pub(crate) fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The figure, or `none`.
pub(crate) fn optional(value: Option<Estimate>, unit: &str) -> String {
    value.map_or_else(|| "none".to_owned(), |value| figure(value, unit))
}

/// Most decimals of a figure; the JSON has all.
const DECIMALS: f64 = 3.0;

/// A value to as many decimals as its bound supports, at most three, and the bound to as many, rounded up with what the value's rounding adds.
pub(crate) fn figure(estimate: Estimate, unit: &str) -> String {
    let Estimate { value, bound } = estimate;
    if bound == 0.0 && value.fract() == 0.0 {
        return format!("{value}{unit}");
    }
    let decimals = (-bound.log10()).ceil().clamp(0.0, DECIMALS) as usize;
    let shown = unsigned_zero(format!("{value:.decimals$}"));
    let rounding = shown.parse::<f64>().map_or(0.0, |shown| (shown - value).abs());
    let places = 10_f64.powi(decimals as i32);
    let most = ((bound + rounding) * places).ceil() / places;
    format!("{shown} ± {most:.decimals$}{unit}")
}

/// A zero that comes from rounding has no sign.
pub(crate) fn unsigned_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|digit| matches!(digit, '0' | '.')) => digits.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_show_what_their_bound_supports() {
        let shown = |value, bound| figure(Estimate::new(value, bound), " s");
        assert_eq!(shown(42.0, 0.0), "42 s");
        assert_eq!(shown(1234.5678, 0.02), "1234.57 ± 0.03 s");
        assert_eq!(shown(1234.5678, 3.0), "1235 ± 4 s");
        assert_eq!(shown(0.123_456_789, 1e-9), "0.123 ± 0.001 s");
        assert_eq!(shown(0.5, 0.0), "0.500 ± 0.000 s");
        assert_eq!(shown(-0.000_000_01, 1e-7), "0.000 ± 0.001 s");
        assert_eq!(shown(-7.0, 25.0), "-7 ± 25 s");
        assert_eq!(shown(1e9, 123_456_789.0), "1000000000 ± 123456789 s");
    }

    #[test]
    fn times_are_written_as_clocks() {
        assert_eq!([0.0, 59.6, 3600.0, 86_399.0].map(clock), ["0:00:00", "0:01:00", "1:00:00", "23:59:59"]);
    }
}
