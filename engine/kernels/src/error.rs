//! What can be wrong with a request for tables or a backend.

/// A modulus, size or backend that the kernels cannot serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// The modulus is not an odd prime in `[3, 2^50)`.
    #[error("modulus {value} is not an odd prime below 2^50")]
    Modulus {
        /// The refused value.
        value: u64,
    },
    /// The transform size is not a power of two in `[16, 65536]`.
    #[error("transform size {n} is not a power of two from 16 to 65536")]
    Size {
        /// The refused size.
        n: usize,
    },
    /// The field has no root of unity of order `2n`.
    #[error("modulus {modulus} has no primitive root of unity of order {order}: {modulus} - 1 is not a multiple of it")]
    NoRoot {
        /// The prime.
        modulus: u64,
        /// The order `2n` asked for.
        order: u64,
    },
    /// No (further) prime of the form `k * step + 1` exists in the range.
    #[error("fewer than {wanted} primes congruent to 1 modulo {step} lie between 2^{low_bits} and {below}")]
    NoPrime {
        /// How many primes were asked for.
        wanted: usize,
        /// The congruence step.
        step: u64,
        /// Exclusive upper end of the range.
        below: u64,
        /// The range starts at two to this power.
        low_bits: u32,
    },
    /// The two bases of a conversion share a prime, or one is empty.
    #[error("RNS bases of a conversion must be non-empty and coprime, but {value} is in both or a basis is empty")]
    Bases {
        /// The shared prime, or 0 for an empty basis.
        value: u64,
    },
    /// The backend's name is unknown, or this CPU lacks its instructions.
    #[error("backend '{name}' is not available on this CPU; available: {available}")]
    Backend {
        /// The name asked for.
        name: String,
        /// Names of the backends that can be used, separated by commas.
        available: String,
    },
}
