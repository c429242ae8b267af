//! The function that matching computes, on clear values.

use crate::layout::TOKEN_ENTRIES;

/// The inner product of two tokens.
pub fn score(x: &[i8; TOKEN_ENTRIES], y: &[i8; TOKEN_ENTRIES]) -> i64 {
    x.iter().zip(y).map(|(&x, &y)| i64::from(x) * i64::from(y)).sum()
}
