//! What is done with foreign bytes to see whether a decoder holds. Each module is a fuzz target: its `run` takes any bytes, says whether they were accepted, and panics where
//! a decoder breaks its promise. The fuzzer calls it with instrumentation, `tests/corpora.rs` with every kept input. `docs/fuzzing.md` lists decoders, targets and limits.

pub mod analytics;
pub mod billing;
pub mod client;
pub mod configuration;
#[allow(clippy::pedantic, clippy::all, reason = "checked where the service's tests use it")]
#[path = "../../../server/tests/http/conformance.rs"]
mod conformance;
pub mod http;
pub mod messages;
pub mod operators;
pub mod sets;
#[allow(clippy::pedantic, clippy::all, reason = "checked where the service's tests use it")]
#[path = "../../../server/tests/http/shape.rs"]
mod shape;
pub mod trust;
pub mod valid;
pub mod wire;

/// A target by its name.
pub struct Target {
    /// The name of the fuzzer's binary, of the corpus and of the module here.
    pub name: &'static str,
    /// Whether the input was accepted. Panics where a decoder breaks its promise.
    pub run: fn(&[u8]) -> bool,
}

/// Every target, in the order in which `fuzz/run` runs them.
pub const TARGETS: &[Target] = &[
    Target { name: "wire", run: wire::run },
    Target { name: "messages", run: messages::run },
    Target { name: "operators", run: operators::run },
    Target { name: "billing", run: billing::run },
    Target { name: "analytics", run: analytics::run },
    Target { name: "trust", run: trust::run },
    Target { name: "configuration", run: configuration::run },
    Target { name: "http", run: http::run },
    Target { name: "client", run: client::run },
];
