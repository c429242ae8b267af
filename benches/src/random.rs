//! Reproducible inputs: the same numbers in every run and on both sides. Nothing here is secret.

use blindrelay_routing::{MatchKind, TOKEN_ENTRIES, Token};

use crate::Error;

/// `SplitMix64` (Steele, Lea, Flood, *Fast splittable pseudorandom number generators*, 2014).
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `count` residues modulo `modulus`.
    pub fn residues(&mut self, modulus: u64, count: usize) -> Vec<u64> {
        (0..count).map(|_| self.next_word() % modulus).collect()
    }

    /// `count` integers from `-limit` to `limit`.
    pub fn signed(&mut self, limit: i64, count: usize) -> Vec<i64> {
        (0..count).map(|_| (self.next_word() >> 1) as i64 % (2 * limit + 1) - limit).collect()
    }

    /// A token with entries of the kind's whole range.
    pub fn token(&mut self, kind: MatchKind) -> Result<Token, Error> {
        let limit = i64::from(kind.entry_limit());
        let entries = match kind {
            MatchKind::Signs => (0..TOKEN_ENTRIES).map(|_| self.sign()).collect(),
            MatchKind::Embeddings => self.signed(limit, TOKEN_ENTRIES),
        };
        Ok(Token::from_entries(&entries.into_iter().map(|entry| entry as i8).collect::<Vec<_>>())?)
    }

    fn sign(&mut self) -> i64 {
        if self.next_word() & 1 == 0 { 1 } else { -1 }
    }
}
