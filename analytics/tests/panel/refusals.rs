//! What is refused, by name, and changes nothing.

use blindrelay_analytics::{
    Answer, AnswerError, Contribution, ContributionError, Plan, Settings, SettingsError, Slots, Statistics, Stay,
};
use blindrelay_engine::ckks::{Context, Encoding, Scale};
use blindrelay_engine::operator::{Accumulation, Accumulator, OperatorError};
use blindrelay_engine::params::{Level, ParameterSpec, Parameters, STATS_16384, preset};
use blindrelay_engine::wire::{Message, Wire, WireError};
use blindrelay_engine::{Backend, Error};

use crate::rig::{HOST, Host, Panel};

const ATTENTION: &str = r#"{"attention": {"slots": 3}}"#;
const DURATIONS: &str = r#"{"durations": {"limit_seconds": 100, "edges": [0, 10], "calls": 2}}"#;

fn scores() -> [Option<f64>; 3] {
    [Some(0.5), None, Some(1.0)]
}

/// The panel refuses the bytes with this error and holds what it held.
#[track_caller]
fn assert_refused(panel: &mut Panel<'_>, bytes: &[u8], expected: impl Fn(&OperatorError) -> bool) {
    let before = panel.sums.to_bytes();
    let error = panel.sums.append(bytes, Some(&panel.host.keys)).unwrap_err();
    assert!(expected(&error), "{error:?}");
    assert_eq!(panel.sums.to_bytes(), before);
}

#[test]
fn values_outside_the_declared_range_are_not_packed() {
    let panel = HOST.panel(ATTENTION, 1);
    let range = |index| ContributionError::Range { index, least: 0.0, most: 1.0 };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-9, 1.000_001] {
        let error = Contribution::attention(&panel.plan, &[Some(0.1), None, Some(bad)]).unwrap_err();
        assert_eq!(error, range(2), "{bad}");
    }
    let speaking = HOST.panel(r#"{"speaking": {"participants": 2, "limit_seconds": 60, "edges": [0]}}"#, 1);
    for bad in [f64::NAN, -1.0, 60.1] {
        let error = Contribution::speaking(&speaking.plan, &[bad, 1.0]).unwrap_err();
        assert_eq!(error, ContributionError::Range { index: 0, least: 0.0, most: 60.0 });
    }
    let durations = HOST.panel(DURATIONS, 1);
    assert!(matches!(
        Contribution::durations(&durations.plan, &[1.0, 101.0]),
        Err(ContributionError::Range { index: 1, .. })
    ));
    let correlation = HOST.panel(r#"{"correlation": {"pairs": 2, "x_limit": 1, "y_limit": 2}}"#, 1);
    let error = Contribution::correlation(&correlation.plan, &[(0.0, 0.0), (0.0, -2.1)]).unwrap_err();
    assert_eq!(error, ContributionError::Range { index: 1, least: -2.0, most: 2.0 });
    let concurrency = HOST.panel(r#"{"concurrency": {"buckets": 2, "bucket_seconds": 60}}"#, 1);
    let error = Contribution::concurrency(&concurrency.plan, &[Stay { join: 9.0, leave: 8.0 }]).unwrap_err();
    assert_eq!(error, ContributionError::LeaveBeforeJoin { index: 0 });
}

#[test]
fn contributions_of_another_size_or_statistic_are_not_packed() {
    let panel = HOST.panel(ATTENTION, 1);
    let count = |found| ContributionError::Count { expected: 3, found };
    assert_eq!(Contribution::attention(&panel.plan, &[Some(0.5); 2]).unwrap_err(), count(2));
    assert_eq!(Contribution::attention(&panel.plan, &[Some(0.5); 4]).unwrap_err(), count(4));
    let error = Contribution::durations(&panel.plan, &[1.0]).unwrap_err();
    assert_eq!(error, ContributionError::Statistic { expected: "attention", found: "durations" });
    let durations = HOST.panel(DURATIONS, 1);
    for found in [0, 3] {
        let error = Contribution::durations(&durations.plan, &vec![1.0; found]).unwrap_err();
        assert_eq!(error, ContributionError::Count { expected: 2, found });
    }
}

#[test]
fn settings_that_do_not_fit_the_parameters_are_refused() {
    let plan = |text: &str| Plan::new(&Settings::from_json(text).unwrap(), &HOST.context).unwrap_err();
    let slots = plan(r#"{"collect": {"attention": {"slots": 2049}}, "minimum_contributions": 1}"#);
    assert_eq!(slots, SettingsError::Slots { found: 4098, capacity: 4096 });
    let precision = plan(
        r#"{"collect": {"durations": {"limit_seconds": 1048576, "edges": [0]}}, "minimum_contributions": 1, "maximum_contributions": 4294967296}"#,
    );
    assert!(matches!(precision, SettingsError::Precision { needed: 30, .. }), "{precision}");
    for text in ["", "[]", r#"{"collect": {"attention": {"slots": 0}}, "minimum_contributions": 1}"#] {
        let error = HOST.operator.new_accumulator(text).err().unwrap();
        assert!(matches!(error, OperatorError::Settings { .. }), "{error}");
    }
}

#[test]
fn a_set_of_another_name_has_no_operator() {
    let spec = ParameterSpec { name: "stats-mine".into(), ..preset(STATS_16384).unwrap() };
    let context = Context::new(&Parameters::new(spec, Backend::detect()).unwrap()).unwrap();
    let refused = |error: &Error| matches!(error, Error::Unsupported { name, .. } if name == "stats-mine");
    assert!(refused(&Statistics::new(&context).err().unwrap()));
    let settings = format!(r#"{{"collect": {ATTENTION}, "minimum_contributions": 1}}"#);
    let error = Plan::new(&Settings::from_json(&settings).unwrap(), &context).unwrap_err();
    assert!(matches!(&error, SettingsError::Engine(error) if refused(error)), "{error}");
}

#[test]
fn a_report_waits_for_enough_contributions() {
    let mut panel = HOST.panel(ATTENTION, 3);
    for found in 0..3 {
        assert_eq!(panel.answer(None).unwrap_err(), OperatorError::TooFewContributions { found, needed: 3 });
        panel.add(&Contribution::attention(&panel.plan, &scores()).unwrap());
    }
    assert!(panel.answer(None).is_ok());
}

#[test]
fn a_full_panel_takes_no_more() {
    let settings = format!(r#"{{"collect": {ATTENTION}, "minimum_contributions": 1, "maximum_contributions": 2}}"#);
    let mut panel = HOST.panel_of(&settings);
    let contribution = Contribution::attention(&panel.plan, &scores()).unwrap();
    panel.add(&contribution);
    let one = panel.sums.to_bytes();
    panel.add(&contribution);
    let bytes = panel.bytes(&contribution);
    assert_refused(&mut panel, &bytes, |error| *error == OperatorError::Range { bound: 3, limit: 2 });
    let before = panel.sums.to_bytes();
    assert_eq!(panel.sums.merge(&one).unwrap_err(), OperatorError::Range { bound: 3, limit: 2 });
    assert_eq!(panel.sums.to_bytes(), before);
}

#[test]
fn contributions_to_other_settings_parameters_or_parts_are_refused() {
    let mut panel = HOST.panel(ATTENTION, 1);
    panel.add(&Contribution::attention(&panel.plan, &scores()).unwrap());
    let other = HOST.panel(ATTENTION, 2);
    let bytes = other.bytes(&Contribution::attention(&other.plan, &scores()).unwrap());
    assert_refused(
        &mut panel,
        &bytes,
        |error| matches!(error, OperatorError::Unfit { object: "batch", reason } if reason.contains("settings")),
    );
    let request = panel.request();
    assert_refused(&mut panel, &request, |error| matches!(error, OperatorError::Unfit { object: "batch", .. }));
    let state = panel.sums.to_bytes();
    assert_refused(&mut panel, &state, |error| matches!(error, OperatorError::Unfit { object: "batch", .. }));
    let wide = Host::new(STATS_16384, 7);
    let panel_there = wide.panel(ATTENTION, 1);
    let bytes = panel_there.bytes(&Contribution::attention(&panel_there.plan, &scores()).unwrap());
    assert_refused(&mut panel, &bytes, |error| matches!(error, OperatorError::Wire(WireError::Parameters { .. })));
    // A request that is not one.
    for bytes in [panel.sums.to_bytes(), panel.plan.contribution_message(vec![]).unwrap()] {
        let error = panel.sums.report(&bytes, None).unwrap_err();
        assert!(matches!(error, OperatorError::Unfit { object: "request", .. }), "{error}");
    }
}

#[test]
fn ciphertexts_of_another_shape_are_refused() {
    let mut panel = HOST.panel(ATTENTION, 1);
    panel.add(&Contribution::attention(&panel.plan, &scores()).unwrap());
    let (context, fresh) = (&HOST.context, panel.plan.encodings()[0].clone());
    let encrypt = |encoding: &Encoding| {
        let plaintext = context.encode_real(&[0.5], encoding).unwrap();
        context.encrypt(&plaintext, &HOST.public).unwrap().to_bytes()
    };
    let unfit = |word: &'static str| move |error: &OperatorError| matches!(error, OperatorError::Unfit { object: "batch", reason } if reason.contains(word));
    let message = |panel: &Panel<'_>, items| panel.plan.contribution_message(items).unwrap();
    let shapes = [
        (fresh.clone().at(Level(0)).with_scale(Scale::power_of_two(30)), "level"),
        (fresh.clone().with_scale(Scale::power_of_two(40)), "scale"),
        (fresh.clone().within(2.0), "claims"),
    ];
    for (encoding, word) in shapes {
        let bytes = message(&panel, vec![encrypt(&encoding)]);
        assert_refused(&mut panel, &bytes, unfit(word));
    }
    let good = encrypt(&fresh);
    for items in [vec![], vec![good.clone(), good.clone()]] {
        let bytes = message(&panel, items);
        assert_refused(&mut panel, &bytes, unfit("ciphertexts instead of 1"));
    }
    let nested = message(&panel, vec![panel.request()]);
    assert_refused(&mut panel, &nested, |error| matches!(error, OperatorError::Wire(WireError::Kind { .. })));
    panel.sums.append(&message(&panel, vec![good]), None).unwrap();
}

#[test]
fn damaged_contributions_are_refused() {
    let mut panel = HOST.panel(ATTENTION, 1);
    panel.add(&Contribution::attention(&panel.plan, &scores()).unwrap());
    let bytes = panel.bytes(&Contribution::attention(&panel.plan, &scores()).unwrap());
    for length in [0, 1, 39, 40, 100, 200, bytes.len() / 2, bytes.len() - 1] {
        assert_refused(&mut panel, &bytes[..length], |error| matches!(error, OperatorError::Wire(_)));
    }
    let trailing = [bytes.as_slice(), &[0]].concat();
    assert_refused(&mut panel, &trailing, |error| matches!(error, OperatorError::Wire(_)));
    // A residue that is not below its prime: all bits set.
    let mut residues = bytes.clone();
    residues.iter_mut().skip(300).take(16).for_each(|byte| *byte = 0xff);
    assert_refused(&mut panel, &residues, |error| matches!(error, OperatorError::Wire(WireError::Residue { .. })));
}

#[test]
fn products_are_relinearized_only_with_keys_of_the_same_parameters() {
    let mut panel = HOST.panel(ATTENTION, 1);
    panel.add(&Contribution::attention(&panel.plan, &scores()).unwrap());
    let wide = Host::new(STATS_16384, 8);
    let error = panel.answer(Some(&wide.keys)).unwrap_err();
    assert!(matches!(error, OperatorError::Refused(Error::ParameterMismatch { .. })), "{error}");
}

#[test]
fn answers_of_other_settings_and_tampered_ones_are_not_read() {
    let mut panel = HOST.panel(ATTENTION, 1);
    panel.add(&Contribution::attention(&panel.plan, &scores()).unwrap());
    let bytes = panel.answer(Some(&HOST.keys)).unwrap();
    let other = HOST.panel(ATTENTION, 2);
    assert!(matches!(Answer::from_bytes(&bytes, &other.plan), Err(AnswerError::OtherSettings { .. })));
    let read = Answer::from_bytes(&panel.sums.to_bytes(), &panel.plan);
    assert!(matches!(read, Err(AnswerError::Operator { part: 3, .. })));
    let message = |change: &dyn Fn(&mut Message)| {
        let mut message = Message::from_bytes(&bytes, HOST.context.parameters().digest(), 9, usize::MAX).unwrap();
        change(&mut message);
        Answer::from_bytes(&message.to_bytes().unwrap(), &panel.plan)
    };
    assert!(message(&|_| ()).is_ok());
    let none = message(&|it| it.items[0][64..].fill(0));
    assert_eq!(none.unwrap_err(), AnswerError::Contributions { found: 0, least: 1, most: 1_000_000 });
    assert!(matches!(message(&|it| it.items.truncate(2)), Err(AnswerError::Items { .. })));
    assert!(matches!(message(&|it| it.items.swap(1, 2)), Err(AnswerError::Items { .. })));
    assert!(matches!(message(&|it| it.items[0].truncate(70)), Err(AnswerError::Items { .. })));
    assert!(matches!(message(&|it| it.operator = "match-signs/1".into()), Err(AnswerError::Operator { .. })));
}

#[test]
fn opened_slots_that_cannot_be_sums_are_refused() {
    let mut panel = HOST.panel(ATTENTION, 1);
    for _ in 0..4 {
        panel.add(&Contribution::attention(&panel.plan, &scores()).unwrap());
    }
    let answer = Answer::from_bytes(&panel.answer(None).unwrap(), &panel.plan).unwrap();
    let opened = panel.open(&answer);
    let findings = |change: &dyn Fn(&mut Vec<Slots>)| {
        let mut changed = opened.clone();
        change(&mut changed);
        answer.findings(&panel.plan, &changed).map(|_| ())
    };
    assert_eq!(findings(&|_| ()), Ok(()));
    let expected = |what, expected, found| Err(AnswerError::Opened { what, expected, found });
    assert_eq!(findings(&|slots| slots.truncate(1)), expected("ciphertexts", 2, 1));
    assert_eq!(findings(&|slots| slots[0].values.truncate(4095)), expected("slots", 4096, 4095));
    let implausible: [fn(&mut Vec<Slots>); 9] = [
        |slots| slots[0].values[6] = 1.0,             // an unused slot
        |slots| slots[1].values[4095] = -0.01,        // another one
        |slots| slots[0].values[3] = 3.5,             // a count that is no integer
        |slots| slots[0].values[3] = 3.0,             // a count that its square does not confirm
        |slots| slots[0].values[0] = 4.1,             // more than four scores can add up to
        |slots| slots[0].values[0] = -0.1,            // less
        |slots| slots[1].values[0] = 4.1,             // the same for squares
        |slots| slots[0].values[1] = f64::NAN,        // no number
        |slots| slots[0].error_bound = f64::INFINITY, // no bound
    ];
    for (index, change) in implausible.iter().enumerate() {
        assert_eq!(findings(change), Err(AnswerError::Implausible), "change {index}");
    }
}
