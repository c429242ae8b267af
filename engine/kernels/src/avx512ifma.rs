//! AVX-512 IFMA backend: eight 64-bit lanes with 52-bit multipliers.

/// Safe methods of the token, each of which enters the function of the same name in the file that invokes the macro.
macro_rules! entries {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        #[expect(unsafe_code, reason = "entry into functions with target features")]
        impl crate::avx512ifma::Avx512Ifma {
            $(pub(crate) fn $name(self, $($argument: $type),*) $(-> $result)? {
                // SAFETY: a token exists only if the CPU has the features that the function enables.
                unsafe { $name($($argument),*) }
            })*
        }
    };
}

mod butterfly;
mod dot;
mod forward;
mod inverse;
mod lanes;
mod ntt;
mod packing;
mod residues;
mod rns;
mod sampling;
mod vector;

pub(crate) use ntt::NttTables;

/// Proof that the CPU has AVX-512 F, BW, DQ, IFMA and VBMI (every CPU with IFMA has the others): it can only be obtained from [`Avx512Ifma::detect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avx512Ifma(());

impl Avx512Ifma {
    /// Asks the CPU; the only place that does.
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512ifma")
            && is_x86_feature_detected!("avx512vbmi"))
        .then_some(Self(()))
    }
}
