//! States: what a service stores between requests, and what relays merge.

use blindrelay_analytics::{Contribution, Findings};
use blindrelay_engine::operator::{Accumulation, Accumulator, OperatorError};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::{Message, Wire};

use crate::rig::{Generator, HOST, Panel};

const PAIRS: &str = r#"{"correlation": {"pairs": 4, "x_limit": 1, "y_limit": 1}}"#;

fn contribution(panel: &Panel<'_>, generator: &mut Generator) -> Contribution {
    let pairs: Vec<(f64, f64)> = (0..4).map(|_| (generator.between(-1.0, 1.0), generator.between(-1.0, 1.0))).collect();
    Contribution::correlation(&panel.plan, &pairs).unwrap()
}

#[test]
fn a_restored_state_is_the_same_and_goes_on_the_same() {
    let mut generator = Generator(1);
    let mut panel = HOST.panel(PAIRS, 1);
    for _ in 0..4 {
        let state = panel.sums.to_bytes();
        let mut restored = HOST.operator.restore(&panel.settings, &state).unwrap();
        assert_eq!((restored.to_bytes(), restored.batches()), (state, panel.sums.batches()));
        let bytes = panel.bytes(&contribution(&panel, &mut generator));
        panel.sums.append(&bytes, None).unwrap();
        restored.append(&bytes, None).unwrap();
        assert_eq!(restored.to_bytes(), panel.sums.to_bytes());
        assert_eq!(restored.report(&panel.request(), Some(&HOST.keys)), panel.answer(Some(&HOST.keys)));
    }
}

#[test]
fn the_state_does_not_grow() {
    let mut generator = Generator(2);
    let mut panel = HOST.panel(PAIRS, 1);
    panel.add(&contribution(&panel, &mut generator));
    let size = panel.sums.to_bytes().len();
    for _ in 0..20 {
        panel.add(&contribution(&panel, &mut generator));
        // The typed headers may take some bytes more as the bounds grow.
        assert!(panel.sums.to_bytes().len() <= size + 40);
    }
}

#[test]
fn merged_states_are_the_sums_of_all_contributions_in_any_order() {
    let mut generator = Generator(3);
    let mut relays = [(); 4].map(|()| HOST.panel(PAIRS, 6));
    let mut everything = HOST.panel(PAIRS, 6);
    for (relay, count) in relays.iter_mut().zip([3, 0, 1, 2]) {
        for _ in 0..count {
            let bytes = everything.bytes(&contribution(&everything, &mut generator));
            relay.sums.append(&bytes, None).unwrap();
            everything.sums.append(&bytes, None).unwrap();
        }
    }
    let states = relays.each_ref().map(|relay| relay.sums.to_bytes());
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let mut merged = HOST.panel(PAIRS, 6);
        for relay in order {
            merged.sums.merge(&states[relay]).unwrap();
        }
        assert_eq!(merged.sums.batches(), 6);
        assert_eq!(merged.sums.to_bytes(), everything.sums.to_bytes());
        assert_eq!(merged.findings(), everything.findings());
    }
}

#[test]
fn states_of_other_settings_and_damaged_ones_are_refused() {
    let mut generator = Generator(4);
    let mut panel = HOST.panel(PAIRS, 1);
    panel.add(&contribution(&panel, &mut generator));
    let before = panel.sums.to_bytes();
    let other = HOST.panel(PAIRS, 2);
    let refused = |panel: &mut Panel<'_>, state: &[u8], expected: &str| {
        for error in
            [panel.sums.merge(state).unwrap_err(), HOST.operator.restore(&panel.settings, state).err().unwrap()]
        {
            assert!(error.to_string().contains(expected), "'{error}' instead of '{expected}'");
        }
        assert_eq!(panel.sums.to_bytes(), before);
    };
    refused(&mut panel, &other.sums.to_bytes(), "settings");
    let request = panel.request();
    refused(&mut panel, &request, "part 1");
    refused(&mut panel, &before[..before.len() - 1], "bytes");
    let message = |change: &dyn Fn(&mut Message)| {
        let mut message = Message::from_bytes(&before, HOST.context.parameters().digest(), 9, usize::MAX).unwrap();
        change(&mut message);
        message.to_bytes().unwrap()
    };
    // Sums of one contribution cannot claim to be of none, or of more than there may be; those of two have larger bounds than those of one.
    refused(&mut panel, &message(&|it| it.items[0][32] = 0), "5 sums of 0 contributions instead of 0");
    refused(&mut panel, &message(&|it| it.items[0][39] = 1), "close this period");
    refused(&mut panel, &message(&|it| it.items[0].truncate(39)), "eight bytes");
    refused(&mut panel, &message(&|it| drop(it.items.pop())), "4 sums of 1 contributions instead of 5");
    refused(&mut panel, &message(&|it| it.items.swap(1, 3)), "instead of");
    let mut two = HOST.panel(PAIRS, 1);
    two.sums.merge(&before).unwrap();
    two.sums.merge(&before).unwrap();
    let mut lie = Message::from_bytes(&two.sums.to_bytes(), HOST.context.parameters().digest(), 9, usize::MAX).unwrap();
    lie.items[0][32] = 1;
    refused(&mut panel, &lie.to_bytes().unwrap(), "claims");
}

#[test]
fn a_repeated_upload_has_the_same_bytes_and_no_other_has() {
    let mut generator = Generator(5);
    let panel = HOST.panel(PAIRS, 1);
    let (one, two) = (contribution(&panel, &mut generator), contribution(&panel, &mut generator));
    let seed = Seed::from_bytes([3; 32]);
    let bytes = |contribution: &Contribution, sequence| {
        contribution.encrypt_repeatably(&panel.plan, &HOST.public, &seed, sequence).unwrap()
    };
    assert_eq!(bytes(&one, 0), bytes(&one, 0));
    assert_ne!(bytes(&one, 0), bytes(&one, 1));
    assert_ne!(bytes(&one, 0), one.encrypt(&panel.plan, &HOST.public).unwrap());
    assert_ne!(one.encrypt(&panel.plan, &HOST.public).unwrap(), one.encrypt(&panel.plan, &HOST.public).unwrap());
    // Different plaintexts share no randomness: the second components differ.
    let tail = |bytes: Vec<u8>| bytes[bytes.len() - 1000..].to_vec();
    assert_ne!(tail(bytes(&one, 0)), tail(bytes(&two, 0)));
    let mut counted = HOST.panel(PAIRS, 1);
    counted.sums.append(&bytes(&one, 0), None).unwrap();
    assert!(matches!(counted.findings(), Findings::Correlation(found) if found.count.admits(4.0)));
}

#[test]
fn the_host_may_contribute_with_its_secret_key() {
    let mut panel = HOST.panel(r#"{"concurrency": {"buckets": 3, "bucket_seconds": 60}}"#, 1);
    let encoding = panel.plan.encodings()[0].clone().at(HOST.context.parameters().top_level());
    let plaintext = HOST.context.encode_real(&[1.0, 0.5, 0.25], &encoding).unwrap();
    let seeded = HOST.key.encrypt(&plaintext).unwrap().to_bytes();
    let message = panel.plan.contribution_message(vec![seeded]).unwrap();
    panel.sums.append(&message, None).unwrap();
    panel.sums.append(&message, None).unwrap();
    let Findings::Concurrency { participants, .. } = panel.findings() else { panic!("another statistic") };
    assert!(participants.iter().zip([2.0, 1.0, 0.5]).all(|(found, expected)| found.admits(expected)));
}

#[test]
fn an_empty_state_is_merged_without_a_change() {
    let mut panel = HOST.panel(PAIRS, 1);
    let empty = panel.sums.to_bytes();
    panel.sums.merge(&empty).unwrap();
    assert_eq!(panel.sums.to_bytes(), empty);
    assert_eq!(panel.answer(None), Err(OperatorError::TooFewContributions { found: 0, needed: 1 }));
}
