//! Public-key encryption against its equation: which stream of the seed becomes what is part of every known answer.

#![allow(clippy::unwrap_used, reason = "test code: a panic is a failed test")]

use blindrelay_engine::Backend;
use blindrelay_engine::params::{BILL_8192, MATCH_4096, Parameters, preset};
use blindrelay_engine::ring::{Expander, Seed, SmallPoly};
use blindrelay_engine::rlwe::{PublicKey, encrypt_message, encrypt_zero};

#[test]
fn components_are_those_of_the_equation() {
    for backend in Backend::available() {
        for name in [MATCH_4096, BILL_8192] {
            let parameters = Parameters::new(preset(name).unwrap(), backend).unwrap();
            let (degree, basis) = (parameters.degree(), parameters.top().basis());
            let uniform = |salt| Expander::new(&Seed::from_bytes([salt; 32]), "test");
            let key = PublicKey::new(&parameters, uniform(1).uniform(basis), Seed::from_bytes([2; 32]));
            let message = uniform(3).uniform(basis);
            let seed = Seed::from_bytes([4; 32]);
            let streams = Expander::new(&seed, "public-key/encrypt");
            let evaluated = |small: SmallPoly| small.to_poly(basis).into_ntt();
            let u = evaluated(streams.ternary(degree, 0, backend));
            let mut expected = [1, 2].map(|index| evaluated(streams.error(degree, index, backend)));
            for (component, half) in expected.iter_mut().zip([key.body(), key.uniform()]) {
                component.mul_add_assign(half, &u);
            }
            assert_eq!(encrypt_zero(&parameters, &key, &seed).components(), expected);
            let [body, _] = &mut expected;
            body.add_assign(&message.clone().into_ntt());
            assert_eq!(encrypt_message(&parameters, &key, &seed, message).components(), expected);
        }
    }
}
