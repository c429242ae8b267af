//! How an automorphism `X -> X^k` moves the values of a transform.
//!
//! Value `i` of the image is the value at the `k`-th power of point `i`. In the transform's order the low three bits of `i` are the
//! high three bits of the point's exponent (see [`evaluation_exponent`](crate::evaluation_exponent)): eight neighbours are
//! `e + m n / 4` for `m` in `0..8`, and multiplication by `k` takes them to eight neighbours again. So the image is made of whole
//! groups of eight, each with its lanes permuted in one of eight ways.

use crate::table::bit_reverse;

/// Values that are moved together.
const GROUP: usize = 8;

/// Where each lane of an image's group comes from.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct LaneOrder(pub(crate) [u64; GROUP]);

/// The action of `X -> X^k` on transforms of one size, computed once per `k`.
#[derive(Clone, Debug)]
pub struct NttAutomorphism {
    /// For each group of the image: 8 times the group that it comes from, plus the number of its lane order.
    sources: Vec<u32>,
    orders: [LaneOrder; GROUP],
}

impl NttAutomorphism {
    /// The action of `X -> X^exponent` on transforms of size `n`. `None` for an even exponent or an `n` that is not a power of two
    /// in `[16, 65536]`.
    pub fn new(exponent: u32, n: usize) -> Option<Self> {
        if exponent.is_multiple_of(2) || !n.is_power_of_two() || !(crate::MIN_SIZE..=crate::MAX_SIZE).contains(&n) {
            return None;
        }
        let k = exponent as usize % (2 * n);
        let group_bits = (n / GROUP).trailing_zeros();
        // Exponents of one group differ by multiples of this.
        let stride = n / 4;
        let sources = (0..n / GROUP).map(|group| {
            let image = (2 * bit_reverse(group, group_bits) + 1) * k;
            let source = bit_reverse(image % stride / 2, group_bits);
            (GROUP * source + image / stride % GROUP) as u32
        });
        let lane = |first: usize, lane: usize| bit_reverse((first + k * bit_reverse(lane, 3)) % GROUP, 3) as u64;
        let orders = core::array::from_fn(|first| LaneOrder(core::array::from_fn(|index| lane(first, index))));
        Some(Self { sources: sources.collect(), orders })
    }

    /// The transform size.
    pub fn n(&self) -> usize {
        GROUP * self.sources.len()
    }

    /// For each group of the image, the group it comes from and the number of its lane order, packed.
    #[inline]
    pub(crate) fn sources(&self) -> &[u32] {
        &self.sources
    }

    /// The group and the lane order of an entry of [`Self::sources`].
    #[inline]
    pub(crate) fn unpack(&self, source: u32) -> (usize, &LaneOrder) {
        (source as usize / GROUP, &self.orders[source as usize % GROUP])
    }

    /// The positions that group `group` of the image reads.
    #[inline]
    pub(crate) fn positions(&self, group: usize) -> [usize; GROUP] {
        let (source, order) = self.unpack(self.sources[group]);
        order.0.map(|lane| GROUP * source + lane as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation_exponent;

    #[test]
    fn every_value_comes_from_the_power_of_its_point() {
        for n in [16, 32, 64, 128, 1024] {
            let place = |exponent: usize| (0..n).find(|&i| evaluation_exponent(n, i) == exponent).unwrap();
            for k in [1, 3, 5, 7, 9, 27, n + 1, n - 1, 2 * n - 1] {
                let automorphism = NttAutomorphism::new(k as u32, n).unwrap();
                assert_eq!(automorphism.n(), n);
                for i in 0..n {
                    let expected = place(evaluation_exponent(n, i) * k % (2 * n));
                    assert_eq!(automorphism.positions(i / 8)[i % 8], expected, "k = {k}, n = {n}, value {i}");
                }
            }
        }
    }

    #[test]
    fn even_exponents_and_other_sizes_are_refused() {
        for (k, n) in [(2, 16), (0, 1024), (3, 8), (3, 48), (3, 1 << 17)] {
            assert!(NttAutomorphism::new(k, n).is_none());
        }
    }
}
