//! The function that a find computes, on clear values.

use crate::layout::TOKEN_ENTRIES;
use crate::reference::score;

/// The payloads of all whose token reaches the threshold with the probe, in the order of the participants.
pub fn find<'a>(
    probe: &[i8; TOKEN_ENTRIES],
    participants: impl IntoIterator<Item = (&'a [i8; TOKEN_ENTRIES], &'a [u8])>,
    threshold: i64,
) -> Vec<&'a [u8]> {
    participants.into_iter().filter(|(token, _)| score(probe, token) >= threshold).map(|(_, payload)| payload).collect()
}
