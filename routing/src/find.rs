//! Oblivious selection: an encrypted probe is answered with the encrypted payload of the participants it matches, and of nobody else.
//!
//! A participant enrols a token and a *payload* of up to 254 bytes, for example a ticket that the relay sealed to itself. The service multiplies encrypted decisions with encrypted payloads:
//! whether anybody matched, who, and what they receive is hidden from it. Whoever asked opens the answer and presents the payload to the relay, which connects the two.
//! Nobody matching gives an answer of the same size from the same computation, which opens to nothing. A second kind of request asks for the number of matches alone.
//!
//! Members share the room's key and choose the threshold: whoever may ask can ask with the least one and receive nearly everybody's payload. So a payload is sealed to whoever it is presented to, or worth nothing
//! by itself. A member who enrols something else than a token and a payload reaches its own place only: it may match every probe, be unreadable, or put a count out; it hides nobody
//! ([`FindRoster`] says what it can do with bytes that encrypt nothing). The service learns from a request what is asked for and the threshold, and that there was one. The noise of an answer is small
//! beside the rounding to the answer prime but not flooded: against holders of the room's key, who could read every record if the service showed it to them, the circuit itself is not hidden.
//!
//! `layout` says which value stands in which slot, `payload` codes bytes in slots, `record`, `request` and `answer` are the messages, `circuit` is what is computed, `evaluate` and `roster` the service's
//! side, `plan` the card, `reference` the function on clear values.
//!
//! # Journey
//!
//! | step | who | call |
//! |---|---|---|
//! | 1 | member | [`FindRecord::pack`], `SecretKey::encrypt` of the token, `SecretKey::encrypt_at` of the payload at [`PAYLOAD_LEVEL`], [`FindRecord::to_bytes`] |
//! | 2 | service | `Collection::append` |
//! | 3 | member | [`FindRequest::pack_probe`], `SecretKey::encrypt_at` at [`FindRequest::probe_level`], [`FindRequest::to_bytes`] |
//! | 4 | service | `Snapshot::evaluate` with the evaluation keys of [`Finding::key_plan`] |
//! | 5 | member | [`FindAnswer::from_bytes`], [`FindAnswer::check`], [`FindAnswer::open_tickets`] or [`FindAnswer::open_count`] with `SecretKey::open_answer` |

mod answer;
mod circuit;
mod error;
mod evaluate;
mod layout;
mod payload;
mod plan;
mod record;
pub mod reference;
mod request;
mod roster;

pub use answer::{FindAnswer, Found, Opened, Unopened};
pub use circuit::{FindCircuit, THRESHOLDS};
pub use error::{FindAnswerError, FindError};
pub use evaluate::{FindSnapshot, Finding};
pub use layout::FindLayout;
pub use payload::{MAX_PAYLOAD_BYTES, MIN_PAYLOAD_BYTES};
pub use plan::{FIND_SIGNS, KEYGEN_COMMAND};
pub use record::{FindRecord, PAYLOAD_LEVEL};
pub use request::{DEFAULT_THRESHOLD, FindKind, FindRequest};
pub use roster::FindRoster;
