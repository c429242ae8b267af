//! What problem documents say to programs: every code as a type, with the status that it comes with and what it means.
//!
//! `unknown-route` and `method-not-allowed` are missing: no operation answers with them.

/// A code of a problem document.
pub(crate) struct Code {
    pub(super) status: u16,
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
}

/// What one part of an operation refuses requests with.
pub(crate) trait Codes {
    /// The codes.
    fn all() -> Vec<&'static Code>;
}

macro_rules! codes {
    ($($status:literal $type:ident $name:literal $meaning:literal;)*) => {$(
        #[doc = $meaning]
        pub(crate) enum $type {}

        impl Codes for $type {
            fn all() -> Vec<&'static Code> {
                vec![&Code { status: $status, name: $name, meaning: $meaning }]
            }
        }
    )*};
}

codes! {
    400 MalformedId "malformed-id" "an id, name or digest is not written as it should be";
    400 MalformedQuery "malformed-query" "a query parameter is not of its form, or not known";
    400 MalformedHeader "malformed-header" "`Idempotency-Key` is not of its form";
    400 MalformedJson "malformed-json" "the JSON is not of its form; unknown fields are refused";
    400 IdempotencyKeyRequired "idempotency-key-required" "there is no `Idempotency-Key`";
    400 BodyTruncated "body-truncated" "the body is shorter than was announced, or broke off";
    401 Unauthorized "unauthorized" "no bearer key, or one that lets nobody in";
    403 RoleRefused "role-refused" "the key's role does not allow this; `detail` says which does";
    403 TenantSuspended "tenant-suspended" "the tenant is suspended";
    403 OriginRefused "origin-refused" "a web page calls a service without keys";
    404 UnknownOperator "unknown-operator" "there is no such operator";
    404 UnknownKeys "unknown-keys" "there are no such evaluation keys, or they belong to somebody else";
    404 UnknownRoom "unknown-room" "there is no such room, or it belongs to somebody else";
    404 UnknownHandle "unknown-handle" "nothing is enrolled under the handle";
    404 UnknownMeter "unknown-meter" "there is no such meter, or it belongs to somebody else";
    404 UnknownTenant "unknown-tenant" "there is no such tenant";
    404 UnknownApiKey "unknown-api-key" "there is no such API key";
    404 UnknownJob "unknown-job" "there is no such job, or it belongs to somebody else, or the role of the key does not see it";
    404 UnknownAnswer "unknown-answer" "the job has no answer of this number";
    404 UnknownReceipt "unknown-receipt" "there is no such receipt or no such part of it, it is not kept any more, or it belongs to somebody else";
    408 BodyTimeout "body-timeout" "the body took too long";
    409 KeysMissing "keys-missing" "the evaluation keys were not uploaded";
    409 KeysExpired "keys-expired" "the time of the evaluation keys is over";
    409 KeysRevoked "keys-revoked" "the evaluation keys were taken out of use";
    409 KeysInUse "keys-in-use" "something uses the evaluation keys";
    409 FirstKey "first-key" "the first key of a service has to be an administrator's";
    409 ApiKeyRevoked "api-key-revoked" "the key lets nobody in and cannot be rotated";
    409 RoomEmpty "room-empty" "nothing is enrolled";
    409 TooFewContributions "too-few-contributions" "a report would say too much about too few; `detail` names both numbers";
    409 IdempotencyConflict "idempotency-conflict" "the `Idempotency-Key` was used for another request";
    409 QuotaExceeded "quota-exceeded" "the tenant keeps as much as it may; `detail` says of what";
    409 AnswerOpen "answer-open" "the answer is not computed yet";
    409 AnswerRefused "answer-refused" "there will be no answer; `detail` has the code of the reason, and the reason";
    410 ParametersSunset "parameters-sunset" "nothing new is made with the parameters any more; `GET /v1/parameters` tells since when";
    410 OperatorRetired "operator-retired" "the operator is not offered any more";
    413 BodyTooLong "body-too-long" "the body is longer than the limit, than `Content-Length` or than its own header says";
    422 MalformedObject "malformed-object" "the bytes are no object of the wire format, or of the wrong kind";
    422 UnknownParameters "unknown-parameters" "no operator uses the parameters that the object names";
    422 WrongParameters "wrong-parameters" "object or keys are of other parameters than the operator";
    422 DigestMismatch "digest-mismatch" "the body's SHA-256 is not the one in the address";
    422 KeysRequired "keys-required" "the operator needs evaluation keys";
    422 KeysIncomplete "keys-incomplete" "the operator needs evaluation keys that are not there; `detail` names all of them";
    422 ValueCount "value-count" "a record cannot carry that many values";
    422 WrongResource "wrong-resource" "the operator is used through another kind of resource; see `detail`";
    422 Settings "settings" "the settings are not the operator's";
    422 UnfitBatch "unfit-batch" "the batch does not fit the settings";
    422 UnfitRequest "unfit-request" "the request does not fit the settings";
    422 UnfitMerge "unfit-merge" "the other one has another operator or other settings, or is the same";
    422 Range "range" "the sums could become too large to be told from others; `detail` names both numbers";
    422 Noise "noise" "the result could fail to decrypt";
    422 Refused "refused" "the operator refuses the object for another reason; see `detail`";
    429 RateLimited "rate-limited" "the tenant computes as much as it may for now";
    500 Internal "internal" "a fault of the service; `id` is in the log";
    503 StoreUnavailable "store-unavailable" "the storage cannot be reached; a change may have been made or not";
    503 Contended "contended" "others change the same thing all the time";
    503 QueueFull "queue-full" "too many requests are waiting";
    503 QueueSlow "queue-slow" "no compute thread became free in time";
    503 UploadsFull "uploads-full" "bodies of too many bytes are being received";
}
