//! Scalar backend: 64-bit integer instructions, on every CPU, and the definition of every result.

pub(crate) mod dot;
pub(crate) mod forward;
pub(crate) mod inverse;
mod ntt;
pub(crate) mod rns;
pub(crate) mod sampling;
pub(crate) mod vector;

pub(crate) use ntt::NttTables;
