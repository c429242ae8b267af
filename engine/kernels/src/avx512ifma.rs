//! AVX-512 IFMA backend: eight 64-bit lanes with 52-bit multipliers.

/// Proof that the CPU has AVX-512 F, DQ and IFMA: it can only be obtained from [`Avx512Ifma::detect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512Ifma(());

impl Avx512Ifma {
    /// Asks the CPU; the only place that does.
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512ifma"))
            .then_some(Self(()))
    }
}
