//! Parameter sets so small that an object of theirs is a few hundred bytes, and the tables of every backend. None of them is secure.

use std::sync::{Arc, LazyLock};

use blindrelay_engine::Backend;
use blindrelay_engine::bfv;
use blindrelay_engine::ckks;
use blindrelay_engine::params::{ParameterSpec, Parameters, Scheme, SecurityPolicy};

/// Tables of one set for one backend.
pub enum Tables {
    /// Exact integers.
    Bfv(Arc<bfv::Context>),
    /// Approximate numbers.
    Ckks(Arc<ckks::Context>),
}

impl Tables {
    fn new(spec: &ParameterSpec, backend: Backend) -> Self {
        let parameters = Parameters::new(spec.clone(), backend).expect("a set for tests");
        match spec.scheme {
            Scheme::Ckks { .. } => Self::Ckks(ckks::Context::new(&parameters).expect("a set for CKKS")),
            _ => Self::Bfv(bfv::Context::new(&parameters).expect("a set for BFV")),
        }
    }

    /// The set.
    pub fn parameters(&self) -> &Parameters {
        match self {
            Self::Bfv(context) => context.parameters(),
            Self::Ckks(context) => context.parameters(),
        }
    }
}

/// One set on every backend of this machine, scalar first.
pub type Backends = Vec<Tables>;

/// Key switching by digits and an answer prime of 23 bits, so that few residues do not fill their last byte; hybrid key switching without an answer prime; CKKS.
pub static SMALL: LazyLock<[Backends; 3]> = LazyLock::new(|| {
    let digits = ParameterSpec {
        name: "digits-32".to_owned(),
        ring_degree: 32,
        scheme: Scheme::Bfv { plaintext_modulus: 257 },
        ciphertext_primes: primes(&[30, 27]),
        special_primes: Vec::new(),
        digit_bits: 14,
        answer_prime: primes(&[23]).first().copied(),
        policy: SecurityPolicy::InsecureTestOnly,
    };
    let hybrid = ParameterSpec {
        name: "hybrid-32".to_owned(),
        ciphertext_primes: primes(&[21, 23, 25]),
        special_primes: primes(&[33]),
        answer_prime: None,
        ..digits.clone()
    };
    let approximate = ParameterSpec {
        name: "approximate-32".to_owned(),
        scheme: Scheme::Ckks { scale_bits: 24 },
        ciphertext_primes: primes(&[31, 24, 25]),
        special_primes: primes(&[32]),
        ..hybrid.clone()
    };
    [digits, hybrid, approximate].map(|spec| on_every_backend(&spec))
});

/// The smallest set that the messages of all operators over exact integers fit: slots for two places of a find, four participants of a search, one score of a match.
pub static OPERATORS: LazyLock<Arc<bfv::Context>> = LazyLock::new(|| {
    let spec = ParameterSpec {
        name: "operators-256".to_owned(),
        ring_degree: 256,
        scheme: Scheme::Bfv { plaintext_modulus: 65_537 },
        ciphertext_primes: primes(&[27, 24, 25, 26]),
        special_primes: Vec::new(),
        digit_bits: 14,
        answer_prime: primes(&[23]).first().copied(),
        policy: SecurityPolicy::InsecureTestOnly,
    };
    let parameters = Parameters::new(spec, Backend::detect()).expect("a set for tests");
    bfv::Context::new(&parameters).expect("a set for BFV")
});

/// A set's tables on every backend.
pub fn on_every_backend(spec: &ParameterSpec) -> Backends {
    Backend::available().into_iter().map(|backend| Tables::new(spec, backend)).collect()
}

/// The largest prime of each width that is 1 modulo 512.
fn primes(widths: &[u32]) -> Vec<u64> {
    let largest = |&bits: &u32| blindrelay_engine::ntt_primes_below(bits, 512, 1).expect("a prime of that width")[0];
    widths.iter().map(largest).collect()
}
