//! The charge of [`crate::charge`] as the crate `fhe` does it: as its documentation shows, and taught our layout.

use blindrelay_kernels::Modulus;
use fhe::bfv::{Ciphertext, EvaluationKey, Multiplicator, PublicKey};
use fhe_traits::Serialize;

use super::KeyHolder;
use crate::charge::{Clear, LINES};
use crate::{Error, agree};

/// The peer's side: the same values under the same plaintext modulus.
pub struct PeerTenant {
    holder: KeyHolder,
    multiplicator: Multiplicator,
    sums: EvaluationKey,
    public: PublicKey,
    usage: Ciphertext,
    rates: Ciphertext,
    clear: Clear,
}

impl PeerTenant {
    /// Refused where any charge or total opens to something else than the clear one.
    pub fn new(modulus: Modulus, clear: &Clear) -> Result<Self, Error> {
        let holder = KeyHolder::charging(modulus.value())?;
        let (multiplicator, sums, public) = (holder.multiplicator()?, holder.inner_sums()?, holder.public_key());
        let (usage, rates) = (holder.encrypt(&clear.usage)?, holder.encrypt(&clear.rates)?);
        let tenant = Self { holder, multiplicator, sums, public, usage, rates, clear: clear.clone() };
        let open = |ciphertext: &Ciphertext| tenant.holder.decrypt(ciphertext);
        let totals = vec![clear.total; LINES];
        for (charges, total) in [tenant.charge()?, tenant.charge_public()?] {
            agree("charge", "fhe", &open(&charges)?, &clear.charges)?;
            agree("total", "fhe", &open(&total)?, &totals)?;
        }
        for charges in [tenant.charge_packed()?, tenant.charge_public_packed()?] {
            agree("charge", "fhe with our layout", &open(&charges)?, &clear.charges)?;
        }
        Ok(tenant)
    }

    /// Product, relinearization, and the total by rotations.
    pub fn charge(&self) -> Result<(Ciphertext, Ciphertext), Error> {
        let charges = self.multiplicator.multiply(&self.usage, &self.rates)?;
        let total = self.sums.computes_inner_sum(&charges)?;
        Ok((charges, total))
    }

    /// The product alone, with three components, switched down: the total is in its coefficients, as on our side.
    pub fn charge_packed(&self) -> Result<Ciphertext, Error> {
        lowest(&self.usage * &self.rates)
    }

    /// Rates encoded, the product with them, and the total by rotations.
    pub fn charge_public(&self) -> Result<(Ciphertext, Ciphertext), Error> {
        let charges = &self.usage * &self.holder.encode(&self.clear.rates)?;
        let total = self.sums.computes_inner_sum(&charges)?;
        Ok((charges, total))
    }

    /// Rates encoded, and the product with them, switched down.
    pub fn charge_public_packed(&self) -> Result<Ciphertext, Error> {
        lowest(&self.usage * &self.holder.encode(&self.clear.rates)?)
    }

    /// A batch: encoded, encrypted under the public key, written.
    pub fn batch(&self) -> Result<Vec<u8>, Error> {
        Ok(self.holder.encrypt_public(&self.clear.usage, &self.public)?.to_bytes())
    }

    /// The parameters in words.
    pub fn parameters(&self) -> String {
        super::describe(self.holder.parameters(), "its default primes are below t: three of 55 bits, about our log2(Q)")
    }
}

/// Without the last of its three primes: two are the fewest that hold a value of 50 bits with its noise.
fn lowest(mut charges: Ciphertext) -> Result<Ciphertext, Error> {
    charges.switch_down()?;
    Ok(charges)
}
