//! The wire format: every object comes back, every deviation is refused by name, no byte has two meanings.

mod answers;
mod ciphertexts;
mod corruption;
mod crafted;
mod describe;
mod golden;
mod headers;
mod keys;
mod messages;
mod objects;
mod round_trip;
mod sets;
