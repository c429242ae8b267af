//! A service on a loopback socket, the key of its rooms, and who is in them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::params::{DECIDE_32768, Parameters, preset};
use blindrelay_engine::wire::{Wire, content_digest};
use blindrelay_keyholder::{Expectation, SecretKey};
use blindrelay_routing::Token;
use blindrelay_routing::find::{
    FIND_SIGNS, FindAnswer, FindKind, FindRecord, FindRequest, Finding, MAX_PAYLOAD_BYTES, PAYLOAD_LEVEL,
};
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::{AppState, Config, Limits, Registry};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::connection::Connection;
use crate::generator::Generator;

/// A running service, and the members' key for all of its rooms.
pub struct House {
    key: SecretKey,
    keys_digest: String,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Connections stay open while others enrol.
fn patient() -> Config {
    Config { limits: Limits { header_timeout_seconds: 3600, ..Limits::default() }, ..Config::default() }
}

impl House {
    /// Starts the service with the one operator and uploads the evaluation keys.
    pub fn open(seed: u64) -> Self {
        let parameters = Parameters::new(preset(DECIDE_32768).expect("a preset"), Backend::detect());
        let context = Context::new(&parameters.expect("valid parameters")).expect("a context");
        let finding = Finding::new(&context).expect("the set is enough");
        let key = SecretKey::from_seed(&context, Generator::new("tests/journeys/key", seed).seed());
        let keys = key.planned_keys(finding.key_plan()).to_bytes();
        let (stop, stopped) = oneshot::channel();
        let (started, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let mut registry = Registry::new();
                registry.register(Arc::new(finding)).expect("the only operator");
                let state = AppState::open(&patient(), registry, Arc::new(MemoryStore::default())).await;
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
                started.send(listener.local_addr().expect("an address")).expect("somebody waits");
                let end = async { drop(stopped.await) };
                blindrelay_server::serve(listener, state.expect("a service"), end).await.expect("a service");
            });
        });
        let address = address.recv().expect("the service starts");
        let keys_digest = hex(&content_digest(&keys));
        let reply = Connection::open(address).send("PUT", &format!("/v1/keys/{keys_digest}"), &keys);
        assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
        Self { key, keys_digest, address, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The tables.
    pub fn context(&self) -> &Arc<Context> {
        self.key.context()
    }

    /// An encrypted request, and as it is sent.
    pub fn request(&self, token: &Token, kind: FindKind, threshold: i64) -> (FindRequest, Vec<u8>) {
        let plaintext = FindRequest::pack_probe(self.context(), token).expect("a token of signs");
        let level = FindRequest::probe_level(self.key.parameters());
        let probe = self.key.encrypt_at(&plaintext, level).expect("a ciphertext");
        let request = FindRequest { kind, threshold, probe };
        let bytes = request.to_bytes().expect("a threshold that decides");
        (request, bytes)
    }

    /// The tickets of an answer.
    pub fn tickets(&self, answer: &FindAnswer) -> Vec<Vec<u8>> {
        let opened =
            answer.open_tickets(self.context(), |answer, positions, range| self.opened(answer, positions, range));
        let opened = opened.expect("an answer that opens");
        assert_eq!(opened.unreadable, 0);
        opened.found.iter().map(|found| found.payload.to_vec()).collect()
    }

    /// The count of an answer.
    pub fn count(&self, answer: &FindAnswer) -> Option<usize> {
        answer.open_count(self.context(), |answer, positions, range| self.opened(answer, positions, range)).ok()
    }

    fn opened(&self, answer: &Answer, positions: Vec<u32>, range: ValueRange) -> Option<Zeroizing<Vec<i64>>> {
        self.key.open_answer(answer, &Expectation { positions, range }).ok()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A service that has ended already cannot be told to.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Somebody in a room.
pub struct Participant {
    /// Their token.
    pub token: Token,
    /// What they enrolled with it.
    pub ticket: Vec<u8>,
    handle: String,
}

/// A room, as its members know it.
pub struct Room {
    /// Its address.
    pub path: String,
    /// Who is in it.
    pub participants: Vec<Participant>,
}

impl Room {
    /// A new room of so many participants, one in eight with the name of another.
    pub fn new(house: &House, connection: &mut Connection, choices: &mut Generator, size: usize) -> Self {
        let request = format!(r#"{{"operator": "{FIND_SIGNS}", "evaluation_keys": "{}"}}"#, house.keys_digest);
        let reply = connection.post("/v1/rooms", request.as_bytes());
        assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
        let made: Value = serde_json::from_slice(&reply.body).expect("JSON");
        let path = format!("/v1/rooms/{}", made["room"].as_str().expect("an id"));
        let mut room = Self { path, participants: Vec::new() };
        (0..size).for_each(|_| room.enrol(house, connection, choices));
        room
    }

    /// Somebody leaves and somebody else comes.
    pub fn change(&mut self, house: &House, connection: &mut Connection, choices: &mut Generator) {
        let leaves = self.participants.swap_remove(choices.below(self.participants.len()));
        let reply = connection.send("DELETE", &format!("{}/handles/{}", self.path, leaves.handle), &[]);
        assert_eq!(reply.status, 204, "{}", String::from_utf8_lossy(&reply.body));
        self.enrol(house, connection, choices);
    }

    fn enrol(&mut self, house: &House, connection: &mut Connection, choices: &mut Generator) {
        let token = match choices.below(8) {
            0 if !self.participants.is_empty() => choices.choose(&self.participants).token.clone(),
            _ => Token::of_identity(&[3; 32], &format!("member {}", choices.word())),
        };
        let length = if choices.below(4) == 0 { 1 + choices.below(MAX_PAYLOAD_BYTES) } else { 32 };
        let ticket: Vec<u8> = (0..length).map(|_| choices.word() as u8).collect();
        let [plain, payload] = FindRecord::pack(house.context(), &token, &ticket).expect("a ticket that fits");
        let record = FindRecord {
            token: house.key.encrypt(&plain).expect("a ciphertext"),
            payload: house.key.encrypt_at(&payload, PAYLOAD_LEVEL).expect("a ciphertext"),
        };
        let reply = connection.post(&format!("{}/handles", self.path), &record.to_bytes().expect("a message"));
        assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
        let enrolled: Value = serde_json::from_slice(&reply.body).expect("JSON");
        let handle = enrolled["handles"][0].as_str().expect("a handle").to_owned();
        self.participants.push(Participant { token, ticket, handle });
    }
}
