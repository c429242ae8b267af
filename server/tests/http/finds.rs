//! Rooms of `find-signs/1`: an encrypted question, and the ticket of whom it matches or of nobody.

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::http::Method;
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::params::{DECIDE_32768, Level, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::KeyPlan;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::{Expectation, SecretKey};
use blindrelay_routing::Token;
use blindrelay_routing::find::{
    FIND_SIGNS, FindAnswer, FindKind, FindRecord, FindRequest, Finding, PAYLOAD_LEVEL, THRESHOLDS,
};
use blindrelay_server::id::BodyDigest;
use serde_json::json;
use zeroize::Zeroizing;

use crate::party::Party;
use crate::rig::Rig;

/// The members of a room, with its evaluation keys.
struct Members {
    key: SecretKey,
    plan: KeyPlan,
    keys: Vec<u8>,
}

/// Their key takes a moment and is the same for all tests.
static MEMBERS: LazyLock<Members> = LazyLock::new(|| {
    let parameters = Parameters::new(preset(DECIDE_32768).unwrap(), Backend::detect()).unwrap();
    let context = Context::new(&parameters).unwrap();
    let plan = Finding::new(&context).unwrap().key_plan().clone();
    let key = SecretKey::from_seed(&context, Seed::from_bytes([5; 32]));
    let keys = key.planned_keys(&plan).to_bytes();
    Members { key, plan, keys }
});

impl Members {
    fn context(&self) -> &Arc<Context> {
        self.key.context()
    }

    fn token(name: &str) -> Token {
        Token::of_identity(&[9; 32], name)
    }

    fn record(&self, name: &str, ticket: &[u8]) -> Vec<u8> {
        let [token, payload] = FindRecord::pack(self.context(), &Self::token(name), ticket).unwrap();
        let payload = self.key.encrypt_at(&payload, PAYLOAD_LEVEL).unwrap();
        FindRecord { token: self.key.encrypt(&token).unwrap(), payload }.to_bytes().unwrap()
    }

    fn request(&self, name: &str, kind: FindKind) -> (FindRequest, Vec<u8>) {
        let plaintext = FindRequest::pack_probe(self.context(), &Self::token(name)).unwrap();
        let probe = self.key.encrypt_at(&plaintext, FindRequest::probe_level(self.key.parameters())).unwrap();
        let request = FindRequest { kind, threshold: *THRESHOLDS.end(), probe };
        let bytes = request.to_bytes().unwrap();
        (request, bytes)
    }

    fn opened(&self, answer: &Answer, positions: Vec<u32>, range: ValueRange) -> Option<Zeroizing<Vec<i64>>> {
        self.key.open_answer(answer, &Expectation { positions, range }).ok()
    }

    /// Asks, and opens the tickets, in ascending order; beside them the length of the answer.
    async fn find(&self, rig: &Rig, room: &str, name: &str) -> (Vec<Vec<u8>>, usize) {
        let (request, bytes) = self.request(name, FindKind::Tickets);
        let body = rig.matched(room, bytes.clone()).await;
        let answer = FindAnswer::from_bytes(&body, self.context()).unwrap();
        answer.check(&request, &bytes).unwrap();
        let opened = answer.open_tickets(self.context(), |answer, at, range| self.opened(answer, at, range)).unwrap();
        assert_eq!(opened.unreadable, 0);
        let mut tickets: Vec<Vec<u8>> = opened.found.iter().map(|found| found.payload.to_vec()).collect();
        tickets.sort();
        (tickets, body.len())
    }

    async fn count(&self, rig: &Rig, room: &str, name: &str) -> usize {
        let (request, bytes) = self.request(name, FindKind::Count);
        let answer = FindAnswer::from_bytes(&rig.matched(room, bytes.clone()).await, self.context()).unwrap();
        answer.check(&request, &bytes).unwrap();
        answer.open_count(self.context(), |answer, at, range| self.opened(answer, at, range)).unwrap()
    }

    async fn room(&self, rig: &Rig) -> String {
        rig.put_keys(&self.keys).await;
        rig.room_with(FIND_SIGNS, &self.keys).await
    }
}

#[tokio::test]
async fn whoever_asks_receives_the_ticket_of_whom_it_matches_and_of_nobody_else() {
    let (rig, members) = (Rig::new().await, &*MEMBERS);
    let room = members.room(&rig).await;
    let ada = rig.enrol(&room, members.record("ada", b"ticket of ada"), 1).await[0];
    rig.enrol(&room, members.record("grace", b"ticket of grace"), 1).await;
    rig.enrol(&room, members.record("ada", &[7; 254]), 1).await;
    let (both, bytes) = members.find(&rig, &room, "ada").await;
    assert_eq!(both, [vec![7; 254], b"ticket of ada".to_vec()]);
    let (one, of_one) = members.find(&rig, &room, "grace").await;
    assert_eq!(one, [b"ticket of grace".to_vec()]);
    let (nobody, of_nobody) = members.find(&rig, &room, "alan").await;
    assert!(nobody.is_empty());
    assert_eq!([of_one, of_nobody], [bytes; 2], "the length of an answer says nothing");
    assert_eq!(members.count(&rig, &room, "ada").await, 2);
    assert_eq!(members.count(&rig, &room, "alan").await, 0);
    rig.delete(&format!("{room}/handles/{ada}")).await.expect(204);
    let (left, of_left) = members.find(&rig, &room, "ada").await;
    assert_eq!((left, of_left), (vec![vec![7; 254]], bytes));
}

#[tokio::test]
async fn without_its_keys_there_is_no_room_and_all_that_are_missing_are_named() {
    let (rig, members) = (Rig::new().await, &*MEMBERS);
    let make = |body: serde_json::Value| {
        let rig = rig.clone();
        async move { rig.post_json("/v1/rooms", &body).await }
    };
    let without = make(json!({"operator": FIND_SIGNS})).await;
    let detail = without.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("blindrelay room create --key"), "{detail}");
    without.refused(422, "keys-required");
    let digest = BodyDigest::of(&members.keys).to_string();
    make(json!({"operator": FIND_SIGNS, "evaluation_keys": digest})).await.refused(409, "keys-missing");
    let mut fewer = members.plan.clone();
    let (last, _) = fewer.galois.pop_last().unwrap();
    let (first, _) = fewer.galois.pop_first().unwrap();
    fewer.relinearization = None;
    let lacking = members.key.planned_keys(&fewer).to_bytes();
    rig.put_keys(&lacking).await.expect(201);
    let digest = BodyDigest::of(&lacking).to_string();
    let refused = make(json!({"operator": FIND_SIGNS, "evaluation_keys": digest})).await;
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    for words in ["relinearization key", &first.value().to_string(), &last.value().to_string(), "room create --key"] {
        assert!(detail.contains(words), "'{words}' is not in {detail}");
    }
    refused.refused(422, "keys-incomplete");
    // Keys that are there, but do not reach the levels of the circuit: whoever asks is told how to make those that do.
    let mut low = members.plan.clone();
    low.relinearization = Some(Level(1));
    let lacking = members.key.planned_keys(&low).to_bytes();
    rig.put_keys(&lacking).await.expect(201);
    let room = rig.room_with(FIND_SIGNS, &lacking).await;
    rig.enrol(&room, members.record("ada", b"ticket"), 1).await;
    let refused = rig.post(&format!("{room}/match"), members.request("ada", FindKind::Tickets).1).await;
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    for words in ["relinearization key", "blindrelay keygen --for find"] {
        assert!(detail.contains(words), "'{words}' is not in {detail}");
    }
    refused.refused(422, "keys-incomplete");
    // Keys of another set of parameters.
    let others = Party::signs().relinearization_keys();
    rig.put_keys(&others).await.expect(201);
    let digest = BodyDigest::of(&others).to_string();
    make(json!({"operator": FIND_SIGNS, "evaluation_keys": digest})).await.refused(422, "wrong-parameters");
}

#[tokio::test]
async fn bodies_that_are_not_what_the_room_takes_are_refused_and_change_nothing() {
    let (rig, members, party) = (Rig::new().await, &*MEMBERS, Party::signs());
    let room = members.room(&rig).await;
    let (ask, enrol) = (format!("{room}/match"), format!("{room}/handles"));
    let request = members.request("ada", FindKind::Tickets).1;
    rig.post(&ask, request.clone()).await.refused(409, "room-empty");
    let record = members.record("ada", b"ticket");
    rig.enrol(&room, record.clone(), 1).await;
    let before = rig.view(&room).await;

    for (path, good) in [(&ask, &request), (&enrol, &record)] {
        for length in [0, 39, 60, good.len() / 2, good.len() - 1] {
            rig.post(path, good[..length].to_vec()).await.refused(400, "body-truncated");
        }
        rig.post(path, [good.as_slice(), &[0]].concat()).await.refused(413, "body-too-long");
        let announced = [("content-length", "60000000")];
        let long = rig.send(Method::POST, path, &announced, Body::from(good[..100].to_vec())).await;
        assert!(long.json()["detail"].as_str().unwrap().contains("the operator takes"), "{:?}", long.json());
        long.refused(413, "body-too-long");
        // Objects of the room for scores, and parameters that nobody knows.
        rig.post(path, party.probe("ada")).await.refused(422, "wrong-parameters");
        let mut foreign = good.clone();
        foreign[8] ^= 1;
        rig.post(path, foreign).await.refused(422, "unknown-parameters");
    }
    // A record as a question, a question as a record, and the parts alone.
    rig.post(&ask, record.clone()).await.refused(413, "body-too-long");
    rig.post(&enrol, request.clone()).await.refused(422, "malformed-object");
    let probe = members.request("ada", FindKind::Tickets).0.probe.to_bytes();
    rig.post(&ask, probe).await.refused(422, "malformed-object");
    rig.post(&format!("{room}/handles?count=2"), record.clone()).await.refused(422, "value-count");
    let other = rig.room("match-signs/1").await;
    rig.post(&format!("{other}/handles"), record).await.refused(422, "wrong-parameters");
    assert_eq!(rig.view(&room).await, before);
    assert_eq!(members.find(&rig, &room, "ada").await.0, [b"ticket".to_vec()]);
}

#[tokio::test]
async fn keys_are_as_long_as_operators_need_and_no_longer() {
    let (rig, members) = (Rig::new().await, &*MEMBERS);
    let path = format!("/v1/keys/{}", BodyDigest::of(&members.keys));
    // A key for every level is 8 megabytes, and the operator needs five.
    for (announced, status) in [(41_000_000, 413), (members.keys.len() - 1, 400)] {
        let length = announced.to_string();
        let headers = [("content-length", length.as_str())];
        let reply = rig.send(Method::PUT, &path, &headers, Body::from(members.keys[..1000].to_vec())).await;
        assert_eq!(reply.status.as_u16(), status, "{:?}", reply.json());
    }
    rig.put_keys(&members.keys).await.expect(201);
}
