//! Prices as integers over a public denominator.

use super::Pricing;
use crate::currency::Currency;
use crate::decimal::gcd;
use crate::unit::Unit;

/// A price as integers: a quantity `x` of the measured unit costs `x * numerator / denominator` minor units, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The integer that a quantity is multiplied by; `None` where it is encrypted, or differs by the length of a call.
    pub numerator: Option<u64>,
    /// Largest numerator: the numerator itself where it is public.
    pub largest: u64,
    /// What charges are divided by after opening.
    pub denominator: u64,
    /// What one unit of the price's last decimal adds to the numerator; 1 for a tariff.
    pub step: u64,
}

impl Rate {
    /// With `A` minor units a major one, a measured unit of size `m` and a price unit of size `u`, the price `p / 10^k` costs
    /// `p A m / (10^k u)` minor units a measured unit; one call of a tariff costs `p A / 10^k`. `None` where a number does not fit 64 bits.
    pub(super) fn new(pricing: &Pricing, currency: Currency, unit: Unit, measured: Unit) -> Option<Self> {
        let major = 10_u128.pow(u32::from(currency.digits()));
        let (price, sizes) = match pricing {
            Pricing::Public(price) | Pricing::Encrypted { largest: price } => (*price, (measured.size(), unit.size())),
            Pricing::Tariff(tariff) => (tariff.largest(), (1, 1)),
        };
        let step = major * u128::from(sizes.0);
        let denominator = 10_u128.pow(u32::from(price.decimals())) * u128::from(sizes.1);
        // A public price is cancelled as far as it goes; an encrypted one only by what all prices have in common, and so is a table.
        let common = match pricing {
            Pricing::Public(price) => gcd(u128::from(price.units()) * step, denominator),
            Pricing::Tariff(tariff) => gcd(u128::from(tariff.common_units()) * step, denominator),
            Pricing::Encrypted { .. } => gcd(step, denominator),
        };
        let largest = u64::try_from(u128::from(price.units()) * step / common).ok()?;
        let numerator = matches!(pricing, Pricing::Public(_)).then_some(largest);
        let step = match pricing {
            Pricing::Tariff(_) => 1,
            _ => u64::try_from(step / gcd(step, common)).ok()?,
        };
        Some(Self { numerator, largest, denominator: u64::try_from(denominator / common).ok()?, step })
    }

    /// The integer that the slot at `place` among the slots of an item is multiplied by: the same for all of them, or that of a call of this length.
    /// 0 beyond the longest call; `None` where it is encrypted.
    pub fn numerator_at(&self, pricing: &Pricing, place: usize) -> Option<u64> {
        match pricing {
            Pricing::Public(_) | Pricing::Encrypted { .. } => self.numerator,
            Pricing::Tariff(tariff) => {
                let units = tariff.table().get(place).map_or(0, |price| price.units());
                let most = u128::from(tariff.largest().units()).max(1);
                // All prices of a table have as many decimals, so that numerators are to each other as their digits.
                u64::try_from(u128::from(units) * u128::from(self.largest) / most).ok()
            }
        }
    }
}
