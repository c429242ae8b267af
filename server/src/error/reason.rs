//! The reasons why requests fail, one enum for each part of a request.

use blindrelay_engine::KeyName;
use blindrelay_engine::params::ParameterDigest;

use crate::family::Family;
use crate::id::{BodyDigest, LedgerId};
use crate::store::Role;

/// What a 404 was looking for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Resource {
    /// A route.
    #[error("there is nothing at this address: GET /v1/openapi.json describes those where there is")]
    Route,
    /// A room of this tenant.
    #[error("this key's tenant has no such room: POST /v1/rooms makes one")]
    Room,
    /// A meter or panel of this tenant.
    #[error("this key's tenant has no such {}: GET /v1/{} lists those that it has", .0.singular(), .0.plural())]
    Ledger(Family),
    /// A handle of the room.
    #[error("nothing is enrolled under this handle: GET /v1/rooms/ROOM/handles lists those that are")]
    Handle,
    /// Keys of this tenant.
    #[error("this key's tenant has no such evaluation keys: PUT /v1/keys/DIGEST uploads them")]
    Keys,
    /// A tenant.
    #[error("there is no such tenant: GET /v1/tenants lists those that are, and PUT /v1/tenants/NAME makes one")]
    Tenant,
    /// An API key.
    #[error("there is no such API key: GET /v1/api-keys lists those that are")]
    ApiKey,
    /// A job.
    #[error("there is no such job")]
    Job,
    /// An answer of a job.
    #[error("the job has no answer of this number: GET /v1/jobs/JOB/answers lists those that it has")]
    Answer,
    /// A receipt of this tenant, or a part of one.
    #[error(
        "this key's tenant has no such receipt, or it is not kept any more, or has no such part: GET /v1/receipts?day=DAY lists those of a day"
    )]
    Receipt,
    /// An operator.
    #[error("there is no such operator: GET /v1/operators lists those that are")]
    Operator,
}

/// What is wrong with a request before its body matters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// No key, or one that is not known.
    #[error(
        "this needs the header 'Authorization: Bearer KEY' with a key that the service knows: ask whoever runs it for one"
    )]
    Unauthorized,
    /// The tenant was suspended.
    #[error("this tenant is suspended: ask whoever runs the service")]
    Suspended,
    /// The key's role does not allow this.
    #[error("a key of role {role} does not allow this: it needs {needed}")]
    Role {
        /// The key's role.
        role: Role,
        /// Which roles allow it.
        needed: &'static str,
    },
    /// The first key of a service is an administrator's.
    #[error(
        "the first key of a service is one of role admin, and whoever makes another first is shut out: make that one first"
    )]
    FirstKey,
    /// A key that lets nobody in has no successor.
    #[error("this key was revoked: make a new one with POST /v1/api-keys")]
    RevokedKey,
    /// A page in a browser calls a service that asks for no key.
    #[error(
        "a service without keys takes no requests from web pages: call it from a program, or make an API key first"
    )]
    Origin,
    /// The method is not offered at this address.
    #[error("this address does not offer the method: the header 'Allow' names those that it does")]
    Method,
    /// An id is not of its form.
    #[error("{0}")]
    Id(String),
    /// A query parameter is not of its form.
    #[error("{0}")]
    Query(String),
    /// A header is not of its form.
    #[error("{0}")]
    Header(String),
    /// A change of sums without a name: repeated, it would count twice.
    #[error(
        "this needs the header 'Idempotency-Key', 1 to 64 characters of A-Z a-z 0-9 . _ -, so that a repeated request counts once"
    )]
    Unnamed,
    /// The JSON body is not of its form.
    #[error("{0}")]
    Json(String),
}

/// How a body can fail to arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// More bytes than the limit, than the object's own header announces or than `Content-Length` says.
    #[error("the body has more than {limit} bytes, which is all that {reason}")]
    TooLong {
        /// How many are allowed.
        limit: usize,
        /// By what.
        reason: &'static str,
    },
    /// Fewer bytes than were announced.
    #[error("the body ends after {found} bytes, but {expected} were announced by {reason}: send all of it again")]
    Truncated {
        /// How many were announced.
        expected: usize,
        /// How many came.
        found: usize,
        /// By what.
        reason: &'static str,
    },
    /// The connection broke or the transfer encoding is wrong.
    #[error("the body broke off after {found} bytes: send all of it again")]
    Broken {
        /// How many came.
        found: usize,
    },
    /// Others are sending too much at the same time.
    #[error("bodies of {limit} bytes in all are being received already: try again after {seconds} seconds")]
    NoMemory {
        /// The limit.
        limit: usize,
        /// When the body may find room.
        seconds: u32,
    },
    /// It took too long.
    #[error(
        "only {found} bytes of the body came within {seconds} seconds, which is all the time that its length allows: send it again, without pauses"
    )]
    Slow {
        /// How many came.
        found: usize,
        /// The limit.
        seconds: u64,
    },
}

/// Why evaluation keys do not serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// They were not uploaded.
    #[error("evaluation keys {digest} are not here: upload them first")]
    Missing {
        /// Which keys.
        digest: BodyDigest,
    },
    /// A room, meter or panel uses them.
    #[error("evaluation keys {digest} are used by a room, meter or panel: delete that first")]
    InUse {
        /// Which keys.
        digest: BodyDigest,
    },
    /// Their time is over.
    #[error(
        "evaluation keys {digest} have expired: make new ones of the next epoch, and a new room, meter or panel with them"
    )]
    Expired {
        /// Which keys.
        digest: BodyDigest,
    },
    /// Their owner took them out of use.
    #[error(
        "evaluation keys {digest} were revoked: make new ones of the next epoch, and a new room, meter or panel with them"
    )]
    Revoked {
        /// Which keys.
        digest: BodyDigest,
    },
    /// The body is not what the address says.
    #[error(
        "the body's SHA-256 is {found}, not {expected}: send the body that was meant, or this one to its own address"
    )]
    Digest {
        /// The digest in the address.
        expected: BodyDigest,
        /// The digest of the body.
        found: BodyDigest,
    },
    /// Bytes or keys of parameters that the operator does not use.
    #[error("parameters {found} are not those of operator {operator}, {expected}: make the object with those")]
    Parameters {
        /// The operator.
        operator: String,
        /// Its parameters.
        expected: ParameterDigest,
        /// The others.
        found: ParameterDigest,
    },
    /// No operator uses these parameters.
    #[error("parameters {found} are not known here: GET /v1/parameters lists those that are")]
    UnknownParameters {
        /// The parameters.
        found: ParameterDigest,
    },
    /// The operator needs keys.
    #[error(
        "operator {operator} computes nothing without evaluation keys: make them from the room's key and upload them, as `blindrelay room create --key FILE` does"
    )]
    Required {
        /// The operator.
        operator: String,
    },
    /// Some keys are not in the set.
    #[error(
        "operator {operator} needs keys that are not among these evaluation keys: {}; make them all from the room's key, as `blindrelay room create --key FILE` does, and upload those",
        listed(missing)
    )]
    Incomplete {
        /// The operator.
        operator: String,
        /// All that are missing.
        missing: Vec<KeyName>,
    },
}

fn listed(keys: &[KeyName]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// How there can be more of what is counted.
fn more(what: &str) -> &'static str {
    if what.starts_with("changes") {
        "begin another one, and merge both for a report"
    } else {
        "delete some first, or ask whoever runs the service for more"
    }
}

/// What a request collides with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Conflict {
    /// The same idempotency key with another body.
    #[error("this Idempotency-Key was used for another request: send this one under a new key, or that one as it was")]
    Idempotency,
    /// The tenant has no room for more.
    #[error("the limit of {limit} {what} is reached: {}", more(what))]
    Quota {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The answer of a job is not there yet.
    #[error("answer {number} is not computed yet: GET /v1/jobs/JOB tells when to come back")]
    Open {
        /// The answer.
        number: u64,
    },
    /// There will be no answer.
    #[error("there is no answer, and there will be none ({code}): {detail}")]
    Refused {
        /// The code of the problem.
        code: String,
        /// What the problem says.
        detail: String,
    },
}

/// Why the sums of one ledger cannot be added to another's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// They are the same.
    #[error("{from} cannot be merged into itself, where its sums would count twice: name another one")]
    Itself {
        /// The ledger.
        from: LedgerId,
    },
    /// They are of different operators.
    #[error("{from} has operator {found}, not {expected}: only sums of the same operator can be added")]
    Operator {
        /// The ledger that was to be added.
        from: LedgerId,
        /// Its operator.
        found: String,
        /// The operator of the other.
        expected: String,
    },
    /// They have different settings.
    #[error("{from} has other settings: only sums with the same settings can be added")]
    Settings {
        /// The ledger that was to be added.
        from: LedgerId,
    },
}

/// Which limit a tenant has reached for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// Computation.
    #[error("{millis} milliseconds of computation in a minute")]
    Compute {
        /// The limit.
        millis: u64,
    },
    /// Requests at the same time.
    #[error("{most} requests at the same time")]
    Concurrent {
        /// The limit.
        most: usize,
    },
}
