//! Which value stands in which coefficient.
//!
//! ```text
//! enrolled  E(X) = sum over tokens j, entries i of  y[j][i] X^(128 j + i)
//! probe     P(X) = sum over entries i of            x[i]    X^(127 - i)
//! ```
//!
//! Coefficient `128 j + 127` of `E P` is the score `<x, y_j>`: the terms of other tokens land elsewhere, because an exponent `128 j' + i' + 127 - i` equals
//! `128 j + 127` only for `j' = j`, `i' = i` (the difference of two entries is below 128 in magnitude, and nothing wraps onto it: a
//! wrapped exponent is at most 126). One product gives all scores, without rotations.

/// Entries of a token.
pub const TOKEN_ENTRIES: usize = 128;

/// The layout of tokens in polynomials of one ring degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    degree: usize,
}

impl Layout {
    /// The layout for a ring degree, a multiple of 128.
    pub const fn new(degree: usize) -> Self {
        Self { degree }
    }

    /// How many tokens share a polynomial.
    pub const fn capacity(self) -> usize {
        self.degree / TOKEN_ENTRIES
    }

    /// The exponent of entry `entry` of the token at place `place`.
    pub const fn entry(self, place: usize, entry: usize) -> usize {
        TOKEN_ENTRIES * place + entry
    }

    /// The exponent of entry `entry` of the probe.
    pub const fn probe_entry(self, entry: usize) -> usize {
        TOKEN_ENTRIES - 1 - entry
    }

    /// The coefficient that carries the score of the token at place `place`.
    pub const fn score(self, place: usize) -> u32 {
        (TOKEN_ENTRIES * place + TOKEN_ENTRIES - 1) as u32
    }

    /// Whether a coefficient is the score of some place.
    pub const fn carries_score(self, position: u32) -> bool {
        (position as usize) < self.capacity() * TOKEN_ENTRIES && position as usize % TOKEN_ENTRIES == TOKEN_ENTRIES - 1
    }

    /// By how much `X` has to be raised to move a record from place 0 to place `place`.
    pub const fn shift(self, place: usize) -> usize {
        TOKEN_ENTRIES * place
    }
}
