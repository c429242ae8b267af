//! Text from elsewhere made fit for a terminal: no control characters, one line, measured in columns.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The text on one line, with control characters and direction overrides written out, so that a name cannot move the cursor.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        let reorders = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let breaks = matches!(character, '\u{2028}' | '\u{2029}');
        if character.is_control() || reorders || breaks {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// A name for a table: one line, and set apart from its surroundings where it is written from right to left.
pub(crate) fn name(text: &str) -> String {
    let line = one_line(text);
    let right_to_left = line.chars().any(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'));
    if right_to_left { format!("\u{2068}{line}\u{2069}") } else { line }
}

/// Columns that a terminal gives to the text.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text broken into lines of at most `columns` columns, where it is broken already and at spaces where there are any.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    text.split('\n').flat_map(|line| wrap_line(line, columns.max(2))).collect()
}

fn wrap_line(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for (index, word) in text.split(' ').enumerate() {
        if !line.trim().is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        } else if index > 0 {
            line.push(' ');
        }
        for grapheme in word.graphemes(true) {
            if !line.is_empty() && width(&line) + width(grapheme) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(grapheme);
        }
    }
    lines.push(line);
    lines
}

/// The text followed by spaces up to `columns` columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// An integer with its thousands set apart.
pub(crate) fn grouped(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 thing`, `2 things`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{} {thing}s", grouped(number)) }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_overrides_are_written_out() {
        assert_eq!(one_line("a\u{1b}[2J\nb\u{202e}c"), "a\\u{1b}[2J\\nb\\u{202e}c");
        assert_eq!(name("ليلى"), "\u{2068}ليلى\u{2069}");
        assert_eq!(name("王小明"), "王小明");
    }

    #[test]
    fn lines_stay_within_their_columns_in_any_script() {
        for text in ["one two three four", "王小明王小明王小明王小明", "👩‍🚀👩‍🚀👩‍🚀👩‍🚀👩‍🚀👩‍🚀", "supercalifragilistic", ""]
        {
            let lines = wrap(text, 8);
            assert!(lines.iter().all(|line| width(line) <= 8), "{lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
            assert!(lines.iter().all(|line| width(&pad(line, 9)) == 9));
        }
    }

    #[test]
    fn indented_lines_stay_indented() {
        assert_eq!(wrap("a\n  b c\n", 4), ["a", "  b", "c", ""]);
    }

    #[test]
    fn numbers_read_easily() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([count(1, "handle"), count(2, "handle")], ["1 handle", "2 handles"]);
        assert_eq!(hex(&[0, 171]), "00ab");
    }
}
