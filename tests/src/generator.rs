//! Deterministic choices: the expansion of a seed, so that a failing case is named by one number.

use blindrelay_engine::ring::{Expander, Seed, WordStream};

/// A stream of choices.
pub struct Generator(WordStream);

impl Generator {
    /// The stream of case `number`.
    pub fn new(domain: &str, number: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Self(Expander::new(&Seed::from_bytes(bytes), domain).stream(0))
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        let mut word = [0];
        self.0.fill(&mut word);
        word[0]
    }

    /// A number in `[0, bound)`.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.word()) * bound as u128) >> 64) as usize
    }

    /// One of the items.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// An integer in `[-limit, limit]`, often at the ends.
    pub fn value(&mut self, limit: u64) -> i64 {
        match self.below(8) {
            0 => limit as i64,
            1 => -(limit as i64),
            2 => 0,
            _ => ((u128::from(self.word()) * u128::from(2 * limit + 1)) >> 64) as i64 - limit as i64,
        }
    }

    /// A seed.
    pub fn seed(&mut self) -> Seed {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.word().to_le_bytes());
        }
        Seed::from_bytes(bytes)
    }
}
