//! The keys that a service needs, made from a secret key.

use std::collections::BTreeSet;

use blindrelay_engine::operator::{KeyNeed, OperatorCard};
use blindrelay_engine::params::{Level, Parameters};
use blindrelay_engine::ring::{Coeff, Expander, GaloisElement, Ntt, Poly, Seed};
use blindrelay_engine::rlwe::{
    EvaluationKeys, GaloisKey, KeyPlan, KeySwitchingKey, PublicKey, RelinearizationKey, row_uniform_over,
};
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

    /// Exactly the keys of a plan, each for the levels at which it is used: as small as they can be. Always the same for the same secret key and plan. Levels above the
    /// top are taken as the top.
    pub fn planned_keys(&self, plan: &KeyPlan) -> EvaluationKeys {
        let top = self.parameters().top_level();
        let relinearization = plan.relinearization.map(|level| self.relinearization_key_up_to(level.min(top)));
        let galois = plan.galois.iter().map(|(&element, &level)| self.galois_key_up_to(element, level.min(top)));
        EvaluationKeys::new(self.parameters(), relinearization, galois)
    }

    /// The key from `s^2` to `s`.
    pub fn relinearization_key(&self) -> RelinearizationKey {
        self.relinearization_key_up_to(self.parameters().top_level())
    }

    /// The key of the automorphism `X -> X^k`.
    pub fn galois_key(&self, element: GaloisElement) -> GaloisKey {
        self.galois_key_up_to(element, self.parameters().top_level())
    }

    fn relinearization_key_up_to(&self, level: Level) -> RelinearizationKey {
        let mut square = Wiped(self.over_keys().clone());
        square.0.mul_assign(self.over_keys());
        RelinearizationKey(self.switching_key(&square.0, "relinearization", 0, level))
    }

    fn galois_key_up_to(&self, element: GaloisElement, level: Level) -> GaloisKey {
        let mut image = self.coefficients().to_poly(self.parameters().key_basis());
        let rotated = Wiped(image.automorphism(element).into_ntt());
        image.zeroize();
        let key = self.switching_key(&rotated.0, "galois", element.value(), level);
        GaloisKey::new(self.parameters(), element, key)
    }

    /// Rows `(-a s + e + g s', a)` for the gadget of a level, over its primes and the special ones. Keys of different levels share neither masks nor errors.
    #[expect(
        clippy::expect_used,
        reason = "one body is made for each row of the same gadget; levels were held against the top"
    )]
    fn switching_key(&self, from: &Poly<Ntt>, purpose: &str, index: u32, level: Level) -> KeySwitchingKey {
        let parameters = self.parameters();
        let mut context = index.to_le_bytes().to_vec();
        if level < parameters.top_level() {
            context.extend_from_slice(&(level.0 as u32).to_le_bytes());
        }
        let decomposition = parameters.at(level).expect("a level of the parameters").decomposition();
        let basis = decomposition.target();
        let from = Wiped(from.over_limbs_of(basis));
        let seed: Seed = self.seed().derive(&format!("evaluation-key/seed/{purpose}"), &context);
        let secret_seed = self.seed().derive(&format!("evaluation-key/secret/{purpose}"), &context);
        let randomness = Expander::new(&secret_seed, "evaluation-key/error");
        let rows: Vec<_> = decomposition.rows().collect();
        let bodies = rows
            .iter()
            .enumerate()
            .map(|(row, gadget)| {
                let mut body = Poly::<Coeff>::zero(basis);
                add_error(&mut body, &randomness, row as u64, parameters);
                let mut body = body.into_ntt();
                self.subtract_mask(&mut body, row_uniform_over(basis, &seed, row));
                for (position, ((limb, body), (_, from))) in body.limbs_mut().zip(from.0.limbs()).enumerate() {
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
        KeySwitchingKey::up_to(parameters, level, bodies, seed).expect("one body for each row")
    }
}
