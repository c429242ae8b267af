//! Decisions with the `tfhe` crate, behind the feature `tfhe`: what needs wide integers or the latency of a single value.
//!
//! * `tiers`: the total charge of a cumulative tier table over an encrypted wide integer.
//! * `coefficient`: one coefficient of a BFV ciphertext as an LWE ciphertext, and its sign.
//!
//! This crate is the service's side and holds no secret. Keys are made by `blindrelay-keyholder` under its feature `tfhe`.
#![cfg(feature = "tfhe")]

pub mod coefficient;
pub mod tiers;
