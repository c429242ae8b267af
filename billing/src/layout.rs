//! Which slot carries which item, and sums over slots without rotations.
//!
//! The `n` slots are the values `m(zeta^e)` of the plaintext polynomial at the odd powers `e < 2n` of a primitive `2n`-th root `zeta` modulo `t`. Let `g` divide
//! `n`, and call the `g` slots with the same `e mod 2n/g` a *lane*: they share `zeta^(g e)`. Over a lane, with `w = 2n/g`,
//!
//! `sum_(k<g) m(zeta^(e + w k)) = sum_i m_i zeta^(i e) sum_(k<g) zeta^(i w k) = g * sum_j m_(g j) (zeta^(g e))^j`,
//!
//! because `zeta^w` has order `g`, so that the inner sum is `g` where `g` divides `i` and 0 elsewhere. The sums over lanes are therefore `g` times
//! the slots of the polynomial made of the coefficients at multiples of `g`, and the sum over all slots (`g = n`) is `n m_0`: subtotals and total are in
//! the ciphertext as it is. Items get whole lanes.

use std::sync::Arc;

use blindrelay_engine::bfv::{Context, Plaintext};

use crate::error::RateError;
use crate::rates::{Item, ItemId, ItemKind, MAX_ITEMS, Period, Pricing, Rate, RateCard};

/// Lanes that the slots are divided into.
pub const LANES: usize = 128;

/// A rate card laid out over the slots of a parameter set: what meter, service and key holder have to agree on.
#[derive(Clone, Debug)]
pub struct Layout {
    card: RateCard,
    limit: u64,
    slots: usize,
    /// First lane of each item, and one more entry for the end.
    starts: Vec<usize>,
    /// Ascending slots of each item.
    places: Vec<Vec<u16>>,
}

impl Layout {
    /// Lays the card out. Refused where the set has no slots and where one line of an item could already wrap modulo `t`.
    pub fn new(card: RateCard, context: &Context) -> Result<Arc<Self>, RateError> {
        let parameters = || RateError::Parameters { name: context.parameters().name().to_owned(), needed: 2 * LANES };
        let slots =
            context.slot_count().filter(|slots| (2 * LANES..=1 << 16).contains(slots)).ok_or_else(parameters)?;
        let limit = context.plaintext_limit();
        for item in card.items() {
            for price in item.prices() {
                let largest = card
                    .period_from(price.from)
                    .and_then(|period| card.rate(item, period))
                    .map_or(0, |rate| rate.largest);
                let bound = u128::from(item.slot_limit()) * u128::from(largest.max(1));
                if bound > u128::from(limit) {
                    return Err(RateError::Range { item: item.name().to_owned(), bound, limit: limit.into() });
                }
            }
        }
        let lane = slots / LANES;
        let needs: Vec<u64> = card.items().iter().map(|item| item.least_slots().div_ceil(lane as u64)).collect();
        let needed = needs.iter().sum();
        if needed > LANES as u64 {
            return Err(RateError::Lanes { needed, lane, available: LANES });
        }
        let needs: Vec<(usize, u32)> =
            needs.iter().zip(card.items()).map(|(&need, item)| (need as usize, item.weight())).collect();
        let starts = divide_lanes(&needs);
        let places = starts.array_windows().map(|&[first, end]| slots_of_lanes(first, end, slots)).collect();
        Ok(Arc::new(Self { card, limit, slots, starts, places }))
    }

    /// The card.
    pub const fn card(&self) -> &RateCard {
        &self.card
    }

    /// Largest magnitude of a slot, `(t - 1) / 2`.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// Number of slots: lines that fit one batch.
    pub const fn slot_count(&self) -> usize {
        self.slots
    }

    /// The slots of an item, ascending.
    pub fn slots(&self, item: ItemId) -> &[u16] {
        self.places.get(item.index()).map_or(&[], Vec::as_slice)
    }

    /// The item of every slot.
    pub fn owners(&self) -> Vec<ItemId> {
        let mut owners: Vec<(u16, ItemId)> =
            self.card.ids().flat_map(|item| self.slots(item).iter().map(move |&slot| (slot, item))).collect();
        owners.sort_unstable_by_key(|&(slot, _)| slot);
        owners.into_iter().map(|(_, item)| item).collect()
    }

    /// One value for every slot from one value for every item.
    pub fn spread(&self, value: impl Fn(ItemId) -> u64) -> Vec<i64> {
        self.spread_places(|item| {
            let of_item = value(item);
            move |_| of_item
        })
    }

    /// One value for every slot, from the item that it belongs to and its place among the item's slots.
    fn spread_places<F: Fn(usize) -> u64>(&self, value: impl Fn(ItemId) -> F) -> Vec<i64> {
        let mut values = vec![0; self.slots];
        for item in self.card.ids() {
            let of_item = value(item);
            for (place, &slot) in self.slots(item).iter().enumerate() {
                if let Some(value) = values.get_mut(usize::from(slot)) {
                    *value = of_item(place) as i64;
                }
            }
        }
        values
    }

    /// What the service multiplies every slot by in a period: the numerator of its item, or of the length of a call that it counts. 0 where there is no price yet
    /// and beyond the longest call; meaningless where prices are encrypted.
    pub fn multipliers(&self, period: Period) -> Vec<i64> {
        let rates = self.rates(period);
        self.spread_places(|id| {
            let priced = self.pricing(id, period).zip(rates.get(id.index()).copied().flatten());
            move |place| priced.and_then(|(pricing, rate)| rate.numerator_at(pricing, place)).unwrap_or(0)
        })
    }

    fn pricing(&self, id: ItemId, period: Period) -> Option<&Pricing> {
        self.card.item(id)?.price_on(period.start).map(|price| &price.pricing)
    }

    /// The rate of every item in a period; `None` where an item has no price yet.
    pub fn rates(&self, period: Period) -> Vec<Option<Rate>> {
        self.card.items().iter().map(|item| self.card.rate(item, period)).collect()
    }

    /// What the slots of each item can reach after so many batches, as usage and as charge: the largest of them. Sums over slots are taken
    /// after opening, in integers, so that only single slots have to stay below [`Layout::limit`].
    pub fn reach(&self, period: Period, batches: u64) -> u128 {
        let reach = |(item, rate): (&Item, Option<Rate>)| {
            let largest = rate.map_or(0, |rate| rate.largest);
            u128::from(batches).saturating_mul(u128::from(item.slot_limit())).saturating_mul(u128::from(largest.max(1)))
        };
        self.card.items().iter().zip(self.rates(period)).map(reach).max().unwrap_or(0)
    }

    /// What every slot of a report's usage, charges and rates may hold, smallest and largest: the key holder opens against it.
    pub fn ranges(&self, period: Period, batches: u64) -> [Vec<(i64, i64)>; 3] {
        let rates = self.rates(period);
        let largest = |id: ItemId| rates.get(id.index()).copied().flatten().map(|rate| rate.largest);
        let usage = |id: ItemId| {
            let priced = largest(id).is_some();
            let item = self.card.item(id).filter(|_| priced);
            let most = item.map_or(0, |item| batches.saturating_mul(item.slot_limit()).min(self.limit));
            // Beyond the longest call nothing is counted.
            let places =
                item.filter(|item| item.kind() == ItemKind::Call).map_or(usize::MAX, |item| item.limit() as usize + 1);
            move |place| if place < places { most } else { 0 }
        };
        let charge = |id: ItemId| {
            let (used, rate) = (usage(id), rates.get(id.index()).copied().flatten());
            let pricing = self.pricing(id, period);
            move |place| {
                let most = rate.map_or(0, |rate| {
                    pricing.and_then(|pricing| rate.numerator_at(pricing, place)).unwrap_or(rate.largest)
                });
                used(place).saturating_mul(most).min(self.limit)
            }
        };
        let rate = |id: ItemId| largest(id).unwrap_or(0);
        [self.spread_places(usage), self.spread_places(charge), self.spread(rate)]
            .map(|maxima| maxima.into_iter().map(|maximum| (0, maximum)).collect())
    }

    /// Most batches of a period that cannot wrap.
    pub fn capacity(&self, period: Period) -> u64 {
        let one = self.reach(period, 1).max(1);
        u64::try_from(u128::from(self.limit) / one).unwrap_or(u64::MAX)
    }

    /// The sum of the slots of every item, and of all slots, modulo `t`: from the coefficients at multiples of `n / 128` alone. Canonical residues.
    /// `None` where the plaintext is of other parameters.
    pub fn partial_trace(&self, context: &Context, plaintext: &Plaintext) -> Option<(Vec<u64>, u64)> {
        let t = context.plaintext_modulus();
        let (stride, residues) = (self.slots / LANES, plaintext.residues());
        if residues.len() != self.slots || context.slot_count() != Some(self.slots) {
            return None;
        }
        // The slots of X^g are zeta^(g e), the points at which the coefficients are evaluated.
        let mut monomial = vec![0; stride + 1];
        *monomial.last_mut()? = 1;
        let points = context.decode_slots(&context.encode_coefficients(&monomial).ok()?).ok()?;
        let coefficients: Vec<u64> = residues.iter().step_by(stride).copied().collect();
        let of_lane = |lane: usize| {
            let point = points.get(first_slot(lane, self.slots)).map_or(0, |&point| t.from_signed(point));
            let value =
                coefficients.iter().rev().fold(0, |value, &coefficient| t.add(t.mul(value, point), coefficient));
            t.mul(value, t.reduce(stride as u64))
        };
        let of_item = |&[first, end]: &[usize; 2]| (first..end).map(of_lane).fold(0, |sum, lane| t.add(sum, lane));
        let total = t.mul(*coefficients.first()?, t.reduce(self.slots as u64));
        Some((self.starts.array_windows().map(of_item).collect(), total))
    }
}

/// The first slot of a lane. Slot `i` of row 0 is the value at `zeta^(3^i)`, and 3 has order `LANES / 2` modulo `2 LANES`: the slots of a lane are those of one
/// row with the same `i mod LANES / 2`.
const fn first_slot(lane: usize, slots: usize) -> usize {
    let half = LANES / 2;
    (lane / half) * (slots / 2) + lane % half
}

fn slots_of_lanes(first: usize, end: usize, slots: usize) -> Vec<u16> {
    let in_row = slots / LANES;
    let mut places: Vec<u16> = (first..end)
        .flat_map(|lane| (0..in_row).map(move |turn| (first_slot(lane, slots) + turn * (LANES / 2)) as u16))
        .collect();
    places.sort_unstable();
    places
}

/// From the lanes that each item cannot do without, together at most [`LANES`], and its weight: those lanes, and the others in proportion to the weights. Whole
/// shares first, then the largest remainders (Hamilton), the earlier item where two are equal. Where nobody has a weight, all weigh the same. Returns the
/// boundaries.
fn divide_lanes(needs: &[(usize, u32)]) -> Vec<usize> {
    debug_assert!(!needs.is_empty() && needs.len() <= MAX_ITEMS);
    let spare = LANES.saturating_sub(needs.iter().map(|&(need, _)| need).sum()) as u64;
    let nobody = needs.iter().all(|&(_, weight)| weight == 0);
    let weights = needs.iter().map(|&(_, weight)| if nobody { 1 } else { u64::from(weight) });
    let all = weights.clone().sum::<u64>().max(1);
    let shares: Vec<u64> = weights.map(|weight| spare * weight).collect();
    let mut lanes: Vec<usize> =
        needs.iter().zip(&shares).map(|(&(need, _), share)| need + (share / all) as usize).collect();
    let left = LANES.saturating_sub(lanes.iter().sum());
    let mut by_remainder: Vec<usize> = (0..needs.len()).collect();
    by_remainder.sort_by_key(|&item| std::cmp::Reverse(shares.get(item).map_or(0, |share| share % all)));
    for item in by_remainder.into_iter().take(left) {
        if let Some(lanes) = lanes.get_mut(item) {
            *lanes += 1;
        }
    }
    let mut end = 0;
    std::iter::once(0)
        .chain(lanes.into_iter().map(|count| {
            end += count;
            end
        }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_follow_the_weights_and_all_are_given() {
        let divide = |weights: &[u32]| divide_lanes(&weights.iter().map(|&weight| (1, weight)).collect::<Vec<_>>());
        assert_eq!(divide(&[5]), [0, LANES]);
        assert_eq!(divide(&[1, 1]), [0, 64, 128]);
        assert_eq!(divide(&[2, 1, 1]), [0, 64, 96, 128]);
        assert_eq!(divide(&[1_000_000, 1]), [0, 127, 128]);
        // Calls get what they need, and the rest only where nobody else wants it.
        assert_eq!(divide_lanes(&[(100, 0), (1, 3), (1, 1)]), [0, 100, 100 + 21, 128]);
        assert_eq!(divide_lanes(&[(100, 0)]), [0, 128]);
        assert_eq!(divide_lanes(&[(20, 0), (30, 0)]), [0, 59, 128]);
        assert_eq!(divide_lanes(&[(127, 0), (1, 1)]), [0, 127, 128]);
        for count in 1..=MAX_ITEMS {
            let weights: Vec<u32> = (1..).map(|weight| weight * weight).take(count).collect();
            let starts = divide(&weights);
            assert_eq!(starts.last(), Some(&LANES));
            assert!(starts.is_sorted_by(|a, b| a < b), "every item has a lane");
        }
    }

    #[test]
    fn every_slot_is_in_one_lane() {
        for slots in [256, 8192] {
            let mut all: Vec<u16> = (0..LANES).flat_map(|lane| slots_of_lanes(lane, lane + 1, slots)).collect();
            all.sort_unstable();
            assert!(all.iter().map(|&slot| usize::from(slot)).eq(0..slots));
        }
    }
}
