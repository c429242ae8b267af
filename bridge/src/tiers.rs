//! Cumulative tiers over encrypted wide integers.
