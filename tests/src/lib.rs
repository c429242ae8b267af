//! What the tests across crates share: a deterministic generator, and circuits run twice.

pub mod approximate;
pub mod circuits;
pub mod decisions;
pub mod find;
pub mod generator;
pub mod invoices;
pub mod journeys;
pub mod noise;
pub mod oracle;
pub mod precision;
pub mod security;
pub mod tariffs;
