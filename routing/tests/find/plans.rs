//! The card and the dry runs behind it.

use blindrelay_engine::bfv::Context;
use blindrelay_engine::circuit::{Circuit, Planner};
use blindrelay_engine::operator::Collection;
use blindrelay_engine::operator::{KeyNeed, Operator, OperatorError, Resource, Snapshot};
use blindrelay_engine::params::{BILL_8192, DECIDE_16384, Level, MATCH_4096, Parameters, preset};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::{Backend, Error, KeyName};
use blindrelay_keyholder::KeyRequirements;
use blindrelay_routing::find::{FIND_SIGNS, FindCircuit, FindKind, FindLayout, Finding, THRESHOLDS};

use crate::room::{REDUCED, WHOLE, handle, payload, token};

#[test]
fn the_card_is_the_worst_of_all_thresholds() {
    let room = &*WHOLE;
    let card = room.operator.card();
    let mut worst = f64::NEG_INFINITY;
    for threshold in THRESHOLDS {
        for kind in [FindKind::Tickets, FindKind::Count] {
            let plan = FindCircuit::new(room.layout, threshold, kind).unwrap().plan(&room.context).unwrap();
            assert_eq!((plan.depth, plan.outputs[0].level.0, plan.outputs[0].factor), (8, 1, 1), "{threshold} {kind}");
            let galois: Vec<u32> = plan.galois().iter().map(|element| element.value()).collect();
            assert_eq!(galois, card.galois_elements);
            assert!(
                plan.noise_log2 <= card.noise.bound_log2 && plan.noise_log2 < plan.limit_log2,
                "{threshold} {kind}"
            );
            worst = worst.max(plan.noise_log2);
        }
    }
    assert!((worst - card.noise.bound_log2).abs() < 1e-9, "{worst}");
    assert!(card.noise.bound_log2 < card.noise.limit_log2);
    assert!(card.noise.answer_bound_log2 < card.noise.answer_limit_log2);
}

#[test]
fn the_card_tells_what_the_code_does() {
    let room = &*WHOLE;
    let card = room.operator.card();
    assert_eq!((card.id.as_str(), card.resource), (FIND_SIGNS, Resource::Rooms));
    assert_eq!((card.parameters.as_str(), card.relinearization), ("decide-32768", KeyNeed::Required));
    assert_eq!((card.values_per_record, card.galois_elements.len(), card.depth), (1, 4, 9));
    let circuit = FindCircuit::new(room.layout, 64, FindKind::Tickets).unwrap();
    // A product of scores, fifteen small powers, two squares, seven blocks, and the selection.
    assert_eq!(circuit.plan(&room.context).unwrap().products, 1 + 15 + 2 + 7 + 1);
    assert_eq!(
        card.output_layout,
        "blocks of 256 places with a payload of up to 254 bytes each; chunk c of place p is slot 16384 floor(p / 128) + 128 c + p mod 128"
    );
    for place in [0, 1, 127, 128, 255] {
        for chunk in [0, 1, 127] {
            let slot = 16_384 * (place / 128) + 128 * chunk + place % 128;
            assert_eq!((room.layout.slot(place, chunk), room.layout.place(slot)), (slot, (place, chunk)));
        }
    }
}

#[test]
fn other_parameters_are_refused_with_the_set_that_is_enough() {
    let refused = |name: &str| {
        let parameters = Parameters::new(preset(name).unwrap(), Backend::detect()).unwrap();
        Finding::new(&Context::new(&parameters).unwrap()).err().unwrap()
    };
    let Error::CircuitTooDeep { parameters, enough, .. } = refused(DECIDE_16384) else { panic!("deep enough") };
    assert_eq!((parameters.as_str(), enough.as_deref()), (DECIDE_16384, Some("decide-32768")));
    assert!(matches!(refused(MATCH_4096), Error::CircuitTooDeep { .. }));
    let Error::Unsupported { name, reason, .. } = refused(BILL_8192) else { panic!("another modulus") };
    assert_eq!(name, BILL_8192);
    assert!(reason.contains("65,537"), "{reason}");
}

#[test]
fn thresholds_that_decide_nothing_are_refused() {
    let layout = FindLayout::new(&REDUCED.context).unwrap();
    for threshold in [-128, -129, 129, 130, i64::MAX, i64::MIN] {
        let refused = FindCircuit::new(layout, threshold, FindKind::Tickets);
        assert_eq!(refused, Err(Error::Threshold { threshold, minimum: -128, maximum: 128 }));
        let request = REDUCED.request(FindKind::Count, threshold, &token(1));
        let refused = request.to_bytes().unwrap_err().to_string();
        assert!(refused.starts_with(&format!("threshold {threshold} decides nothing")), "{refused}");
    }
    let short = FindCircuit::new(layout, 2, FindKind::Tickets).unwrap();
    let planner = Planner::new(&REDUCED.context);
    let inputs = short.inputs(&REDUCED.context).unwrap();
    for found in 0..3 {
        let refused = short.run(&planner, &inputs[..found]);
        assert_eq!(refused, Err(Error::Inputs { expected: 3, found }));
    }
}

#[test]
fn all_missing_keys_are_named_with_the_command_that_makes_them() {
    let room = &*REDUCED;
    let mut roster = room.operator.roster();
    roster.append(&room.record(&token(1), &payload(1)), &[handle(1)]).unwrap();
    let request = room.request(FindKind::Tickets, 64, &token(1)).to_bytes().unwrap();
    let refused = |keys: Option<&EvaluationKeys>| roster.view().evaluate(&request, keys).unwrap_err();
    let needed = KeyRequirements::of_card(room.operator.card(), room.context.parameters());
    let all: Vec<KeyName> = std::iter::once(KeyName::Relinearization)
        .chain(needed.galois.iter().map(|element| KeyName::Galois(element.value())))
        .collect();
    let command = "blindrelay keygen --for find".to_owned();
    assert_eq!(refused(None), OperatorError::MissingKeys { missing: all.clone(), command: command.clone() });
    let none = room.key.evaluation_keys(&KeyRequirements::default());
    assert_eq!(refused(Some(&none)), OperatorError::MissingKeys { missing: all, command: command.clone() });
    // One of the automorphisms and no relinearization key.
    let galois = needed.galois.iter().copied().skip(1).collect();
    let some = refused(Some(&room.key.evaluation_keys(&KeyRequirements { relinearization: false, galois })));
    let missing = vec![KeyName::Relinearization, KeyName::Galois(needed.galois.first().unwrap().value())];
    // Keys that were made for lower levels do not do.
    let mut low = room.operator.key_plan().clone();
    low.relinearization = low.relinearization.map(|level| Level(level.0 - 1));
    let expected = OperatorError::MissingKeys { missing: vec![KeyName::Relinearization], command: command.clone() };
    assert_eq!(refused(Some(&room.key.planned_keys(&low))), expected);
    // All keys of the card, at every level, do as well as those of the plan.
    let whole = room.key.evaluation_keys(&needed);
    assert_eq!(roster.view().evaluate(&request, Some(&whole)).map(|_| ()), Ok(()));
    let words = some.to_string();
    assert_eq!(some, OperatorError::MissingKeys { missing, command });
    assert_eq!(
        words,
        format!(
            "the room's evaluation keys lack relinearization key, key for the automorphism X -> X^{}; make and upload them: blindrelay keygen --for find",
            needed.galois.first().unwrap().value()
        )
    );
}

#[test]
fn keys_of_other_parameters_are_refused() {
    let room = &*REDUCED;
    let mut roster = room.operator.roster();
    roster.append(&room.record(&token(1), &payload(1)), &[handle(1)]).unwrap();
    let request = room.request(FindKind::Tickets, 64, &token(1)).to_bytes().unwrap();
    let refused = roster.view().evaluate(&request, Some(&WHOLE.keys)).unwrap_err();
    assert!(matches!(refused, OperatorError::Refused(Error::ParameterMismatch { .. })), "{refused}");
}
