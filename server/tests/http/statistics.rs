//! From attention scores to their mean at the host, with real keys, over the service.

use blindrelay_analytics::{Answer, Contribution, Findings, Plan, Settings, Slots, reference};
use blindrelay_engine::Backend;
use blindrelay_engine::ckks::Context;
use blindrelay_engine::params::{Parameters, STATS_8192, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::{KeyRequirements, SecretKey};
use blindrelay_server::id::BodyDigest;
use serde_json::json;

use crate::rig::Rig;

#[tokio::test]
async fn a_panel_tells_the_mean_of_scores_that_nobody_else_sees() {
    let rig = Rig::new().await;
    let parameters = Parameters::new(preset(STATS_8192).unwrap(), Backend::detect()).unwrap();
    let context = Context::new(&parameters).unwrap();
    let host = SecretKey::from_seed(&context, Seed::from_bytes([3; 32]));
    let requirements = KeyRequirements { relinearization: true, ..KeyRequirements::default() };
    let keys = host.evaluation_keys(&requirements).to_bytes();
    rig.put_keys(&keys).await.expect(201);
    let settings = json!({"collect": {"attention": {"slots": 3}}, "minimum_contributions": 4});
    let plan = Plan::new(&Settings::from_json(&settings.to_string()).unwrap(), &context).unwrap();
    let request = json!({"operator": "statistics/1", "settings": settings,
        "evaluation_keys": BodyDigest::of(&keys).to_string()});
    let mut panels = Vec::new();
    for _ in 0..2 {
        let made = rig.post_json("/v1/panels", &request).await.expect(201).json();
        panels.push(format!("/v1/panels/{}", made["id"].as_str().unwrap()));
    }
    let scores = [0.125, 0.5, 0.875, 0.25, 1.0, 0.0];
    for (index, &score) in scores.iter().enumerate() {
        let given = [Some(score), None, Some(1.0 - score)];
        let contribution = Contribution::attention(&plan, &given).unwrap();
        let bytes = contribution.encrypt_repeatably(&plan, &host.public_key(), &Seed::from_bytes([9; 32]), 0).unwrap();
        for _ in 0..2 {
            rig.append(&panels[index % 2], &format!("guest-{index}"), bytes.clone()).await;
        }
    }
    let question = plan.request(&[7; 16]).unwrap();
    let report = format!("{}/report", panels[0]);
    // Three of the six came to this relay: too few until the other's are merged.
    rig.post(&report, question.clone()).await.refused(409, "too-few-contributions");
    assert_eq!(rig.merge(&panels[0], "merge", &panels[1]).await.expect(201).json(), json!({"batches": 6}));
    let answer = Answer::from_bytes(&rig.post(&report, question).await.expect(200).body, &plan).unwrap();
    let opened: Vec<Slots> = answer
        .sums()
        .iter()
        .map(|(ciphertext, shape)| {
            let opened = host.open(ciphertext, shape).unwrap();
            Slots { values: opened.values.to_vec(), error_bound: opened.error_bound }
        })
        .collect();
    let Findings::Attention { slots, .. } = answer.findings(&plan, &opened).unwrap() else { panic!("other findings") };
    let (mean, variance) = reference::mean_and_variance(&scores).unwrap();
    let found = &slots[0];
    assert!((found.mean.count.value - 6.0).abs() < 1e-9);
    let estimate = found.mean.mean.unwrap();
    assert!((estimate.value - mean).abs() <= estimate.bound && estimate.bound < 1e-5);
    let estimate = found.variance.unwrap();
    assert!((estimate.value - variance).abs() <= estimate.bound && estimate.bound < 1e-4);
    assert!(slots[1].mean.mean.is_none());
}

#[tokio::test]
async fn contributions_to_another_panel_are_refused() {
    let rig = Rig::new().await;
    let parameters = Parameters::new(preset(STATS_8192).unwrap(), Backend::detect()).unwrap();
    let context = Context::new(&parameters).unwrap();
    let host = SecretKey::from_seed(&context, Seed::from_bytes([3; 32]));
    let settings = |slots: usize| json!({"collect": {"attention": {"slots": slots}}, "minimum_contributions": 2});
    let plan = Plan::new(&Settings::from_json(&settings(3).to_string()).unwrap(), &context).unwrap();
    let panel = rig.ledger("panels", "statistics/1", settings(4)).await;
    let contribution = Contribution::attention(&plan, &[Some(0.5); 3]).unwrap();
    let bytes = contribution.encrypt(&plan, &host.public_key()).unwrap();
    rig.post_named(&format!("{panel}/batches"), "guest", bytes.clone()).await.refused(422, "unfit-batch");
    assert_eq!(rig.get(&panel).await.json()["batches"], 0);
    let fitting = rig.ledger("panels", "statistics/1", settings(3)).await;
    assert_eq!(rig.append(&fitting, "guest", bytes).await, 1);
    rig.post(&format!("{fitting}/report"), plan.request(&[0; 16]).unwrap()).await.refused(409, "too-few-contributions");
    rig.post(&format!("{fitting}/report"), "").await.refused(422, "malformed-object");
    let bad = json!({"operator": "statistics/1", "settings": {"collect": "everything"}});
    rig.post_json("/v1/panels", &bad).await.refused(422, "settings");
}
