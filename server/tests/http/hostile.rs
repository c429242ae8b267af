//! Bodies that are not what they should be.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Method;
use blindrelay_engine::bfv::{Ciphertext, Evaluator};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::ring::{Ntt, Poly};
use blindrelay_engine::rlwe;
use blindrelay_engine::wire::Wire;
use blindrelay_server::Limits;
use blindrelay_server::id::BodyDigest;
use futures_util::stream;

use crate::party::Party;
use crate::rig::{Reply, Rig, Setup};

/// The places where an object is sent to.
async fn targets(rig: &Rig, party: &Party) -> (String, Vec<(Method, String, Vec<u8>)>) {
    let room = rig.room("match-signs/1").await;
    rig.enrol(&room, party.record(&["ada"]), 1).await;
    let keys = party.relinearization_keys();
    let path = format!("/v1/keys/{}", BodyDigest::of(&keys));
    let targets = vec![
        (Method::POST, format!("{room}/handles"), party.record(&["grace"])),
        (Method::POST, format!("{room}/match"), party.probe("ada")),
        (Method::PUT, path, keys),
    ];
    (room, targets)
}

#[tokio::test]
async fn changed_bytes_are_refused_and_change_nothing() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let (room, targets) = targets(&rig, &party).await;
    let before = rig.view(&room).await;
    for (method, path, good) in targets {
        let send = |body: Vec<u8>| {
            let (rig, method, path) = (rig.clone(), method.clone(), path.clone());
            async move { rig.send(method, &path, &[], body).await }
        };
        let changed = |at: usize, value: u8| {
            let mut bytes = good.clone();
            assert_ne!(bytes[at], value);
            bytes[at] = value;
            bytes
        };
        for length in [0, 1, 39, 40, 41, good.len() / 2, good.len() - 1] {
            send(good[..length].to_vec()).await.refused(400, "body-truncated");
        }
        send([good.as_slice(), &[0]].concat()).await.refused(413, "body-too-long");
        send([good.clone(), vec![0; 200_000]].concat()).await.refused(413, "body-too-long");
        send(changed(0, b'X')).await.refused(422, "malformed-object");
        send(changed(4, 2)).await.refused(422, "malformed-object");
        send(changed(5, 200)).await.refused(422, "malformed-object");
        send(changed(8, !good[8])).await.refused(422, "unknown-parameters");
        // A typed header of 65,535 bytes.
        let mut long = good.clone();
        long[6..8].fill(0xff);
        let refused = send(long).await.problem();
        assert!(matches!(refused.0, 400 | 413 | 422), "{refused:?}");
        // A kind that does not belong here: a public key.
        let refused = send(changed(5, 4)).await.problem();
        assert!(matches!(refused.0, 400 | 413 | 422), "{refused:?}");
        // Residues that are not below their prime.
        let mut high = good.clone();
        let tail = high.len() - 64;
        high[tail..].fill(0xff);
        send(high).await.refused(422, if method == Method::PUT { "digest-mismatch" } else { "malformed-object" });
    }
    assert_eq!(rig.view(&room).await, before);
    let mut foreign = party.relinearization_keys();
    let last = foreign.len() - 1;
    foreign[last - 63..].fill(0xff);
    rig.put_keys(&foreign).await.refused(422, "malformed-object");
    rig.get(&format!("/v1/keys/{}", BodyDigest::of(&foreign))).await.refused(404, "unknown-keys");
    let wrong = format!("/v1/keys/{}", "0".repeat(64));
    let reply = rig.send(Method::PUT, &wrong, &[], party.relinearization_keys()).await;
    reply.refused(422, "digest-mismatch");
    rig.put_keys(&party.record(&["ada"])).await.refused(422, "malformed-object");
}

#[tokio::test]
async fn ciphertexts_that_cannot_be_computed_on() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    rig.enrol(&room, party.record(&["ada"]), 1).await;
    let before = rig.view(&room).await;
    let context = party.key.context();
    let fresh = party.key.encrypt(&party.kind.pack_probe(context, &party.token("ada")).unwrap()).unwrap();
    let fresh = fresh.expand(context).unwrap();
    let refresh = |components: Vec<Poly<Ntt>>, noise| {
        let rlwe = rlwe::Ciphertext::new(components, fresh.level());
        Ciphertext::new(context, rlwe, noise).unwrap().to_bytes()
    };
    let [body, mask] = [0, 1].map(|index| fresh.rlwe().components()[index].clone());
    let limit = context.noise_limit_log2(fresh.level());
    let noise = NoiseBound::from_log2(limit - 0.5, limit + 4.0, context.parameters().degree());
    let nothing = Poly::<Ntt>::zero(mask.basis());
    let product = Evaluator::new(context).multiply(&fresh, &fresh).unwrap();
    let cases = [
        ("noise", refresh(vec![body.clone(), mask], noise)),
        ("refused", product.to_bytes()),
        ("malformed-object", refresh(vec![body, nothing], fresh.noise())),
    ];
    for (code, bytes) in cases {
        rig.post(&format!("{room}/handles"), bytes.clone()).await.refused(422, code);
        rig.post(&format!("{room}/match"), bytes).await.refused(422, code);
    }
    // An answer is a message: no operator here takes it for a record or a request.
    let answer = rig.matched(&room, party.probe("ada")).await;
    rig.post(&format!("{room}/match"), answer.clone()).await.refused(422, "malformed-object");
    rig.post(&format!("{room}/handles"), answer).await.refused(422, "malformed-object");
    assert_eq!(rig.view(&room).await, before);
}

/// A body in pieces, and how many of them were taken.
fn pieces(pieces: Vec<Vec<u8>>) -> (Body, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let stream = stream::iter(pieces.into_iter().map(move |piece| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok::<_, Infallible>(Bytes::from(piece))
    }));
    (Body::from_stream(stream), taken)
}

#[tokio::test]
async fn no_more_is_read_than_is_announced() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let (_, targets) = targets(&rig, &party).await;
    for (method, path, good) in targets {
        // Without a length, an endless body is cut off at the object's end.
        let mut endless: Vec<Vec<u8>> = good.chunks(1000).map(<[u8]>::to_vec).collect();
        let honest = endless.len();
        endless.extend((0..1000).map(|_| vec![0; 1000]));
        let (body, taken) = pieces(endless);
        rig.send(method.clone(), &path, &[], body).await.refused(413, "body-too-long");
        assert!(taken.load(Ordering::SeqCst) <= honest + 1);
        // Unknown parameters are refused on the first 40 bytes.
        let mut unknown = good.clone();
        unknown[10] ^= 1;
        let (body, taken) = pieces(unknown.chunks(40).map(<[u8]>::to_vec).collect());
        rig.send(method.clone(), &path, &[], body).await.refused(422, "unknown-parameters");
        assert_eq!(taken.load(Ordering::SeqCst), 1);
        // A length that is too large or too small is refused before the second piece.
        for (length, status, code) in [(u64::MAX, 413, "body-too-long"), (good.len() as u64 - 1, 400, "body-truncated")]
        {
            let (body, taken) = pieces(good.chunks(100).map(<[u8]>::to_vec).collect());
            let length = length.to_string();
            let reply = rig.send(method.clone(), &path, &[("content-length", length.as_str())], body).await;
            reply.refused(status, code);
            assert!(taken.load(Ordering::SeqCst) <= 1, "{length}");
        }
        // A body that goes on after its announced length, and one that stops before.
        let exact = good.len().to_string();
        let (body, _) = pieces(vec![good.clone(), vec![0]]);
        let reply = rig.send(method.clone(), &path, &[("content-length", exact.as_str())], body).await;
        reply.refused(413, "body-too-long");
        let (body, _) = pieces(vec![good[..good.len() - 1].to_vec()]);
        let reply = rig.send(method.clone(), &path, &[("content-length", exact.as_str())], body).await;
        reply.refused(400, "body-truncated");
        // One byte at a time is slow, but right.
        let (body, _) = pieces(good.iter().map(|&byte| vec![byte]).collect());
        let reply = rig.send(method.clone(), &path, &[], body).await;
        assert!(reply.status.is_success(), "{path}");
    }
}

async fn with_body_timeout(body: Body, path: &str) -> Reply {
    let limits = Limits { body_timeout_seconds: 1, ..Setup::default().limits };
    let rig = Setup { limits, ..Setup::default() }.start().await;
    rig.post(path, body).await
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_or_trickles_is_given_up() {
    let silent = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    with_body_timeout(silent, "/v1/rooms").await.refused(408, "body-timeout");
    let trickle = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
    });
    with_body_timeout(Body::from_stream(trickle), "/v1/rooms").await.refused(408, "body-timeout");
}

#[tokio::test]
async fn a_configured_limit_is_below_every_other() {
    let limits = Limits { max_body_bytes: 1000, ..Setup::default().limits };
    let (rig, party) = (Setup { limits, ..Setup::default() }.start().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    let reply = rig.post(&format!("{room}/handles"), party.record(&["ada"])).await;
    assert!(reply.json()["detail"].as_str().unwrap().contains("1000 bytes"));
    reply.refused(413, "body-too-long");
    rig.put_keys(&party.relinearization_keys()).await.refused(413, "body-too-long");
}
