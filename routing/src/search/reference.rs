//! The functions that searches compute, on clear values.

use super::pack::Keyword;

/// The places, ascending, at which a participant has the keyword: one, or none.
pub fn places(keywords: &[Keyword], query: &Keyword) -> Vec<usize> {
    keywords.iter().enumerate().filter(|(_, keyword)| *keyword == query).map(|(place, _)| place).collect()
}

/// How many participants have the keyword.
pub fn count<'a>(participants: impl IntoIterator<Item = &'a [Keyword]>, query: &Keyword) -> usize {
    participants.into_iter().filter(|keywords| keywords.contains(query)).count()
}
