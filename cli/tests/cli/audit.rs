//! Answers that are computed again from what a service keeps, and what is told where they are not the ones that it signed.

mod liar;
mod sums;

use std::fs;
use std::path::{Path, PathBuf};

use blindrelay_client::Client;
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::params::{Parameters, SEARCH_8192, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::SecretKey;
use blindrelay_routing::search::{Keyword, SEARCH, SearchRequest, pack_participants, pack_query};
use blindrelay_trust::{ContentDigest, Identity, Receipt, SignedReceipt, UnixMillis};
use tempfile::tempdir;

use self::liar::Liar;
use crate::command::{Finished, Service, run};

fn client(url: &str) -> Client {
    Client::builder(url).build().unwrap()
}

fn audit(at: &Path, url: &str, more: &[&str]) -> Finished {
    run(at, &[&["audit", "--service", url], more].concat())
}

/// The receipts of a folder.
fn kept(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|found| found == "receipt")).collect();
    files.sort();
    files
}

fn read(path: &Path) -> SignedReceipt {
    SignedReceipt::from_bytes(&fs::read(path).unwrap()).unwrap()
}

/// The day of a receipt, as it is asked for.
fn day(receipt: &Receipt) -> String {
    receipt.time.to_string()[..10].to_owned()
}

/// A room for scores with two members in it; its id.
fn room(at: &Path, service: &Service) -> String {
    run(at, &["keygen", "--out", "room.key"]).ok();
    let room = run(at, &["room", "create", "--service", &service.url, "--key", "room.key"]).ok().out.trim().to_owned();
    let of_room = ["enroll", "--service", &service.url, "--room", &room, "--key", "room.key"];
    run(at, &[&of_room[..], &["--identity", "Ada Lovelace", "--identity", "Mary Somerville"]].concat()).ok();
    room
}

/// Asks, and keeps the receipt in the folder `receipts`.
fn ask(at: &Path, service: &Service, room: &str, identity: &str) {
    let of_room = ["match", "--service", &service.url, "--room", room, "--key", "room.key"];
    let asked = run(at, &[&of_room[..], &["--identity", identity, "--receipts", "receipts"]].concat());
    assert!(matches!(asked.code, Some(0 | 3)), "{asked:?}");
}

#[test]
fn scores_come_out_again_on_another_backend_after_removals_and_restarts() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start_durable_with(at, &["--backend", "scalar"]);
    let room = room(at, &service);
    ask(at, &service, &room, "Ada Lovelace");
    let receipt = kept(&at.join("receipts"))[0].clone();
    let (file, signed) = (receipt.to_str().unwrap(), read(&receipt));
    let id = signed.id().to_string();
    let exact = |url: &str, subject: &str, backend: &str| {
        let audited = audit(at, url, &[subject, "--backend", backend]).ok();
        assert!(audited.out.contains(&format!("receipt {id} of match-signs/1: bit-exact")), "{audited:?}");
    };
    exact(&service.url, file, "auto");
    exact(&service.url, &id, "scalar");

    // Nothing of what the answer was computed from is in use any more, and another process serves it.
    let api = client(&service.url);
    let handles = api.handles(&room).unwrap();
    api.remove(&room, handles[0]).unwrap();
    ask(at, &service, &room, "Mary Somerville");
    api.remove(&room, handles[1]).unwrap();
    let keys = signed.receipt().evaluation_keys.unwrap().to_string();
    api.revoke_keys(&keys).unwrap();
    exact(&service.url, file, "auto");
    api.delete_room(&room).unwrap();
    api.delete_keys(&keys).unwrap();
    service.kill();
    let service = Service::start_durable(at);
    exact(&service.url, file, "scalar");

    let day = day(signed.receipt());
    let all = audit(at, &service.url, &["--day", &day, "--share", "100%", "--json"]).ok().json();
    assert_eq!((&all["kept"], &all["bit_exact"], &all["differ"]), (&2.into(), &2.into(), &0.into()), "{all}");
    let one = audit(at, &service.url, &["--day", &day, "--share", "1%"]).ok();
    assert!(one.out.contains("2 receipts kept, 1 computed again: 1 bit-exact"), "{one:?}");
    let seed = one.out.trim().rsplit(' ').next().unwrap();
    let again = audit(at, &service.url, &["--day", &day, "--share", "1%", "--seed", seed, "--json"]).ok().json();
    let third = audit(at, &service.url, &["--day", &day, "--share", "1%", "--seed", seed, "--json"]).ok().json();
    assert_eq!((again["receipts"].as_array().unwrap().len(), &again), (1, &third));
    let none = audit(at, &service.url, &["--day", "2001-02-03"]);
    assert_eq!(none.code, Some(5), "{none:?}");
    let unknown = audit(at, &service.url, &[&"0".repeat(64)]);
    unknown.failed(1, &["no such receipt"]);
}

#[test]
fn a_ticket_comes_out_again() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    run(at, &["keygen", "--for", "find", "--out", "find.key"]).ok();
    let made = run(at, &["room", "create", "--service", &service.url, "--key", "find.key"]).ok();
    let of_room = ["--service", &service.url, "--room", made.out.trim(), "--key", "find.key"];
    run(at, &[&["enroll", "--identity", "Ada Lovelace", "--tickets", "tickets.csv"], &of_room[..]].concat()).ok();
    run(at, &[&["find", "Ada Lovelace", "--receipts", "receipts"], &of_room[..]].concat()).ok();
    let receipt = kept(&at.join("receipts"))[0].clone();
    let audited = audit(at, &service.url, &[receipt.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!((&audited["operator"], &audited["verdict"]), (&"find-signs/1".into(), &"bit-exact".into()));
}

#[test]
fn masks_of_a_service_are_said_to_be_its_own_and_stay_with_its_store() {
    let directory = tempdir().unwrap();
    let service = Service::start_durable(directory.path());
    let context = Context::new(&Parameters::new(preset(SEARCH_8192).unwrap(), Backend::detect()).unwrap()).unwrap();
    let key = SecretKey::from_seed(&context, Seed::from_bytes([3; 32]));
    let word = || Keyword::of_word(&[4; 32], "violin").unwrap();
    let api = client(&service.url);
    let room = api.create_room(SEARCH, None).unwrap();
    let record = key.encrypt(&pack_participants(&context, &[vec![word()]]).unwrap()).unwrap().to_bytes();
    api.enroll(&room, &record, 1, "one").unwrap();
    let query = key.encrypt(&pack_query(&context, &word()).unwrap()).unwrap();
    let request = SearchRequest { query, public_key: key.public_key() }.to_bytes().unwrap();
    let receipted = api.matching_with_receipt(&room, &request, 1 << 24).unwrap();
    let id = SignedReceipt::from_bytes(&receipted.receipt).unwrap().id().to_string();
    let audited = audit(directory.path(), &service.url, &[&id]);
    assert_eq!(audited.code, Some(5), "{audited:?}");
    assert!(audited.out.contains("not re-executable: search/1 masks its answers with a secret"), "{audited:?}");
    service.kill();
    let service = Service::start_durable(directory.path());
    assert_eq!(client(&service.url).matching(&room, &request, 1 << 24).unwrap(), receipted.answer);
}

#[test]
fn whatever_is_not_as_the_receipt_says_is_named() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start_durable(at);
    let room = room(at, &service);
    ask(at, &service, &room, "Ada Lovelace");
    let receipt = kept(&at.join("receipts"))[0].clone();
    let signed = read(&receipt);
    let (id, file) = (signed.id().to_string(), receipt.to_str().unwrap());
    let differs = |liar: &Liar, subject: &str, words: &[&str]| {
        let audited = audit(at, &liar.url, &[subject]);
        assert_eq!(audited.code, Some(4), "{audited:?}");
        for word in words {
            assert!(audited.out.contains(word) || audited.err.contains(word), "'{word}' is not in {audited:?}");
        }
    };
    let flip = |suffix: &'static str| {
        Liar::start(&service.url, &[], move |path, body| {
            if path.ends_with(suffix) {
                *body.last_mut().unwrap() ^= 1;
            }
        })
    };
    let honest = Liar::start(&service.url, &[], |_, _| {});
    audit(at, &honest.url, &[file]).ok();
    differs(&flip("/request"), file, &["differs: request"]);
    differs(&flip("/records/1"), file, &["differs: record of version 1", "SHA-256"]);
    differs(&flip("/keys"), file, &["differs: evaluation keys"]);
    differs(&flip(id.as_str().to_owned().leak()), &id, &["differs: signature"]);
    let replace = |suffix: &'static str, from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        Liar::start(&service.url, &[], move |path, body| {
            if path.contains(suffix) {
                *body = String::from_utf8(std::mem::take(body)).unwrap().replace(&from, &to).into_bytes();
            }
        })
    };
    differs(&replace("/source", "match-signs/1", "match-signs/2"), file, &["differs: source", "match-signs/2"]);
    let handle = client(&service.url).handles(&room).unwrap()[0].to_string();
    differs(&replace("/changes", &handle, &"f".repeat(32)), file, &["differs: content"]);
    differs(&replace("/changes", "\"place\":0", "\"place\":9"), file, &["differs: answer"]);

    // The service's own key under another answer.
    let identity = Identity::open_or_create(&at.join("data/identity"), UnixMillis::MAX).unwrap();
    let answer = ContentDigest::of(b"another answer");
    let forged = identity.sign(&Receipt { answer, ..signed.receipt().clone() }).unwrap();
    fs::write(at.join("forged.receipt"), forged.to_bytes()).unwrap();
    let liar = Liar::start(&service.url, &[(forged.id().to_string(), id.clone())], |_, _| {});
    differs(&liar, "forged.receipt", &["differs: answer", &answer.to_string()]);
    let other = Identity::of_process(signed.receipt().time).unwrap();
    let foreign = other.sign(&Receipt { key: other.public().id(), ..signed.receipt().clone() }).unwrap();
    fs::write(at.join("foreign.receipt"), foreign.to_bytes()).unwrap();
    differs(&honest, "foreign.receipt", &["differs: signature"]);
    audit(at, &service.url, &[file, "--trust", &"0".repeat(64)]).failed(4, &["signing keys"]);
    fs::write(at.join("none.receipt"), "none").unwrap();
    audit(at, &service.url, &["none.receipt"]).failed(2, &["no receipt"]);

    // A record that the disk has lost is not available, and says nothing against the service.
    let record = client(&service.url).receipt_record(&id, 1, 1 << 20).unwrap();
    let name = ContentDigest::of(&record).to_string();
    let blobs = fs::read_dir(at.join("data/blobs/default")).unwrap().map(|entry| entry.unwrap().path());
    let mut blobs = blobs.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&name));
    fs::write(blobs.next().unwrap(), b"damaged").unwrap();
    let lost = audit(at, &service.url, &[file]);
    assert_eq!(lost.code, Some(5), "{lost:?}");
    assert!(lost.out.contains("not available: record of version 1"), "{lost:?}");
}
