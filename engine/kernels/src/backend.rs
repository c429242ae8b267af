//! The instruction sets that kernels are written for, and the proof that the CPU has them.

use crate::error::KernelError;

/// An instruction set whose kernels can run on this CPU. Holding a SIMD variant proves that the CPU was asked.
///
/// The choice is made once, by whoever builds a plan; no kernel looks at the CPU again and nothing reads the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// 64-bit integer instructions, on every CPU.
    Scalar,
    /// AVX-512 with the 52-bit multipliers of IFMA.
    #[cfg(target_arch = "x86_64")]
    Avx512Ifma(crate::avx512ifma::Avx512Ifma),
}

impl Backend {
    /// The fastest backend of this CPU.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(token) = crate::avx512ifma::Avx512Ifma::detect() {
            return Self::Avx512Ifma(token);
        }
        Self::Scalar
    }

    /// Every backend of this CPU, scalar first.
    pub fn available() -> Vec<Self> {
        let candidates = [
            Some(Self::Scalar),
            #[cfg(target_arch = "x86_64")]
            crate::avx512ifma::Avx512Ifma::detect().map(Self::Avx512Ifma),
        ];
        candidates.into_iter().flatten().collect()
    }

    /// The name used on command lines, in benches and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Ifma(_) => "avx512",
        }
    }

    /// The backend of that name, or the fastest for `auto`; an unknown or unavailable one is an error.
    pub fn by_name(name: &str) -> Result<Self, KernelError> {
        if name == "auto" {
            return Ok(Self::detect());
        }
        let available = Self::available();
        available.iter().copied().find(|backend| backend.name() == name).ok_or_else(|| KernelError::Backend {
            name: name.to_owned(),
            available: available.iter().map(|backend| backend.name()).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_backends() {
        for backend in Backend::available() {
            assert_eq!(Backend::by_name(backend.name()), Ok(backend));
        }
        assert_eq!(Backend::by_name("auto"), Ok(Backend::detect()));
        assert!(matches!(Backend::by_name("mmx"), Err(KernelError::Backend { .. })));
    }
}
