//! The keys that a service needs, made from a secret key.

use std::collections::BTreeSet;

use blindrelay_engine::operator::{KeyNeed, OperatorCard};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::ring::{Coeff, Expander, GaloisElement, Ntt, Poly, Seed};
use blindrelay_engine::rlwe::{EvaluationKeys, GaloisKey, KeySwitchingKey, PublicKey, RelinearizationKey, row_uniform};
use zeroize::Zeroize;

use crate::encrypt::add_error;
use crate::secret::{SchemeContext, SecretKey, Wiped};

/// Which evaluation keys an operator needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRequirements {
    /// Whether ciphertexts are relinearized.
    pub relinearization: bool,
    /// The automorphisms that are applied.
    pub galois: BTreeSet<GaloisElement>,
}

impl KeyRequirements {
    /// What an operator's card asks for, optional keys included. Elements that are no automorphism of the parameters are left out.
    pub fn of_card(card: &OperatorCard, parameters: &Parameters) -> Self {
        let elements = card.galois_elements.iter();
        Self {
            relinearization: card.relinearization != KeyNeed::None,
            galois: elements.filter_map(|&element| GaloisElement::new(element, parameters.degree())).collect(),
        }
    }
}

impl<C: SchemeContext> SecretKey<C> {
    /// The public key: always the same for the same secret key.
    pub fn public_key(&self) -> PublicKey {
        let parameters = self.parameters();
        let uniform = self.seed().derive("public-key/seed", parameters.digest().as_bytes());
        let randomness = Expander::new(&self.seed().derive("public-key/secret", &[]), "public-key/error");
        let mut body = Poly::<Coeff>::zero(parameters.top().basis());
        add_error(&mut body, &randomness, 0, parameters);
        let mut body = body.into_ntt();
        let mask = Expander::new(&uniform, PublicKey::DOMAIN).uniform(parameters.top().basis());
        self.subtract_mask(&mut body, mask);
        PublicKey::new(parameters, body, uniform)
    }

    /// Exactly the keys that are asked for: always the same for the same secret key and requirements.
    pub fn evaluation_keys(&self, requirements: &KeyRequirements) -> EvaluationKeys {
        let relinearization = requirements.relinearization.then(|| self.relinearization_key());
        let galois = requirements.galois.iter().map(|&element| self.galois_key(element));
        EvaluationKeys::new(self.parameters(), relinearization, galois)
    }

    /// The key from `s^2` to `s`.
    pub fn relinearization_key(&self) -> RelinearizationKey {
        let mut square = Wiped(self.over_keys().clone());
        square.0.mul_assign(self.over_keys());
        RelinearizationKey(self.switching_key(&square.0, "relinearization", 0))
    }

    /// The key of the automorphism `X -> X^k`.
    pub fn galois_key(&self, element: GaloisElement) -> GaloisKey {
        let mut image = self.coefficients().to_poly(self.parameters().key_basis());
        let rotated = Wiped(image.automorphism(element).into_ntt());
        image.zeroize();
        let key = self.switching_key(&rotated.0, "galois", element.value());
        GaloisKey::new(self.parameters(), element, key)
    }

    /// Rows `(-a s + e + g s', a)` for the gadget of the top level.
    #[expect(clippy::expect_used, reason = "one body is made for each row of the same gadget")]
    fn switching_key(&self, from: &Poly<Ntt>, purpose: &str, index: u32) -> KeySwitchingKey {
        let parameters = self.parameters();
        let context = index.to_le_bytes();
        let seed: Seed = self.seed().derive(&format!("evaluation-key/seed/{purpose}"), &context);
        let secret_seed = self.seed().derive(&format!("evaluation-key/secret/{purpose}"), &context);
        let randomness = Expander::new(&secret_seed, "evaluation-key/error");
        let bodies = parameters
            .top()
            .decomposition()
            .rows()
            .enumerate()
            .map(|(row, gadget)| {
                let mut body = Poly::<Coeff>::zero(parameters.key_basis());
                add_error(&mut body, &randomness, row as u64, parameters);
                let mut body = body.into_ntt();
                self.subtract_mask(&mut body, row_uniform(parameters, &seed, row));
                for (position, ((limb, body), (_, from))) in body.limbs_mut().zip(from.limbs()).enumerate() {
                    if gadget.limbs.contains(&position) {
                        let modulus = limb.modulus();
                        let special = parameters
                            .spec()
                            .special_primes
                            .iter()
                            .fold(1, |product, &prime| modulus.mul(product, modulus.reduce(prime)));
                        let factor = modulus.mul(special, modulus.pow(2, u64::from(gadget.shift)));
                        limb.arithmetic().mul_scalar_add_assign(body, from, factor);
                    }
                }
                body
            })
            .collect();
        KeySwitchingKey::new(parameters, bodies, seed).expect("one body for each row")
    }
}
