//! The whole life of rooms, keys and handles.

use axum::http::{Method, StatusCode};
use blindrelay_routing::MatchKind;
use blindrelay_server::id::BodyDigest;
use serde_json::json;

use crate::party::Party;
use crate::rig::Rig;

#[tokio::test]
async fn a_room_finds_who_is_enrolled() {
    for (kind, operator) in [(MatchKind::Signs, "match-signs/1"), (MatchKind::Embeddings, "match-embeddings/1")] {
        let (rig, party) = (Rig::new().await, Party::new(kind, 1));
        let keys = party.relinearization_keys();
        rig.put_keys(&keys).await.expect(201);
        let (plain, keyed) = (rig.room(operator).await, rig.room_with(operator, &keys).await);
        let mut lengths = Vec::new();
        for room in [&plain, &keyed] {
            let ada = rig.enrol(room, party.record(&["ada"]), 1).await[0];
            let pair = rig.enrol(room, party.record(&["grace", "alan"]), 2).await;
            let answer = rig.matched(room, party.probe("grace")).await;
            lengths.push(answer.len());
            let mut expected = vec![
                (ada, party.score("ada", "grace")),
                (pair[0], party.score("grace", "grace")),
                (pair[1], party.score("alan", "grace")),
            ];
            expected.sort_unstable();
            assert_eq!(party.open(&answer), expected, "{operator}");
            rig.delete(&format!("{room}/handles/{}", pair[0])).await.expect(204);
            expected.retain(|(handle, _)| *handle != pair[0]);
            assert_eq!(party.open(&rig.matched(room, party.probe("grace")).await), expected);
        }
        assert!(lengths[1] < lengths[0], "relinearized answers are smaller: {lengths:?}");
    }
}

#[tokio::test]
async fn a_room_tells_what_it_is_and_goes_away() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let keys = party.relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let room = rig.room_with("match-signs/1", &keys).await;
    let record = party.record(&["ada", "grace"]);
    rig.enrol(&room, record.clone(), 2).await;
    let shown = rig.get(&room).await.expect(200).json();
    let expected = json!({
        "room": room.rsplit('/').next().unwrap(),
        "operator": "match-signs/1",
        "parameters": "match-2048",
        "evaluation_keys": BodyDigest::of(&keys).to_string(),
        "handles": 2,
        "bytes": record.len(),
    });
    assert_eq!(shown, expected);
    rig.delete(&room).await.expect(204);
    rig.get(&room).await.refused(404, "unknown-room");
    rig.get(&format!("{room}/handles")).await.refused(404, "unknown-room");
    rig.post(&format!("{room}/match"), party.probe("ada")).await.refused(404, "unknown-room");
    rig.post(&format!("{room}/handles"), record).await.refused(404, "unknown-room");
    rig.delete(&room).await.refused(404, "unknown-room");
}

#[tokio::test]
async fn keys_are_uploaded_once() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let keys = party.relinearization_keys();
    let path = format!("/v1/keys/{}", BodyDigest::of(&keys));
    rig.get(&path).await.refused(404, "unknown-keys");
    let first = rig.put_keys(&keys).await.expect(201).json();
    let expected = json!({
        "digest": BodyDigest::of(&keys).to_string(),
        "parameters": "match-2048",
        "bytes": keys.len(),
        "relinearization": true,
        "galois_elements": [],
        "epoch": 0,
    });
    assert_eq!(first, expected);
    assert_eq!(rig.put_keys(&keys).await.expect(200).json(), expected);
    assert_eq!(rig.get(&path).await.expect(200).json(), expected);
    let room = rig.room_with("match-signs/1", &keys).await;
    rig.delete(&path).await.refused(409, "keys-in-use");
    rig.delete(&room).await.expect(204);
    rig.delete(&path).await.expect(204);
    rig.get(&path).await.refused(404, "unknown-keys");
    rig.delete(&path).await.refused(404, "unknown-keys");
}

#[tokio::test]
async fn a_repeated_request_enrols_once() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    let (path, record) = (format!("{room}/handles?count=2"), party.record(&["ada", "grace"]));
    let named = |name: &'static str, path: String, body: Vec<u8>| {
        let rig = rig.clone();
        async move { rig.send(Method::POST, &path, &[("idempotency-key", name)], body).await }
    };
    let first = named("request.1", path.clone(), record.clone()).await.expect(201).handles();
    let second = named("request.1", path.clone(), record.clone()).await.expect(201).handles();
    assert_eq!(first, second);
    assert_eq!(rig.get(&room).await.json()["handles"], 2);
    let other = party.record(&["ada", "grace"]);
    named("request.1", path.clone(), other.clone()).await.refused(409, "idempotency-conflict");
    named("request.1", format!("{room}/handles"), record.clone()).await.refused(409, "idempotency-conflict");
    assert_ne!(named("request.2", path, record).await.expect(201).handles(), first);
    for bad in ["", "a b", "a/b", &"x".repeat(65)] {
        let reply =
            rig.send(Method::POST, &format!("{room}/handles"), &[("idempotency-key", bad)], other.clone()).await;
        reply.refused(400, "malformed-header");
    }
    assert_eq!(rig.get(&room).await.json()["handles"], 4);
}

#[tokio::test]
async fn handles_are_listed_in_pages() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    let empty = rig.get(&format!("{room}/handles")).await.expect(200).json();
    assert_eq!(empty, json!({"handles": [], "next": null}));
    let mut handles = rig.enrol(&room, party.record(&["a", "b", "c", "d", "e"]), 5).await;
    handles.sort_unstable();
    let first = rig.get(&format!("{room}/handles?limit=3")).await.expect(200);
    assert_eq!(first.handles(), handles[..3]);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert_eq!(next, handles[2].to_string());
    let second = rig.get(&format!("{room}/handles?limit=3&after={next}")).await.expect(200);
    assert_eq!(second.handles(), handles[3..]);
    assert!(second.json()["next"].is_null());
    let exact = rig.get(&format!("{room}/handles?limit=5&after=")).await.expect(200);
    assert!(exact.json()["next"].is_null());
    assert_eq!(exact.handles(), handles);
}

#[tokio::test]
async fn everybody_can_read_what_is_offered() {
    let rig = Rig::new().await;
    let cards = rig.get("/v1/operators").await.expect(200).json()["operators"].clone();
    let ids: Vec<&str> = cards.as_array().unwrap().iter().map(|card| card["id"].as_str().unwrap()).collect();
    for id in ["charge/1", "find-signs/1", "match-embeddings/1", "match-signs/1", "statistics-wide/1", "statistics/1"] {
        assert_eq!(ids.iter().filter(|&&found| found == id).count(), 1, "{ids:?}");
    }
    assert!(ids.is_sorted(), "{ids:?}");
    let of = |id: &str| cards.as_array().unwrap().iter().find(|card| card["id"] == id).unwrap();
    let card = of("match-signs/1");
    assert_eq!(rig.get("/v1/operators/match-signs/1").await.expect(200).json(), *card);
    assert_eq!(card["relinearization"], "optional");
    for (id, resource) in [("charge/1", "meters"), ("find-signs/1", "rooms"), ("statistics/1", "panels")] {
        assert_eq!(of(id)["resource"], resource);
    }
    assert_eq!(of("find-signs/1")["relinearization"], "required");
    let sets = rig.get("/v1/parameters").await.expect(200).json()["sets"].clone();
    let expected = json!({
        "name": "match-2048",
        "digest": card["parameter_digest"],
        "scheme": "bfv",
        "ring_degree": 2048,
        "plaintext_modulus": 257,
        "scale_bits": null,
        "ciphertext_primes": [2_199_020_228_609_u64],
        "special_primes": [],
        "modulus_bits": 41,
        "policy": "Pq128",
        "answer_prime": 16_760_833,
        "sunset": null,
    });
    assert!(sets.as_array().unwrap().contains(&expected), "{sets}");
    let names: Vec<&str> = sets.as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
    for name in ["bill-8192", "decide-32768", "match-2048", "match-4096", "stats-16384", "stats-8192"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert_eq!(rig.get("/v1/health/live").await.expect(200).json(), json!({"status": "live"}));
    assert_eq!(rig.get("/v1/health/ready").await.expect(200).json(), json!({"status": "ready"}));
    rig.state.stop();
    let stopping = rig.get("/v1/health/ready").await;
    assert_eq!((stopping.status, stopping.json()), (StatusCode::SERVICE_UNAVAILABLE, json!({"status": "stopping"})));
    rig.get("/v1/health/live").await.expect(200);
}
