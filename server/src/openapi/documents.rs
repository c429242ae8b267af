//! Documents whose types belong to crates that know nothing of HTTP. The tests hold them against what the service sends.

use utoipa::ToSchema;

use super::schema::OperatorId;
use crate::id::BodyDigest;

/// The card of an operator: everything that a caller needs to know before it sends anything.
#[derive(ToSchema)]
#[schema(as = OperatorCard)]
#[expect(dead_code, reason = "only described: the card is the engine's")]
pub(crate) struct Card {
    id: OperatorId,
    /// What it computes, in a sentence.
    summary: String,
    /// The resource through which it is used.
    resource: Resource,
    /// Name of the parameter set.
    parameters: String,
    /// Digest of the parameter set.
    parameter_digest: BodyDigest,
    /// Products of ciphertexts one after the other.
    depth: u32,
    /// Whether a relinearization key is used.
    relinearization: KeyNeed,
    /// The automorphisms that need keys.
    galois_elements: Vec<u32>,
    /// How many entries a record's value has.
    entries: usize,
    /// What each entry may be.
    entry_range: ValueRange,
    /// How many values a record can carry.
    values_per_record: usize,
    /// What each result may be.
    result_range: ValueRange,
    /// Where the results are.
    output_layout: String,
    /// Largest record, in bytes.
    record_limit: usize,
    /// Largest request, in bytes.
    request_limit: usize,
    noise: Noise,
    /// Bound on the error of each result, in the result's unit; `null` where results are exact.
    #[schema(required)]
    error_bound: Option<f64>,
    /// Base-2 logarithm of the probability that any result of an answer is wrong, or farther away than its error bound.
    failure_log2: f64,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only described")]
enum Resource {
    Rooms,
    Meters,
    Panels,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "only described")]
enum KeyNeed {
    None,
    Optional,
    Required,
}

/// Numbers from `minimum` to `maximum` in steps; `step` is 0 where they are real numbers.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
struct ValueRange {
    minimum: i64,
    maximum: i64,
    step: u64,
}

/// Noise of the result in the worst case, and what the parameters allow. Base-2 logarithms.
#[derive(ToSchema)]
#[expect(dead_code, clippy::struct_field_names, reason = "only described: the fields are the engine's")]
struct Noise {
    /// Bound on the noise of the ciphertext before it becomes an answer.
    bound_log2: f64,
    /// The largest noise that decrypts.
    limit_log2: f64,
    /// Bound on the noise of the answer.
    answer_bound_log2: f64,
    /// The largest noise with which an answer opens.
    answer_limit_log2: f64,
}

/// The history of the keys behind receipts, oldest first. Its form and its checks are in docs/receipts.md.
#[derive(ToSchema)]
#[schema(as = KeyHistory)]
#[expect(dead_code, reason = "only described: the history is that of the crate of receipts")]
pub(crate) struct History {
    /// `blindrelay-key-history/1`.
    #[schema(pattern = "^blindrelay-key-history/1$")]
    format: String,
    /// One to 256 keys.
    #[schema(min_items = 1, max_items = 256)]
    keys: Vec<HistoryKey>,
}

/// A key of a history. Moments are decimal milliseconds, UTC.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
struct HistoryKey {
    /// SHA-256 of the public key.
    id: BodyDigest,
    /// The key before it.
    #[schema(required)]
    former: Option<BodyDigest>,
    #[schema(pattern = "^[0-9a-f]+$")]
    public_key: String,
    valid_from: String,
    #[schema(required)]
    retired_at: Option<String>,
    #[schema(pattern = "^[0-9a-f]+$")]
    own_signature: String,
    #[schema(required, pattern = "^[0-9a-f]+$")]
    former_signature: Option<String>,
    #[schema(required)]
    revocation: Option<HistoryRevocation>,
}

/// The end of trust in a key, signed by a later one.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described")]
struct HistoryRevocation {
    revoked_at: String,
    reason: String,
    /// The key that signed it.
    by: BodyDigest,
    #[schema(pattern = "^[0-9a-f]+$")]
    signature: String,
}
