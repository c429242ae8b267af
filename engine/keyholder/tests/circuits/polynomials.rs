//! Polynomials of every shape: values, depth, products, factors.

use std::collections::BTreeSet;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::circuit::{Arithmetic, Circuit, CircuitPlan, Polynomial, Shape, evaluate_polynomials};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::{Error, Modulus};

use crate::world::{Choices, T, World, centred, spec};

/// Some polynomials at one value, each held with a factor.
struct Values {
    polynomials: Vec<Polynomial>,
    factor: u64,
}

impl Circuit for Values {
    fn name(&self) -> String {
        "polynomials".into()
    }

    fn inputs(&self, context: &Context) -> Result<Vec<Shape>, Error> {
        let parameters = context.parameters();
        let noise = NoiseBound::fresh_secret(parameters.degree());
        Ok(vec![Shape { level: parameters.top_level(), noise, factor: 1 }])
    }

    fn run<A: Arithmetic>(&self, arithmetic: &A, inputs: &[A::Value]) -> Result<Vec<A::Value>, Error> {
        let all: Vec<&Polynomial> = self.polynomials.iter().collect();
        evaluate_polynomials(arithmetic, &inputs[0], &all, self.factor)
    }
}

fn modulus() -> Modulus {
    Modulus::new(T as u64).unwrap()
}

/// Of exactly this degree; with `holes` many coefficients are 0.
fn random(choices: &mut Choices, degree: usize, holes: bool) -> Polynomial {
    let mut coefficients: Vec<i64> =
        (0..=degree).map(|_| if holes && choices.below(4) != 0 { 0 } else { choices.residue() }).collect();
    coefficients[degree] = 1 + choices.below(T as u64 - 1) as i64;
    Polynomial::new(modulus(), &coefficients)
}

fn check(world: &World, polynomials: Vec<Polynomial>, factor: u64, keys: &[blindrelay_engine::rlwe::EvaluationKeys]) {
    let mut choices = Choices(factor);
    let points: Vec<i64> = (0..world.slots())
        .map(|slot| [0, 1, -1, T / 2, -T / 2].get(slot).copied().unwrap_or_else(|| choices.residue()))
        .collect();
    let expected: Vec<Vec<i64>> = polynomials
        .iter()
        .map(|polynomial| points.iter().map(|&x| centred(i128::from(polynomial.value_at(modulus(), x)))).collect())
        .collect();
    let degrees: Vec<usize> = polynomials.iter().map(Polynomial::degree).collect();
    assert_eq!(world.run_with(&Values { polynomials, factor }, &[points], keys), expected, "degrees {degrees:?}");
}

#[test]
fn every_degree_up_to_a_hundred_and_thirty() {
    let world = World::new(&spec(256, 9));
    let keys = world.keys(true, &BTreeSet::new());
    let mut choices = Choices(4);
    for degree in 1..=130 {
        for holes in [false, true] {
            let factor = 1 + choices.below(T as u64 - 1);
            check(&world, vec![random(&mut choices, degree, holes)], factor, &keys);
        }
    }
}

#[test]
fn monomials_and_polynomials_without_low_or_high_parts() {
    let world = World::new(&spec(256, 9));
    let keys = world.keys(true, &BTreeSet::new());
    for degree in [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 127, 128, 129, 200] {
        let mut monomial = vec![0; degree + 1];
        monomial[degree] = -3;
        check(&world, vec![Polynomial::new(modulus(), &monomial)], 1, &keys);
        monomial[0] = 5;
        check(&world, vec![Polynomial::new(modulus(), &monomial)], 2, &keys);
        monomial[degree / 2] += 7;
        check(&world, vec![Polynomial::new(modulus(), &monomial)], 65_536, &keys);
    }
}

#[test]
fn several_polynomials_share_their_powers() {
    let world = World::new(&spec(256, 8));
    let keys = world.keys(true, &BTreeSet::new());
    let mut choices = Choices(5);
    let products = |circuit: &Values| circuit.plan(world.context()).unwrap().products;
    for degrees in [vec![1, 1], vec![5, 5, 5], vec![64, 3, 17], vec![40; 8], vec![128, 1]] {
        let polynomials: Vec<Polynomial> = degrees.iter().map(|&degree| random(&mut choices, degree, false)).collect();
        let alone: usize = polynomials
            .iter()
            .map(|polynomial| products(&Values { polynomials: vec![polynomial.clone()], factor: 1 }))
            .sum();
        let together = products(&Values { polynomials: polynomials.clone(), factor: 1 });
        assert!(together <= alone && (together < alone || degrees[0] == 1 || degrees[1] == 1), "{degrees:?}");
        check(&world, polynomials, 1, &keys);
    }
}

#[test]
fn the_depth_is_the_least_and_products_grow_with_the_root_of_the_degree() {
    let world = World::new(&spec(256, 11));
    let mut choices = Choices(6);
    let plan = |polynomial: Polynomial| -> CircuitPlan {
        Values { polynomials: vec![polynomial], factor: 1 }.plan(world.context()).unwrap()
    };
    for degree in 1..=600 {
        let plan = plan(random(&mut choices, degree, false));
        assert_eq!(plan.depth, degree.next_power_of_two().ilog2() as usize, "degree {degree}");
        // sqrt(2 d) + log2(d) + O(1) of Paterson and Stockmeyer; with powers of two for steps at most half as many again.
        let most = 1.5 * (2.0 * degree as f64).sqrt() + (degree as f64).log2() + 1.0;
        assert!(plan.products as f64 <= most, "degree {degree}: {} products, above {most}", plan.products);
        assert_eq!((plan.automorphisms, plan.galois().len()), (0, 0));
    }
    // The threshold among 129 values: 15 powers, 2 squares, 7 blocks less the one without a product.
    assert_eq!(plan(random(&mut choices, 128, false)).products, 24);
}

#[test]
fn constants_are_refused() {
    let world = World::new(&spec(256, 2));
    for constant in [0, 5] {
        let circuit = Values { polynomials: vec![Polynomial::new(modulus(), &[constant])], factor: 1 };
        assert_eq!(circuit.plan(world.context()), Err(Error::Transparent));
        let linear = Polynomial::new(modulus(), &[3, 1]);
        let circuit = Values { polynomials: vec![linear, Polynomial::new(modulus(), &[constant])], factor: 1 };
        assert_eq!(circuit.plan(world.context()), Err(Error::Transparent));
    }
    let circuit = Values { polynomials: vec![], factor: 1 };
    assert_eq!(circuit.plan(world.context()).unwrap().outputs, vec![]);
}
