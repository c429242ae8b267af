//! What a parameter set is made of, and what can be wrong with it.

use blindrelay_kernels::KernelError;

use super::digest::ParameterDigest;
use super::security::SecurityPolicy;

/// The scheme of a parameter set with what only it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Exact integers modulo a plaintext prime (Brakerski 2012; Fan and Vercauteren 2012).
    Bfv {
        /// The plaintext modulus `t`, an odd prime below every ciphertext prime's product.
        plaintext_modulus: u64,
    },
    /// Approximate numbers (Cheon, Kim, Kim, Song, *Homomorphic encryption for arithmetic of approximate numbers*, 2017).
    Ckks {
        /// Base-2 logarithm of the scale of fresh encodings, from 20 to 50.
        scale_bits: u32,
    },
}

/// A parameter set as somebody wrote it: public, unchecked. [`super::Parameters::new`] is the only way on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSpec {
    /// Name, up to 32 bytes of lower-case letters, digits and dashes; part of the digest.
    pub name: String,
    /// Ring degree `n`, a power of two.
    pub ring_degree: usize,
    /// Scheme and plaintext.
    pub scheme: Scheme,
    /// The primes of `Q`; level `l` uses the first `l + 1`.
    pub ciphertext_primes: Vec<u64>,
    /// The special primes `P` of hybrid key switching; empty for key switching by digits.
    pub special_primes: Vec<u64>,
    /// Without special primes: the widest digit of key switching, in bits.
    pub digit_bits: u32,
    /// The prime to which answers that will only be opened are switched, if any.
    pub answer_prime: Option<u64>,
    /// Which security table has to hold.
    pub policy: SecurityPolicy,
}

impl ParameterSpec {
    /// The digest that names the set on the wire, without building its tables.
    pub fn digest(&self) -> ParameterDigest {
        ParameterDigest::of(self)
    }
}

/// Why a specification is not a parameter set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The modulus is too large for the ring degree.
    #[error(
        "log2(QP) is {bits} bits, but {policy} allows at most {ceiling} at ring degree {degree}: use fewer primes or a larger degree"
    )]
    AboveCeiling {
        /// Bit length of `Q P`.
        bits: u32,
        /// The limit.
        ceiling: u32,
        /// Ring degree.
        degree: usize,
        /// Name of the policy.
        policy: &'static str,
    },
    /// The set's name is not 1 to 32 of `a-z 0-9 -`.
    #[error("a parameter set's name has 1 to 32 characters of a-z, 0-9 and '-', not {length} bytes of something else")]
    Name {
        /// Length of the refused name in bytes.
        length: usize,
    },
    /// No ciphertext prime.
    #[error("a parameter set needs at least one ciphertext prime")]
    NoPrimes,
    /// A prime occurs twice.
    #[error("prime {prime} occurs twice among ciphertext, special and plaintext primes")]
    Repeated {
        /// The repeated prime.
        prime: u64,
    },
    /// A group of digits can be larger than the product of the special primes.
    #[error("special primes have {special} bits in all, fewer than the {group} bits of a group of ciphertext primes")]
    SpecialTooSmall {
        /// Bits of the special primes' product.
        special: u32,
        /// Bits of the largest group.
        group: u32,
    },
    /// The digit width is zero or not below a prime's width plus one.
    #[error("key switching digits of {bits} bits: the width must be from 2 to 50")]
    DigitBits {
        /// The refused width.
        bits: u32,
    },
    /// The plaintext modulus leaves no room for a message.
    #[error(
        "plaintext modulus {plaintext} has {plaintext_bits} bits, too many for a ciphertext modulus of {modulus_bits} bits"
    )]
    PlaintextTooLarge {
        /// `t`.
        plaintext: u64,
        /// Bits of `t`.
        plaintext_bits: u32,
        /// Bits of `Q`.
        modulus_bits: u32,
    },
    /// The scale leaves no precision or no room.
    #[error("a scale of 2^{bits}: it must be from 2^20 to 2^50 and below the first prime of {first} bits")]
    ScaleBits {
        /// Base-2 logarithm of the refused scale.
        bits: u32,
        /// Bits of the first ciphertext prime.
        first: u32,
    },
    /// The set is of another scheme than the caller's.
    #[error("parameter set {name} is not a {wanted} set")]
    WrongScheme {
        /// Name of the set.
        name: String,
        /// The scheme that was needed.
        wanted: &'static str,
    },
    /// No set of that name is known.
    #[error("no parameter set is called '{name}'; known: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// Known names, separated by commas.
        known: String,
    },
    /// A prime, the degree or the backend is refused by the kernels.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}
