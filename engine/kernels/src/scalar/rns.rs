//! RNS conversion, one coefficient at a time.

use crate::rns::{Carry, MAX_RNS_LIMBS, RnsScaler, Rounding};

/// Converts the coefficients from `start` on. Numbers of limbs and lengths have been checked.
pub(crate) fn convert(scaler: &RnsScaler, from: &[&[u64]], carry: Carry<'_>, out: &mut [&mut [u64]], start: usize) {
    let end = from.first().map_or(0, |limb| limb.len());
    let mut buffer = [0; MAX_RNS_LIMBS];
    let y = &mut buffer[..from.len()];
    for position in start..end {
        let mut sum = Rounding::HALF;
        for ((y, source), limb) in y.iter_mut().zip(&scaler.sources).zip(from) {
            *y = source.factor.mul(source.modulus, limb[position]);
            sum += Rounding::fraction(source.modulus, *y);
        }
        let rounds = scaler.rounding.round(sum, |i| y[i]);
        for (j, (target, out)) in scaler.targets.iter().zip(out.iter_mut()).enumerate() {
            let carried = match carry {
                Carry::Absent => 0,
                Carry::Limbs(limbs) => limbs[j][position],
                Carry::InPlace => out[position],
            };
            let first = u128::from(rounds) * u128::from(target.rounds) + u128::from(carried) * u128::from(target.carry);
            let mut room = scaler.max_terms;
            let mut sum = first;
            for (&y, &factor) in y.iter().zip(&target.coefficients) {
                if room == 0 {
                    sum = u128::from(target.wide.reduce(sum));
                    room = scaler.max_terms;
                }
                room -= 1;
                sum += u128::from(y) * u128::from(factor);
            }
            out[position] = target.wide.reduce(sum);
        }
    }
}
