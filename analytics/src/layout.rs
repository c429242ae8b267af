//! Which number stands in which slot, and which products the sums need.
//!
//! ```text
//! ciphertext 0   values [0, w)   presence [w, 2w)   bins [2w, 2w + k)
//! ciphertext 1   values [0, w)                                           correlation: the second series
//! ```
//!
//! A contribution may leave values out (somebody gave no score): then value and presence are 0, and the sum of a presence slot is how many gave that
//! value. The square of a presence is the presence, so a product of the whole ciphertext with itself carries the sums of squares beside the same
//! counts. What is not listed is not there: attention and durations have no second ciphertext, speaking and concurrency have values only, and only
//! durations have bins, to which the contributor adds 1 for each of its calls.

use std::ops::Range;

use crate::settings::Collect;

/// The layout of a statistic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    width: usize,
    presence: bool,
    bins: usize,
    ciphertexts: usize,
    products: &'static [(usize, usize)],
}

impl Layout {
    /// The layout of what is collected.
    pub const fn of(collect: &Collect) -> Self {
        let (presence, ciphertexts, products): (_, _, &'static [(usize, usize)]) = match collect {
            Collect::Attention { .. } | Collect::Durations { .. } => (true, 1, &[(0, 0)]),
            Collect::Speaking { .. } | Collect::Concurrency { .. } => (false, 1, &[]),
            Collect::Correlation { .. } => (true, 2, &[(0, 0), (1, 1), (0, 1)]),
        };
        let bins = match collect {
            Collect::Durations { edges, .. } => edges.len(),
            _ => 0,
        };
        Self { width: collect.width(), presence, bins, ciphertexts, products }
    }

    /// Ciphertexts of a contribution, and of the sums of contributions.
    pub const fn ciphertexts(&self) -> usize {
        self.ciphertexts
    }

    /// The products of a contribution's ciphertexts that are summed too.
    pub const fn products(&self) -> &'static [(usize, usize)] {
        self.products
    }

    /// The slots of the values.
    pub const fn values(&self) -> Range<usize> {
        0..self.width
    }

    /// The slots of the presences; empty where the statistic has none.
    pub const fn presence(&self) -> Range<usize> {
        self.width..if self.presence { 2 * self.width } else { self.width }
    }

    /// The slots of the histogram's bins; empty where the statistic has none.
    pub const fn bins(&self) -> Range<usize> {
        let start = self.presence().end;
        start..start + self.bins
    }

    /// How many slots of a ciphertext carry something; the rest is zero.
    pub const fn used(&self, ciphertext: usize) -> usize {
        if ciphertext == 0 { self.bins().end } else { self.width }
    }

    /// How many slots of a product carry something.
    pub fn used_by_product(&self, (a, b): (usize, usize)) -> usize {
        self.used(a).min(self.used(b))
    }
}
