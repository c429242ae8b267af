//! Parameter sets: from an unchecked specification to an immutable, validated object, in one place.

mod digest;
mod presets;
mod security;
mod spec;
mod validated;

pub use digest::{DIGEST_BYTES, ParameterDigest};
pub use presets::{
    BILL_8192, DECIDE_16384, DECIDE_32768, MATCH_2048, MATCH_4096, RANK_32768, SEARCH_8192, STATS_8192, STATS_16384,
    preset, presets,
};
pub use security::{CEILINGS, Ceiling, SecurityPolicy};
pub use spec::{ParameterError, ParameterSpec, Scheme};
pub use validated::{Level, Parameters, RingLevel};
