//! One coefficient of a BFV answer as an LWE ciphertext under parameters of the `tfhe` crate, and whether it reaches a threshold.
//!
//! A service that holds an answer cannot compare: BFV has no order. Here one score becomes an encrypted bit, which the service can combine with
//! others (`tfhe::shortint`) and which only the key holder opens. `docs/bridge.md` derives every bound.
//!
//! 1. *Sample extraction*: coefficient `k` of `c0 + c1 s` is an inner product, an LWE ciphertext under the coefficients of `s` (Chillotti, Gama,
//!    Georgieva and Izabachene, *TFHE: fast fully homomorphic encryption over the torus*, 2020, section 4.2).
//! 2. *Modulus switch* from the answer prime to `2^64`.
//! 3. *Key switching* to the large LWE key of the `tfhe` parameters, with a [`BridgeKey`] of the key holder.
//! 4. *Comparison*: a few low bits of the distance to the threshold are computed and taken away, one bootstrapping a bit, so that the sign of what is
//!    left has room for the noise of the last one (Liu, Micciancio and Polyakov, *Large-precision homomorphic sign evaluation using FHEW/TFHE
//!    bootstrapping*, 2022, section 4). How many bits is computed in [`Plan`]; where the probability of a wrong bit stays above 2^-128, the bridge is
//!    refused.

mod compare;
mod decision;
mod error;
mod key;
mod lift;
mod plan;
mod set;
mod source;

pub use compare::CoefficientBridge;
pub use decision::Decision;
pub use error::BridgeError;
pub use key::BridgeKey;
pub use lift::{LIFT_BASE_LOG, LIFT_LEVELS, extract};
pub use plan::{Deviations, FAILURE_LIMIT_LOG2, Plan, Stage, failure_log2};
pub use set::ShortintSet;
pub use source::Source;
