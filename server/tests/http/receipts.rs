//! Receipts of answers.

use axum::http::Method;
use blindrelay_server::id::BodyDigest;
use blindrelay_server::receipts::RECEIPTED;
use blindrelay_trust::{CollectionKind, ContentDigest, KeyHistory, ReceiptError, SignedReceipt};
use serde_json::json;

use crate::ledgers::setup;
use crate::party::Party;
use crate::rig::{Reply, Rig};
use crate::sums::Sums;

/// The signed receipt and the answer in a reply.
pub(crate) fn open(reply: &Reply) -> (SignedReceipt, Vec<u8>) {
    assert_eq!(reply.headers.get("content-type").unwrap(), RECEIPTED);
    let (length, rest) = reply.body.split_first_chunk::<4>().unwrap();
    let (receipt, answer) = rest.split_at(u32::from_le_bytes(*length) as usize);
    (SignedReceipt::from_bytes(receipt).unwrap(), answer.to_vec())
}

async fn history(rig: &Rig) -> KeyHistory {
    let reply = rig.get("/v1/identity").await.expect(200);
    KeyHistory::from_json(std::str::from_utf8(&reply.body).unwrap()).unwrap()
}

async fn ask(rig: &Rig, path: &str, accept: &str, body: Vec<u8>) -> Reply {
    rig.send(Method::POST, path, &[("accept", accept)], body).await
}

#[tokio::test]
async fn an_answer_carries_a_receipt_for_whoever_asks_for_one() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let keys = party.relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let room = rig.room_with("match-signs/1", &keys).await;
    let ada = rig.enrol(&room, party.record(&["ada"]), 1).await[0];
    let (path, probe) = (format!("{room}/match"), party.probe("ada"));
    let (signed, answer) = open(&ask(&rig, &path, RECEIPTED, probe.clone()).await.expect(200));
    let history = history(&rig).await;
    history.verify_chain(&rig.state.identity().public().id()).unwrap();
    let verified = signed.verify(&history).unwrap();
    let receipt = verified.receipt();
    receipt.matches_request(&probe).unwrap();
    receipt.matches_answer(&answer).unwrap();
    assert_eq!(party.open(&answer), [(ada, 128)]);
    assert_eq!(receipt.operator.as_str(), "match-signs/1");
    assert_eq!(receipt.evaluation_keys, Some(ContentDigest::from_bytes(*BodyDigest::of(&keys).as_bytes())));
    assert_eq!((receipt.collection.kind, receipt.collection.version), (CollectionKind::Room, 1));
    assert_eq!(format!("/v1/rooms/{}", receipt.collection.id), room);
    assert!(receipt.noise.bound_log2() < receipt.noise.limit_log2());

    // The same answer comes alone where no receipt is wanted, and with one where several types are.
    let alone = ask(&rig, &path, "*/*", probe.clone()).await.expect(200);
    assert_eq!(alone.headers.get("content-type").unwrap(), "application/octet-stream");
    assert_eq!(alone.body, answer);
    let several = format!("text/html, {} ; q=0.5", RECEIPTED.to_ascii_uppercase());
    let (again, _) = open(&ask(&rig, &path, &several, probe.clone()).await.expect(200));
    assert_eq!(again.receipt().collection, receipt.collection);

    // Another record is another state of the room.
    rig.enrol(&room, party.record(&["grace"]), 1).await;
    let (later, other) = open(&ask(&rig, &path, RECEIPTED, probe.clone()).await.expect(200));
    assert_eq!(later.receipt().collection.version, 2);
    assert_ne!(later.receipt().collection.content, receipt.collection.content);
    assert!(matches!(receipt.matches_answer(&other), Err(ReceiptError::Answer { .. })));
    // What is refused has no receipt.
    ask(&rig, &path, RECEIPTED, probe[..100].to_vec()).await.refused(400, "body-truncated");
}

#[tokio::test]
async fn services_of_different_identities_do_not_vouch_for_each_other() {
    let (one, other, party) = (Rig::new().await, Rig::new().await, Party::signs());
    let room = one.room("match-signs/1").await;
    one.enrol(&room, party.record(&["ada"]), 1).await;
    let reply = ask(&one, &format!("{room}/match"), RECEIPTED, party.probe("ada")).await.expect(200);
    let (signed, _) = open(&reply);
    signed.verify(&history(&one).await).unwrap();
    assert!(matches!(signed.verify(&history(&other).await), Err(ReceiptError::UnknownKey { .. })));
}

#[tokio::test]
async fn a_report_carries_a_receipt_of_the_sums() {
    let rig = setup().start().await;
    let panel = rig.ledger("panels", "test-mean/1", json!({})).await;
    rig.append(&panel, "one", Sums::batch(5)).await;
    rig.append(&panel, "two", Sums::batch(7)).await;
    let (signed, answer) = open(&ask(&rig, &format!("{panel}/report"), RECEIPTED, Vec::new()).await.expect(200));
    let history = history(&rig).await;
    let receipt = signed.verify(&history).unwrap().receipt().clone();
    receipt.matches_request(b"").unwrap();
    receipt.matches_answer(&answer).unwrap();
    assert_eq!((receipt.collection.kind, receipt.collection.version), (CollectionKind::Panel, 2));
    assert_eq!(format!("/v1/panels/{}", receipt.collection.id), panel);
    assert_eq!(rig.post(&format!("{panel}/report"), "").await.expect(200).body, answer);
}
